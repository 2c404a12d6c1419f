/*
 * inspect.c
 *	  Looking at pages without trusting them.
 *
 * For statistics and for debugging, where a damaged page is an answer and not
 * an error.  Everything works on a private copy of the page, so that a page is
 * locked for the time of a copy only, and checks each length before it is used.
 *
 * Entries are what a page of its kind is there to hold: directory slots, list
 * entries, blocks and TIDs of the row map, neighbors, popular items, events, numbers
 * of factors, bytes of sketches, contents of rows, terms, chunks.
 */
#include "postgres.h"

#include "am/store/graphrow.h"
#include "am/store/inspect.h"
#include "am/store/meta.h"
#include "core/content/content.h"

static const char *const kind_names[] = {
	[RECSYS_PAGE_META] = "meta",
	[RECSYS_PAGE_DIRECTORY] = "directory",
	[RECSYS_PAGE_BUCKET] = "bucket",
	[RECSYS_PAGE_CHAIN] = "chain",
	[RECSYS_PAGE_MAP_ROOT] = "map_root",
	[RECSYS_PAGE_MAP_LEAF] = "map_leaf",
	[RECSYS_PAGE_GRAPH] = "graph",
	[RECSYS_PAGE_POPULAR] = "popular",
	[RECSYS_PAGE_PRIOR] = "prior",
	[RECSYS_PAGE_FREE] = "free",
	[RECSYS_PAGE_PENDING] = "pending",
	[RECSYS_PAGE_FACTOR] = "factor",
	[RECSYS_PAGE_GRAM] = "gram",
	[RECSYS_PAGE_SKETCH] = "sketch",
	[RECSYS_PAGE_CONTENT] = "content",
	[RECSYS_PAGE_TERMS] = "terms",
	[RECSYS_PAGE_DELETED] = "deleted",
	[RECSYS_PAGE_CHUNKS] = "chunks",
};

static bool
header_is_sane(Page page)
{
	PageHeader	header = (PageHeader) page;

	return PageGetPageSize(page) == BLCKSZ &&
		header->pd_special == BLCKSZ - MAXALIGN(sizeof(RecsysPageOpaqueData)) &&
		header->pd_upper <= header->pd_special &&
		header->pd_lower <= header->pd_upper &&
		header->pd_lower >= SizeOfPageHeaderData;
}

/* The tuple at off with at least that many bytes, or NULL. */
static void *
tuple_at(Page page, OffsetNumber off, Size least)
{
	ItemId		item = PageGetItemId(page, off);
	Size		start = ItemIdGetOffset(item);
	Size		length = ItemIdGetLength(item);

	if (!ItemIdHasStorage(item) || length < least ||
		start < ((PageHeader) page)->pd_upper ||
		start + length > ((PageHeader) page)->pd_special ||
		start != MAXALIGN(start))
		return NULL;
	return (char *) page + start;
}

/* Sums up tuples; only graph pages, buckets and content pages have line pointers. */
static void
count_tuples(Page page, RecsysPageKind kind, RecsysPageFacts *facts)
{
	facts->tuples = 0;
	facts->entries = 0;
	for (OffsetNumber off = FirstOffsetNumber; off <= PageGetMaxOffsetNumber(page); off++)
	{
		if (kind == RECSYS_PAGE_BUCKET)
		{
			RecsysOwner owner = tuple_at(page, off, offsetof(RecsysOwnerData, key));

			if (owner == NULL)
				continue;
			facts->entries += owner->tail;
		}
		else if (kind == RECSYS_PAGE_CONTENT)
		{
			if (tuple_at(page, off, 1) == NULL)
				continue;
			facts->entries++;
		}
		else
		{
			RecsysStoredRow row = tuple_at(page, off, RECSYS_STORED_LEAST);

			if (row == NULL)
				continue;
			facts->entries += row->nneighbors;
		}
		facts->tuples++;
	}
}

/* Arrays that take the whole page, whatever part of them is in use */
static void
count_slots(Page page, RecsysPageKind kind, RecsysPageFacts *facts)
{
	char	   *contents = PageGetContents(page);
	int			slots;
	int			width;
	int			used = 0;

	if (kind == RECSYS_PAGE_DIRECTORY)
	{
		slots = RECSYS_DIRECTORY_SLOTS;
		width = sizeof(RecsysSlot);
		used = Min(RecsysPageGetDirectory(page)->nslots, slots);
	}
	else if (kind == RECSYS_PAGE_MAP_ROOT)
	{
		BlockNumber *leaves = (BlockNumber *) contents;

		slots = RECSYS_MAP_ROOT_LEAVES;
		width = sizeof(BlockNumber);
		while (used < slots && leaves[used] != RECSYS_META_BLOCK)
			used++;
	}
	else
	{
		ItemPointer rows = (ItemPointer) contents;

		slots = RECSYS_MAP_LEAF_ROWS;
		width = sizeof(ItemPointerData);
		while (used < slots && ItemPointerIsValid(&rows[used]))
			used++;
	}
	facts->entries = used;
	facts->free = (slots - used) * width;
}

static void
count_contents(Page page, RecsysPageKind kind, RecsysSide side, const int stride[2],
			   RecsysPageFacts *facts)
{
	int			filled = Max(((PageHeader) page)->pd_lower - (int) MAXALIGN(SizeOfPageHeaderData), 0);

	switch (kind)
	{
		case RECSYS_PAGE_BUCKET:
		case RECSYS_PAGE_GRAPH:
		case RECSYS_PAGE_CONTENT:
			count_tuples(page, kind, facts);
			break;
		case RECSYS_PAGE_CHAIN:
			if (stride[side] > 0)
				facts->entries = filled / stride[side];
			break;
		case RECSYS_PAGE_POPULAR:
			facts->entries = filled / (int) sizeof(uint32);
			break;
		case RECSYS_PAGE_PRIOR:
			facts->entries = Max(RecsysPagePriorCount(page), 0);
			break;
		case RECSYS_PAGE_DIRECTORY:
		case RECSYS_PAGE_MAP_ROOT:
		case RECSYS_PAGE_MAP_LEAF:
			count_slots(page, kind, facts);
			break;
		case RECSYS_PAGE_FREE:
		case RECSYS_PAGE_DELETED:
			facts->free = BLCKSZ;
			break;
		case RECSYS_PAGE_PENDING:
			facts->entries = filled / (int) sizeof(RecsysEvent);
			break;
		case RECSYS_PAGE_FACTOR:
		case RECSYS_PAGE_GRAM:
			facts->entries = filled / (int) sizeof(float);
			break;
		case RECSYS_PAGE_SKETCH:
			facts->entries = filled;
			break;
		case RECSYS_PAGE_TERMS:
			facts->entries = filled / (int) sizeof(RecsysTermCount);
			break;
		case RECSYS_PAGE_CHUNKS:
			facts->entries = filled / (int) sizeof(RecsysChunk);
			break;
		case RECSYS_PAGE_META:
			break;
	}
}

void
RecsysInspectPage(const PGAlignedBlock *image, const int stride[2], RecsysPageFacts *facts)
{
	Page		page = (Page) image->data;
	RecsysPageOpaque opaque;
	RecsysPageKind kind;
	RecsysSide	side;

	memset(facts, 0, sizeof(*facts));
	facts->next = InvalidBlockNumber;
	facts->tuples = -1;
	facts->entries = -1;

	if (PageIsNew(page))
	{
		facts->kind = "zero";
		facts->free = BLCKSZ;
		return;
	}

	facts->kind = "unknown";
	facts->used = BLCKSZ;
	if (!header_is_sane(page))
		return;
	opaque = RecsysPageGetOpaque(page);
	kind = opaque->kind;
	side = opaque->side;
	if (opaque->page_id != RECSYS_PAGE_ID || kind >= lengthof(kind_names) ||
		kind_names[kind] == NULL || side > RECSYS_ITEMS)
		return;

	facts->kind = kind_names[kind];
	facts->next = opaque->next;
	facts->hashed = kind == RECSYS_PAGE_DIRECTORY || kind == RECSYS_PAGE_BUCKET ||
		kind == RECSYS_PAGE_CHAIN;
	if (facts->hashed)
	{
		facts->side = side == RECSYS_USERS ? "user" : "item";
		facts->low = opaque->low;
		facts->high = opaque->high;
	}
	facts->free = ((PageHeader) page)->pd_upper - ((PageHeader) page)->pd_lower;
	count_contents(page, kind, side, stride, facts);
	facts->used = BLCKSZ - facts->free;
}

void
RecsysCopyPage(Relation index, BlockNumber block, BufferAccessStrategy strategy,
			   PGAlignedBlock *image)
{
	Buffer		buffer = ReadBufferExtended(index, MAIN_FORKNUM, block, RBM_NORMAL, strategy);

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	memcpy(image->data, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
}

/* Any other byte than 0 and 1 is no bool, and reading it as one is undefined. */
static bool
bools_are_sane(const RecsysMetaData *meta)
{
	uint8		bytes[3];

	memcpy(&bytes[0], &meta->weighted, 1);
	memcpy(&bytes[1], &meta->timed, 1);
	memcpy(&bytes[2], &meta->learned, 1);
	return bytes[0] <= 1 && bytes[1] <= 1 && bytes[2] <= 1;
}

bool
RecsysPeekMeta(Relation index, RecsysMetaData *meta)
{
	PGAlignedBlock image;
	int			stride[2] = {0, 0};
	RecsysPageFacts facts;

	if (RelationGetNumberOfBlocks(index) == 0)
		return false;
	RecsysCopyPage(index, RECSYS_META_BLOCK, NULL, &image);
	RecsysInspectPage(&image, stride, &facts);
	if (strcmp(facts.kind, kind_names[RECSYS_PAGE_META]) != 0)
		return false;
	memcpy(meta, RecsysPageGetMeta((Page) image.data), sizeof(*meta));
	return meta->magic == RECSYS_MAGIC && bools_are_sane(meta);
}
