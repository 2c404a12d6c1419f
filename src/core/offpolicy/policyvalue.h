/*
 * policyvalue.h
 *	  What a policy would have been worth, from what another one has shown.
 */
#ifndef RECSYS_POLICYVALUE_H
#define RECSYS_POLICYVALUE_H

#include "core/offpolicy/importance.h"
#include "core/offpolicy/policyinterval.h"
#include "core/offpolicy/policyrows.h"

typedef enum RecsysPolicyEstimator
{
	RECSYS_POLICY_IPS,			/* rewards weighted */
	RECSYS_POLICY_SNIPS,		/* by the sum of weights */
	RECSYS_POLICY_CLIPPED,		/* weights of at most a limit */
	RECSYS_POLICY_DIRECT,		/* the reward model alone */
	RECSYS_POLICY_DR,			/* the model, and weighted what it has missed */
	RECSYS_POLICY_SWITCH_DR,	/* the same, but the model alone where weights are above a limit */
	RECSYS_POLICY_LIST,			/* whole lists weighted */
	RECSYS_POLICY_INDEPENDENT,	/* rewards depend on their own place alone */
	RECSYS_POLICY_CASCADE,		/* and on the places above */
	RECSYS_POLICY_ESTIMATORS
} RecsysPolicyEstimator;

/* NULL beyond the last one */
extern const char *RecsysPolicyEstimatorName(RecsysPolicyEstimator estimator);

/* Does it need predicted rewards?  Is it one of those for whole lists, which need requests? */
extern bool RecsysPolicyNeedsModel(RecsysPolicyEstimator estimator);
extern bool RecsysPolicyNeedsRequests(RecsysPolicyEstimator estimator);

typedef struct RecsysPolicyOptions
{
	uint32		estimators;		/* bits 1 << RecsysPolicyEstimator */
	uint32		position;		/* rewards at this position alone; RECSYS_NONE: all */
	bool		per_request;	/* value of a request, not of a row */
	double		clip;			/* NaN: the one with the least error that is to be feared */
	double		min_effective;	/* units in effect below which there is no answer */
	RecsysPolicyResampling resampling;
} RecsysPolicyOptions;

/* Why there is no value */
typedef enum RecsysPolicyState
{
	RECSYS_POLICY_OK,
	RECSYS_POLICY_NO_ROWS,
	RECSYS_POLICY_NO_OVERLAP,	/* nothing of what the target shows has been shown */
	RECSYS_POLICY_UNCOVERED,	/* too much of it has not */
	RECSYS_POLICY_OVERWEIGHT,	/* weights whose mean is above 1: these probabilities are wrong */
	RECSYS_POLICY_TOO_FEW,		/* too few rows in effect */
	RECSYS_POLICY_DOMINATED,	/* a single unit has too much of the weight */
	RECSYS_POLICY_NO_REWARDS,	/* nothing that the target shows has one: nothing tells how rare they are */
	RECSYS_POLICY_NO_REQUESTS,	/* rows do not tell their requests, or are all of their own */
	RECSYS_POLICY_NO_MODEL		/* rows have no predicted rewards */
} RecsysPolicyState;

/* Shares from which on there is no answer */
#define RECSYS_POLICY_COVERAGE 0.9
#define RECSYS_POLICY_OVERLOAD 1.1
#define RECSYS_POLICY_LARGEST 0.25

typedef struct RecsysPolicyValue
{
	RecsysPolicyState state;
	double		value;			/* NaN unless the state is OK; so is what follows where it has no meaning */
	double		low;
	double		high;
	double		clip;			/* limit of weights */
	double		bias_bound;		/* what the limit may cost, at most */
	RecsysOverlap overlap;		/* of the weights before they are limited */
	double		effective;		/* rows, of the weights that are used */
} RecsysPolicyValue;

/* values: RECSYS_POLICY_ESTIMATORS of them, those asked for are set */
extern void RecsysEvaluatePolicy(const RecsysPolicyRows *rows, const RecsysPolicyOptions *options,
								 RecsysPolicyValue *values);

#endif							/* RECSYS_POLICYVALUE_H */
