/*
 * sketchsums.h
 *	  Sums of products of a user's codes with those of items' sketches, and of their rests; which bounds
 *	  that come of them are high enough.
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

/* Sums of n rests of so many bytes, at these places of those that lie one behind the other */
extern void RecsysSketchRestSums(const RecsysUserSketch *user, const uint8 *rests, int size,
								 const uint16 *places, int n, int32 *sums);

/* Puts the places of those of n numbers that reach the limit, ascending; returns how many. */
extern int	RecsysSketchPlaces(const float *uppers, uint32 n, float limit, uint16 *places);

#endif							/* RECSYS_SKETCHSUMS_H */
