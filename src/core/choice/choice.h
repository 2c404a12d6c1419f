/*
 * choice.h
 *	  similarity = auto: the model that foretells a sample of the data best.
 */
#ifndef RECSYS_CHOICE_H
#define RECSYS_CHOICE_H

#include "core/choice/choicerank.h"

/* What is to be chosen */
typedef struct RecsysChoiceTask
{
	/*
	 * Options as asked for: what is left at RECSYS_MODEL_DEFAULT is chosen, and so are
	 * weight_transform if it is auto, and similarity.
	 */
	RecsysModelOptions asked;
	int64		half_life;		/* of serving, if it is not free */
	bool		half_life_is_free;
	bool		max_age_is_free;
	bool		trend_is_free;	/* popularity_half_life */
	Size		memory_limit;	/* bytes for rows of models, as far as they are not needed at least */
} RecsysChoiceTask;

/* A model that was measured */
typedef struct RecsysChoiceTried
{
	RecsysModelOptions options; /* resolved */
	int64		half_life;
	double		ndcg;			/* mean over the users who were asked for */
} RecsysChoiceTried;

typedef struct RecsysChoice
{
	bool		measured;		/* false: too little data to tell, best is the fallback */
	RecsysChoiceTried best;
	RecsysChoiceTried second;	/* the best of those that are otherwise */
	double		popular;		/* NDCG of bestsellers */
	double		p_popular;		/* that best is no better than they are, by a paired t-test */
	uint32		users;			/* who were asked for */
	uint32		tried;
} RecsysChoice;

/* Is told of each model; popular for bestsellers, whose options do not matter. */
typedef void (*RecsysChoiceReporter) (void *arg, const RecsysChoiceTried *tried, bool popular);

/* Fewest users to choose by */
#define RECSYS_CHOICE_USERS 200

/* The sample is used up; free it all the same.  report may be NULL. */
extern void RecsysChoose(RecsysChoiceSample *sample, const RecsysChoiceTask *task,
						 RecsysChoiceReporter report, void *arg, RecsysChoice *choice);

#endif							/* RECSYS_CHOICE_H */
