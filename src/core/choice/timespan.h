/*
 * timespan.h
 *	  Over which time nearly all of the interactions are spread, in one pass.
 */
#ifndef RECSYS_TIMESPAN_H
#define RECSYS_TIMESPAN_H

#include "core/base/platform.h"

#define RECSYS_SPAN_TIMES 1024

/*
 * Distinct times with the lowest hashes: the same ones whatever the order, and as good as
 * drawn (Bar-Yossef et al. 2002, the bottom-k sketch).  All zeros to begin with.
 */
typedef struct RecsysTimeSpan
{
	int			count;
	uint64		threshold;		/* 0: there is none yet */
	int64		times[2 * RECSYS_SPAN_TIMES];
} RecsysTimeSpan;

/* RECSYS_NO_TIME is passed over. */
extern void RecsysTimeSpanAdd(RecsysTimeSpan *span, int64 time);

/* From the hundredth to the last but hundredth part of them; 0 when there are too few. */
extern int64 RecsysTimeSpanGet(RecsysTimeSpan *span);

#endif							/* RECSYS_TIMESPAN_H */
