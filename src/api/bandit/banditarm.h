/*
 * banditarm.h
 *	  Recommenders as arms of a bandit.
 */
#ifndef RECSYS_BANDITARM_H
#define RECSYS_BANDITARM_H

#include "postgres.h"

#include "api/declare/shop.h"

/*
 * The name as it is kept of a recommender that the current user may use; *shop gets the declared one,
 * NULL if it is an index.
 */
extern const char *RecsysKeptArm(const char *name, RecsysShop **shop);

#endif							/* RECSYS_BANDITARM_H */
