/*
 * eigen.h
 *	  The largest eigenvalues of the Gram matrix of a sparse matrix.
 */
#ifndef RECSYS_EIGEN_H
#define RECSYS_EIGEN_H

#include "core/matrix.h"

typedef struct RecsysEigen
{
	int			rank;			/* K, or fewer if the matrix has not as many */
	bool		complete;		/* are all other eigenvalues zero? */
	float	   *values;			/* descending, all positive */
	float	   *vectors;		/* ncolumns x rank, row-major: item after item */
} RecsysEigen;

/* Of A'A, which has one row for each column of A. */
extern RecsysEigen *RecsysEigenCompute(const RecsysMatrix *a, int rank);
extern void RecsysEigenFree(RecsysEigen *eigen);

/* Bytes that it takes beside its argument, and that its result takes. */
extern Size RecsysEigenMemory(uint32 nrows, uint32 ncolumns, int rank);

#endif							/* RECSYS_EIGEN_H */
