/*
 * scorerstate.h
 *	  What a scorer is made of: for scorer.c and scorertop.c alone.
 */
#ifndef RECSYS_SCORERSTATE_H
#define RECSYS_SCORERSTATE_H

#include "core/base/topk.h"
#include "core/scoring/scorer.h"
#include "core/scoring/scorerblocks.h"

#define RECSYS_MARK_SUM 1		/* the item was added to */
#define RECSYS_MARK_EXCLUDED 2

struct RecsysScorer
{
	uint32		nitems;
	uint32		capacity;		/* room in sums, marks, marked */
	double	   *sums;			/* zero unless the item was added to */
	char	   *memory;			/* what they are in */
	uint8	   *marks;
	uint32	   *marked;			/* items with any mark, each once */
	uint32		nmarked;
	const uint8 *offered;		/* NULL: all items */
	bool		narrow;			/* may any block be touched? */
	uint32		added;			/* by narrow rows, until all blocks were marked */
	uint32		expected;		/* more rows, as far as is known */
	uint32		all;			/* items of the blocks that were marked all at once, or 0 */
	bool		listed;			/* are those that are in `touched`? */
	int			ntouched;
	uint16		touched[RECSYS_NARROW_BLOCKS + RECSYS_BLOCKS_MORE];	/* blocks that narrow rows have added to */
	uint8		blocks[RECSYS_NARROW_BLOCKS];	/* marks of all blocks: 1 for those, else 0 */
	RecsysCandidate *pool;		/* kept from call to call */
	Size		pool_size;
};

/* Lists the blocks touched in `touched`. */
extern void RecsysScorerListBlocks(RecsysScorer *scorer);

/* Items of the blocks touched become marked ones; numbers that there are none of go. */
extern void RecsysScorerSettle(RecsysScorer *scorer);

static inline bool
RecsysScorerIsOffered(const RecsysScorer *scorer, uint32 item)
{
	return scorer->offered == NULL || scorer->offered[item] != 0;
}

#endif							/* RECSYS_SCORERSTATE_H */
