/*
 * sketchpage.h
 *	  Sketches of factors on disk, and their rests.
 */
#ifndef RECSYS_SKETCHPAGE_H
#define RECSYS_SKETCHPAGE_H

#include "am/graph/factor.h"

/* Build: writes pages of sketches, and behind them those of rests; returns the first block. */
extern BlockNumber RecsysWriteSketches(Relation index, ForkNumber fork, const RecsysFactors *factors);

/*
 * Visits sketches, those of the longest factors first, a page of them at a time, which is pinned
 * and not locked: the visitor may read factors.  There are n of them behind `first` others, of
 * factors that are not longer than that, nor are those of later pages.  Nothing of the block has
 * been looked at.  Until a visit returns false.
 */
typedef bool (*RecsysSketchVisitor) (void *arg, uint32 first, const void *block, uint32 n, double longest);

extern void RecsysFactorVisitSketches(RecsysFactorReader *reader, RecsysSketchVisitor visit,
									  void *arg);

/*
 * The rests of those that are behind `first` others, on their page, which is pinned until
 * RestsDone.
 */
extern const void *RecsysFactorRests(RecsysFactorReader *reader, uint32 first);
extern void RecsysFactorRestsDone(RecsysFactorReader *reader);

/* The item of a place of a block of rests; errors out when there is none of that number. */
extern uint32 RecsysFactorSketched(const RecsysFactorReader *reader, const void *rests, uint32 place);

#endif							/* RECSYS_SKETCHPAGE_H */
