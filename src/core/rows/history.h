/*
 * history.h
 *	  One user's interactions, folded: what the model and the scorer see.
 *
 * Several interactions with one item count as one, with the sum of their
 * weights and the latest of their times.  An item whose folded weight is not
 * a positive finite number (a return that cancels a purchase, a NaN) is no
 * evidence: it is dropped here (callers that exclude seen items work on the
 * raw interactions).  Of what is left, the max_history most recent count:
 * latest time first, then lowest item key.  Nothing depends on the order of rows,
 * or on where they are in the table.
 */
#ifndef RECSYS_HISTORY_H
#define RECSYS_HISTORY_H

#include "core/rows/keyorder.h"

/* Time of an interaction in an index without a time column. */
#define RECSYS_NO_TIME PG_INT64_MIN

typedef struct RecsysInteraction
{
	uint32		item;
	float		weight;			/* 1 when there is no weight column or it is NULL */
	int64		time;			/* microseconds, or RECSYS_NO_TIME */
	uint64		position;		/* heap TID as block << 16 | offset: which row it is */
} RecsysInteraction;

typedef struct RecsysHistoryItem
{
	uint32		item;
	float		weight;			/* > 0, finite */
	int64		time;			/* latest */
} RecsysHistoryItem;

/*
 * Fold n interactions (any order; the array is reordered) into out, which
 * must have room for n items, ascending by item.  Returns the number kept;
 * *dropped (may be NULL) gets how many distinct items max_history left out.
 * order tells the order of keys; NULL: that of the numbers is theirs.
 * Sums of weights are rounded to double precision once, then to a float.
 */
extern int	RecsysHistoryFold(RecsysInteraction *interactions, int n, int max_history,
							  const RecsysKeyOrder *order, RecsysHistoryItem *out,
							  int *dropped);

/*
 * 2^(-age / half_life), age and half_life in microseconds; 1 for half_life <= 0, for
 * RECSYS_NO_TIME and for times after the reference
 */
extern double RecsysDecay(int64 time, int64 reference, int64 half_life);

#endif							/* RECSYS_HISTORY_H */
