/*
 * counters.h
 *	  Counters of the pairs of one item: histories are added to them, sums taken out.
 *
 * There are four kinds, because nearly all of the time goes into the additions, and how
 * long these take depends on how much memory they touch: see cooccurrence.c.
 */
#ifndef RECSYS_COUNTERS_H
#define RECSYS_COUNTERS_H

#include "core/pairs/cooccurrence.h"
#include "core/pairs/succession.h"

/* Dot product and count side by side, so that one addition goes to one cache line. */
typedef struct RecsysWeightedSum
{
	double		dot;
	uint32		count;
} RecsysWeightedSum;

/* Users who have the row's item. */
typedef struct RecsysCountedUsers
{
	const RecsysMatrix *matrix; /* their histories */
	const uint32 *users;
	const float *weights;		/* of the row's item; NULL when products are not wanted */
	uint64		n;				/* those to be added */
	uint64		n_total;		/* and those that follow: they may be fetched ahead */

	/* makes other weights of a history by its order; NULL when that does not matter */
	RecsysSuccession *succession;
	uint32		item;			/* the row's */
} RecsysCountedUsers;

/* The histories of the users, into counters with one place for each item. */
extern void RecsysCountNarrow(uint16 *counts, const RecsysCountedUsers *users);
extern void RecsysCountWide(uint32 *counts, const RecsysCountedUsers *users);
extern void RecsysCountPacked(uint64 *words, int count_bits, const RecsysCountedUsers *users);
extern void RecsysCountWeighted(RecsysWeightedSum *sums, const RecsysCountedUsers *users);

/*
 * The same, into either of the two arrays (the other one is NULL), and each item is noted
 * in touched, behind the ntouched ones there, when it is met first.  Returns how many
 * there are now; there has to be room for one more.
 */
extern uint32 RecsysCountTouching(uint32 *restrict counts, RecsysWeightedSum *sums,
								  uint32 *restrict touched, uint32 ntouched,
								  const RecsysCountedUsers *users);

/* Can product sums and counts share a word?  If so, how many of its bits has the count? */
extern bool RecsysCanPackCounts(const RecsysMatrix *users, const RecsysItemTotals *totals,
								int *count_bits);

/*
 * Copy n counters out, in the form that rowselect wants, and clear them.  Returns the
 * largest count.  If that is 0, dots are not filled in by TakePacked.
 */
extern uint32 RecsysTakeNarrow(uint16 *narrow, uint32 *counts, int n);
extern uint32 RecsysTakeWide(uint32 *wide, uint32 *counts, int n);
extern uint32 RecsysTakePacked(uint64 *words, uint32 *counts, double *dots, int n,
							   int count_bits, double unit);
extern uint32 RecsysTakeWeighted(RecsysWeightedSum *sums, uint32 *counts, double *dots, int n);

#endif							/* RECSYS_COUNTERS_H */
