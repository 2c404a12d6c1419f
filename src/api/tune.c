/*
 * tune.c
 *	  recsys.tune(): which model, with which options, foretells best.
 *
 * One split, many models: each is trained and evaluated on it, within a budget of
 * trials and of time, and the answer is all of them, best first, each with the
 * command that makes it an index.
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "api/answer.h"
#include "api/arguments.h"
#include "api/candidates.h"
#include "api/guard.h"
#include "api/index_command.h"
#include "api/measuring.h"
#include "catalog/pg_type.h"
#include "core/modeloptions.h"
#include "core/resample.h"
#include "miscadmin.h"
#include "source/values.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_tune);
PG_FUNCTION_INFO_V1(recsys_tune_index);

#define TUNE_COLUMNS 9

typedef struct Trial
{
	const char *model;
	RecsysMean	mean;
	double		training_ms;
	double		evaluation_ms;
	int			number;			/* in the order of trials */
} Trial;

typedef struct Tuning
{
	RecsysAnswer answer;
	RecsysMeasuring measuring;
	RecsysSplitOptions split_options;
	RecsysCandidates *candidates;
	int			most_trials;
	double		microseconds;	/* of the whole */
	TimestampTz start;
	Trial	   *trials;
	int			ntrials;
	MemoryContext trial_context;	/* of the trial at hand */
	char	   *query;
	RecsysIndexCommand command;
	bool		has_command;
	RecsysKeyKind item_kind;
} Tuning;

/* What is better when there is more of it */
static bool
can_be_tuned(RecsysMetric metric)
{
	return metric < RECSYS_USER_METRICS && metric != RECSYS_METRIC_POPULARITY &&
		metric != RECSYS_METRIC_CATEGORY_DIVERSITY && metric != RECSYS_METRIC_NEW_ITEMS;
}

static void
read_metric(FunctionCallInfo fcinfo, int argument, Tuning *tuning)
{
	char	   *name = RecsysArgText(fcinfo, argument);
	RecsysMetric metric;

	if (name == NULL || !RecsysMetricParse(name, &metric) || !can_be_tuned(metric))
	{
		StringInfoData names;

		initStringInfo(&names);
		for (int other = 0; other < RECSYS_USER_METRICS; other++)
			if (can_be_tuned(other))
				appendStringInfo(&names, "%s%s", other > 0 ? ", " : "", RecsysMetricName(other));
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 name == NULL ? errmsg("metric must not be NULL") :
				 errmsg("models cannot be ranked by metric \"%s\"", name),
				 errhint("Metrics of which more is better are %s.", names.data)));
	}
	tuning->measuring.metrics = RECSYS_METRIC_BIT(metric);
}

static List *
read_models(FunctionCallInfo fcinfo, int argument)
{
	List	   *models = NIL;
	Datum	   *values;
	bool	   *isnull;
	int			count;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT,
					  &values, &isnull, &count);
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("models must not be empty"),
				 errhint("Pass NULL for a search over all of them.")));
	for (int x = 0; x < count; x++)
		models = lappend(models, isnull[x] ? pstrdup("") : TextDatumGetCString(values[x]));
	return models;
}

/*
 * Arguments: query or index, metric, k, trials, time_limit, models, test,
 * holdout_share, holdout_last, holdout_since, exclude_seen, confidence, resamples,
 * seed, verbose
 */
static void
read_arguments(FunctionCallInfo fcinfo, Tuning *tuning)
{
	RecsysMeasuring *measuring = &tuning->measuring;

	read_metric(fcinfo, 1, tuning);
	measuring->nks = 1;
	measuring->ks[0] = RecsysArgInteger(fcinfo, 2, "k", 1, RECSYS_EVALUATION_MAX_K);
	tuning->most_trials = RecsysArgInteger(fcinfo, 3, "trials", 1, 100000);
	tuning->microseconds = INFINITY;
	if (!PG_ARGISNULL(4))
	{
		tuning->microseconds = RecsysIntervalMicroseconds(PG_GETARG_INTERVAL_P(4));
		if (!(tuning->microseconds > 0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("time_limit must be a positive interval"),
					 errhint("Pass NULL for no limit.")));
	}
	RecsysArgSplit(fcinfo, tuning->query, 6, 10, 13, &tuning->split_options);
	measuring->confidence = RecsysArgConfidence(fcinfo, 11);
	measuring->resamples = RecsysArgResamples(fcinfo, 12);
	measuring->seed = tuning->split_options.seed;
	measuring->verbose = RecsysArgFlag(fcinfo, 14, "verbose");
}

static bool
budget_left(const Tuning *tuning)
{
	return tuning->ntrials < tuning->most_trials &&
		(double) (GetCurrentTimestamp() - tuning->start) < tuning->microseconds;
}

static void
try_model(Tuning *tuning, RecsysSplit *split, const char *text)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys trial",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysItemKnowledge knowledge = {0};
	RecsysEvaluation evaluation = {0};
	RecsysOutcome outcome;
	RecsysModelText model;
	Trial	   *trial = &tuning->trials[tuning->ntrials];
	RecsysMeasuring quiet = tuning->measuring;
	RecsysSample sample = {.ncolumns = 1};
	RecsysResampling resampling = {quiet.resamples, quiet.confidence, quiet.seed, 0};

	tuning->trial_context = context;
	quiet.verbose = false;
	RecsysParseModelText(text, &model);
	RecsysTrainAndMeasure(&quiet, &knowledge, split, &model, MemoryContextGetParent(context),
						  &evaluation, &outcome, &trial->training_ms, &trial->evaluation_ms);
	sample.table = outcome.figures;
	sample.nrows = evaluation.nusers;
	RecsysBootstrap(&sample, &resampling, &trial->mean);
	trial->model = text;
	trial->number = tuning->ntrials++;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	ereport(RecsysProgressLevel(tuning->measuring.verbose),
			(errmsg("trial %d: %.5f, trained in %.0f ms, evaluated in %.0f ms: %s", tuning->ntrials,
					trial->mean.mean, trial->training_ms, trial->evaluation_ms, text)));
}

static int
compare_trials(const void *a, const void *b)
{
	const Trial *left = a;
	const Trial *right = b;

	if (isnan(left->mean.mean) || isnan(right->mean.mean))
	{
		if (isnan(left->mean.mean) != isnan(right->mean.mean))
			return isnan(left->mean.mean) ? 1 : -1;
	}
	else if (left->mean.mean != right->mean.mean)
		return left->mean.mean > right->mean.mean ? -1 : 1;
	return left->number - right->number;
}

/* What RecsysGuardIf calls */
typedef struct TrialWork
{
	Tuning	   *tuning;
	RecsysSplit *split;
	const char *text;
} TrialWork;

static void
do_trial(void *arg)
{
	TrialWork  *work = arg;

	try_model(work->tuning, work->split, work->text);
}

static bool
is_too_large(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_CONFIGURATION_LIMIT_EXCEEDED;
}

/* A search goes on without models that do not fit into memory. */
static bool
model_fits(Tuning *tuning, RecsysSplit *split, const char *text)
{
	TrialWork	work = {tuning, split, text};
	char	   *problem = RecsysGuardIf(do_trial, &work, is_too_large);

	if (problem == NULL)
		return true;
	MemoryContextDelete(tuning->trial_context);
	ereport(RecsysProgressLevel(tuning->measuring.verbose),
			(errmsg("passed over: %s", text), errdetail("%s.", problem)));
	pfree(problem);
	return false;
}

/* Options of the model that are not the default, as query_item_similarity() takes them. */
static char *
options_text(const RecsysModelOptions *options)
{
	RecsysModelOptions initial;
	StringInfoData text;

	RecsysModelOptionsInit(&initial);
	initial.similarity = options->similarity;
	RecsysModelOptionsResolve(&initial);
	initStringInfo(&text);
	for (int x = 0; x < RecsysModelOptionCount; x++)
	{
		const RecsysModelOption *option = &RecsysModelOptionTable[x];
		const char *value;

		switch (option->kind)
		{
			case RECSYS_OPTION_REAL:
				if (*RecsysModelOptionField(option, options, double) ==
					*RecsysModelOptionField(option, &initial, double))
					continue;
				value = psprintf("%g", *RecsysModelOptionField(option, options, double));
				break;
			case RECSYS_OPTION_INTERVAL:
				if (*RecsysModelOptionField(option, options, int64) ==
					*RecsysModelOptionField(option, &initial, int64))
					continue;
				value = psprintf("%lld microseconds",
								 (long long) *RecsysModelOptionField(option, options, int64));
				break;
			default:
				if (*RecsysModelOptionField(option, options, int) ==
					*RecsysModelOptionField(option, &initial, int))
					continue;
				value = option->kind == RECSYS_OPTION_WEIGHTING ?
					RecsysWeightingName(options->weighting) :
					psprintf("%d", *RecsysModelOptionField(option, options, int));
				break;
		}
		appendStringInfo(&text, "%s%s = %s", text.len > 0 ? ", " : "", option->name, value);
	}
	return text.data;
}

/* The command that makes use of a model: an index, or what can be had of any query. */
static char *
command_of(const Tuning *tuning, const char *text)
{
	RecsysModelText model;

	if (tuning->has_command)
		return psprintf("%s%s%s", tuning->command.before, text, tuning->command.after);
	RecsysParseModelText(text, &model);
	return psprintf("SELECT * FROM query_item_similarity(%s%s, similarity => '%s', options => %s)",
					quote_literal_cstr(tuning->query),
					tuning->item_kind == RECSYS_KEY_INT ? "" :
					psprintf(", item_type => NULL::%s", RecsysKeyKindName(tuning->item_kind)),
					RecsysSimilarityName(model.options.similarity),
					quote_literal_cstr(options_text(&model.options)));
}

static void
put_trial(Tuning *tuning, int rank, const Trial *trial)
{
	Datum		values[TUNE_COLUMNS];
	bool		isnull[TUNE_COLUMNS] = {false};
	double		numbers[] = {trial->mean.mean, trial->mean.low, trial->mean.high,
	trial->training_ms, trial->evaluation_ms};

	values[0] = Int32GetDatum(rank);
	for (int x = 0; x < (int) lengthof(numbers); x++)
	{
		values[x + 1] = Float8GetDatum(numbers[x]);
		isnull[x + 1] = isnan(numbers[x]);
	}
	values[6] = Int64GetDatum((int64) trial->mean.rows);
	values[7] = CStringGetTextDatum(trial->model);
	values[8] = CStringGetTextDatum(command_of(tuning, trial->model));
	RecsysAnswerPut(&tuning->answer, values, isnull);
}

static void
tune(FunctionCallInfo fcinfo, Tuning *tuning)
{
	MemoryContext context;
	MemoryContext old;
	RecsysSplit *split;
	const char *text;
	bool		searching;

	tuning->start = GetCurrentTimestamp();
	context = AllocSetContextCreate(CurrentMemoryContext, "recsys tuning", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	tuning->trials = palloc(sizeof(Trial) * tuning->most_trials);
	if (!PG_ARGISNULL(5))
		tuning->candidates = RecsysCandidatesGiven(read_models(fcinfo, 5));
	split = RecsysMakeSplit(&tuning->split_options, tuning->measuring.verbose);
	tuning->item_kind = split->item_kind;
	searching = tuning->candidates == NULL;
	if (searching)
		tuning->candidates = RecsysCandidatesSearch(split->timed);

	/* at least one trial, so that there is an answer */
	while ((tuning->ntrials == 0 || budget_left(tuning)) &&
		   (text = RecsysCandidatesNext(tuning->candidates)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (!searching || tuning->ntrials == 0)
			try_model(tuning, split, text);
		else if (!model_fits(tuning, split, text))
		{
			RecsysCandidatesReport(tuning->candidates, NAN);
			continue;
		}
		RecsysCandidatesReport(tuning->candidates, tuning->trials[tuning->ntrials - 1].mean.mean);
	}
	qsort(tuning->trials, tuning->ntrials, sizeof(Trial), compare_trials);
	for (int x = 0; x < tuning->ntrials; x++)
		put_trial(tuning, x + 1, &tuning->trials[x]);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

Datum
recsys_tune(PG_FUNCTION_ARGS)
{
	Tuning		tuning = {0};

	RecsysAnswerInit(&tuning.answer, fcinfo);
	tuning.query = RecsysArgQuery(fcinfo, 0, "query");
	read_arguments(fcinfo, &tuning);
	tuning.has_command = RecsysCommandOfQuery(tuning.query, &tuning.command);
	tune(fcinfo, &tuning);
	return (Datum) 0;
}

/* The rows of an index instead of a query. */
Datum
recsys_tune_index(PG_FUNCTION_ARGS)
{
	Tuning		tuning = {0};

	RecsysAnswerInit(&tuning.answer, fcinfo);
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("index must not be NULL")));
	tuning.query = RecsysQueryOfIndex(PG_GETARG_OID(0), &tuning.command);
	tuning.has_command = true;
	read_arguments(fcinfo, &tuning);
	tune(fcinfo, &tuning);
	return (Datum) 0;
}
