/*
 * page.c
 *	  Initialising, checking, reading and allocating pages of a recsys index.
 */
#include "postgres.h"

#include "am/store/corrupted.h"
#include "am/store/indexname.h"
#include "am/store/page.h"
#include "am/store/recentbuffer.h"
#include "am/store/recycle.h"
#include "core/pairs/prior.h"
#include "miscadmin.h"
#include "storage/indexfsm.h"
#include "storage/lmgr.h"

/*
 * What the format takes for granted.  A block size or a compiler that breaks any of
 * it is refused here, rather than found out by a damaged index.
 */
StaticAssertDecl(sizeof(RecsysPageOpaqueData) == 16 &&
				 offsetof(RecsysPageOpaqueData, page_id) == 14,
				 "the page id stands in the last two bytes of a page");
StaticAssertDecl(sizeof(RecsysPageOpaqueData) == MAXALIGN(sizeof(RecsysPageOpaqueData)),
				 "the special space ends with the page");
StaticAssertDecl(sizeof(RecsysMetaData) <= RECSYS_PAGE_ROOM, "the meta data fit a page");
StaticAssertDecl(MAXIMUM_ALIGNOF != 8 ||
				 (offsetof(RecsysMetaData, users) == 64 &&
				  offsetof(RecsysMetaData, factors) == 1268 &&
				  offsetof(RecsysMetaData, unsaid) == 1312 &&
				  offsetof(RecsysMetaData, options) == 1384),
				 "fields of the meta page stay where they are: see RECSYS_FORMAT_VERSION");
StaticAssertDecl(sizeof(RecsysSlot) == 8 && offsetof(RecsysDirectoryData, slots) == 4,
				 "directory slots are packed");

StaticAssertDecl(offsetof(RecsysOwnerData, key) == 24, "the header of an owner has no padding");
StaticAssertDecl(RECSYS_OWNER_SIZE(RECSYS_MAX_KEY_LEN, 2, RECSYS_MAX_STRIDE) <=
				 RECSYS_MAX_OWNER_SIZE,
				 "two owners with the longest keys and some entries fit a page");
StaticAssertDecl(sizeof(ItemPointerData) == 6, "entries and row maps pack TIDs");
StaticAssertDecl(RECSYS_MAX_STRIDE == sizeof(uint32) + sizeof(ItemPointerData) +
				 sizeof(double) + sizeof(int64),
				 "an entry is number, TID, weight and time");
StaticAssertDecl((MaxOffsetNumber & RECSYS_TID_FLAGS) == 0 && MaxOffsetNumber < RECSYS_TID_COUNTED,
				 "no offset number reaches the bits of the flags");

StaticAssertDecl(RECSYS_MAX_NEIGHBORS <= RECSYS_MAX_STORED, "all neighbors are stored");

StaticAssertDecl(sizeof(RecsysPriorHeader) == 48 &&
				 sizeof(RecsysPriorHeader) + RECSYS_PRIOR_ITEMS * (sizeof(uint32) + sizeof(float)) <=
				 RECSYS_PAGE_ROOM,
				 "a prior fits a page");

StaticAssertDecl(sizeof(RecsysEvent) == 24, "events have no padding");
StaticAssertDecl(RECSYS_FACTOR_SIZE(RECSYS_MAX_RANK) <= RECSYS_PAGE_ROOM &&
				 2 * (RECSYS_FACTOR_SIZE(RECSYS_MAX_RANK) + RECSYS_SKETCH_ROW) <= RECSYS_SKETCH_BYTES + 4096,
				 "a factor and a group of sketches fit a page");
StaticAssertDecl(MAXALIGN(SizeOfPageHeaderData) + sizeof(RecsysSketchHead) <= RECSYS_SKETCH_START,
				 "the head of a page of sketches ends where they begin");

void
RecsysPageInit(Page page, RecsysPageKind kind, RecsysSide side)
{
	RecsysPageOpaque opaque;

	PageInit(page, BLCKSZ, sizeof(RecsysPageOpaqueData));
	opaque = RecsysPageGetOpaque(page);
	opaque->low = 0;
	opaque->high = PG_UINT32_MAX;
	opaque->next = InvalidBlockNumber;
	opaque->kind = kind;
	opaque->side = side;
	opaque->page_id = RECSYS_PAGE_ID;

	/*
	 * Pages that hold plain arrays keep pd_lower behind their data, so that
	 * neither full-page images nor generic WAL drop it with the hole.
	 */
	if (kind == RECSYS_PAGE_META || kind == RECSYS_PAGE_DIRECTORY ||
		kind == RECSYS_PAGE_MAP_ROOT || kind == RECSYS_PAGE_MAP_LEAF)
	{
		memset(PageGetContents(page), 0, RECSYS_PAGE_ROOM);
		((PageHeader) page)->pd_lower = ((PageHeader) page)->pd_upper;
	}
}

bool
RecsysPageIsOurs(Page page)
{
	return RecsysPageBoundsAreSane(page) && RecsysPageGetOpaque(page)->page_id == RECSYS_PAGE_ID;
}

/* Line pointers of a bucket page: each must lead to the head of an owner tuple. */
static bool
items_are_sane(Page page)
{
	OffsetNumber max = PageGetMaxOffsetNumber(page);
	bool		sane = true;

	for (OffsetNumber off = FirstOffsetNumber; off <= max; off++)
		sane &= RecsysItemIsSane(page, PageGetItemId(page, off), offsetof(RecsysOwnerData, key));
	return sane;
}

void
RecsysPageCheck(Relation index, Buffer buffer, RecsysPageKind kind)
{
	Page		page = BufferGetPage(buffer);
	RecsysPageOpaque opaque;

	if (PageIsNew(page))
		RecsysCorrupted(index, "index \"%s\" contains an unexpected zero page at block %u",
						RecsysIndexName(index), BufferGetBlockNumber(buffer));

	if (!RecsysPageIsOurs(page) ||
		(kind == RECSYS_PAGE_BUCKET && !items_are_sane(page)))
		RecsysCorrupted(index, "index \"%s\" contains a corrupted page at block %u",
						RecsysIndexName(index), BufferGetBlockNumber(buffer));

	opaque = RecsysPageGetOpaque(page);
	if (opaque->kind != kind || opaque->side > RECSYS_ITEMS)
		RecsysCorruptedDetail(index,
							  psprintf("index \"%s\" contains a corrupted page at block %u",
							  		 RecsysIndexName(index), BufferGetBlockNumber(buffer)),
							  "The page is of kind %u where kind %u was expected.",
							  (unsigned) opaque->kind, (unsigned) kind);
}

void
RecsysBadLink(Relation index, BlockNumber block)
{
	RecsysCorrupted(index, "index \"%s\" contains a wrong link to block %u",
					RecsysIndexName(index), block);
}

Buffer
RecsysPinBlock(Relation index, BlockNumber block)
{
	if (block == InvalidBlockNumber)
		RecsysBadLink(index, block);
	return RecsysPinRecent(index, block);
}

/*
 * Pages that are locked at the same time are of different kinds, or their owner
 * compares them (see src/README.md on locks).  So a page of the wrong kind is not
 * even locked: a damaged link may lead to one that this process has locked already,
 * and it would wait for itself.  Nobody changes the kind of a page that a sound link
 * leads to, so it can be looked at before the lock.
 */
void
RecsysLockPage(Relation index, Buffer buffer, int lockmode, RecsysPageKind kind)
{
	if (RecsysPeekKind(buffer) != kind)
	{
		RecsysPageCheck(index, buffer, kind);
		RecsysBadLink(index, BufferGetBlockNumber(buffer));
	}
	LockBuffer(buffer, lockmode);
	RecsysPageCheck(index, buffer, kind);
}

Buffer
RecsysReadPage(Relation index, BlockNumber block, int lockmode, RecsysPageKind kind)
{
	Buffer		buffer = RecsysPinBlock(index, block);

	RecsysLockPage(index, buffer, lockmode, kind);
	return buffer;
}

/* Can nobody come to the page, which is exclusively locked? */
static bool
take_free_page(Relation index, BlockNumber block, Page page)
{
	if (PageIsNew(page))
		return true;
	if (!RecsysPageIsOurs(page))
		return false;
	if (RecsysPageGetOpaque(page)->kind == RECSYS_PAGE_FREE)
		return true;
	if (RecsysPageGetOpaque(page)->kind != RECSYS_PAGE_DELETED || !RecsysPageIsRecyclable(page))
		return false;
	RecsysLogRecycling(index, block, page);
	return true;
}

Buffer
RecsysNewPage(Relation index, bool recycle)
{
	Buffer		buffer;
	bool		needlock;

	while (recycle)
	{
		BlockNumber block = GetFreeIndexPage(index);

		if (block == InvalidBlockNumber)
			break;

		buffer = ReadBuffer(index, block);

		/* somebody else may have taken it since; the map is only a hint */
		if (ConditionalLockBuffer(buffer))
		{
			if (take_free_page(index, block, BufferGetPage(buffer)))
				return buffer;
			LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		}
		ReleaseBuffer(buffer);
	}

	needlock = !RELATION_IS_LOCAL(index);
	if (needlock)
		LockRelationForExtension(index, ExclusiveLock);
	buffer = ReadBuffer(index, P_NEW);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	if (needlock)
		UnlockRelationForExtension(index, ExclusiveLock);

	return buffer;
}

BlockNumber
RecsysAppendPage(Relation index, ForkNumber fork, Page image)
{
	Buffer		buffer;
	BlockNumber block;

	CHECK_FOR_INTERRUPTS();

	LockRelationForExtension(index, ExclusiveLock);
	buffer = ReadBufferExtended(index, fork, P_NEW, RBM_ZERO_AND_LOCK, NULL);
	UnlockRelationForExtension(index, ExclusiveLock);

	block = BufferGetBlockNumber(buffer);
	memcpy(BufferGetPage(buffer), image, BLCKSZ);
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);

	return block;
}

void
RecsysOverwritePage(Relation index, ForkNumber fork, BlockNumber block, Page image)
{
	Buffer		buffer = ReadBufferExtended(index, fork, block, RBM_ZERO_AND_LOCK, NULL);

	memcpy(BufferGetPage(buffer), image, BLCKSZ);
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);
}
