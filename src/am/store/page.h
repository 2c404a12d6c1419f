/*
 * page.h
 *	  The on-disk format of a recsys index.  This header is its documentation;
 *	  src/README.md draws the pictures.
 *
 * Block 0 is the meta page.  Every other page belongs to one of these structures:
 *
 * The interaction graph, kept in both directions ("sides").  The user side maps
 * a user key to that user's interactions, the item side maps an item key to the
 * item's postings.  Both sides are the same structure: a shallow tree ordered
 * by the 32-bit hash of the key.  Directory pages hold (lowest hash, block)
 * pairs; the leaves are bucket pages that hold one owner tuple per key.  A
 * short list of entries lies in the owner tuple; a long one fills chain pages
 * and keeps only its tail in the tuple.
 *
 * The item graph: one row tuple per item number on graph pages, addressed by
 * the row map (item number -> TID of the row).
 *
 * The pending lists: what inserts and VACUUM have changed in the interaction
 * graph and merges have not yet carried into the item graph.
 *
 * The prior: what speaks for popular items whoever the user is, and the latest time; one
 * page, of a model that has use for it.
 *
 * Factors: of a model that has them a vector for each item, and the sum of
 * their outer products.  Written by a build and never changed.
 *
 * Chunks: of the one index that a partitioned table has for all of its partitions,
 * where the blocks are that its entries' TIDs name, see am/parts/chunkpage.h.
 *
 * An items index (access method recsys_items) has content pages instead of users and
 * factors, see am/content/contentpage.h.
 *
 * All integers are in native byte order, as everywhere in PostgreSQL.
 */
#ifndef RECSYS_PAGE_H
#define RECSYS_PAGE_H

#include "postgres.h"

#include "core/dense/factorsketch.h"
#include "core/pairs/modeloptions.h"
#include "core/pairs/similarity.h"
#include "core/rows/history.h"
#include "core/rows/key.h"
#include "core/rows/recency.h"
#include "core/sequence/rhythm.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/itemptr.h"
#include "storage/off.h"
#include "utils/rel.h"

#define RECSYS_MAGIC			0x52435359	/* "RCSY" */
#define RECSYS_FORMAT_VERSION	6

/* Fixed blocks */
#define RECSYS_META_BLOCK		0
#define RECSYS_ROOT_BLOCK(side) ((BlockNumber) (1 + (side)))

typedef enum RecsysSide
{
	RECSYS_USERS = 0,
	RECSYS_ITEMS = 1
} RecsysSide;

typedef enum RecsysPageKind
{
	RECSYS_PAGE_META = 1,
	RECSYS_PAGE_DIRECTORY = 2,
	RECSYS_PAGE_BUCKET = 3,
	RECSYS_PAGE_CHAIN = 4,
	RECSYS_PAGE_MAP_ROOT = 5,
	RECSYS_PAGE_MAP_LEAF = 6,
	RECSYS_PAGE_GRAPH = 7,
	RECSYS_PAGE_POPULAR = 8,
	RECSYS_PAGE_FREE = 9,
	RECSYS_PAGE_PENDING = 10,
	RECSYS_PAGE_FACTOR = 11,
	RECSYS_PAGE_GRAM = 12,
	RECSYS_PAGE_SKETCH = 13,
	RECSYS_PAGE_PRIOR = 14,
	RECSYS_PAGE_CONTENT = 15,
	RECSYS_PAGE_TERMS = 16,
	RECSYS_PAGE_DELETED = 17,
	RECSYS_PAGE_CHUNKS = 18
} RecsysPageKind;

#define RECSYS_PAGE_ID 0xFF95	/* last two bytes of every page */

/* Special space of every page */
typedef struct RecsysPageOpaqueData
{
	uint32		low;			/* directory, bucket: lowest hash covered; chain,
								 * deleted: hash of the owner; pending: number of the
								 * list; popular: items that are not listed
								 * have no more users than this; factor:
								 * number of the first item on the page;
								 * sketch: how many come before its first */
	uint32		high;			/* directory, bucket: highest hash covered; sketch: 1
								 * if it has rests */
	BlockNumber next;			/* chain: the next (older) page of the list;
								 * deleted: what it was; pending: the next
								 * (newer) one */
	uint8		kind;			/* RecsysPageKind */
	uint8		side;			/* RecsysSide of directory, bucket, chain, deleted */
	uint16		page_id;		/* RECSYS_PAGE_ID, for pg_filedump and friends */
} RecsysPageOpaqueData;

typedef RecsysPageOpaqueData *RecsysPageOpaque;

#define RecsysPageGetOpaque(page) ((RecsysPageOpaque) PageGetSpecialPointer(page))

/* Bytes between page header and special space */
#define RECSYS_PAGE_ROOM \
	(BLCKSZ - MAXALIGN(SizeOfPageHeaderData) - MAXALIGN(sizeof(RecsysPageOpaqueData)))

/*
 * Meta page
 */
#define RECSYS_MAP_ROOTS 256

/*
 * Events go to one of several lists, so that concurrent writers do not all
 * want the same page; the last list is the queue of items to recompute.
 */
#define RECSYS_PENDING_LISTS 4
#define RECSYS_QUEUE RECSYS_PENDING_LISTS
#define RECSYS_LISTS (RECSYS_PENDING_LISTS + 1)

typedef struct RecsysMetaData
{
	uint32		magic;
	uint32		version;
	uint64		seed;			/* of RecsysKeyHash; random for each build */
	uint8		user_kind;		/* RecsysKeyKind */
	uint8		item_kind;
	bool		weighted;		/* entries carry a weight */
	bool		timed;			/* entries carry a time */

	/* options as of the build; the graph was computed with these */
	int32		similarity;
	int32		neighbors;
	uint32		min_support;
	int32		max_history;
	double		shrinkage;
	double		alpha;
	bool		learned;		/* scores are no function of what is counted: merges
								 * leave them to the next build */

	/* of the model: as the build saw it and merges have changed it */
	uint64		users;			/* users with at least one counting interaction */
	uint64		items;			/* items with at least one counting interaction */
	uint64		interactions;	/* folded interactions that counted */
	uint64		pairs;			/* neighbors stored in the graph */
	uint64		capped_users;	/* users with more than max_history items */
	uint64		capped_interactions;	/* folded interactions left out for that */
	int64		built_at;		/* TimestampTz */
	uint64		score_users;	/* N that the graph's scores are computed with */
	uint64		stale;			/* rows with RECSYS_ROW_STALE */

	/* merges */
	uint64		queued;			/* items on the queue */
	uint32		pending_pages;	/* pages of all lists */
	BlockNumber pending_head[RECSYS_LISTS];
	BlockNumber pending_tail[RECSYS_LISTS];
	int64		merged_at;		/* TimestampTz of the last merge's start, 0 for none */
	int64		merge_duration; /* of that merge, microseconds */
	uint64		merge_entries;	/* events it took */
	uint64		merge_items;	/* items it recomputed exactly */

	/* item numbers: 0 .. nitems-1; the first nsorted are in key order */
	uint32		nitems;
	uint32		nsorted;

	BlockNumber popular;		/* items by popularity, or InvalidBlockNumber */
	BlockNumber graph_tail;		/* graph page that new rows go to */
	uint32		map_leaves;		/* row map leaves in use */
	BlockNumber map_roots[RECSYS_MAP_ROOTS];

	/* factors as of the build, see am/graph/factor.c */
	BlockNumber factors;		/* first factor page, or InvalidBlockNumber */
	BlockNumber gram;			/* page of the gram matrix, likewise */
	uint32		factor_items;	/* items 0 .. factor_items-1 have a factor */
	int32		factor_rank;	/* numbers of a factor; 0: the model has none */
	BlockNumber sketches;		/* first sketch page, or InvalidBlockNumber */
	double		factor_unobserved;	/* RecsysFactorShape: how users are folded in */
	double		factor_lambda;
	double		factor_exponent;

	uint64		unsaid;			/* not 0: VACUUM has noted changes in place, see am/merge/unsaid.c */
	uint8		tells_future;	/* 1: the next one means something */
	uint64		future;			/* interactions that were in the future at the build */

	uint64		score_items;	/* I that users are weighed with, see core/pairs/weighting.c */

	/* the prior, see am/graph/prior_page.h */
	RecsysRecencyTotal recent;	/* of all rows */
	BlockNumber prior;			/* its page, or InvalidBlockNumber */
	uint32		prior_state;	/* RecsysPriorState */

	/* all options as of the build, which merges weigh and score with */
	uint32		options_size;	/* sizeof(RecsysModelOptions) */
	RecsysModelOptions options;
	RecsysModelOptions asked;	/* what was asked for, see RecsysGetAskedOptions */

	/* similarity = auto, see core/choice */
	uint32		choice_users;	/* who were asked for; 0: nothing was measured */
	uint32		choice_models;	/* models that were measured */
	int64		half_life;		/* of serving that was chosen; 0: none */
	double		choice_ndcg;	/* of the options above ... */
	double		choice_popular; /* ... and of bestsellers */
	double		choice_p;		/* that the one is no better than the other */
	double		second_ndcg;	/* of the runner-up, if there is one */
	int64		second_half_life;
	RecsysModelOptions second;

	RecsysRhythm rhythm;		/* of all rows of the graph together */

	/* how far the table has moved on, see RecsysStaleness */
	uint64		built_rows;		/* live rows with both keys that the build has seen; 0: none, or an older build */
	uint64		changes;		/* events that merges have taken since */

	/* partitioned tables, see am/parts */
	uint8		part;			/* 1: holds nothing, rows are passed on to the index of the whole */
	BlockNumber chunks;			/* first page of chunks, or InvalidBlockNumber */
	BlockNumber chunk_tail;		/* its last one, likewise */
	uint32		nchunks;		/* records on them */
	uint32		chunk_changes;	/* how often records have been changed or used again */
	uint32		last_beginning; /* of all records, see RecsysChunk */
	Oid			passes_to;		/* of a part: its root */
	Oid			tids_of;		/* of a part: file of the partition that TIDs were of when it was
								 * built, see am/parts/currentstorage.h; InvalidOid: not known */

	uint8		rescoring;		/* 1: rows are being given scores with other numbers than score_users
								 * and score_items, or that was cut short */
	int64		retrained_at;	/* TimestampTz of when a merge has trained anew, 0 for never ... */
	int64		retrain_duration;	/* ... and what that took, microseconds */
} RecsysMetaData;

#define RecsysPageGetMeta(page) ((RecsysMetaData *) PageGetContents(page))

/*
 * Directory page: slots ascending by low; slot 0 has the page's own low.
 */
typedef struct RecsysSlot
{
	uint32		low;			/* lowest hash below child */
	BlockNumber child;
} RecsysSlot;

typedef struct RecsysDirectoryData
{
	uint16		level;			/* 0: the children are buckets */
	uint16		nslots;
	RecsysSlot	slots[FLEXIBLE_ARRAY_MEMBER];
} RecsysDirectoryData;

#define RecsysPageGetDirectory(page) ((RecsysDirectoryData *) PageGetContents(page))
#define RECSYS_DIRECTORY_SLOTS \
	((int) ((RECSYS_PAGE_ROOM - offsetof(RecsysDirectoryData, slots)) / sizeof(RecsysSlot)))

/*
 * Owner tuple: one item of a bucket page.  The key follows the header, the
 * entries follow the key; neither is aligned.
 */
typedef struct RecsysOwnerData
{
	uint32		hash;			/* upper half of the key's 64-bit hash */
	uint32		number;			/* item side: the item's number */
	uint32		count;			/* entries in all, chain included */
	BlockNumber chain;			/* newest chain page, or InvalidBlockNumber */
	uint16		tail;			/* entries stored in this tuple */
	uint16		room;			/* entries this tuple has space for */
	uint16		keylen;
	uint16		flags;			/* RECSYS_OWNER_… */
	char		key[FLEXIBLE_ARRAY_MEMBER];
} RecsysOwnerData;

typedef RecsysOwnerData *RecsysOwner;

#define RECSYS_OWNER_COUNTED	0x0001	/* user side: one of the meta page's users */
#define RECSYS_OWNER_MARKED		0x0002	/* user side: entries tell by
										 * RECSYS_TID_COUNTED which of the items count */
#define RECSYS_OWNER_UNSAID		0x0004	/* user side: has lost entries, of which no event
										 * tells, see am/merge/unsaid.c */
#define RECSYS_OWNER_SEALED		0x0008	/* the page at the head of the chain gets no more
										 * entries, see am/lists/chain.c */
#define RECSYS_OWNER_FORGOTTEN	0x0010	/* user side: entries may have RECSYS_TID_FORGOTTEN */
#define RECSYS_OWNER_UNSURE		0x0020	/* user side: a merge may have written rows with other
										 * items of the user than entries tell of */

#define RECSYS_OWNER_SIZE(keylen, room, stride) \
	(offsetof(RecsysOwnerData, key) + (keylen) + (Size) (room) * (stride))
#define RecsysOwnerEntries(owner) ((owner)->key + (owner)->keylen)

/*
 * A list moves its tail to a chain page when the tuple would outgrow this, so
 * that every chain page is at least about half full and two owners fit a page.
 */
#define RECSYS_MAX_OWNER_SIZE \
	((Size) MAXALIGN_DOWN(RECSYS_PAGE_ROOM / 2 - sizeof(ItemIdData)))

/*
 * Entries.  The user side stores item number, TID, then weight and time where
 * the index has them; the item side stores the user's hash and the TID.  Stored
 * packed: 10 to 26 bytes.
 *
 * A row with a user but no item has the item number RECSYS_NONE on the user
 * side; a row with an item but no user has RECSYS_TID_NO_USER set in the offset
 * on the item side.  They serve index scans and never count in the model.
 *
 * An offset number has at most 14 bits, which leaves two for flags.
 */
typedef struct RecsysEntry
{
	uint32		peer;			/* item number, or hash of the user */
	ItemPointerData tid;
	bool		orphan;			/* the row's other key is NULL */
	bool		forgotten;		/* user side: never counts, see forget.c */
	bool		counted;		/* user side: counted as of the last merge, for
								 * owners that are marked */
	double		weight;			/* user side */
	int64		time;			/* user side */
} RecsysEntry;

#define RECSYS_TID_NO_USER		0x8000	/* item side */
#define RECSYS_TID_FORGOTTEN	0x8000	/* user side */
#define RECSYS_TID_COUNTED		0x4000	/* user side */
#define RECSYS_TID_FLAGS		0xC000

/*
 * May such a TID be looked up?  The highest block number would not be read but
 * added to the table.
 */
#define RecsysTidIsSane(tid) \
	(ItemPointerIsValid(tid) && ItemPointerGetBlockNumberNoCheck(tid) != InvalidBlockNumber)

/* A heap TID as the position of an interaction: block << 16 | offset */
#define RecsysTidPosition(tid) \
	(((uint64) ItemPointerGetBlockNumberNoCheck(tid) << 16) | ItemPointerGetOffsetNumberNoCheck(tid))

/* Longest entry: number, TID, weight and time */
#define RECSYS_MAX_STRIDE 26

/* Chain page: entries packed from PageGetContents up to pd_lower */
#define RecsysChainEntries(page) PageGetContents(page)
#define RecsysChainCount(page, stride) \
	((int) ((((PageHeader) (page))->pd_lower - MAXALIGN(SizeOfPageHeaderData)) / (stride)))
#define RecsysChainRoom(stride) ((int) (RECSYS_PAGE_ROOM / (stride)))

/*
 * Deleted page: has been a chain page.  The next transaction id at the time it left the list
 * stands where its entries were, see am/store/recycle.c.
 */

/*
 * Row map: roots list leaves, a leaf lists the TIDs of graph rows.
 */
#define RECSYS_MAP_ROOT_LEAVES	((uint32) (RECSYS_PAGE_ROOM / sizeof(BlockNumber)))
#define RECSYS_MAP_LEAF_ROWS	((uint32) (RECSYS_PAGE_ROOM / sizeof(ItemPointerData)))

/*
 * Pending page: events from PageGetContents up to pd_lower, oldest first.  An
 * event says that the user's interactions with the item have changed; what they
 * are now is looked up, so an event may be acted upon twice without harm.  On
 * the queue only the item counts.
 */
typedef struct RecsysEvent
{
	uint32		user_hash;
	uint32		item;
	uint64		xid;			/* full transaction id of the writer; 0: none to wait for */
	ItemPointerData tid;
	uint16		flags;			/* RECSYS_EVENT_… */
} RecsysEvent;

#define RECSYS_EVENT_REMOVED	0x0001	/* VACUUM has removed the entry */

#define RECSYS_PAGE_EVENTS ((int) (RECSYS_PAGE_ROOM / sizeof(RecsysEvent)))
#define RecsysPageEvents(page) ((RecsysEvent *) PageGetContents(page))
#define RecsysPageEventCount(page) \
	((int) ((((PageHeader) (page))->pd_lower - MAXALIGN(SizeOfPageHeaderData)) / sizeof(RecsysEvent)))

/* Popular page: item numbers, most users first, up to pd_lower */
#define RECSYS_POPULAR_ITEMS ((int) (RECSYS_PAGE_ROOM / sizeof(uint32)))

/*
 * Prior page: this header, then so many item numbers and as many scores, best first, up
 * to pd_lower.  Every item that is not listed has a score no better than one with the
 * floor's users and recency would have now; no users: none is left out.
 */
typedef struct RecsysPriorHeader
{
	int64		latest;			/* of all counting interactions, but not later than now; or
								 * RECSYS_NO_TIME */
	int64		farthest;		/* the same without regard to what is now */
	int64		now;			/* clock that every row with a later time has been counted by */
	RecsysRecency floor_recent;
	uint32		floor_users;
	uint32		floor_item;
} RecsysPriorHeader;

#define RecsysPagePrior(page) ((RecsysPriorHeader *) PageGetContents(page))
#define RecsysPagePriorCount(page) \
	((((PageHeader) (page))->pd_lower - (int) (MAXALIGN(SizeOfPageHeaderData) + sizeof(RecsysPriorHeader))) / \
	 (int) (sizeof(uint32) + sizeof(float)))

/* How the prior's page stands to the rows of the graph; stored on disk: never renumber */
typedef enum RecsysPriorState
{
	RECSYS_PRIOR_EXACT = 0,		/* it is that of a build */
	RECSYS_PRIOR_UPDATED = 1,	/* it has followed their changes */
	RECSYS_PRIOR_BEHIND = 2		/* rows have changed since: a merge was cut short, or is at it */
} RecsysPriorState;

/*
 * Factor pages: as many rows as fit, one behind the other, up to pd_lower; consecutive blocks.  The
 * gram page has one such row, the diagonal.  A row is factor_rank floats.
 */
#define RECSYS_MAX_RANK RECSYS_SKETCH_MAX_RANK
#define RECSYS_PAGE_VECTORS(size) ((uint32) (RECSYS_PAGE_ROOM / (size)))

/* Bytes of a row */
#define RECSYS_FACTOR_SIZE(rank) (sizeof(float) * (Size) (rank))
#define RecsysPageVectors(page) ((void *) PageGetContents(page))

/*
 * Sketch pages, consecutive blocks: the sketches of all items in descending order of the lengths of
 * their factors, a block of them a page (core/dense/factorsketch.h), which begins with a line of
 * the cache; behind them as many pages of their rests.
 */
typedef struct RecsysSketchHead
{
	double		longest;		/* no factor of this page, or of a later one, is longer */
} RecsysSketchHead;

#define RECSYS_SKETCH_START RECSYS_SKETCH_ROW
#define RECSYS_SKETCH_BYTES \
	(BLCKSZ - MAXALIGN(sizeof(RecsysPageOpaqueData)) - RECSYS_SKETCH_START)
#define RecsysPageSketchHead(page) ((RecsysSketchHead *) PageGetContents(page))
#define RecsysPageSketches(page) ((void *) ((char *) (page) + RECSYS_SKETCH_START))

/*
 * Chunks page, see am/parts/chunkpage.h.  A storage is one run of TIDs that mean the same rows; a
 * record says which of its blocks a chunk is.
 */
typedef struct RecsysStorage
{
	Oid			heap;			/* a partition that has rows */
	Oid			file;			/* its relfilenumber */
	uint32		attached;		/* stands for the transaction that has attached it; see leaves.h */
} RecsysStorage;

/* A record; 32 bytes on disk */
typedef struct RecsysChunk
{
	RecsysStorage storage;
	uint32		piece;			/* blocks from piece * RECSYS_CHUNK_BLOCKS on */
	uint64		xid;			/* full transaction id of whoever added it; 0: none; of one that has been
								 * swept the next one by then */
	uint32		flags;			/* RECSYS_CHUNK_… */
	uint32		beginning;		/* a number that all records have which a storage has since it began; a
								 * later beginning has a higher one */
} RecsysChunk;

#define RECSYS_CHUNK_SWEPT		0x0001	/* no entry is left; the record may be used again */
#define RECSYS_CHUNK_PARTIAL	0x0002	/* with FIRST: the storage has rows that have not been
										 * entered; a merge is to enter all of them, anew */
#define RECSYS_CHUNK_FIRST		0x0004	/* begins a storage: records of it with other beginnings do not
										 * count any more */

/* Records of a page, which all but the last page are full of, up to pd_lower */
#define RECSYS_PAGE_CHUNK_RECORDS ((uint32) (RECSYS_PAGE_ROOM / sizeof(RecsysChunk)))
#define RecsysPageChunks(page) ((RecsysChunk *) PageGetContents(page))
#define RecsysPageChunkCount(page) \
	((uint32) ((((PageHeader) (page))->pd_lower - MAXALIGN(SizeOfPageHeaderData)) / sizeof(RecsysChunk)))

/*
 * page.c
 */

/* Is an item of a page inside it, with at least so many bytes? */
static inline bool
RecsysItemIsSane(Page page, ItemId itemid, Size least)
{
	return ItemIdIsNormal(itemid) && ItemIdGetLength(itemid) >= least &&
		ItemIdGetOffset(itemid) >= ((PageHeader) page)->pd_upper &&
		ItemIdGetOffset(itemid) + ItemIdGetLength(itemid) <= ((PageHeader) page)->pd_special &&
		ItemIdGetOffset(itemid) == MAXALIGN(ItemIdGetOffset(itemid));
}

/* Can a key of that kind have so many bytes? */
static inline bool
RecsysKeyLengthIsSane(RecsysKeyKind kind, Size length)
{
	switch (kind)
	{
		case RECSYS_KEY_INT:
			return length == sizeof(int64);
		case RECSYS_KEY_UUID:
			return length == 16;
		default:
			return length <= RECSYS_MAX_KEY_LEN;
	}
}
extern void RecsysPageInit(Page page, RecsysPageKind kind, RecsysSide side);

/* Does the block hold anything that is laid out as a recsys page? */
extern bool RecsysPageIsOurs(Page page);

/* The same as far as the header tells: places of items can be checked against it. */
static inline bool
RecsysPageBoundsAreSane(Page page)
{
	PageHeader	header = (PageHeader) page;

	return !PageIsNew(page) &&
		PageGetPageSize(page) == BLCKSZ &&
		header->pd_special == BLCKSZ - MAXALIGN(sizeof(RecsysPageOpaqueData)) &&
		header->pd_lower >= MAXALIGN(SizeOfPageHeaderData) &&
		header->pd_lower <= header->pd_upper &&
		header->pd_upper <= header->pd_special;
}

/*
 * Errors out unless the page is a recsys page of that kind.  On a bucket page
 * all line pointers are known to be good afterwards; owner tuples are looked at
 * one by one (RecsysOwnerCheck), graph rows too (graph.c).
 */
extern void RecsysPageCheck(Relation index, Buffer buffer, RecsysPageKind kind);

/*
 * Pinned buffer, or an error: unlike ReadBuffer this never takes a damaged block
 * number for the wish to extend the relation.
 */
extern Buffer RecsysPinBlock(Relation index, BlockNumber block);

/* Errors out: a link leads to a block that it cannot lead to. */
extern void RecsysBadLink(Relation index, BlockNumber block);

/*
 * Kind of a pinned page that need not be locked, for a decision whether to lock it;
 * nonsense if it is not one of ours.
 */
static inline uint8
RecsysPeekKind(Buffer buffer)
{
	const volatile RecsysPageOpaqueData *opaque = (RecsysPageOpaque)
		((char *) BufferGetPage(buffer) + BLCKSZ - MAXALIGN(sizeof(RecsysPageOpaqueData)));

	return opaque->kind;
}

/*
 * Locks a pinned page of the given kind, or errors out, also where this process has
 * it locked already as a page of another kind: damaged links would make it wait for
 * itself.  Whoever locks two pages of one kind compares their blocks.
 */
extern void RecsysLockPage(Relation index, Buffer buffer, int lockmode, RecsysPageKind kind);

/* The same of a block that is not pinned yet. */
extern Buffer RecsysReadPage(Relation index, BlockNumber block, int lockmode, RecsysPageKind kind);

/*
 * An exclusively locked page that nobody else can reach.  With recycle, a page
 * from the free space map may be taken, if it is free or has been deleted long ago; without, it is
 * always beyond the present end (bucket pages: see vacuum.c for why).
 */
extern Buffer RecsysNewPage(Relation index, bool recycle);

/* Build only: appends a finished page image and returns its block. */
extern BlockNumber RecsysAppendPage(Relation index, ForkNumber fork, Page image);

/* Build only: overwrites a page that was appended before. */
extern void RecsysOverwritePage(Relation index, ForkNumber fork, BlockNumber block, Page image);

#endif							/* RECSYS_PAGE_H */
