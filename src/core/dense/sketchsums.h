/*
 * sketchsums.h
 *	  Sums of products of a user's codes with the first bits of items' codes.
 */
#ifndef RECSYS_SKETCHSUMS_H
#define RECSYS_SKETCHSUMS_H

#include "core/dense/factorsketch.h"

/*
 * Sums of the items of n groups of `lanes`, whose rows lie one behind the other: of what an item
 * has of every row, both halves of the bytes as numbers from 0 to 15.
 */
extern void RecsysSketchSums(const RecsysUserSketch *user, const uint8 *rows, uint32 n,
							 int rows_per_group, int lanes, int32 *sums);

#endif							/* RECSYS_SKETCHSUMS_H */
