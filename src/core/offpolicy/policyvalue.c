/*
 * policyvalue.c
 *	  What a policy would have been worth, from what another one has shown.
 *
 * With rewards r, weights w and rewards q that a model expects of what was shown, and v of the
 * target, every estimator is a sum over rows of
 *
 *	  a + w' r			 a			 w'
 *	  ips				 0			 w
 *	  snips				 0			 w, and divided by their sum
 *	  clipped			 0			 min(w, clip)
 *	  direct			 v			 0
 *	  dr				 v - w q	 w
 *	  switch_dr			 v - w' q	 w where w <= clip, else 0
 *	  list, independent, cascade: 0, the weights of importance.c
 *
 * divided by the number of rows, or of requests.  ips: Horvitz, Thompson 1952; snips: Swaminathan,
 * Joachims 2015; clipped: Bottou et al. 2013; dr: Dudik, Langford, Li 2011; switch_dr: Wang,
 * Agarwal, Dudik 2017.
 *
 * Limits of weights.  What clipping leaves out is at most the largest reward times the mean of what
 * was cut off the weights; what switching leaves to the model is wrong by at most the range of
 * rewards times the mean of those weights.  The limit is the one of a few quantiles of the weights
 * with the least variance + bias bound squared (Wang et al. 2017, section 4).
 */
#include "core/offpolicy/policyvalue.h"

#include <math.h>

#define LIMITS 24

typedef struct PolicyCase
{
	const RecsysPolicyRows *rows;
	const RecsysPolicyOptions *options;
	uint32	   *unit;
	uint32		nunits;			/* of all rows */
	double	   *weights[RECSYS_IMPORTANCE_LIST + 1];	/* NULL: not needed */
	RecsysOverlap overlap[RECSYS_IMPORTANCE_LIST + 1];
	double		least;			/* reward, of all rows */
	double		most;
	bool		rewarded;		/* something that the target shows has a reward */
	double	   *table;			/* columns of each unit with a row that counts */
	int			ncolumns;
	uint32		counted;		/* units in it */
	RecsysPolicyRatio ratios[RECSYS_POLICY_ESTIMATORS];
	RecsysPolicyEstimator of_ratio[RECSYS_POLICY_ESTIMATORS];
	int			nratios;
} PolicyCase;

/* First columns of the table: what is divided by; estimators follow */
enum
{
	COLUMN_ROWS,
	COLUMN_REQUESTS,
	COLUMN_WEIGHT,
	COLUMN_ESTIMATORS
};

static const char *const names[] = {
	"ips", "snips", "clipped", "direct", "dr", "switch_dr", "list", "independent", "cascade"
};

const char *
RecsysPolicyEstimatorName(RecsysPolicyEstimator estimator)
{
	return estimator < RECSYS_POLICY_ESTIMATORS ? names[estimator] : NULL;
}

bool
RecsysPolicyNeedsModel(RecsysPolicyEstimator estimator)
{
	return estimator == RECSYS_POLICY_DIRECT || estimator == RECSYS_POLICY_DR ||
		estimator == RECSYS_POLICY_SWITCH_DR;
}

bool
RecsysPolicyNeedsRequests(RecsysPolicyEstimator estimator)
{
	return estimator == RECSYS_POLICY_LIST || estimator == RECSYS_POLICY_INDEPENDENT ||
		estimator == RECSYS_POLICY_CASCADE;
}

static RecsysImportance
importance_of(RecsysPolicyEstimator estimator)
{
	if (estimator == RECSYS_POLICY_LIST)
		return RECSYS_IMPORTANCE_LIST;
	return estimator == RECSYS_POLICY_CASCADE ? RECSYS_IMPORTANCE_CASCADE : RECSYS_IMPORTANCE_ROW;
}

static bool
is_limited(RecsysPolicyEstimator estimator)
{
	return estimator == RECSYS_POLICY_CLIPPED || estimator == RECSYS_POLICY_SWITCH_DR;
}

static bool
counts(const PolicyCase *policy, uint32 row)
{
	return policy->options->position == RECSYS_NONE ||
		policy->rows->position[row] == policy->options->position;
}

/* a and w' of the table above */
static void
parts_of(const PolicyCase *policy, RecsysPolicyEstimator estimator, double clip, uint32 row,
		 double *constant, double *weight)
{
	const RecsysPolicyRows *rows = policy->rows;

	*constant = 0;
	*weight = estimator == RECSYS_POLICY_DIRECT ? 0 : policy->weights[importance_of(estimator)][row];
	if (estimator == RECSYS_POLICY_CLIPPED)
		*weight = Min(*weight, clip);
	else if (estimator == RECSYS_POLICY_SWITCH_DR && *weight > clip)
		*weight = 0;
	if (RecsysPolicyNeedsModel(estimator))
		*constant = rows->target_predicted[row] - *weight * rows->predicted[row];
}

static RecsysPolicyState
judge(const PolicyCase *policy, RecsysPolicyEstimator estimator)
{
	const RecsysOverlap *overlap = &policy->overlap[importance_of(estimator)];

	if (overlap->rows == 0)
		return RECSYS_POLICY_NO_ROWS;
	if (RecsysPolicyNeedsRequests(estimator) && policy->rows->request == NULL)
		return RECSYS_POLICY_NO_REQUESTS;
	if (RecsysPolicyNeedsModel(estimator) && policy->rows->target_predicted == NULL)
		return RECSYS_POLICY_NO_MODEL;
	if (overlap->mean_weight == 0)
		return RECSYS_POLICY_NO_OVERLAP;
	if (overlap->mean_weight + 2 * overlap->error < RECSYS_POLICY_COVERAGE)
		return RECSYS_POLICY_UNCOVERED;
	if (overlap->mean_weight - 4 * overlap->error > RECSYS_POLICY_OVERLOAD)
		return RECSYS_POLICY_OVERWEIGHT;
	if (!(overlap->effective_units >= policy->options->min_effective))
		return RECSYS_POLICY_TOO_FEW;
	if (!(overlap->largest <= RECSYS_POLICY_LARGEST))
		return RECSYS_POLICY_DOMINATED;
	if (!policy->rewarded && (policy->least == policy->most ||
							  policy->options->resampling.method == RECSYS_POLICY_BOOTSTRAP))
		return RECSYS_POLICY_NO_REWARDS;
	return RECSYS_POLICY_OK;
}

/* Mean over counted rows of what a limit takes off the weights, or leaves to the model */
static double
cut_off(const PolicyCase *policy, RecsysPolicyEstimator estimator, double clip)
{
	const double *weights = policy->weights[RECSYS_IMPORTANCE_ROW];
	double		sum = 0;

	for (uint32 i = 0; i < policy->rows->n; i++)
		if (weights[i] > clip && counts(policy, i))
			sum += estimator == RECSYS_POLICY_CLIPPED ? weights[i] - clip : weights[i];
	return sum / policy->overlap[RECSYS_IMPORTANCE_ROW].rows;
}

static double
bias_bound(const PolicyCase *policy, RecsysPolicyEstimator estimator, double clip)
{
	double		reward = estimator == RECSYS_POLICY_CLIPPED ?
		Max(fabs(policy->least), fabs(policy->most)) : policy->most - policy->least;

	return reward * cut_off(policy, estimator, clip);
}

/* Variance of the value of a row with that limit */
static double
variance_with(const PolicyCase *policy, RecsysPolicyEstimator estimator, double clip)
{
	double		n = policy->overlap[RECSYS_IMPORTANCE_ROW].rows;
	double		units = 0;
	double		sum = 0;
	double		squares = 0;
	double		in_unit = 0;
	bool		any = false;

	for (uint32 i = 0; i <= policy->rows->n; i++)
	{
		double		constant;
		double		weight;

		if (any && (i == policy->rows->n || policy->unit[i] != policy->unit[i - 1]))
		{
			sum += in_unit;
			squares += in_unit * in_unit;
			units += 1;
			in_unit = 0;
			any = false;
		}
		if (i == policy->rows->n || !counts(policy, i))
			continue;
		parts_of(policy, estimator, clip, i, &constant, &weight);
		in_unit += constant + weight * policy->rows->reward[i];
		any = true;
	}
	return units < 2 ? 0 : Max(squares - sum * sum / units, 0) * units / (units - 1) / (n * n);
}

static int
compare_weights(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return (left > right) - (left < right);
}

/* The largest weight: no limit; and quantiles, denser towards the top: 1 - 2^-1, 1 - 2^-1.5, … */
static int
candidate_limits(const PolicyCase *policy, double *limits)
{
	const double *weights = policy->weights[RECSYS_IMPORTANCE_ROW];
	double	   *sorted = recsys_alloc_huge(sizeof(double) * Max((Size) policy->rows->n, 1));
	uint32		n = 0;
	int			count = 0;

	for (uint32 i = 0; i < policy->rows->n; i++)
		if (counts(policy, i) && weights[i] > 0)
			sorted[n++] = weights[i];
	qsort(sorted, n, sizeof(double), compare_weights);
	for (int c = 0; c < LIMITS && n > 0; c++)
	{
		uint32		place = c == 0 ? n - 1 : (uint32) ((n - 1) * (1 - pow(2, -(c + 1) / 2.0)));

		limits[count++] = sorted[place];
	}
	pfree(sorted);
	return count;
}

static double
choose_limit(const PolicyCase *policy, RecsysPolicyEstimator estimator)
{
	double		limits[LIMITS];
	int			count = candidate_limits(policy, limits);
	double		least = INFINITY;
	double		best = NAN;

	for (int c = 0; c < count; c++)
	{
		double		bias = bias_bound(policy, estimator, limits[c]);
		double		error = variance_with(policy, estimator, limits[c]) + bias * bias;

		CHECK_FOR_INTERRUPTS();
		if (error < least)
		{
			least = error;
			best = limits[c];
		}
	}
	return best;
}

/* What a unit's numerator may be, whatever its rewards had been */
static void
end_bounds(double *low, double *high, RecsysPolicyRatio *ratio)
{
	ratio->least = Min(ratio->least, *low);
	ratio->most = Max(ratio->most, *high);
	*low = *high = 0;
}

/* Numerators of an estimator into its column, and the bounds that rewards leave them */
static void
fill_column(PolicyCase *policy, RecsysPolicyEstimator estimator, double clip, int column,
			RecsysPolicyRatio *ratio, double *effective)
{
	const RecsysPolicyRows *rows = policy->rows;
	uint32		unit = RECSYS_NONE;
	uint32		place = 0;
	double		low = 0;
	double		high = 0;
	double		sum = 0;
	double		squares = 0;

	ratio->least = INFINITY;
	ratio->most = -INFINITY;
	for (uint32 i = 0; i < rows->n; i++)
	{
		double		constant;
		double		weight;

		if (!counts(policy, i))
			continue;
		if (unit != RECSYS_NONE && policy->unit[i] != unit)
		{
			place++;
			end_bounds(&low, &high, ratio);
		}
		unit = policy->unit[i];
		parts_of(policy, estimator, clip, i, &constant, &weight);
		policy->table[(Size) place * policy->ncolumns + column] += constant + weight * rows->reward[i];
		low += constant + weight * policy->least;
		high += constant + weight * policy->most;
		sum += weight;
		squares += weight * weight;
	}
	end_bounds(&low, &high, ratio);
	if (squares > 0)
		*effective = sum * sum / squares;
}

/* Columns that are divided by */
static void
fill_denominators(PolicyCase *policy)
{
	const double *weights = policy->weights[RECSYS_IMPORTANCE_ROW];
	uint32		unit = RECSYS_NONE;
	uint32		place = 0;
	bool		fresh = false;	/* no row of this request has counted yet */

	for (uint32 i = 0; i < policy->rows->n; i++)
	{
		double	   *row;

		fresh |= RecsysPolicyRowBegins(policy->rows, i);
		if (!counts(policy, i))
			continue;
		place += unit != RECSYS_NONE && policy->unit[i] != unit;
		unit = policy->unit[i];
		row = policy->table + (Size) place * policy->ncolumns;
		row[COLUMN_ROWS] += 1;
		row[COLUMN_REQUESTS] += fresh;
		fresh = false;
		row[COLUMN_WEIGHT] += weights[i];
	}
	policy->counted = unit == RECSYS_NONE ? 0 : place + 1;
}

static double
column_sum(const PolicyCase *policy, int column)
{
	double		sum = 0;

	for (uint32 u = 0; u < policy->counted; u++)
		sum += policy->table[(Size) u * policy->ncolumns + column];
	return sum;
}

static void
estimate(PolicyCase *policy, RecsysPolicyEstimator estimator, RecsysPolicyValue *value)
{
	RecsysPolicyRatio *ratio = &policy->ratios[policy->nratios];
	const RecsysOverlap *overlap = &policy->overlap[RECSYS_IMPORTANCE_ROW];

	if (is_limited(estimator))
	{
		value->clip = isnan(policy->options->clip) ? choose_limit(policy, estimator) : policy->options->clip;
		value->bias_bound = bias_bound(policy, estimator, value->clip);
	}
	ratio->numerator = COLUMN_ESTIMATORS + policy->nratios;
	ratio->scale = 1;
	ratio->denominator = policy->options->per_request ? COLUMN_REQUESTS : COLUMN_ROWS;
	if (estimator == RECSYS_POLICY_SNIPS)
	{
		ratio->denominator = COLUMN_WEIGHT;
		ratio->scale = policy->options->per_request ? (double) overlap->rows / overlap->requests : 1;
	}
	if (policy->options->per_request)
		value->bias_bound *= (double) overlap->rows / overlap->requests;
	fill_column(policy, estimator, value->clip, ratio->numerator, ratio, &value->effective);
	ratio->value = ratio->scale * column_sum(policy, ratio->numerator) /
		column_sum(policy, ratio->denominator);
	policy->of_ratio[policy->nratios++] = estimator;
}

/* Weights that are asked for, and what of the target is in the log by them */
static void
weigh(PolicyCase *policy)
{
	const RecsysPolicyRows *rows = policy->rows;

	policy->unit = recsys_alloc_huge(sizeof(uint32) * Max((Size) rows->n, 1));
	policy->nunits = RecsysPolicyUnits(rows, policy->unit);
	for (int importance = 0; importance <= RECSYS_IMPORTANCE_LIST; importance++)
	{
		policy->weights[importance] = recsys_alloc_huge(sizeof(double) * Max((Size) rows->n, 1));
		RecsysImportanceWeights(rows, importance, policy->weights[importance]);
		RecsysOverlapOf(rows, policy->weights[importance], policy->unit,
						policy->options->position, &policy->overlap[importance]);
	}
	policy->least = rows->n > 0 ? rows->reward[0] : 0;
	policy->most = policy->least;
	for (uint32 i = 0; i < rows->n; i++)
	{
		policy->least = Min(policy->least, rows->reward[i]);
		policy->most = Max(policy->most, rows->reward[i]);
		policy->rewarded |= rows->reward[i] != 0 && rows->target[i] > 0 && counts(policy, i);
	}
}

static void
end_case(PolicyCase *policy)
{
	for (int importance = 0; importance <= RECSYS_IMPORTANCE_LIST; importance++)
		pfree(policy->weights[importance]);
	pfree(policy->unit);
	pfree(policy->table);
}

static void
begin_value(const PolicyCase *policy, RecsysPolicyEstimator estimator, RecsysPolicyValue *value)
{
	value->state = judge(policy, estimator);
	value->value = value->low = value->high = value->clip = value->bias_bound = NAN;
	value->overlap = policy->overlap[importance_of(estimator)];
	value->effective = value->overlap.effective;
}

void
RecsysEvaluatePolicy(const RecsysPolicyRows *rows, const RecsysPolicyOptions *options,
					 RecsysPolicyValue *values)
{
	PolicyCase	policy = {0};

	policy.rows = rows;
	policy.options = options;
	weigh(&policy);
	policy.ncolumns = COLUMN_ESTIMATORS;
	for (int e = 0; e < RECSYS_POLICY_ESTIMATORS; e++)
		policy.ncolumns += (options->estimators & (1u << e)) != 0;
	policy.table = recsys_alloc_huge_zero(sizeof(double) * policy.ncolumns * Max((Size) policy.nunits, 1));
	fill_denominators(&policy);
	for (int e = 0; e < RECSYS_POLICY_ESTIMATORS; e++)
		if (options->estimators & (1u << e))
		{
			begin_value(&policy, e, &values[e]);
			if (values[e].state == RECSYS_POLICY_OK)
				estimate(&policy, e, &values[e]);
		}
	RecsysPolicyIntervals(policy.table, policy.ncolumns, policy.counted, &options->resampling,
						  policy.ratios, policy.nratios);
	for (int r = 0; r < policy.nratios; r++)
	{
		RecsysPolicyValue *value = &values[policy.of_ratio[r]];

		value->value = policy.ratios[r].value;
		value->low = policy.ratios[r].low;
		value->high = policy.ratios[r].high;
	}
	end_case(&policy);
}
