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
	uint32	   *ranking;		/* items by rank, from Shape to Begin */
} RecsysHeadMatrix;

/*
 * The shape that suits histories of that many users, with these totals.  It comes with the
 * ranking, in the current memory context, which HeadBegin frees; so does ForgetRanking, if no
 * content is wanted.
 */
extern void RecsysHeadShape(RecsysHeadMatrix *split, uint32 nrows,
							 const RecsysItemTotals *totals);

/* Bytes that one of a shape takes; and the content's places in such a piece of memory. */
extern Size RecsysHeadSize(const RecsysHeadMatrix *split);
extern void RecsysHeadPlace(RecsysHeadMatrix *split, void *memory);

extern void RecsysHeadForgetRanking(RecsysHeadMatrix *split);

/*
 * Split a matrix, whose columns are there, into places.  Begin comes first: items, ranks and the
 * beginning of the first tail.  Stage tells the ranks of users' entries and where their tails are;
 * it takes users in ascending order, each once.  Users that have been staged can be filled in any
 * order, by several processes.  Ranks have 16 bits if RecsysHeadStagesNarrow, else 32.  staged
 * begins with those of user first; histories are the offsets of the matrix.
 */
extern void RecsysHeadBegin(RecsysHeadMatrix *split);
extern void RecsysHeadStage(RecsysHeadMatrix *split, const RecsysMatrix *matrix, uint32 first,
							uint32 last, void *staged);
extern void RecsysHeadFill(RecsysHeadMatrix *split, const uint64 *histories, uint32 first,
						   uint32 last, const void *staged);

/* Map the pages that are to be filled for users, where there are many of them. */
extern void RecsysHeadMapPages(RecsysHeadMatrix *split, uint32 first, uint32 last);

static inline bool
RecsysHeadStagesNarrow(const RecsysHeadMatrix *split)
{
	return split->nitems <= RECSYS_COMPACT_COLUMNS;
}

/* The bits of the items from rank block * RECSYS_BLOCK_ITEMS on */
static inline const uint64 *
RecsysHeadBlock(const RecsysHeadMatrix *split, int block)
{
	return split->bits + (Size) block * RECSYS_BLOCK_WORDS * split->nrows;
}

/* All of this in the current memory context; freed by RecsysHeadFree. */
extern RecsysHeadMatrix *RecsysHeadCreate(const RecsysMatrix *matrix,
											const RecsysItemTotals *totals);

/* The same; NULL if it takes more than that many bytes. */
extern RecsysHeadMatrix *RecsysHeadCreateWithin(const RecsysMatrix *matrix,
												const RecsysItemTotals *totals, Size limit);
extern void RecsysHeadFree(RecsysHeadMatrix *split);

#endif							/* RECSYS_HEADMATRIX_H */
