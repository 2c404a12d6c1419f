/*
 * itemsreader.h
 *	  What the parts of reading an items index share.
 */
#ifndef RECSYS_ITEMSREADER_H
#define RECSYS_ITEMSREADER_H

#include "am/graph/graph.h"
#include "am/graph/itemorder.h"
#include "am/items/itemsread.h"
#include "am/read/visibility.h"

/* Which row of an item a snapshot sees */
typedef enum RecsysSightState
{
	RECSYS_SIGHT_NONE,			/* no row */
	RECSYS_SIGHT_CURRENT,		/* one whose content the graph knows */
	RECSYS_SIGHT_OTHER			/* one with content that it does not know, or not any more */
} RecsysSightState;

typedef struct RecsysSight
{
	uint32		item;
	char		status;			/* simplehash's */
	uint8		state;			/* RecsysSightState */
	ItemPointerData tid;
	BlockNumber block;			/* of the content page */
	const char *packed;			/* NULL: not read yet */
	RecsysKey	key;
} RecsysSight;

/* A row of which an event tells, or an item's row that is not the current one */
typedef struct RecsysLateRow
{
	uint32		item;
	BlockNumber block;			/* InvalidBlockNumber: the row is gone */
	ItemPointerData tid;
	uint64		xid;			/* of the writer; 0: its content is not kept */
	const char *packed;			/* NULL: not read yet, or not there */
	bool		read;
} RecsysLateRow;

struct sight_hash;

struct RecsysItemsReader
{
	Relation	heap;
	Relation	index;
	Snapshot	snapshot;
	MemoryContext context;		/* for what is kept until the reader is freed */
	RecsysContentMeta meta;
	RecsysGraphReader graph;
	RecsysItemOrder *order;		/* NULL until a tie has to be broken */
	RecsysVisibility visibility;
	RecsysEntryArray entries;	/* of one item */
	struct sight_hash *sights;

	/* items that may have changed since the last merge, by item */
	RecsysLateRow *late;
	int			nlate;
	int			maxlate;
	TransactionId asked_xid;	/* the last writer that was asked about, and the answer */
	bool		asked_seen;
	bool		keeps;			/* uses the contents that are kept from call to call */
	MemoryContextCallback done;
	RecsysUnmerged *unmerged;	/* NULL until asked for */
	int			nunmerged;
	bool		older;			/* the graph knows of transactions that the snapshot does not see */
};

/* itemssight.c: looked up once for each item. */
extern RecsysSight *RecsysSightOf(RecsysItemsReader *reader, uint32 item);
/* Looks up several at once, which is faster. */
extern void RecsysSightsLook(RecsysItemsReader *reader, const uint32 *items, int n);
extern const char *RecsysSightContent(RecsysItemsReader *reader, RecsysSight *sight);
extern void RecsysSightsForget(RecsysItemsReader *reader);

/* itemslate.c: reads what the graph does not know, after the meta page. */
extern void RecsysLateRead(RecsysItemsReader *reader);
/* First row of an item in late, or -1 */
extern int	RecsysLateFind(const RecsysItemsReader *reader, uint32 item);

/* itemskept.c: content of the row at a place in late, NULL if it has none; kept from call to call. */
extern const char *RecsysLateContent(RecsysItemsReader *reader, int place);

/* itemsbest.c: the best of a stream: score, then key. */
typedef struct RecsysLikeHeap
{
	RecsysItemsReader *reader;
	MemoryContext context;		/* the current one when it was made */
	int			k;
	int			count;
	int			size;
	RecsysLike *likes;			/* the worst one first */
} RecsysLikeHeap;

extern void RecsysLikeHeapInit(RecsysLikeHeap *heap, RecsysItemsReader *reader, int k);
extern void RecsysLikeHeapAdd(RecsysLikeHeap *heap, uint32 item, float score);
/* Best first; palloc'd, or NULL. */
extern int	RecsysLikeHeapFinish(RecsysLikeHeap *heap, RecsysLike **likes);

/* Could a score be among the best? */
static inline bool
RecsysLikeHeapWants(const RecsysLikeHeap *heap, float score)
{
	return score > 0 && heap->k > 0 && (heap->count < heap->k || score >= heap->likes[0].score);
}

/* Less than zero if a stands before b */
extern int	RecsysLikeCompare(RecsysItemsReader *reader, const RecsysLike *a,
							  const RecsysLike *b);

#endif							/* RECSYS_ITEMSREADER_H */
