/*
 * rowplace.h
 *	  Changed rows of the item graph, put on their pages.
 */
#ifndef RECSYS_ROWPLACE_H
#define RECSYS_ROWPLACE_H

#include "am/store/graphrow.h"
#include "utils/rel.h"

/* A row as it shall be */
typedef struct RecsysNewRow
{
	uint32		item;
	OffsetNumber off;			/* where it stands on its page */
	RecsysStoredRow row;
	Size		size;
	bool		moves;			/* has its page no room for it? */
	int64		interactions;	/* what it changes the meta page's totals by */
	int64		items;
	int64		stored;
	int64		stale;
	RecsysRowTotals before;
	RecsysRowTotals after;
} RecsysNewRow;

/*
 * Overwrites rows of one graph page in one atomic step, and moves those that it has no room for,
 * one by one.  neighbors is that of the index.  Only the merging process may call this.
 */
extern void RecsysPlaceRows(Relation index, BlockNumber block, RecsysNewRow *rows, int nrows,
							int neighbors);

#endif							/* RECSYS_ROWPLACE_H */
