/*
 * batchgraph.h
 *	  An item graph packed for making the lists of many users, in one block of memory that
 *	  processes can share.
 */
#ifndef RECSYS_BATCHGRAPH_H
#define RECSYS_BATCHGRAPH_H

#include "core/base/platform.h"

/* Items are scored by blocks of so many places; arrays by place have whole blocks. */
#define RECSYS_BATCH_BLOCK 64

/* With no more items than this a place takes two bytes. */
#define RECSYS_BATCH_NARROW 65536

/*
 * Begins the block.  All else lies behind, at the given distances in bytes from its beginning.
 *
 * An item has three numbers: its own, by which callers know it; its place, which is how popular it
 * is, so that sums that are added to often lie side by side; and its standing in the order of
 * keys, which breaks ties.
 */
typedef struct RecsysBatchGraph
{
	Size		size;
	uint32		nitems;
	uint32		nplaces;		/* nitems rounded up to whole blocks */
	bool		wide;			/* places take four bytes */
	bool		withholds;		/* some items are not offered */
	uint32		prior_end;		/* no item at this place or behind it has a score of the prior */
	uint64		room;			/* words for rows */
	uint64		used;
	Size		rows;			/* RecsysBatchRow by number */
	Size		places;			/* uint32 by number */
	Size		standings;		/* uint32 by place */
	Size		numbers;		/* uint32 by standing */
	Size		offered;		/* uint8 by place */
	Size		prior;			/* float by place, 0 where there is none */
	Size		words;			/* of each row its neighbors' places, then their scores */
} RecsysBatchGraph;

typedef struct RecsysBatchRow
{
	uint64		start;			/* among the words */
	uint32		count;
} RecsysBatchRow;

#define RecsysBatchPart(graph, part, type) ((type *) ((char *) (graph) + (graph)->part))

/* Words of four bytes that the places of a row take */
static inline uint32
RecsysBatchPlaceWords(const RecsysBatchGraph *graph, uint32 count)
{
	return graph->wide ? count : (count + 1) / 2;
}

/* Bytes of a graph of so many items and, over all rows, so many neighbors */
extern Size RecsysBatchGraphSize(uint32 nitems, uint64 neighbors);

/*
 * Lays out a graph without rows, of all whose items are offered.  users tells how popular the items
 * are; standings has the place of each in the order of keys, NULL: numbers are in that order.
 */
extern RecsysBatchGraph *RecsysBatchGraphInit(void *place, uint32 nitems, uint64 neighbors,
											  const uint32 *users, const uint32 *standings);

/*
 * Takes an item's row, in whichever order they come; neighbors beyond nitems are left out.  False,
 * and nothing done, when there is no room.
 */
extern bool RecsysBatchGraphAdd(RecsysBatchGraph *graph, uint32 item, const uint32 *neighbors,
								const float *scores, int n);

/* The scores that every user's list gets in the end, with weight 1; each item once at most. */
extern void RecsysBatchGraphSetPrior(RecsysBatchGraph *graph, const uint32 *items,
									 const float *scores, int n);

/* The item is not to be listed. */
extern void RecsysBatchGraphWithhold(RecsysBatchGraph *graph, uint32 item);

#endif							/* RECSYS_BATCHGRAPH_H */
