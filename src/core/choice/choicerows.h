/*
 * choicerows.h
 *	  Rows of the item graphs of many models from one counting of pairs.
 */
#ifndef RECSYS_CHOICEROWS_H
#define RECSYS_CHOICEROWS_H

#include "core/choice/choicesplit.h"

/* How users' products are damped, and weights transformed: so many ways are summed up at once. */
#define RECSYS_CHOICE_LANES 4

typedef struct RecsysChoiceLane
{
	double		damping;		/* a user of d items counts d ^ -damping */
	RecsysWeightTransform transform;	/* BINARY unless the lane is weighted */
	double		alpha;			/* exponent of weights, see weighting.c */
} RecsysChoiceLane;

/* A model's rows of those items that are asked for */
typedef struct RecsysChoiceRows
{
	RecsysModelOptions options; /* resolved; cosine or rp3beta */
	uint32		nrows;
	int			width;			/* neighbors of a row at most */
	uint16	   *counts;			/* of neighbors, by row */
	uint32	   *items;			/* width for each row */
	float	   *scores;
} RecsysChoiceRows;

typedef struct RecsysChoiceCounter RecsysChoiceCounter;

/* For the items that the users who are asked for have. */
extern RecsysChoiceCounter *RecsysChoiceCounterCreate(const RecsysChoiceSplit *split);
extern void RecsysChoiceCounterFree(RecsysChoiceCounter *counter);

/* The row of an item, RECSYS_NONE for those that nobody is asked for has. */
extern uint32 RecsysChoiceRowOf(const RecsysChoiceCounter *counter, uint32 item);

/* Bytes of a model's rows */
extern Size RecsysChoiceRowsMemory(const RecsysChoiceCounter *counter, int neighbors);

/*
 * Computes the rows of n models at once.  Their options are set, and those
 * that are weighted or damped differ in at most RECSYS_CHOICE_LANES - 1 ways.
 */
extern void RecsysChoiceCount(RecsysChoiceCounter *counter, RecsysChoiceRows **models, int n);

extern RecsysChoiceRows *RecsysChoiceRowsCreate(const RecsysChoiceCounter *counter,
												const RecsysModelOptions *options);
extern void RecsysChoiceRowsFree(RecsysChoiceRows *rows);

/* The lane that makes the products which a model's scores take */
extern RecsysChoiceLane RecsysChoiceLaneOf(const RecsysModelOptions *options);
extern bool RecsysChoiceLanesEqual(const RecsysChoiceLane *a, const RecsysChoiceLane *b);

#endif							/* RECSYS_CHOICEROWS_H */
