/*
 * trials.c
 *	  Models trained and measured one after the other, within a budget.
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
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* So many results are told when the statement ends without an answer. */
#define TOLD_RESULTS 20

static int
compare_trials(const void *a, const void *b)
{
	const RecsysTrial *left = a;
	const RecsysTrial *right = b;

	if (isnan(left->mean.mean) || isnan(right->mean.mean))
	{
		if (isnan(left->mean.mean) != isnan(right->mean.mean))
			return isnan(left->mean.mean) ? 1 : -1;
	}
	else if (left->mean.mean != right->mean.mean)
		return left->mean.mean > right->mean.mean ? -1 : 1;
	return left->number - right->number;
}

static bool
budget_left(const RecsysTrials *trials)
{
	return trials->ntrials < trials->max_trials &&
		(double) (GetCurrentTimestamp() - trials->start) < trials->microseconds;
}

static void
try_model(RecsysTrials *trials, RecsysSplit *split, const char *text)
{
	RecsysMeasuringMemory memory = {CurrentMemoryContext, split->options.memory_limit};
	MemoryContext context = AllocSetContextCreate(memory.context, "recsys trial", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysItemKnowledge knowledge = {0};
	RecsysEvaluation evaluation = {0};
	RecsysOutcome outcome;
	RecsysModelText model;
	RecsysTrial *trial = &trials->trials[trials->ntrials];
	RecsysMeasuring quiet = trials->measuring;
	RecsysSample sample = {.ncolumns = 1};
	RecsysResampling resampling = {quiet.resamples, quiet.confidence, quiet.seed, 0};

	trials->context = context;
	quiet.verbose = false;
	RecsysParseModelText(text, &model);
	trial->training_ms = RecsysTrainForMeasuring(split, &model, quiet.verbose, &evaluation);
	trial->evaluation_ms = RecsysMeasure(&quiet, &knowledge, &memory, &evaluation, &outcome);
	sample.table = outcome.figures;
	sample.nrows = evaluation.nusers;
	RecsysBootstrap(&sample, &resampling, &trial->mean);
	trial->model = text;
	trial->number = trials->ntrials++;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	ereport(RecsysProgressLevel(trials->measuring.verbose),
			(errmsg("trial %d: %.5f, trained in %.0f ms, evaluated in %.0f ms: %s", trials->ntrials,
					trial->mean.mean, trial->training_ms, trial->evaluation_ms, text)));
}

/* What RecsysGuardCatch calls */
typedef struct TrialWork
{
	RecsysTrials *trials;
	RecsysSplit *split;
	const char *text;
} TrialWork;

static void
do_trial(void *arg)
{
	TrialWork  *work = arg;

	try_model(work->trials, work->split, work->text);
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
	RecsysTrials *trials = work->trials;
	bool		limited = trials->ntrials > 0 && !isinf(trials->microseconds);
	ErrorData  *volatile error = NULL;

	*interrupted = false;

	/* one trial is let run to its end, so that there is an answer */
	if (!limited)
		return RecsysGuardCatch(do_trial, work, is_of_model);

	RecsysDeadlineBegin(trials->start + (int64) Min(trials->microseconds, (double) PG_INT64_MAX / 4));
	PG_TRY();
	{
		error = RecsysGuardCatch(do_trial, work, is_of_model);
	}
	PG_FINALLY();
	{
		RecsysDeadlineEnd();
	}
	PG_END_TRY();
	*interrupted = error != NULL && error->sqlerrcode == ERRCODE_QUERY_CANCELED;
	return error;
}

/* False when the model had to be passed over. */
static bool
model_works(RecsysTrials *trials, RecsysSplit *split, const char *text)
{
	TrialWork	work = {trials, split, text};
	int			before = trials->ntrials;
	bool		interrupted;
	ErrorData  *error;
	RecsysFailedModel *failure;

	trials->context = NULL;
	error = guard_trial(&work, &interrupted);
	if (error == NULL)
		return true;
	if (trials->ntrials > before)
		return true;			/* interrupted when it was done */
	if (trials->context != NULL)
		MemoryContextDelete(trials->context);
	failure = palloc(sizeof(RecsysFailedModel));
	failure->model = text;
	failure->error = interrupted ? NULL : error;
	trials->failures = lappend(trials->failures, failure);
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

/* Tries models while there is any budget and any model left. */
static void
try_models(RecsysTrials *trials, RecsysSplit *split)
{
	const char *text;

	/* at least one trial, so that there is an answer */
	while ((trials->ntrials == 0 || budget_left(trials)) &&
		   (text = RecsysCandidatesNext(trials->candidates)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		RecsysCandidatesReport(trials->candidates, model_works(trials, split, text) ?
							   trials->trials[trials->ntrials - 1].mean.mean : NAN);
	}

	/* a table of reasons alone would look like an answer */
	if (trials->ntrials == 0 && trials->failures != NIL)
		ReThrowError(((RecsysFailedModel *) linitial(trials->failures))->error);
}

/* What is finished, where rows cannot be returned any more. */
static void
tell_results(RecsysTrials *trials)
{
	StringInfoData lines;

	if (trials->ntrials == 0)
		return;
	qsort(trials->trials, trials->ntrials, sizeof(RecsysTrial), compare_trials);
	initStringInfo(&lines);
	for (int x = 0; x < Min(trials->ntrials, TOLD_RESULTS); x++)
		appendStringInfo(&lines, "%s%.5f  %s", x > 0 ? "\n" : "", trials->trials[x].mean.mean,
						 trials->trials[x].model);
	ereport(NOTICE,
			(errmsg_plural("%d model had been tried before tuning was ended",
						   "%d models had been tried before tuning was ended",
						   trials->ntrials, trials->ntrials),
			 errdetail("Best first:\n%s", lines.data),
			 errhint("Set time_limit to get rows within that time.")));
}

void
RecsysTryModels(RecsysTrials *trials, RecsysSplit *split)
{
	MemoryContext context = CurrentMemoryContext;

	trials->trials = palloc(sizeof(RecsysTrial) * trials->max_trials);
	PG_TRY();
	{
		try_models(trials, split);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		tell_results(trials);
		ReThrowError(error);
	}
	PG_END_TRY();
	qsort(trials->trials, trials->ntrials, sizeof(RecsysTrial), compare_trials);
}
