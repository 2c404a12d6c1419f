/*
 * exactsum.h
 *	  Sums of numbers as people write them: exact in decimal, whatever their order.
 *
 * A number stands for the shortest decimal number that reads as it: 19.99 is 19.99, not
 * the binary fraction next to it.  A sum is that of these decimal numbers, as the
 * server's numeric has it, rounded once to the nearest double when it is asked for.  So
 * what cancels in decimal leaves nothing, and no sum depends on the order of its
 * summands or on those that were put together before.
 */
#ifndef RECSYS_EXACTSUM_H
#define RECSYS_EXACTSUM_H

#include "core/base/platform.h"

/*
 * Words of nine decimal digits, the lowest worth 10^RECSYS_SUM_LOWEST, below the last
 * digit of any double; the highest is beyond 2^31 times the largest.
 */
#define RECSYS_SUM_WORDS 74
#define RECSYS_SUM_LOWEST (-333)

/* Nearly all sums are some integer of so many decimals; words are for the others. */
typedef struct RecsysExactSum
{
	int64		units;
	int			scale;			/* the sum is units / 10^scale */
	bool		wide;			/* words in the place of units */
	int			low;			/* the others are 0 */
	int			high;
	int64		words[RECSYS_SUM_WORDS];
} RecsysExactSum;

/* (digits * 10^18 + more) * 10^exponent; both are below 10^19, and more is 0 or of the same sign */
typedef struct RecsysDecimal
{
	int64		digits;
	int64		more;
	int32		exponent;
} RecsysDecimal;

#define RECSYS_DECIMAL_SHIFT 18

extern void RecsysExactSumInit(RecsysExactSum *sum);

/* A finite number; fewer than 2^31 of them. */
extern void RecsysExactSumAdd(RecsysExactSum *sum, double number);

/* The double next to the sum, infinite beyond the largest. */
extern double RecsysExactSumGet(const RecsysExactSum *sum);

/*
 * Numbers that add up to exactly the sum, if there are not more than most; 0 when there
 * are, or when digits stand below what doubles can tell apart.  Nothing is one 0.
 */
extern int	RecsysExactSumParts(const RecsysExactSum *sum, double *parts, int most);

/* The sum, of which the first 36 digits are kept. */
extern RecsysDecimal RecsysExactSumDecimal(const RecsysExactSum *sum);

/* The double next to a sign, so many decimal digits ('0' to '9'), and a power of ten */
extern double RecsysDecimalRead(bool negative, const char *digits, int ndigits, int exponent);

#endif							/* RECSYS_EXACTSUM_H */
