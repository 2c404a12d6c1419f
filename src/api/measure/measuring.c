/*
 * measuring.c
 *	  A model trained on one part of the interactions and measured on the other.
 */
#include "postgres.h"

#include "api/measure/measuring.h"
#include "core/measure/basketlist.h"
#include "miscadmin.h"
#include "source/train/parallel_evaluation.h"
#include "source/train/split_train.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

RecsysSplit *
RecsysMakeSplit(const RecsysSplitOptions *options, bool verbose)
{
	RecsysSplit *split = RecsysSplitCreate(options);

	if (RecsysSplitUsers(split) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is nothing to evaluate on"),
				 options->holdout == RECSYS_HOLDOUT_BASKET ?
				 errdetail("No user has three baskets: rows less than an hour after the one before are one.") :
				 options->exclude_seen ?
				 errdetail("No user has a held-out item that is new to the user.") :
				 errdetail("No user has a held-out item."),
				 options->holdout == RECSYS_HOLDOUT_BASKET ?
				 errhint("Check that the query's last column is the time of each row.") :
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

static double
milliseconds_since(TimestampTz start)
{
	return (GetCurrentTimestamp() - start) / 1000.0;
}

double
RecsysTrainForMeasuring(RecsysSplit *split, const RecsysModelText *model, bool verbose,
						RecsysEvaluation *evaluation)
{
	TimestampTz start = GetCurrentTimestamp();
	double		duration;

	RecsysSplitTrain(split, &model->options, model->max_history, model->half_life,
					 max_parallel_maintenance_workers, evaluation);
	if (evaluation->baskets != NULL)
	{
		evaluation->baskets->method = model->method;
		evaluation->baskets->mix = model->mix;
	}
	duration = milliseconds_since(start);
	ereport(RecsysProgressLevel(verbose),
			(errmsg("trained a model of %u items with %llu neighbors", evaluation->ncatalogue,
					(unsigned long long) evaluation->graph.offsets[evaluation->nitems])));
	return duration;
}

/* Workers that the memory suffices for, when so much is used without any */
static int
workers_within(const RecsysEvaluation *evaluation, Size used, Size memory_limit)
{
	int			nworkers = max_parallel_maintenance_workers;

	/* baskets are not sent to workers */
	if (evaluation->baskets != NULL)
		return 0;

	/* workers need it all once more, to share, and an evaluator each */
	used += RecsysEvaluationShared(evaluation);
	while (nworkers > 0 && used + RecsysEvaluatorMemory(evaluation) * nworkers > memory_limit)
		nworkers--;
	return nworkers;
}

double
RecsysMeasure(const RecsysMeasuring *measuring, const RecsysItemKnowledge *knowledge,
			  const RecsysMeasuringMemory *memory, RecsysEvaluation *evaluation,
			  RecsysOutcome *outcome)
{
	TimestampTz start = GetCurrentTimestamp();
	Size		used = MemoryContextMemAllocated(memory->context, true);

	evaluation->nks = measuring->nks;
	memcpy(evaluation->ks, measuring->ks, sizeof(int) * measuring->nks);
	evaluation->metrics = measuring->metrics;
	evaluation->categories = knowledge->categories != NULL ? knowledge->categories->labels : NULL;
	evaluation->new_items = knowledge->new_items;

	used += (Size) evaluation->nusers *
		(sizeof(double) * RecsysEvaluationColumns(evaluation) +
		 sizeof(uint32) * RecsysEvaluationLength(evaluation)) +
		RecsysEvaluatorMemory(evaluation);
	RecsysCheckEvaluationMemory(used, memory->limit);
	RecsysEvaluateUsers(evaluation, workers_within(evaluation, used, memory->limit), outcome);
	ereport(RecsysProgressLevel(measuring->verbose),
			(errmsg("evaluated %u users", evaluation->nusers)));
	return milliseconds_since(start);
}
