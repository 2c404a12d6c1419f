/*
 * generate.h
 *	  Random interaction matrices of the shape of real ones.
 */
#ifndef RECSYS_TEST_GENERATE_H
#define RECSYS_TEST_GENERATE_H

#include "core/rows/matrix.h"

typedef struct Random
{
	uint64		state;
} Random;

extern void random_seed(Random *random, uint64 seed);
extern uint64 random_bits(Random *random);
extern double random_unit(Random *random);	/* 0 <= x < 1 */
extern double random_normal(Random *random);

typedef enum WeightKind
{
	WEIGHTS_NONE,
	WEIGHTS_SMALL,				/* multiples of one half up to 5 */
	WEIGHTS_REAL				/* any positive number over many magnitudes */
} WeightKind;

/*
 * Log-normal user activity (histories of 1 .. max_history distinct items, on
 * average about nentries / nusers) and Zipf item popularity.  Some users stay
 * empty when empty_users is set.
 */
extern RecsysMatrix *generate_matrix(Random *random, uint32 nusers, uint32 nitems,
									 uint64 nentries, int max_history,
									 bool empty_users, WeightKind weights);

#endif							/* RECSYS_TEST_GENERATE_H */
