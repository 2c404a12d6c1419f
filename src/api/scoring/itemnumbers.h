/*
 * itemnumbers.h
 *	  Items of one index as another numbers them.
 */
#ifndef RECSYS_ITEMNUMBERS_H
#define RECSYS_ITEMNUMBERS_H

#include "postgres.h"

#include "api/call/recommender.h"
#include "api/scoring/serving.h"

/*
 * A profile by one index as a profile by another, whose items never change: items that the other does
 * not know are left out.  Weights stay; items that count come in the other's order.
 */
extern void RecsysTranslateProfile(RecsysRecommender *from, RecsysRecommender *to, RecsysProfile *profile);

#endif							/* RECSYS_ITEMNUMBERS_H */
