/*
 * itemsbuild.c
 *	  CREATE INDEX and REINDEX of an items index.
 *
 * The rows of the table are set aside, sorted by key (itemsspool).  They are read twice: once
 * to count in how many values each term occurs, which all weights depend on, and once to write
 * their content, weighed, to content pages; items are numbered on the way, in order of their
 * keys.  When there are too many to compare all with all, content is brought into the order of
 * clusters first (itemsclusters).  Then the item side is written, in order of the keys' hashes
 * (itemspostings).  Last, content is read back, each item compared with all others (itemsrows),
 * and the item graph written.  Pages are appended to the new, still invisible relation and
 * logged all at once at the end.
 *
 * maintenance_work_mem bounds it: while rows are sorted, the sorts and the counts of terms have
 * shares of it, while items are compared, their blocks have what is left.
 */
#include "postgres.h"

#include "access/xloginsert.h"
#include "am/build/build_parallel.h"
#include "am/build/fixedpages.h"
#include "am/build/writer.h"
#include "am/content/termpage.h"
#include "am/itembuild/itemsbuildstate.h"
#include "am/items/itemshandler.h"
#include "am/items/itemsoptions.h"
#include "am/itembuild/itemsscan.h"
#include "am/lists/pending.h"
#include "am/store/options.h"
#include "am/store/progress.h"
#include "catalog/index.h"
#include "core/pairs/modeloptions.h"
#include "fault.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/*
 * The meta page
 */

static void
init_meta(RecsysItemsBuild *state)
{
	RecsysMetaData *meta = &state->meta;
	const RecsysOptions *set = (const RecsysOptions *) state->index->rd_options;
	RecsysModelOptions *options = &meta->options;

	RecsysMetaInit(meta);
	meta->item_kind = state->kind;

	/* an items index has none of what most options are about */
	RecsysModelOptionsInit(options);
	options->similarity = RECSYS_COSINE;
	options->min_support = 1;
	if (set != NULL)
		options->neighbors = set->model.neighbors;
	RecsysModelOptionsResolve(options);
	meta->options_size = sizeof(*options);
	meta->asked = *options;
	meta->similarity = options->similarity;
	meta->neighbors = options->neighbors;
	meta->min_support = options->min_support;
	meta->max_history = options->max_history;
	meta->shrinkage = options->shrinkage;
	meta->alpha = options->alpha;

	memset(&state->content, 0, sizeof(state->content));
	state->content.content_head = state->content.content_tail = InvalidBlockNumber;
	state->content.content_free = state->content.terms = InvalidBlockNumber;
	RecsysDeclaredModel(state->columns, &state->content.model);
}

static void
init_state(RecsysItemsBuild *state, Relation heap, Relation index, ForkNumber fork)
{
	Oid			type;

	memset(state, 0, sizeof(*state));
	state->heap = heap;
	state->index = index;
	state->fork = fork;
	state->columns = RecsysGetItemColumns(index);
	state->kind = RecsysItemColumnsKey(state->columns, &type);
	state->memory = (Size) maintenance_work_mem * 1024;
	state->exact_items = (uint32) RecsysExactItems;
	init_meta(state);
}

static void
write_meta(RecsysItemsBuild *state)
{
	PGAlignedBlock image;
	Page		page = (Page) image.data;

	RecsysPageInit(page, RECSYS_PAGE_META, RECSYS_USERS);
	memcpy(RecsysPageGetMeta(page), &state->meta, sizeof(state->meta));
	memcpy(RecsysPageGetContentMeta(page), &state->content, sizeof(state->content));
	RecsysOverwritePage(state->index, state->fork, RECSYS_META_BLOCK, page);
}

/*
 * Rows of the table
 */

static void
scan_table(RecsysItemsBuild *state, struct IndexInfo *info, IndexBuildResult *result)
{
	RecsysBuildPhaseStart(&state->phase, RECSYS_PHASE_SCAN, 0);
	state->spool = RecsysItemSpoolCreate(state->kind, SPOOL_SHARE(state->memory));
	result->heap_tuples = RecsysItemsScan(state->heap, state->index, info, state->columns,
										  state->nworkers, state->spool);
	result->index_tuples = (double) RecsysItemSpoolRows(state->spool);
	RecsysItemSpoolSort(state->spool);
}

/* What weighs how much depends on what all items are, not on what they were or will not be. */
static void
count_terms(RecsysItemsBuild *state)
{
	RecsysContentModel *model = &state->content.model;
	RecsysTermCounts *counts = RecsysTermCountsCreate(model, TERMS_SHARE(state->memory));
	RecsysSpooledRow row;
	uint64		done = 0;

	RecsysBuildPhaseStart(&state->phase, RECSYS_PHASE_TERMS,
						  (int64) RecsysItemSpoolRows(state->spool));
	while (RecsysItemSpoolNext(state->spool, &row))
	{
		RecsysRawContent raw;

		/* workers know nothing of each other's vectors */
		RecsysRawContentLoad(model, row.raw, &raw);
		RecsysLearnDimensions(model, &raw);
		RecsysCheckContent(state->index, model, &raw);
		if (row.current)
			RecsysTermCountsAdd(counts, &raw);
		if (row.item == RECSYS_NONE - 1)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("recsys index \"%s\" cannot hold more items",
							RelationGetRelationName(state->index))));
		state->nitems = row.item + 1;
		RecsysBuildDone(++done);
	}
	state->terms = RecsysTermCountsFinish(counts, model, &state->nterms);
}

/*
 * The item side
 */

static void
write_items(RecsysItemsBuild *state)
{
	RecsysItemPostings *postings = state->postings;
	RecsysSideWriter *writer = RecsysSideWriterCreate(state->index, state->fork, RECSYS_ITEMS,
													  &state->meta, RecsysGetFillfactor(state->index));
	RecsysItemPosting posting;
	char		bytes[RECSYS_MAX_KEY_LEN];	/* the writer keeps pointing to the key */
	RecsysKey	key;
	uint32		item = RECSYS_NONE;
	uint64		done = 0;

	RecsysBuildPhaseStart(&state->phase, RECSYS_PHASE_ITEMS, (int64) state->content.contents);
	RecsysItemPostingsSort(postings);
	while (RecsysItemPostingsNext(postings, &posting))
	{
		RecsysEntry entry = {0};

		if (posting.item != item)
		{
			if (item != RECSYS_NONE)
				RecsysSideWriterEnd(writer, 0);
			RecsysKeyStore(state->kind, &posting.key, bytes);
			RecsysKeyLoad(state->kind, bytes, posting.key.len, &key);
			RecsysSideWriterStart(writer, &key, posting.hash, posting.item);
			item = posting.item;
		}
		entry.peer = posting.block;
		entry.weight = 1.0;
		entry.time = RECSYS_NO_TIME;
		RecsysPositionToTid(posting.position, &entry.tid);
		RecsysSideWriterEntry(writer, &entry);
		RecsysBuildDone(++done);
	}
	if (item != RECSYS_NONE)
		RecsysSideWriterEnd(writer, 0);
	RecsysSideWriterFinish(writer);
	RecsysItemPostingsFree(postings);
}

static void
write_empty_users(RecsysItemsBuild *state)
{
	RecsysSideWriterFinish(RecsysSideWriterCreate(state->index, state->fork, RECSYS_USERS,
												  &state->meta, RecsysGetFillfactor(state->index)));
}

IndexBuildResult *
recsys_items_build(Relation heap, Relation index, struct IndexInfo *info)
{
	IndexBuildResult *result = palloc0(sizeof(IndexBuildResult));
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys items build",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysItemsBuild	state;

	if (RelationGetNumberOfBlocks(index) != 0)
		elog(ERROR, "index \"%s\" already contains data", RelationGetRelationName(index));

	init_state(&state, heap, index, MAIN_FORKNUM);
	RecsysContentNoteBuild(&state.content);
	state.concurrent = info->ii_Concurrent;
	state.nworkers = RecsysBuildWorkers(heap, index);
	RecsysReserveFixedPages(index, MAIN_FORKNUM);
	scan_table(&state, info, result);
	RECSYS_FAULT("build-scanned");
	count_terms(&state);
	RecsysWriteTerms(index, MAIN_FORKNUM, state.terms, state.nterms, &state.content);
	RecsysWriteItemContent(&state);
	write_items(&state);
	write_empty_users(&state);
	RecsysWriteItemGraph(&state);

	state.meta.items = state.meta.score_items = state.ncurrent;
	state.meta.interactions = state.ncurrent;
	state.meta.built_rows = state.ncurrent;
	RecsysPendingCreate(index, MAIN_FORKNUM, &state.meta);
	write_meta(&state);
	RECSYS_FAULT("build-written");

	if (RelationNeedsWAL(index))
	{
		RecsysBuildPhaseStart(&state.phase, RECSYS_PHASE_LOG, 0);
		log_newpage_range(index, MAIN_FORKNUM, 0, RelationGetNumberOfBlocks(index), true);
	}
	RecsysBuildPhaseEnd(&state.phase);
	RECSYS_FAULT("build-logged");

	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return result;
}

/* An empty index in the init fork, which a crash restores an unlogged index from. */
void
recsys_items_buildempty(Relation index)
{
	RecsysItemsBuild	state;

	init_state(&state, NULL, index, INIT_FORKNUM);
	RecsysReserveFixedPages(index, INIT_FORKNUM);
	RecsysContentWriterFinish(RecsysContentWriterCreate(index, INIT_FORKNUM), &state.content);
	write_empty_users(&state);
	RecsysSideWriterFinish(RecsysSideWriterCreate(index, INIT_FORKNUM, RECSYS_ITEMS, &state.meta,
												  RecsysGetFillfactor(index)));
	RecsysGraphWriterInit(&state.graph, index, INIT_FORKNUM, 0);
	RecsysGraphWriterFinish(&state.graph, &state.meta);
	RecsysPendingCreate(index, INIT_FORKNUM, &state.meta);
	write_meta(&state);
	log_newpage_range(index, INIT_FORKNUM, 0,
					  RelationGetNumberOfBlocksInFork(index, INIT_FORKNUM), true);
}
