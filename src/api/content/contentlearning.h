/*
 * contentlearning.h
 *	  How content and interactions are to be weighed, found out on users and items that are there.
 */
#ifndef RECSYS_CONTENTLEARNING_H
#define RECSYS_CONTENTLEARNING_H

#include "postgres.h"

#include "api/call/recommender.h"
#include "api/content/blendfigures.h"

/*
 * From an index over interactions and one over items, both open; about so many users are looked
 * at.  Under the active snapshot, in the current memory context.  False if there is nothing to learn
 * from: too few users, or content that has nothing to do with what they have.
 */
extern bool RecsysLearnContentWeight(RecsysRecommender *events, RecsysRecommender *items, int users,
									 RecsysContentWeight *weight);

#endif							/* RECSYS_CONTENTLEARNING_H */
