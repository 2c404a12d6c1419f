/*
 * recount.c
 *	  Graph rows that are computed anew or adjusted: the round that both share.
 *
 * The items of a round share the reading of their users (recountexact.c), or are
 * adjusted by what some users have added (recountadjust.c).  Either way the users
 * that have an item, its members, are gathered for all items of the round; then
 * item after item the members' histories are counted.
 *
 * The counts c_xy of an item x give x's own row and, for every y, the entry for x in
 * the row of y.  That entry is written only if x is stored in y's row already or
 * ranks above its floor.  To find that out, each row is read once a round, when it is
 * first needed; the pairs with items of the round that it stores are noted then.
 */
#include "postgres.h"

#include <math.h>

#include "am/graph/itemorder.h"
#include "am/graph/prior_page.h"
#include "am/merge/mergesnapshot.h"
#include "am/merge/recountround.h"
#include "am/store/enlarge.h"
#include "core/pairs/modeloptions.h"
#include "core/base/product.h"
#include "core/pairs/weighting.h"
#include "miscadmin.h"
#include "utils/memutils.h"

static void *
zeroed(RecsysRecount *recount, Size size)
{
	return MemoryContextAllocExtended(recount->context, Max(size, 1),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

RecsysRecount *
RecsysRecountCreate(Relation heap, Relation index, Snapshot snapshot, Size memory)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys recount",
												  ALLOCSET_DEFAULT_SIZES);
	RecsysRecount *recount = MemoryContextAllocZero(context, sizeof(RecsysRecount));
	MemoryContext old = MemoryContextSwitchTo(context);
	Size		nitems;

	recount->heap = heap;
	recount->index = index;
	recount->snapshot = snapshot;
	recount->context = context;
	recount->round = AllocSetContextCreate(context, "recsys recount round", ALLOCSET_DEFAULT_SIZES);
	recount->memory = Max(memory, 1024 * 1024);

	/* after the snapshot was taken: no row that it sees has a higher number */
	recount->meta = RecsysRefreshCache(index)->meta;
	recount->nitems = recount->meta.nitems;
	nitems = recount->nitems;

	RecsysGraphOptions(&recount->meta, &recount->options);
	recount->weighted = recount->meta.weighted && RecsysModelHasWeights(&recount->options);
	recount->weighs = !recount->meta.learned && RecsysWeighsAnew(&recount->options);
	recount->uses_dots = recount->weighs ||
		(!recount->meta.learned && recount->weighted && RecsysModelUsesWeights(&recount->options));
	if (recount->weighs && RecsysModelUsesOrder(&recount->options))
		recount->succession = RecsysSuccessionCreate(&recount->options);
	recount->recent_half_life = RecsysRecentHalfLife(&recount->options);
	recount->now = RecsysIndexNow(index);
	recount->symmetric = recount->meta.alpha == 0 &&
		(recount->meta.similarity == RECSYS_COSINE || recount->meta.similarity == RECSYS_JACCARD ||
		 recount->meta.similarity == RECSYS_DICE);
	recount->capacity = RECSYS_ROW_CAPACITY(recount->meta.neighbors);

	recount->reader = RecsysUserReaderCreate(heap, index, snapshot);
	RecsysGraphReaderInit(&recount->graph, index);
	recount->order = RecsysItemOrderForCore(RecsysItemOrderCreate(index, recount->nitems));

	recount->slots = zeroed(recount, sizeof(uint32) * nitems);
	recount->counts = zeroed(recount, sizeof(uint32) * nitems);
	if (recount->uses_dots)
		recount->dots = zeroed(recount, sizeof(double) * nitems);
	if (recount->succession != NULL)
		recount->dots_of_others = zeroed(recount, sizeof(double) * nitems);
	recount->stored_at = zeroed(recount, sizeof(uint32) * nitems);
	recount->touched = zeroed(recount, sizeof(uint32) * nitems);
	recount->loaded = zeroed(recount, sizeof(bool) * nitems);
	recount->users = zeroed(recount, sizeof(uint32) * nitems);
	recount->norm2 = zeroed(recount, sizeof(double) * nitems);
	recount->mass = zeroed(recount, sizeof(double) * nitems);
	recount->floors = zeroed(recount, sizeof(float) * nitems);
	recount->maxfolded = 1024;
	recount->folded = palloc(sizeof(RecsysHistoryItem) * recount->maxfolded);
	if (recount->meta.timed)
		recount->rhythms = RecsysUserRhythmsCreate();
	recount->masses = palloc(sizeof(float) * recount->meta.max_history);
	recount->weights = palloc(sizeof(float) * recount->meta.max_history);
	MemoryContextSwitchTo(old);
	return recount;
}

void
RecsysRecountFree(RecsysRecount *recount)
{
	RecsysItemOrderFree(recount->order.arg);
	RecsysUserReaderFree(recount->reader);
	RecsysGraphReaderDone(&recount->graph);
	MemoryContextDelete(recount->context);
}

void
RecsysRecountRescore(RecsysRecount *recount, uint64 users, uint64 items)
{
	recount->meta.score_users = users;
	recount->meta.score_items = items;
}

bool
RecsysRecountUsesWeights(const RecsysRecount *recount)
{
	return recount->uses_dots;
}

bool
RecsysRecountUsesOrder(const RecsysRecount *recount)
{
	return recount->succession != NULL;
}

bool
RecsysRecountWeighs(const RecsysRecount *recount)
{
	return recount->weighs;
}

void
RecsysRecountWeigh(RecsysRecount *recount, RecsysHistoryItem *history, int count, float *masses)
{
	/* without a weight column it is enough to have an item, however often */
	for (int i = 0; i < count; i++)
	{
		masses[i] = recount->weighted ? RecsysHistoryWeight(history[i].weight) : 1.0f;
		history[i].weight = masses[i];
	}
	if (!recount->weighs)
		return;
	RecsysWeighHistory(&recount->options, (double) recount->meta.score_items, masses, count, masses,
					   recount->weights);
	for (int i = 0; i < count; i++)
		history[i].weight = recount->weights[i];
}

uint32
RecsysRecountItems(const RecsysRecount *recount)
{
	return recount->nitems;
}

const RecsysKeyOrder *
RecsysRecountOrder(const RecsysRecount *recount)
{
	return &recount->order;
}

RecsysUserReader *
RecsysRecountReader(RecsysRecount *recount)
{
	return recount->reader;
}

void
RecsysRoundLoadRow(RecsysRecount *recount, uint32 item)
{
	RecsysGraphRow row;

	if (recount->loaded[item])
		return;
	row = RecsysGraphNeedRow(&recount->graph, item);
	recount->loaded[item] = true;

	/* items of the round know better what they have */
	if (recount->slots[item] == 0)
	{
		RecsysRowTotals totals = RecsysRowGetTotals(row);

		RecsysRoundScoreWith(recount, item, &totals);
	}
	recount->floors[item] = row->floor_score;
	for (int i = 0; i < row->nstored; i++)
	{
		uint32		peer = row->peers[i];
		RecsysStoredPair *pair;

		if (peer >= recount->nitems || recount->slots[peer] == 0)
			continue;
		if (recount->nstored == recount->maxstored)
		{
			recount->maxstored = Max(1024, recount->maxstored * 2);
			recount->stored = RecsysEnlarge(recount->round, recount->stored,
											sizeof(RecsysStoredPair) * (Size) recount->maxstored);
		}
		pair = &recount->stored[recount->nstored++];
		pair->row = item;
		pair->support = RecsysRowSupports(row)[i];
		pair->score = RecsysRowScores(row)[i];
		pair->next = recount->stored_heads[recount->slots[peer] - 1];
		recount->stored_heads[recount->slots[peer] - 1] = recount->nstored;
	}
	RecsysGraphReleaseRow(&recount->graph);
}

void
RecsysRoundAddTime(const RecsysRecount *recount, RecsysRowTotals *totals, int64 time)
{
	totals->latest = Max(totals->latest, time);
	if (recount->recent_half_life > 0)
		RecsysRecencyAdd(&totals->recent, Min(time, recount->now), recount->recent_half_life);
}

double
RecsysRecountCost(RecsysRecount *recount, uint32 item)
{
	RecsysGraphRow row = RecsysGraphReadRow(&recount->graph, item);
	double		users;

	if (row == NULL)
		return 0;
	users = row->users;
	RecsysGraphReleaseRow(&recount->graph);
	if (!RecsysModelHasPairs(&recount->options))
		return users + 1;
	return (users + 1) * ((double) recount->meta.interactions / Max(recount->meta.users, 1) + 1);
}

void
RecsysRoundStart(RecsysRecount *recount, const uint32 *items, uint32 nitems)
{
	MemoryContext old;

	MemoryContextReset(recount->round);
	old = MemoryContextSwitchTo(recount->round);
	RecsysHistoriesInit(&recount->histories, recount->nitems, recount->uses_dots);
	if (recount->succession != NULL)
		RecsysHistoriesKeepPlaces(&recount->histories);
	MemoryContextSwitchTo(old);
	recount->totals = MemoryContextAllocHuge(recount->round,
											 sizeof(RecsysRowTotals) * (Size) Max(nitems, 1));
	recount->items = items;
	recount->nround = nitems;
	recount->members = NULL;
	recount->nmembers = recount->maxmembers = 0;
	recount->overflow = false;
	recount->ntouched = 0;
	recount->stored = NULL;
	recount->nstored = recount->maxstored = 0;
	recount->pairs = NULL;
	recount->npairs = recount->maxpairs = 0;
	recount->stored_heads = MemoryContextAllocExtended(recount->round, sizeof(uint32) * (Size) Max(nitems, 1),
													   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	recount->rows = MemoryContextAllocExtended(recount->round, sizeof(RecsysRowUpdate) * (Size) Max(nitems, 1),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 slot = 0; slot < nitems; slot++)
	{
		recount->slots[items[slot]] = slot + 1;
		recount->totals[slot] = (RecsysRowTotals) {.latest = RECSYS_NO_TIME};
	}
}

void
RecsysRoundEnd(RecsysRecount *recount)
{
	for (uint32 slot = 0; slot < recount->nround; slot++)
		recount->slots[recount->items[slot]] = 0;
	memset(recount->loaded, false, recount->nitems);
	MemoryContextReset(recount->round);
}

void
RecsysRoundScoreWith(RecsysRecount *recount, uint32 item, const RecsysRowTotals *totals)
{
	recount->users[item] = totals->users;
	recount->norm2[item] = totals->norm2;
	recount->mass[item] = totals->mass;
}

void
RecsysRoundPutTotals(RecsysRecount *recount, uint32 slot, const RecsysRowTotals *totals)
{
	recount->rows[slot].item = recount->items[slot];
	recount->rows[slot].totals = *totals;
	RecsysRoundScoreWith(recount, recount->items[slot], totals);
}

void
RecsysRoundAddMember(RecsysRecount *recount, uint32 slot, uint32 user, float weight)
{
	RecsysMember *member;

	if (recount->nmembers == recount->maxmembers)
	{
		recount->maxmembers = Max(4096, recount->maxmembers * 2);
		recount->members = RecsysEnlarge(recount->round, recount->members,
										 sizeof(RecsysMember) * recount->maxmembers);
	}
	member = &recount->members[recount->nmembers++];
	member->slot = slot;
	member->user = user;
	member->weight = weight;
}

/* Dot products of a member's item and the others, in its row and in theirs */
static void
count_ordered(RecsysRecount *recount, const RecsysMember *member)
{
	const RecsysMatrix *histories = &recount->histories.matrix;
	uint64		first = histories->offsets[member->user];
	int			count = (int) (histories->offsets[member->user + 1] - first);
	const uint32 *items = histories->columns + first;
	const float *weights = histories->weights + first;
	const RecsysOrdinal *places = histories->places + first;
	const uint32 *own = bsearch(&recount->items[member->slot], items, count, sizeof(uint32),
								RecsysCompareItemNumbers);
	RecsysOrdinal place = own != NULL ? places[own - items] : RECSYS_NO_ORDINAL;
	const float *others = RecsysSuccessionWeights(recount->succession, place, places, weights, count);

	for (int x = 0; x < count; x++)
		recount->dots[items[x]] += RecsysProduct(member->weight, others[x]);
	others = RecsysSuccessionWeightsOfOne(recount->succession, place, places, member->weight, count);
	for (int x = 0; x < count; x++)
		recount->dots_of_others[items[x]] += RecsysProduct(weights[x], others[x]);
}

void
RecsysRoundCount(RecsysRecount *recount, uint64 first, uint64 last)
{
	const RecsysMatrix *histories = &recount->histories.matrix;
	uint32	   *counts = recount->counts;

	if (!RecsysModelHasPairs(&recount->options))
		return;
	for (uint64 m = first; m < last; m++)
	{
		const RecsysMember *member = &recount->members[m];
		uint64		end = histories->offsets[member->user + 1];

		if (m % 256 == 0)
			CHECK_FOR_INTERRUPTS();
		for (uint64 e = histories->offsets[member->user]; e < end; e++)
		{
			uint32		item = histories->columns[e];

			if (counts[item]++ == 0)
				recount->touched[recount->ntouched++] = item;
			if (recount->uses_dots && recount->succession == NULL)
				recount->dots[item] += RecsysProduct(member->weight, histories->weights[e]);
		}
		if (recount->succession != NULL)
			count_ordered(recount, member);
	}
}

void
RecsysRoundClear(RecsysRecount *recount)
{
	for (uint32 i = 0; i < recount->ntouched; i++)
	{
		recount->counts[recount->touched[i]] = 0;
		if (recount->uses_dots)
			recount->dots[recount->touched[i]] = 0;
		if (recount->succession != NULL)
			recount->dots_of_others[recount->touched[i]] = 0;
	}
	recount->ntouched = 0;
}

static double
pair_score(const RecsysRecount *recount, uint32 x, uint32 y, uint32 count, double dot)
{
	RecsysPairTotals totals;

	totals.n_i = Max(recount->users[x], count);
	totals.n_j = Max(recount->users[y], count);
	totals.n_users = (double) recount->meta.score_users;
	totals.norm2_i = recount->uses_dots ? recount->norm2[x] : totals.n_i;
	totals.norm2_j = recount->uses_dots ? recount->norm2[y] : totals.n_j;
	totals.mass_i = recount->uses_dots ? recount->mass[x] : totals.n_i;
	return RecsysSimilarityScore(&recount->options, count, recount->uses_dots ? dot : count, &totals);
}

float
RecsysRoundScore(const RecsysRecount *recount, uint32 x, uint32 y, uint32 count, double dot)
{
	double		result = pair_score(recount, x, y, count, dot);

	return isfinite(result) ? (float) result : 0.0f;
}

double
RecsysRoundStoredDot(const RecsysRecount *recount, uint32 x, uint32 y, uint32 count, float score)
{
	double		unit;

	if (!recount->uses_dots)
		return 0;

	/* scores are proportional to it */
	unit = pair_score(recount, x, y, count, 1.0);
	return isfinite(unit) && unit > 0 ? score / unit : 0;
}

static void
flush_pairs(RecsysRecount *recount)
{
	RecsysCheckMergeSnapshot(recount->index, recount->snapshot);
	RecsysGraphUpdate(recount->index, &recount->order, NULL, 0, recount->pairs, recount->npairs);
	recount->npairs = 0;
}

void
RecsysRoundPutPair(RecsysRecount *recount, uint32 row, uint32 item, uint32 support, float score)
{
	RecsysPairUpdate *pair;

	if (recount->npairs == recount->maxpairs)
	{
		/* rather write what there is than take more memory */
		if (recount->npairs * sizeof(RecsysPairUpdate) >= recount->memory / 4)
			flush_pairs(recount);
		else
		{
			recount->maxpairs = Max(4096, recount->maxpairs * 2);
			recount->pairs = RecsysEnlarge(recount->round, recount->pairs,
										   sizeof(RecsysPairUpdate) * recount->maxpairs);
		}
	}
	pair = &recount->pairs[recount->npairs++];
	pair->row = row;
	pair->item = item;
	pair->support = support;
	pair->score = score;
}

uint64 *
RecsysRoundGroupMembers(RecsysRecount *recount)
{
	uint64	   *starts = MemoryContextAllocExtended(recount->round,
													sizeof(uint64) * ((Size) recount->nround + 2),
													MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	RecsysMember *sorted = MemoryContextAllocHuge(recount->round,
												  sizeof(RecsysMember) * Max(recount->nmembers, 1));

	for (uint64 m = 0; m < recount->nmembers; m++)
		starts[recount->members[m].slot + 2]++;
	for (uint32 slot = 0; slot < recount->nround; slot++)
		starts[slot + 2] += starts[slot + 1];
	for (uint64 m = 0; m < recount->nmembers; m++)
		sorted[starts[recount->members[m].slot + 1]++] = recount->members[m];
	if (recount->members != NULL)
		pfree(recount->members);
	recount->members = sorted;
	return starts;
}
