/*
 * graph.h
 *	  The item graph on disk: row map, graph rows, new items.
 */
#ifndef RECSYS_GRAPH_H
#define RECSYS_GRAPH_H

#include "am/graph/rowhints.h"
#include "am/store/graphrow.h"
#include "am/store/meta.h"
#include "compat.h"
#include "core/pairs/neighbors.h"

/*
 * A reader that keeps its last row map leaf pinned: callers that ask for
 * ascending item numbers read each leaf once.
 */
typedef struct RecsysGraphReader
{
	Relation	index;
	Buffer		leaf;			/* pinned, not locked */
	uint32		leafnumber;
	RecsysRowHints *hints;		/* NULL: none */
	bool		for_keys;		/* VisitRows: rows come without neighbors */
	MemoryContext context;		/* that the reader was made in, for ... */
	RecsysGraphRow copy;		/* ... the row at hand; NULL: there was none yet */
} RecsysGraphReader;

extern void RecsysGraphReaderInit(RecsysGraphReader *reader, Relation index);
extern void RecsysGraphReaderDone(RecsysGraphReader *reader);

/* Rows are looked for where the session has found them last: for who reads the same ones often. */
extern void RecsysGraphReaderRemember(RecsysGraphReader *reader);

/*
 * A copy of an item's row, which is the caller's until RecsysGraphReleaseRow; NULL when there
 * is no such item number.  No lock is held on it.
 */
extern RecsysGraphRow RecsysGraphReadRow(RecsysGraphReader *reader, uint32 item);
extern RecsysGraphRow RecsysGraphNeedRow(RecsysGraphReader *reader, uint32 item);	/* or an error */
extern void RecsysGraphReleaseRow(RecsysGraphReader *reader);

/* Puts a list into a row with room for it, which shows at most so many neighbors. */
extern void RecsysGraphSetNeighbors(RecsysGraphRow row, const RecsysNeighborList *list,
									int neighbors);

/* Errors: the index has no such item; the row map leads to no row of it. */
pg_noreturn extern void RecsysNoItem(Relation index, uint32 item);
pg_noreturn extern void RecsysWrongRow(Relation index, uint32 item);

/* Where the row map has the row; invalid when there is no such item number. */
extern ItemPointerData RecsysGraphFindRow(RecsysGraphReader *reader, uint32 item);

/* The row at an offset of a locked or private page, NULL if it is not there. */
extern RecsysStoredRow RecsysGraphLocateRow(Relation index, Page page, OffsetNumber off,
											uint32 item);

/* The same on a page that a row was located on since it was locked: it is a graph page. */
extern RecsysStoredRow RecsysGraphLocateNext(Relation index, Page page, OffsetNumber off,
											  uint32 item);

/* Sets and clears flags of an item's row, wherever it is by now, in one logged step. */
extern void RecsysGraphSetFlags(RecsysGraphReader *reader, uint32 item, uint8 set, uint8 clear);

/*
 * The graph page that takes a row of the given size, exclusively locked.  The
 * meta page is exclusively locked; a new page becomes its graph_tail.
 */
extern Buffer RecsysGraphPageWithRoom(Relation index, Buffer metabuffer, Size size);

/* Is the row of an item, which there is, stored as it would be now, in as few bytes as it takes? */
extern bool RecsysGraphRowIsTight(RecsysGraphReader *reader, uint32 item);

/*
 * For graphvisit.c: the row of an item as it is stored, with its page pinned and share-locked;
 * NULL: there is no such item number.  And a pin of the page that a hint leads to, if it is in that
 * buffer.
 */
extern RecsysStoredRow RecsysGraphLockRow(RecsysGraphReader *reader, uint32 item, Buffer *buffer);
extern bool RecsysGraphPinHinted(RecsysGraphReader *reader, const RecsysRowHint *hint);

/* A copy of a row that is locked, in the reader's memory; alone: without its neighbors */
extern RecsysGraphRow RecsysGraphCopyRow(RecsysGraphReader *reader, RecsysStoredRow row, bool alone);

/*
 * Visits the rows of n items.  Faster than reading them one by one: memory is
 * asked for some rows ahead.  Items that do not exist are passed over.  The first two show
 * each row as it is stored, with its page share-locked during the visit; the last one copies.
 * The first one has rows of a page one after the other if there are many; the others keep the
 * order given.
 */
typedef void (*RecsysStoredVisitor) (void *arg, int position, RecsysStoredRow row);
typedef void (*RecsysRowVisitor) (void *arg, int position, RecsysGraphRow row);

extern void RecsysGraphVisitByPage(RecsysGraphReader *reader, const uint32 *items, int n,
								   RecsysStoredVisitor visit, void *arg);
extern void RecsysGraphVisitStored(RecsysGraphReader *reader, const uint32 *items, int n,
								   RecsysStoredVisitor visit, void *arg);
extern void RecsysGraphVisitRows(RecsysGraphReader *reader, const uint32 *items, int n,
								 RecsysRowVisitor visit, void *arg);

/* When an item was taken last; an error when there is no such item number. */
extern int64 RecsysGraphNeedLatest(RecsysGraphReader *reader, uint32 item);

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
#define RECSYS_GRAPH_CLASSES 32

typedef struct RecsysGraphWriter
{
	Relation	index;
	ForkNumber	fork;
	Page		pages[RECSYS_GRAPH_CLASSES];	/* being filled, by how popular items are; or NULL */
	MemoryContext context;		/* of those */
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
