/*
 * audiencefactors.c
 *	  Users scored for some items by factors, as lists are where an index has them.
 *
 * All factors are in memory for the whole pass: each user is folded in, from what he has.
 */
#include "postgres.h"

#include "am/graph/factor.h"
#include "am/graph/graph.h"
#include "api/operate/audiencefactors.h"
#include "api/scoring/serving.h"
#include "miscadmin.h"
#include "utils/memutils.h"

uint32
RecsysNumberIn(RecsysRecommender *index, RecsysRecommender *other, RecsysGraphReader *reader,
			   uint32 item)
{
	RecsysKey	key;
	uint32		number;

	if (RelationGetRelid(index->index) == RelationGetRelid(other->index))
		return item;
	if (!RecsysGraphReadKey(reader, item, &key) || !RecsysFindItem(index, &key, &number))
		return RECSYS_NONE;
	return number;
}

struct RecsysAudienceFactors
{
	RecsysFactors *factors;
	RecsysFoldIn *foldin;
	uint32	   *numbers;		/* of the graph's index, by the events' numbers */
	const float **targets;		/* their factors, NULL where there is none */
};

/* NULL when the item is not there, or nothing has been learned of it. */
static const float *
factor_of(const RecsysFactors *factors, uint32 number)
{
	const float *factor = factors->items + (Size) number * factors->shape.rank;

	if (number >= factors->shape.nitems)
		return NULL;
	for (int i = 0; i < factors->shape.rank; i++)
		if (factor[i] != 0)
			return factor;
	return NULL;
}

RecsysAudienceFactors *
RecsysReadAudienceFactors(RecsysRecommender *events, RecsysRecommender *graph,
						  const RecsysTargets *targets, uint32 nitems)
{
	RecsysAudienceFactors *result = palloc0(sizeof(RecsysAudienceFactors));
	RecsysFactorReader reader;
	RecsysGraphReader keys;

	if (!RecsysFactorReaderInit(&reader, graph->index))
		return NULL;
	result->factors = RecsysFactorReadAll(&reader);
	result->foldin = RecsysFoldInCreate(&result->factors->shape, result->factors->gram);
	result->numbers = palloc_extended(sizeof(uint32) * (Size) Max(nitems, 1), MCXT_ALLOC_HUGE);
	RecsysGraphReaderInit(&keys, events->index);
	for (uint32 item = 0; item < nitems; item++)
	{
		CHECK_FOR_INTERRUPTS();
		result->numbers[item] = RecsysNumberIn(graph, events, &keys, item);
	}
	RecsysGraphReaderDone(&keys);
	result->targets = palloc0(sizeof(float *) * Max(targets->count, 1));
	for (int t = 0; t < targets->count; t++)
	{
		uint32		number;

		if (RecsysFindItem(graph, &targets->targets[t].key, &number))
			result->targets[t] = factor_of(result->factors, number);
	}
	return result;
}

double
RecsysScoreAudienceByFactors(RecsysAudienceFactors *factors, const RecsysTargets *targets,
							 const bool *has,
							 const uint32 *items, const double *weights, int n, uint32 *because)
{
	const float *user;
	double		sum = 0;
	double		most = 0;
	bool		any = false;

	*because = RECSYS_NONE;
	RecsysFoldInStart(factors->foldin);
	for (int i = 0; i < n; i++)
	{
		const float *factor = factor_of(factors->factors, factors->numbers[items[i]]);

		if (factor == NULL)
			continue;
		RecsysFoldInAdd(factors->foldin, factor, weights[i]);
		any = true;
	}
	if (!any)
		return 0;
	user = RecsysFoldInSolve(factors->foldin);
	for (int t = 0; t < targets->count; t++)
	{
		float		score;

		if (has[t] || factors->targets[t] == NULL)
			continue;
		RecsysFactorScores(user, factors->targets[t], 1, factors->factors->shape.rank, &score);
		sum += Max(score, 0);
	}
	for (int i = 0; i < n && sum > 0; i++)
	{
		const float *factor = factor_of(factors->factors, factors->numbers[items[i]]);
		double		part = 0;

		for (int t = 0; t < targets->count && factor != NULL; t++)
			if (!has[t] && factors->targets[t] != NULL)
				part += RecsysFoldInShare(factors->foldin, factors->targets[t], factor, weights[i]);
		if (part > most)
		{
			most = part;
			*because = items[i];
		}
	}
	return sum;
}
