/*
 * smallsystem.h
 *	  Symmetric systems of equations of some dozen unknowns, in single precision.
 *
 * Matrices have their lower triangle by columns; a column takes RECSYS_SMALL_STRIDE(order) floats,
 * and so many columns are there.  What is above the diagonal, or beyond the order, is of no
 * meaning, but it has to be there.
 */
#ifndef RECSYS_SMALLSYSTEM_H
#define RECSYS_SMALLSYSTEM_H

#include "core/base/platform.h"

/* Floats that are worked on at once */
#define RECSYS_SMALL_LANES 16

#define RECSYS_SMALL_STRIDE(order) \
	(((Size) (order) + RECSYS_SMALL_LANES - 1) / RECSYS_SMALL_LANES * RECSYS_SMALL_LANES)

/* Floats of a matrix */
#define RECSYS_SMALL_SIZE(order) (RECSYS_SMALL_STRIDE(order) * (Size) (order))

/* The products of n rows of so many floats with each other, and 1 added to those with themselves */
extern void RecsysSmallProducts(const float *rows, int n, int length, float *matrix);

/* Cholesky, in place; false when it is not positive definite. */
extern bool RecsysSmallFactorize(float *matrix, int order);

/* right := inverse right; room is for RECSYS_SMALL_STRIDE(order) floats, twice. */
extern void RecsysSmallSolve(const float *factorized, int order, float *right, float *room);

#endif							/* RECSYS_SMALLSYSTEM_H */
