/*
 * headmatrix.h
 *	  Histories without weights, with the most popular items apart, for co-occurrence to read.
 *
 * Items have ranks here: 0 is the one whose row takes the most additions.  The items of
 * the lowest ranks, the head, are bits in blocks (bitcounts.c); the others, the tail, are
 * listed as in RecsysMatrix.  Together they are all that a history has.
 */
#ifndef RECSYS_HEADMATRIX_H
#define RECSYS_HEADMATRIX_H

#include "core/pairs/bitcounts.h"
#include "core/pairs/cooccurrence.h"

typedef struct RecsysHeadMatrix
{
	/* the shape */
	uint32		nrows;			/* users */
	uint32		nitems;
	int			nblocks;
	uint32		nhead;			/* items in blocks */
	uint64		ntail;			/* entries of the tail */

	/* the content */
	uint32	   *items;			/* by rank */
	uint32	   *ranks;			/* by item */
	uint64	   *bits;			/* block after block, RECSYS_BLOCK_WORDS for each user */
	uint64	   *offsets;		/* of the tail, nrows + 1 */
	uint16	   *narrow;			/* ranks - nhead; one of the two, as nitems asks for */
	uint32	   *wide;
	void	   *memory;			/* that it has been given; NULL: that of others */
} RecsysHeadMatrix;

/* The shape that suits histories of that many users, with these totals. */
extern void RecsysHeadShape(RecsysHeadMatrix *split, uint32 nrows,
							 const RecsysItemTotals *totals);

/* Bytes that one of a shape takes; and the content's places in such a piece of memory. */
extern Size RecsysHeadSize(const RecsysHeadMatrix *split);
extern void RecsysHeadPlace(RecsysHeadMatrix *split, void *memory);

/* Split a matrix, whose columns are there, into places. */
extern void RecsysHeadFill(RecsysHeadMatrix *split, const RecsysMatrix *matrix,
							const RecsysItemTotals *totals);

/* The bits of the items from rank block * RECSYS_BLOCK_ITEMS on */
static inline const uint64 *
RecsysHeadBlock(const RecsysHeadMatrix *split, int block)
{
	return split->bits + (Size) block * RECSYS_BLOCK_WORDS * split->nrows;
}

/* All of this in the current memory context; freed by RecsysHeadFree. */
extern RecsysHeadMatrix *RecsysHeadCreate(const RecsysMatrix *matrix,
											const RecsysItemTotals *totals);
extern void RecsysHeadFree(RecsysHeadMatrix *split);

#endif							/* RECSYS_HEADMATRIX_H */
