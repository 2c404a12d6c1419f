/*
 * testarguments.h
 *	  What the functions over counts and sums share: their arguments, checked, and their row.
 */
#ifndef RECSYS_TESTARGUMENTS_H
#define RECSYS_TESTARGUMENTS_H

#include "postgres.h"

#include "core/decide/armtest.h"
#include "fmgr.h"

/* A number that is there and finite */
extern double RecsysArgFinite(FunctionCallInfo fcinfo, int argument, const char *name);

/* Is any of these arguments NULL? */
extern bool RecsysArgsNull(FunctionCallInfo fcinfo, int first, int n);

/* sequential: true, fixed: false */
extern bool RecsysArgSequential(FunctionCallInfo fcinfo, int argument);

/* mean, proportion, or ratio */
extern RecsysMetricKind RecsysArgMetricKind(FunctionCallInfo fcinfo, int argument);

extern double RecsysArgAlpha(FunctionCallInfo fcinfo, int argument);
extern double RecsysArgExpectedUnits(FunctionCallInfo fcinfo, int argument);

/*
 * relative, method, alpha, expected_units, from that argument on; the other options are not
 * touched
 */
extern void RecsysArgTestOptions(FunctionCallInfo fcinfo, int first, RecsysArmTestOptions *options);

/* The figures as a row; what cannot be said is NULL. */
extern Datum RecsysFigureRow(FunctionCallInfo fcinfo, const double *figures, int n);

/* Tests the arms, once their sums are checked; the row that all of these functions return. */
extern Datum RecsysArmTestRow(FunctionCallInfo fcinfo, const RecsysArmSums *control,
							  const RecsysArmSums *treatment, const RecsysArmTestOptions *options);

#endif							/* RECSYS_TESTARGUMENTS_H */
