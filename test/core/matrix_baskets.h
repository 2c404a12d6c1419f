/*
 * matrix_baskets.h
 *	  The rows of a matrix as baskets.
 */
#ifndef RECSYS_TEST_MATRIX_BASKETS_H
#define RECSYS_TEST_MATRIX_BASKETS_H

#include "core/itemset/itemset.h"
#include "core/rows/matrix.h"

/* weights is NULL or one number a row. */
typedef struct MatrixBaskets
{
	RecsysBaskets baskets;		/* pass this on */
	const RecsysMatrix *matrix;
	const double *weights;
	uint32		row;
} MatrixBaskets;

extern void matrix_baskets_init(MatrixBaskets *source, const RecsysMatrix *matrix,
								const double *weights);

#endif							/* RECSYS_TEST_MATRIX_BASKETS_H */
