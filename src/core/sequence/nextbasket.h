/*
 * nextbasket.h
 *	  What a user's next basket will hold: repeats by the user's own baskets, discoveries by
 *	  the item graph, in one list.
 */
#ifndef RECSYS_NEXTBASKET_H
#define RECSYS_NEXTBASKET_H

#include "core/scoring/scorer.h"
#include "core/sequence/renewal.h"

/* How the parts are weighed; learned on held-out last baskets, or the defaults */
typedef struct RecsysNextBasketOptions
{
	double		basket_decay;	/* a basket counts so much of the one after it, 0 to 1 */
	int64		half_life;		/* and half as much after that long, in microseconds; 0: no matter */
	double		due;			/* 0 to 1: how much the renewal estimate counts among repeats */
	double		neighbors;		/* what the graph's best discovery would count as a repeat, 0 to 1 */
	double		discover;		/* what it counts as a discovery, 0 to 1 */
	double		popular;		/* what being the most popular item counts, 0 to 1 */
} RecsysNextBasketOptions;

extern const RecsysNextBasketOptions RecsysNextBasketDefaults;

/* More items than these are not popular. */
#define RECSYS_NEXT_BASKET_POPULAR 500

/*
 * What speaks for each item of the history, as a probability that the next basket has it:
 * scores has room for nitems.  renewals are parallel to the items.
 */
extern void RecsysRepeatScores(const RecsysBasketHistory *history, const RecsysRenewal *renewals,
							   int64 now, const RecsysNextBasketOptions *options,
							   double *scores);

/*
 * To a scorer with graph scores, of which best_graph is the best of those that are no repeats (0: none
 * is positive), adds what popularity says of the items with the most users, which stand in
 * popular, most users first.  Returns what makes discoveries' scores of the sums when they are
 * multiplied by it.
 */
extern double RecsysNextBasketPopular(RecsysScorer *scorer, double best_graph,
									  const uint32 *popular, uint32 npopular,
									  const RecsysNextBasketOptions *options);

/* What an item's place among all by their users counts; 0: the most popular one */
extern double RecsysNextBasketPopularity(uint32 place, const RecsysNextBasketOptions *options);

/* The score of a discovery whose popularity is left aside */
extern double RecsysNextBasketDiscovery(double graph, double best_graph,
										const RecsysNextBasketOptions *options);

/*
 * The score of a repeat: from its repeat score and its graph score, 0 if it has none, as before
 * popularity was added, and its sum now.
 */
extern double RecsysNextBasketRepeat(double repeat, double graph, double sum, double best_graph,
									 const RecsysNextBasketOptions *options);

#endif							/* RECSYS_NEXTBASKET_H */
