/*
 * eigen.h
 *	  The largest eigenvalues of the Gram matrix of a sparse matrix.
 */
#ifndef RECSYS_EIGEN_H
#define RECSYS_EIGEN_H

#include "core/base/team.h"
#include "core/rows/matrix.h"

typedef struct RecsysEigen
{
	int			rank;			/* K, or fewer if the matrix has not as many */
	bool		complete;		/* are all other eigenvalues zero? */
	const float *values;		/* descending, all positive */
	const float *vectors;		/* that of item i: vectors + i * stride */
	Size		stride;
} RecsysEigen;

/*
 * Of A'A, which has one row for each column of A.  All members of the team call it.
 * shared is a block of RecsysEigenShared bytes, in which the result is.
 */
extern void RecsysEigenCompute(RecsysTeam *team, const RecsysMatrix *a,
							   const RecsysMatrix *transposed, int rank, void *shared,
							   RecsysEigen *eigen);

extern Size RecsysEigenShared(uint32 nrows, uint32 ncolumns, int rank);

/* Bytes that each member takes in addition, the leader more than the others. */
extern Size RecsysEigenMemory(uint32 nrows, uint32 ncolumns, int rank, bool leader);

#endif							/* RECSYS_EIGEN_H */
