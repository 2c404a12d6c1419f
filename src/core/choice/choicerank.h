/*
 * choicerank.h
 *	  How well a model foretells what a choice has held out.
 */
#ifndef RECSYS_CHOICERANK_H
#define RECSYS_CHOICERANK_H

#include "core/choice/choicerows.h"

/* Length of the lists that are compared */
#define RECSYS_CHOICE_K 20

/* Everything that makes a list */
typedef struct RecsysChoiceModel
{
	const RecsysChoiceRows *rows;	/* NULL: bestsellers */
	int			trend;			/* of the split, that popularity goes by */
	RecsysModelOptions options; /* those of the rows, and what concerns the serving */
	int64		half_life;		/* 0: none */
} RecsysChoiceModel;

typedef struct RecsysChoiceRanker RecsysChoiceRanker;

extern RecsysChoiceRanker *RecsysChoiceRankerCreate(const RecsysChoiceSplit *split,
													const RecsysChoiceCounter *counter);
extern void RecsysChoiceRankerFree(RecsysChoiceRanker *ranker);

/*
 * NDCG of each user's list (split->ntest of them) as serving would make it: unseen items
 * by score, then the most popular.  Returns the mean.
 */
extern double RecsysChoiceRank(RecsysChoiceRanker *ranker, const RecsysChoiceModel *model,
							   double *ndcg);

#endif							/* RECSYS_CHOICERANK_H */
