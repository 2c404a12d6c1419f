/*
 * itemsround.h
 *	  What the parts of an items index's merge share; for itemsmerge.c, itemschange.c and
 *	  itemsround.c alone.
 */
#ifndef RECSYS_ITEMSROUND_H
#define RECSYS_ITEMSROUND_H

#include "am/content/contentpage.h"
#include "am/graph/graph.h"
#include "am/graph/itemorder.h"
#include "am/merge/mergestate.h"
#include "am/read/visibility.h"

/* An item whose content may have changed, or whose row is to be computed anew */
typedef struct RecsysItemChange
{
	uint32		item;
	uint16		flags;			/* of its row, RECSYS_ROW_QUEUED */
	bool		had;			/* does its row say that there is current content? */
	bool		own_only;		/* it has not changed; no more than its row is wanted */
	RecsysContentTuple old;		/* current content, or NULL ... */
	Size		old_size;
	BlockNumber old_block;
	RecsysContentTuple new;		/* ... and what is to be current, or NULL */
	Size		new_size;
	BlockNumber new_block;
} RecsysItemChange;

/* A batch: under one snapshot */
typedef struct RecsysItemsBatch
{
	RecsysMergeState *merge;
	RecsysContentModel model;
	bool		noted;			/* is the snapshot on the meta page? */
	uint64		contents;		/* as the last scan has counted them, 0: none yet */
	int			capacity;		/* neighbors that a row stores */
	int			maxqueries;		/* contents that are compared with all others at once */
	RecsysVisibility visibility;
	RecsysItemOrder *items;
	RecsysKeyOrder order;		/* of items */
	RecsysGraphReader graph;
	uint32	   *slots;			/* by item: 1 + its place in the round at hand, or 0 */
} RecsysItemsBatch;

/*
 * itemschange.c: looks up what an item has now.  events are those of the item, which name
 * blocks that its current content may be on.  Current content that is not found where
 * it should be is left to RecsysItemsFindLost.
 */
extern void RecsysItemsLookUp(RecsysItemsBatch *batch, uint32 item, const RecsysEvent *events,
							  uint64 nevents, RecsysItemChange *change);

/* Looks for current content of these items on all pages; returns how many it has found. */
extern int	RecsysItemsFindLost(RecsysItemsBatch *batch, RecsysItemChange *changes, int nchanges);

/* Does the graph stay as it is? */
extern bool RecsysItemsIsSettled(const RecsysItemChange *change);

/* Contents that the round has to compare for it. */
static inline int
RecsysItemsQueries(const RecsysItemChange *change)
{
	return (change->new != NULL) + (change->old != NULL && !change->own_only);
}

/*
 * itemsround.c: brings the rows of these items, none of which is settled, up to date, and those
 * of others that have them or are to have them.
 */
extern void RecsysItemsRound(RecsysItemsBatch *batch, RecsysItemChange *changes, int nchanges);

#endif							/* RECSYS_ITEMSROUND_H */
