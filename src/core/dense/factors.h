/*
 * factors.h
 *	  Items as points of a few dimensions, and a user's point from the items of a history.
 *
 * What a model of factors has learned is a vector for each item.  A user needs none:
 * it is computed from the history at hand (folded in), and an item's score is the dot
 * product of the two.  factors.c gives the formulas.
 */
#ifndef RECSYS_FACTORS_H
#define RECSYS_FACTORS_H

#include "core/base/platform.h"

/* What folding a user in needs in addition to the factors: see factors.c. */
typedef struct RecsysFactorShape
{
	uint32		nitems;
	int			rank;			/* length of a factor */
	double		unobserved;		/* a: weight of a pair that was not observed, >= 0 */
	double		lambda;			/* strength of L2 regularization, > 0 */
	double		exponent;		/* nu: how it grows with the length of a history */
} RecsysFactorShape;

typedef struct RecsysFactors
{
	RecsysFactorShape shape;
	float	   *items;			/* nitems x rank, row-major; zeros: nothing learned of it */
	float	   *gram;			/* rank x rank, both triangles: sum of y y' */
} RecsysFactors;

/* One user's factor from items and weights; reused from user to user. */
typedef struct RecsysFoldIn RecsysFoldIn;

/* Keeps the pointer gram.  In the current memory context; nothing is allocated later. */
extern RecsysFoldIn *RecsysFoldInCreate(const RecsysFactorShape *shape, const float *gram);

/* The same for a gram matrix of which nothing but the diagonal is not 0; that is copied. */
extern RecsysFoldIn *RecsysFoldInCreateDiagonal(const RecsysFactorShape *shape, const float *diagonal);

/* For another diagonal, of as many numbers; what was added is forgotten. */
extern void RecsysFoldInRenew(RecsysFoldIn *foldin, const RecsysFactorShape *shape, const float *diagonal);

extern void RecsysFoldInFree(RecsysFoldIn *foldin);

/* Forgets the user before. */
extern void RecsysFoldInStart(RecsysFoldIn *foldin);

/*
 * An item of the history.  Without a positive, finite weight it is none, nor is one of which
 * nothing was learned.
 */
extern void RecsysFoldInAdd(RecsysFoldIn *foldin, const float *factor, double weight);

/* rank floats, valid until the next Start; zeros when nothing was added. */
extern const float *RecsysFoldInSolve(RecsysFoldIn *foldin);

/*
 * After Solve: how much of target's score comes of that item, added with that weight.  The
 * shares of all items that were added sum up to the score.
 */
extern double RecsysFoldInShare(RecsysFoldIn *foldin, const float *target, const float *factor,
								double weight);

/* Bytes that RecsysFoldInCreate allocates. */
extern Size RecsysFoldInMemory(int rank);

/* The dot products of a user's factor and n items' factors one behind the other. */
extern void RecsysFactorScores(const float *user, const float *factors, int n, int rank,
							   float *scores);

extern void RecsysFactorsFree(RecsysFactors *factors);

#endif							/* RECSYS_FACTORS_H */
