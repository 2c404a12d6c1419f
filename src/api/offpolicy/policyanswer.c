/*
 * policyanswer.c
 *	  What is asked of the rows of a policy, and the answer.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/arguments.h"
#include "api/offpolicy/policyanswer.h"
#include "catalog/pg_type.h"
#include "core/offpolicy/rewardmodel.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define MOST_RESAMPLES 100000
#define MOST_POSITIONS 1000

static char *
estimator_names(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int e = 0; e < RECSYS_POLICY_ESTIMATORS; e++)
		appendStringInfo(&names, "%s%s", e == 0 ? "" : e == RECSYS_POLICY_ESTIMATORS - 1 ? " and " : ", ",
						 RecsysPolicyEstimatorName(e));
	return names.data;
}

static uint32
read_estimators(FunctionCallInfo fcinfo, int argument)
{
	Datum	   *values;
	bool	   *isnull;
	int			count;
	uint32		estimators = 0;

	if (PG_ARGISNULL(argument))
		return (1u << RECSYS_POLICY_ESTIMATORS) - 1;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT,
					  &values, &isnull, &count);
	for (int x = 0; x < count; x++)
	{
		char	   *name = isnull[x] ? NULL : TextDatumGetCString(values[x]);
		int			e = 0;

		while (name != NULL && e < RECSYS_POLICY_ESTIMATORS && strcmp(name, RecsysPolicyEstimatorName(e)) != 0)
			e++;
		if (name == NULL || e == RECSYS_POLICY_ESTIMATORS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 name == NULL ? errmsg("an estimator must not be NULL") :
					 errmsg("unknown estimator \"%s\"", name),
					 errhint("Estimators are %s.", estimator_names())));
		estimators |= 1u << e;
	}
	if (estimators == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("estimators must not be empty"),
				 errhint("Pass NULL for all of them.")));
	return estimators;
}

static RecsysPolicyMethod
read_method(FunctionCallInfo fcinfo, int argument)
{
	char	   *name = RecsysArgQuery(fcinfo, argument, "interval_method");

	if (strcmp(name, "bootstrap") == 0)
		return RECSYS_POLICY_BOOTSTRAP;
	if (strcmp(name, "bernstein") == 0)
		return RECSYS_POLICY_BERNSTEIN;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown interval_method \"%s\"", name),
			 errhint("It is bootstrap or bernstein.")));
}

void
RecsysArgPolicyAsk(FunctionCallInfo fcinfo, const RecsysPolicyArguments *arguments,
				   RecsysPolicyAsk *ask)
{
	RecsysPolicyResampling *resampling = &ask->options.resampling;

	memset(ask, 0, sizeof(RecsysPolicyAsk));
	ask->named = !PG_ARGISNULL(arguments->estimators);
	ask->options.estimators = read_estimators(fcinfo, arguments->estimators);
	ask->options.position = RECSYS_NONE;
	resampling->confidence = RecsysArgDouble(fcinfo, arguments->confidence, "confidence", 0.01, 0.9999);
	resampling->resamples = RecsysArgInteger(fcinfo, arguments->resamples, "resamples", 0, MOST_RESAMPLES);
	if (PG_ARGISNULL(arguments->seed))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("seed must not be NULL")));
	resampling->seed = (uint64) PG_GETARG_INT64(arguments->seed);
	resampling->method = read_method(fcinfo, arguments->interval_method);
	ask->options.clip = NAN;
	if (RecsysHasArgument(fcinfo, arguments->clip))
		ask->options.clip = RecsysArgDouble(fcinfo, arguments->clip, "clip", 0, 1e100);
	ask->by_position = RecsysArgFlag(fcinfo, arguments->by_position, "by_position");
	if (arguments->per_request >= 0)
		ask->options.per_request = RecsysArgFlag(fcinfo, arguments->per_request, "per_request");
	ask->options.min_effective = RecsysArgDouble(fcinfo, arguments->min_effective,
												 "min_effective", 1, 1e12);
}

/* Where none are named, those are left out for which the rows have no columns. */
static uint32
possible_estimators(const RecsysPolicyTable *table, const RecsysPolicyAsk *ask)
{
	uint32		estimators = ask->options.estimators;

	for (int e = 0; e < RECSYS_POLICY_ESTIMATORS && !ask->named; e++)
		if ((RecsysPolicyNeedsModel(e) && !table->parts.item && !table->parts.predicted) ||
			(RecsysPolicyNeedsRequests(e) && (!table->parts.request || table->whole_lists)))
			estimators &= ~(1u << e);
	return estimators;
}

/* Predictions, unless the rows have them or nothing needs them. */
static RecsysRewardModelState
predict(RecsysPolicyRows *rows, uint32 estimators, uint64 seed)
{
	Size		size = sizeof(double) * Max((Size) rows->n, 1);
	bool		needed = false;
	double	   *predicted;
	double	   *target_predicted;
	RecsysRewardModelState state;

	for (int e = 0; e < RECSYS_POLICY_ESTIMATORS; e++)
		needed |= RecsysPolicyNeedsModel(e) && (estimators & (1u << e));
	if (!needed || rows->predicted != NULL)
		return RECSYS_REWARD_MODEL_MADE;
	predicted = recsys_alloc_huge(size);
	target_predicted = recsys_alloc_huge(size);
	state = RecsysRewardModel(rows, seed, predicted, target_predicted);
	if (state == RECSYS_REWARD_MODEL_MADE)
	{
		rows->predicted = predicted;
		rows->target_predicted = target_predicted;
	}
	return state;
}

static char *
refusal_of(const RecsysPolicyValue *value, const RecsysPolicyAsk *ask, RecsysRewardModelState model)
{
	const RecsysOverlap *overlap = &value->overlap;

	switch (value->state)
	{
		case RECSYS_POLICY_NO_ROWS:
			return pstrdup("refused: there are no rows");
		case RECSYS_POLICY_NO_OVERLAP:
			return pstrdup("refused: nothing that the target shows was shown");
		case RECSYS_POLICY_UNCOVERED:
			return psprintf("refused: about %.0f %% of what the target shows was never shown: weights average to %.3f, not to 1",
							100 * (1 - overlap->mean_weight), overlap->mean_weight);
		case RECSYS_POLICY_OVERWEIGHT:
			return psprintf("refused: weights average to %.4g, not to 1, so propensities or probabilities of the target are wrong",
							overlap->mean_weight);
		case RECSYS_POLICY_TOO_FEW:
			return psprintf("refused: worth %.1f independent %s, and %g are needed", overlap->effective_units,
							overlap->units < overlap->requests ? "units" :
							overlap->units < overlap->rows ? "requests" : "rows",
							ask->options.min_effective);
		case RECSYS_POLICY_DOMINATED:
			return psprintf("refused: a single unit has %.0f %% of the weight",
							100 * overlap->largest);
		case RECSYS_POLICY_NO_REWARDS:
			return pstrdup("refused: nothing that the target shows was rewarded");
		case RECSYS_POLICY_NO_REQUESTS:
			return pstrdup("refused: rows do not tell their requests");
		case RECSYS_POLICY_NO_MODEL:
			return pstrdup(model == RECSYS_REWARD_MODEL_NO_ITEMS ?
						   "refused: rows have neither items nor predicted rewards" :
						   model == RECSYS_REWARD_MODEL_OVERFULL ?
						   "refused: the target's probabilities of the items of one position and context sum up to more than 1" :
						   "refused: the target's probability of an item differs between rows of one position and context, so predicted and target_predicted, or target_item, are needed");
		default:
			return NULL;
	}
}

static void
put_number(Datum *values, bool *isnull, int column, double number)
{
	values[column] = Float8GetDatum(number);
	isnull[column] = isnan(number);
}

static void
put_value(FunctionCallInfo fcinfo, const RecsysPolicyTable *table, const RecsysPolicyAsk *ask,
		  uint32 position, int estimator, const RecsysPolicyValue *value, const char *status)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		values[15];
	bool		isnull[15] = {false};

	values[0] = CStringGetTextDatum(RecsysPolicyEstimatorName(estimator));
	isnull[1] = position == RECSYS_NONE;
	if (!isnull[1])
		values[1] = Int32GetDatum(table->positions[position]);
	put_number(values, isnull, 2, value->value);
	put_number(values, isnull, 3, value->low);
	put_number(values, isnull, 4, value->high);
	isnull[5] = isnan(value->low);
	values[5] = CStringGetTextDatum(ask->options.resampling.method == RECSYS_POLICY_BERNSTEIN ?
									"bernstein" : "bootstrap");
	put_number(values, isnull, 6, value->effective);
	values[7] = Int64GetDatum(value->overlap.rows);
	values[8] = Int64GetDatum(value->overlap.requests);
	values[9] = Int64GetDatum(value->overlap.units);
	put_number(values, isnull, 10, value->overlap.mean_weight);
	put_number(values, isnull, 11, value->overlap.largest);
	put_number(values, isnull, 12, value->clip);
	put_number(values, isnull, 13, value->bias_bound);
	values[14] = CStringGetTextDatum(status);
	tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
}

/* Why there is no value, or what has to be known of it */
static char *
status_of(const RecsysPolicyTable *table, const RecsysPolicyAsk *ask, int estimator,
		  const RecsysPolicyValue *value, RecsysRewardModelState model, const char *note,
		  const char *refusal)
{
	StringInfoData status;

	if (refusal == NULL && table->whole_lists && RecsysPolicyNeedsRequests(estimator))
		refusal = "lists are compared as wholes already, by ips";
	if (refusal != NULL)
		return psprintf("refused: %s", refusal);
	if (value->state != RECSYS_POLICY_OK)
		return refusal_of(value, ask, model);
	initStringInfo(&status);
	appendStringInfoString(&status, "ok");
	if (note != NULL)
		appendStringInfo(&status, "; %s", note);
	if (estimator == RECSYS_POLICY_DIRECT)
		appendStringInfoString(&status, "; the interval does not know what the reward model is wrong by");
	return status.data;
}

static void
put_values(FunctionCallInfo fcinfo, const RecsysPolicyTable *table, const RecsysPolicyRows *rows,
		   const RecsysPolicyAsk *ask, const RecsysPolicyOptions *options,
		   RecsysRewardModelState model, const char *note, const char *refusal)
{
	RecsysPolicyValue values[RECSYS_POLICY_ESTIMATORS];

	RecsysEvaluatePolicy(rows, options, values);
	for (int e = 0; e < RECSYS_POLICY_ESTIMATORS; e++)
	{
		RecsysPolicyValue *value = &values[e];

		if (!(options->estimators & (1u << e)))
			continue;
		if (refusal != NULL || (table->whole_lists && RecsysPolicyNeedsRequests(e)))
			value->value = value->low = value->high = value->clip = value->bias_bound = NAN;
		put_value(fcinfo, table, ask, options->position, e, value,
				  status_of(table, ask, e, value, model, note, refusal));
	}
}

void
RecsysPutPolicyValues(FunctionCallInfo fcinfo, RecsysPolicyTable *table, const RecsysPolicyAsk *ask,
					  const char *note, const char *refusal)
{
	RecsysPolicyOptions options = ask->options;
	RecsysPolicyRows rows;
	RecsysRewardModelState model;

	RecsysPolicyTableRows(table, &rows);
	if (ask->by_position && !table->parts.position)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("by_position needs positions, and the query has no column \"position\"")));
	if (ask->by_position && table->npositions > MOST_POSITIONS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("there are %u positions, and by_position takes at most %d",
						table->npositions, MOST_POSITIONS)));
	options.estimators = possible_estimators(table, ask);
	model = predict(&rows, options.estimators, options.resampling.seed);
	put_values(fcinfo, table, &rows, ask, &options, model, note, refusal);
	for (uint32 p = 0; ask->by_position && p < table->npositions && table->n > 0; p++)
	{
		CHECK_FOR_INTERRUPTS();
		options.position = p;
		put_values(fcinfo, table, &rows, ask, &options, model, note, refusal);
	}
}
