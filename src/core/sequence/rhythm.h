/*
 * rhythm.h
 *	  When an item is bought again: what all of its users tell of that.
 *
 * A user's rows with an item, whose sum of weights counts (core/rows/history.h), are taken
 * together to occasions: rows with a positive weight and a time, less than
 * RECSYS_OCCASION_GAP after the one before, are one.  A gap is the time from the last row of
 * an occasion to the first of the next.  What users tell is kept in integers, so that sums
 * depend on no order, and what one user tells can be taken away again.
 */
#ifndef RECSYS_RHYTHM_H
#define RECSYS_RHYTHM_H

#include "core/rows/history.h"

#include <math.h>

/* Rows that follow one another faster than this, in microseconds, are one visit to the shop. */
#define RECSYS_OCCASION_GAP INT64CONST(3600000000)

/* Logarithms of gaps are kept as multiples of 1 / RECSYS_RHYTHM_UNIT. */
#define RECSYS_RHYTHM_UNIT 1024

typedef struct RecsysRhythm
{
	uint32		repeaters;		/* users who have it on more than one occasion */
	uint32		gaps;			/* of all users: occasions but each user's first */
	int64		logs;			/* sum of ln(gap in seconds), in units */
	uint64		squares;		/* sum of the squares of the same, in units: of these, too */
} RecsysRhythm;

/* Is a row part of an occasion?  Returns are not, and what has no time is on none. */
static inline bool
RecsysIsOnOccasion(const RecsysInteraction *row)
{
	return row->weight > 0 && isfinite(row->weight) && row->time != RECSYS_NO_TIME;
}

/* Is a row, by its time, on another occasion than the one before? */
static inline bool
RecsysIsNextOccasion(int64 before, int64 time)
{
	return (uint64) time - (uint64) before >= (uint64) RECSYS_OCCASION_GAP;
}

/* One user more, by the times of the rows that are on occasions; they are sorted. */
extern void RecsysRhythmAdd(RecsysRhythm *rhythm, int64 *times, int n);

/* All that another one is of; and that taken away. */
extern void RecsysRhythmAddAll(RecsysRhythm *rhythm, const RecsysRhythm *more);
extern void RecsysRhythmTakeAll(RecsysRhythm *rhythm, const RecsysRhythm *less);

/* The mean of ln(gap in seconds), and its standard deviation; NaN without gaps. */
extern double RecsysRhythmMeanLog(const RecsysRhythm *rhythm);
extern double RecsysRhythmSpread(const RecsysRhythm *rhythm);

/*
 * What one user tells of each item, found out while the user's rows are folded:
 *
 *	Start					what RecsysHistoryFold is given tells from now on
 *	RecsysHistoryFold
 *	Of, Of, …				items that count, ascending
 *
 * Memory is taken from the context of Create, and grows with the items that a user repeats.
 */
typedef struct RecsysUserRhythms RecsysUserRhythms;

extern RecsysUserRhythms *RecsysUserRhythmsCreate(void);
extern void RecsysUserRhythmsFree(RecsysUserRhythms *rhythms);

/* wanted tells of the item numbers below nwanted, by anything but 0, which to look at; NULL: all */
extern void RecsysUserRhythmsStart(RecsysUserRhythms *rhythms, RecsysFolding *folding,
								   const uint32 *wanted, uint32 nwanted);

/* NULL: the user has the item on no more than one occasion. */
extern const RecsysRhythm *RecsysUserRhythmsOf(RecsysUserRhythms *rhythms, uint32 item);

#endif							/* RECSYS_RHYTHM_H */
