/*
 * measuring_arguments.c
 *	  Arguments that recsys.evaluate, recsys.compare and recsys.tune share.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/measure/measuring_arguments.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define MAX_RESAMPLES 100000

double
RecsysArgConfidence(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument) ||
		!(PG_GETARG_FLOAT8(argument) > 0 && PG_GETARG_FLOAT8(argument) < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("confidence must lie between 0 and 1"),
				 errhint("0.95 gives intervals that hold in 95 of 100 cases.")));
	return PG_GETARG_FLOAT8(argument);
}

int
RecsysArgResamples(FunctionCallInfo fcinfo, int argument)
{
	return RecsysArgInteger(fcinfo, argument, "resamples", 0, MAX_RESAMPLES);
}

static uint64
read_seed(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("seed must not be NULL")));
	return (uint64) PG_GETARG_INT64(argument);
}

void
RecsysArgSplit(FunctionCallInfo fcinfo, const char *query, int test, int exclude_seen, int seed,
			   RecsysTask task, RecsysSplitOptions *options)
{
	/* the ways of holding out follow one another */
	int			share = test + 1;
	int			last = test + 2;
	int			since = test + 3;
	int			given = 0;

	memset(options, 0, sizeof(*options));
	options->query = query;
	options->exclude_seen = RecsysArgFlag(fcinfo, exclude_seen, "exclude_seen");
	options->seed = read_seed(fcinfo, seed);
	options->memory_limit = (Size) maintenance_work_mem * 1024;

	/* nothing said: a fifth */
	options->holdout = RECSYS_HOLDOUT_SHARE;
	options->share = 0.2;
	for (int way = test; way <= since; way++)
		given += !PG_ARGISNULL(way);
	if (given > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("only one of test, holdout_share, holdout_last and holdout_since can be given")));

	RecsysTaskSplit(task, given > 0, options);
	if (!PG_ARGISNULL(test))
	{
		options->holdout = RECSYS_HOLDOUT_GIVEN;
		options->test_query = text_to_cstring(PG_GETARG_TEXT_PP(test));
	}
	else if (!PG_ARGISNULL(share))
	{
		options->share = PG_GETARG_FLOAT8(share);
		if (!(options->share > 0 && options->share < 1))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("holdout_share must lie between 0 and 1")));
	}
	else if (!PG_ARGISNULL(last))
	{
		options->holdout = RECSYS_HOLDOUT_LAST;
		options->last = RecsysArgInteger(fcinfo, last, "holdout_last", 1, PG_INT32_MAX);
	}
	else if (!PG_ARGISNULL(since))
	{
		options->holdout = RECSYS_HOLDOUT_SINCE;
		options->since = PG_GETARG_TIMESTAMPTZ(since);
		if (TIMESTAMP_NOT_FINITE(options->since))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("holdout_since must be finite")));
	}
}

static int
compare_integers(const void *a, const void *b)
{
	return *(const int *) a - *(const int *) b;
}

int
RecsysArgCutoffs(FunctionCallInfo fcinfo, int argument, int *ks)
{
	ArrayType  *array;
	Datum	   *values;
	bool	   *isnull;
	int			count;
	int			nks = 0;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("k must not be NULL")));
	array = PG_GETARG_ARRAYTYPE_P(argument);
	deconstruct_array(array, INT4OID, sizeof(int32), true, TYPALIGN_INT, &values, &isnull, &count);
	if (count < 1 || count > RECSYS_EVALUATION_MAX_KS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must have between 1 and %d values", RECSYS_EVALUATION_MAX_KS)));
	for (int x = 0; x < count; x++)
	{
		int			k = isnull[x] ? 0 : DatumGetInt32(values[x]);

		if (k < 1 || k > RECSYS_EVALUATION_MAX_K)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("every k must be between 1 and %d", RECSYS_EVALUATION_MAX_K)));
		ks[x] = k;
	}
	qsort(ks, count, sizeof(int), compare_integers);
	for (int x = 0; x < count; x++)
		if (x == 0 || ks[x] != ks[nks - 1])
			ks[nks++] = ks[x];
	return nks;
}

/* The query without which a metric has no meaning, and that argument's name. */
static const char *
query_of(const RecsysMeasuring *measuring, RecsysMetric metric, const char **name)
{
	switch (metric)
	{
		case RECSYS_METRIC_CATEGORY_DIVERSITY:
			*name = "categories";
			return measuring->categories;
		case RECSYS_METRIC_NEW_ITEMS:
			*name = "new_items";
			return measuring->new_items;
		case RECSYS_METRIC_SELLER_COVERAGE:
		case RECSYS_METRIC_SELLER_GINI:
			*name = "sellers";
			return measuring->sellers;
		default:
			*name = NULL;
			return NULL;
	}
}

static char *
metric_names(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int metric = 0; metric < RECSYS_METRICS; metric++)
		appendStringInfo(&names, "%s%s", metric > 0 ? ", " : "", RecsysMetricName(metric));
	return names.data;
}

/*
 * metrics: NULL for all that can be told, given which queries there are.  Errors out
 * on unknown ones and on such that lack their query.
 */
static void
read_metrics(FunctionCallInfo fcinfo, int argument, RecsysMeasuring *measuring)
{
	Datum	   *values;
	bool	   *isnull;
	int			count;
	const char *query;

	measuring->metrics = 0;
	if (PG_ARGISNULL(argument))
	{
		for (int metric = 0; metric < RECSYS_METRICS; metric++)
			if (query_of(measuring, metric, &query) != NULL || query == NULL)
				measuring->metrics |= RECSYS_METRIC_BIT(metric);
		return;
	}

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT,
					  &values, &isnull, &count);
	for (int x = 0; x < count; x++)
	{
		char	   *name = isnull[x] ? NULL : TextDatumGetCString(values[x]);
		RecsysMetric metric;

		if (name == NULL || !RecsysMetricParse(name, &metric))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 name == NULL ? errmsg("a metric must not be NULL") :
					 errmsg("unknown metric \"%s\"", name),
					 errhint("Metrics are %s.", metric_names())));
		if (query_of(measuring, metric, &query) == NULL && query != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("metric \"%s\" needs the argument %s", name, query),
					 strcmp(query, "new_items") == 0 ?
					 errhint("Pass a query that returns the items that are new.") :
					 strcmp(query, "sellers") == 0 ?
					 errhint("Pass a query that returns item, seller.") :
					 errhint("Pass a query that returns item, category.")));
		measuring->metrics |= RECSYS_METRIC_BIT(metric);
	}
	if (measuring->metrics == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("metrics must not be empty"),
				 errhint("Pass NULL for all of them.")));
}

void
RecsysArgMeasuring(FunctionCallInfo fcinfo, int first, RecsysTask task, RecsysMeasuring *measuring)
{
	memset(measuring, 0, sizeof(*measuring));
	measuring->nks = RecsysArgCutoffs(fcinfo, first + RECSYS_MEASURING_K, measuring->ks);
	measuring->segments = RecsysArgText(fcinfo, first + RECSYS_MEASURING_SEGMENTS);
	measuring->categories = RecsysArgText(fcinfo, first + RECSYS_MEASURING_CATEGORIES);
	measuring->sellers = RecsysArgText(fcinfo, first + RECSYS_MEASURING_SELLERS);
	measuring->new_items = RecsysArgText(fcinfo, first + RECSYS_MEASURING_NEW_ITEMS);
	measuring->task = task;
	read_metrics(fcinfo, first + RECSYS_MEASURING_METRICS, measuring);
	RecsysTaskMetrics(task, PG_ARGISNULL(first + RECSYS_MEASURING_METRICS), &measuring->metrics);
	measuring->confidence = RecsysArgConfidence(fcinfo, first + RECSYS_MEASURING_CONFIDENCE);
	measuring->resamples = RecsysArgResamples(fcinfo, first + RECSYS_MEASURING_RESAMPLES);
	measuring->seed = read_seed(fcinfo, first + RECSYS_MEASURING_SEED);
	measuring->verbose = RecsysArgFlag(fcinfo, first + RECSYS_MEASURING_VERBOSE, "verbose");
}
