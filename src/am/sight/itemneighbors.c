/*
 * itemneighbors.c
 *	  Neighbors of items as a snapshot sees them, merged or not.
 *
 * Where the item's content is that which the graph was computed with, its row of the graph is
 * the answer but for items that have changed since: those are compared now.  A neighbor counts if
 * the snapshot sees the content that the score is of.  What is not stored in the row stands behind
 * its floor, so the answer is right as long as all of it stands before that; otherwise, and
 * for an item that has changed itself, all are compared.
 *
 * Which items have changed is read before the row.  A merge may carry them into the graph in
 * between, which is no harm as they are compared all the same; but it may also bring changes that
 * the snapshot does not see.  It says so before it changes the first row, so the meta page is looked
 * at again behind the row.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "am/sight/itemsreader.h"
#include "am/lists/owner.h"
#include "catalog/pg_index.h"
#include "miscadmin.h"
#include "storage/predicate.h"
#include "utils/memutils.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

/* Times that merges may change the graph under a question; then all items are compared. */
#define ATTEMPTS 3

RecsysItemsReader *
RecsysItemsReaderCreate(Relation heap, Relation index, Snapshot snapshot)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys items reader",
												  ALLOCSET_DEFAULT_SIZES);
	RecsysItemsReader *reader = MemoryContextAllocZero(context, sizeof(RecsysItemsReader));

	RecsysCheckSnapshot(index, snapshot);
	PredicateLockRelation(heap, snapshot);
	reader->heap = heap;
	reader->index = index;
	reader->snapshot = snapshot;
	reader->context = context;
	RecsysGraphReaderInit(&reader->graph, index);
	reader->graph.for_keys = true;
	RecsysVisibilityInit(&reader->visibility, heap, index);
	RecsysReadContentMeta(index, &reader->meta);
	RecsysLateRead(reader);
	return reader;
}

void
RecsysItemsReaderFree(RecsysItemsReader *reader)
{
	RecsysGraphReaderDone(&reader->graph);
	if (reader->order != NULL)
		RecsysItemOrderFree(reader->order);
	RecsysVisibilityDone(&reader->visibility);
	MemoryContextDelete(reader->context);
}

const RecsysContentModel *
RecsysItemsModel(const RecsysItemsReader *reader)
{
	return &reader->meta.model;
}

void
RecsysItemsTerms(const RecsysItemsReader *reader, RecsysTermReader *terms)
{
	terms->index = reader->index;
	terms->terms = reader->meta.terms;
	terms->nterms = reader->meta.nterms;
}

/* Has a merge changed the graph since?  If so, all that hangs on it is read anew. */
static bool
graph_has_changed(RecsysItemsReader *reader)
{
	if (RecsysContentMerges(reader->index) == reader->meta.merges)
		return false;
	RecsysReadContentMeta(reader->index, &reader->meta);
	RecsysSightsForget(reader);
	RecsysLateRead(reader);
	return true;
}

const char *
RecsysItemsContent(RecsysItemsReader *reader, uint32 item)
{
	return RecsysSightContent(reader, RecsysSightOf(reader, item));
}

bool
RecsysItemsKey(RecsysItemsReader *reader, uint32 item, RecsysKey *key)
{
	RecsysSight *sight = RecsysSightOf(reader, item);

	*key = sight->key;
	return sight->state != RECSYS_SIGHT_NONE;
}

int
RecsysItemsUnmerged(RecsysItemsReader *reader, const RecsysUnmerged **unmerged)
{
	if (reader->unmerged == NULL)
	{
		reader->unmerged = MemoryContextAllocHuge(reader->context,
												  sizeof(RecsysUnmerged) * (Size) Max(reader->nlate, 1));
		reader->nunmerged = 0;
		for (int i = 0; i < reader->nlate; i++)
		{
			RecsysSight *sight;
			RecsysUnmerged *one = &reader->unmerged[reader->nunmerged];

			CHECK_FOR_INTERRUPTS();
			if (i > 0 && reader->late[i].item == reader->late[i - 1].item)
				continue;
			sight = RecsysSightOf(reader, reader->late[i].item);
			if (sight->state != RECSYS_SIGHT_OTHER)
				continue;
			one->item = sight->item;
			one->packed = sight->packed;
			reader->nunmerged++;
		}
	}
	*unmerged = reader->unmerged;
	return reader->nunmerged;
}

/* Does a unique index see to it that no snapshot sees two rows of an item? */
static bool
keys_are_unique(RecsysItemsReader *reader)
{
	AttrNumber	column = reader->index->rd_index->indkey.values[0];
	List	   *indexes;
	ListCell   *cell;
	bool		unique = false;

	if (column == InvalidAttrNumber)
		return false;
	indexes = RelationGetIndexList(reader->heap);
	foreach(cell, indexes)
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(cell)));
		Form_pg_index form;

		if (!HeapTupleIsValid(tuple))
			continue;
		form = (Form_pg_index) GETSTRUCT(tuple);
		unique = unique || (form->indisunique && form->indimmediate && form->indisvalid &&
							form->indnkeyatts == 1 && form->indkey.values[0] == column &&
							heap_attisnull(tuple, Anum_pg_index_indpred, NULL));
		ReleaseSysCache(tuple);
	}
	list_free(indexes);
	return unique;
}

/* An item whose neighbors are asked for: its row, and what of it is certain */
typedef struct Question
{
	RecsysItemsReader *reader;
	uint32		item;
	RecsysContentTuple content; /* NULL until something is compared */
	PGAlignedBlock copy;
	RecsysGraphRow row;
	int			certain;		/* entries that nothing that is left out can stand before */
	RecsysLike	floor;			/* of score 0: nothing is left out */
	RecsysLikeHeap best;
} Question;

static bool
read_row(Question *question)
{
	RecsysItemsReader *reader = question->reader;
	RecsysGraphRow row = RecsysGraphReadRow(&reader->graph, question->item);

	if (row == NULL)
		return false;
	memcpy(question->copy.data, row, RECSYS_ROW_SIZE(row->nstored, row->keylen));
	RecsysGraphReleaseRow(&reader->graph);
	row = question->row = (RecsysGraphRow) question->copy.data;
	question->floor.item = row->floor_item;
	question->floor.score = row->floor_score;

	question->certain = row->nstored;
	while (question->floor.score > 0 && question->certain > 0)
	{
		RecsysLike	last = {row->peers[question->certain - 1], RecsysRowScores(row)[question->certain - 1]};

		if (RecsysLikeCompare(reader, &last, &question->floor) <= 0)
			break;
		question->certain--;
	}
	return true;
}

static bool
row_has(const Question *question, uint32 item)
{
	for (int i = 0; i < question->row->nstored; i++)
		if (question->row->peers[i] == item)
			return true;
	return false;
}

/*
 * The item's own content.  Not kept with the reader, which may be asked about all items.  NULL
 * if it has gone.
 */
static const char *
own_content(Question *question)
{
	if (question->content == NULL)
	{
		RecsysSight *sight = RecsysSightOf(question->reader, question->item);
		Size		size;

		question->content = RecsysContentRead(question->reader->index, sight->block, &sight->tid, &size);
	}
	return question->content == NULL ? NULL : question->content->packed;
}

static float
likeness(Question *question, const char *packed)
{
	const char *own = packed == NULL ? NULL : own_content(question);

	return own == NULL ? 0 : RecsysLikeness(&question->reader->meta.model, own, packed, NULL);
}

/* Compares what the snapshot sees of another item with the item itself. */
static void
compare_now(Question *question, uint32 other)
{
	float		score = likeness(question, RecsysItemsContent(question->reader, other));

	if (score > 0)
		RecsysLikeHeapAdd(&question->best, other, score);
}

/* Those of the row that are not pending, as many as are wanted */
static void
take_from_row(Question *question)
{
	RecsysItemsReader *reader = question->reader;
	int			taken = 0;

	RecsysSightsLook(reader, question->row->peers, Min(question->certain, question->best.k));
	for (int i = 0; i < question->certain && taken < question->best.k; i++)
	{
		uint32		peer = question->row->peers[i];
		RecsysSightState state;

		if (reader->nlate > 0 && RecsysLateFind(reader, peer) >= 0)
			continue;
		state = RecsysSightOf(reader, peer)->state;
		if (state == RECSYS_SIGHT_CURRENT)
		{
			RecsysLikeHeapAdd(&question->best, peer, RecsysRowScores(question->row)[i]);
			taken++;
		}
		else if (state == RECSYS_SIGHT_OTHER)
			compare_now(question, peer);
	}
}

/* Could one of an item's pending rows be among the best?  They are the first to next - 1. */
static bool
may_be_near(Question *question, int first, int next)
{
	for (int place = first; place < next; place++)
		if (RecsysLikeHeapWants(&question->best,
								likeness(question, RecsysLateContent(question->reader, place))))
			return true;
	return false;
}

/*
 * Those that are pending.  Most of them are nowhere near: their contents as written tell, before it
 * is looked up which of them the snapshot sees.  Unless a key has several rows, an item that none
 * of them makes a neighbor can be one only by what the graph knows.
 */
static void
take_pending(Question *question)
{
	RecsysItemsReader *reader = question->reader;
	bool		unique = keys_are_unique(reader);

	for (int first = 0, next; first < reader->nlate; first = next)
	{
		uint32		other = reader->late[first].item;

		for (next = first + 1; next < reader->nlate && reader->late[next].item == other;)
			next++;
		CHECK_FOR_INTERRUPTS();
		if (other != question->item &&
			(!unique || row_has(question, other) || may_be_near(question, first, next)))
			compare_now(question, other);
	}
}

/* False if the graph cannot tell: then all have to be compared. */
static bool
neighbors_by_graph(RecsysItemsReader *reader, uint32 item, int k, int *count, RecsysLike **likes)
{
	Question	question = {.reader = reader,.item = item};

	if (!read_row(&question))
		return false;
	RecsysLikeHeapInit(&question.best, reader, k);
	take_from_row(&question);
	if (reader->nlate > 0)
		take_pending(&question);
	if (question.content != NULL)
		pfree(question.content);
	*count = RecsysLikeHeapFinish(&question.best, likes);
	return question.floor.score <= 0 ||
		(*count == k && RecsysLikeCompare(reader, &(*likes)[*count - 1], &question.floor) <= 0);
}

/*
 * Is somebody about to change the graph by what the snapshot does not see?  Which rows are not the
 * current ones any more is then still changing, and not known.
 */
static bool
graph_is_changing(const RecsysItemsReader *reader)
{
	return reader->older && (reader->meta.merges & 1) != 0;
}

static int
neighbors_of_all(RecsysItemsReader *reader, uint32 item, int k, RecsysLike **likes)
{
	const char *own = RecsysItemsContent(reader, item);

	return own == NULL ? 0 : RecsysItemsLike(reader, &reader->meta.model, own, item, k, likes);
}

int
RecsysItemsNeighbors(RecsysItemsReader *reader, uint32 item, int k, RecsysLike **likes)
{
	int			count = 0;

	k = Min(k, RecsysGetCache(reader->index)->meta.neighbors);
	*likes = NULL;
	for (int attempt = 0; k > 0; attempt++)
	{
		RecsysSightState state = RecsysSightOf(reader, item)->state;

		if (state == RECSYS_SIGHT_NONE)
			return 0;
		if (attempt == ATTEMPTS || state == RECSYS_SIGHT_OTHER || graph_is_changing(reader) ||
			!neighbors_by_graph(reader, item, k, &count, likes))
			return neighbors_of_all(reader, item, k, likes);
		if (!graph_has_changed(reader))
			break;
	}
	return count;
}
