/*
 * choicesteps.h
 *	  The steps of a choice; for choice.c alone.
 */
#ifndef RECSYS_CHOICESTEPS_H
#define RECSYS_CHOICESTEPS_H

#include "core/choice/choice.h"

typedef struct RecsysChoiceSearch
{
	const RecsysChoiceSplit *split;
	const RecsysChoiceTask *task;
	RecsysChoiceReporter report;
	void	   *arg;
	RecsysChoiceCounter *counter;
	RecsysChoiceRanker *ranker;

	/* the best so far: what it is, its rows, what it made for each user */
	RecsysChoiceTried best;
	int			best_trend;
	RecsysChoiceRows *best_rows;
	double	   *best_ndcg;
	RecsysChoiceTried second;

	double		popular;
	double	   *popular_ndcg;
	double	   *ndcg;			/* of the model at hand */
	uint32		tried;
} RecsysChoiceSearch;

/* Measures bestsellers.  In the current memory context. */
extern RecsysChoiceSearch *RecsysChoiceSearchCreate(const RecsysChoiceSplit *split,
													const RecsysChoiceTask *task,
													RecsysChoiceReporter report, void *arg);
extern void RecsysChoiceSearchFree(RecsysChoiceSearch *search);

/* A model as it is told of: without weights, it does not matter what is made of them. */
extern RecsysChoiceTried RecsysChoiceShown(const RecsysChoiceSearch *search,
										   const RecsysChoiceTried *tried);

extern void RecsysChoiceTryGrid(RecsysChoiceSearch *search);
extern void RecsysChoiceTryAround(RecsysChoiceSearch *search);
extern void RecsysChoiceTryPopularity(RecsysChoiceSearch *search);
extern void RecsysChoiceTryHalfLives(RecsysChoiceSearch *search);
extern void RecsysChoiceTryMaxAge(RecsysChoiceSearch *search);
extern void RecsysChoiceTryWeights(RecsysChoiceSearch *search);

#endif							/* RECSYS_CHOICESTEPS_H */
