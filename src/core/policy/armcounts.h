/*
 * armcounts.h
 *	  What is known of an arm of a bandit that looks at no features: how often, and what it brought.
 *
 * All are sums, so counts of several sources may be added in any order.  A trial is counted when an
 * arm is shown, and what it brings later, when it comes: until then it has brought nothing.
 */
#ifndef RECSYS_ARMCOUNTS_H
#define RECSYS_ARMCOUNTS_H

#include "core/base/platform.h"

typedef struct RecsysArmCounts
{
	double		trials;
	double		sum;			/* of rewards of trials */
	double		squares;		/* of rewards of trials */
} RecsysArmCounts;

/* A trial of this weight whose reward is known, or 0 so far. */
static inline void
RecsysArmTrial(RecsysArmCounts *arm, double reward, double weight)
{
	arm->trials += weight;
	arm->sum += weight * reward;
	arm->squares += weight * reward * reward;
}

/* A trial that was counted with the reward `before` has brought so much more (or less). */
static inline void
RecsysArmReward(RecsysArmCounts *arm, double before, double more, double weight)
{
	arm->sum += weight * more;
	arm->squares += weight * more * (2 * before + more);
}

static inline void
RecsysArmFold(RecsysArmCounts *arm, const RecsysArmCounts *more)
{
	arm->trials += more->trials;
	arm->sum += more->sum;
	arm->squares += more->squares;
}

/* By which factor counts shrink in that time; half_life 0, or infinite: they do not. */
extern double RecsysDecayFactor(double elapsed, double half_life);

static inline void
RecsysArmDecay(RecsysArmCounts *arm, double factor)
{
	arm->trials *= factor;
	arm->sum *= factor;
	arm->squares *= factor;
}

#endif							/* RECSYS_ARMCOUNTS_H */
