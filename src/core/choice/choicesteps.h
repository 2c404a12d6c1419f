/*
 * choicesteps.h
 *	  The steps of a choice; for choice.c alone.
 */
#ifndef RECSYS_CHOICESTEPS_H
#define RECSYS_CHOICESTEPS_H

#include "core/choice/choice.h"

/* Models that a grid passes on */
#define RECSYS_CHOICE_PASSED 4

typedef struct RecsysChoiceSearch
{
	const RecsysChoiceSplit *split;	/* at first the one with fewer users */
	const RecsysChoiceSplit *all;
	RecsysChoiceSplit some;
	const RecsysChoiceTask *task;
	RecsysChoiceReporter report;
	void	   *arg;
	RecsysChoiceCounter *counter;
	RecsysChoiceRanker *ranker;

	/* the best so far: what it is, its rows, what it made for each user */
	RecsysChoiceTried best;
	int			best_trend;
	int			asked_trend;	/* number of the half-life of popularity that is not free */
	RecsysChoiceRows *best_rows;
	double	   *best_ndcg;
	RecsysChoiceTried second;
	RecsysChoiceTried passed[RECSYS_CHOICE_PASSED];	/* of all that were tried, best first */
	int			npassed;

	RecsysModelOptions center;	/* around which models have been tried */

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

/* On some of the users; its best are tried again on all of them. */
extern void RecsysChoiceTryGrid(RecsysChoiceSearch *search);
extern void RecsysChoiceTryAround(RecsysChoiceSearch *search);
extern void RecsysChoiceTryPopularity(RecsysChoiceSearch *search);
extern void RecsysChoiceTryMorePopularity(RecsysChoiceSearch *search);
extern void RecsysChoiceTryHalfLives(RecsysChoiceSearch *search);
extern void RecsysChoiceTryMaxAge(RecsysChoiceSearch *search);
extern void RecsysChoiceTryWeights(RecsysChoiceSearch *search);

#endif							/* RECSYS_CHOICESTEPS_H */
