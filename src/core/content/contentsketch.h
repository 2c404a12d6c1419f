/*
 * contentsketch.h
 *	  Items as short vectors.
 */
#ifndef RECSYS_CONTENTSKETCH_H
#define RECSYS_CONTENTSKETCH_H

#include "core/content/contentmodel.h"

#define RECSYS_SKETCH_DIMENSIONS 256

/*
 * A unit vector of 16-bit fixed-point numbers (as in packedview.h), whose product with that of another
 * item is about as large as they are alike; all 0 if nothing is known.  For choosing what to compare,
 * and never for scores: the cosines in it are the C library's.
 */
extern void RecsysContentSketch(const RecsysContentModel *model, const char *packed, int16 *sketch);

/* Scales to the norm of a unit vector; all 0 stays that. */
extern void RecsysUnitSketch(const double *vector, int16 *sketch);

#endif							/* RECSYS_CONTENTSKETCH_H */
