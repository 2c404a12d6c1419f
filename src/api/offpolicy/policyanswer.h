/*
 * policyanswer.h
 *	  What is asked of the rows of a policy, and the answer.
 */
#ifndef RECSYS_POLICYANSWER_H
#define RECSYS_POLICYANSWER_H

#include "postgres.h"

#include "api/offpolicy/policytable.h"
#include "core/offpolicy/policyvalue.h"
#include "fmgr.h"

typedef struct RecsysPolicyAsk
{
	RecsysPolicyOptions options;
	bool		named;			/* estimators are; otherwise those that the rows allow */
	bool		by_position;	/* and of each position alone */
} RecsysPolicyAsk;

/* Places of the arguments; -1: there is none */
typedef struct RecsysPolicyArguments
{
	int			estimators;
	int			confidence;
	int			resamples;
	int			seed;
	int			clip;
	int			interval_method;
	int			by_position;
	int			per_request;
	int			min_effective;
} RecsysPolicyArguments;

extern void RecsysArgPolicyAsk(FunctionCallInfo fcinfo, const RecsysPolicyArguments *arguments,
							   RecsysPolicyAsk *ask);

/*
 * Puts a row for each estimator.  note, NULL for none: what has to be known of every value, behind
 * "ok"; refusal: why there is none, whatever the rows say.
 */
extern void RecsysPutPolicyValues(FunctionCallInfo fcinfo, RecsysPolicyTable *table,
								  const RecsysPolicyAsk *ask, const char *note,
								  const char *refusal);

#endif							/* RECSYS_POLICYANSWER_H */
