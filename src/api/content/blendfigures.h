/*
 * blendfigures.h
 *	  How content and interactions are weighed.
 */
#ifndef RECSYS_BLENDFIGURES_H
#define RECSYS_BLENDFIGURES_H

#include "postgres.h"

typedef struct RecsysContentWeight
{
	double		scale;			/* of content, as a score by interactions */
	double		users;			/* as many users say as much as the content; 0: it speaks where there are none */

	/* how it was found out */
	int64		pairs;
	int64		held_out;		/* users */
	double		ndcg_without;	/* of an item with interactions; NaN: not measured */
	double		ndcg_with;
	double		p_value;
	double		all_ndcg;		/* of all that was held out, items treated as new among it */
} RecsysContentWeight;

/* Users that are looked at */
#define RECSYS_LEARNING_FEW 500
#define RECSYS_LEARNING_MANY 2000

#endif							/* RECSYS_BLENDFIGURES_H */
