/*
 * writer.c
 *	  Writing one side of the interaction graph during a build.
 *
 * Owners arrive in hash order, so bucket pages are filled one after the other
 * in private memory and appended when full.  A list longer than a chain page
 * leaves full chain pages behind as it streams past; its rest stays in the
 * owner tuple when it is short enough and becomes a chain page when not.  The
 * directory is built at the end from the lowest hash of each bucket.
 */
#include "postgres.h"

#include "am/build/writer.h"
#include "am/lists/directory.h"
#include "am/lists/owner.h"
#include "am/store/indexname.h"
#include "utils/memutils.h"

/*
 * Spare entries in an owner tuple, so that its next inserts need not move it:
 * one in eight, two at most.
 */
#define SPARE_ENTRIES(count) Min((count) / 8, 2)

struct RecsysSideWriter
{
	Relation	index;
	ForkNumber	fork;
	RecsysSide	side;
	RecsysMetaData meta;
	RecsysKeyKind kind;
	int			stride;
	Size		limit;			/* bytes of a bucket page to fill */

	/* bucket being filled */
	PGAlignedBlock bucket;
	uint32		low;			/* lowest hash it covers */

	RecsysSlot *slots;
	uint32		nslots;
	uint32		maxslots;

	/* the owner being written */
	RecsysKey	key;
	uint32		hash;
	uint32		number;
	uint32		count;
	BlockNumber chain;
	int			pending;		/* entries in buffer */
	char		buffer[BLCKSZ]; /* at most one chain page of packed entries */
};

RecsysSideWriter *
RecsysSideWriterCreate(Relation index, ForkNumber fork, RecsysSide side,
					   const RecsysMetaData *meta, int fillfactor)
{
	RecsysSideWriter *writer = palloc0(sizeof(RecsysSideWriter));

	writer->index = index;
	writer->fork = fork;
	writer->side = side;
	writer->meta = *meta;
	writer->kind = side == RECSYS_USERS ? meta->user_kind : meta->item_kind;
	writer->stride = RecsysEntryStride(side, meta->weighted, meta->timed);
	writer->limit = RECSYS_PAGE_ROOM * fillfactor / 100;
	writer->maxslots = 1024;
	writer->slots = palloc(sizeof(RecsysSlot) * writer->maxslots);
	RecsysPageInit((Page) writer->bucket.data, RECSYS_PAGE_BUCKET, side);
	return writer;
}

/* Append the bucket; it covers hashes up to high. */
static void
flush_bucket(RecsysSideWriter *writer, uint32 high)
{
	Page		page = (Page) writer->bucket.data;

	RecsysPageGetOpaque(page)->low = writer->low;
	RecsysPageGetOpaque(page)->high = high;

	if (writer->nslots == writer->maxslots)
	{
		writer->maxslots *= 2;
		writer->slots = repalloc_huge(writer->slots, sizeof(RecsysSlot) * (Size) writer->maxslots);
	}
	writer->slots[writer->nslots].low = writer->low;
	writer->slots[writer->nslots++].child = RecsysAppendPage(writer->index, writer->fork, page);

	RecsysPageInit(page, RECSYS_PAGE_BUCKET, writer->side);
	writer->low = high + 1;
}

static bool
fits(RecsysSideWriter *writer, Size size)
{
	Page		page = (Page) writer->bucket.data;
	Size		free = PageGetFreeSpace(page);
	Size		used = RECSYS_PAGE_ROOM - free;

	if (free < MAXALIGN(size))
		return false;
	return PageGetMaxOffsetNumber(page) == 0 || used + MAXALIGN(size) <= writer->limit;
}

/*
 * Start a new bucket for an owner that does not fit.  Owners that share its
 * hash must come along, as a bucket boundary lies between two hashes.  When
 * they are all there is, nothing changes.
 */
static void
next_bucket(RecsysSideWriter *writer, uint32 hash)
{
	Page		page = (Page) writer->bucket.data;
	PGAlignedBlock moved;
	OffsetNumber first = RecsysBucketSearch(page, hash);
	OffsetNumber max = PageGetMaxOffsetNumber(page);

	if (first == FirstOffsetNumber)
		return;

	memcpy(moved.data, page, BLCKSZ);
	for (OffsetNumber off = max; off >= first; off--)
		PageIndexTupleDelete(page, off);
	flush_bucket(writer, hash - 1);
	for (OffsetNumber off = first; off <= max; off++)
	{
		ItemId		itemid = PageGetItemId((Page) moved.data, off);

		(void) PageAddItem(page, PageGetItem((Page) moved.data, itemid),
						   ItemIdGetLength(itemid), InvalidOffsetNumber, false, false);
	}
}

void
RecsysSideWriterStart(RecsysSideWriter *writer, const RecsysKey *key, uint32 hash, uint32 number)
{
	Assert(hash >= writer->hash);
	writer->key = *key;
	writer->hash = hash;
	writer->number = number;
	writer->count = 0;
	writer->chain = InvalidBlockNumber;
	writer->pending = 0;
}

static void
flush_chain(RecsysSideWriter *writer)
{
	PGAlignedBlock image;
	Page		page = (Page) image.data;
	Size		bytes = (Size) writer->pending * writer->stride;

	RecsysPageInit(page, RECSYS_PAGE_CHAIN, writer->side);
	RecsysPageGetOpaque(page)->low = writer->hash;
	RecsysPageGetOpaque(page)->high = writer->hash;
	RecsysPageGetOpaque(page)->next = writer->chain;
	memcpy(RecsysChainEntries(page), writer->buffer, bytes);
	((PageHeader) page)->pd_lower += bytes;
	writer->chain = RecsysAppendPage(writer->index, writer->fork, page);
	writer->pending = 0;
}

void
RecsysSideWriterEntry(RecsysSideWriter *writer, const RecsysEntry *entry)
{
	if (writer->pending == RecsysChainRoom(writer->stride))
		flush_chain(writer);
	if (writer->count == PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many interactions with one key")));
	RecsysPackEntry(writer->buffer + (Size) writer->pending * writer->stride, writer->side,
					&writer->meta, entry);
	writer->pending++;
	writer->count++;
}

static int
compare_item(const void *key, const void *element)
{
	uint32		item = *(const uint32 *) key;
	uint32		other = ((const RecsysHistoryItem *) element)->item;

	return (item > other) - (item < other);
}

static void
mark_packed(RecsysSideWriter *writer, char *packed, int n, const RecsysHistoryItem *items, int count)
{
	for (int i = 0; i < n; i++, packed += writer->stride)
	{
		RecsysEntry entry;

		RecsysUnpackEntry(packed, writer->side, &writer->meta, &entry);
		entry.counted = !entry.orphan &&
			bsearch(&entry.peer, items, count, sizeof(RecsysHistoryItem), compare_item) != NULL;
		RecsysPackEntry(packed, writer->side, &writer->meta, &entry);
	}
}

void
RecsysSideWriterMark(RecsysSideWriter *writer, const RecsysHistoryItem *items, int count)
{
	BlockNumber block = writer->chain;

	mark_packed(writer, writer->buffer, writer->pending, items, count);

	/* pages that have just been written, and are logged when the build ends */
	while (BlockNumberIsValid(block))
	{
		Buffer		buffer = ReadBufferExtended(writer->index, writer->fork, block, RBM_NORMAL, NULL);
		Page		page = BufferGetPage(buffer);

		CHECK_FOR_INTERRUPTS();
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		mark_packed(writer, RecsysChainEntries(page), RecsysChainCount(page, writer->stride), items, count);
		MarkBufferDirty(buffer);
		block = RecsysPageGetOpaque(page)->next;
		UnlockReleaseBuffer(buffer);
	}
}

void
RecsysSideWriterEnd(RecsysSideWriter *writer, uint16 flags)
{
	RecsysOwner owner;
	Size		size;
	int			room;

	if (RECSYS_OWNER_SIZE(writer->key.len, writer->pending, writer->stride) > RECSYS_MAX_OWNER_SIZE)
		flush_chain(writer);

	room = writer->pending + SPARE_ENTRIES(writer->pending);
	if (RECSYS_OWNER_SIZE(writer->key.len, room, writer->stride) > RECSYS_MAX_OWNER_SIZE)
		room = writer->pending;
	owner = RecsysFormOwner(writer->kind, &writer->key, writer->hash, writer->number,
							room, writer->stride, &size);
	owner->count = writer->count;
	owner->chain = writer->chain;
	owner->flags = flags;
	owner->tail = writer->pending;
	memcpy(RecsysOwnerEntries(owner), writer->buffer, (Size) writer->pending * writer->stride);

	if (!fits(writer, size))
	{
		next_bucket(writer, writer->hash);

		/* a few owners with one hash may have moved along and fill the page */
		while (PageGetFreeSpace((Page) writer->bucket.data) < MAXALIGN(size))
		{
			if (writer->pending == 0)
				ereport(ERROR,
						(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						 errmsg("too many keys of recsys index \"%s\" have the same hash",
								RecsysIndexName(writer->index)),
						 errhint("Build the index again: it will use another hash seed.")));
			pfree(owner);
			flush_chain(writer);
			owner = RecsysFormOwner(writer->kind, &writer->key, writer->hash, writer->number,
									0, writer->stride, &size);
			owner->count = writer->count;
			owner->chain = writer->chain;
			owner->flags = flags;
		}
	}
	if (PageAddItem((Page) writer->bucket.data, (Item) owner, size, InvalidOffsetNumber,
					false, false) == InvalidOffsetNumber)
		elog(ERROR, "failed to add an owner tuple to index \"%s\"",
			 RecsysIndexName(writer->index));
	pfree(owner);
}

void
RecsysSideWriterFinish(RecsysSideWriter *writer)
{
	flush_bucket(writer, PG_UINT32_MAX);
	RecsysBuildDirectory(writer->index, writer->fork, writer->side,
						 writer->slots, writer->nslots);
	pfree(writer->slots);
	pfree(writer);
}
