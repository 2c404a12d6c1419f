/*
 * tune.c
 *	  recsys.tune(): which model, with which options, foretells best.
 *
 * One split, many models: each is trained and evaluated on it, within a budget of
 * trials and of time, and the answer is all that were measured in full, best first, each
 * with the command that makes it an index.  A list of bestsellers is always among them.
 * Models that were passed over stand behind all others, with the reason.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/recommender.h"
#include "api/measure/bestsellers.h"
#include "api/measure/candidates.h"
#include "api/measure/figures.h"
#include "api/measure/halving.h"
#include "api/measure/index_command.h"
#include "api/measure/measuring.h"
#include "api/measure/measuring_arguments.h"
#include "api/measure/trials.h"
#include "catalog/pg_type.h"
#include "core/pairs/modeloptions.h"
#include "source/input/query.h"
#include "source/input/values.h"
#include "source/train/optiontext.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_tune);
PG_FUNCTION_INFO_V1(recsys_tune_index);

#define TUNE_COLUMNS 12

/* Learned models are told of from here on: so much better than the best counted one. */
#define MUCH_BETTER 0.05

/* Arguments */
enum
{
	QUERY_OR_INDEX, METRIC, K, TRIALS, TIME_LIMIT, MODELS, TEST, HOLDOUT_SHARE, HOLDOUT_LAST,
	HOLDOUT_SINCE, EXCLUDE_SEEN, CONFIDENCE, RESAMPLES, SEED, VERBOSE
};

typedef struct Tuning
{
	RecsysAnswer answer;
	RecsysTrials trials;
	RecsysSplitOptions split_options;
	char	   *query;
	Oid			role;			/* whose rights it runs with; InvalidOid: the caller's */
	RecsysIndexCommand command;
	bool		has_command;
	RecsysKeyKind item_kind;
	bool		weighted;
} Tuning;

/* What is better when there is more of it */
static bool
can_be_tuned(RecsysMetric metric)
{
	return metric < RECSYS_USER_METRICS && metric != RECSYS_METRIC_POPULARITY &&
		metric != RECSYS_METRIC_CATEGORY_DIVERSITY && metric != RECSYS_METRIC_NEW_ITEMS &&
		(RECSYS_METRIC_BIT(metric) & RECSYS_BASKET_METRICS) == 0;
}

static uint32
read_metric(FunctionCallInfo fcinfo, int argument)
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
	return RECSYS_METRIC_BIT(metric);
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

static void
read_arguments(FunctionCallInfo fcinfo, Tuning *tuning)
{
	RecsysTrials *trials = &tuning->trials;
	RecsysMeasuring *measuring = &trials->measuring;

	measuring->metrics = read_metric(fcinfo, METRIC);
	measuring->nks = 1;
	measuring->ks[0] = RecsysArgInteger(fcinfo, K, "k", 1, RECSYS_EVALUATION_MAX_K);
	trials->max_trials = RecsysArgInteger(fcinfo, TRIALS, "trials", 1, 100000);
	trials->microseconds = INFINITY;
	if (!PG_ARGISNULL(TIME_LIMIT))
	{
		trials->microseconds = RecsysIntervalMicroseconds(PG_GETARG_INTERVAL_P(TIME_LIMIT));
		if (!(trials->microseconds > 0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("time_limit must be a positive interval"),
					 errhint("Pass NULL for no limit.")));
	}
	RecsysArgSplit(fcinfo, tuning->query, TEST, EXCLUDE_SEEN, SEED, RECSYS_TASK_NEXT_ITEM,
				   &tuning->split_options);
	tuning->split_options.role = tuning->role;
	measuring->confidence = RecsysArgConfidence(fcinfo, CONFIDENCE);
	measuring->resamples = RecsysArgResamples(fcinfo, RESAMPLES);
	measuring->seed = tuning->split_options.seed;
	measuring->verbose = RecsysArgFlag(fcinfo, VERBOSE, "verbose");
}

/* Options of the model that are not the default, as query_item_similarity() takes them. */
static char *
options_text(const RecsysModelOptions *options)
{
	RecsysModelOptions initial;

	RecsysModelOptionsInit(&initial);
	initial.similarity = options->similarity;
	if (options->similarity != RECSYS_AUTO)
		RecsysModelOptionsResolve(&initial);
	return RecsysOptionsUnlike(options, &initial);
}

/* Bestsellers of any query */
static char *
bestsellers_command(const Tuning *tuning)
{
	char	   *query = pstrdup(tuning->query);
	Size		length = strlen(query);

	/* in parentheses no semicolon may end it, and a comment must not swallow what follows */
	while (length > 0 && strchr("; \t\r\n", query[length - 1]) != NULL)
		query[--length] = '\0';
	return psprintf("SELECT item, count(*) AS users FROM (SELECT user_id, item FROM (%s%s) AS interactions (user_id, item%s) "
					"WHERE user_id IS NOT NULL AND item IS NOT NULL GROUP BY 1, 2%s) AS folded GROUP BY 1 ORDER BY 2 DESC, 1",
					query, strstr(query, "--") != NULL ? "\n" : "", tuning->weighted ? ", weight" : "",
					tuning->weighted ? " HAVING sum(coalesce(weight, 1)) > 0" : "");
}

/* The command that makes use of a model: an index, or what can be had of any query. */
static char *
command_of(const Tuning *tuning, const char *text)
{
	RecsysModelText model;

	if (tuning->has_command)
		return RecsysIndexCommandWith(&tuning->command, text);
	RecsysParseModelText(text, &model);
	if (!RecsysModelHasPairs(&model.options))
		return bestsellers_command(tuning);
	return psprintf("SELECT * FROM query_item_similarity(%s%s, similarity => '%s', options => %s)",
					quote_literal_cstr(tuning->query),
					tuning->item_kind == RECSYS_KEY_INT ? "" :
					psprintf(", item_type => NULL::%s", RecsysKeyKindName(tuning->item_kind)),
					RecsysSimilarityName(model.options.similarity),
					quote_literal_cstr(options_text(&model.options)));
}

/* Why, and what to do about it */
static char *
problem_of(const RecsysFailedModel *failure)
{
	if (failure->error == NULL)
		return pstrdup("interrupted at the time limit");
	if (failure->error->hint == NULL)
		return failure->error->message;
	return psprintf("%s. %s", failure->error->message, failure->error->hint);
}

/* A failed model's row: its text and the reason */
static void
put_failure(Tuning *tuning, int rank, const RecsysFailedModel *failure)
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

/* honest: what the best model is worth to users who have not chosen it; NaN for all others */
static void
put_trial(Tuning *tuning, int rank, const RecsysTrial *trial, double honest)
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
	RecsysSetFigure(values, isnull, 10, trial->p_popular);
	RecsysSetFigure(values, isnull, 11, honest);
	RecsysAnswerPut(&tuning->answer, values, isnull);
}

/* The best full trial that is or is not counted, bestsellers left out; NULL when there is none. */
static const RecsysTrial *
best_trial(const RecsysTrials *trials, bool counted, bool learned)
{
	for (int x = 0; x < trials->ntrials && trials->trials[x].level == RECSYS_LEVEL_FULL; x++)
	{
		const RecsysTrial *trial = &trials->trials[x];

		if (!trial->popular && !isnan(trial->mean.mean) && (trial->counted ? counted : learned))
			return trial;
	}
	return NULL;
}

static void
put_rows(Tuning *tuning, const RecsysContest *honest)
{
	const RecsysTrials *trials = &tuning->trials;
	const RecsysTrial *best = best_trial(trials, true, true);
	ListCell   *cell;
	int			rank = 0;

	while (rank < trials->ntrials && trials->trials[rank].level == RECSYS_LEVEL_FULL)
	{
		const RecsysTrial *trial = &trials->trials[rank];

		put_trial(tuning, ++rank, trial, trial == best ? honest->model : NAN);
	}
	foreach(cell, trials->failures)
		put_failure(tuning, ++rank, lfirst(cell));
}

/* The best model against bestsellers, each user asked about the one that others have chosen */
static void
contest_of_best(const RecsysTrials *trials, RecsysContest *contest)
{
	RecsysFigureColumn model = {RecsysCrossfitFigures(trials->crossfit), 1, 0};
	RecsysFigureColumn popular = {trials->popular, 1, 0};
	RecsysSegment all = {.nusers = trials->crossfit->nusers};

	RecsysContestBetween(&model, &popular, &all, contest);
}

static void
warn_of_bestsellers(const Tuning *tuning, const RecsysContest *contest)
{
	const RecsysTrials *trials = &tuning->trials;
	RecsysMetric metric = RECSYS_METRIC_NDCG;
	const RecsysTrial *best = best_trial(trials, true, true);

	if (best == NULL ||
		RecsysJudgeContest(contest, trials->measuring.confidence) == RECSYS_VERDICT_BETTER)
		return;
	while ((trials->measuring.metrics & RECSYS_METRIC_BIT(metric)) == 0)
		metric = (metric + 1) % RECSYS_USER_METRICS;
	ereport(WARNING,
			(errmsg("no model that was tried is significantly better than a list of bestsellers"),
			 errdetail("For %u users who had no part in choosing it, %s is %.4f with the best model and %.4f with similarity = popular (p = %.2g).",
					   contest->users,
					   RecsysFigureName(metric, RecsysMetricHasK(metric) ? trials->measuring.ks[0] : 0),
					   contest->model, contest->model - contest->difference, contest->p_value),
			 errhint("Bestsellers cost nothing and need no training: %s;",
					 command_of(tuning, "similarity = popular"))));
}

/* Learned models need a REINDEX to follow, so what they are better by has to be known. */
static void
tell_of_learned(const Tuning *tuning)
{
	const RecsysTrial *counted = best_trial(&tuning->trials, true, false);
	const RecsysTrial *learned = best_trial(&tuning->trials, false, true);

	if (counted == NULL || learned == NULL ||
		learned->mean.mean <= counted->mean.mean * (1 + MUCH_BETTER))
		return;
	ereport(NOTICE,
			(errmsg("a learned model is better than the best counted one by %.0f %%",
					100 * (learned->mean.mean / counted->mean.mean - 1)),
			 errdetail("It makes %.4f, the counted one %.4f (%s), which merges keep up to date; a learned one waits for a REINDEX.",
					   learned->mean.mean, counted->mean.mean, counted->model),
			 errhint("To use it: %s;", command_of(tuning, learned->model))));
}

static void
tune(FunctionCallInfo fcinfo, Tuning *tuning)
{
	RecsysTrials *trials = &tuning->trials;
	RecsysContest honest;
	List	   *models = NIL;
	RecsysSplit *split;
	MemoryContext context;
	MemoryContext old;

	trials->start = GetCurrentTimestamp();
	context = AllocSetContextCreate(CurrentMemoryContext, "recsys tuning", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	if (!PG_ARGISNULL(MODELS))
		models = RecsysExpandModels(read_models(fcinfo, MODELS));
	split = RecsysMakeSplit(&tuning->split_options, trials->measuring.verbose);
	tuning->item_kind = split->item_kind;
	tuning->weighted = split->weighted;
	if (models == NIL)
		RecsysSearchModels(trials, split);
	else
		RecsysTryModels(trials, split, models);
	contest_of_best(trials, &honest);
	put_rows(tuning, &honest);
	warn_of_bestsellers(tuning, &honest);
	tell_of_learned(tuning);
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
	tuning.query = RecsysArgQuery(fcinfo, QUERY_OR_INDEX, "query");

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
 * The rows of an index instead of a query.  They are read with the rights of the table's
 * owner, who has declared the expressions and the predicate that run.
 */
Datum
recsys_tune_index(PG_FUNCTION_ARGS)
{
	Tuning		tuning = {0};

	RecsysAnswerInit(&tuning.answer, fcinfo);
	if (PG_ARGISNULL(QUERY_OR_INDEX))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("index must not be NULL")));
	tune_index(fcinfo, PG_GETARG_OID(QUERY_OR_INDEX), &tuning);
	return (Datum) 0;
}
