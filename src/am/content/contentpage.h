/*
 * contentpage.h
 *	  What an items index (access method recsys_items) stores of each row: content pages.
 *
 * An items index has the item side, the item graph and the pending lists of a recsys index,
 * in the same formats, and neither users nor factors:
 *
 *	* The owner of an item has an entry for each of its rows: the row's TID, and in the place
 *	  of a user's hash the block of the content page that has the row's content (orphan is
 *	  never set).
 *	* The item's graph row has its neighbors by content; users is 1 while the item has current
 *	  content, else 0; supports are 0.
 *	* An event says that an item's rows have changed: item, and the row's TID; user_hash is
 *	  the content block.
 *
 * Content pages: one tuple per row of the table.  A tuple never moves to another page.  At
 * most one tuple of an item is CURRENT: the one that the graph was computed with.  Merges
 * alone set and clear that, so the graph is a function of the current tuples.  VACUUM deletes
 * tuples of dead rows; a current one it marks DEAD (the TID then means nothing) and leaves to
 * the next merge, which needs it to find the rows of the graph that have the item.
 *
 * Pages are a list from content_head on, linked by next.  Of those with room left by VACUUM
 * some are listed from content_free on, linked by high (InvalidBlockNumber ends both).
 *
 * Term pages (RECSYS_PAGE_TERMS): consecutive blocks from terms on, RecsysTermCounts in order
 * of their hash; written by a build and never changed.
 *
 * Lock order: bucket, then content page, then graph row, then meta page.
 */
#ifndef RECSYS_CONTENTPAGE_H
#define RECSYS_CONTENTPAGE_H

#include "access/itup.h"
#include "am/store/meta.h"
#include "am/store/page.h"
#include "core/content/content.h"
#include "utils/snapshot.h"

typedef struct RecsysContentTupleData
{
	uint32		item;			/* number */
	float		floor;			/* of a current one: no item with a likeness below this comes into the
								 * stored part of its graph row; may be lower than it could be */
	ItemPointerData tid;
	uint16		flags;			/* RECSYS_CONTENT_… */
	char		packed[FLEXIBLE_ARRAY_MEMBER];	/* to the end of the line pointer's length */
} RecsysContentTupleData;

typedef RecsysContentTupleData *RecsysContentTuple;

#define RECSYS_CONTENT_CURRENT	0x0001
#define RECSYS_CONTENT_DEAD		0x0002	/* its row is gone; always current as well */

#define RECSYS_CONTENT_HEADER offsetof(RecsysContentTupleData, packed)

/* low of a content page: is it on the list from content_free on? */
#define RECSYS_CONTENT_LISTED	1

/* On the meta page of an items index, behind RecsysMetaData */
typedef struct RecsysContentMeta
{
	BlockNumber content_head;
	BlockNumber content_tail;	/* page that new tuples go to */
	BlockNumber content_free;
	BlockNumber terms;			/* first term page, or InvalidBlockNumber */
	uint32		nterms;
	uint32		approximate;	/* 1: the build compared items of near clusters only */
	uint64		contents;		/* tuples; right as of some recent time */

	/*
	 * What the graph knows of: nothing of a transaction from merged_xid on (a full transaction
	 * id), which is the end of the snapshot that the last build or merge has worked under.  A
	 * merge sets it before it changes the first row, and by merges tells when it begins, which makes
	 * that odd, and when it has ended.  Readers tell by the one whether their snapshot is older than
	 * the graph, and by the other whether the graph has changed under them.
	 */
	uint64		merged_xid;
	uint64		merges;
	RecsysContentModel model;	/* as of the build; dimensions may be set later, once */
} RecsysContentMeta;

#define RecsysPageGetContentMeta(page) \
	((RecsysContentMeta *) (PageGetContents(page) + MAXALIGN(sizeof(RecsysMetaData))))

/* The part of the meta page, copied; reads the page. */
extern void RecsysReadContentMeta(Relation index, RecsysContentMeta *meta);

/* For who is going to change the graph by what a snapshot sees: a build before its scan, a merge on the page */
extern uint64 RecsysContentSnapshotEnd(Snapshot snapshot);
extern void RecsysContentNoteBuild(RecsysContentMeta *meta);
extern void RecsysContentNoteSnapshot(Relation index, Snapshot snapshot);
extern void RecsysContentNoteDone(Relation index);

/* merges, as of now */
extern uint64 RecsysContentMerges(Relation index);

/* Checked when the meta page is read. */
extern bool RecsysContentMetaIsSane(const RecsysContentMeta *meta, BlockNumber nblocks);

/* The count of a term: a RecsysTermLookup. */
typedef struct RecsysTermReader
{
	Relation	index;
	BlockNumber terms;
	uint32		nterms;
} RecsysTermReader;

extern uint32 RecsysReadTermCount(void *reader, uint64 hash);

/* Appends a tuple; returns its block. */
extern BlockNumber RecsysContentAppend(Relation index, uint32 item, ItemPointer tid,
									   const char *packed, Size size);

/* A palloc'd copy of the tuple with that TID, which is not dead; NULL if the page has none. */
extern RecsysContentTuple RecsysContentRead(Relation index, BlockNumber block, ItemPointer tid,
											Size *size);

/*
 * Visits all content pages in the order of their list, a copy of each, nothing locked: all
 * sane tuples.  The visitor may do as it likes, also change pages.  With CHECK_FOR_INTERRUPTS.
 */
typedef struct RecsysContentPage
{
	BlockNumber block;
	int			ntuples;
	RecsysContentTuple tuples[MaxIndexTuplesPerPage];
	uint16		sizes[MaxIndexTuplesPerPage];	/* of packed */
	OffsetNumber offsets[MaxIndexTuplesPerPage];
} RecsysContentPage;

typedef void (*RecsysContentVisitor) (void *arg, const RecsysContentPage *page);
extern void RecsysContentScan(Relation index, RecsysContentVisitor visit, void *arg);

/* Build: tuples one after the other, in any order of items; Finish sets what meta has of them. */
typedef struct RecsysContentWriter RecsysContentWriter;

extern RecsysContentWriter *RecsysContentWriterCreate(Relation index, ForkNumber fork);
extern BlockNumber RecsysContentWriterAdd(RecsysContentWriter *writer, uint32 item,
										  ItemPointer tid, bool current, float floor,
										  const char *packed, Size size);
extern void RecsysContentWriterFinish(RecsysContentWriter *writer, RecsysContentMeta *meta);

/* Build: the floors of all current tuples, in the order in which they were added. */
extern void RecsysContentSetFloors(Relation index, const RecsysContentMeta *meta,
								   const float *floors, uint32 n);

#endif							/* RECSYS_CONTENTPAGE_H */
