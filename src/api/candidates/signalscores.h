/*
 * signalscores.h
 *	  What each signal by itself says of a user's items, beside one that was held out: from
 *	  this any weights of the signals give the order of items without scoring anew.
 */
#ifndef RECSYS_SIGNALSCORES_H
#define RECSYS_SIGNALSCORES_H

#include "postgres.h"

#include "api/profile/shopprofile.h"

/* The order by weights is that of sum over signals s of weight_s * score_s */
typedef struct RecsysSignalScores
{
	int			nsignals;
	double	   *target;			/* of the item held out, by signals */
	int			count;			/* other items that may stand before it */
	float	   *scores;			/* count * nsignals */
	bool	   *comes_first;	/* of equal ones by the order of keys; for each of them */
	int			ahead;			/* items that stand before it whatever the weights, not among them */
} RecsysSignalScores;

/*
 * From a profile that was read without the item.  Scores are those that are served, on
 * the scale that they are added up on: the best of a signal that lasts is 1, of a negative one -1.  Pairs
 * with the item are counted without this user.  False if no weights put the item among the
 * first k: nothing speaks for it, it may not be recommended, or k others are always ahead.
 * In the current memory context, between SPI_connect and SPI_finish.
 */
extern bool RecsysScoreSignals(const RecsysShopProfile *profile, uint32 item, int k,
							   RecsysSignalScores *scores);

#endif							/* RECSYS_SIGNALSCORES_H */
