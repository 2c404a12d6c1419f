/*
 * recency.h
 *	  How many have an item lately: each counts half as much after every half-life.
 *
 * The sum of 2^((t - reference) / half_life) over the times t.  Which reference is taken
 * matters to nobody who compares items, and none may be kept for long: sums would outgrow
 * any number.  So each sum has a reference of its own, in whole half-lives, next to its
 * latest time.  It stays as it is while time passes, sums of items are compared and put
 * together after a shift of their exponents, which is exact, and whoever adds up the same
 * times gets the same sum, whatever the latest of them was when it began.
 */
#ifndef RECSYS_RECENCY_H
#define RECSYS_RECENCY_H

#include "core/base/platform.h"

typedef struct RecsysRecency
{
	double		sum;			/* 0: no times */
	int64		at;				/* the reference, in half-lives; 0 of no times */
} RecsysRecency;

/* The half-life, as their number, that a time is in: the reference of the time alone. */
extern int64 RecsysRecencyPeriod(int64 time, int64 half_life);

/* One more time, in microseconds as half_life is (> 0); RECSYS_NO_TIME adds nothing. */
extern void RecsysRecencyAdd(RecsysRecency *recency, int64 time, int64 half_life);

/* All that another sum is of. */
extern void RecsysRecencyAddAll(RecsysRecency *recency, const RecsysRecency *more);

/* The sum by another reference. */
extern double RecsysRecencyAt(const RecsysRecency *recency, int64 at);

/*
 * The sum over items.  It is kept as a fraction of 128 bits, so that it does not depend on
 * their order, and what was added can be taken away again.
 */
typedef struct RecsysRecencyTotal
{
	uint64		whole;
	uint64		parts;			/* of 2^64 */
	int64		at;
} RecsysRecencyTotal;

extern void RecsysRecencyTotalAdd(RecsysRecencyTotal *total, const RecsysRecency *recency);
extern void RecsysRecencyTotalTake(RecsysRecencyTotal *total, const RecsysRecency *recency);
extern double RecsysRecencyTotalGet(const RecsysRecencyTotal *total);

#endif							/* RECSYS_RECENCY_H */
