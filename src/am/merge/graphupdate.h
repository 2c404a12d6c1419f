/*
 * graphupdate.h
 *	  Changing rows of the item graph in place.
 */
#ifndef RECSYS_GRAPHUPDATE_H
#define RECSYS_GRAPHUPDATE_H

#include "am/graph/graph.h"
#include "am/store/meta.h"
#include "core/pairs/neighbors.h"

/* A whole row */
typedef struct RecsysRowUpdate
{
	uint32		item;
	RecsysRowTotals totals;
	uint16		flags;			/* RECSYS_ROW_…, RECSYS_ROW_SHORT is found out here */
	RecsysNeighborList list;
} RecsysRowUpdate;

/* One pair of a row; a score that is not positive removes it */
typedef struct RecsysPairUpdate
{
	uint32		row;
	uint32		item;
	uint32		support;
	float		score;
} RecsysPairUpdate;

/*
 * Applies the updates, sorting both arrays; pairs of a row that is replaced as
 * well come after its replacement.  Each graph page changes in one atomic step.
 * Rows that run short of certain neighbors are flagged and queued.  Only the
 * merging process may call this.
 */
extern void RecsysGraphUpdate(Relation index, const RecsysKeyOrder *order,
							  RecsysRowUpdate *rows, int nrows,
							  RecsysPairUpdate *pairs, uint64 npairs);

/*
 * Replaces whole rows, of different items, page by page in the order of the pages: for very many
 * of them.  Sorts the array.
 */
extern void RecsysGraphReplace(Relation index, const RecsysKeyOrder *order,
							   RecsysRowUpdate *rows, int nrows);

#endif							/* RECSYS_GRAPHUPDATE_H */
