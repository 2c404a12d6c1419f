/*
 * exactsum.h
 *	  Sums of floats that do not depend on the order of the summands.
 */
#ifndef RECSYS_EXACTSUM_H
#define RECSYS_EXACTSUM_H

#include "core/base/platform.h"

/*
 * Words of 32 bits, the lowest worth 2^-149, the smallest float; each takes the digits
 * of 2^31 summands before it overflows.
 */
#define RECSYS_SUM_WORDS 11

typedef struct RecsysExactSum
{
	int64		words[RECSYS_SUM_WORDS];
} RecsysExactSum;

extern void RecsysExactSumInit(RecsysExactSum *sum);

/* A finite number; fewer than 2^31 of them. */
extern void RecsysExactSumAdd(RecsysExactSum *sum, float number);

/* The double next to the sum. */
extern double RecsysExactSumGet(const RecsysExactSum *sum);

#endif							/* RECSYS_EXACTSUM_H */
