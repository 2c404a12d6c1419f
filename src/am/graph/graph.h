/*
 * graph.h
 *	  The item graph on disk: row map, graph rows, new items.
 */
#ifndef RECSYS_GRAPH_H
#define RECSYS_GRAPH_H

#include "am/store/meta.h"
#include "am/store/page.h"
#include "compat.h"
#include "core/pairs/neighbors.h"

/*
 * Where a row was when it was read last, in which buffer: for who reads the same rows again and
 * again.  All zero: unknown.  Whether it is still there is seen when it is read.
 */
typedef struct RecsysRowHint
{
	ItemPointerData tid;
	Buffer		buffer;
} RecsysRowHint;

/*
 * A reader that keeps its last row map leaf pinned: callers that ask for
 * ascending item numbers read each leaf once.
 */
typedef struct RecsysGraphReader
{
	Relation	index;
	Buffer		leaf;			/* pinned, not locked */
	Buffer		row;			/* pinned, share-locked between Begin and End of a row */
	uint32		leafnumber;
	RecsysRowHint *hints;		/* the caller's, by item number; NULL: none */
	uint32		nhints;
	bool		for_keys;		/* VisitRows: memory of the rows' keys is asked for ahead as well */
} RecsysGraphReader;

extern void RecsysGraphReaderInit(RecsysGraphReader *reader, Relation index);
extern void RecsysGraphReaderDone(RecsysGraphReader *reader);

/*
 * The row of an item, share-locked until RecsysGraphReleaseRow; NULL when there
 * is no such item number.
 */
extern RecsysGraphRow RecsysGraphReadRow(RecsysGraphReader *reader, uint32 item);
extern RecsysGraphRow RecsysGraphNeedRow(RecsysGraphReader *reader, uint32 item);	/* or an error */
extern void RecsysGraphReleaseRow(RecsysGraphReader *reader);

/* Stores a list in a row with room for it, which shows at most so many neighbors. */
extern void RecsysGraphSetNeighbors(RecsysGraphRow row, const RecsysNeighborList *list,
									int neighbors);

/* Errors: the index has no such item; the row map leads to no row of it. */
pg_noreturn extern void RecsysNoItem(Relation index, uint32 item);
pg_noreturn extern void RecsysWrongRow(Relation index, uint32 item);

/* Where the row map has the row; invalid when there is no such item number. */
extern ItemPointerData RecsysGraphFindRow(RecsysGraphReader *reader, uint32 item);

/* The row at an offset of a locked or private page, NULL if it is not there. */
extern RecsysGraphRow RecsysGraphLocateRow(Relation index, Page page, OffsetNumber off,
										   uint32 item);

/*
 * The graph page that takes a row of the given size, exclusively locked.  The
 * meta page is exclusively locked; a new page becomes its graph_tail.
 */
extern Buffer RecsysGraphPageWithRoom(Relation index, Buffer metabuffer, Size size);

/*
 * Visits the rows of n items, in the order given, each share-locked during its
 * visit.  Faster than reading them one by one: memory is asked for some rows
 * ahead.  Items that do not exist are passed over.  The reader's hints are used and
 * brought up to date.
 */
typedef void (*RecsysRowVisitor) (void *arg, int position, RecsysGraphRow row);

extern void RecsysGraphVisitRows(RecsysGraphReader *reader, const uint32 *items, int n,
								 RecsysRowVisitor visit, void *arg);

/* Key of an item in palloc'd memory; false when there is no such item number. */
extern bool RecsysGraphReadKey(RecsysGraphReader *reader, uint32 item, RecsysKey *key);
extern void RecsysGraphNeedKey(RecsysGraphReader *reader, uint32 item, RecsysKey *key);	/* or an error */

/* Item numbers in use now. */
extern uint32 RecsysItemCount(Relation index);

/* Number of an item key, creating the item when it is new. */
extern uint32 RecsysInternItem(Relation index, const RecsysKey *key);

/*
 * Build: rows come in ascending item order, or say themselves whose they are; every item exactly once.
 */
typedef struct RecsysGraphWriter
{
	Relation	index;
	ForkNumber	fork;
	PGAlignedBlock image;		/* graph page being filled */
	bool		empty;
	uint32		nitems;
	ItemPointer rows;			/* TID of each row on a page before */
	BlockNumber tail;			/* last graph page */
	uint64		pairs;			/* neighbors written */
} RecsysGraphWriter;

extern void RecsysGraphWriterInit(RecsysGraphWriter *writer, Relation index, ForkNumber fork,
								  uint32 nitems);
/* Up to RECSYS_ROW_CAPACITY neighbors, best first: fewer if there are no more. */
extern void RecsysGraphWriterAdd(RecsysGraphWriter *writer, const RecsysMetaData *meta,
								 const RecsysKey *key, const RecsysRowTotals *totals,
								 const RecsysNeighbor *neighbors, int count);
extern void RecsysGraphWriterPut(RecsysGraphWriter *writer, const RecsysMetaData *meta, uint32 item,
								 const RecsysKey *key, const RecsysRowTotals *totals,
								 const RecsysNeighbor *neighbors, int count);

/* Writes the row map and fills in meta's graph_tail, map_leaves, map_roots, nitems, pairs. */
extern void RecsysGraphWriterFinish(RecsysGraphWriter *writer, RecsysMetaData *meta);

/* Bytes that a writer for so many items holds. */
extern Size RecsysGraphWriterMemory(uint32 nitems);

#endif							/* RECSYS_GRAPH_H */
