/*
 * orientedgradients.h
 *	  Shape: in which directions brightness changes, where.
 */
#ifndef RECSYS_ORIENTEDGRADIENTS_H
#define RECSYS_ORIENTEDGRADIENTS_H

#include "core/image/canvas.h"

#define RECSYS_GRADIENT_BINS 8
#define RECSYS_GRADIENT_CELLS 5
#define RECSYS_GRADIENT_NUMBERS (RECSYS_GRADIENT_CELLS * RECSYS_GRADIENT_CELLS * RECSYS_GRADIENT_BINS)

/*
 * Of brightness, on a canvas of which only what is inside counts.  A unit vector, or zeros where there are no
 * edges
 */
extern void RecsysOrientedGradients(const float *brightness, const bool *inside, float *numbers);

#endif							/* RECSYS_ORIENTEDGRADIENTS_H */
