/*
 * likenessbest.h
 *	  The best candidates of each query of a block, as tiles come by.
 */
#ifndef RECSYS_LIKENESSBEST_H
#define RECSYS_LIKENESSBEST_H

#include "core/base/platform.h"

/*
 * Candidates have numbers, each of which comes by once; equal scores: the lower number first.
 * Positive scores only.  except[query] (may be RECSYS_NONE, and except NULL) is the number of
 * the query itself, which is left out.
 */
typedef struct RecsysLike
{
	uint32		item;
	float		score;
} RecsysLike;

typedef struct RecsysLikenessBest RecsysLikenessBest;

extern RecsysLikenessBest *RecsysBestCreate(int capacity, int best);
extern void RecsysBestReset(RecsysLikenessBest *best, int queries, const uint32 *except);
extern void RecsysBestOffer(RecsysLikenessBest *best, const uint32 *numbers, int n,
							const float *scores, int stride);

/* Best first; the array is the structure's own, until the next call. */
extern int	RecsysBestOf(RecsysLikenessBest *best, int query, const RecsysLike **likes);
extern Size RecsysBestMemory(int capacity, int best);
extern void RecsysBestFree(RecsysLikenessBest *best);

#endif							/* RECSYS_LIKENESSBEST_H */
