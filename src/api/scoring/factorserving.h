/*
 * factorserving.h
 *	  Scores, and what they come from, of an index with factors.
 */
#ifndef RECSYS_FACTORSERVING_H
#define RECSYS_FACTORSERVING_H

#include "api/call/recommender.h"
#include "api/scoring/serving.h"
#include "core/scoring/scorer.h"

/*
 * Adds scores by factors: of all items that have a positive one, or at least of the best
 * k that are not excluded.  False, and nothing done, when the index has no factors.
 */
extern bool RecsysScoreByFactors(RecsysRecommender *recommender, const RecsysProfile *profile,
								 int k, RecsysScorer *scorer);

/*
 * How similar an item is to each of the profile's, parallel to those, from the user's
 * point of view: times the weights, they sum up to the item's score.  NaN where one of
 * the two has no factor.  False, and nothing done, when the index has no factors.
 */
extern bool RecsysExplainByFactors(RecsysRecommender *recommender, const RecsysProfile *profile,
								   uint32 item, double *similarities);

#endif							/* RECSYS_FACTORSERVING_H */
