/*
 * itemset_block.h
 *	  The prepared data of item set mining, as itemset.h's functions share it.
 *
 * The block begins with this struct; everything else stands at byte offsets from its
 * start.  Frequent items are numbered by rank: 0 is the most frequent one.  Where a
 * set must contain one of several items, those have the highest ranks, in themselves
 * again by frequency, because of the order of the search: a task finds the sets whose
 * highest rank is that task's, so that tasks for those items alone are enough.
 *
 * Baskets are ranks in ascending order.  All of them stand in one array, each behind
 * a head, and one more head ends the array.  Words of heads have the highest bit set.
 * The last one has the number of equal baskets that stand there once; where there are
 * weights, another one before it has the basket's number.  So from the place of an item
 * in a basket one can walk in both directions, and learns which basket it is and how
 * often it occurs.
 * Baskets with one frequent item or none are not there.
 */
#ifndef RECSYS_ITEMSET_BLOCK_H
#define RECSYS_ITEMSET_BLOCK_H

#include "core/itemset/itemset.h"
#include "core/itemset/itemset_weight.h"

#define ITEMSET_HEAD ((uint32) 0x80000000)
#define ITEMSET_MAX_BASKETS (ITEMSET_HEAD - 1)

/*
 * Walks along occurrences prefetch the basket that is this many places ahead; the array is
 * that much longer.
 */
#define ITEMSET_AHEAD 16

typedef struct ItemsetBlock
{
	RecsysItemsets public;
	uint32		nitems;			/* items of the source */
	uint32		nranks;			/* frequent items that are not in all_of */
	uint32		first_rank;		/* the lowest rank with a task */
	uint32		ncommon;		/* items of all_of */
	uint32		common_support; /* baskets that have all of them: all that count */
	bool		report_common;	/* task 0 is the set of just these */
	bool		weighted;
	uint32		min_length;
	uint32		max_length;		/* at least 1 */
	ItemsetUnit weight_unit;
	ItemsetWeight common_weight;

	uint32		ndistinct;		/* baskets in entries */
	Size		nentries;		/* with heads */

	/* arrays: byte offsets */
	Size		items;			/* uint32 by rank, then those of all_of */
	Size		supports;		/* uint32 by rank */
	Size		weights;		/* ItemsetWeight by rank; if weighted */
	Size		ranks;			/* uint32 by item; RECSYS_NONE if not frequent */
	Size		entries;		/* uint32 */
	Size		places;			/* uint32 by rank, nranks + 1: where its occurrences start */
	Size		occurrences;	/* uint32: where in entries the rank stands */
	Size		basket_weights; /* ItemsetWeight by basket; if weighted */
} ItemsetBlock;

#define ITEMSET_ARRAY(block, type, field) \
	((type *) ((char *) (block) + (block)->field))

#endif							/* RECSYS_ITEMSET_BLOCK_H */
