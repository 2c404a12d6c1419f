/*
 * page.h
 *	  The on-disk format of a recsys index.  This header is its documentation;
 *	  src/README.md draws the pictures.
 *
 * Block 0 is the meta page.  Every other page belongs to one of two structures:
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
 * All integers are in native byte order, as everywhere in PostgreSQL.
 */
#ifndef RECSYS_PAGE_H
#define RECSYS_PAGE_H

#include "postgres.h"

#include "core/key.h"
#include "core/similarity.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/itemptr.h"
#include "storage/off.h"
#include "utils/rel.h"

#define RECSYS_MAGIC			0x52435359	/* "RCSY" */
#define RECSYS_FORMAT_VERSION	1

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
	RECSYS_PAGE_FREE = 9
} RecsysPageKind;

#define RECSYS_PAGE_ID 0xFF95	/* last two bytes of every page */

/* Special space of every page */
typedef struct RecsysPageOpaqueData
{
	uint32		low;			/* directory, bucket: lowest hash covered; chain:
								 * hash of the owner */
	uint32		high;			/* directory, bucket: highest hash covered */
	BlockNumber next;			/* chain: the next (older) page of the list */
	uint8		kind;			/* RecsysPageKind */
	uint8		side;			/* RecsysSide of directory, bucket, chain */
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

	/* what the build saw */
	uint64		users;			/* users with at least one counting interaction */
	uint64		items;			/* items with at least one counting interaction */
	uint64		interactions;	/* folded interactions that counted */
	uint64		pairs;			/* neighbors stored in the graph */
	uint64		capped_users;	/* users with more than max_history items */
	uint64		capped_interactions;	/* folded interactions left out for that */
	int64		built_at;		/* TimestampTz */

	/* item numbers: 0 .. nitems-1; the first nsorted are in key order */
	uint32		nitems;
	uint32		nsorted;

	BlockNumber popular;		/* items by popularity, or InvalidBlockNumber */
	BlockNumber graph_tail;		/* graph page that new rows go to */
	uint32		map_leaves;		/* row map leaves in use */
	BlockNumber map_roots[RECSYS_MAP_ROOTS];
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
	uint16		unused;
	char		key[FLEXIBLE_ARRAY_MEMBER];
} RecsysOwnerData;

typedef RecsysOwnerData *RecsysOwner;

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
 * packed: 10 to 22 bytes.
 *
 * A row with a user but no item has the item number RECSYS_NONE on the user
 * side; a row with an item but no user has RECSYS_TID_NO_USER set in the offset
 * on the item side.  They serve index scans and never count in the model.
 */
typedef struct RecsysEntry
{
	uint32		peer;			/* item number, or hash of the user */
	ItemPointerData tid;
	bool		orphan;			/* the row's other key is NULL */
	float		weight;			/* user side */
	int64		time;			/* user side */
} RecsysEntry;

#define RECSYS_TID_NO_USER 0x8000

/* A heap TID as the position of an interaction: block << 16 | offset */
#define RecsysTidPosition(tid) \
	(((uint64) ItemPointerGetBlockNumberNoCheck(tid) << 16) | ItemPointerGetOffsetNumberNoCheck(tid))

/* Longest entry: number, TID, weight and time */
#define RECSYS_MAX_STRIDE 22

/* Chain page: entries packed from PageGetContents up to pd_lower */
#define RecsysChainEntries(page) PageGetContents(page)
#define RecsysChainCount(page, stride) \
	((int) ((((PageHeader) (page))->pd_lower - MAXALIGN(SizeOfPageHeaderData)) / (stride)))
#define RecsysChainRoom(stride) ((int) (RECSYS_PAGE_ROOM / (stride)))

/*
 * Row map: roots list leaves, a leaf lists the TIDs of graph rows.
 */
#define RECSYS_MAP_ROOT_LEAVES	((uint32) (RECSYS_PAGE_ROOM / sizeof(BlockNumber)))
#define RECSYS_MAP_LEAF_ROWS	((uint32) (RECSYS_PAGE_ROOM / sizeof(ItemPointerData)))

/*
 * Graph row: one item of a graph page, always whole on one page.  After the
 * header: nneighbors item numbers, nneighbors scores, nneighbors supports, each
 * four bytes wide, then the item's key.
 */
typedef struct RecsysGraphRowData
{
	uint32		item;
	uint32		users;			/* n_i as of the build */
	uint16		nneighbors;
	uint16		keylen;
	uint32		peers[FLEXIBLE_ARRAY_MEMBER];
} RecsysGraphRowData;

typedef RecsysGraphRowData *RecsysGraphRow;

#define RecsysRowScores(row)	((float *) ((row)->peers + (row)->nneighbors))
#define RecsysRowSupports(row)	((row)->peers + 2 * (row)->nneighbors)
#define RecsysRowKey(row)		((char *) ((row)->peers + 3 * (row)->nneighbors))
#define RECSYS_ROW_SIZE(nneighbors, keylen) \
	(offsetof(RecsysGraphRowData, peers) + (Size) (nneighbors) * 12 + (keylen))

/* 500 neighbors and the longest key fit one page */
#define RECSYS_MAX_NEIGHBORS 500

/* Popular page: item numbers, most users first, up to pd_lower */
#define RECSYS_POPULAR_ITEMS ((int) (RECSYS_PAGE_ROOM / sizeof(uint32)))

/*
 * page.c
 */
extern void RecsysPageInit(Page page, RecsysPageKind kind, RecsysSide side);

/* Errors out unless the page is a recsys page of that kind. */
extern void RecsysPageCheck(Relation index, Buffer buffer, RecsysPageKind kind);

/* Pinned and locked buffer of the given kind, or an error. */
extern Buffer RecsysReadPage(Relation index, BlockNumber block, int lockmode, RecsysPageKind kind);

/*
 * An exclusively locked page that nobody else can reach.  With recycle, a page
 * from the free space map may be taken; without, it is always beyond the
 * present end (bucket pages: see vacuum.c for why).
 */
extern Buffer RecsysNewPage(Relation index, bool recycle);

/* Build only: appends a finished page image and returns its block. */
extern BlockNumber RecsysAppendPage(Relation index, ForkNumber fork, Page image);

/* Build only: overwrites a page that was appended before. */
extern void RecsysOverwritePage(Relation index, ForkNumber fork, BlockNumber block, Page image);

#endif							/* RECSYS_PAGE_H */
