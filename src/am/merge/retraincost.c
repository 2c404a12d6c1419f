/*
 * retraincost.c
 *	  When a merge trains anew: what that costs, and what it would cost to do without.
 *
 * Both are told in pair updates of recomputing, RecsysRecountCost's unit.  What training takes
 * is known from the meta page.  What an exact merge would take is added up as its batches
 * would do it: of each batch of events, the items that they name; and those on the queue.  Where an
 * event touches all items of its user, an item with n of N users is touched by u of them with
 * a probability of 1 - exp(-u n / N).
 *
 * A bounded merge leaves most of it to others by way of the queue, which on a busy shop is never
 * empty for long.  It trains anew where the items that are not exact, each counted once, cost much
 * more than that; where it is no more than some of its budgets; and not often, so that such
 * merges take a small part of the time.
 *
 * The events are read for that, and one row of the graph for each item, which is little beside
 * merging them.
 */
#include "postgres.h"

#include <math.h>

#include "am/lists/pending.h"
#include "am/merge/recount.h"
#include "am/merge/retraincost.h"
#include "core/pairs/modeloptions.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"

/*
 * What training costs, in pair updates of recomputing: to begin with, for each interaction that is
 * read and folded, for each row that is written, and for each pair that is counted.  Measured with
 * ten million interactions, where a pair update took 60 ns, reading an interaction 150.
 */
#define COST_FIXED		1e6
#define COST_READ		3.0
#define COST_WRITE		600.0
#define COST_PAIR		0.05

/* A merge trains anew where it would do that many times as much otherwise. */
#define EXACT_MARGIN	1.5
#define BOUNDED_MARGIN	4.0

/* A bounded merge spends so many of its budgets on it, and one in so many parts of the time. */
#define MOST_BUDGETS	10.0
#define TIME_PARTS		50

typedef enum RetrainSetting
{
	RETRAIN_OFF,
	RETRAIN_AUTO,
	RETRAIN_ON					/* exact merges always do */
} RetrainSetting;

static const struct config_enum_entry retrain_settings[] = {
	{"off", RETRAIN_OFF, false},
	{"auto", RETRAIN_AUTO, false},
	{"on", RETRAIN_ON, false},
	{NULL, 0, false}
};

static int	retrain = RETRAIN_AUTO;

/* What is known of the items */
typedef struct Estimate
{
	RecsysMergeState *merge;
	RecsysMetaData meta;
	float	   *costs;			/* of recomputing each; negative: not looked up yet */
	uint32	   *batches;		/* the last one that has touched it */
	uint32		batch;
	bool		once;			/* whatever touches it again is no more work */
	double		enough;			/* no need to add up more than this */
	double		sum;
} Estimate;

static double
cost_of(Estimate *estimate, uint32 item)
{
	if (estimate->costs[item] < 0)
		estimate->costs[item] = (float) RecsysRecountCost(estimate->merge->recount, item);
	return estimate->costs[item];
}

/* The items that the batch's events name */
static void
add_named(Estimate *estimate)
{
	const RecsysMergeState *merge = estimate->merge;

	for (uint64 i = 0; i < merge->nevents && estimate->sum < estimate->enough; i++)
	{
		uint32		item = merge->events[i].item;

		if (item >= merge->nitems || estimate->batches[item] == estimate->batch)
			continue;
		estimate->batches[item] = estimate->batch;
		estimate->sum += cost_of(estimate, item);
	}
}

static int
compare_hashes(const void *a, const void *b)
{
	uint32		x = ((const RecsysEvent *) a)->user_hash;
	uint32		y = ((const RecsysEvent *) b)->user_hash;

	return (x > y) - (x < y);
}

/* All items of the users that the batch's events name */
static void
add_those_of_users(Estimate *estimate)
{
	RecsysMergeState *merge = estimate->merge;
	double		each = (double) estimate->meta.interactions / Max(estimate->meta.users, 1) + 1;
	double		users = 0;

	qsort(merge->events, merge->nevents, sizeof(RecsysEvent), compare_hashes);
	for (uint64 i = 0; i < merge->nevents; i++)
		if (i == 0 || merge->events[i].user_hash != merge->events[i - 1].user_hash)
			users++;
	for (uint32 item = 0; item < merge->nitems && estimate->sum < estimate->enough; item++)
	{
		double		cost = cost_of(estimate, item);

		CHECK_FOR_INTERRUPTS();
		estimate->sum += cost * -expm1(-users * (cost / each) / Max(estimate->meta.users, 1));
	}
}

static void
add_events(Estimate *estimate)
{
	RecsysMergeState *merge = estimate->merge;
	MemoryContext context = AllocSetContextCreate(merge->context, "recsys events",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	bool		more = true;

	merge->list = -1;
	merge->block = InvalidBlockNumber;
	while (more && estimate->sum < estimate->enough)
	{
		MemoryContextReset(context);
		merge->nevents = 0;
		merge->nvisited = 0;
		more = RecsysMergeReadBatch(merge);
		if (!estimate->once)
			estimate->batch++;
		if (more && RecsysRecountWeighs(merge->recount))
			add_those_of_users(estimate);
		else if (more)
			add_named(estimate);
		more &= merge->list < RECSYS_PENDING_LISTS;
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

static void
add_queue(Estimate *estimate)
{
	RecsysMergeState *merge = estimate->merge;
	RecsysPendingPage *page = palloc(sizeof(RecsysPendingPage));
	BlockNumber block;

	if (!estimate->once)
		estimate->batch++;
	RecsysPendingEnds(merge->index, RECSYS_QUEUE, &block, NULL);
	while (BlockNumberIsValid(block) && estimate->sum < estimate->enough)
	{
		CHECK_FOR_INTERRUPTS();
		RecsysPendingRead(merge->index, RECSYS_QUEUE, block, page);
		for (int i = 0; i < page->count; i++)
		{
			uint32		item = page->events[i].item;

			if (item >= merge->nitems || estimate->batches[item] == estimate->batch)
				continue;
			estimate->batches[item] = estimate->batch;
			estimate->sum += cost_of(estimate, item);
		}
		block = page->next;
	}
	pfree(page);
}

/* Does what the merge would do cost that much? */
static bool
costs_as_much(RecsysMergeState *merge, double enough)
{
	Estimate	estimate = {.merge = merge,.enough = enough,.batch = 1};

	RecsysMergeStartBatch(merge);
	estimate.meta = RecsysGetCache(merge->index)->meta;
	estimate.once = merge->mode != RECSYS_MERGE_EXACT;
	estimate.costs = MemoryContextAllocHuge(merge->context, sizeof(float) * (Size) Max(merge->nitems, 1));
	estimate.batches = MemoryContextAllocExtended(merge->context, sizeof(uint32) * (Size) Max(merge->nitems, 1),
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 item = 0; item < merge->nitems; item++)
		estimate.costs[item] = -1;
	add_events(&estimate);
	add_queue(&estimate);
	RecsysMergeEndBatch(merge);
	ereport(DEBUG1,
			(errmsg_internal("recsys: recomputing costs %.0f thousand pair updates, or more than %.0f",
							 estimate.sum / 1000, enough / 1000)));
	return estimate.sum >= enough;
}

/* Of recomputing every item once */
static double
all_cost(const RecsysMetaData *meta)
{
	double		length = (double) meta->interactions / Max(meta->users, 1) + 1;

	return RecsysModelHasPairs(&meta->options) ? meta->interactions * length : meta->interactions;
}

static double
training_cost(const RecsysMetaData *meta)
{
	double		pairs = RecsysModelHasPairs(&meta->options) ? all_cost(meta) : 0;

	return COST_FIXED + COST_READ * meta->interactions + COST_WRITE * meta->nitems + COST_PAIR * pairs;
}

/* Is it too much for a bounded merge, or too soon? */
static bool
is_beyond_bounds(const RecsysMergeState *merge, const RecsysMetaData *meta, double cost)
{
	if (merge->mode == RECSYS_MERGE_EXACT)
		return false;
	return cost > RecsysMergeBudget() * MOST_BUDGETS ||
		(meta->retrained_at > 0 &&
		 merge->start < meta->retrained_at + TIME_PARTS * meta->retrain_duration);
}

bool
RecsysMergeShouldRetrain(RecsysMergeState *merge)
{
	bool		exact = merge->mode == RECSYS_MERGE_EXACT;
	RecsysMetaData meta;
	double		enough;
	double		batches = 1;
	uint64		pending;

	if (retrain == RETRAIN_OFF || merge->mode == RECSYS_MERGE_SLICE)
		return false;
	meta = RecsysRefreshCache(merge->index)->meta;
	if (meta.learned)
		return false;
	if (retrain == RETRAIN_ON && exact)
		return true;
	if (is_beyond_bounds(merge, &meta, training_cost(&meta)))
		return false;

	/* on most indexes not even everything costs as much */
	enough = training_cost(&meta) * (exact ? EXACT_MARGIN : BOUNDED_MARGIN);
	pending = RecsysPendingCount(merge->index);
	if (pending + meta.queued == 0)
		return false;
	if (exact)
		batches = pending / ((double) RECSYS_BATCH_PAGES * RECSYS_PAGE_EVENTS) + 2 + RECSYS_PENDING_LISTS;
	if (all_cost(&meta) * batches < enough)
		return false;
	return costs_as_much(merge, enough);
}

void
RecsysInitRetrain(void)
{
	DefineCustomEnumVariable("recsys.retrain",
							 "Whether merges train the model anew.",
							 "auto: where that is less work than to recompute items one by one; on: exact merges always do.",
							 &retrain, RETRAIN_AUTO, retrain_settings, PGC_USERSET, 0,
							 NULL, NULL, NULL);
}
