/*
 * append.c
 *	  Adding entries to lists, and owners to buckets.
 *
 * New entries go to the tail in the owner's tuple, which has some slack so that most
 * inserts change ten-odd bytes of one page.  A full tuple is replaced by a larger one.  That
 * is put into the page's free space, so that no other tuple moves; the space that the old
 * one had is reclaimed when the page has no other (RecsysCompactBucket).  When it would
 * outgrow RECSYS_MAX_OWNER_SIZE its whole tail moves to the newest chain page, or to a new
 * one in front of it; walks of the list rely on that (chain.c).  A bucket without room for a
 * tuple is split; if all its owners have one hash, the longest of their tails moves to its chain.
 *
 * All of it is done with the bucket locked exclusively (owner.c).
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "am/lists/append.h"
#include "am/lists/chain.h"
#include "am/lists/directory.h"
#include "am/lists/owner.h"
#include "am/lists/pending.h"
#include "am/store/indexname.h"
#include "am/store/patch.h"
#include "fault.h"

RecsysOwner
RecsysResizeOwner(const RecsysOwnerData *owner, int room, int stride, Size *size)
{
	RecsysOwner copy;

	*size = RECSYS_OWNER_SIZE(owner->keylen, room, stride);
	copy = palloc0(*size);
	memcpy(copy, owner, offsetof(RecsysOwnerData, key) + owner->keylen +
		   (Size) Min(owner->tail, room) * stride);
	copy->room = room;
	copy->tail = Min(owner->tail, room);
	return copy;
}

void
RecsysTooManyEntries(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("too many interactions with one key")));
}

static void
replace_owner(Relation index, Page page, OffsetNumber off, RecsysOwner owner, Size size)
{
	if (!PageIndexTupleOverwrite(page, off, (Item) owner, size))
		elog(ERROR, "failed to replace an owner tuple of index \"%s\"",
			 RecsysIndexName(index));
}

/*
 * Move the tail of an owner to its chain, leaving room for some new entries.
 * One atomic step over the bucket and one chain page.
 */
static void
move_tail_to_chain(Relation index, RecsysSide side, int stride, Buffer bucket, OffsetNumber off)
{
	RecsysOwner owner = RecsysPageGetOwner(BufferGetPage(bucket), off);
	Size		bytes = (Size) owner->tail * stride;
	Buffer		chain = InvalidBuffer;
	bool		fresh = false;
	GenericXLogState *state;
	Page		bucketpage;
	Page		chainpage;
	RecsysOwner copy;
	Size		size;

	if (owner->chain != InvalidBlockNumber && (owner->flags & RECSYS_OWNER_SEALED) == 0)
	{
		RecsysChain walk;

		RecsysChainBegin(&walk, index, side, stride, owner);
		chain = RecsysChainNext(&walk, BUFFER_LOCK_EXCLUSIVE);
		if (RecsysChainCount(BufferGetPage(chain), stride) + owner->tail > RecsysChainRoom(stride))
		{
			UnlockReleaseBuffer(chain);
			chain = InvalidBuffer;
		}
	}
	if (chain == InvalidBuffer)
	{
		chain = RecsysNewPage(index, true);
		fresh = true;
		RECSYS_FAULT("chain-page-added");
	}

	state = GenericXLogStart(index);
	bucketpage = GenericXLogRegisterBuffer(state, bucket, 0);
	chainpage = GenericXLogRegisterBuffer(state, chain, fresh ? GENERIC_XLOG_FULL_IMAGE : 0);
	owner = RecsysPageGetOwner(bucketpage, off);

	if (fresh)
	{
		RecsysPageInit(chainpage, RECSYS_PAGE_CHAIN, side);
		RecsysPageGetOpaque(chainpage)->low = owner->hash;
		RecsysPageGetOpaque(chainpage)->high = owner->hash;
		RecsysPageGetOpaque(chainpage)->next = owner->chain;
		owner->chain = BufferGetBlockNumber(chain);
		owner->flags &= ~RECSYS_OWNER_SEALED;
	}
	memcpy((char *) chainpage + ((PageHeader) chainpage)->pd_lower,
		   RecsysOwnerEntries(owner), bytes);
	((PageHeader) chainpage)->pd_lower += bytes;

	owner->tail = 0;
	copy = RecsysResizeOwner(owner, Min(owner->room, 8), stride, &size);
	replace_owner(index, bucketpage, off, copy, size);
	GenericXLogFinish(state);
	RECSYS_FAULT("tail-moved");

	UnlockReleaseBuffer(chain);
	pfree(copy);
}

/*
 * Free space on a bucket whose owners all share one hash: move the longest tail
 * away.  With a seeded 32-bit hash three or more such users are rare already.
 */
static void
shrink_bucket(Relation index, RecsysSide side, int stride, Buffer bucket)
{
	Page		page = BufferGetPage(bucket);
	OffsetNumber longest = InvalidOffsetNumber;
	int			tail = 0;

	for (OffsetNumber off = FirstOffsetNumber; off <= PageGetMaxOffsetNumber(page); off++)
	{
		RecsysOwner owner = RecsysPageGetOwner(page, off);

		RecsysOwnerCheck(index, page, off, stride);
		if (owner->tail > tail && owner->room > 8)
		{
			longest = off;
			tail = owner->tail;
		}
	}
	if (longest == InvalidOffsetNumber)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many keys of recsys index \"%s\" have the same hash",
						RecsysIndexName(index)),
				 errhint("REINDEX the index: it will use another hash seed.")));
	move_tail_to_chain(index, side, stride, bucket, longest);
}

bool
RecsysCompactBucket(Page page, Size needed)
{
	PGAlignedBlock copy;
	OffsetNumber max = PageGetMaxOffsetNumber(page);
	LocationIndex upper = ((PageHeader) page)->pd_special;
	Size		used = 0;

	for (OffsetNumber off = FirstOffsetNumber; off <= max; off++)
		used += MAXALIGN(ItemIdGetLength(PageGetItemId(page, off)));
	if (((PageHeader) page)->pd_upper + used >= upper ||
		upper - used - ((PageHeader) page)->pd_lower < needed)
		return false;

	memcpy(copy.data, page, BLCKSZ);
	for (OffsetNumber off = FirstOffsetNumber; off <= max; off++)
	{
		ItemId		itemid = PageGetItemId(page, off);
		Size		length = ItemIdGetLength(itemid);

		upper -= MAXALIGN(length);
		memcpy((char *) page + upper, copy.data + ItemIdGetOffset(itemid), MAXALIGN(length));
		ItemIdSetNormal(itemid, upper, length);
	}
	((PageHeader) page)->pd_upper = upper;
	return true;
}

/* The same as a step of its own, if that makes room. */
static bool
compact_bucket(Relation index, Buffer bucket, Size needed)
{
	GenericXLogState *state = GenericXLogStart(index);
	bool		done = RecsysCompactBucket(GenericXLogRegisterBuffer(state, bucket, 0), needed);

	if (done)
		GenericXLogFinish(state);
	else
		GenericXLogAbort(state);
	return done;
}

Buffer
RecsysMakeRoom(Relation index, RecsysSide side, Buffer bucket, uint32 hash, Size needed)
{
	int			stride = RecsysGetCache(index)->stride[side];

	while (PageGetExactFreeSpace(BufferGetPage(bucket)) < MAXALIGN(needed) + sizeof(ItemIdData))
	{
		Buffer		half;

		if (compact_bucket(index, bucket, MAXALIGN(needed) + sizeof(ItemIdData)))
			break;
		half = RecsysSplitBucket(index, side, bucket, hash);

		if (half == InvalidBuffer)
			shrink_bucket(index, side, stride, bucket);
		else
			bucket = half;
	}
	return bucket;
}

/* An entry on its way into the list of a key */
typedef struct Appending
{
	Relation	index;
	RecsysSide	side;
	RecsysCache *cache;
	int			stride;
	RecsysKeyKind kind;
	const RecsysKey *key;
	uint32		hash;
	const RecsysEntry *entry;
	const RecsysEvent *event;	/* or NULL */
	RecsysAppended *result;
	Buffer		bucket;			/* exclusively locked */
} Appending;

static void
add_owner_with_entry(Appending *adding)
{
	Relation	index = adding->index;
	GenericXLogState *state;
	RecsysOwner owner;
	Size		size;
	Page		page;

	owner = RecsysFormOwner(adding->kind, adding->key, adding->hash, 0, 2, adding->stride, &size);
	owner->count = owner->tail = 1;
	RecsysPackEntry(RecsysOwnerEntries(owner), adding->side, &adding->cache->meta, adding->entry);

	adding->bucket = RecsysMakeRoom(index, adding->side, adding->bucket, adding->hash, size);
	state = GenericXLogStart(index);
	page = GenericXLogRegisterBuffer(state, adding->bucket, 0);
	if (PageAddItem(page, (Item) owner, size, RecsysBucketSearch(page, adding->hash),
					false, false) == InvalidOffsetNumber)
		elog(ERROR, "failed to add an owner tuple to index \"%s\"",
			 RecsysIndexName(index));
	GenericXLogFinish(state);
	pfree(owner);
}

int
RecsysOwnerMostRoom(int keylen, int stride)
{
	return (RECSYS_MAX_OWNER_SIZE - offsetof(RecsysOwnerData, key) - keylen) / stride;
}

int
RecsysOwnerNextRoom(int room, int keylen, int stride)
{
	return Min(room + Max(2, room / 4), RecsysOwnerMostRoom(keylen, stride));
}

/* Room for more entries in the tuple; 0 when it has reached its largest size. */
static int
grown_room(RecsysOwner owner, int stride)
{
	if (owner->room >= RecsysOwnerMostRoom(owner->keylen, stride))
		return 0;
	return RecsysOwnerNextRoom(owner->room, owner->keylen, stride);
}

/* Logs patches of the bucket, and the event if there is one. */
static void
log_patches(const Appending *adding, const RecsysPatch *patches, int npatches)
{
	if (adding->event == NULL)
		RecsysPatchPage(adding->index, adding->bucket, patches, npatches);
	else
	{
		adding->result->too_long = RecsysPendingAppendWith(adding->index, adding->event,
														   adding->bucket, patches, npatches);
		adding->result->told = true;
	}
}

/*
 * The common case: the tuple has room, and two counters and one entry change.  The event
 * takes a few bytes more, and is part of the same record.
 */
static void
append_in_place(const Appending *adding, RecsysOwner owner)
{
	int			stride = adding->stride;
	char		packed[RECSYS_MAX_STRIDE];
	uint32		count = owner->count + 1;
	uint16		tail = owner->tail + 1;
	RecsysPatch patches[3];

	RecsysPackEntry(packed, adding->side, &adding->cache->meta, adding->entry);
	patches[0].dest = (char *) &owner->count;
	patches[0].data = &count;
	patches[0].length = sizeof(count);
	patches[1].dest = (char *) &owner->tail;
	patches[1].data = &tail;
	patches[1].length = sizeof(tail);
	patches[2].dest = RecsysOwnerEntries(owner) + (Size) owner->tail * stride;
	patches[2].data = packed;
	patches[2].length = stride;
	log_patches(adding, patches, lengthof(patches));
}

/* The tuple's place is taken by a copy in the page's free space. */
static void
move_owner(const Appending *adding, OffsetNumber off, RecsysOwner copy, Size size)
{
	Page		page = BufferGetPage(adding->bucket);
	LocationIndex upper = ((PageHeader) page)->pd_upper - MAXALIGN(size);
	ItemIdData	itemid;
	RecsysPatch patches[3];

	ItemIdSetNormal(&itemid, upper, size);
	patches[0].dest = (char *) &((PageHeader) page)->pd_upper;
	patches[0].data = &upper;
	patches[0].length = sizeof(upper);
	patches[1].dest = (char *) PageGetItemId(page, off);
	patches[1].data = &itemid;
	patches[1].length = sizeof(itemid);
	patches[2].dest = (char *) page + upper;
	patches[2].data = copy;
	patches[2].length = size;
	log_patches(adding, patches, lengthof(patches));
}

/*
 * The tuple is full.  Replaces it by a larger one that has the entry, too; false when
 * room for that has been made first, after which the owner is to be looked up again.
 */
static bool
append_to_larger(Appending *adding, OffsetNumber off)
{
	Relation	index = adding->index;
	Page		page = BufferGetPage(adding->bucket);
	int			room = grown_room(RecsysPageGetOwner(page, off), adding->stride);
	GenericXLogState *state;
	RecsysOwner copy;
	Size		size;
	bool		fits;

	if (room == 0)
	{
		move_tail_to_chain(index, adding->side, adding->stride, adding->bucket, off);
		return false;
	}
	copy = RecsysResizeOwner(RecsysPageGetOwner(page, off), room, adding->stride, &size);
	fits = PageGetExactFreeSpace(page) >= MAXALIGN(size);
	if (!fits && PageGetExactFreeSpace(page) + MAXALIGN(ItemIdGetLength(PageGetItemId(page, off))) <
		MAXALIGN(size))
	{
		/* the owner may be in either half afterwards, or shrunk */
		pfree(copy);
		adding->bucket = RecsysMakeRoom(index, adding->side, adding->bucket, adding->hash, size);
		return false;
	}

	RecsysPackEntry(RecsysOwnerEntries(copy) + (Size) copy->tail * adding->stride,
					adding->side, &adding->cache->meta, adding->entry);
	copy->tail++;
	copy->count++;
	if (fits)
		move_owner(adding, off, copy, size);
	else
	{
		state = GenericXLogStart(index);
		replace_owner(index, GenericXLogRegisterBuffer(state, adding->bucket, 0), off, copy, size);
		GenericXLogFinish(state);
	}
	pfree(copy);
	return true;
}

bool
RecsysAppendToLocked(Relation index, RecsysSide side, Buffer bucket, const RecsysKey *key,
					 uint32 hash, const RecsysEntry *entry, const RecsysEvent *event,
					 RecsysAppended *result)
{
	RecsysCache *cache = RecsysGetCache(index);
	Appending	adding = {.index = index, .side = side, .cache = cache,
		.stride = cache->stride[side], .key = key, .hash = hash, .entry = entry, .event = event,
	.result = result, .bucket = bucket};
	bool		done = false;

	memset(result, 0, sizeof(*result));
	adding.kind = side == RECSYS_USERS ? cache->meta.user_kind : cache->meta.item_kind;
	while (!done)
	{
		Page		page = BufferGetPage(adding.bucket);
		OffsetNumber off = RecsysFindOwner(index, page, adding.kind, key, hash);
		RecsysOwner owner;

		if (off == InvalidOffsetNumber)
		{
			if (side == RECSYS_USERS)
				add_owner_with_entry(&adding);
			UnlockReleaseBuffer(adding.bucket);
			return side == RECSYS_USERS;
		}

		RecsysOwnerCheck(index, page, off, adding.stride);
		owner = RecsysPageGetOwner(page, off);
		if (owner->count == PG_UINT32_MAX)
			RecsysTooManyEntries();

		result->number = owner->number;
		result->flags = owner->flags;
		done = true;
		if (owner->tail < owner->room)
			append_in_place(&adding, owner);
		else
			done = append_to_larger(&adding, off);
	}
	UnlockReleaseBuffer(adding.bucket);
	return true;
}

bool
RecsysAppendEntry(Relation index, RecsysSide side, const RecsysKey *key, const RecsysEntry *entry,
				  RecsysAppended *result)
{
	RecsysKeyKind kind;
	uint32		hash = RecsysHashOfKey(RecsysGetCache(index), side, key, &kind);

	return RecsysAppendToLocked(index, side,
								RecsysFindBucket(index, side, hash, BUFFER_LOCK_EXCLUSIVE),
								key, hash, entry, NULL, result);
}
