/*
 * itemset_columns.h
 *	  The search for item sets where baskets are columns of bits.
 */
#ifndef RECSYS_ITEMSET_COLUMNS_H
#define RECSYS_ITEMSET_COLUMNS_H

#include "core/itemset/itemset_search.h"

/*
 * Where the bits of baskets go.  First the bits of all baskets are counted, then the
 * segments get their words, then each basket takes its bits, in the same order.
 */
typedef struct ColumnLayout
{
	Segments   *segments;
	uint32		words;			/* of a column */
	uint32		bits[MAX_SEGMENTS]; /* of each segment: how many, then the next one to be taken */
	ItemsetWeight *weights;		/* as in Segments, to be filled in */
	uint32	   *origins;
} ColumnLayout;

/* Count the bits of a basket that occurs that many times. */
static inline void
count_bits(ColumnLayout *layout, uint32 count)
{
	if (likely(count == 1))
	{
		layout->bits[0]++;
		return;
	}
	for (uint32 s = 0; count != 0; s++, count >>= 1)
	{
		layout->bits[s] += count & 1;
		layout->segments->count = Max(layout->segments->count, s + 1);
	}
}

/* Note weight and origin of a basket with its bit; only its first bit has the weight. */
static inline void
note_bit(const ColumnLayout *layout, uint32 bit, ItemsetWeight weight, uint32 origin)
{
	if (layout->weights != NULL)
		layout->weights[bit] = weight;
	if (layout->origins != NULL)
		layout->origins[bit] = origin;
}

extern void RecsysItemsetLayoutStart(ColumnLayout *layout, Segments *segments);

/* All bits have been counted: which words does each segment get? */
extern void RecsysItemsetLayoutPlace(ColumnLayout *layout);

/*
 * n columns without a bit, and room for weights and origins where they are needed.
 * NULL if memory does not suffice.
 */
extern Column *RecsysItemsetLayoutColumns(RecsysItemsetMiner *miner, ColumnLayout *layout,
										  uint32 n, bool origins);

/*
 * The sets of the current one and some of the columns, the highest of which is one of
 * first .. last - 1.  The columns from last on matter only because they decide whether a
 * set is closed.
 */
extern bool RecsysItemsetMineColumns(RecsysItemsetMiner *miner, const Column *columns,
									 uint32 first, uint32 last, uint32 ncolumns,
									 const Segments *segments);

/* Would it be faster to have the whole block as columns, and do they fit?  If so, make them. */
extern void RecsysItemsetMinerConsiderColumns(RecsysItemsetMiner *miner);

#endif							/* RECSYS_ITEMSET_COLUMNS_H */
