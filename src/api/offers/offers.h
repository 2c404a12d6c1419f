/*
 * offers.h
 *	  The items of an items index, to be compared with each other: are they the same thing?
 */
#ifndef RECSYS_OFFERS_H
#define RECSYS_OFFERS_H

#include "postgres.h"

#include "am/items/itemsread.h"
#include "api/call/recommender.h"
#include "api/serve/contentsource.h"
#include "core/content/sameness.h"
#include "lib/stringinfo.h"
#include "utils/array.h"

typedef struct RecsysOffers
{
	RecsysRecommender index;
	Snapshot	snapshot;		/* registered */
	RecsysContentModel content;
	RecsysSamenessModel sameness;
	uint32		nitems;
	int			neighbors;		/* of an item, at most */
	int			title;			/* attribute; -1: there is none */
	struct RecsysOfferState *state;
} RecsysOffers;

/*
 * Opens the items index of the source, for the active snapshot.  identifying: names of the
 * attributes that tell one thing from another, NULL: those that do by what they are;
 * must_agree: names of others.  Errors out if nothing identifies.
 */
extern void RecsysOffersOpen(RecsysOffers *offers, const RecsysContentSource *source, ArrayType *identifying,
							 ArrayType *must_agree);
extern void RecsysOffersClose(RecsysOffers *offers);

/* Neighbors of an item, best first, in memory that is good until the next call */
extern int	RecsysOffersNear(RecsysOffers *offers, uint32 item, const RecsysLike **likes);

/* Does the snapshot see the item, and is something known of it? */
extern bool RecsysOffersKnows(RecsysOffers *offers, uint32 item);

/* What is known of it, or NULL, in memory that is good until the next call */
extern const char *RecsysOffersContent(RecsysOffers *offers, uint32 item);

/*
 * The next items that the snapshot sees, at most RECSYS_TILE, from *next on, which is moved behind
 * them; their content is good until the next call.
 */
extern int	RecsysOffersTile(RecsysOffers *offers, uint32 *next, uint32 *items,
							 const char **packed);

/* False if the snapshot does not see both.  Cancellable. */
extern bool RecsysOffersCompare(RecsysOffers *offers, uint32 a, uint32 b,
								RecsysSameness *sameness);

/*
 * Do their titles say that they are variants?  And are the titles so much alike that what
 * they differ in may be called a variant?
 */
extern bool RecsysOffersTitlesAlike(const RecsysOffers *offers, const RecsysSameness *sameness);
extern bool RecsysOffersAreVariants(RecsysOffers *offers, uint32 a, uint32 b);

/* Key as text, palloc'd */
extern Datum RecsysOffersKey(RecsysOffers *offers, uint32 item);

/* Less than zero if the key of a stands before that of b */
extern int	RecsysOffersCompareKeys(RecsysOffers *offers, uint32 a, uint32 b);

/* Appends {"title": 0.93, …}: the likeness of what both know. */
extern void RecsysAppendLikeness(StringInfo json, const RecsysOffers *offers,
								 const RecsysSameness *sameness);

/*
 * Users of each item by an index of events, in a palloc'd array by number; items that it does
 * not know have none.
 */
extern uint32 *RecsysOffersUsers(RecsysOffers *offers, const char *events);

#endif							/* RECSYS_OFFERS_H */
