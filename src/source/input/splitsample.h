/*
 * splitsample.h
 *	  A part of a split: some of its users, to try models on before all are asked.
 */
#ifndef RECSYS_SPLITSAMPLE_H
#define RECSYS_SPLITSAMPLE_H

#include "postgres.h"

#include "source/input/split.h"

/* One training row in so many is of the sample. */
#define RECSYS_SAMPLE_ROWS 4

/* Is a user with held-out items, by place, one of those whom a sample asks? */
extern bool RecsysSampleHas(const RecsysSplit *split, uint32 user, uint32 thinning);

/*
 * Held-out items of the sample's users, of whom only one in thinning is taken.  To learn
 * from there are the sample's rows or, if whole, all of them.  It shares what it can with
 * the split, and lives as long.
 */
extern RecsysSplit *RecsysSplitSample(const RecsysSplit *split, uint32 thinning, bool whole);

#endif							/* RECSYS_SPLITSAMPLE_H */
