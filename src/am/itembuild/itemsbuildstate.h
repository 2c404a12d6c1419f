/*
 * itemsbuildstate.h
 *	  A build of an items index at work.  Private to itemsbuild.c, itemscontent.c and itemsgraph.c.
 */
#ifndef RECSYS_ITEMSBUILDSTATE_H
#define RECSYS_ITEMSBUILDSTATE_H

#include "postgres.h"

#include "am/build/buildphase.h"
#include "am/content/contentpage.h"
#include "am/content/itemcolumns.h"
#include "am/graph/graph.h"
#include "am/itembuild/itemsclusters.h"
#include "am/itembuild/itemspostings.h"
#include "am/itembuild/itemsspool.h"
#include "storage/buffile.h"

/* Shares of maintenance_work_mem while rows are sorted; there are no more than three at a time */
#define SPOOL_SHARE(memory) ((memory) / 2)
#define PACKED_SHARE(memory) ((memory) / 4)
#define POSTINGS_SHARE(memory) ((memory) / 4)
#define TERMS_SHARE(memory) ((memory) / 4)

typedef struct RecsysItemsBuild
{
	Relation	heap;
	Relation	index;
	ForkNumber	fork;
	RecsysItemColumns *columns;
	RecsysKeyKind kind;
	RecsysMetaData meta;
	RecsysContentMeta content;
	Size		memory;
	bool		concurrent;
	int			nworkers;		/* that may be used */
	uint32		exact_items;	/* up to so many are compared all with all */
	RecsysBuildPhase phase;

	RecsysItemSpool *spool;
	uint32		nitems;
	RecsysTermCount *terms;
	uint32		nterms;

	/* keys of items with current content, in the order in which that is written; of the others */
	BufFile    *keys;
	BufFile    *bare;
	RecsysContentWriter *writer;
	RecsysItemPostings *postings;
	RecsysItemPlan *plan;		/* who is compared with whom */

	/* current tuples on pages before each content page */
	uint32	   *before;
	BlockNumber maxbefore;
	BlockNumber npages;
	uint32		ncurrent;
	uint64		packed;			/* bytes of theirs */

	RecsysGraphWriter graph;
	uint32		reported;		/* items with content */
	float	   *floors;			/* of current tuples */
} RecsysItemsBuild;

/* An item in a file of keys; the bytes of its key follow. */
typedef struct RecsysKeyHeader
{
	uint32		item;
	uint32		length;
} RecsysKeyHeader;

static inline void
RecsysPositionToTid(uint64 position, ItemPointer tid)
{
	ItemPointerSet(tid, (BlockNumber) (position >> 16), (OffsetNumber) (position & 0xFFFF));
}

/* itemscontent.c: content pages, from the rows in the spool, and what else is known of them then */
extern void RecsysWriteItemContent(RecsysItemsBuild *state);

/* itemsgraph.c: the item graph, when all content has been written */
extern void RecsysWriteItemGraph(RecsysItemsBuild *state);

#endif							/* RECSYS_ITEMSBUILDSTATE_H */
