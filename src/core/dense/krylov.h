/*
 * krylov.h
 *	  An orthonormal basis that grows block by block, in memory that a team shares.
 *
 * eigen.c decides how it grows; here is what is done to the basis and to the block at
 * hand.  All members of the team call these functions, but for those that say otherwise.
 */
#ifndef RECSYS_KRYLOV_H
#define RECSYS_KRYLOV_H

#include "core/base/team.h"
#include "core/rows/matrix.h"

/* Vectors in a block: as many floats as can be summed up in registers */
#define BLOCK 64

/* Rows of a block in a chunk of work */
#define ROWS 512

/* What the leader tells the others */
typedef struct Findings
{
	double		largest;		/* |Px| has been that for some |x| = 1 */
	int			lost;			/* directions of the block, the last ones, that are nothing */
	bool		again;			/* does the block need another pass? */
	bool		exhausted;		/* is P zero outside the basis? */
	bool		finished;
	bool		complete;		/* see RecsysEigen */
	int			rank;
} Findings;

typedef struct Krylov
{
	RecsysTeam *team;
	const RecsysMatrix *a;
	const RecsysMatrix *transposed;
	int			wanted;
	Size		n;				/* rows of the basis */
	Size		nchunks;		/* of ROWS rows */
	int			m;				/* most vectors in the basis, and its stride */
	int			dims;			/* vectors in the basis */
	int			width;			/* of the last block */
	int			before;			/* vectors that P times the last block has a part in: from here on */
	uint64		random;			/* changes with each block that is drawn */

	/* shared */
	Findings   *findings;
	float	   *basis;			/* n x m */
	float	   *block;			/* n x b: the last one, P times it, the next one */
	float	   *spread;			/* A block */
	float	   *projected;		/* m x m: Q'PQ, then its eigenvectors */
	float	   *products;		/* m x b: of basis and block */
	float	   *grams;			/* for each chunk b x b */
	float	   *left;			/* b x b: products of what P has brought beyond the basis */
	float	   *rotation;		/* b x b */
	float	   *values;			/* m */

	/* private */
	float	   *piece;			/* ROWS x m */
	float	   *work;			/* leader: of ssyevd */
	int		   *iwork;
} Krylov;

/* The first block, all of it random, becomes the basis. */
extern void RecsysKrylovStart(Krylov *krylov);

/* result = matrix block */
extern void RecsysKrylovMultiply(Krylov *krylov, const RecsysMatrix *matrix, const float *block,
								 float *result);

/* block -= the basis from that vector on, times its products with the block */
extern void RecsysKrylovTakeOff(Krylov *krylov, int first);

/*
 * Make the block the next one of the basis: orthonormal, and orthogonal to all of it.  What is
 * shorter than negligible becomes random, as far as there is room for it.
 */
extern void RecsysKrylovAppend(Krylov *krylov, double negligible);

/* basis := its products with the eigenvectors in projected, the first of them */
extern void RecsysKrylovRotateBasis(Krylov *krylov, int count);

/* Leader: products of the block's vectors; they are in rotation, which nobody needs then. */
extern float *RecsysKrylovSumGrams(Krylov *krylov);

/* Leader: eigenvectors in the place of the matrix, and its eigenvalues, in ascending order. */
extern void RecsysKrylovDiagonalize(Krylov *krylov, float *matrix, int n, int stride,
									float *values);

#endif							/* RECSYS_KRYLOV_H */
