/*
 * evaluate.c
 *	  recsys.evaluate(), recsys.evaluate_recommender(): recommendation quality.
 *
 * A model is trained on one part of the interactions and asked for the other, or
 * an index is asked for what a query says.  Rows in long form: one for each
 * metric, k and segment; segment NULL stands for all users.  Each has the same figure of
 * a list of bestsellers beside it.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/measure/bestsellers.h"
#include "api/measure/figures.h"
#include "api/measure/index_evaluation.h"
#include "api/measure/measuring.h"
#include "api/measure/measuring_arguments.h"
#include "api/measure/segments.h"
#include "core/measure/resample.h"
#include "miscadmin.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(recsys_evaluate);
PG_FUNCTION_INFO_V1(recsys_evaluate_recommender);

#define EVALUATE_COLUMNS 9

/* Arguments of recsys.evaluate; from MEASURING on those that RecsysArgMeasuring reads */
enum
{
	QUERY, MODEL, TEST, HOLDOUT_SHARE, HOLDOUT_LAST, HOLDOUT_SINCE, MEASURING,
	EXCLUDE_SEEN = MEASURING + RECSYS_MEASURING_EXCLUDE_SEEN,
	SEED = MEASURING + RECSYS_MEASURING_SEED,
	TASK = MEASURING + RECSYS_MEASURING_ARGUMENTS
};

/* Those of recsys.evaluate_recommender */
enum
{
	INDEX_NAME, INDEX_TEST, INDEX_MEASURING,
	INDEX_EXCLUDE_SEEN = INDEX_MEASURING + RECSYS_MEASURING_EXCLUDE_SEEN
};

/* What the rows are made of */
typedef struct Report
{
	RecsysAnswer answer;
	RecsysMeasuring measuring;
	RecsysItemKnowledge knowledge;
	RecsysLabels *segments;		/* NULL when there are none */
	const RecsysEvaluation *evaluation;
	RecsysOutcome outcome;
	RecsysBestsellers bestsellers;
} Report;

/* One row; k 0 and segment NULL are NULL.  popular: bestsellers' figure and the p-value */
static void
put_figure(Report *report, RecsysMetric metric, int k, const char *segment, const RecsysMean *mean,
		   double popular, double p_popular)
{
	Datum		values[EVALUATE_COLUMNS];
	bool		isnull[EVALUATE_COLUMNS] = {false};

	RecsysSetFigureKey(values, isnull, metric, k, segment);
	RecsysSetFigure(values, isnull, 3, mean->mean);
	RecsysSetFigure(values, isnull, 4, mean->low);
	RecsysSetFigure(values, isnull, 5, mean->high);
	values[6] = Int64GetDatum((int64) mean->rows);
	RecsysSetFigure(values, isnull, 7, popular);
	RecsysSetFigure(values, isnull, 8, p_popular);
	RecsysAnswerPut(&report->answer, values, isnull);
}

/* A figure of all lists together; it has no interval, as resamples with repetitions cover less. */
static void
put_spread(Report *report, RecsysMetric metric, int k, const RecsysSegment *segment)
{
	RecsysMean	mean = {NAN, NAN, NAN, segment->nusers, NAN};

	mean.mean = RecsysSpreadFigure(report->evaluation, &report->outcome, report->knowledge.sellers,
								   metric, k, segment);
	put_figure(report, metric, k, segment->name, &mean,
			   RecsysSpreadFigure(&report->bestsellers.evaluation, &report->bestsellers.outcome,
								  report->knowledge.sellers, metric, k, segment), NAN);
}

/* A figure of each user's list, which stands in a column of the table */
static void
put_mean(Report *report, RecsysMetric metric, int k, int column, const RecsysSegment *segment,
		 const RecsysMean *mean)
{
	int			ncolumns = RecsysEvaluationColumns(report->evaluation);
	RecsysFigureColumn model = {report->outcome.figures, ncolumns, column};
	RecsysFigureColumn popular = {report->bestsellers.outcome.figures, ncolumns, column};
	RecsysContest contest;

	RecsysContestBetween(&model, &popular, segment, &contest);
	put_figure(report, metric, k, segment->name, mean, contest.bestsellers, contest.p_value);
}

static void
put_segment(Report *report, const RecsysSegment *segment)
{
	const RecsysEvaluation *evaluation = report->evaluation;
	int			ncolumns = RecsysEvaluationColumns(evaluation);
	RecsysMean *means = palloc(sizeof(RecsysMean) * Max(ncolumns, 1));
	RecsysSample sample = {report->outcome.figures, ncolumns, segment->users, segment->nusers};
	RecsysResampling resampling = {report->measuring.resamples, report->measuring.confidence,
		report->measuring.seed, segment->number};

	CHECK_FOR_INTERRUPTS();
	if (ncolumns > 0)
		RecsysBootstrap(&sample, &resampling, means);
	for (int metric = 0; metric < RECSYS_METRICS; metric++)
	{
		int			column = RecsysEvaluationColumn(evaluation, metric);

		if ((evaluation->metrics & RECSYS_METRIC_BIT(metric)) == 0)
			continue;
		if (!RecsysMetricHasK(metric))
		{
			put_mean(report, metric, 0, column, segment, &means[column]);
			continue;
		}
		for (int x = 0; x < evaluation->nks; x++)
		{
			if (metric >= RECSYS_USER_METRICS)
				put_spread(report, metric, evaluation->ks[x], segment);
			else
				put_mean(report, metric, evaluation->ks[x], column + x, segment, &means[column + x]);
		}
	}
	pfree(means);
}

/* Measures the model, and bestsellers. */
static void
measure(Report *report, const RecsysMeasuringMemory *memory, RecsysEvaluation *evaluation)
{
	(void) RecsysMeasure(&report->measuring, &report->knowledge, memory, evaluation,
						 &report->outcome);
	RecsysMeasureBestsellers(&report->measuring, &report->knowledge, memory, evaluation,
							 &report->bestsellers);
	report->evaluation = evaluation;
}

static void
put_report(Report *report)
{
	RecsysSegments segments;
	RecsysSegment segment;

	RecsysSegmentsBegin(&segments, report->segments, report->evaluation->nusers);
	while (RecsysSegmentsNext(&segments, &segment))
		put_segment(report, &segment);
}

Datum
recsys_evaluate(PG_FUNCTION_ARGS)
{
	Report		report;
	RecsysModelText model;
	RecsysSplitOptions options;
	RecsysSplit *split;
	RecsysEvaluation evaluation = {0};
	RecsysMeasuringMemory memory;
	MemoryContext old;
	RecsysTask	task = RecsysArgTask(fcinfo, TASK);

	RecsysAnswerInit(&report.answer, fcinfo);
	RecsysParseTaskModel(RecsysArgText(fcinfo, MODEL), task, &model);
	RecsysArgMeasuring(fcinfo, MEASURING, task, &report.measuring);
	RecsysArgSplit(fcinfo, RecsysArgQuery(fcinfo, QUERY, "query"), TEST, EXCLUDE_SEEN, SEED, task,
				   &options);

	memory.context = AllocSetContextCreate(CurrentMemoryContext, "recsys evaluation",
										   ALLOCSET_DEFAULT_SIZES);
	memory.limit = options.memory_limit;
	old = MemoryContextSwitchTo(memory.context);
	split = RecsysMakeSplit(&options, report.measuring.verbose);
	report.segments = RecsysReadSegments(report.measuring.segments, split->user_kind, split->users,
										 RecsysSplitUsers(split));
	RecsysReadItemKnowledge(&report.measuring, split->item_kind, split->items, split->nitems,
							&report.knowledge);
	(void) RecsysTrainForMeasuring(split, &model, report.measuring.verbose, &evaluation);
	measure(&report, &memory, &evaluation);
	put_report(&report);
	if (model.options.similarity != RECSYS_POPULAR && task == RECSYS_TASK_NEXT_ITEM)
		RecsysWarnOfBestsellers(&evaluation, &report.outcome, &report.bestsellers,
								report.measuring.confidence, options.query, &options);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(memory.context);
	return (Datum) 0;
}

/* The hint's call tunes the index for the same held-out interactions. */
static void
warn_of_index(FunctionCallInfo fcinfo, const Report *report, const RecsysIndexEvaluation *index)
{
	RecsysSplitOptions split = {.holdout = RECSYS_HOLDOUT_GIVEN,
		.test_query = RecsysArgQuery(fcinfo, INDEX_TEST, "test"),
		.exclude_seen = RecsysArgFlag(fcinfo, INDEX_EXCLUDE_SEEN, "exclude_seen"),
		.seed = report->measuring.seed
	};

	RecsysWarnOfBestsellers(report->evaluation, &report->outcome, &report->bestsellers,
							report->measuring.confidence, index->name, &split);
}

Datum
recsys_evaluate_recommender(PG_FUNCTION_ARGS)
{
	Report		report;
	RecsysIndexEvaluation index;
	RecsysMeasuringMemory memory;
	MemoryContext old;

	RecsysAnswerInit(&report.answer, fcinfo);
	RecsysArgMeasuring(fcinfo, INDEX_MEASURING, RECSYS_TASK_NEXT_ITEM, &report.measuring);
	memory.context = AllocSetContextCreate(CurrentMemoryContext, "recsys evaluation",
										   ALLOCSET_DEFAULT_SIZES);
	memory.limit = (Size) maintenance_work_mem * 1024;
	old = MemoryContextSwitchTo(memory.context);
	RecsysReadIndexEvaluation(RecsysArgText(fcinfo, INDEX_NAME), RecsysArgQuery(fcinfo, INDEX_TEST, "test"),
							  RecsysArgFlag(fcinfo, INDEX_EXCLUDE_SEEN, "exclude_seen"),
							  report.measuring.seed, memory.limit, &index);
	report.segments = RecsysReadSegments(report.measuring.segments, index.user_kind, index.users,
										 index.evaluation.nusers);
	RecsysReadItemKnowledge(&report.measuring, index.item_kind, index.items, index.evaluation.nitems,
							&report.knowledge);
	measure(&report, &memory, &index.evaluation);
	put_report(&report);
	if (index.similarity != RECSYS_POPULAR)
		warn_of_index(fcinfo, &report, &index);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(memory.context);
	return (Datum) 0;
}
