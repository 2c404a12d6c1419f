/*
 * basketlist.h
 *	  Lists of what a user's next basket will hold, and how much of it they foretell.
 */
#ifndef RECSYS_BASKETLIST_H
#define RECSYS_BASKETLIST_H

#include "core/measure/evaluator.h"
#include "core/sequence/nextbasket.h"

/* How a list is made */
typedef enum RecsysBasketMethod
{
	RECSYS_BASKET_MIX,			/* core/sequence/nextbasket.h */
	RECSYS_BASKET_FREQUENCY,	/* what the user has had most often, and no more */
	RECSYS_BASKET_POPULAR,		/* what most users have */
	RECSYS_BASKET_FREQUENCY_POPULAR /* the second, then the third */
} RecsysBasketMethod;

#define RECSYS_BASKET_METHODS ((int) RECSYS_BASKET_FREQUENCY_POPULAR + 1)

extern const char *RecsysBasketMethodName(RecsysBasketMethod method);
extern bool RecsysBasketMethodParse(const char *name, RecsysBasketMethod *method);

/* What lists of baskets are made from, beside the model */
typedef struct RecsysBaskets
{
	RecsysBasketMethod method;
	RecsysNextBasketOptions mix;

	/* users' rows before the held-out basket, one user after the other, and when that began */
	uint64	   *offsets;
	uint32	   *items;
	double	   *weights;		/* NULL when all are 1 */
	int64	   *times;
	int64	   *at;

	/* what the model's users tell of when items are bought again */
	RecsysFolding folding;
	RecsysRhythm *rhythms;		/* by item */
	RecsysRenewalPrior prior;
} RecsysBaskets;

/* The list of a user, RECSYS_NONE at the end; returns its length, and fills evaluator->known. */
extern int	RecsysListBasket(RecsysEvaluator *evaluator, uint32 user, uint32 *list);

/*
 * The figures that only baskets have, of the list that was made last; evaluator->hits are filled in.
 */
extern void RecsysMeasureBasket(RecsysEvaluator *evaluator, const uint32 *test, uint64 ntest,
								int length, double *figures);

#endif							/* RECSYS_BASKETLIST_H */
