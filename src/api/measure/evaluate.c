/*
 * evaluate.c
 *	  recsys.evaluate(), recsys.evaluate_recommender(): recommendation quality.
 *
 * A model is trained on one part of the interactions and asked for the other, or
 * an index is asked for what a query says.  Rows in long form: one for each
 * metric, k and segment; segment NULL stands for all users.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/measure/figures.h"
#include "api/measure/index_evaluation.h"
#include "api/measure/measuring.h"
#include "core/measure/resample.h"
#include "core/measure/spread.h"
#include "miscadmin.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(recsys_evaluate);
PG_FUNCTION_INFO_V1(recsys_evaluate_recommender);

/* What the rows are made of */
typedef struct Report
{
	RecsysAnswer answer;
	const RecsysMeasuring *measuring;
	const RecsysEvaluation *evaluation;
	const RecsysOutcome *outcome;
	const RecsysItemKnowledge *knowledge;
	const RecsysLabels *segments;	/* NULL when there are none */
} Report;

/* One row; k 0 and segment NULL are NULL. */
static void
put_figure(Report *report, RecsysMetric metric, int k, const char *segment, const RecsysMean *mean)
{
	Datum		values[7];
	bool		isnull[7] = {false};

	RecsysSetFigureKey(values, isnull, metric, k, segment);
	RecsysSetFigure(values, isnull, 3, mean->mean);
	RecsysSetFigure(values, isnull, 4, mean->low);
	RecsysSetFigure(values, isnull, 5, mean->high);
	values[6] = Int64GetDatum((int64) mean->rows);
	RecsysAnswerPut(&report->answer, values, isnull);
}

/* A figure of all lists together; it has no interval, as resamples with repetitions cover less. */
static void
put_spread(Report *report, RecsysMetric metric, uint32 label, const char *segment, uint32 nusers)
{
	bool		sellers = metric == RECSYS_METRIC_SELLER_COVERAGE || metric == RECSYS_METRIC_SELLER_GINI;
	const RecsysLabels *groups = report->knowledge->sellers;

	for (int x = 0; x < report->evaluation->nks; x++)
	{
		RecsysMean	mean = {NAN, NAN, NAN, nusers, NAN};
		RecsysListChoice choice = {.lists = report->outcome->lists, .k = report->evaluation->ks[x],
			.segments = segment != NULL ? report->segments->labels : NULL, .segment = label,
			.groups = sellers ? groups->labels : NULL, .ngroups = sellers ? groups->count : 0};
		RecsysSpread spread = RecsysEvaluationSpread(report->evaluation, &choice);

		mean.mean = metric == RECSYS_METRIC_COVERAGE || metric == RECSYS_METRIC_SELLER_COVERAGE ?
			spread.coverage : spread.gini;
		put_figure(report, metric, report->evaluation->ks[x], segment, &mean);
	}
}

/* A RecsysSegmentVisitor: all rows of a segment, or of all users when segment is NULL. */
static void
put_segment(void *arg, uint32 label, const char *segment, const uint32 *rows, uint32 nrows)
{
	Report	   *report = arg;
	const RecsysEvaluation *evaluation = report->evaluation;
	int			ncolumns = RecsysEvaluationColumns(evaluation);
	RecsysMean *means = palloc(sizeof(RecsysMean) * Max(ncolumns, 1));
	RecsysSample sample = {report->outcome->figures, ncolumns, rows, nrows};
	RecsysResampling resampling = {report->measuring->resamples, report->measuring->confidence,
		report->measuring->seed, segment != NULL ? label + 1 : 0};

	CHECK_FOR_INTERRUPTS();
	if (ncolumns > 0)
		RecsysBootstrap(&sample, &resampling, means);
	for (int metric = 0; metric < RECSYS_METRICS; metric++)
	{
		int			column = RecsysEvaluationColumn(evaluation, metric);

		if ((evaluation->metrics & RECSYS_METRIC_BIT(metric)) == 0)
			continue;
		if (metric >= RECSYS_USER_METRICS)
			put_spread(report, metric, label, segment, nrows);
		else if (!RecsysMetricHasK(metric))
			put_figure(report, metric, 0, segment, &means[column]);
		else
			for (int x = 0; x < evaluation->nks; x++)
				put_figure(report, metric, evaluation->ks[x], segment, &means[column + x]);
	}
	pfree(means);
}

/* Arguments: query, model, test, holdout_share, holdout_last, holdout_since, then RecsysArgMeasuring's */
Datum
recsys_evaluate(PG_FUNCTION_ARGS)
{
	Report		report;
	RecsysMeasuring measuring;
	RecsysModelText model;
	RecsysSplitOptions options;
	RecsysSplit *split;
	RecsysEvaluation evaluation = {0};
	RecsysItemKnowledge knowledge;
	RecsysOutcome outcome;
	RecsysLabels *segments = NULL;
	MemoryContext context;
	MemoryContext old;

	RecsysAnswerInit(&report.answer, fcinfo);
	RecsysParseModelText(RecsysArgText(fcinfo, 1), &model);
	RecsysArgMeasuring(fcinfo, 6, &measuring);
	RecsysArgSplit(fcinfo, RecsysArgQuery(fcinfo, 0, "query"), 2, 12, 15, &options);

	context = AllocSetContextCreate(CurrentMemoryContext, "recsys evaluation", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	split = RecsysMakeSplit(&options, measuring.verbose);
	if (measuring.segments != NULL)
		segments = RecsysReadLabels(measuring.segments, "segments", "user", split->user_kind,
									split->users, RecsysSplitUsers(split));
	RecsysReadItemKnowledge(&measuring, split->item_kind, split->items, split->nitems, &knowledge);
	RecsysTrainAndMeasure(&measuring, &knowledge, split, &model, context, &evaluation, &outcome,
						  NULL, NULL);

	report.measuring = &measuring;
	report.evaluation = &evaluation;
	report.outcome = &outcome;
	report.knowledge = &knowledge;
	report.segments = segments;
	RecsysForSegments(segments, report.evaluation->nusers, put_segment, &report);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}

/* Arguments: recommender, test, then RecsysArgMeasuring's */
Datum
recsys_evaluate_recommender(PG_FUNCTION_ARGS)
{
	Report		report;
	RecsysMeasuring measuring;
	RecsysIndexEvaluation index;
	RecsysItemKnowledge knowledge;
	RecsysOutcome outcome;
	RecsysLabels *segments = NULL;
	Size		limit = (Size) maintenance_work_mem * 1024;
	MemoryContext context;
	MemoryContext old;

	RecsysAnswerInit(&report.answer, fcinfo);
	RecsysArgMeasuring(fcinfo, 2, &measuring);
	context = AllocSetContextCreate(CurrentMemoryContext, "recsys evaluation", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	RecsysReadIndexEvaluation(RecsysArgText(fcinfo, 0), RecsysArgQuery(fcinfo, 1, "test"),
							  RecsysArgFlag(fcinfo, 8, "exclude_seen"), measuring.seed, limit, &index);
	if (measuring.segments != NULL)
		segments = RecsysReadLabels(measuring.segments, "segments", "user", index.user_kind,
									index.users, index.evaluation.nusers);
	RecsysReadItemKnowledge(&measuring, index.item_kind, index.items, index.evaluation.nitems,
							&knowledge);
	RecsysMeasure(&measuring, &knowledge, &index.evaluation, MemoryContextMemAllocated(context, true),
				  limit, &outcome);

	report.measuring = &measuring;
	report.evaluation = &index.evaluation;
	report.outcome = &outcome;
	report.knowledge = &knowledge;
	report.segments = segments;
	RecsysForSegments(segments, report.evaluation->nusers, put_segment, &report);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}
