/*
 * weightsearch.h
 *	  The weights of signals with which what was held out stands highest.
 */
#ifndef RECSYS_WEIGHTSEARCH_H
#define RECSYS_WEIGHTSEARCH_H

#include "postgres.h"

#include "api/measure/crossfit.h"
#include "api/weigh/signalsample.h"
#include "core/measure/metrics.h"

typedef struct RecsysWeightSearch
{
	const RecsysSignalSample *sample;
	RecsysMetric metric;
	int			k;
	RecsysCrossfit *crossfit;	/* all weights that are tried are added */
} RecsysWeightSearch;

/* Is it one of a list with one relevant item? */
extern bool RecsysWeightsHaveMetric(RecsysMetric metric);

/* The figure of each user with these weights (amounts; 0: without the signal), palloc'd. */
extern double *RecsysWeightFigures(const RecsysWeightSearch *search, const double *weights);

extern double RecsysMeanFigure(const double *figures, int n);

/*
 * From the weights given, one signal after the other by steps of a logarithmic scale, 0 among them, until
 * nothing gets better; the first signal's stays.  Changes weights to the best ones.
 */
extern void RecsysSearchWeights(RecsysWeightSearch *search, double *weights);

#endif							/* RECSYS_WEIGHTSEARCH_H */
