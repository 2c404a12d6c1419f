/*
 * compare.c
 *	  recsys.compare(): is one model better than another, or is it chance?
 *
 * Both are trained on the same interactions and asked for the same others, so
 * that each user gives a pair of figures.  Tests are about the differences
 * (core/measure/resample.c, core/measure/significance.c).  A list of bestsellers is
 * measured beside them: the better of two models may still be worse than that.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/measure/bestsellers.h"
#include "api/measure/figures.h"
#include "api/measure/measuring.h"
#include "api/measure/measuring_arguments.h"
#include "api/measure/segments.h"
#include "core/measure/resample.h"
#include "core/measure/significance.h"
#include "miscadmin.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(recsys_compare);

#define COMPARE_COLUMNS 15

/* Arguments; from MEASURING on those that RecsysArgMeasuring reads */
enum
{
	QUERY, MODEL_A, MODEL_B, TEST, HOLDOUT_SHARE, HOLDOUT_LAST, HOLDOUT_SINCE, MEASURING,
	EXCLUDE_SEEN = MEASURING + RECSYS_MEASURING_EXCLUDE_SEEN,
	SEED = MEASURING + RECSYS_MEASURING_SEED,
	TASK = MEASURING + RECSYS_MEASURING_ARGUMENTS
};

typedef struct Comparison
{
	RecsysAnswer answer;
	RecsysMeasuring measuring;
	RecsysItemKnowledge knowledge;
	RecsysLabels *segments;
	RecsysEvaluation evaluations[2];	/* without their item graphs */
	RecsysOutcome outcomes[2];
	RecsysBestsellers bestsellers;	/* by the popularity that model_a has counted */
	double	   *differences;	/* of the figures; NaN unless both are defined */
} Comparison;

/* A figure of both models, and what the tests say about their difference */
typedef struct Difference
{
	double		means[2];
	RecsysMean	mean;
	double		wilcoxon;		/* p-values */
	double		t;
	double		popular;		/* bestsellers' figure, and the p-values against it */
	double		p_popular[2];
} Difference;

/* One row; k 0 and segment NULL are NULL. */
static void
put_difference(Comparison *comparison, RecsysMetric metric, int k, const char *segment,
			   const Difference *difference)
{
	Datum		values[COMPARE_COLUMNS];
	bool		isnull[COMPARE_COLUMNS] = {false};

	RecsysSetFigureKey(values, isnull, metric, k, segment);
	RecsysSetFigure(values, isnull, 3, difference->means[0]);
	RecsysSetFigure(values, isnull, 4, difference->means[1]);
	RecsysSetFigure(values, isnull, 5, difference->mean.mean);
	RecsysSetFigure(values, isnull, 6, difference->mean.low);
	RecsysSetFigure(values, isnull, 7, difference->mean.high);
	RecsysSetFigure(values, isnull, 8, difference->mean.p_value);
	RecsysSetFigure(values, isnull, 9, difference->wilcoxon);
	RecsysSetFigure(values, isnull, 10, difference->t);
	values[11] = Int64GetDatum((int64) difference->mean.rows);
	RecsysSetFigure(values, isnull, 12, difference->popular);
	RecsysSetFigure(values, isnull, 13, difference->p_popular[0]);
	RecsysSetFigure(values, isnull, 14, difference->p_popular[1]);
	RecsysAnswerPut(&comparison->answer, values, isnull);
}

/* The means of a segment's users for whom both models have the figure, at a place of the table */
static void
compare_figures(const Comparison *comparison, int column, const RecsysSegment *segment,
				Difference *difference)
{
	int			ncolumns = RecsysEvaluationColumns(&comparison->evaluations[0]);
	double	   *values = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * (Size) segment->nusers);
	double		sums[2] = {0, 0};
	uint32		count = 0;

	for (uint32 x = 0; x < segment->nusers; x++)
	{
		Size		place = (Size) (segment->users != NULL ? segment->users[x] : x) * ncolumns + column;

		if (isnan(comparison->differences[place]))
			continue;
		values[count++] = comparison->differences[place];
		for (int model = 0; model < 2; model++)
			sums[model] += comparison->outcomes[model].figures[place];
	}
	for (int model = 0; model < 2; model++)
		difference->means[model] = count > 0 ? sums[model] / count : NAN;
	difference->wilcoxon = count > 0 ? RecsysWilcoxon(values, count) : NAN;
	difference->t = RecsysPairedT(values, count);
	pfree(values);
	for (int model = 0; model < 2; model++)
	{
		RecsysFigureColumn mine = {comparison->outcomes[model].figures, ncolumns, column};
		RecsysFigureColumn popular = {comparison->bestsellers.outcome.figures, ncolumns, column};
		RecsysContest contest;

		RecsysContestBetween(&mine, &popular, segment, &contest);
		difference->popular = contest.bestsellers;
		difference->p_popular[model] = contest.p_value;
	}
}

/* A figure of all lists together, which the tests have nothing to say about */
static void
compare_spread(const Comparison *comparison, RecsysMetric metric, int k, const RecsysSegment *segment,
			   Difference *difference)
{
	for (int model = 0; model < 2; model++)
		difference->means[model] =
			RecsysSpreadFigure(&comparison->evaluations[model], &comparison->outcomes[model],
							   comparison->knowledge.sellers, metric, k, segment);
	difference->mean = (RecsysMean)
	{
		difference->means[1] - difference->means[0], NAN, NAN, segment->nusers, NAN
	};
	difference->wilcoxon = difference->t = NAN;
	difference->popular =
		RecsysSpreadFigure(&comparison->bestsellers.evaluation, &comparison->bestsellers.outcome,
						   comparison->knowledge.sellers, metric, k, segment);
	difference->p_popular[0] = difference->p_popular[1] = NAN;
}

static void
put_segment(Comparison *comparison, const RecsysSegment *segment)
{
	const RecsysEvaluation *evaluation = &comparison->evaluations[0];
	const RecsysMeasuring *measuring = &comparison->measuring;
	int			ncolumns = RecsysEvaluationColumns(evaluation);
	RecsysMean *means = palloc(sizeof(RecsysMean) * Max(ncolumns, 1));
	RecsysSample sample = {comparison->differences, ncolumns, segment->users, segment->nusers};
	RecsysResampling resampling = {measuring->resamples, measuring->confidence, measuring->seed,
		segment->number};

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
			Difference	difference;

			CHECK_FOR_INTERRUPTS();
			if (metric >= RECSYS_USER_METRICS)
				compare_spread(comparison, metric, k, segment, &difference);
			else
			{
				compare_figures(comparison, column + x, segment, &difference);
				difference.mean = means[column + x];
			}
			put_difference(comparison, metric, k, segment->name, &difference);
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

/* Warns of the models that are no better than bestsellers, in one message. */
static void
warn_of_bestsellers(const Comparison *comparison, const RecsysModelText *models,
					const RecsysSplitOptions *split)
{
	const RecsysEvaluation *evaluation = &comparison->evaluations[0];
	int			ncolumns = RecsysEvaluationColumns(evaluation);
	RecsysSegment all = {.nusers = evaluation->nusers};
	RecsysContest contests[2];
	bool		weak[2];
	RecsysMetric metric;
	int			k;
	int			column;
	int			which;

	if (!RecsysDecidingFigure(evaluation, &metric, &k, &column))
		return;
	for (int model = 0; model < 2; model++)
	{
		RecsysFigureColumn mine = {comparison->outcomes[model].figures, ncolumns, column};
		RecsysFigureColumn popular = {comparison->bestsellers.outcome.figures, ncolumns, column};

		RecsysContestBetween(&mine, &popular, &all, &contests[model]);
		weak[model] = models[model].options.similarity != RECSYS_POPULAR &&
			RecsysJudgeContest(&contests[model], comparison->measuring.confidence) != RECSYS_VERDICT_BETTER;
	}
	if (!weak[0] && !weak[1])
		return;
	which = weak[0] ? 0 : 1;
	ereport(WARNING,
			(weak[0] && weak[1] ?
			 errmsg("neither model is significantly better than a list of bestsellers") :
			 errmsg("%s is not significantly better than a list of bestsellers",
					which == 0 ? "model_a" : "model_b"),
			 weak[0] && weak[1] ?
			 errdetail("For %u users, %s is %.4f with model_a (p = %.2g), %.4f with model_b (p = %.2g) and %.4f with similarity = popular.",
					   contests[0].users, RecsysFigureName(metric, k), contests[0].model,
					   contests[0].p_value, contests[1].model, contests[1].p_value,
					   contests[0].bestsellers) :
			 errdetail("For %u users, %s is %.4f with the model and %.4f with similarity = popular (p = %.2g).",
					   contests[which].users, RecsysFigureName(metric, k), contests[which].model,
					   contests[which].bestsellers, contests[which].p_value),
			 errhint("Let the data choose: %s;",
					 RecsysTuneCall(split->query, split, metric, k))));
}

Datum
recsys_compare(PG_FUNCTION_ARGS)
{
	Comparison	comparison = {0};
	const RecsysMeasuring *measuring = &comparison.measuring;
	RecsysModelText models[2];
	RecsysSplitOptions options;
	RecsysSplit *split;
	RecsysMeasuringMemory memory;
	RecsysSegments segments;
	RecsysSegment segment;
	MemoryContext old;
	RecsysTask	task = RecsysArgTask(fcinfo, TASK);

	RecsysAnswerInit(&comparison.answer, fcinfo);
	RecsysParseTaskModel(RecsysArgText(fcinfo, MODEL_A), task, &models[0]);
	RecsysParseTaskModel(RecsysArgText(fcinfo, MODEL_B), task, &models[1]);
	RecsysArgMeasuring(fcinfo, MEASURING, task, &comparison.measuring);
	RecsysArgSplit(fcinfo, RecsysArgQuery(fcinfo, QUERY, "query"), TEST, EXCLUDE_SEEN, SEED, task,
				   &options);

	memory.context = AllocSetContextCreate(CurrentMemoryContext, "recsys comparison",
										   ALLOCSET_DEFAULT_SIZES);
	memory.limit = options.memory_limit;
	old = MemoryContextSwitchTo(memory.context);
	split = RecsysMakeSplit(&options, measuring->verbose);
	comparison.segments = RecsysReadSegments(measuring->segments, split->user_kind, split->users,
											 RecsysSplitUsers(split));
	RecsysReadItemKnowledge(measuring, split->item_kind, split->items, split->nitems,
							&comparison.knowledge);
	for (int model = 0; model < 2; model++)
	{
		RecsysEvaluation *evaluation = &comparison.evaluations[model];

		(void) RecsysTrainForMeasuring(split, &models[model], measuring->verbose, evaluation);
		(void) RecsysMeasure(measuring, &comparison.knowledge, &memory, evaluation,
							 &comparison.outcomes[model]);
		if (model == 0)
			RecsysMeasureBestsellers(measuring, &comparison.knowledge, &memory, evaluation,
									 &comparison.bestsellers);
		pfree(evaluation->graph.items);
		pfree(evaluation->scores);
	}
	subtract(&comparison);
	RecsysSegmentsBegin(&segments, comparison.segments, comparison.evaluations[0].nusers);
	while (RecsysSegmentsNext(&segments, &segment))
		put_segment(&comparison, &segment);
	if (task == RECSYS_TASK_NEXT_ITEM)
		warn_of_bestsellers(&comparison, models, &options);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(memory.context);
	return (Datum) 0;
}
