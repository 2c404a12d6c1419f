/*
 * weightsearch.c
 *	  The weights of signals with which what was held out stands highest.
 *
 * Only proportions matter, so the first signal's weight stays as it is, and those of the others are
 * tried as multiples of it.  One after the other is brought to the best of a grid, while the
 * others stay; that ends, as each step is better than the one before.  It starts twice: from the
 * weights that are declared, and from half the first one's for all.
 */
#include "postgres.h"

#include <math.h>

#include "api/weigh/weightsearch.h"
#include "miscadmin.h"

/* Multiples of the first signal's weight */
static const double grid[] = {
	0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 7, 10, 20
};

/* Rounds over all signals, at most */
#define ROUNDS 5

bool
RecsysWeightsHaveMetric(RecsysMetric metric)
{
	return metric <= RECSYS_METRIC_MAP;
}

/* The place of the item held out, from 1; more than k: it is not on the list. */
static int
rank_of(const RecsysSignalScores *scores, const double *weights, int k)
{
	const float *row = scores->scores;
	double		target = 0;
	int			rank = 1 + scores->ahead;

	for (int s = 0; s < scores->nsignals; s++)
		target += weights[s] * scores->target[s];
	if (!(target > 0))
		return k + 1;
	for (int x = 0; x < scores->count && rank <= k; x++, row += scores->nsignals)
	{
		double		score = 0;

		for (int s = 0; s < scores->nsignals; s++)
			score += weights[s] * row[s];
		if (score > target || (score == target && scores->comes_first[x]))
			rank++;
	}
	return rank;
}

static double
figure_of(RecsysMetric metric, int rank, int k, bool *hits)
{
	double		figure = 0;

	if (rank > k)
		return 0;
	hits[rank - 1] = true;
	switch (metric)
	{
		case RECSYS_METRIC_RECALL:
			figure = RecsysRecall(hits, k, k, 1);
			break;
		case RECSYS_METRIC_RECALL_CAPPED:
			figure = RecsysRecallCapped(hits, k, k, 1);
			break;
		case RECSYS_METRIC_PRECISION:
			figure = RecsysPrecision(hits, k, k);
			break;
		case RECSYS_METRIC_HIT_RATE:
			figure = RecsysHitRate(hits, k, k);
			break;
		case RECSYS_METRIC_NDCG:
			figure = RecsysNdcg(hits, k, k, 1);
			break;
		case RECSYS_METRIC_MRR:
			figure = RecsysReciprocalRank(hits, k, k);
			break;
		case RECSYS_METRIC_MAP:
			figure = RecsysAveragePrecision(hits, k, k, 1);
			break;
		default:
			elog(ERROR, "metric %d is not one of a list", (int) metric);
	}
	hits[rank - 1] = false;
	return figure;
}

double *
RecsysWeightFigures(const RecsysWeightSearch *search, const double *weights)
{
	const RecsysSignalSample *sample = search->sample;
	double	   *figures = palloc_extended(sizeof(double) * (Size) Max(sample->nusers, 1),
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	bool	   *hits = palloc0(search->k);

	for (int x = 0; x < sample->count; x++)
	{
		CHECK_FOR_INTERRUPTS();
		figures[x] = figure_of(search->metric, rank_of(&sample->scores[x], weights, search->k),
							   search->k, hits);
	}
	pfree(hits);
	return figures;
}

double
RecsysMeanFigure(const double *figures, int n)
{
	double		sum = 0;

	for (int x = 0; x < n; x++)
		sum += figures[x];
	return n > 0 ? sum / n : NAN;
}

static double
try_weights(RecsysWeightSearch *search, const double *weights)
{
	double	   *figures = RecsysWeightFigures(search, weights);
	double		mean = RecsysMeanFigure(figures, search->sample->nusers);

	RecsysCrossfitAdd(search->crossfit, figures);
	pfree(figures);
	return mean;
}

/* The best multiple for one signal, which has to be better than what it has now. */
static bool
improve(RecsysWeightSearch *search, double *weights, int signal, double *best)
{
	double		kept = weights[signal];
	double		chosen = kept;

	for (int x = 0; x < lengthof(grid); x++)
	{
		double		value;

		weights[signal] = grid[x] * weights[0];
		if (weights[signal] == kept)
			continue;
		value = try_weights(search, weights);
		if (value > *best)
		{
			*best = value;
			chosen = weights[signal];
		}
	}
	weights[signal] = chosen;
	return chosen != kept;
}

static double
climb(RecsysWeightSearch *search, double *weights)
{
	double		best = try_weights(search, weights);
	bool		better = true;

	for (int round = 0; round < ROUNDS && better; round++)
	{
		better = false;
		for (int s = 1; s < search->sample->nsignals; s++)
			better |= improve(search, weights, s, &best);
	}
	return best;
}

void
RecsysSearchWeights(RecsysWeightSearch *search, double *weights)
{
	Size		size = sizeof(double) * search->sample->nsignals;
	double	   *other = palloc(size);
	double		best;

	other[0] = weights[0];
	for (int s = 1; s < search->sample->nsignals; s++)
		other[s] = weights[0] / 2;
	best = climb(search, weights);
	if (climb(search, other) > best)
		memcpy(weights, other, size);
	pfree(other);
}
