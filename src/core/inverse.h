/*
 * inverse.h
 *	  Inverse of a large symmetric positive definite matrix, in place.
 */
#ifndef RECSYS_INVERSE_H
#define RECSYS_INVERSE_H

#include "core/platform.h"

/*
 * a is n x n, column-major; only the lower triangle (a[row + column * n] with
 * row >= column) is read and written.  false: not positive definite as far as
 * single precision can tell; a is destroyed then.
 */
extern bool RecsysInvert(float *a, Size n);

/* Bytes that it takes beside the matrix. */
extern Size RecsysInvertMemory(Size n);

#endif							/* RECSYS_INVERSE_H */
