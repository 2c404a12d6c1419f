/*
 * tune.c
 *	  recsys.tune(): which model, with which options, foretells best.
 *
 * One split, many models: each is trained and evaluated on it, within a budget of
 * trials and of time, and the answer is all of them, best first, each with the
 * command that makes it an index.
 *
 * Nothing that is finished is lost.  A model that cannot be trained is passed over: a NOTICE
 * says why, and so does its row, behind all others.  A trial that is still running when the
 * time is up is interrupted.  A statement that is cancelled or fails returns no rows in PostgreSQL, so
 * then a NOTICE tells the results so far.
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/guard.h"
#include "api/call/recommender.h"
#include "api/measure/candidates.h"
#include "api/measure/deadline.h"
#include "api/measure/index_command.h"
#include "api/measure/measuring.h"
#include "catalog/pg_type.h"
#include "core/measure/resample.h"
#include "core/pairs/modeloptions.h"
#include "miscadmin.h"
#include "source/input/query.h"
#include "source/input/values.h"
#include "source/train/optiontext.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_tune);
PG_FUNCTION_INFO_V1(recsys_tune_index);

#define TUNE_COLUMNS 10

/* So many results are told when the statement ends without an answer. */
#define TOLD_RESULTS 20

typedef struct Trial
{
	const char *model;
	RecsysMean	mean;
	double		training_ms;
	double		evaluation_ms;
	int			number;			/* in the order of trials */
} Trial;

/* A model that was passed over */
typedef struct Failure
{
	const char *model;
	ErrorData  *error;			/* NULL: interrupted when the time was up */
} Failure;

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
	List	   *failures;
	MemoryContext trial_context;	/* of the trial at hand */
	char	   *query;
	Oid			role;			/* whose rights it runs with; InvalidOid: the caller's */
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
	tuning->split_options.role = tuning->role;
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

/*
 * Whatever a model fails of, others may do without it: memory, files, weights that it cannot
 * take.  But the server's and the user's wish to end is no fault of the model.
 */
static bool
is_of_model(const ErrorData *error)
{
	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		return RecsysDeadlineReached();
	return ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_OPERATOR_INTERVENTION;
}

/* Returns what it has failed of; *interrupted: nothing, but the time was up. */
static ErrorData *
guard_trial(TrialWork *work, bool *interrupted)
{
	Tuning	   *tuning = work->tuning;
	bool		limited = tuning->ntrials > 0 && !isinf(tuning->microseconds);
	ErrorData  *volatile error = NULL;

	*interrupted = false;

	/* one trial is let run to its end, so that there is an answer */
	if (!limited)
		return RecsysGuardCatch(do_trial, work, is_of_model);

	RecsysDeadlineBegin(tuning->start + (int64) Min(tuning->microseconds, (double) PG_INT64_MAX / 4));
	PG_TRY();
	{
		error = RecsysGuardCatch(do_trial, work, is_of_model);
	}
	PG_FINALLY();
	{
		(void) RecsysDeadlineEnd();
	}
	PG_END_TRY();
	*interrupted = error != NULL && error->sqlerrcode == ERRCODE_QUERY_CANCELED;
	return error;
}

/* False when the model had to be passed over. */
static bool
model_works(Tuning *tuning, RecsysSplit *split, const char *text)
{
	TrialWork	work = {tuning, split, text};
	int			before = tuning->ntrials;
	bool		interrupted;
	ErrorData  *error;
	Failure    *failure;

	tuning->trial_context = NULL;
	error = guard_trial(&work, &interrupted);
	if (error == NULL)
		return true;
	if (tuning->ntrials > before)
		return true;			/* interrupted when it was done */
	if (tuning->trial_context != NULL)
		MemoryContextDelete(tuning->trial_context);
	failure = palloc(sizeof(Failure));
	failure->model = text;
	failure->error = interrupted ? NULL : error;
	tuning->failures = lappend(tuning->failures, failure);
	if (interrupted)
		ereport(NOTICE,
				(errmsg("model was interrupted at the time limit: %s", text),
				 errhint("Raise time_limit, or try it alone with models => ARRAY[%s].",
						 quote_literal_cstr(text))));
	else
		ereport(NOTICE,
				(errmsg("model was passed over: %s", text),
				 errdetail("%s.", error->message),
				 error->hint != NULL ? errhint("%s", error->hint) : 0));
	return false;
}

/* Options of the model that are not the default, as query_item_similarity() takes them. */
static char *
options_text(const RecsysModelOptions *options)
{
	RecsysModelOptions initial;

	RecsysModelOptionsInit(&initial);
	initial.similarity = options->similarity;
	RecsysModelOptionsResolve(&initial);
	return RecsysOptionsUnlike(options, &initial);
}

/* The command that makes use of a model: an index, or what can be had of any query. */
static char *
command_of(const Tuning *tuning, const char *text)
{
	RecsysModelText model;

	if (tuning->has_command)
		return RecsysIndexCommandWith(&tuning->command, text);
	RecsysParseModelText(text, &model);
	return psprintf("SELECT * FROM query_item_similarity(%s%s, similarity => '%s', options => %s)",
					quote_literal_cstr(tuning->query),
					tuning->item_kind == RECSYS_KEY_INT ? "" :
					psprintf(", item_type => NULL::%s", RecsysKeyKindName(tuning->item_kind)),
					RecsysSimilarityName(model.options.similarity),
					quote_literal_cstr(options_text(&model.options)));
}

/* Why, and what to do about it */
static char *
problem_of(const Failure *failure)
{
	if (failure->error == NULL)
		return pstrdup("interrupted at the time limit");
	if (failure->error->hint == NULL)
		return failure->error->message;
	return psprintf("%s. %s", failure->error->message, failure->error->hint);
}

/* A failed model's row: its text and the reason */
static void
put_failure(Tuning *tuning, int rank, const Failure *failure)
{
	Datum		values[TUNE_COLUMNS] = {0};
	bool		isnull[TUNE_COLUMNS];

	memset(isnull, true, sizeof(isnull));
	values[0] = Int32GetDatum(rank);
	values[7] = CStringGetTextDatum(failure->model);
	values[9] = CStringGetTextDatum(problem_of(failure));
	isnull[0] = isnull[7] = isnull[9] = false;
	RecsysAnswerPut(&tuning->answer, values, isnull);
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
	isnull[9] = true;
	RecsysAnswerPut(&tuning->answer, values, isnull);
}

/* Tries models while there is any budget and any model left. */
static void
try_models(Tuning *tuning, RecsysSplit *split)
{
	const char *text;

	/* at least one trial, so that there is an answer */
	while ((tuning->ntrials == 0 || budget_left(tuning)) &&
		   (text = RecsysCandidatesNext(tuning->candidates)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		RecsysCandidatesReport(tuning->candidates, model_works(tuning, split, text) ?
							   tuning->trials[tuning->ntrials - 1].mean.mean : NAN);
	}

	/* a table of reasons alone would look like an answer */
	if (tuning->ntrials == 0 && tuning->failures != NIL)
		ReThrowError(((Failure *) linitial(tuning->failures))->error);
}

/* What is finished, where rows cannot be returned any more. */
static void
tell_results(Tuning *tuning)
{
	StringInfoData lines;

	if (tuning->ntrials == 0)
		return;
	qsort(tuning->trials, tuning->ntrials, sizeof(Trial), compare_trials);
	initStringInfo(&lines);
	for (int x = 0; x < Min(tuning->ntrials, TOLD_RESULTS); x++)
		appendStringInfo(&lines, "%s%.5f  %s", x > 0 ? "\n" : "", tuning->trials[x].mean.mean,
						 tuning->trials[x].model);
	ereport(NOTICE,
			(errmsg_plural("%d model had been tried before tuning was ended",
						   "%d models had been tried before tuning was ended",
						   tuning->ntrials, tuning->ntrials),
			 errdetail("Best first:\n%s", lines.data),
			 errhint("Set time_limit to get rows within that time.")));
}

static void
search(Tuning *tuning)
{
	MemoryContext context = CurrentMemoryContext;
	RecsysSplit *split = RecsysMakeSplit(&tuning->split_options, tuning->measuring.verbose);

	tuning->item_kind = split->item_kind;
	if (tuning->candidates == NULL)
		tuning->candidates = RecsysCandidatesSearch(split->weighted, split->timed);
	PG_TRY();
	{
		try_models(tuning, split);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		tell_results(tuning);
		ReThrowError(error);
	}
	PG_END_TRY();
}

static void
tune(FunctionCallInfo fcinfo, Tuning *tuning)
{
	MemoryContext context;
	MemoryContext old;
	ListCell   *cell;
	int			rank = 0;

	tuning->start = GetCurrentTimestamp();
	context = AllocSetContextCreate(CurrentMemoryContext, "recsys tuning", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	tuning->trials = palloc(sizeof(Trial) * tuning->most_trials);
	if (!PG_ARGISNULL(5))
		tuning->candidates = RecsysCandidatesGiven(read_models(fcinfo, 5));
	search(tuning);

	qsort(tuning->trials, tuning->ntrials, sizeof(Trial), compare_trials);
	while (rank < tuning->ntrials)
	{
		put_trial(tuning, rank + 1, &tuning->trials[rank]);
		rank++;
	}
	foreach(cell, tuning->failures)
		put_failure(tuning, ++rank, lfirst(cell));
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

static void
tune_index(FunctionCallInfo fcinfo, Oid index, Tuning *tuning)
{
	tuning->query = RecsysQueryOfIndex(index, &tuning->role, &tuning->command);
	tuning->has_command = true;
	read_arguments(fcinfo, tuning);
	tune(fcinfo, tuning);
}

Datum
recsys_tune(PG_FUNCTION_ARGS)
{
	Tuning		tuning = {0};

	RecsysAnswerInit(&tuning.answer, fcinfo);
	tuning.query = RecsysArgQuery(fcinfo, 0, "query");

	/* a name without a cast is text */
	if (RecsysIsName(tuning.query))
	{
		tune_index(fcinfo, RecsysNamedRecommender(tuning.query), &tuning);
		return (Datum) 0;
	}
	read_arguments(fcinfo, &tuning);
	tuning.has_command = RecsysCommandOfQuery(tuning.query, &tuning.command);
	tune(fcinfo, &tuning);
	return (Datum) 0;
}

/*
 * The rows of an index instead of a query.  They are read with the rights of the
 * table's owner, whose expressions and predicate come to run.
 */
Datum
recsys_tune_index(PG_FUNCTION_ARGS)
{
	Tuning		tuning = {0};

	RecsysAnswerInit(&tuning.answer, fcinfo);
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("index must not be NULL")));
	tune_index(fcinfo, PG_GETARG_OID(0), &tuning);
	return (Datum) 0;
}
