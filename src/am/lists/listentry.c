/*
 * listentry.c
 *	  Entries of lists, packed as they are stored and unpacked.
 *
 * page.h says what an entry consists of.  What is not there on a side, or in an index
 * without weights or times, takes no space; unpacked, every entry has all of it.
 */
#include "postgres.h"

#include "am/lists/listentry.h"
#include "am/store/corrupted.h"
#include "am/store/enlarge.h"
#include "am/store/indexname.h"

void
RecsysPackEntry(char *dest, RecsysSide side, const RecsysMetaData *meta, const RecsysEntry *entry)
{
	ItemPointerData tid = entry->tid;

	if (side == RECSYS_ITEMS && entry->orphan)
		tid.ip_posid |= RECSYS_TID_NO_USER;
	if (side == RECSYS_USERS && entry->forgotten)
		tid.ip_posid |= RECSYS_TID_FORGOTTEN;
	if (side == RECSYS_USERS && entry->counted)
		tid.ip_posid |= RECSYS_TID_COUNTED;

	memcpy(dest, &entry->peer, sizeof(uint32));
	dest += sizeof(uint32);
	memcpy(dest, &tid, sizeof(ItemPointerData));
	dest += sizeof(ItemPointerData);

	if (side == RECSYS_USERS && meta->weighted)
	{
		memcpy(dest, &entry->weight, sizeof(double));
		dest += sizeof(double);
	}
	if (side == RECSYS_USERS && meta->timed)
		memcpy(dest, &entry->time, sizeof(int64));
}

static inline void
unpack_entry(const char *src, RecsysSide side, const RecsysMetaData *meta, RecsysEntry *entry)
{
	OffsetNumber flags;

	memcpy(&entry->peer, src, sizeof(uint32));
	src += sizeof(uint32);
	memcpy(&entry->tid, src, sizeof(ItemPointerData));
	src += sizeof(ItemPointerData);
	entry->weight = 1.0;
	entry->time = RECSYS_NO_TIME;
	flags = entry->tid.ip_posid & RECSYS_TID_FLAGS;
	entry->tid.ip_posid &= ~RECSYS_TID_FLAGS;
	entry->forgotten = false;
	entry->counted = false;

	if (side == RECSYS_ITEMS)
	{
		entry->orphan = (flags & RECSYS_TID_NO_USER) != 0;
		return;
	}

	entry->orphan = entry->peer == RECSYS_NONE;
	entry->forgotten = (flags & RECSYS_TID_FORGOTTEN) != 0;
	entry->counted = (flags & RECSYS_TID_COUNTED) != 0;
	if (meta->weighted)
	{
		memcpy(&entry->weight, src, sizeof(double));
		src += sizeof(double);
	}
	if (meta->timed)
		memcpy(&entry->time, src, sizeof(int64));
}

void
RecsysUnpackEntry(const char *src, RecsysSide side, const RecsysMetaData *meta, RecsysEntry *entry)
{
	unpack_entry(src, side, meta, entry);
}

void
RecsysInvalidTid(Relation index)
{
	RecsysCorrupted(index, "index \"%s\" contains an invalid TID", RecsysIndexName(index));
}

static void
reserve(RecsysEntryArray *array, uint64 more)
{
	uint64		needed = array->count + more;

	if (needed <= array->size)
		return;
	if (needed > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many interactions with one key")));
	array->size = Max(64, Max(needed, Min((uint64) array->size * 2, PG_INT32_MAX)));
	array->entries = RecsysEnlarge(CurrentMemoryContext, array->entries,
								   sizeof(RecsysEntry) * (Size) array->size);
}

void
RecsysUnpackEntries(Relation index, RecsysSide side, const char *packed, int count,
					RecsysEntryArray *array)
{
	RecsysCache *cache = RecsysGetCache(index);
	int			stride = cache->stride[side];
	bool		sane = true;
	RecsysEntry *entries;

	reserve(array, count);
	entries = array->entries + array->count;
	for (int i = 0; i < count; i++)
	{
		unpack_entry(packed + (Size) i * stride, side, &cache->meta, &entries[i]);
		sane &= RecsysTidIsSane(&entries[i].tid);
	}
	array->count += count;
	if (!sane)
		RecsysInvalidTid(index);
}
