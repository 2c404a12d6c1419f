/*
 * crossfit.h
 *	  What the best of many models is worth to users who had no part in choosing it.
 */
#ifndef RECSYS_CROSSFIT_H
#define RECSYS_CROSSFIT_H

#include "postgres.h"

/* Of a user: the half that chooses for the other half, or neither */
typedef enum RecsysHalf
{
	RECSYS_HALF_NONE = 2,
	RECSYS_HALF_FIRST = 0,
	RECSYS_HALF_SECOND = 1
} RecsysHalf;

typedef struct RecsysCrossfit
{
	uint32		nusers;
	uint8	   *halves;			/* a RecsysHalf for each user */
	double		best[2];		/* highest mean of a half so far; NaN at first */
	double	   *figures[2];		/* all users' figures of the model that has it */
} RecsysCrossfit;

/* sampled: users who have chosen already, for whom nothing is said; NULL: nobody */
extern RecsysCrossfit *RecsysCrossfitCreate(uint32 nusers, const bool *sampled);

/* Another model's figures, one for each user, NaN where there is none. */
extern void RecsysCrossfitAdd(RecsysCrossfit *crossfit, const double *figures);

/*
 * Each user's figure of the model that the other half has found to be the best; NaN for
 * those of no half.
 */
extern double *RecsysCrossfitFigures(const RecsysCrossfit *crossfit);

#endif							/* RECSYS_CROSSFIT_H */
