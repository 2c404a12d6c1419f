/*
 * compare.c
 *	  recsys.compare(): is one model better than another, or is it chance?
 *
 * Both are trained on the same interactions and asked for the same others, so
 * that each user gives a pair of figures.  Tests are about the differences
 * (core/measure/resample.c, core/measure/significance.c).
 */
#include "postgres.h"

#include <math.h>

#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/measure/figures.h"
#include "api/measure/measuring.h"
#include "core/measure/resample.h"
#include "core/measure/significance.h"
#include "core/measure/spread.h"
#include "miscadmin.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(recsys_compare);

#define COMPARE_COLUMNS 12

typedef struct Comparison
{
	RecsysAnswer answer;
	RecsysMeasuring measuring;
	RecsysItemKnowledge knowledge;
	RecsysLabels *segments;
	RecsysEvaluation evaluations[2];	/* without their item graphs */
	RecsysOutcome outcomes[2];
	double	   *differences;	/* of the figures; NaN unless both are defined */
} Comparison;

/* One row: the means of both, and of their difference with what the tests say. */
static void
put_difference(Comparison *comparison, RecsysMetric metric, int k, const char *segment,
			   const double *means, const RecsysMean *difference, double wilcoxon, double t)
{
	Datum		values[COMPARE_COLUMNS];
	bool		isnull[COMPARE_COLUMNS] = {false};

	RecsysSetFigureKey(values, isnull, metric, k, segment);
	RecsysSetFigure(values, isnull, 3, means[0]);
	RecsysSetFigure(values, isnull, 4, means[1]);
	RecsysSetFigure(values, isnull, 5, difference->mean);
	RecsysSetFigure(values, isnull, 6, difference->low);
	RecsysSetFigure(values, isnull, 7, difference->high);
	RecsysSetFigure(values, isnull, 8, difference->p_value);
	RecsysSetFigure(values, isnull, 9, wilcoxon);
	RecsysSetFigure(values, isnull, 10, t);
	values[11] = Int64GetDatum((int64) difference->rows);
	RecsysAnswerPut(&comparison->answer, values, isnull);
}

/* A metric of each user's list, at one place of the table of figures. */
static void
put_user_metric(Comparison *comparison, RecsysMetric metric, int k, int column, const char *segment,
				const uint32 *rows, uint32 nrows, const RecsysMean *difference)
{
	int			ncolumns = RecsysEvaluationColumns(&comparison->evaluations[0]);
	double	   *values = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * (Size) nrows);
	double		sums[2] = {0, 0};
	uint32		count = 0;

	for (uint32 x = 0; x < nrows; x++)
	{
		Size		place = (Size) (rows != NULL ? rows[x] : x) * ncolumns + column;

		if (isnan(comparison->differences[place]))
			continue;
		values[count++] = comparison->differences[place];
		for (int model = 0; model < 2; model++)
			sums[model] += comparison->outcomes[model].figures[place];
	}
	for (int model = 0; model < 2; model++)
		sums[model] = count > 0 ? sums[model] / count : NAN;
	put_difference(comparison, metric, k, segment, sums, difference,
				   count > 0 ? RecsysWilcoxon(values, count) : NAN, RecsysPairedT(values, count));
	pfree(values);
}

static void
put_spread(Comparison *comparison, RecsysMetric metric, int k, uint32 label, const char *segment,
		   uint32 nrows)
{
	bool		sellers = metric == RECSYS_METRIC_SELLER_COVERAGE || metric == RECSYS_METRIC_SELLER_GINI;
	const RecsysLabels *groups = comparison->knowledge.sellers;
	RecsysMean	difference = {NAN, NAN, NAN, nrows, NAN};
	double		means[2];

	for (int model = 0; model < 2; model++)
	{
		RecsysListChoice choice = {.lists = comparison->outcomes[model].lists, .k = k,
			.segments = segment != NULL ? comparison->segments->labels : NULL, .segment = label,
			.groups = sellers ? groups->labels : NULL, .ngroups = sellers ? groups->count : 0};
		RecsysSpread spread = RecsysEvaluationSpread(&comparison->evaluations[model], &choice);

		means[model] = metric == RECSYS_METRIC_COVERAGE || metric == RECSYS_METRIC_SELLER_COVERAGE ?
			spread.coverage : spread.gini;
	}
	difference.mean = means[1] - means[0];
	put_difference(comparison, metric, k, segment, means, &difference, NAN, NAN);
}

static void
put_segment(void *arg, uint32 label, const char *segment, const uint32 *rows, uint32 nrows)
{
	Comparison *comparison = arg;
	const RecsysEvaluation *evaluation = &comparison->evaluations[0];
	const RecsysMeasuring *measuring = &comparison->measuring;
	int			ncolumns = RecsysEvaluationColumns(evaluation);
	RecsysMean *means = palloc(sizeof(RecsysMean) * Max(ncolumns, 1));
	RecsysSample sample = {comparison->differences, ncolumns, rows, nrows};
	RecsysResampling resampling = {measuring->resamples, measuring->confidence, measuring->seed,
		segment != NULL ? label + 1 : 0};

	if (ncolumns > 0)
		RecsysBootstrap(&sample, &resampling, means);
	for (int metric = 0; metric < RECSYS_METRICS; metric++)
	{
		int			column = RecsysEvaluationColumn(evaluation, metric);

		if ((evaluation->metrics & RECSYS_METRIC_BIT(metric)) == 0)
			continue;
		for (int x = 0; x < (RecsysMetricHasK(metric) ? evaluation->nks : 1); x++)
		{
			int			k = RecsysMetricHasK(metric) ? evaluation->ks[x] : 0;

			CHECK_FOR_INTERRUPTS();
			if (metric >= RECSYS_USER_METRICS)
				put_spread(comparison, metric, k, label, segment, nrows);
			else
				put_user_metric(comparison, metric, k, column + x, segment, rows, nrows,
								&means[column + x]);
		}
	}
	pfree(means);
}

static void
subtract(Comparison *comparison)
{
	Size		count = (Size) comparison->evaluations[0].nusers *
		RecsysEvaluationColumns(&comparison->evaluations[0]);

	comparison->differences = MemoryContextAllocHuge(CurrentMemoryContext,
													 sizeof(double) * Max(count, 1));
	for (Size x = 0; x < count; x++)
		comparison->differences[x] = comparison->outcomes[1].figures[x] -
			comparison->outcomes[0].figures[x];
}

/* Arguments: query, model_a, model_b, the split's, then as for recsys.evaluate */
Datum
recsys_compare(PG_FUNCTION_ARGS)
{
	Comparison	comparison = {0};
	RecsysModelText models[2];
	RecsysSplitOptions options;
	RecsysSplit *split;
	MemoryContext context;
	MemoryContext old;

	RecsysAnswerInit(&comparison.answer, fcinfo);
	for (int model = 0; model < 2; model++)
		RecsysParseModelText(RecsysArgText(fcinfo, 1 + model), &models[model]);
	RecsysArgMeasuring(fcinfo, 7, &comparison.measuring);
	RecsysArgSplit(fcinfo, RecsysArgQuery(fcinfo, 0, "query"), 3, 13, 16, &options);

	context = AllocSetContextCreate(CurrentMemoryContext, "recsys comparison", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	split = RecsysMakeSplit(&options, comparison.measuring.verbose);
	if (comparison.measuring.segments != NULL)
		comparison.segments = RecsysReadLabels(comparison.measuring.segments, "segments", "user",
											   split->user_kind, split->users, RecsysSplitUsers(split));
	RecsysReadItemKnowledge(&comparison.measuring, split->item_kind, split->items, split->nitems,
							&comparison.knowledge);
	for (int model = 0; model < 2; model++)
	{
		RecsysEvaluation *evaluation = &comparison.evaluations[model];

		RecsysTrainAndMeasure(&comparison.measuring, &comparison.knowledge, split, &models[model],
							  context, evaluation, &comparison.outcomes[model], NULL, NULL);
		pfree(evaluation->graph.items);
		pfree(evaluation->scores);
	}
	subtract(&comparison);
	RecsysForSegments(comparison.segments, comparison.evaluations[0].nusers, put_segment, &comparison);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}
