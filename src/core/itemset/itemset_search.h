/*
 * itemset_search.h
 *	  What the search for item sets is made of, whatever baskets look like.
 *
 * The search is depth first.  A node of it is a set of items and the baskets that
 * have all of them; its extensions are the items that are frequent in these baskets.
 * Extensions are numbered, and below the node of one only lower numbers are added.
 *
 * Baskets are lists of items while there are many items and few of them in a basket
 * (itemset_lists.c).  Where columns of bits, one for each extension, are faster, baskets
 * become such columns (itemset_columns.c).  Both look at the miner through this header;
 * itemset_miner.c makes miners and starts their tasks.
 *
 * An item that all baskets of a node have is a perfect extension.  With kind ALL it is
 * put aside, and each set below is reported with and without it; otherwise it is part
 * of every set below.
 *
 * A set is closed unless all its baskets have a further item.  One with a lower number
 * is a perfect extension and in the set already.  With a higher number it ends the
 * branch: the closed set belongs to the branch of that item.  Where an item with a
 * higher number than the task's is looked for is said in itemset_search.c.
 */
#ifndef RECSYS_ITEMSET_SEARCH_H
#define RECSYS_ITEMSET_SEARCH_H

#include "core/itemset/itemset_block.h"

/* More powers of two than a count of baskets has. */
#define MAX_SEGMENTS 32

/* Memory that is given back in reverse order; chunks are kept until the end. */
typedef struct Chunk
{
	struct Chunk *previous;
	struct Chunk *next;
	Size		size;
	Size		used;
} Chunk;

typedef struct Mark
{
	Chunk	   *chunk;
	Size		used;
} Mark;

/* Baskets as lists of items; see itemset_block.h for what is where. */
typedef struct Lists
{
	const uint32 *entries;
	const uint32 *places;
	const uint32 *occurrences;
	const uint32 *items;		/* of the source, by number in entries */
	uint32		nitems;

	/*
	 * Are these the lists of the block?  The others are of one task, and the first
	 * of two words of a head is the basket's origin there: as which occurrence of
	 * the task's item it came.  It is missing where nobody needs it.
	 */
	bool		top;
} Lists;

/* One item of a set of baskets: a bit for each that has it. */
typedef struct Column
{
	uint32		item;			/* of the source */
	uint32		support;
	uint64	   *bits;
} Column;

/*
 * How the bits count: those of segment s, words first[s] .. first[s + 1] - 1, count
 * 2^s baskets each.  A basket that stands for five has a bit in segments 0 and 2.
 */
typedef struct Segments
{
	uint32		count;
	uint32		first[MAX_SEGMENTS + 1];
	const ItemsetWeight *weights;		/* by bit; only one bit of a basket has its weight */
	const uint32 *origins;		/* by bit; NULL if the columns have every item */
} Segments;

struct RecsysItemsetMiner
{
	const ItemsetBlock *block;
	const ItemsetWeight *basket_weights;
	RecsysItemsetReporter report;
	void	   *arg;
	RecsysItemsetKind kind;
	uint32		min_support;
	uint32		min_length;
	uint32		max_length;
	RecsysItemsetOutcome outcome;
	Size		memory;
	Size		memory_limit;
	uint64		work;			/* since the last check for interrupts */
	Chunk	   *chunk;

	/* the current set; with kind ALL, perfect extensions stand apart */
	uint32	   *set;
	uint32		length;
	uint32	   *perfect;
	uint32		nperfect;

	uint32	   *counts;			/* by item number; zeros between uses */
	ItemsetWeight *weights;		/* likewise; NULL without weights */
	uint32	   *numbers;		/* by item number: new one, RECSYS_NONE between uses */
	uint32	   *touched;

	/* the block's lists, and the baskets of the current task */
	Lists		lists;
	const uint32 *supports;		/* by rank */
	const uint32 *task_occurrences;
	const uint32 *task_heads;
	uint32	   *candidates;
	uint32		ncandidates;

	uint32		max_columns;	/* fewer extensions than this become columns */

	/* the whole block as columns, if that is the way */
	bool		dense;
	Column	   *columns;
	Segments	segments;
};

extern void *RecsysItemsetMinerAllocate(RecsysItemsetMiner *miner, Size size);
extern Mark RecsysItemsetMinerMark(const RecsysItemsetMiner *miner);
extern void RecsysItemsetMinerRelease(RecsysItemsetMiner *miner, Mark mark);

/*
 * Report the current set, of whose baskets n further items are known to be frequent.
 */
extern bool RecsysItemsetMinerReport(RecsysItemsetMiner *miner, uint32 n, uint32 support,
									 ItemsetWeight weight);

/* Start with the items above the task's in one basket, then keep those in the next ones. */
extern void RecsysItemsetMinerStartUpward(RecsysItemsetMiner *miner, uint32 origin,
										  uint32 support);
extern void RecsysItemsetMinerNarrowUpward(RecsysItemsetMiner *miner, uint32 origin);

/* Count those items; true if one has become frequent.  Forget takes it back. */
extern bool RecsysItemsetMinerCountUpward(RecsysItemsetMiner *miner, uint32 origin, uint32 count);
extern void RecsysItemsetMinerForgetUpward(RecsysItemsetMiner *miner, uint32 origin);

/* Entries walked along, or words compared, between two checks for interrupts */
#define WORK_BETWEEN_CHECKS 100000

static inline void
add_work(RecsysItemsetMiner *miner, uint64 work)
{
	miner->work += work;
	if (unlikely(miner->work > WORK_BETWEEN_CHECKS))
	{
		miner->work = 0;
		CHECK_FOR_INTERRUPTS();
	}
}

/* Sets with more items than the current one: are there any to be found? */
static inline bool
may_grow(const RecsysItemsetMiner *miner)
{
	return miner->length < miner->max_length;
}

static inline void
add_perfect(RecsysItemsetMiner *miner, uint32 item)
{
	if (miner->kind == RECSYS_ITEMSETS_ALL)
		miner->perfect[miner->nperfect++] = item;
	else
		miner->set[miner->length++] = item;
}

#endif							/* RECSYS_ITEMSET_SEARCH_H */
