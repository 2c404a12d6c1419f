/*
 * topk.h
 *	  The best k of many scored items.
 *
 * Score and item are packed into one 64-bit word whose unsigned order is
 * "score descending, item ascending".  No two items are equal in that order,
 * so results never depend on the order in which candidates came up.
 */
#ifndef RECSYS_TOPK_H
#define RECSYS_TOPK_H

#include "core/base/platform.h"

typedef struct RecsysCandidate
{
	uint64		order;			/* see RecsysCandidateOrder */
	uint32		support;		/* carried along */
} RecsysCandidate;

/* score must be positive: positive floats have the order of their bits. */
static inline uint64
RecsysCandidateOrder(float score, uint32 item)
{
	uint32		bits;

	memcpy(&bits, &score, sizeof(bits));
	return (uint64) ~bits << 32 | item;
}

static inline float
RecsysCandidateScore(uint64 order)
{
	uint32		bits = ~(uint32) (order >> 32);
	float		score;

	memcpy(&score, &bits, sizeof(score));
	return score;
}

static inline uint32
RecsysCandidateItem(uint64 order)
{
	return (uint32) order;
}

/*
 * Move the k best of n > k >= 1 candidates to the front, in any order.
 * Returns the order of the last of the k.
 */
extern uint64 RecsysSelectBest(RecsysCandidate *candidates, int n, int k);

/* Sort, best first, with room for n more in spare.  Returns one of the two. */
extern RecsysCandidate *RecsysSortCandidates(RecsysCandidate *candidates,
											 RecsysCandidate *spare, int n);

#endif							/* RECSYS_TOPK_H */
