/*
 * random.h
 *	  Repeatable random numbers: the same seed and stream give the same ones on
 *	  every machine.
 */
#ifndef RECSYS_RANDOM_H
#define RECSYS_RANDOM_H

#include "core/base/platform.h"

/* SplitMix64: Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014. */
#define RECSYS_RANDOM_STEP UINT64CONST(0x9E3779B97F4A7C15)

typedef struct RecsysRandom
{
	uint64		state;
} RecsysRandom;

static inline uint64
RecsysRandomMix(uint64 x)
{
	x = (x ^ (x >> 30)) * UINT64CONST(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64CONST(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

/* Streams of one seed are independent enough to be resampled with. */
static inline void
RecsysRandomStart(RecsysRandom *random, uint64 seed, uint64 stream)
{
	random->state = RecsysRandomMix(seed + RECSYS_RANDOM_STEP) ^
		RecsysRandomMix(~stream * UINT64CONST(0xD1342543DE82EF95));
}

static inline uint64
RecsysRandomNext(RecsysRandom *random)
{
	random->state += RECSYS_RANDOM_STEP;
	return RecsysRandomMix(random->state);
}

/* What RecsysRandomNext gives for this state after so many other numbers. */
static inline uint64
RecsysRandomAt(uint64 state, uint64 number)
{
	return RecsysRandomMix(state + (number + 1) * RECSYS_RANDOM_STEP);
}

/* One of the numbers above as -1 <= x < 1 */
static inline double
RecsysRandomSigned(uint64 bits)
{
	return (double) (bits >> 11) / 4503599627370496.0 - 1.0;
}

/* A number below n > 0; its bias, at most n / 2^32, does not matter to a resample. */
static inline uint32
RecsysRandomBelow(RecsysRandom *random, uint32 n)
{
	return (uint32) (((RecsysRandomNext(random) >> 32) * n) >> 32);
}

#endif							/* RECSYS_RANDOM_H */
