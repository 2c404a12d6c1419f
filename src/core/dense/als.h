/*
 * als.h
 *	  Factors of items by alternating least squares (iALS).
 */
#ifndef RECSYS_ALS_H
#define RECSYS_ALS_H

#include "core/dense/densemodel.h"
#include "core/dense/factors.h"

/* Of the task's options rank, unobserved, lambda and iterations matter.  The rows are cosines of factors. */
extern const RecsysDenseModel RecsysAls;

/* What a team has learned, copied out of its block.  In the current memory context. */
extern RecsysFactors *RecsysAlsFactors(const RecsysDenseTask *task, void *shared);
extern Size RecsysAlsFactorsMemory(const RecsysDenseTask *task);

/*
 * Half an iteration for the rows first .. last-1: each becomes the factor that fits its
 * entries best, where others are the factors of the columns, and foldin was created with
 * their shape and gram.  Rows do not depend on each other.
 */
extern void RecsysAlsHalfStep(RecsysFoldIn *foldin, int rank, const RecsysMatrix *rows,
							  const float *others, uint32 first, uint32 last, float *result);

#endif							/* RECSYS_ALS_H */
