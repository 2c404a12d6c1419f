/*
 * signalsample.h
 *	  Users of a declared recommender, of each an item held out and what the signals say without it.
 */
#ifndef RECSYS_SIGNALSAMPLE_H
#define RECSYS_SIGNALSAMPLE_H

#include "postgres.h"

#include "api/candidates/signalscores.h"
#include "api/declare/shop.h"

typedef struct RecsysSignalSample
{
	int			nsignals;
	int			nusers;
	RecsysSignalScores *scores; /* of users for whom weights make a difference */
	int			count;			/* they are the first ones */
	bool		is_cut;			/* maintenance_work_mem had no room for more users */
} RecsysSignalSample;

/*
 * About so many users of the first signal, drawn by the seed, who have something else than the
 * item held out.  That is the one they had last; without times, any one.  Lists have k places.
 * The shop is in use; in the current memory context.
 */
extern void RecsysReadSignalSample(RecsysShop *shop, int users, int k, uint64 seed,
								   RecsysSignalSample *sample);

#endif							/* RECSYS_SIGNALSAMPLE_H */
