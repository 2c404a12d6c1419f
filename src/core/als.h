/*
 * als.h
 *	  Factors of items by alternating least squares (iALS).
 */
#ifndef RECSYS_ALS_H
#define RECSYS_ALS_H

#include "core/cooccurrence.h"
#include "core/factors.h"

/*
 * users is user-major, items its transpose; of the options rank, unobserved, lambda and
 * iterations matter.  memory_limit must do for RecsysAlsMemory.  In the current memory
 * context.
 */
extern RecsysFactors *RecsysAlsTrain(const RecsysMatrix *users, const RecsysMatrix *items,
									 const RecsysItemTotals *totals,
									 const RecsysModelOptions *options, Size memory_limit);

/* Bytes that it takes beside its arguments, and that its result takes. */
extern Size RecsysAlsMemory(uint32 nusers, uint32 nitems, int rank);

/*
 * Half an iteration for the rows first .. last-1: each becomes the factor that fits its
 * entries best, where others are the factors of the columns, and foldin was created with
 * their shape and gram.  Rows do not depend on each other.
 */
extern void RecsysAlsHalfStep(RecsysFoldIn *foldin, int rank, const RecsysMatrix *rows,
							  const float *others, uint32 first, uint32 last, float *result);

/* Reports all rows of the item graph: cosines of factors. */
extern void RecsysAlsRows(const RecsysMatrix *users, const RecsysMatrix *items,
						  const RecsysItemTotals *totals, const RecsysModelOptions *options,
						  const RecsysFactors *factors, RecsysRowReporter report, void *arg);

/* Bytes that it takes beside its arguments. */
extern Size RecsysAlsRowsMemory(uint32 nitems, bool weighted);

#endif							/* RECSYS_ALS_H */
