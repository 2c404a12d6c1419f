/*
 * merge.c
 *	  Carrying pending events into the item graph.
 *
 * A merge takes events in batches.  For each batch:
 *
 * 1. A snapshot is taken.  Those events are read whose transactions have finished
 *	  according to it; our own transaction never has (mergesnapshot.c).
 * 2. The users that the events name are looked up (mergechanges.c): which of their
 *	  items count now?  Touched are the items of the events, and the items that a user
 *	  with more than max_history items has gained or lost through them.  Where what a
 *	  user weighs depends on all that the user has (rp3beta, user_damping), the user's
 *	  other items are touched too: they are reweighted.
 * 3. Touched items are recomputed exactly, the cheapest first, those that are only
 *	  reweighted behind all others, until the budget is spent.  The rest is adjusted
 *	  and queued (recount.c).
 * 4. The users' flags are updated, and the events are removed.
 *
 * After the events comes the queue (mergequeue.c).  Where all of this would be more work
 * than training the model anew, the merge does that instead (retraincost.c, retrain.c).
 *
 * A merge may be cut short after any step; then the next one meets the same events
 * again.  Exact recomputation looks at what is there, not at what has changed, so the
 * result is the same.  An adjustment may be made twice, but its item is on the queue.
 *
 * Once everything is merged the graph is that of a fresh build.  The counts of a pair
 * change only when one of its items comes or goes in somebody's history.  Each such
 * change has an event.  The event makes a later merge recompute the item, under a
 * snapshot that sees the change, and with the item the pair, in both rows.  What the
 * users of a pair weigh changes with their histories only, and then both of its items
 * are recomputed.
 *
 * Only one process merges at a time, which holds a heavyweight lock on the meta page.
 * It never blocks others for longer than it has a page locked.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "am/graph/itemorder.h"
#include "am/graph/popular_page.h"
#include "am/lists/pending.h"
#include "am/merge/merge.h"
#include "am/merge/mergesnapshot.h"
#include "am/merge/mergestate.h"
#include "am/merge/partsdoubt.h"
#include "am/merge/recount.h"
#include "am/merge/retrain.h"
#include "am/merge/retraincost.h"
#include "am/merge/unsaid.h"
#include "am/store/enlarge.h"
#include "am/store/progress.h"
#include "compat.h"
#include "core/pairs/modeloptions.h"
#include "fault.h"
#include "miscadmin.h"
#include "postmaster/autovacuum.h"
#include "storage/lmgr.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/*
 * Pair updates that a bounded merge may spend on exact recomputation, in
 * thousands (setting recsys.merge_budget).  A part of them, in percent, is for
 * the queue; a slice has a thousandth of them.
 */
static int	merge_budget = 20000;

#define SLICE_PERMILLE	1

static RecsysBeforeMergeHook lock_before = NULL;
static RecsysBeforeMergeHook work_before = NULL;

void
RecsysSetBeforeMerge(RecsysBeforeMergeHook lock, RecsysBeforeMergeHook work)
{
	lock_before = lock;
	work_before = work;
}

void
RecsysMergeStartBatch(RecsysMergeState *merge)
{
	MemoryContextReset(merge->context);

	merge->snapshot = RecsysMergeSnapshot(merge->index);
	merge->recount = RecsysRecountCreate(merge->heap, merge->index, merge->snapshot, merge->memory);
	merge->nitems = RecsysRecountItems(merge->recount);
	merge->maxpages = merge->mode == RECSYS_MERGE_SLICE ? RECSYS_SLICE_PAGES :
		Min(RECSYS_BATCH_PAGES, Max(1, merge->memory / 8 / sizeof(RecsysPendingPage)));
	merge->maxevents = RECSYS_SLICE_EVENTS;
	merge->visited = NULL;
	merge->nvisited = 0;
	merge->nevents = 0;
	merge->ntouched = 0;
	merge->rows = NULL;
	merge->nrows = merge->maxrows = 0;
	merge->removed = false;
	memset(&merge->users, 0, sizeof(merge->users));
	merge->maxitems = 0;
	merge->changed = NULL;
	merge->nchanged = merge->maxchanged = 0;
}

void
RecsysMergeEndBatch(RecsysMergeState *merge)
{
	RecsysRecountFree(merge->recount);
	UnregisterSnapshot(merge->snapshot);
}

static void
merge_events(RecsysMergeState *merge)
{
	bool		more = true;

	merge->list = -1;
	merge->block = InvalidBlockNumber;
	merge->previous = InvalidBlockNumber;
	while (more)
	{
		/* the page before the batch's first, if that goes on in a list */
		BlockNumber previous = BlockNumberIsValid(merge->block) ? merge->previous : InvalidBlockNumber;

		RecsysMergeStartBatch(merge);
		more = RecsysMergeReadBatch(merge);
		if (more)
		{
			RECSYS_FAULT("merge-read");
			RecsysMergeVisitUsers(merge);
			RecsysMergeTouched(merge);
			RECSYS_FAULT("merge-recounted");
			RecsysMergeUpdateUsers(merge);
			RECSYS_FAULT("merge-users");
			RecsysMergePriorChanged(merge, merge->touched, merge->ntouched);
			RECSYS_FAULT("merge-prior");
			merge->previous = RecsysMergeRemoveEvents(merge, previous);
			RECSYS_FAULT("merge-removed");
			if (merge->ntouched > 0)
				RecsysUpdatePopular(merge->index, merge->touched, merge->ntouched);
			merge->result->merged += merge->nevents;
			RecsysMergeProgressChanges(merge->result->merged);
		}
		RecsysMergeEndBatch(merge);
		if (merge->mode == RECSYS_MERGE_SLICE || merge->list == RECSYS_PENDING_LISTS)
			more = false;
	}
}

/* Do scores of the measure depend on N? */
static bool
depends_on_users(int similarity)
{
	return similarity == RECSYS_LIFT || similarity == RECSYS_PMI ||
		similarity == RECSYS_LOG_LIKELIHOOD;
}

/* Do the weights of users depend on I? */
static bool
depends_on_items(const RecsysMetaData *meta)
{
	RecsysModelOptions options;

	RecsysGraphOptions(meta, &options);
	return !meta->learned && RecsysModelUsesWeights(&options) &&
		options.weighting == RECSYS_WEIGHTING_TFIDF;
}

static RecsysMetaData
read_meta(Relation index)
{
	Buffer		buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_SHARE,
										RECSYS_PAGE_META);
	RecsysMetaData meta = *RecsysPageGetMeta(BufferGetPage(buffer));

	UnlockReleaseBuffer(buffer);
	return meta;
}

static uint64
inexact_items(Relation index)
{
	RecsysMetaData meta = read_meta(index);

	return RecsysInexactItems(&meta);
}

/*
 * Every row anew, with the numbers of users and items that meta has.  Norms of both items
 * are in the score of cosine, and in the first round those of later ones are still what
 * they were: the second time over all of them are right.
 */
static void
recount_all(RecsysMergeState *merge, const RecsysMetaData *meta)
{
	int			times = depends_on_items(meta) && meta->similarity == RECSYS_COSINE ? 2 : 1;
	uint32	   *all;
	uint32		nitems;

	RecsysMergeProgressPhase(RECSYS_PHASE_RESCORE);
	RecsysMergeStartBatch(merge);
	RecsysRecountRescore(merge->recount, meta->users, meta->items);
	nitems = RecsysRecountItems(merge->recount);
	all = MemoryContextAllocHuge(merge->context, sizeof(uint32) * (Size) Max(nitems, 1));
	for (uint32 item = 0; item < nitems; item++)
		all[item] = item;
	for (int i = 0; i < times; i++)
		RecsysRecountExactly(merge->recount, all, nitems, NULL, 0, false, true);
	merge->result->recomputed += nitems;
	RecsysMergeEndBatch(merge);
}

/* Begins, without numbers, to write scores that are computed with others, or has written them all. */
static void
note_numbers(Relation index, const RecsysMetaData *numbers)
{
	Buffer		buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
										RECSYS_PAGE_META);
	GenericXLogState *state = GenericXLogStart(index);
	RecsysMetaData *meta = RecsysPageGetMeta(GenericXLogRegisterBuffer(state, buffer, 0));

	meta->rescoring = numbers == NULL;
	if (numbers != NULL)
	{
		meta->score_users = numbers->users;
		meta->score_items = numbers->items;
	}
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
}

/* Scores that depend on numbers of users or items that have changed are computed anew. */
static void
merge_numbers(RecsysMergeState *merge)
{
	RecsysMetaData meta = read_meta(merge->index);
	bool		by_users = depends_on_users(meta.similarity) &&
		(meta.users != meta.score_users || meta.rescoring);
	bool		by_items = depends_on_items(&meta) &&
		(meta.items != meta.score_items || meta.rescoring);

	if (meta.users == meta.score_users && meta.items == meta.score_items && !meta.rescoring)
		return;
	if (by_users || by_items)
	{
		note_numbers(merge->index, NULL);
		recount_all(merge, &meta);
	}
	note_numbers(merge->index, &meta);
}

void
RecsysRecordMerge(RecsysMergeState *merge)
{
	Buffer		buffer = RecsysReadPage(merge->index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
										RECSYS_PAGE_META);
	GenericXLogState *state = GenericXLogStart(merge->index);
	RecsysMetaData *meta = RecsysPageGetMeta(GenericXLogRegisterBuffer(state, buffer, 0));

	meta->merged_at = merge->start;
	meta->merge_duration = GetCurrentTimestamp() - merge->start;
	meta->merge_entries = merge->result->merged;
	meta->merge_items = merge->result->recomputed;
	if (!depends_on_users(meta->similarity))
		meta->score_users = meta->users;
	if (!depends_on_items(meta))
		meta->score_items = meta->items;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
}

void
RecsysInitMerge(void)
{
	DefineCustomIntVariable("recsys.merge_budget",
							"Work that one merge may spend on exact recomputation, in thousands of pair updates.",
							"Items for which it does not suffice are adjusted and queued.",
							&merge_budget, 20000, 0, PG_INT32_MAX, PGC_USERSET, 0,
							NULL, NULL, NULL);
}

static void
init_merge(RecsysMergeState *merge, Relation heap, Relation index, RecsysMergeMode mode,
		   RecsysMergeResult *result, MemoryContext context)
{
	memset(merge, 0, sizeof(*merge));
	memset(result, 0, sizeof(*result));
	merge->heap = heap;
	merge->index = index;
	merge->mode = mode;
	merge->start = GetCurrentTimestamp();
	merge->now = RecsysIndexNow(index);
	merge->result = result;
	merge->context = context;
	merge->budget = merge_budget * 1e3 * (mode == RECSYS_MERGE_SLICE ? SLICE_PERMILLE / 1000.0 : 1.0);
	merge->memory = (Size) (AmAutoVacuumWorkerProcess() && autovacuum_work_mem >= 0 ?
							autovacuum_work_mem : maintenance_work_mem) * 1024;
}

double
RecsysMergeBudget(void)
{
	return merge_budget * 1e3;
}

void
RecsysMergeBudgetQueue(RecsysMergeState *merge)
{
	merge->budget = Max(merge->budget, merge_budget * 1e3 * RECSYS_QUEUE_PERCENT / 100);
}

void
RecsysMergeBegin(RecsysMergeState *merge)
{
	/* a slice is over before anybody could look at it */
	if (merge->mode != RECSYS_MERGE_SLICE)
		RecsysMergeProgressStart(merge->heap, merge->index, RecsysPendingCount(merge->index));
	RecsysMergeProgressPhase(RECSYS_PHASE_CHANGES);
	if (merge->mode != RECSYS_MERGE_SLICE && RecsysHasUnsaid(merge->index))
		RecsysSayUnsaid(merge->index);
}

/* Events, then the queue. */
static void
merge_step_by_step(RecsysMergeState *merge)
{
	merge->queue_follows = merge->mode == RECSYS_MERGE_EXACT;
	merge_events(merge);
	if (merge->mode != RECSYS_MERGE_SLICE)
	{
		RecsysMergeBudgetQueue(merge);
		RecsysMergeQueue(merge);
	}
	if (merge->mode == RECSYS_MERGE_EXACT)
	{
		merge_numbers(merge);
		RecsysMergePriorExactly(merge);
	}
}

static void
run_merge(RecsysMergeState *merge)
{
	RecsysMergeBegin(merge);
	RecsysMergePriorLeft(merge);
	if (RecsysMergeShouldRetrain(merge))
		RecsysMergeRetrain(merge);
	else
		merge_step_by_step(merge);
	if (merge->result->merged > 0 || merge->result->recomputed > 0)
		RecsysRecordMerge(merge);
}

/* Visitor: an event for every entry of the user with the key that arg has. */
static void
collect_events(void *arg, RecsysUserView *user)
{
	RecsysMergeState *merge = arg;

	merge->events = RecsysEnlarge(merge->context, merge->events,
								  sizeof(RecsysEvent) * (merge->nevents + user->nentries + 1));
	for (uint32 i = 0; i < user->nentries; i++)
	{
		if (!user->entries[i].orphan)
			RecsysRemovedEvent(&merge->events[merge->nevents++], user->hash, &user->entries[i]);
	}
}

static void
run_merge_of_user(RecsysMergeState *merge, uint32 user_hash)
{
	RecsysMergeProgressStart(merge->heap, merge->index, 0);
	RecsysMergeProgressPhase(RECSYS_PHASE_CHANGES);
	RecsysMergePriorLeft(merge);
	RecsysMergeStartBatch(merge);
	merge->events = NULL;
	RecsysUserReaderRead(RecsysRecountReader(merge->recount), user_hash, collect_events, merge);
	if (merge->nevents > 0)
	{
		RecsysMergeVisitUsers(merge);
		RecsysMergeTouched(merge);
		RecsysMergeUpdateUsers(merge);
		RecsysMergePriorChanged(merge, merge->touched, merge->ntouched);
		RecsysUpdatePopular(merge->index, merge->touched, merge->ntouched);
		RecsysRecordMerge(merge);
	}
	RecsysMergeEndBatch(merge);
}

/*
 * A merge of what is pending or, where there is a user_hash, of all that this user has.
 * The lock on the meta page is held, and is released here.
 */
static void
merge_locked(Relation heap, Relation index, RecsysMergeMode mode, RecsysMergeRun run,
			 const uint32 *user_hash, RecsysMergeResult *result)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys merge",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysMergeState merge;

	init_merge(&merge, heap, index, mode, result, context);
	PG_TRY();
	{
		if (user_hash != NULL)
			run_merge_of_user(&merge, *user_hash);
		else
			run(&merge);
		merge.result->inexact = inexact_items(index);
	}
	PG_FINALLY();
	{
		RecsysMergeProgressEnd();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	UnlockPage(index, RECSYS_META_BLOCK, ExclusiveLock);
}

bool
RecsysMergeBy(Relation heap, Relation index, RecsysMergeMode mode, RecsysMergeRun run,
			  RecsysMergeResult *result)
{
	if (lock_before != NULL && mode != RECSYS_MERGE_SLICE)
		lock_before(index, mode);
	if (!ConditionalLockPage(index, RECSYS_META_BLOCK, ExclusiveLock))
		return false;

	/* nobody else has written to it, and what this transaction has is not over yet */
	if (RecsysIndexIsNew(index) || RecsysPartsAreInDoubt(index))
	{
		memset(result, 0, sizeof(*result));
		result->inexact = inexact_items(index);
		UnlockPage(index, RECSYS_META_BLOCK, ExclusiveLock);
		return true;
	}

	if (work_before != NULL && mode != RECSYS_MERGE_SLICE)
		work_before(index, mode);
	merge_locked(heap, index, mode, run, NULL, result);
	return true;
}

bool
RecsysMerge(Relation heap, Relation index, RecsysMergeMode mode, RecsysMergeResult *result)
{
	return RecsysMergeBy(heap, index, mode, run_merge, result);
}

void
RecsysLastMerge(Relation index, TimestampTz *merged_at, int64 *duration)
{
	RecsysMetaData meta = read_meta(index);

	*merged_at = meta.merged_at;
	*duration = meta.merge_duration;
}

void
RecsysMergeUser(Relation heap, Relation index, uint32 user_hash, RecsysMergeResult *result)
{
	LockPage(index, RECSYS_META_BLOCK, ExclusiveLock);
	merge_locked(heap, index, RECSYS_MERGE_EXACT, NULL, &user_hash, result);
}
