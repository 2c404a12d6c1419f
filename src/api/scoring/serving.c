/*
 * serving.c
 *	  From a user's rows to scores: what recommend, recommend_for_items and
 *	  explain_recommendation share.
 *
 * The score of item j for a user is the sum over the user's items i of
 * weight_i * decay_i * similarity(i, j), with similarity(i, j) from the graph
 * row of i: item-based top-N recommendation (Sarwar et al. 2001; Deshpande and
 * Karypis 2004).  decay_i halves with every half_life between the user's latest
 * interaction and the one with i, so that answers depend on data alone; what is in the
 * future counts as of now.
 *
 * Where the index has factors, scores come from those instead (factorserving.c); the
 * rest is the same.  How they become a list is in listing.c.
 */
#include "postgres.h"

#include "am/graph/itemorder.h"
#include "am/lists/owner.h"
#include "am/parts/leaves.h"
#include "am/read/visible.h"
#include "api/scoring/listing.h"
#include "source/input/clock.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

bool
RecsysFindItem(RecsysRecommender *recommender, const RecsysKey *key, uint32 *item)
{
	return RecsysReadOwner(recommender->index, RECSYS_ITEMS, key, NULL, item, NULL, NULL);
}

int
RecsysReadUserRows(RecsysRecommender *recommender, const RecsysKey *user, int64 until,
			   RecsysInteraction **rows)
{
	Snapshot	snapshot = GetActiveSnapshot();
	int			n;
	int			kept = 0;

	RecsysPredicateLockTable(recommender->heap, snapshot);
	n = RecsysReadVisible(recommender->heap, recommender->index, user, snapshot, rows);
	if (until == PG_INT64_MAX)
		return n;
	for (int i = 0; i < n; i++)
		if ((*rows)[i].time <= until)
			(*rows)[kept++] = (*rows)[i];
	return kept;
}

void
RecsysReadProfile(RecsysRecommender *recommender, const RecsysKey *user, int64 half_life,
				  RecsysProfile *profile)
{
	RecsysReadProfileUntil(recommender, user, half_life, PG_INT64_MAX, profile);
}

/* Folds n rows; returns how many items there are. */
static int
fold(Relation index, const RecsysInteraction *rows, int n, RecsysHistoryItem *history)
{
	const RecsysMetaData *meta = &RecsysGetCache(index)->meta;
	RecsysFolding folding;
	RecsysItemOrder *items;
	RecsysKeyOrder order;
	int			count;

	/* the order of keys is asked for when some items have to be left out */
	if (n <= meta->max_history)
	{
		RecsysMetaFolding(meta, NULL, &folding);
		return RecsysHistoryFold(rows, n, &folding, history, NULL);
	}
	items = RecsysItemOrderCreate(index, RecsysItemCount(index));
	order = RecsysItemOrderForCore(items);
	RecsysMetaFolding(meta, &order, &folding);
	count = RecsysHistoryFold(rows, n, &folding, history, NULL);
	RecsysItemOrderFree(items);
	return count;
}

void
RecsysReadProfileUntil(RecsysRecommender *recommender, const RecsysKey *user, int64 half_life,
					   int64 until, RecsysProfile *profile)
{
	RecsysHistoryItem *history;
	int64		latest = RECSYS_NO_TIME;
	int64		now = half_life > 0 ? RecsysNow(recommender->columns.time_type) : PG_INT64_MAX;

	memset(profile, 0, sizeof(*profile));
	profile->nseen = RecsysReadUserRows(recommender, user, until, &profile->seen);
	if (profile->nseen == 0)
		return;

	history = MemoryContextAllocHuge(CurrentMemoryContext,
									 sizeof(RecsysHistoryItem) * (Size) profile->nseen);
	profile->nevidence = fold(recommender->index, profile->seen, profile->nseen, history);
	profile->items = MemoryContextAllocHuge(CurrentMemoryContext,
											sizeof(uint32) * (Size) Max(profile->nevidence, 1));
	profile->weights = MemoryContextAllocHuge(CurrentMemoryContext,
											  sizeof(double) * (Size) Max(profile->nevidence, 1));

	for (int i = 0; i < profile->nevidence; i++)
	{
		profile->items[i] = history[i].item;
		profile->weights[i] = history[i].weight;
	}
	if (half_life > 0)
	{
		for (int i = 0; i < profile->nevidence; i++)
			latest = Max(latest, Min(history[i].time, now));
		for (int i = 0; i < profile->nevidence; i++)
			profile->weights[i] *= RecsysDecay(history[i].time, latest, half_life);
	}
	pfree(history);
}

static int
compare_items(const void *a, const void *b)
{
	uint32		left = ((const RecsysInteraction *) a)->item;
	uint32		right = ((const RecsysInteraction *) b)->item;

	return left < right ? -1 : left > right ? 1 : 0;
}

void
RecsysItemsProfile(RecsysRecommender *recommender, const RecsysKey *keys, int count,
				   RecsysProfile *profile)
{
	memset(profile, 0, sizeof(*profile));
	profile->seen = palloc0(sizeof(RecsysInteraction) * Max(count, 1));
	profile->items = palloc(sizeof(uint32) * Max(count, 1));
	profile->weights = palloc(sizeof(double) * Max(count, 1));

	for (int i = 0; i < count; i++)
		if (RecsysFindItem(recommender, &keys[i], &profile->seen[profile->nseen].item))
			profile->nseen++;
	qsort(profile->seen, profile->nseen, sizeof(RecsysInteraction), compare_items);
	for (int i = 0; i < profile->nseen; i++)
	{
		if (i > 0 && profile->seen[i].item == profile->seen[i - 1].item)
			continue;
		profile->items[profile->nevidence] = profile->seen[i].item;
		profile->weights[profile->nevidence++] = 1;
	}
}

/* Puts a list that begins with rank 1. */
static void
put_best(RecsysListing *listing, RecsysAnswer *answer, const RecsysScored *best, int count,
		 Datum source)
{
	for (int first = 0; first < count; first += RECSYS_ANSWER_ITEMS)
	{
		int			n = Min(count - first, RECSYS_ANSWER_ITEMS);
		uint32		items[RECSYS_ANSWER_ITEMS];
		Datum		keys[RECSYS_ANSWER_ITEMS];

		for (int i = 0; i < n; i++)
			items[i] = best[first + i].item;
		RecsysAnswerItems(answer, &listing->reader, items, n, keys);
		for (int i = 0; i < n; i++)
		{
			Datum		values[4];
			bool		isnull[4] = {false, false, false, false};

			values[0] = keys[i];
			values[1] = Float4GetDatum(best[first + i].score);
			values[2] = source;
			values[3] = Int32GetDatum(first + i + 1);
			RecsysAnswerPut(answer, values, isnull);
		}
	}
}

void
RecsysPutRecommendations(RecsysRecommender *recommender, RecsysAnswer *answer,
						 const RecsysProfile *profile, int k, bool exclude_seen)
{
	/* without evidence it is but the prior that speaks for the best */
	Datum		source = PointerGetDatum(cstring_to_text(profile->nevidence > 0 ? "history" : "popular"));
	RecsysListing listing;
	RecsysScored *best;
	int			count;

	RecsysListingBegin(&listing, recommender);
	RecsysListingSeen(&listing, profile->seen, profile->nseen, exclude_seen);
	count = RecsysListingBest(&listing, profile, k, &best);
	put_best(&listing, answer, best, count, source);
	RecsysListingFill(&listing, answer, count, k);
	RecsysListingEnd(&listing);
}
