/*
 * narrowadd.h
 *	  Adding a row whose numbers have 16 bits to sums.
 */
#ifndef RECSYS_NARROWADD_H
#define RECSYS_NARROWADD_H

#include "core/scoring/scorerblocks.h"

/*
 * sums[items[x]] += weight * similarities[x] for x < n, one after the other: a number may be there
 * twice.  There are sums for all numbers.  Returns the highest number, 0 without any.
 */
extern uint32 RecsysNarrowAdd(double *sums, double weight, const uint16 *items,
							  const float *similarities, int n);

/* The same, and the marks of the blocks that the numbers are in become 1. */
extern void RecsysNarrowAddMarking(double *sums, uint8 *marks, double weight, const uint16 *items,
								   const float *similarities, int n);

#endif							/* RECSYS_NARROWADD_H */
