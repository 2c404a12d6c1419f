/*
 * contentserving.h
 *	  What an index over items answers: neighbors by content.
 */
#ifndef RECSYS_CONTENTSERVING_H
#define RECSYS_CONTENTSERVING_H

#include "postgres.h"

#include "api/call/answer.h"
#include "api/call/recommender.h"

/* Columns: item, score, support (NULL), rank */
extern void RecsysPutLikeItem(RecsysRecommender *recommender, RecsysAnswer *answer,
							  const RecsysKey *key, int k);

/*
 * Columns: item, score, source, rank.  The score is the sum of the likenesses to those given, each
 * with its neighbors.
 */
extern void RecsysPutLikeItems(RecsysRecommender *recommender, RecsysAnswer *answer,
							   const RecsysKey *keys, int count, int k, bool exclude_given);

/* Columns: item, neighbor, score, support (NULL), rank */
extern void RecsysPutAllLikes(RecsysRecommender *recommender, RecsysAnswer *answer);

#endif							/* RECSYS_CONTENTSERVING_H */
