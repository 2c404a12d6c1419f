/*
 * nextbasket.c
 *	  What a user's next basket will hold.
 *
 * Of an item that the user has, what counts is in how many of the baskets after its first one
 * the user has had it again.  A basket counts w, which falls with its age; so the item has
 * come again x = sum of w over its occasions but the first, of e = sum of w over the baskets
 * after the first.  Users with few baskets tell little, and are helped out by what all users tell
 * of the item: with r the share of their occasions that another one follows,
 *
 *		b = (x + BASKETS * REPEATED * r) / (BASKETS + e)
 *
 * is the mean of a beta distribution that has seen x of e, and before that BASKETS baskets, of
 * which those who go on buying the item had it in a share of REPEATED.  The renewal estimate
 * knows the rhythm instead, and neither knows what the other one does: the repeat score is
 * b^(1 - due) times the renewal's probability, LEAST_DUE at least, to the power of due.
 *
 * Beside it, an item's score by the graph counts as a share of the best discovery's, and its
 * popularity falls with its place among all items by users as their numbers mostly do.  Repeat
 * scores stay as they are: the surer the repeats, the later the first discovery.
 *
 * All constants, and the defaults, were chosen on validation baskets of Online Retail II and
 * Complete Journey (test/bench/quality/baskets.sh).
 */
#include "core/sequence/nextbasket.h"

#include <math.h>

#define BASKETS 10.0
#define REPEATED 0.2

/* However late an item is by its rhythm, the user's baskets are not forgotten. */
#define LEAST_DUE 0.001

/* Graph scores that count nothing still decide between items that are as good as each other. */
#define LEAST_DISCOVER 1e-9

const RecsysNextBasketOptions RecsysNextBasketDefaults = {
	.basket_decay = 0.95,
	.half_life = 0,
	.due = 0.3,
	.neighbors = 0.01,
	.discover = 0.01,
	.popular = 0.01
};

/* What the baskets count, and of each, what all that come after it do */
typedef struct BasketWeights
{
	double	   *weights;
	double	   *after;
} BasketWeights;

/* Baskets without a time have no order: they count as one before all others, all alike. */
static void
weigh_baskets(const RecsysBasketHistory *history, int64 now,
			  const RecsysNextBasketOptions *options, BasketWeights *baskets)
{
	uint32		n = history->nbaskets;
	uint32		untimed = 0;
	double		after = 0.0;

	while (untimed < n && history->times[untimed] == RECSYS_NO_TIME)
		untimed++;
	for (uint32 x = n; x-- > 0;)
	{
		uint32		age = n - Max(x + 1, untimed);

		if (x % 65536 == 65535)
			CHECK_FOR_INTERRUPTS();
		baskets->weights[x] = pow(options->basket_decay, age) *
			RecsysDecay(history->times[x], now, options->half_life);
		baskets->after[x] = after;
		after += baskets->weights[x];
	}
	for (uint32 x = 0; x < untimed; x++)
		baskets->after[x] = after - baskets->weights[x];
}

void
RecsysRepeatScores(const RecsysBasketHistory *history, const RecsysRenewal *renewals, int64 now,
				   const RecsysNextBasketOptions *options, double *scores)
{
	Size		size = sizeof(double) * (Size) Max(history->nbaskets, 1);
	BasketWeights baskets = {recsys_alloc_huge(size), recsys_alloc_huge(size)};

	weigh_baskets(history, now, options, &baskets);
	for (uint32 x = 0; x < history->nitems; x++)
	{
		const RecsysBasketItem *item = &history->items[x];
		const RecsysOccasion *occasions = history->occasions + item->first;
		double		again = 0.0;
		double		share;

		for (uint32 y = 1; y < item->count; y++)
			again += baskets.weights[occasions[y].basket];
		share = (again + BASKETS * REPEATED * renewals[x].share) /
			(BASKETS + baskets.after[occasions[0].basket]);
		scores[x] = pow(share, 1.0 - options->due) *
			pow(Max(renewals[x].score, LEAST_DUE), options->due);
	}
	pfree(baskets.weights);
	pfree(baskets.after);
}

/* What a sum of 1 in the scorer is as a score */
static double
discovery_scale(double best_graph, const RecsysNextBasketOptions *options)
{
	return best_graph > 0.0 ? Max(options->discover, LEAST_DISCOVER) / best_graph : 1.0;
}

double
RecsysNextBasketPopularity(uint32 place, const RecsysNextBasketOptions *options)
{
	return place < RECSYS_NEXT_BASKET_POPULAR ? options->popular / sqrt(place + 1.0) : 0.0;
}

double
RecsysNextBasketPopular(RecsysScorer *scorer, double best_graph, const uint32 *popular,
						uint32 npopular, const RecsysNextBasketOptions *options)
{
	double		scale = discovery_scale(best_graph, options);

	if (options->popular > 0.0)
		for (uint32 x = 0; x < Min(npopular, RECSYS_NEXT_BASKET_POPULAR); x++)
			RecsysScorerAddScore(scorer, popular[x], RecsysNextBasketPopularity(x, options) / scale);
	return scale;
}

double
RecsysNextBasketDiscovery(double graph, double best_graph, const RecsysNextBasketOptions *options)
{
	return graph > 0.0 ? graph * discovery_scale(best_graph, options) : 0.0;
}

double
RecsysNextBasketRepeat(double repeat, double graph, double sum, double best_graph,
					   const RecsysNextBasketOptions *options)
{
	double		popular = Max(sum - graph, 0.0) * discovery_scale(best_graph, options);

	if (best_graph > 0.0 && graph > 0.0)
		repeat += options->neighbors * graph / best_graph;
	return repeat + popular;
}
