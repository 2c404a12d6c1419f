/*
 * matrix.h
 *	  Sparse interaction matrix in compressed row form, and its transposition.
 */
#ifndef RECSYS_MATRIX_H
#define RECSYS_MATRIX_H

#include "core/platform.h"

typedef struct RecsysMatrix
{
	uint32		nrows;
	uint32		ncolumns;
	uint64	   *offsets;		/* nrows + 1 */
	uint32	   *columns;		/* ascending and distinct within a row */
	float	   *weights;		/* parallel to columns; NULL when every weight is 1 */

	/*
	 * The same entries once more in half the space, for co-occurrence to read:
	 * see RecsysMatrixCompact.  NULL when there is no such copy.
	 */
	uint16	   *narrow;			/* columns, without weights */
	uint32	   *packed;			/* weight * 2^weight_shift << 16 | column */
	int			weight_shift;
} RecsysMatrix;

/* Item-major from user-major or back; lives in the current memory context. */
extern RecsysMatrix *RecsysMatrixTranspose(const RecsysMatrix *matrix);
extern void RecsysMatrixFree(RecsysMatrix *matrix);

/*
 * Add the compact copy of a user-major matrix, if it can have one: at most
 * 65,536 columns, and weights that are all multiples of one power of two
 * (quantities, ratings with half stars) and small.  Co-occurrence is up to
 * twice as fast with it.  Returns whether there is one now.
 */
extern bool RecsysMatrixCompact(RecsysMatrix *matrix);

/* Bytes that RecsysMatrixCompact allocates at most. */
extern Size RecsysMatrixCompactMemory(uint64 nentries, bool weighted);

/* Bytes that a matrix of that shape takes. */
extern Size RecsysMatrixMemory(uint32 nrows, uint64 nentries, bool weighted);

#endif							/* RECSYS_MATRIX_H */
