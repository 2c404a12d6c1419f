/*
 * matrix.h
 *	  Sparse interaction matrix in compressed row form, and its transposition.
 */
#ifndef RECSYS_MATRIX_H
#define RECSYS_MATRIX_H

#include "core/base/platform.h"

typedef struct RecsysMatrix
{
	uint32		nrows;
	uint32		ncolumns;
	uint64	   *offsets;		/* nrows + 1 */
	uint32	   *columns;		/* ascending and distinct within a row */
	float	   *weights;		/* parallel to columns; NULL when every weight is 1 */
	uint16	   *places;			/* likewise, see chronology.h; NULL unless the order is kept */

	/*
	 * The entries once more in half the space, for co-occurrence to read: see
	 * RecsysMatrixCompact.  Both NULL when there is no such copy.  The kernels of
	 * co-occurrence do without columns where there is narrow.
	 */
	uint16	   *narrow;			/* the columns alone */
	uint32	   *packed;			/* weight * 2^weight_shift << 16 | column */
	int			weight_shift;

	/*
	 * Or in another form, which is faster still where nobody asks for weights: see
	 * core/pairs/headmatrix.h.  Likewise there need not be columns.  NULL: not there.
	 * Whoever has made it frees it.
	 */
	const struct RecsysHeadMatrix *split;
} RecsysMatrix;

/* The column of an entry, of whichever width columns are */
static inline uint32
RecsysMatrixColumn(const RecsysMatrix *matrix, uint64 entry)
{
	return matrix->narrow != NULL ? matrix->narrow[entry] : matrix->columns[entry];
}

/*
 * The first entry of a row at or above a column, or the row's end.  The search begins at the
 * place where it is guessed, as a part of the row.
 */
extern uint64 RecsysMatrixFind(const RecsysMatrix *matrix, uint32 row, uint32 column, double guess);

/* Item-major from user-major or back; lives in the current memory context. */
extern RecsysMatrix *RecsysMatrixTranspose(const RecsysMatrix *matrix);

/*
 * The same into a matrix whose arrays are there: offsets all zero, columns and
 * weights (if the source has them) of any content.
 */
extern void RecsysMatrixTransposeTo(const RecsysMatrix *matrix, RecsysMatrix *result);
extern void RecsysMatrixFree(RecsysMatrix *matrix);

/* The most columns that a matrix with a compact copy can have. */
#define RECSYS_COMPACT_COLUMNS 65536

/*
 * Add the compact copy to a user-major matrix, if it has at most 65,536
 * columns: co-occurrence is about twice as fast with it.  Weights become part
 * of it when they are all multiples of one power of two and small (quantities,
 * ratings with half stars).  Returns whether there is one now.
 */
extern bool RecsysMatrixCompact(RecsysMatrix *matrix);

/* The same into memory of the given place, for a matrix with few enough columns. */
extern void RecsysMatrixCompactTo(RecsysMatrix *matrix, void *place);

/* Bytes that a compact copy takes at most. */
extern Size RecsysMatrixCompactMemory(uint64 nentries, bool weighted);

/* Bytes that a matrix of that shape takes. */
extern Size RecsysMatrixMemory(uint32 nrows, uint64 nentries, bool weighted);

#endif							/* RECSYS_MATRIX_H */
