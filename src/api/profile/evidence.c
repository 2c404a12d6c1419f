/*
 * evidence.c
 *	  What one signal knows of a user: rows, and the evidence that they are.
 *
 * Most signals are folded as the index itself folds them.  Ratings are not sums: two
 * ratings of an item are as one between them, and what counts is how far that is from what the
 * user gives on average.  That average is drawn towards the neutral rating as if the
 * user had given it to five items more: who has rated little says little about how to read
 * it.  Which items count, and from when on they are old, is the same for both.
 */
#include "postgres.h"

#include <math.h>

#include "am/graph/itemorder.h"
#include "api/profile/evidence.h"
#include "api/profile/shardhistory.h"
#include "miscadmin.h"
#include "source/input/clock.h"
#include "utils/memutils.h"

/* So many neutral ratings are added to a user's own. */
#define NEUTRAL_RATINGS 5

/* No scale of ratings goes beyond; without a bound one infinite rating makes all scores infinite. */
#define MOST_RATING 1e9

int64
RecsysSignalHalfLife(const RecsysEvidence *evidence, const int64 *half_life)
{
	if (half_life != NULL)
		return *half_life;
	if (evidence->signal->half_life != RECSYS_OWN_HALF_LIFE)
		return evidence->signal->half_life;
	return evidence->options.half_life;
}

int
RecsysFindEvidence(const RecsysEvidence *evidence, uint32 item)
{
	const uint32 *found = bsearch(&item, evidence->items, evidence->count, sizeof(uint32),
								  RecsysCompareItemNumbers);

	return found == NULL ? -1 : (int) (found - evidence->items);
}

/* The items that count, by their latest times, whatever they weigh. */
static int
fold_as_one(const RecsysEvidence *evidence, const RecsysInteraction *rows, int nrows,
			RecsysHistoryItem *history)
{
	Relation	index = RecsysHistoryOf(evidence)->index;
	RecsysInteraction *copy = MemoryContextAllocHuge(CurrentMemoryContext,
													 sizeof(RecsysInteraction) * (Size) nrows);
	RecsysItemOrder *items = RecsysItemOrderCreate(index, RecsysItemCount(index));
	RecsysKeyOrder order = RecsysItemOrderForCore(items);
	RecsysFolding folding;
	int			count;

	memcpy(copy, rows, sizeof(RecsysInteraction) * (Size) nrows);
	for (int x = 0; x < nrows; x++)
		copy[x].weight = 1;
	RecsysMetaFolding(&RecsysGetCache(index)->meta, &order, &folding);
	folding.transform = RECSYS_TRANSFORM_BINARY;
	count = RecsysHistoryFold(copy, nrows, &folding, history, NULL);
	RecsysItemOrderFree(items);
	pfree(copy);
	return count;
}

static int
compare_rows(const void *a, const void *b)
{
	const RecsysInteraction *left = a;
	const RecsysInteraction *right = b;

	CHECK_FOR_INTERRUPTS();
	if (left->item != right->item)
		return left->item < right->item ? -1 : 1;

	/* a sum must not depend on the order of rows */
	return left->weight < right->weight ? -1 : left->weight > right->weight ? 1 : 0;
}

/*
 * Each item's mean rating, in place of its first row; rows are sorted by item.  Returns
 * how many items there are.
 */
static int
mean_ratings(RecsysInteraction *rows, int nrows)
{
	int			nitems = 0;

	qsort(rows, nrows, sizeof(RecsysInteraction), compare_rows);
	for (int first = 0, last; first < nrows; first = last)
	{
		double		sum = 0;

		for (last = first; last < nrows && rows[last].item == rows[first].item; last++)
			sum += Min(Max(rows[last].weight, -MOST_RATING), MOST_RATING);
		rows[nitems].item = rows[first].item;
		rows[nitems++].weight = sum / (last - first);
	}
	return nitems;
}

static double
user_mean(const RecsysInteraction *ratings, int n, double neutral)
{
	double		sum = NEUTRAL_RATINGS * neutral;

	for (int x = 0; x < n; x++)
		sum += ratings[x].weight;
	return sum / (n + NEUTRAL_RATINGS);
}

/* Items that count, with their distance from the user's mean; those at the mean say nothing. */
void
RecsysWeighRatings(RecsysEvidence *evidence, const RecsysInteraction *rows, int nrows,
				   int64 half_life)
{
	RecsysHistoryItem *history = MemoryContextAllocHuge(CurrentMemoryContext,
														sizeof(RecsysHistoryItem) * (Size) nrows);
	RecsysInteraction *ratings = MemoryContextAllocHuge(CurrentMemoryContext,
														sizeof(RecsysInteraction) * (Size) nrows);
	int64		now = RecsysNow(evidence->events.columns.time_type);
	int64		latest = RECSYS_NO_TIME;
	int			count = fold_as_one(evidence, rows, nrows, history);
	int			nratings;
	double		mean;

	memcpy(ratings, rows, sizeof(RecsysInteraction) * (Size) nrows);
	nratings = mean_ratings(ratings, nrows);
	mean = user_mean(ratings, nratings, evidence->signal->neutral);
	evidence->items = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (Size) count);
	evidence->weights = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * (Size) count);
	for (int x = 0; x < count; x++)
		latest = Max(latest, Min(history[x].time, now));
	for (int x = 0, y = 0; x < count; x++)
	{
		double		weight;

		/* both are in the order of items */
		while (ratings[y].item != history[x].item)
			y++;
		weight = (ratings[y].weight - mean) * RecsysDecay(history[x].time, latest, half_life);
		if (weight == 0 || !isfinite(weight))
			continue;
		evidence->items[evidence->count] = history[x].item;
		evidence->weights[evidence->count++] = weight;
	}
	pfree(history);
	pfree(ratings);
}

/* How long ago the user's latest act was, of those that are evidence. */
static void
find_age(const RecsysEvidence *evidence, RecsysSignalRows *rows)
{
	int64		latest = RECSYS_NO_TIME;
	int64		now = RecsysNow(evidence->events.columns.time_type);

	if (evidence->events.columns.time_column == 0)
		return;
	for (int x = 0; x < rows->nrows; x++)
	{
		if (rows->rows[x].time > latest && RecsysFindEvidence(evidence, rows->rows[x].item) >= 0)
			latest = rows->rows[x].time;
	}
	if (latest == RECSYS_NO_TIME)
		return;
	rows->has_age = true;
	if (latest < now && __builtin_sub_overflow(now, latest, &rows->age))
		rows->age = PG_INT64_MAX;
}

void
RecsysReadEvidence(RecsysEvidence *evidence, const RecsysKey *user, const int64 *half_life,
				   const TimestampTz *until, RecsysSignalRows *rows)
{
	int64		decay = RecsysSignalHalfLife(evidence, half_life);
	Oid			type = evidence->events.columns.time_type;
	int64		latest = until == NULL || !OidIsValid(type) ? PG_INT64_MAX :
		RecsysTimeOfColumn(type, *until);
	RecsysProfile profile;

	memset(rows, 0, sizeof(*rows));
	if (!RecsysBeginHistory(evidence, user))
		return;
	RecsysReadProfileUntil(RecsysHistoryOf(evidence), user, decay, latest, &profile);
	rows->rows = profile.seen;
	rows->nrows = profile.nseen;
	if (!evidence->signal->is_centered)
	{
		evidence->count = profile.nevidence;
		evidence->items = profile.items;
		evidence->weights = profile.weights;
	}
	else if (profile.nseen > 0)
	{
		pfree(profile.items);
		pfree(profile.weights);
		RecsysWeighRatings(evidence, profile.seen, profile.nseen, decay);
	}
	find_age(evidence, rows);
}

/*
 * Weights have been counted from the latest time, which may have been that of the item: they keep their
 * proportions.
 */
void
RecsysHoldOutEvidence(RecsysEvidence *evidence, const RecsysKey *key, RecsysSignalRows *rows)
{
	uint32		item;
	int			kept = 0;

	if (!RecsysFindItem(RecsysHistoryOf(evidence), key, &item))
		return;
	for (int x = 0; x < rows->nrows; x++)
		if (rows->rows[x].item != item)
			rows->rows[kept++] = rows->rows[x];
	rows->nrows = kept;
	kept = 0;
	for (int x = 0; x < evidence->count; x++)
	{
		if (evidence->items[x] == item)
			continue;
		evidence->items[kept] = evidence->items[x];
		evidence->weights[kept++] = evidence->weights[x];
	}
	evidence->count = kept;
	rows->has_age = false;
	rows->age = 0;
	find_age(evidence, rows);
}
