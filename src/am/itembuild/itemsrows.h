/*
 * itemsrows.h
 *	  Build of an items index: the neighbors of all items by their content.
 */
#ifndef RECSYS_ITEMSROWS_H
#define RECSYS_ITEMSROWS_H

#include "postgres.h"

#include "am/itembuild/itemsclusters.h"
#include "core/content/content.h"
#include "core/pairs/cooccurrence.h"
#include "storage/block.h"
#include "utils/rel.h"

/* Items with current content, on consecutive content pages */
typedef struct RecsysItemRows
{
	Relation	heap;
	Relation	index;
	bool		concurrent;		/* how heap and index are locked */
	RecsysContentModel model;
	BlockNumber first;			/* content page */
	BlockNumber npages;
	const uint32 *before;		/* of each page: current tuples on those before it */
	uint32		ncurrent;
	const RecsysItemPlan *plan;
	Size		packed;			/* mean size of theirs */
	int			neighbors;		/* to be found of each */
	int			nworkers;		/* that may be used */
	Size		memory;			/* for all together */
} RecsysItemRows;

/*
 * Reports the rows of all of them, by how many of them come before on the pages and not by
 * their numbers, which the neighbors have.  Equal scores stand in order of numbers.
 */
extern void RecsysComputeItemRows(const RecsysItemRows *rows, RecsysRowReporter report, void *arg);

#endif							/* RECSYS_ITEMSROWS_H */
