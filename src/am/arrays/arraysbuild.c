/*
 * arraysbuild.c
 *	  CREATE INDEX and REINDEX of an index over an item graph.
 *
 * One scan of the table.  Keys become numbers as they come, those of similar items too, and rows
 * are set aside in a temporary file with numbers in their places.  When all keys are known they
 * are numbered anew, in their order, as in any build; the item side is written, and the rows are
 * read back and written to graph pages.  A similar item that has no row of its own gets an empty
 * one: it can be recommended, and has no users.
 *
 * In memory are the keys, and some numbers for each item; the neighbors never are.  There is no
 * user side, no event will ever be pending, and rows have no spare neighbors: nothing changes
 * them.  Pages are appended to the new, still invisible relation and logged all at once at the end.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xloginsert.h"
#include "am/arrays/arraycolumns.h"
#include "am/arrays/arrayshandler.h"
#include "am/build/buildphase.h"
#include "am/build/fixedpages.h"
#include "am/build/writer.h"
#include "am/graph/graph.h"
#include "am/graph/popular_page.h"
#include "am/lists/directory.h"
#include "am/lists/pending.h"
#include "am/store/options.h"
#include "am/store/progress.h"
#include "core/pairs/modeloptions.h"
#include "core/rows/dictionary.h"
#include "fault.h"
#include "nodes/execnodes.h"
#include "source/input/tempfile.h"
#include "storage/buffile.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* What is known of an item, by the number that its key has got first */
typedef struct Known
{
	uint64		position;		/* TID of its row */
	uint32		users;
	bool		has_row;
} Known;

typedef struct ArraysBuild
{
	Relation	index;
	ForkNumber	fork;
	RecsysArrayColumns columns;
	RecsysMetaData meta;
	RecsysDictionary *keys;
	Known	   *known;
	uint32		size;			/* of that array */
	BufFile    *file;
	uint32		nrows;
	uint32	   *ranks;			/* number of an item by that of its key */
	MemoryContext row_context;
	RecsysBuildPhase phase;
} ArraysBuild;

/* How a row stands in the file; count peers, scores and supports follow */
typedef struct FileRow
{
	uint32		number;
	uint32		count;
} FileRow;

static void
init_state(ArraysBuild *state, Relation index, ForkNumber fork)
{
	RecsysMetaData *meta = &state->meta;
	RecsysModelOptions *options = &meta->options;

	memset(state, 0, sizeof(*state));
	state->index = index;
	state->fork = fork;
	RecsysGetArrayColumns(index, &state->columns);

	RecsysMetaInit(meta);
	meta->item_kind = state->columns.kind;

	/* whatever the scores are: no merge ever makes them */
	meta->learned = true;
	RecsysModelOptionsInit(options);
	options->similarity = RECSYS_COSINE;
	options->neighbors = 1;
	options->min_support = 1;
	RecsysModelOptionsResolve(options);
	meta->options_size = sizeof(*options);
	meta->asked = *options;
	meta->similarity = options->similarity;
	meta->neighbors = options->neighbors;
	meta->min_support = options->min_support;
	meta->max_history = options->max_history;
	meta->shrinkage = options->shrinkage;
	meta->alpha = options->alpha;
}

/*
 * The scan
 */

static uint32
number_of(ArraysBuild *state, const RecsysKey *key)
{
	uint32		number = RecsysDictionaryIntern(state->keys, key);

	if (number >= RECSYS_NONE - 1)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("recsys_graph index \"%s\" cannot hold more items",
						RelationGetRelationName(state->index))));
	if (number >= state->size)
	{
		state->known = repalloc_huge(state->known, sizeof(Known) * (Size) state->size * 2);
		memset(state->known + state->size, 0, sizeof(Known) * (Size) state->size);
		state->size *= 2;
	}
	return number;
}

static void
put_row(ArraysBuild *state, ItemPointer tid, const RecsysArrayRow *row)
{
	FileRow		header = {.count = row->count};
	uint32		peers[RECSYS_MAX_NEIGHBORS];
	Known	   *known;

	header.number = number_of(state, &row->item);
	for (int i = 0; i < row->count; i++)
		peers[i] = number_of(state, &row->peers[i]);
	known = &state->known[header.number];
	if (known->has_row)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("item \"%s\" has more than one row", RecsysArrayItemText(&state->columns, &row->item)),
				 errdetail("An item graph has one row for each item."),
				 errhint("A primary key or a unique index on the item's column keeps it so.")));
	known->has_row = true;
	known->position = RecsysTidPosition(tid);
	known->users = row->users;

	BufFileWrite(state->file, &header, sizeof(header));
	BufFileWrite(state->file, peers, sizeof(uint32) * row->count);
	BufFileWrite(state->file, row->scores, sizeof(float) * row->count);
	BufFileWrite(state->file, row->supports, sizeof(uint32) * row->count);
	state->meta.neighbors = Max(state->meta.neighbors, row->count);
	state->nrows++;
}

static void
add_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	ArraysBuild *state = arg;
	MemoryContext old = MemoryContextSwitchTo(state->row_context);
	RecsysArrayRow row;
	bool		formed;

	/* nobody looks rows up by the index, so that old snapshots need none of the dead ones */
	formed = alive && RecsysFormArrayRow(index, &state->columns, values, isnull, &row);
	MemoryContextSwitchTo(old);

	/* new keys stay */
	if (formed)
		put_row(state, tid, &row);
	MemoryContextReset(state->row_context);
}

static void
scan_table(ArraysBuild *state, Relation heap, struct IndexInfo *info, IndexBuildResult *result)
{
	RecsysBuildPhaseStart(&state->phase, RECSYS_PHASE_SCAN, 0);
	result->heap_tuples = table_index_build_scan(heap, state->index, info, true, true, add_row, state,
												 NULL);
	result->index_tuples = state->nrows;
}

/*
 * Items
 */

/* Numbers items in the order of their keys. */
static void
rank_items(ArraysBuild *state, uint32 nitems)
{
	uint32	   *sorted = RecsysDictionarySorted(state->keys);

	state->ranks = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (Size) Max(nitems, 1));
	for (uint32 rank = 0; rank < nitems; rank++)
		state->ranks[sorted[rank]] = rank;
	pfree(sorted);
}

static void
write_items(ArraysBuild *state, uint32 nitems)
{
	RecsysSideWriter *writer = RecsysSideWriterCreate(state->index, state->fork, RECSYS_ITEMS,
													  &state->meta, RecsysGetFillfactor(state->index));
	uint32	   *order = nitems > 0 ? RecsysDictionaryHashOrder(state->keys) : NULL;

	for (uint32 i = 0; i < nitems; i++)
	{
		const Known *known = &state->known[order[i]];
		RecsysKey	key;

		RecsysDictionaryKey(state->keys, order[i], &key);
		RecsysSideWriterStart(writer, &key, RECSYS_TREE_HASH(RecsysDictionaryHash(state->keys, order[i])),
							  state->ranks[order[i]]);
		if (known->has_row)
		{
			RecsysEntry entry = {.weight = 1.0,.time = RECSYS_NO_TIME};

			ItemPointerSet(&entry.tid, (BlockNumber) (known->position >> 16),
						   (OffsetNumber) (known->position & 0xFFFF));
			RecsysSideWriterEntry(writer, &entry);
		}
		RecsysSideWriterEnd(writer, 0);
		RecsysBuildDone((uint64) i + 1);
	}
	RecsysSideWriterFinish(writer);
	if (order != NULL)
		pfree(order);
}

static void
write_empty_users(ArraysBuild *state)
{
	RecsysSideWriterFinish(RecsysSideWriterCreate(state->index, state->fork, RECSYS_USERS,
												  &state->meta, RecsysGetFillfactor(state->index)));
}

/*
 * The graph
 */

static RecsysRowTotals
totals_of(uint32 users)
{
	RecsysRowTotals totals = {.users = users,.norm2 = users,.mass = users,.latest = RECSYS_NO_TIME};

	return totals;
}

/* Of two neighbors that are one item */
static void
refuse_twice(ArraysBuild *state, uint32 number, uint32 peer)
{
	RecsysKey	item;
	RecsysKey	twice = {0};

	RecsysDictionaryKey(state->keys, number, &item);
	for (uint32 other = 0; other < RecsysDictionaryCount(state->keys); other++)
		if (state->ranks[other] == peer)
			RecsysDictionaryKey(state->keys, other, &twice);
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("the row of item \"%s\" has item \"%s\" twice",
					RecsysArrayItemText(&state->columns, &item),
					RecsysArrayItemText(&state->columns, &twice))));
}

static int
compare_peers(const void *a, const void *b)
{
	uint32		left = ((const RecsysNeighbor *) a)->item;
	uint32		right = ((const RecsysNeighbor *) b)->item;

	return (left > right) - (left < right);
}

/* Reads a row's neighbors, and puts them into the order of any item graph. */
static void
read_neighbors(ArraysBuild *state, const FileRow *header, RecsysNeighbor *neighbors)
{
	uint32		values[RECSYS_MAX_NEIGHBORS];
	float		scores[RECSYS_MAX_NEIGHBORS];
	RecsysKeyOrder order = {.nsorted = PG_UINT32_MAX};
	int			count = (int) header->count;

	RecsysTempFileRead(state->file, values, sizeof(uint32) * count);
	for (int i = 0; i < count; i++)
		neighbors[i].item = state->ranks[values[i]];
	RecsysTempFileRead(state->file, scores, sizeof(float) * count);
	RecsysTempFileRead(state->file, values, sizeof(uint32) * count);
	for (int i = 0; i < count; i++)
	{
		neighbors[i].score = scores[i];
		neighbors[i].support = values[i];
	}
	qsort(neighbors, count, sizeof(RecsysNeighbor), compare_peers);
	for (int i = 1; i < count; i++)
		if (neighbors[i].item == neighbors[i - 1].item)
			refuse_twice(state, header->number, neighbors[i].item);
	RecsysNeighborSort(neighbors, count, &order);
}

static void
put_graph_row(ArraysBuild *state, RecsysGraphWriter *writer, uint32 number,
			  const RecsysNeighbor *neighbors, int count)
{
	RecsysRowTotals totals = totals_of(state->known[number].users);
	RecsysKey	key;

	RecsysDictionaryKey(state->keys, number, &key);
	RecsysGraphWriterPut(writer, &state->meta, state->ranks[number], &key, &totals, neighbors, count);
	state->meta.interactions += totals.users;
	state->meta.items += totals.users > 0;
}

static void
write_graph(ArraysBuild *state, uint32 nitems)
{
	RecsysGraphWriter writer;
	RecsysNeighbor neighbors[RECSYS_MAX_NEIGHBORS];
	uint64		done = 0;

	RecsysGraphWriterInit(&writer, state->index, state->fork, nitems);
	if (state->file != NULL)
		RecsysTempFileRewind(state->file);
	for (uint32 i = 0; i < state->nrows; i++)
	{
		FileRow		header;

		RecsysTempFileRead(state->file, &header, sizeof(header));
		read_neighbors(state, &header, neighbors);
		put_graph_row(state, &writer, header.number, neighbors, (int) header.count);
		RECSYS_FAULT("build-graph-row");
		RecsysBuildDone(++done);
	}
	for (uint32 number = 0; number < nitems; number++)
		if (!state->known[number].has_row)
			put_graph_row(state, &writer, number, NULL, 0);
	RecsysGraphWriterFinish(&writer, &state->meta);
}

static void
write_popular(ArraysBuild *state, uint32 nitems)
{
	uint32	   *users = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (Size) Max(nitems, 1));

	for (uint32 number = 0; number < nitems; number++)
		users[state->ranks[number]] = state->known[number].users;
	state->meta.popular = RecsysWritePopular(state->index, state->fork, users, nitems);
	pfree(users);
}

static void
write_meta(ArraysBuild *state)
{
	PGAlignedBlock image;

	state->meta.options.neighbors = state->meta.asked.neighbors = state->meta.neighbors;
	state->meta.score_items = state->meta.items;
	state->meta.built_rows = state->nrows;
	RecsysPageInit((Page) image.data, RECSYS_PAGE_META, RECSYS_USERS);
	memcpy(RecsysPageGetMeta((Page) image.data), &state->meta, sizeof(state->meta));
	RecsysOverwritePage(state->index, state->fork, RECSYS_META_BLOCK, (Page) image.data);
}

/* All of the index but the log, from what the scan has found */
static void
write_index(ArraysBuild *state)
{
	uint32		nitems = state->keys != NULL ? RecsysDictionaryCount(state->keys) : 0;

	if (nitems > 0)
		rank_items(state, nitems);
	RecsysBuildPhaseStart(&state->phase, RECSYS_PHASE_ITEMS, nitems);
	write_empty_users(state);
	write_items(state, nitems);
	RecsysBuildPhaseStart(&state->phase, RECSYS_PHASE_GRAPH, state->nrows);
	write_graph(state, nitems);
	write_popular(state, nitems);
	RecsysPendingCreate(state->index, state->fork, &state->meta);
	write_meta(state);
}

IndexBuildResult *
recsys_graph_build(Relation heap, Relation index, struct IndexInfo *info)
{
	IndexBuildResult *result = palloc0(sizeof(IndexBuildResult));
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys graph build",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	ArraysBuild state;

	if (RelationGetNumberOfBlocks(index) != 0)
		elog(ERROR, "index \"%s\" already contains data", RelationGetRelationName(index));

	init_state(&state, index, MAIN_FORKNUM);
	state.keys = RecsysDictionaryCreate(state.columns.kind, state.meta.seed);
	state.size = 1024;
	state.known = palloc0(sizeof(Known) * state.size);
	state.file = BufFileCreateTemp(false);
	state.row_context = AllocSetContextCreate(context, "recsys graph build row", ALLOCSET_DEFAULT_SIZES);
	RecsysReserveFixedPages(index, MAIN_FORKNUM);
	scan_table(&state, heap, info, result);
	RECSYS_FAULT("build-scanned");
	write_index(&state);
	RECSYS_FAULT("build-written");

	if (RelationNeedsWAL(index))
	{
		RecsysBuildPhaseStart(&state.phase, RECSYS_PHASE_LOG, 0);
		log_newpage_range(index, MAIN_FORKNUM, 0, RelationGetNumberOfBlocks(index), true);
	}
	RecsysBuildPhaseEnd(&state.phase);
	RECSYS_FAULT("build-logged");

	BufFileClose(state.file);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return result;
}

/* An empty index in the init fork, which a crash restores an unlogged index from. */
void
recsys_graph_buildempty(Relation index)
{
	ArraysBuild state;

	init_state(&state, index, INIT_FORKNUM);
	RecsysReserveFixedPages(index, INIT_FORKNUM);
	write_index(&state);
	log_newpage_range(index, INIT_FORKNUM, 0,
					  RelationGetNumberOfBlocksInFork(index, INIT_FORKNUM), true);
}
