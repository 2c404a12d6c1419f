/*
 * factorsketch.h
 *	  Factors in a quarter of their room, and bounds of scores from them.
 */
#ifndef RECSYS_FACTORSKETCH_H
#define RECSYS_FACTORSKETCH_H

#include "core/base/platform.h"

/* A step, and a code of one byte for each number, rounded up to whole words */
typedef struct RecsysSketch
{
	float		step;
	int8		codes[FLEXIBLE_ARRAY_MEMBER];
} RecsysSketch;

#define RECSYS_SKETCH_SIZE(rank) (sizeof(float) * (1 + ((Size) (rank) + 3) / 4))

/* The i-th of sketches that lie one behind the other */
#define RecsysSketchAt(sketches, i, rank) \
	((RecsysSketch *) ((char *) (sketches) + (Size) (i) * RECSYS_SKETCH_SIZE(rank)))

/* Of a finite factor; all bytes of the sketch are set. */
extern void RecsysSketchFactor(const float *factor, int rank, RecsysSketch *sketch);

/* Is it one of that factor? */
extern bool RecsysSketchFits(const RecsysSketch *sketch, const float *factor, int rank);

/* The same of a user's factor, by finer steps */
#define RECSYS_SKETCH_MAX_RANK 1024

typedef struct RecsysUserSketch
{
	float		step;
	float		spread;			/* by so many of an item's steps the score from the
								 * sketches may differ from that of the factors */
	int16		codes[RECSYS_SKETCH_MAX_RANK];
} RecsysUserSketch;

extern void RecsysSketchUser(const float *user, int rank, RecsysUserSketch *sketch);

/* Scores of n sketches one behind the other. */
extern void RecsysSketchScores(const RecsysUserSketch *user, const RecsysSketch *sketches, int n,
							   int rank, float *scores);

#endif							/* RECSYS_FACTORSKETCH_H */
