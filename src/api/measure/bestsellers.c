/*
 * bestsellers.c
 *	  What a list of bestsellers is worth to the same users, and whether a model is worth more.
 *
 * The most popular items that somebody does not have are the model to beat: they cost
 * nothing, and a model that has been led astray by its data loses to them without anybody
 * noticing.  So they are measured with every model, on the same users and the same
 * held-out items.  They are the evaluation of that model with everybody's history taken
 * away, which keeps what users have already, and the item graph that diversity is measured by.
 * What the model itself makes of popularity is taken away too, and so is whatever it does not
 * offer: the yardstick must be the same for all models on the same data.
 *
 * Whether the model is better is a paired test of Student's over the users, which needs no
 * resamples: a mean over some dozen users or more is what it is made for.
 */
#include "postgres.h"

#include <math.h>

#include "api/measure/bestsellers.h"
#include "core/measure/basketlist.h"
#include "core/measure/significance.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Of fewer users nothing is said. */
#define FEWEST_USERS 30

void
RecsysMeasureBestsellers(const RecsysMeasuring *measuring, const RecsysItemKnowledge *knowledge,
						 const RecsysMeasuringMemory *memory, const RecsysEvaluation *evaluation,
						 RecsysBestsellers *bestsellers)
{
	RecsysEvaluation *own = &bestsellers->evaluation;
	RecsysMeasuring quiet = *measuring;

	*own = *evaluation;
	own->histories.offsets = recsys_alloc_huge_zero(sizeof(uint64) * ((Size) own->nusers + 1));
	own->weights = NULL;
	memset(&own->factors, 0, sizeof(own->factors));
	own->nfactors = 0;
	own->nprior = 0;
	own->offered = NULL;
	if (own->baskets != NULL)
	{
		own->baskets = palloc(sizeof(RecsysBaskets));
		*own->baskets = *evaluation->baskets;
		own->baskets->method = RECSYS_BASKET_POPULAR;
	}
	if (own->plain_users != NULL)
		own->item_users = own->plain_users;
	own->popular = recsys_alloc_huge(sizeof(uint32) * Max((Size) own->nitems, 1));
	RecsysEvaluationSortItems(own);
	if ((measuring->metrics & RECSYS_METRIC_BIT(RECSYS_METRIC_DIVERSITY)) == 0)
		own->graph.offsets = recsys_alloc_huge_zero(sizeof(uint64) * ((Size) own->nitems + 1));
	quiet.verbose = false;
	(void) RecsysMeasure(&quiet, knowledge, memory, own, &bestsellers->outcome);
}

static inline double
figure_of(const RecsysFigureColumn *column, uint32 user)
{
	return column->figures[(Size) user * column->ncolumns + column->column];
}

static double
mean_of(const RecsysFigureColumn *column, const RecsysSegment *segment)
{
	double		sum = 0;
	uint32		count = 0;

	for (uint32 x = 0; x < segment->nusers; x++)
	{
		double		value = figure_of(column, segment->users != NULL ? segment->users[x] : x);

		if (isnan(value))
			continue;
		sum += value;
		count++;
	}
	return count > 0 ? sum / count : NAN;
}

void
RecsysContestBetween(const RecsysFigureColumn *model, const RecsysFigureColumn *bestsellers,
					 const RecsysSegment *segment, RecsysContest *contest)
{
	double	   *differences = recsys_alloc_huge(sizeof(double) * Max((Size) segment->nusers, 1));
	double		sum = 0;

	contest->model = mean_of(model, segment);
	contest->bestsellers = mean_of(bestsellers, segment);
	contest->users = 0;
	for (uint32 x = 0; x < segment->nusers; x++)
	{
		uint32		user = segment->users != NULL ? segment->users[x] : x;
		double		difference = figure_of(model, user) - figure_of(bestsellers, user);

		if (isnan(difference))
			continue;
		sum += difference;
		differences[contest->users++] = difference;
	}
	contest->difference = contest->users > 0 ? sum / contest->users : NAN;
	contest->p_value = RecsysPairedT(differences, contest->users);
	pfree(differences);
}

RecsysVerdict
RecsysJudgeContest(const RecsysContest *contest, double confidence)
{
	bool		certain = contest->p_value < 1.0 - confidence;

	if (contest->users < FEWEST_USERS)
		return RECSYS_VERDICT_BETTER;
	if (!certain)
		return RECSYS_VERDICT_ALIKE;
	return contest->difference > 0 ? RECSYS_VERDICT_BETTER : RECSYS_VERDICT_WORSE;
}

bool
RecsysDecidingFigure(const RecsysEvaluation *evaluation, RecsysMetric *metric, int *k, int *column)
{
	*column = RecsysEvaluationColumn(evaluation, RECSYS_METRIC_NDCG);
	*metric = RECSYS_METRIC_NDCG;
	for (int other = 0; *column < 0 && other <= (int) RECSYS_METRIC_AUC; other++)
	{
		*metric = (RecsysMetric) other;
		*column = RecsysEvaluationColumn(evaluation, *metric);
	}
	*k = RecsysMetricHasK(*metric) ? evaluation->ks[0] : 0;
	return *column >= 0;
}

char *
RecsysFigureName(RecsysMetric metric, int k)
{
	return k == 0 ? pstrdup(RecsysMetricName(metric)) :
		psprintf("%s at %d", RecsysMetricName(metric), k);
}

static char *
timestamp_literal(TimestampTz time)
{
	return quote_literal_cstr(DatumGetCString(DirectFunctionCall1(timestamptz_out,
																  TimestampTzGetDatum(time))));
}

/* Arguments that are the default are left out. */
char *
RecsysTuneCall(const char *source, const RecsysSplitOptions *split, RecsysMetric metric, int k)
{
	StringInfoData call;

	initStringInfo(&call);
	appendStringInfo(&call, "SELECT * FROM recsys.tune(%s", quote_literal_cstr(source));
	if (metric != RECSYS_METRIC_NDCG)
		appendStringInfo(&call, ", metric => '%s'", RecsysMetricName(metric));
	if (k != 0 && k != 10)
		appendStringInfo(&call, ", k => %d", k);
	switch (split->holdout)
	{
		case RECSYS_HOLDOUT_GIVEN:
			appendStringInfo(&call, ", test => %s", quote_literal_cstr(split->test_query));
			break;
		case RECSYS_HOLDOUT_SHARE:
			if (split->share != 0.2)
				appendStringInfo(&call, ", holdout_share => %.15g", split->share);
			break;
		case RECSYS_HOLDOUT_LAST:
			appendStringInfo(&call, ", holdout_last => %d", split->last);
			break;
		case RECSYS_HOLDOUT_BASKET:
			break;
		case RECSYS_HOLDOUT_SINCE:
			appendStringInfo(&call, ", holdout_since => %s", timestamp_literal(split->since));
			break;
	}
	if (!split->exclude_seen)
		appendStringInfoString(&call, ", exclude_seen => false");
	if (split->seed != 0)
		appendStringInfo(&call, ", seed => " INT64_FORMAT, (int64) split->seed);
	appendStringInfoChar(&call, ')');
	return call.data;
}

void
RecsysWarnOfBestsellers(const RecsysEvaluation *evaluation, const RecsysOutcome *outcome,
						const RecsysBestsellers *bestsellers, double confidence,
						const char *source, const RecsysSplitOptions *split)
{
	RecsysFigureColumn model = {outcome->figures, RecsysEvaluationColumns(evaluation), 0};
	RecsysFigureColumn popular = {bestsellers->outcome.figures, model.ncolumns, 0};
	RecsysSegment all = {.nusers = evaluation->nusers};
	RecsysContest contest;
	RecsysVerdict verdict;
	RecsysMetric metric;
	int			k;

	if (!RecsysDecidingFigure(evaluation, &metric, &k, &model.column))
		return;
	popular.column = model.column;
	RecsysContestBetween(&model, &popular, &all, &contest);
	verdict = RecsysJudgeContest(&contest, confidence);
	if (verdict == RECSYS_VERDICT_BETTER)
		return;
	ereport(WARNING,
			(verdict == RECSYS_VERDICT_WORSE ?
			 errmsg("the model is worse than a list of bestsellers") :
			 errmsg("the model is not significantly better than a list of bestsellers"),
			 errdetail("For %u users, %s is %.4f with the model and %.4f with similarity = popular (p = %.2g).",
					   contest.users, RecsysFigureName(metric, k), contest.model,
					   contest.bestsellers, contest.p_value),
			 errhint("Let the data choose: %s;", RecsysTuneCall(source, split, metric, k))));
}
