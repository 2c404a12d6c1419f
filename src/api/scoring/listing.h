/*
 * listing.h
 *	  An index's list: items scored for a profile, the best of those that are offered, and
 *	  popular ones behind them.
 */
#ifndef RECSYS_LISTING_H
#define RECSYS_LISTING_H

#include "postgres.h"

#include "am/graph/prior_page.h"
#include "api/call/answer.h"
#include "api/call/recommender.h"
#include "api/scoring/serving.h"
#include "core/scoring/scorer.h"

typedef struct RecsysListing
{
	RecsysRecommender *recommender;
	uint32		nitems;
	RecsysScorer *scorer;		/* kept by the session, cleared for this list */
	RecsysGraphReader reader;
	RecsysPrior *prior;			/* NULL: the index has none */
	const RecsysInteraction *excluded;	/* rows whose items are not listed */
	int			nexcluded;

	/* which items are offered: those that somebody has taken not too long before the latest time */
	int64		max_age;		/* 0: all items */
	int64		latest;
} RecsysListing;

/* What an item's row of the item graph says of others */
typedef struct RecsysItemNeighbors
{
	int			count;
	const uint32 *items;
	const float *scores;
} RecsysItemNeighbors;

/* One list at a time: nothing that may make another one runs before its end. */
extern void RecsysListingBegin(RecsysListing *listing, RecsysRecommender *recommender);
extern void RecsysListingEnd(RecsysListing *listing);

/* The user's visible rows, which stay where they are: their items are not listed if `exclude`. */
extern void RecsysListingSeen(RecsysListing *listing, const RecsysInteraction *rows, int n,
							  bool exclude);

/*
 * The k best items by the profile's items and weights that are not excluded and are offered, best
 * first, palloc'd; returns how many there are.
 */
extern int	RecsysListingBest(RecsysListing *listing, const RecsysProfile *profile, int k,
							  RecsysScored **best);

/*
 * The same by what the caller has added to the listing's scorer, in which he has excluded what is
 * not to be listed.
 */
extern int	RecsysListingBestScored(RecsysListing *listing, int k, RecsysScored **best);

/*
 * Adds the scores of all items by a profile; those of what is not to be listed, too.  neighbors, for
 * who has read the rows of the profile's items before, are parallel to these; NULL: they are read.
 */
extern void RecsysListingScore(RecsysListing *listing, const RecsysProfile *profile,
							   const RecsysItemNeighbors *neighbors);

/*
 * item_max_age of an index, and the latest time that ages are counted from; 0: no item is too
 * old.
 */
extern int64 RecsysItemMaxAge(Relation index, int64 *latest);

/* Is an item offered whose latest interaction was then?  Is that item? */
extern bool RecsysListingOffers(const RecsysListing *listing, int64 latest);
extern bool RecsysListingOffersItem(RecsysListing *listing, uint32 item);

extern void RecsysListingPut(RecsysListing *listing, RecsysAnswer *answer, const RecsysScored *item,
							 Datum source, int rank);

/*
 * Puts popular items that have no score and are not excluded into the places after rank, up to k.
 */
extern void RecsysListingFill(RecsysListing *listing, RecsysAnswer *answer, int rank, int k);

#endif							/* RECSYS_LISTING_H */
