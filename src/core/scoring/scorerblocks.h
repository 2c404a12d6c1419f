/*
 * scorerblocks.h
 *	  Sums of scores in blocks of 8, a cache line, and a byte for each that tells whether anything
 *	  was added to it.
 */
#ifndef RECSYS_SCORERBLOCKS_H
#define RECSYS_SCORERBLOCKS_H

#include "core/base/platform.h"

/* Items whose numbers have 16 bits */
#define RECSYS_NARROW_ITEMS ((uint32) 65536)

#define RECSYS_BLOCK_ITEMS 8
#define RECSYS_NARROW_BLOCKS (RECSYS_NARROW_ITEMS / RECSYS_BLOCK_ITEMS)

/* Written behind the end of a list of blocks */
#define RECSYS_BLOCKS_MORE 32

/*
 * A bound for sums in double precision: what is above it includes all that the threshold is not
 * above of once it is rounded to single precision.
 */
static inline double
RecsysJustBelow(float threshold)
{
	uint32		bits;

	if (!(threshold > 0.0f))
		return 0.0;
	memcpy(&bits, &threshold, sizeof(bits));
	bits--;
	memcpy(&threshold, &bits, sizeof(bits));
	return threshold;
}

/*
 * Lists the blocks that are touched, by their marks, 0 or 1, of which there are
 * RECSYS_NARROW_BLOCKS. list has room for those and RECSYS_BLOCKS_MORE.  Returns how many.
 */
extern int	RecsysBlocksTouched(const uint8 *marks, uint16 *list);

/*
 * Which sums of n blocks are above the bound: for each block that has one, which the list has room
 * for, its number times 256, and a bit for each of its sums.  Returns how many blocks that are.
 */
extern int	RecsysBlocksAbove(const double *sums, const uint16 *blocks, int n, double bound,
							  uint32 *found);

/*
 * The highest sums of disjoint parts of n blocks: there are so many groups of blocks that follow
 * each other, with eight parts each, to which one sum of every block belongs.  0 of a part whose
 * sums are none above 0.
 */
extern void RecsysBlocksHighest(const double *sums, const uint16 *blocks, int n, int groups,
								double *highest);

/* Sums of n blocks become 0, and they are not touched any more. */
extern void RecsysBlocksClear(double *sums, uint8 *marks, const uint16 *blocks, int n);

#endif							/* RECSYS_SCORERBLOCKS_H */
