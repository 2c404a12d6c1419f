/*
 * banditview.h
 *	  A bandit's state as choices see it, and how likely each arm is by that.
 */
#ifndef RECSYS_BANDITVIEW_H
#define RECSYS_BANDITVIEW_H

#include "postgres.h"

#include "api/route/banditstate.h"
#include "core/base/random.h"

/*
 * What is known now, rows that are not folded included: read anew at most once a second, or each time
 * if the bandit has a seed.  Good until the next call.
 */
extern RecsysBanditState *RecsysBanditNow(const RecsysBandit *bandit);

/* Forgets what is kept, for who wants to see what is known this very moment. */
extern void RecsysForgetBanditView(const RecsysBandit *bandit);

/* The share of each of the arms; features: see banditfeatures, or NULL. */
extern void RecsysBanditShares(const RecsysBandit *bandit, const double *features, double *shares);

/*
 * The same at a place: the first is that of the base list's item, then those of n items.  Those that
 * are retired have none.
 */
extern void RecsysBanditPlaceShares(const RecsysBandit *bandit, int place, const char *const *items,
									int n, double *shares);

/*
 * The same for who may be shown only some of the items.  Shares among all are kept, so of these the
 * items that may be shown get their part; only where that would leave less than half of them, as for
 * who has bought the best one, they are computed anew.
 */
extern void RecsysBanditPlaceSharesAmong(const RecsysBandit *bandit, int place,
										 const char *const *items, const bool *eligible, int n,
										 double *shares);

/* Random numbers to draw with: those of the seed, if the bandit has one. */
extern void RecsysBanditRandom(RecsysBandit *bandit, RecsysRandom *random);

#endif							/* RECSYS_BANDITVIEW_H */
