/*
 * appendbatch.c
 *	  Adding the entries of many rows to one side of an index, page by page.
 *
 * Rows come in the order of their hashes, which is that of the buckets.  So the
 * entries of all rows that belong on one bucket page are added under one lock and
 * in one WAL record, as far as they find room there: in the tuples, in larger ones
 * that replace these, in tuples of new users.  Where a bucket has to be split, or a
 * tail goes to its chain, what was added so far is logged, one entry takes the way of
 * a single one (append.c), and the batch goes on behind it.
 *
 * Entries of one owner are added in the order of the rows, so lists are what they
 * would be if each row had come by itself.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "am/lists/append.h"
#include "am/lists/appendbatch.h"
#include "am/lists/directory.h"
#include "am/lists/owner.h"
#include "am/store/indexname.h"
#include "fault.h"
#include "miscadmin.h"

typedef struct Batch
{
	Relation	index;
	RecsysSide	side;
	RecsysCache *cache;
	RecsysKeyKind kind;
	int			stride;
	RecsysNewRow *rows;
	const uint64 *order;
	uint32		n;
	uint32		next;			/* place in order of the first row to come */
	bool		changed;		/* the page at hand */
} Batch;

void
RecsysNewRowSetKey(RecsysNewRow *row, RecsysSide side, RecsysKeyKind kind, const RecsysKey *key)
{
	row->key[side] = kind == RECSYS_KEY_INT ? (uint64) key->number : (uint64) (uintptr_t) key->data;
	row->keylen[side] = key->len;
}

void
RecsysNewRowKey(const RecsysNewRow *row, RecsysSide side, RecsysKeyKind kind, RecsysKey *key)
{
	key->number = kind == RECSYS_KEY_INT ? (int64) row->key[side] : 0;
	key->data = kind == RECSYS_KEY_INT ? NULL : (const char *) (uintptr_t) row->key[side];
	key->len = row->keylen[side];
}

void
RecsysNewRowEntry(const RecsysNewRow *row, RecsysSide side, RecsysEntry *entry)
{
	memset(entry, 0, sizeof(*entry));
	entry->tid = row->tid;
	entry->weight = row->weight;
	entry->time = row->time;
	entry->orphan = (row->flags & RECSYS_NEW_HAS(1 - side)) == 0;
	entry->peer = side == RECSYS_ITEMS ? row->hash[RECSYS_USERS] : row->item;
}

void
RecsysNewRowJudge(RecsysNewRow *row, uint16 owner_flags)
{
	/* a version of a forgotten row counts again; marks are brought up to date by events */
	if ((row->flags & RECSYS_NEW_VERSION) != 0 &&
		(owner_flags & (RECSYS_OWNER_MARKED | RECSYS_OWNER_FORGOTTEN)) == 0)
		row->flags |= RECSYS_NEW_UNSAID;
}

static inline RecsysNewRow *
row_at(const Batch *batch, uint32 place)
{
	return &batch->rows[(uint32) batch->order[place]];
}

static inline uint32
hash_at(const Batch *batch, uint32 place)
{
	return (uint32) (batch->order[place] >> 32);
}

/* How many rows from the next one on have its key? */
static uint32
run_length(const Batch *batch)
{
	const RecsysNewRow *first = row_at(batch, batch->next);
	uint32		length = 1;

	while (batch->next + length < batch->n &&
		   hash_at(batch, batch->next + length) == hash_at(batch, batch->next))
	{
		const RecsysNewRow *row = row_at(batch, batch->next + length);

		if (row->keylen[batch->side] != first->keylen[batch->side])
			break;
		if (batch->kind == RECSYS_KEY_INT ? row->key[batch->side] != first->key[batch->side] :
			memcmp((const char *) (uintptr_t) row->key[batch->side],
				   (const char *) (uintptr_t) first->key[batch->side], first->keylen[batch->side]) != 0)
			break;
		length++;
	}
	return length;
}

/* The next rows are entered into the owner's tuple, which has room for them. */
static void
place_rows(Batch *batch, RecsysOwner owner, uint32 length)
{
	for (uint32 i = 0; i < length; i++)
	{
		RecsysNewRow *row = row_at(batch, batch->next++);
		RecsysEntry entry;

		RecsysNewRowEntry(row, batch->side, &entry);
		RecsysPackEntry(RecsysOwnerEntries(owner) + (Size) owner->tail * batch->stride,
						batch->side, &batch->cache->meta, &entry);
		owner->tail++;
		owner->count++;
		row->flags |= RECSYS_NEW_PLACED;
		if (batch->side == RECSYS_ITEMS)
			row->item = owner->number;
		else
			RecsysNewRowJudge(row, owner->flags);
	}
	batch->changed = true;
}

/* The room that a tuple gets which has to hold so many entries */
static int
room_for(const Batch *batch, int room, int keylen, int entries)
{
	while (room < entries)
		room = RecsysOwnerNextRoom(room, keylen, batch->stride);
	return room;
}

static bool
compact(Batch *batch, Page page, Size needed)
{
	bool		done = RecsysCompactBucket(page, needed);

	batch->changed |= done;
	return done;
}

/* A user who is new.  False when the page has no room. */
static bool
add_owner(Batch *batch, Page page, const RecsysKey *key, uint32 length)
{
	uint32		hash = hash_at(batch, batch->next);
	int			most = RecsysOwnerMostRoom(key->len, batch->stride);
	int			entries = Min(length, (uint32) most);
	Size		size;
	RecsysOwner owner = RecsysFormOwner(batch->kind, key, hash, 0,
										room_for(batch, 2, key->len, entries), batch->stride, &size);
	OffsetNumber off;

	if (PageGetExactFreeSpace(page) < MAXALIGN(size) + sizeof(ItemIdData) &&
		!compact(batch, page, MAXALIGN(size) + sizeof(ItemIdData)))
	{
		pfree(owner);
		return false;
	}
	off = PageAddItem(page, (Item) owner, size, RecsysBucketSearch(page, hash), false, false);
	if (off == InvalidOffsetNumber)
		elog(ERROR, "failed to add an owner tuple to index \"%s\"",
			 RecsysIndexName(batch->index));
	pfree(owner);
	place_rows(batch, RecsysPageGetOwner(page, off), entries);
	return entries == length;
}

/* In the page's free space, if it is there, so that no other tuple moves */
static void
replace_owner(Batch *batch, Page page, OffsetNumber off, RecsysOwner copy, Size size)
{
	if (PageGetExactFreeSpace(page) >= MAXALIGN(size))
	{
		LocationIndex upper = ((PageHeader) page)->pd_upper - MAXALIGN(size);

		memcpy((char *) page + upper, copy, size);
		ItemIdSetNormal(PageGetItemId(page, off), upper, size);
		((PageHeader) page)->pd_upper = upper;
	}
	else if (!PageIndexTupleOverwrite(page, off, (Item) copy, size))
		elog(ERROR, "failed to replace an owner tuple of index \"%s\"",
			 RecsysIndexName(batch->index));
}

/* Makes the tuple large enough for so many entries, if the page has room for that. */
static bool
enlarge_owner(Batch *batch, Page page, OffsetNumber off, int entries)
{
	RecsysOwner owner = RecsysPageGetOwner(page, off);
	Size		size;
	RecsysOwner copy = RecsysResizeOwner(owner, room_for(batch, owner->room, owner->keylen, entries),
										 batch->stride, &size);
	Size		old = MAXALIGN(ItemIdGetLength(PageGetItemId(page, off)));
	bool		fits = PageGetExactFreeSpace(page) + old >= MAXALIGN(size) ||
		(MAXALIGN(size) > old && compact(batch, page, MAXALIGN(size) - old));

	if (fits)
		replace_owner(batch, page, off, copy, size);
	pfree(copy);
	return fits;
}

/* Rows of one owner.  False when the next row has to go the way of a single one. */
static bool
add_run(Batch *batch, Page page)
{
	uint32		length = run_length(batch);
	OffsetNumber off;
	RecsysOwner owner;
	RecsysKey	key;
	uint32		entries;

	RecsysNewRowKey(row_at(batch, batch->next), batch->side, batch->kind, &key);
	off = RecsysFindOwner(batch->index, page, batch->kind, &key, hash_at(batch, batch->next));
	if (off == InvalidOffsetNumber)
	{
		if (batch->side == RECSYS_USERS)
			return add_owner(batch, page, &key, length);
		batch->next += length;
		return true;
	}

	RecsysOwnerCheck(batch->index, page, off, batch->stride);
	owner = RecsysPageGetOwner(page, off);
	if (owner->count > PG_UINT32_MAX - length)
		RecsysTooManyEntries();
	entries = Min(owner->tail + length,
				  (uint32) Max(owner->room, RecsysOwnerMostRoom(owner->keylen, batch->stride)));
	if (entries > owner->room && !enlarge_owner(batch, page, off, entries))
		entries = owner->room;
	owner = RecsysPageGetOwner(page, off);
	entries -= owner->tail;
	if (entries > 0)
		place_rows(batch, owner, entries);
	return entries == length;
}

/* What was placed on a page since is there. */
static void
note_placed(Batch *batch, uint32 first)
{
	for (uint32 i = first; i < batch->next; i++)
	{
		RecsysNewRow *row = row_at(batch, i);

		if (row->flags & RECSYS_NEW_PLACED)
			row->flags = (row->flags & ~RECSYS_NEW_PLACED) | RECSYS_NEW_IN(batch->side);
	}
}

/* As many rows as belong on the bucket and find room there; false when one more finds none. */
static bool
fill_bucket(Batch *batch, Buffer bucket)
{
	GenericXLogState *state = GenericXLogStart(batch->index);
	Page		page = GenericXLogRegisterBuffer(state, bucket, 0);
	uint32		high = RecsysPageGetOpaque(page)->high;
	uint32		first = batch->next;
	bool		room = true;

	batch->changed = false;
	while (room && batch->next < batch->n && hash_at(batch, batch->next) <= high)
		room = add_run(batch, page);
	if (batch->changed)
	{
		GenericXLogFinish(state);
		note_placed(batch, first);
	}
	else
		GenericXLogAbort(state);
	return room;
}

/* The next row by itself; the bucket comes locked and is released. */
static void
add_single(Batch *batch, Buffer bucket)
{
	RecsysNewRow *row = row_at(batch, batch->next);
	RecsysAppended result;
	RecsysEntry entry;
	RecsysKey	key;

	RecsysNewRowKey(row, batch->side, batch->kind, &key);
	RecsysNewRowEntry(row, batch->side, &entry);
	if (!RecsysAppendToLocked(batch->index, batch->side, bucket, &key, row->hash[batch->side], &entry,
							  NULL, &result))
		elog(ERROR, "index \"%s\" has lost an item", RecsysIndexName(batch->index));
	if (batch->side == RECSYS_ITEMS)
		row->item = result.number;
	else
		RecsysNewRowJudge(row, result.flags);
	row->flags |= RECSYS_NEW_IN(batch->side);
	batch->next++;
}

void
RecsysAppendBatch(Relation index, RecsysSide side, RecsysNewRow *rows, const uint64 *order,
				  uint32 n)
{
	Batch		batch = {.index = index, .side = side, .rows = rows, .order = order, .n = n};

	for (uint32 i = 0; i < n; i++)
		rows[(uint32) order[i]].flags &= ~RECSYS_NEW_PLACED;
	while (batch.next < n)
	{
		Buffer		bucket;

		CHECK_FOR_INTERRUPTS();

		/* may have been read anew since */
		batch.cache = RecsysGetCache(index);
		batch.stride = batch.cache->stride[side];
		batch.kind = side == RECSYS_USERS ? batch.cache->meta.user_kind : batch.cache->meta.item_kind;
		bucket = RecsysFindBucket(index, side, hash_at(&batch, batch.next), BUFFER_LOCK_EXCLUSIVE);
		if (fill_bucket(&batch, bucket))
			UnlockReleaseBuffer(bucket);
		else
			add_single(&batch, bucket);
		RECSYS_FAULT(side == RECSYS_ITEMS ? "batch-items" : "batch-users");
	}
}
