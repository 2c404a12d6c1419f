/*
 * renewal.h
 *	  Whether, and when, a user buys an item again.
 *
 * A renewal process with a cure: with a probability that the item's repeaters and the user's
 * own occasions tell, the user goes on buying it; then gaps are log-normal, with a mean that
 * is the user's own shrunk towards the item's, and stretched by how much was bought last.
 */
#ifndef RECSYS_RENEWAL_H
#define RECSYS_RENEWAL_H

#include "core/sequence/baskethistory.h"

typedef struct RecsysRenewal
{
	double		goes_on;		/* probability that another occasion follows, as of the last basket */
	int64		due_at;			/* median time of that, seen from the last; RECSYS_NO_TIME: unknown */
	double		score;			/* probability that it comes with the user's next basket */
	double		share;			/* of all users' occasions, those that another one follows */
} RecsysRenewal;

/* What the shop as a whole tells, for items that tell little: sums over all items. */
typedef struct RecsysRenewalPrior
{
	double		users;			/* pairs of user and item */
	RecsysRhythm rhythm;
} RecsysRenewalPrior;

/*
 * Of the item at a place of the history.  users have the item, with that rhythm; prior may be
 * NULL.  now and the times of the history are of one clock.
 */
extern void RecsysRenewalEstimate(const RecsysBasketHistory *history, uint32 place, uint64 users,
								  const RecsysRhythm *rhythm, const RecsysRenewalPrior *prior,
								  int64 now, RecsysRenewal *renewal);

#endif							/* RECSYS_RENEWAL_H */
