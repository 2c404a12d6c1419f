/*
 * build.c
 *	  CREATE INDEX and REINDEX: training.
 *
 * Who calls it, and what becomes of partitions, is in am/whole/partbuild.c.
 *
 * One heap scan feeds the collector.  The collector gives the rows back by
 * user, in the order in which the user side is written; each user's live rows
 * go to the model on the way.  Then it gives them back by item for the item
 * side, and finally the model reports the item graph row by row.  Pages are
 * appended to the new, still invisible relation and logged all at once at the
 * end, as full-page images.
 *
 * maintenance_work_mem bounds the sum of collector and model; see collector.c,
 * historystore.c and training.c for what happens beyond it.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xloginsert.h"
#include "am/build/build.h"
#include "am/build/build_parallel.h"
#include "am/build/buildphase.h"
#include "am/build/buildwarnings.h"
#include "am/build/fixedpages.h"
#include "am/build/indexmodel.h"
#include "am/build/wholescan.h"
#include "am/build/writer.h"
#include "am/entry/handler.h"
#include "am/graph/factor.h"
#include "am/graph/graph.h"
#include "am/graph/popular_page.h"
#include "am/graph/prior_page.h"
#include "am/lists/pending.h"
#include "am/parts/currentstorage.h"
#include "am/parts/whole.h"
#include "am/store/indexname.h"
#include "am/store/options.h"
#include "am/store/progress.h"
#include "compat.h"
#include "core/pairs/modeloptions.h"
#include "fault.h"
#include "miscadmin.h"
#include "source/input/collector.h"
#include "source/train/historystore.h"
#include "utils/memutils.h"
#include "utils/rel.h"

typedef struct BuildState
{
	Relation	index;
	ForkNumber	fork;
	RecsysColumns columns;
	RecsysMetaData meta;
	RecsysModelOptions asked;
	RecsysModelOptions options; /* resolved; with similarity = auto the fallback until chosen */
	int			fillfactor;
	RecsysCollector *collector;
	RecsysGraphWriter graph;
	RecsysModel *model;
	const RecsysItemTotals *totals;
	RecsysLeafScan leaves;		/* of a whole */
	Oid			named;			/* the index that messages name: the root of a whole, or itself */
	double		indexed;		/* heap rows */
	int			nworkers;		/* that may be used */
	RecsysBuildPhase phase;
} BuildState;

static void
add_row(void *arg, const RecsysCollected *row)
{
	BuildState *state = arg;

	RecsysCollectorAdd(state->collector, row);
	state->indexed++;
}

static void
position_to_tid(uint64 position, ItemPointer tid)
{
	ItemPointerSet(tid, (BlockNumber) (position >> 16), (OffsetNumber) (position & 0xFFFF));
}

/* Write the user side; live rows with an item go to the model. */
static void
write_users(BuildState *state, RecsysModel *model)
{
	RecsysSideWriter *writer = RecsysSideWriterCreate(state->index, state->fork, RECSYS_USERS,
													  &state->meta, state->fillfactor);
	RecsysKey	key;
	uint32		hash;
	uint64		done = 0;

	while (RecsysCollectorNextUser(state->collector, &key, &hash))
	{
		RecsysUserRow row;
		uint64		first = done;
		uint16		flags;

		RecsysSideWriterStart(writer, &key, hash, 0);
		while (RecsysCollectorNextOfUser(state->collector, &row))
		{
			RecsysEntry entry = {0};

			entry.peer = row.interaction.item;
			entry.orphan = row.interaction.item == RECSYS_NONE;
			entry.weight = row.interaction.weight;
			entry.time = row.interaction.time;
			position_to_tid(row.interaction.position, &entry.tid);
			RecsysSideWriterEntry(writer, &entry);
			if (!row.dead && !entry.orphan)
			{
				RecsysModelAdd(model, &row.interaction);
				state->meta.built_rows++;
			}
			RecsysBuildDone(++done);
		}
		flags = RecsysModelEndUser(model) ? RECSYS_OWNER_COUNTED : 0;
		RecsysModelSampleUser(model, RecsysKeyHash(state->columns.user_kind, &key, RECSYS_SAMPLE_SEED));

		/* more entries than count, or soon: which do, merges would else have to find out */
		if (done - first >= (uint64) state->options.max_history)
		{
			int			count;
			const RecsysHistoryItem *history = RecsysModelLastHistory(model, &count);

			RecsysSideWriterMark(writer, history, count);
			flags |= RECSYS_OWNER_MARKED;
		}
		RecsysSideWriterEnd(writer, flags);
		RECSYS_FAULT("build-user");
	}
	RecsysSideWriterFinish(writer);
}

static void
write_items(BuildState *state)
{
	RecsysSideWriter *writer = RecsysSideWriterCreate(state->index, state->fork, RECSYS_ITEMS,
													  &state->meta, state->fillfactor);
	RecsysKey	key;
	uint32		hash;
	uint32		item;
	uint64		done = 0;

	while (RecsysCollectorNextItem(state->collector, &item, &key, &hash))
	{
		RecsysItemRow row;

		RecsysSideWriterStart(writer, &key, hash, item);
		while (RecsysCollectorNextOfItem(state->collector, &row))
		{
			RecsysEntry entry = {0};

			entry.peer = row.user_hash;
			entry.orphan = row.no_user;
			entry.weight = 1.0;
			entry.time = RECSYS_NO_TIME;
			position_to_tid(row.position, &entry.tid);
			RecsysSideWriterEntry(writer, &entry);
			RecsysBuildDone(++done);
		}
		RecsysSideWriterEnd(writer, 0);
		RECSYS_FAULT("build-item");
	}
	RecsysSideWriterFinish(writer);
}

static void
write_graph_row(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	BuildState *state = arg;
	RecsysKey	key;
	RecsysRowTotals totals;

	RecsysCollectorItemKey(state->collector, item, &key);
	RecsysIndexModelTotals(state->model, state->meta.learned, item, &totals);
	RecsysRhythmAddAll(&state->meta.rhythm, &totals.rhythm);
	RecsysGraphWriterAdd(&state->graph, &state->meta, &key, &totals, neighbors, count);
	RECSYS_FAULT("build-graph-row");
	RecsysBuildDone((uint64) item + 1);
}

/* The meta page tells of the model, chosen or not. */
static void
set_model(BuildState *state)
{
	RecsysMetaData *meta = &state->meta;

	meta->similarity = state->options.similarity;
	meta->neighbors = state->options.neighbors;
	meta->min_support = state->options.min_support;
	meta->max_history = state->options.max_history;
	meta->shrinkage = state->options.shrinkage;
	meta->alpha = state->options.alpha;
	meta->learned = !RecsysModelIsCounted(&state->options);
	meta->options_size = sizeof(meta->options);
	meta->options = state->options;
}

static void
init_meta(BuildState *state)
{
	RecsysMetaData *meta = &state->meta;

	RecsysMetaInit(meta);
	meta->user_kind = state->columns.user_kind;
	meta->item_kind = state->columns.item_kind;
	meta->weighted = state->columns.weight_column > 0;
	meta->timed = state->columns.time_column > 0;
	meta->asked = state->asked;
	set_model(state);
}

static void
init_state(BuildState *state, Relation index, ForkNumber fork)
{
	memset(state, 0, sizeof(*state));
	state->index = index;
	state->fork = fork;
	state->named = RecsysRootOfWhole(index);
	if (!OidIsValid(state->named))
		state->named = RelationGetRelid(index);
	RecsysGetColumns(index, &state->columns);
	RecsysGetAskedOptions(index, &state->asked);
	RecsysGetModelOptions(index, &state->options);
	state->fillfactor = RecsysGetFillfactor(index);
	if (state->columns.time_column == 0)
		RecsysCheckHalfLives(index);
	init_meta(state);
}

static void
write_meta(BuildState *state)
{
	PGAlignedBlock image;

	RecsysPageInit((Page) image.data, RECSYS_PAGE_META, RECSYS_USERS);
	memcpy(RecsysPageGetMeta((Page) image.data), &state->meta, sizeof(state->meta));
	RecsysOverwritePage(state->index, state->fork, RECSYS_META_BLOCK, (Page) image.data);
}

static bool
is_whole(const BuildState *state)
{
	return state->named != RelationGetRelid(state->index);
}

static void
collect_rows(BuildState *state, Relation heap, struct IndexInfo *info, IndexBuildResult *result)
{
	RecsysCollectorOptions options;

	options.user_kind = state->columns.user_kind;
	options.item_kind = state->columns.item_kind;
	options.weighted = state->meta.weighted;
	options.timed = state->meta.timed;
	options.time_type = state->columns.time_type;
	options.postings = true;
	options.seed = state->meta.seed;
	options.memory_limit = (Size) maintenance_work_mem * 1024;
	state->collector = RecsysCollectorCreate(&options);

	RecsysBuildPhaseStart(&state->phase, RECSYS_PHASE_SCAN, 0);
	result->heap_tuples = is_whole(state) ?
		RecsysScanLeaves(&state->leaves, info, &state->columns, add_row, state) :
		RecsysBuildScan(heap, state->index, info, &state->columns, state->nworkers, add_row, state);
	result->index_tuples = state->indexed;
	RecsysCollectorFinish(state->collector);
	state->meta.future = RecsysCollectorFuture(state->collector);
	if (state->meta.future > 0)
		RecsysWarnOfFuture(state->named, state->columns.time_column, state->meta.future);
}

/* What similarity = auto has become */
static void
take_choice(BuildState *state, const RecsysChoice *choice)
{
	RecsysMetaData *meta = &state->meta;

	state->options = choice->best.options;
	set_model(state);
	meta->half_life = choice->best.half_life;
	if (!choice->measured)
		return;
	meta->choice_users = choice->users;
	meta->choice_models = choice->tried;
	meta->choice_ndcg = choice->best.ndcg;
	meta->choice_popular = choice->popular;
	meta->choice_p = choice->p_popular;
	meta->second_ndcg = choice->second.ndcg;
	meta->second_half_life = choice->second.half_life;
	meta->second = choice->second.options;
}

static void
write_graph(BuildState *state, RecsysModel *model)
{
	uint32		nitems = RecsysCollectorItems(state->collector);
	const RecsysModelStatistics *statistics;
	RecsysModelOptions options;

	state->model = model;
	state->totals = RecsysModelFinish(model);
	if (RecsysModelGetChoice(model) != NULL)
		take_choice(state, RecsysModelGetChoice(model));
	RecsysGraphWriterInit(&state->graph, state->index, state->fork, nitems);
	options = state->options;
	if (RecsysModelKeepsBest(&options))
		options.neighbors = RECSYS_ROW_CAPACITY(state->options.neighbors);
	RecsysModelRun(model, &options, write_graph_row, state);
	RecsysGraphWriterFinish(&state->graph, &state->meta);
	RecsysWriteFactors(state->index, state->fork, RecsysModelFactors(model), &state->meta);
	state->meta.popular = RecsysWritePopular(state->index, state->fork,
											 state->totals->users, nitems);
	RecsysWritePrior(state->index, state->fork, model, RecsysIndexNow(state->index), &state->meta);

	statistics = RecsysModelGetStatistics(model);
	state->meta.users = statistics->users;
	state->meta.score_users = statistics->users;
	state->meta.items = statistics->items;
	state->meta.score_items = statistics->items;
	state->meta.interactions = statistics->interactions;
	state->meta.capped_users = statistics->capped_users;
	state->meta.capped_interactions = statistics->capped_interactions;
}

/* similarity = auto */
static void
ask_choice(BuildState *state, RecsysModel *model)
{
	RecsysChoosingOptions options = {.asked = &state->asked};

	options.half_life = RecsysHalfLifeIsSet(state->index) ? RecsysGetHalfLife(state->index) : -1;
	options.span = RecsysCollectorSpan(state->collector);
	options.now = RecsysIndexNow(state->index);
	RecsysModelChoose(model, &options, state->meta.timed);
}

/* How many workers training may use. */
static int
find_workers(BuildState *state, Relation heap)
{
	if (!is_whole(state))
		return RecsysBuildWorkers(heap, state->index);
	RecsysLeafScanBegin(&state->leaves, state->index, state->named);
	return RecsysLeafScanWorkers(&state->leaves);
}

IndexBuildResult *
RecsysBuildIndex(Relation heap, Relation index, struct IndexInfo *info)
{
	IndexBuildResult *result = palloc0(sizeof(IndexBuildResult));
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys build",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	BuildState	state;
	RecsysModel *model;
	Size		limit = (Size) maintenance_work_mem * 1024;
	Size		kept;

	if (RelationGetNumberOfBlocks(index) != 0)
		elog(ERROR, "index \"%s\" already contains data", RecsysIndexName(index));

	init_state(&state, index, MAIN_FORKNUM);
	state.nworkers = find_workers(&state, heap);
	RecsysReserveFixedPages(index, MAIN_FORKNUM);
	collect_rows(&state, heap, info, result);
	RECSYS_FAULT("build-scanned");

	kept = RecsysCollectorMemory(state.collector) +
		RecsysGraphWriterMemory(RecsysCollectorItems(state.collector));
	model = RecsysIndexModelCreate(&state.meta, &state.options, RecsysCollectorLatest(state.collector),
								   RecsysCollectorItems(state.collector),
								   limit > kept ? limit - kept : 0,
								   RecsysCollectorSpilled(state.collector), state.nworkers);
	if (state.asked.similarity == RECSYS_AUTO)
		ask_choice(&state, model);
	else
		RecsysModelKeepRecent(model, RecsysRecentHalfLife(&state.options), RecsysIndexNow(index));
	RecsysBuildPhaseStart(&state.phase, RECSYS_PHASE_USERS, (int64) RecsysCollectorRows(state.collector));
	write_users(&state, model);
	RecsysBuildPhaseStart(&state.phase, RECSYS_PHASE_ITEMS, (int64) RecsysCollectorRows(state.collector));
	write_items(&state);
	RecsysCollectorRelease(state.collector);
	RecsysBuildPhaseStart(&state.phase, RECSYS_PHASE_GRAPH, RecsysCollectorItems(state.collector));
	write_graph(&state, model);
	RecsysPendingCreate(index, MAIN_FORKNUM, &state.meta);
	if (state.leaves.nchunks > 0)
		RecsysWriteChunks(index, MAIN_FORKNUM, state.leaves.chunks, state.leaves.nchunks, &state.meta);
	write_meta(&state);
	RECSYS_FAULT("build-written");

	if (RelationNeedsWAL(index))
	{
		RecsysBuildPhaseStart(&state.phase, RECSYS_PHASE_LOG, 0);
		log_newpage_range(index, MAIN_FORKNUM, 0, RelationGetNumberOfBlocks(index), true);
	}
	RecsysBuildPhaseEnd(&state.phase);
	RECSYS_FAULT("build-logged");

	RecsysModelFree(model);
	RecsysCollectorFree(state.collector);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return result;
}

/* An index without any row; passes_to and tids_of as in the meta page */
static void
build_empty(Relation index, ForkNumber fork, bool part, Oid passes_to, Oid tids_of)
{
	BuildState	state;

	init_state(&state, index, fork);
	state.meta.part = part;
	state.meta.passes_to = passes_to;
	state.meta.tids_of = tids_of;
	RecsysReserveFixedPages(index, fork);
	for (int side = RECSYS_USERS; side <= RECSYS_ITEMS; side++)
		RecsysSideWriterFinish(RecsysSideWriterCreate(index, fork, side,
													  &state.meta, state.fillfactor));
	RecsysGraphWriterInit(&state.graph, index, fork, 0);
	RecsysGraphWriterFinish(&state.graph, &state.meta);
	state.meta.popular = RecsysWritePopular(index, fork, NULL, 0);
	RecsysWritePrior(index, fork, NULL, RecsysIndexNow(index), &state.meta);
	RecsysPendingCreate(index, fork, &state.meta);
	write_meta(&state);
	if (fork == INIT_FORKNUM || RelationNeedsWAL(index))
		log_newpage_range(index, fork, 0, RelationGetNumberOfBlocksInFork(index, fork), true);
}

/* In the init fork, which a crash restores an unlogged index from. */
void
recsys_buildempty(Relation index)
{
	build_empty(index, INIT_FORKNUM, RecsysIsPart(index), InvalidOid, InvalidOid);
}

static void
build_part(Relation index, Oid root, Oid tids_of)
{
	if (RelationGetNumberOfBlocks(index) != 0)
		elog(ERROR, "index \"%s\" already contains data", RecsysIndexName(index));
	build_empty(index, MAIN_FORKNUM, true, root, tids_of);
}

void
RecsysBuildPart(Relation index)
{
	build_part(index, RecsysRootOf(RelationGetRelid(index)), RecsysFileOf(index->rd_index->indrelid));
}

void
RecsysBuildTwin(Relation index, Oid part)
{
	Relation	twin = index_open(part, AccessShareLock);
	Oid			tids_of = RecsysGetCache(twin)->meta.tids_of;

	index_close(twin, NoLock);
	build_part(index, RecsysRootOf(part), tids_of);
}
