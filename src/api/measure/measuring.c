/*
 * measuring.c
 *	  What recsys.evaluate, recsys.compare and recsys.tune share: arguments, and
 *	  lists and figures of a model.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/measure/measuring.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "source/train/parallel_evaluation.h"
#include "source/train/split_train.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
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

uint64
RecsysArgSeed(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("seed must not be NULL")));
	return (uint64) PG_GETARG_INT64(argument);
}

void
RecsysArgSplit(FunctionCallInfo fcinfo, const char *query, int test, int exclude_seen, int seed,
			   RecsysSplitOptions *options)
{
	int			given = 0;

	memset(options, 0, sizeof(*options));
	options->query = query;
	options->exclude_seen = RecsysArgFlag(fcinfo, exclude_seen, "exclude_seen");
	options->seed = RecsysArgSeed(fcinfo, seed);
	options->memory_limit = (Size) maintenance_work_mem * 1024;

	/* nothing said: a fifth */
	options->holdout = RECSYS_HOLDOUT_SHARE;
	options->share = 0.2;
	for (int x = 0; x < 4; x++)
		given += !PG_ARGISNULL(test + x);
	if (given > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("only one of test, holdout_share, holdout_last and holdout_since can be given")));

	if (!PG_ARGISNULL(test))
	{
		options->holdout = RECSYS_HOLDOUT_GIVEN;
		options->test_query = text_to_cstring(PG_GETARG_TEXT_PP(test));
	}
	else if (!PG_ARGISNULL(test + 1))
	{
		options->share = PG_GETARG_FLOAT8(test + 1);
		if (!(options->share > 0 && options->share < 1))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("holdout_share must lie between 0 and 1")));
	}
	else if (!PG_ARGISNULL(test + 2))
	{
		options->holdout = RECSYS_HOLDOUT_LAST;
		options->last = RecsysArgInteger(fcinfo, test + 2, "holdout_last", 1, PG_INT32_MAX);
	}
	else if (!PG_ARGISNULL(test + 3))
	{
		options->holdout = RECSYS_HOLDOUT_SINCE;
		options->since = PG_GETARG_TIMESTAMPTZ(test + 3);
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

void
RecsysArgKs(FunctionCallInfo fcinfo, int argument, RecsysMeasuring *measuring)
{
	ArrayType  *array;
	Datum	   *values;
	bool	   *isnull;
	int			count;

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
		measuring->ks[x] = k;
	}
	qsort(measuring->ks, count, sizeof(int), compare_integers);
	measuring->nks = 0;
	for (int x = 0; x < count; x++)
		if (x == 0 || measuring->ks[x] != measuring->ks[measuring->nks - 1])
			measuring->ks[measuring->nks++] = measuring->ks[x];
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

void
RecsysArgMetrics(FunctionCallInfo fcinfo, int argument, RecsysMeasuring *measuring)
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
RecsysArgMeasuring(FunctionCallInfo fcinfo, int first, RecsysMeasuring *measuring)
{
	memset(measuring, 0, sizeof(*measuring));
	RecsysArgKs(fcinfo, first, measuring);
	measuring->segments = RecsysArgText(fcinfo, first + 2);
	measuring->categories = RecsysArgText(fcinfo, first + 3);
	measuring->sellers = RecsysArgText(fcinfo, first + 4);
	measuring->new_items = RecsysArgText(fcinfo, first + 5);
	RecsysArgMetrics(fcinfo, first + 1, measuring);
	measuring->confidence = RecsysArgConfidence(fcinfo, first + 7);
	measuring->resamples = RecsysArgResamples(fcinfo, first + 8);
	measuring->seed = RecsysArgSeed(fcinfo, first + 9);
	measuring->verbose = RecsysArgFlag(fcinfo, first + 10, "verbose");
}

int
RecsysMeasuringWorkers(void)
{
	return max_parallel_maintenance_workers;
}

RecsysSplit *
RecsysMakeSplit(const RecsysSplitOptions *options, bool verbose)
{
	RecsysSplit *split = RecsysSplitCreate(options);

	if (RecsysSplitUsers(split) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is nothing to evaluate on"),
				 options->exclude_seen ?
				 errdetail("No user has a held-out item that is new to the user.") :
				 errdetail("No user has a held-out item."),
				 errhint("Hold out more, or check that the test query's keys are those of the query.")));
	ereport(RecsysProgressLevel(verbose),
			(errmsg("split into %llu interactions of %u users for training and %llu of %u users for testing",
					(unsigned long long) split->offsets[split->nrows], split->nrows,
					(unsigned long long) split->test.offsets[RecsysSplitUsers(split)],
					RecsysSplitUsers(split))));
	return split;
}

void
RecsysReadItemKnowledge(const RecsysMeasuring *measuring, RecsysKeyKind kind,
						const RecsysDictionary *items, uint32 nitems, RecsysItemKnowledge *knowledge)
{
	memset(knowledge, 0, sizeof(*knowledge));
	if (measuring->categories != NULL &&
		(measuring->metrics & RECSYS_METRIC_BIT(RECSYS_METRIC_CATEGORY_DIVERSITY)))
		knowledge->categories = RecsysReadLabels(measuring->categories, "categories", "item", kind,
												 items, nitems);
	if (measuring->sellers != NULL &&
		(measuring->metrics & (RECSYS_METRIC_BIT(RECSYS_METRIC_SELLER_COVERAGE) |
							   RECSYS_METRIC_BIT(RECSYS_METRIC_SELLER_GINI))))
		knowledge->sellers = RecsysReadLabels(measuring->sellers, "sellers", "item", kind,
											  items, nitems);
	if (measuring->new_items != NULL && (measuring->metrics & RECSYS_METRIC_BIT(RECSYS_METRIC_NEW_ITEMS)))
		knowledge->new_items = RecsysReadMarks(measuring->new_items, "new_items", "item", kind,
											   items, nitems);
}

void
RecsysMeasure(const RecsysMeasuring *measuring, const RecsysItemKnowledge *knowledge,
			  RecsysEvaluation *evaluation, Size used, Size memory_limit, RecsysOutcome *outcome)
{
	int			nworkers = RecsysMeasuringWorkers();
	Size		outcome_size;
	Size		shared;

	evaluation->nks = measuring->nks;
	memcpy(evaluation->ks, measuring->ks, sizeof(int) * measuring->nks);
	evaluation->metrics = measuring->metrics;
	evaluation->categories = knowledge->categories != NULL ? knowledge->categories->labels : NULL;
	evaluation->new_items = knowledge->new_items;

	outcome_size = (Size) evaluation->nusers *
		(sizeof(double) * RecsysEvaluationColumns(evaluation) +
		 sizeof(uint32) * RecsysEvaluationLength(evaluation));
	used += outcome_size + RecsysEvaluatorMemory(evaluation);
	RecsysCheckEvaluationMemory(used, memory_limit);

	/* workers need it all once more, to share, and an evaluator each */
	shared = RecsysEvaluationShared(evaluation);
	while (nworkers > 0 &&
		   used + shared + RecsysEvaluatorMemory(evaluation) * nworkers > memory_limit)
		nworkers--;
	RecsysEvaluateUsers(evaluation, nworkers, outcome);
	ereport(RecsysProgressLevel(measuring->verbose),
			(errmsg("evaluated %u users", evaluation->nusers)));
}

static double
milliseconds_since(TimestampTz start)
{
	return (GetCurrentTimestamp() - start) / 1000.0;
}

void
RecsysTrainAndMeasure(const RecsysMeasuring *measuring, const RecsysItemKnowledge *knowledge,
					  RecsysSplit *split, const RecsysModelText *model, MemoryContext context,
					  RecsysEvaluation *evaluation, RecsysOutcome *outcome,
					  double *training_ms, double *evaluation_ms)
{
	TimestampTz start = GetCurrentTimestamp();
	double		training;

	RecsysSplitTrain(split, &model->options, model->max_history, model->half_life,
					 RecsysMeasuringWorkers(), evaluation);
	training = milliseconds_since(start);
	ereport(RecsysProgressLevel(measuring->verbose),
			(errmsg("trained a model of %u items with %llu neighbors", evaluation->ncatalogue,
					(unsigned long long) evaluation->graph.offsets[evaluation->nitems])));

	start = GetCurrentTimestamp();
	RecsysMeasure(measuring, knowledge, evaluation, MemoryContextMemAllocated(context, true),
				  split->options.memory_limit, outcome);
	if (training_ms != NULL)
		*training_ms = training;
	if (evaluation_ms != NULL)
		*evaluation_ms = milliseconds_since(start);
}

void
RecsysForSegments(const RecsysLabels *segments, uint32 nusers, RecsysSegmentVisitor visit, void *arg)
{
	uint32	   *starts;
	uint32	   *rows;

	visit(arg, 0, NULL, NULL, nusers);
	if (segments == NULL)
		return;

	/* users by segment, in their order */
	starts = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(uint32) * ((Size) segments->count + 2),
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	rows = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (Size) Max(nusers, 1));
	for (uint32 user = 0; user < nusers; user++)
		if (segments->labels[user] != RECSYS_NONE)
			starts[segments->labels[user] + 2]++;
	for (uint32 label = 0; label < segments->count; label++)
		starts[label + 2] += starts[label + 1];
	for (uint32 user = 0; user < nusers; user++)
		if (segments->labels[user] != RECSYS_NONE)
			rows[starts[segments->labels[user] + 1]++] = user;
	for (uint32 label = 0; label < segments->count; label++)
	{
		CHECK_FOR_INTERRUPTS();
		if (starts[label + 1] > starts[label])
			visit(arg, label, segments->names[label], rows + starts[label],
				  starts[label + 1] - starts[label]);
	}
	pfree(starts);
	pfree(rows);
}
