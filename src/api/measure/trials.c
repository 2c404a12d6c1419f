/*
 * trials.c
 *	  Models trained and measured one after the other, and what has come of it.
 *
 * Nothing that is finished is lost.  A model that cannot be trained is passed over, and a
 * NOTICE says why.  A trial that is still running when the time is up is interrupted.  A
 * statement that is cancelled or fails returns no rows in PostgreSQL, so then a NOTICE tells
 * the results so far.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/guard.h"
#include "api/measure/deadline.h"
#include "api/measure/measuring.h"
#include "api/measure/model_argument.h"
#include "api/measure/trials.h"
#include "core/pairs/modeloptions.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "source/train/split_train.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* So many results are told when the statement ends without an answer. */
#define TOLD_RESULTS 20

/* Of the time, what trials on samples may take at most. */
#define SAMPLES_SHARE 0.7

static int
compare_trials(const void *a, const void *b)
{
	const RecsysTrial *left = a;
	const RecsysTrial *right = b;

	if (left->level != right->level)
		return left->level > right->level ? -1 : 1;
	if (isnan(left->mean.mean) || isnan(right->mean.mean))
	{
		if (isnan(left->mean.mean) != isnan(right->mean.mean))
			return isnan(left->mean.mean) ? 1 : -1;
	}
	else if (left->mean.mean != right->mean.mean)
		return left->mean.mean > right->mean.mean ? -1 : 1;
	return left->number - right->number;
}

void
RecsysSortTrials(RecsysTrials *trials)
{
	qsort(trials->trials, trials->ntrials, sizeof(RecsysTrial), compare_trials);
}

bool
RecsysTimeIsLeft(const RecsysTrials *trials, double share)
{
	return (double) (GetCurrentTimestamp() - trials->start) < trials->microseconds * share;
}

static RecsysTrial *
new_trial(RecsysTrials *trials)
{
	if (trials->ntrials == trials->size)
	{
		trials->size = Max(64, trials->size * 2);
		if (trials->trials == NULL)
			trials->trials = MemoryContextAlloc(trials->context, sizeof(RecsysTrial) * trials->size);
		else
			trials->trials = repalloc_huge(trials->trials, sizeof(RecsysTrial) * (Size) trials->size);
	}
	memset(&trials->trials[trials->ntrials], 0, sizeof(RecsysTrial));
	return &trials->trials[trials->ntrials];
}

/* The means of a full trial, with all that is said of them */
static void
judge_in_full(RecsysTrials *trials, const RecsysOutcome *outcome, uint32 nusers, RecsysTrial *trial)
{
	RecsysSample sample = {.table = outcome->figures, .ncolumns = 1, .nrows = nusers};
	RecsysResampling resampling = {trials->measuring.resamples, trials->measuring.confidence,
		trials->measuring.seed, 0};
	RecsysFigureColumn model = {outcome->figures, 1, 0};
	RecsysFigureColumn popular = {trials->popular, 1, 0};
	RecsysSegment all = {.nusers = nusers};
	RecsysContest contest;

	RecsysBootstrap(&sample, &resampling, &trial->mean);
	trial->p_popular = NAN;
	if (trials->popular == NULL)
	{
		trials->popular = MemoryContextAllocHuge(trials->context, sizeof(double) * Max((Size) nusers, 1));
		memcpy(trials->popular, outcome->figures, sizeof(double) * nusers);
	}
	if (trial->popular)
		return;
	RecsysContestBetween(&model, &popular, &all, &contest);
	trial->p_popular = contest.p_value;
	RecsysCrossfitAdd(trials->crossfit, outcome->figures);
}

static void
judge_in_part(const RecsysOutcome *outcome, uint32 nusers, RecsysTrial *trial)
{
	RecsysSample sample = {.table = outcome->figures, .ncolumns = 1, .nrows = nusers};
	RecsysResampling none = {0};

	RecsysBootstrap(&sample, &none, &trial->mean);
	trial->p_popular = NAN;
}

static void
report_progress(const RecsysTrials *trials, const RecsysTrial *trial)
{
	int			level = RecsysProgressLevel(trials->measuring.verbose);

	if (trial->level == RECSYS_LEVEL_FULL)
		ereport(level,
				(errmsg("trial %d: %.5f, trained in %.0f ms, evaluated in %.0f ms: %s", trials->ntrials,
						trial->mean.mean, trial->training_ms, trial->evaluation_ms, trial->model)));
	else
		ereport(level,
				(errmsg("trial %d, on %u users: %.5f, trained in %.0f ms, evaluated in %.0f ms: %s",
						trials->ntrials, trial->mean.rows, trial->mean.mean, trial->training_ms,
						trial->evaluation_ms, trial->model)));
}

static void
try_model(RecsysTrials *trials, const char *text, RecsysLevel level)
{
	RecsysSplit *split = trials->splits[level];
	RecsysMeasuringMemory memory = {CurrentMemoryContext, split->options.memory_limit};
	MemoryContext context = AllocSetContextCreate(memory.context, "recsys trial", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysItemKnowledge knowledge = {0};
	RecsysEvaluation evaluation = {0};
	RecsysOutcome outcome;
	RecsysModelText model;
	RecsysTrial *trial = new_trial(trials);
	RecsysMeasuring quiet = trials->measuring;

	trials->trial_context = context;
	quiet.verbose = false;
	RecsysParseModelText(text, &model);
	trial->model = text;
	trial->level = level;
	trial->popular = !RecsysModelHasPairs(&model.options);
	trial->counted = RecsysModelIsCounted(&model.options);
	trial->training_ms = RecsysTrainForMeasuring(split, &model, quiet.verbose, &evaluation);
	trial->evaluation_ms = RecsysMeasure(&quiet, &knowledge, &memory, &evaluation, &outcome);
	if (level == RECSYS_LEVEL_FULL)
		judge_in_full(trials, &outcome, evaluation.nusers, trial);
	else
		judge_in_part(&outcome, evaluation.nusers, trial);
	trial->number = trials->ntrials++;
	if (level == RECSYS_LEVEL_FULL && !trial->popular)
		trials->nfull++;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	report_progress(trials, trial);
}

void
RecsysTryPopular(RecsysTrials *trials)
{
	try_model(trials, "similarity = popular", RECSYS_LEVEL_FULL);
}

/* What RecsysGuardCatch calls */
typedef struct TrialWork
{
	RecsysTrials *trials;
	const char *text;
	RecsysLevel level;
} TrialWork;

static void
do_trial(void *arg)
{
	TrialWork  *work = arg;

	try_model(work->trials, work->text, work->level);
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

/*
 * Works until a share of the time has passed (INFINITY: to its end).  Returns what it has
 * failed of; *interrupted: nothing, but the time was up.
 */
static ErrorData *
guard(const RecsysTrials *trials, RecsysGuardedWork do_work, void *work, double time_share,
	  bool *interrupted)
{
	double		limit = trials->microseconds * time_share;
	ErrorData  *volatile error = NULL;

	*interrupted = false;
	if (isinf(limit))
		return RecsysGuardCatch(do_work, work, is_of_model);

	RecsysDeadlineBegin(trials->start + (int64) Min(limit, (double) PG_INT64_MAX / 4));
	PG_TRY();
	{
		error = RecsysGuardCatch(do_work, work, is_of_model);
	}
	PG_FINALLY();
	{
		RecsysDeadlineEnd();
	}
	PG_END_TRY();
	*interrupted = error != NULL && error->sqlerrcode == ERRCODE_QUERY_CANCELED;
	return error;
}

static void
tell_failure(const char *text, const ErrorData *error)
{
	if (error == NULL)
		ereport(NOTICE,
				(errmsg("model was interrupted at the time limit: %s", text),
				 errhint("Raise time_limit, or try it alone with models => ARRAY[%s].",
						 quote_literal_cstr(text))));
	else
		ereport(NOTICE,
				(errmsg("model was passed over: %s", text),
				 errdetail("%s.", error->message),
				 error->hint != NULL ? errhint("%s", error->hint) : 0));
}

static void
record_failure(RecsysTrials *trials, const char *text, ErrorData *error)
{
	RecsysFailedModel *failure = MemoryContextAlloc(trials->context, sizeof(RecsysFailedModel));
	MemoryContext old = MemoryContextSwitchTo(trials->context);

	failure->model = text;
	failure->error = error;
	trials->failures = lappend(trials->failures, failure);
	MemoryContextSwitchTo(old);
	tell_failure(text, error);
}

void
RecsysTellInterrupted(RecsysTrials *trials, const RecsysCandidate *candidate)
{
	record_failure(trials, candidate->text, NULL);
}

bool
RecsysTryCandidate(RecsysTrials *trials, RecsysCandidate *candidate, RecsysLevel level)
{
	TrialWork	work = {trials, candidate->text, level};
	double		share = level == RECSYS_LEVEL_FULL ? 1.0 : SAMPLES_SHARE;
	int			before = trials->ntrials;
	bool		interrupted;
	ErrorData  *error;

	CHECK_FOR_INTERRUPTS();
	candidate->tried[level] = true;
	trials->trial_context = NULL;

	/* one trial is let run to its end, so that there is an answer */
	if (level == RECSYS_LEVEL_FULL && trials->nfull == 0)
		share = INFINITY;
	error = guard(trials, do_trial, &work, share, &interrupted);

	/* it may have been interrupted when it was done */
	if (error == NULL || trials->ntrials > before)
	{
		candidate->values[level] = trials->trials[trials->ntrials - 1].mean.mean;
		return true;
	}
	if (trials->trial_context != NULL)
		MemoryContextDelete(trials->trial_context);
	if (interrupted && level != RECSYS_LEVEL_FULL)
	{
		candidate->interrupted = true;
		return false;
	}
	candidate->failed = true;
	record_failure(trials, candidate->text, interrupted ? NULL : error);
	return false;
}

/* similarity = auto: chooses on the split, and writes down what */
typedef struct ChoiceWork
{
	RecsysTrials *trials;
	const char *text;
	char	   *chosen;
} ChoiceWork;

static void
do_choose(void *arg)
{
	ChoiceWork *work = arg;
	RecsysTrials *trials = work->trials;
	RecsysSplit *split = trials->splits[RECSYS_LEVEL_FULL];
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys trial", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysDataShape shape = {split->weighted, split->timed, 0};
	RecsysModelText model;

	trials->trial_context = context;
	RecsysParseModelText(work->text, &model);
	RecsysSplitChoose(split, max_parallel_maintenance_workers, &model.options, &model.half_life);
	work->chosen = MemoryContextStrdup(trials->context, RecsysPlainModelText(&model, &shape));
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

const char *
RecsysChosenText(RecsysTrials *trials, const char *text, double time_share)
{
	ChoiceWork	work = {trials, text, NULL};
	RecsysModelText model;
	bool		interrupted;
	ErrorData  *error;

	RecsysParseModelText(text, &model);
	if (model.options.similarity != RECSYS_AUTO)
		return text;
	CHECK_FOR_INTERRUPTS();
	trials->trial_context = NULL;
	error = guard(trials, do_choose, &work, time_share, &interrupted);
	if (work.chosen != NULL)
	{
		ereport(RecsysProgressLevel(trials->measuring.verbose),
				(errmsg("chose %s", work.chosen)));
		return work.chosen;
	}
	if (trials->trial_context != NULL)
		MemoryContextDelete(trials->trial_context);
	record_failure(trials, text, interrupted ? NULL : error);
	return NULL;
}

void
RecsysTellTrials(RecsysTrials *trials)
{
	StringInfoData lines;

	if (trials->nfull == 0 && trials->ntrials <= 1)
		return;
	RecsysSortTrials(trials);
	initStringInfo(&lines);
	for (int x = 0; x < Min(trials->ntrials, TOLD_RESULTS); x++)
	{
		const RecsysTrial *trial = &trials->trials[x];

		if (trial->level == RECSYS_LEVEL_FULL)
			appendStringInfo(&lines, "%s%.5f  %s", x > 0 ? "\n" : "", trial->mean.mean, trial->model);
		else
			appendStringInfo(&lines, "%s%.5f  %s (on %u users)", x > 0 ? "\n" : "", trial->mean.mean,
							 trial->model, trial->mean.rows);
	}
	ereport(NOTICE,
			(errmsg_plural("%d model had been tried before tuning was ended",
						   "%d models had been tried before tuning was ended",
						   trials->ntrials, trials->ntrials),
			 errdetail("Best first:\n%s", lines.data),
			 errhint("Set time_limit to get rows within that time.")));
}
