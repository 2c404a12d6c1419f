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
	double		weight;			/* 1 when there is no weight column or it is NULL */
	int64		time;			/* microseconds, or RECSYS_NO_TIME */
	uint64		position;		/* heap TID as block << 16 | offset: which row it is */
} RecsysInteraction;

typedef struct RecsysHistoryItem
{
	uint32		item;
	double		weight;			/* > 0, finite */
	int64		time;			/* latest */
} RecsysHistoryItem;

/*
 * What an item's sum of weights means; stored on disk: never renumber.  It acts on the
 * sum of a user's rows, never on a row: a return takes back what was bought.
 */
typedef enum RecsysWeightTransform
{
	RECSYS_TRANSFORM_AUTO = 0,	/* left to the model; folds as NONE does */
	RECSYS_TRANSFORM_NONE = 1,	/* the sum as it is */
	RECSYS_TRANSFORM_LOG = 2,	/* ln(1 + sum) */
	RECSYS_TRANSFORM_BINARY = 3 /* 1 */
} RecsysWeightTransform;

/*
 * Told of each item with several rows whose sum counts, by ascending item, whether or not
 * max_history leaves it out: the n rows that stand at the places in the low halves of places.
 */
typedef void (*RecsysRepeatedItem) (void *arg, const RecsysInteraction *rows, const uint64 *places,
									int n);

/* How to fold */
typedef struct RecsysFolding
{
	int			max_history;
	RecsysWeightTransform transform;
	const RecsysKeyOrder *order;	/* of keys; NULL: that of the numbers is theirs */
	RecsysRepeatedItem repeated;	/* or NULL */
	void	   *arg;
} RecsysFolding;

/*
 * Fold n interactions (any order) into out, which must have room for n items, ascending by item.
 * Returns the number kept;
 * *dropped (may be NULL) gets how many distinct items max_history left out.
 * Sums of weights are exact in decimal and rounded once, see exactsum.h.
 */
extern int	RecsysHistoryFold(const RecsysInteraction *interactions, int n, const RecsysFolding *folding,
							  RecsysHistoryItem *out, int *dropped);

/*
 * For qsort_interruptible: int64s ascending, and interactions by time and then by position.  arg is
 * not looked at.
 */
extern int	RecsysCompareTimes(const void *a, const void *b, void *arg);
extern int	RecsysCompareMoments(const void *a, const void *b, void *arg);

/* What a positive sum of weights means. */
extern double RecsysHistoryTransform(double sum, RecsysWeightTransform transform);

/*
 * A history's weight as the kernels have it.  One that is evidence stays evidence: not
 * zero, and not infinite.
 */
extern float RecsysHistoryWeight(double weight);

/*
 * 2^(-age / half_life), age and half_life in microseconds; 1 for half_life <= 0, for
 * RECSYS_NO_TIME and for times after the reference
 */
extern double RecsysDecay(int64 time, int64 reference, int64 half_life);

/*
 * Is a time no longer before the reference than max_age, in microseconds?  Yes for
 * max_age <= 0, and where either of the times is none.
 */
extern bool RecsysIsWithinAge(int64 time, int64 reference, int64 max_age);

#endif							/* RECSYS_HISTORY_H */
