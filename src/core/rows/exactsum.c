/*
 * exactsum.c
 *	  Sums of floats that do not depend on the order of the summands.
 *
 * All floats are integers times 2^-149, so that a number of 300 bits holds their sum
 * (Kulisch 1981's long accumulator).  It is rounded once, when it is asked for.
 */
#include "core/rows/exactsum.h"

#include <math.h>

#define WORD_BITS 32
#define WORD_MASK INT64CONST(0xFFFFFFFF)

#define LOWEST_EXPONENT (-149)

void
RecsysExactSumInit(RecsysExactSum *sum)
{
	memset(sum, 0, sizeof(*sum));
}

void
RecsysExactSumAdd(RecsysExactSum *sum, float number)
{
	uint32		bits;
	uint32		exponent;
	uint64		digits;

	memcpy(&bits, &number, sizeof(bits));
	exponent = (bits >> 23) & 0xFF;
	digits = bits & 0x7FFFFF;
	if (exponent > 0)
	{
		digits |= 0x800000;
		exponent--;
	}
	digits <<= exponent % WORD_BITS;
	exponent /= WORD_BITS;
	if (number < 0)
	{
		sum->words[exponent] -= (int64) (digits & WORD_MASK);
		sum->words[exponent + 1] -= (int64) (digits >> WORD_BITS);
	}
	else
	{
		sum->words[exponent] += (int64) (digits & WORD_MASK);
		sum->words[exponent + 1] += (int64) (digits >> WORD_BITS);
	}
}

/* Every word but the last becomes one of 32 bits. */
static void
carry(int64 *words)
{
	for (int x = 0; x < RECSYS_SUM_WORDS - 1; x++)
	{
		int64		low = words[x] & WORD_MASK;

		words[x + 1] += (words[x] - low) / (WORD_MASK + 1);
		words[x] = low;
	}
}

double
RecsysExactSumGet(const RecsysExactSum *sum)
{
	int64		words[RECSYS_SUM_WORDS];
	bool		negative;
	uint64		digits;
	int			top = RECSYS_SUM_WORDS - 1;
	int			shift = 0;

	memcpy(words, sum->words, sizeof(words));
	carry(words);
	negative = words[RECSYS_SUM_WORDS - 1] < 0;
	if (negative)
	{
		for (int x = 0; x < RECSYS_SUM_WORDS; x++)
			words[x] = -words[x];
		carry(words);
	}
	while (top > 1 && words[top] == 0)
		top--;

	/* the first 64 digits; the last of them tells whether there is anything behind */
	digits = (uint64) words[top] << WORD_BITS | (uint64) words[top - 1];
	if (digits == 0)
		return 0;
	while (digits >> 63 == 0)
	{
		digits <<= 1;
		shift++;
		if (top > 1)
			digits |= (uint64) words[top - 2] >> (WORD_BITS - shift) & 1;
	}
	if (top > 1 && shift < WORD_BITS && ((uint64) words[top - 2] << shift & WORD_MASK) != 0)
		digits |= 1;
	for (int x = 0; x < top - 2; x++)
		if (words[x] != 0)
			digits |= 1;
	return ldexp(negative ? -(double) digits : (double) digits,
				 LOWEST_EXPONENT + (top - 1) * WORD_BITS - shift);
}
