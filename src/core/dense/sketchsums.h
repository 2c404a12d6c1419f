/*
 * sketchsums.h
 *	  Sums of products of a user's codes with the first bits of items' codes.
 */
#ifndef RECSYS_SKETCHSUMS_H
#define RECSYS_SKETCHSUMS_H

#include "core/dense/factorsketch.h"

/*
 * RECSYS_SKETCH_SUMS for each of n groups, whose rows lie one behind the other: each is of four
 * bytes of every row, both halves of them as numbers from 0 to 15.
 */
extern void RecsysSketchSums(const RecsysUserSketch *user, const uint8 *rows, uint32 n,
							 int rows_per_group, int32 *sums);

#endif							/* RECSYS_SKETCHSUMS_H */
