/*
 * directory.c
 *	  The hash-ordered tree that leads from a key's hash to its bucket page.
 *
 * It is a B+tree over 32-bit hashes, which are uniform by construction: no
 * page is ever merged or deleted, and two or three levels address any shop.
 * Every directory and bucket page knows the range [low, high] that it covers.
 *
 * Locking.  A descent holds one lock at a time.  Between reading a child's
 * block and locking it the child may be split; then its range no longer covers
 * the hash and the descent starts again at the root.  A split holds the page
 * to be split and takes its parent's lock after it: always upward, so that
 * splits cannot deadlock, and descents cannot either as they hold one lock.
 *
 * Crash safety.  Each split is one generic WAL record of three pages: the old
 * page, the new one and the parent.  The root never moves: when it is full,
 * its slots go to two new pages and the root becomes their parent.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "am/lists/directory.h"
#include "am/store/corrupted.h"
#include "am/store/indexname.h"
#include "fault.h"
#include "miscadmin.h"

/* A descent that restarts this often has met a broken tree. */
#define MAX_RESTARTS 10000

void		(*RecsysBeforeReading) (void) = NULL;

static Buffer directory_with_room(Relation index, RecsysSide side, int level, uint32 hash);

/* Position of the slot that covers hash */
static int
search_slots(const RecsysDirectoryData *directory, uint32 hash)
{
	int			low = 0;
	int			high = directory->nslots - 1;

	/* invariant: slots[low].low <= hash, slots[high + 1].low > hash */
	while (low < high)
	{
		int			middle = (low + high + 1) / 2;

		if (directory->slots[middle].low <= hash)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static bool
page_covers(Page page, RecsysSide side, uint32 hash)
{
	RecsysPageOpaque opaque = RecsysPageGetOpaque(page);

	return opaque->side == side && opaque->low <= hash && hash <= opaque->high;
}

static void
count_restart(Relation index, int *restarts)
{
	CHECK_FOR_INTERRUPTS();
	if (++*restarts > MAX_RESTARTS)
		RecsysCorrupted(index, "index \"%s\" has an inconsistent directory",
						RecsysIndexName(index));
}

/*
 * Is it a directory page of another level?  A split has pages of lower levels locked,
 * which a damaged tree may lead to: so this is asked before the lock.  A page below
 * the root never changes its level.
 */
static bool
has_other_level(Buffer buffer, int level)
{
	RecsysDirectoryData *directory = RecsysPageGetDirectory(BufferGetPage(buffer));

	return RecsysPeekKind(buffer) == RECSYS_PAGE_DIRECTORY &&
		*(volatile uint16 *) &directory->level != level;
}

/*
 * Descend to the page of the given level (-1: bucket) that covers hash.
 */
static Buffer
descend(Relation index, RecsysSide side, int level, uint32 hash, int lockmode)
{
	int			restarts = 0;

	for (;;)
	{
		BlockNumber block = RECSYS_ROOT_BLOCK(side);
		int			current = PG_INT16_MAX; /* level of block, unknown for the root */

		while (current > level)
		{
			Buffer		buffer = RecsysPinBlock(index, block);
			Page		page = BufferGetPage(buffer);
			RecsysDirectoryData *directory = RecsysPageGetDirectory(page);

			if (current != PG_INT16_MAX && has_other_level(buffer, current))
			{
				ReleaseBuffer(buffer);
				break;
			}
			RecsysLockPage(index, buffer, BUFFER_LOCK_SHARE, RECSYS_PAGE_DIRECTORY);

			/* below the root, levels count down, so that this ends */
			if (!page_covers(page, side, hash) || directory->nslots == 0 ||
				directory->nslots > RECSYS_DIRECTORY_SLOTS ||
				(current != PG_INT16_MAX && directory->level != current))
			{
				UnlockReleaseBuffer(buffer);
				break;
			}
			if (current == PG_INT16_MAX && directory->level <= level)
			{
				/* the root itself is wanted (or the tree is lower than that) */
				current = directory->level;
				UnlockReleaseBuffer(buffer);
				continue;
			}
			current = (int) directory->level - 1;
			block = directory->slots[search_slots(directory, hash)].child;
			UnlockReleaseBuffer(buffer);
		}

		if (current == level)
		{
			Buffer		buffer = RecsysPinBlock(index, block);
			Page		page = BufferGetPage(buffer);

			/* the root may have grown by a level since */
			if (level < 0 || !has_other_level(buffer, level))
			{
				RecsysLockPage(index, buffer, lockmode,
							   level < 0 ? RECSYS_PAGE_BUCKET : RECSYS_PAGE_DIRECTORY);
				if (page_covers(page, side, hash) &&
					(level < 0 || RecsysPageGetDirectory(page)->level == level))
					return buffer;
				LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
			}
			ReleaseBuffer(buffer);
		}
		count_restart(index, &restarts);
	}
}

Buffer
RecsysFindBucket(Relation index, RecsysSide side, uint32 hash, int lockmode)
{
	if (lockmode == BUFFER_LOCK_SHARE && unlikely(RecsysBeforeReading != NULL))
		RecsysBeforeReading();
	return descend(index, side, -1, hash, lockmode);
}

/* Where the hash would stand if the page's hashes were spread evenly, which they nearly are */
static OffsetNumber
guess_place(Page page, uint32 hash, OffsetNumber max)
{
	RecsysPageOpaque opaque = RecsysPageGetOpaque(page);

	if (hash <= opaque->low)
		return FirstOffsetNumber;
	if (hash >= opaque->high)
		return max;
	return FirstOffsetNumber + (OffsetNumber) (((uint64) (hash - opaque->low) * (max - 1)) / (opaque->high - opaque->low));
}

static inline bool
stands_before(Page page, OffsetNumber off, uint32 hash)
{
	return ((RecsysOwner) PageGetItem(page, PageGetItemId(page, off)))->hash < hash;
}

/*
 * Steps from the guess, each twice as long as the one before, enclose the place.  Owners that
 * are near to each other in hash are so in memory, mostly, and the first is seldom far off.
 */
OffsetNumber
RecsysBucketSearch(Page page, uint32 hash)
{
	OffsetNumber max = PageGetMaxOffsetNumber(page);
	OffsetNumber low = FirstOffsetNumber;
	OffsetNumber high = OffsetNumberNext(max);
	int			place;
	int			step = 1;

	if (max < FirstOffsetNumber)
		return low;
	place = guess_place(page, hash, max);
	if (stands_before(page, place, hash))
	{
		low = place + 1;
		while (place + step <= max && stands_before(page, place + step, hash))
		{
			low = place + step + 1;
			step *= 2;
		}
		high = Min(high, place + step);
	}
	else
	{
		high = place;
		while (place - step >= FirstOffsetNumber && !stands_before(page, place - step, hash))
		{
			high = place - step;
			step *= 2;
		}
		low = Max(low, place - step + 1);
	}
	while (low < high)
	{
		OffsetNumber middle = low + (high - low) / 2;

		if (stands_before(page, middle, hash))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
insert_slot(Page page, uint32 low, BlockNumber child)
{
	RecsysDirectoryData *directory = RecsysPageGetDirectory(page);
	int			position = search_slots(directory, low) + 1;

	memmove(&directory->slots[position + 1], &directory->slots[position],
			(directory->nslots - position) * sizeof(RecsysSlot));
	directory->slots[position].low = low;
	directory->slots[position].child = child;
	directory->nslots++;
}

static void
fill_directory(Page page, int level, RecsysSlot *slots, int nslots, uint32 low, uint32 high)
{
	RecsysDirectoryData *directory = RecsysPageGetDirectory(page);

	directory->level = level;
	directory->nslots = nslots;
	memcpy(directory->slots, slots, nslots * sizeof(RecsysSlot));
	directory->slots[0].low = low;
	RecsysPageGetOpaque(page)->low = low;
	RecsysPageGetOpaque(page)->high = high;
}

/*
 * Move the root's slots to two new pages and make it their parent.  The root
 * comes exclusively locked and is released.
 */
static void
push_down_root(Relation index, RecsysSide side, Buffer root)
{
	GenericXLogState *state = GenericXLogStart(index);
	Buffer		children[2];
	RecsysDirectoryData old;
	RecsysSlot	slots[2];
	RecsysSlot *oldslots = palloc(sizeof(RecsysSlot) * RECSYS_DIRECTORY_SLOTS);
	Page		page = GenericXLogRegisterBuffer(state, root, 0);
	int			half;

	memcpy(&old, RecsysPageGetDirectory(page), offsetof(RecsysDirectoryData, slots));
	memcpy(oldslots, RecsysPageGetDirectory(page)->slots, sizeof(RecsysSlot) * old.nslots);
	half = old.nslots / 2;

	slots[0].low = 0;
	slots[1].low = oldslots[half].low;
	for (int i = 0; i < 2; i++)
	{
		Page		child;

		children[i] = RecsysNewPage(index, true);
		child = GenericXLogRegisterBuffer(state, children[i], GENERIC_XLOG_FULL_IMAGE);
		RecsysPageInit(child, RECSYS_PAGE_DIRECTORY, side);
		fill_directory(child, old.level,
					   oldslots + (i == 0 ? 0 : half), i == 0 ? half : old.nslots - half,
					   slots[i].low, i == 0 ? slots[1].low - 1 : PG_UINT32_MAX);
		slots[i].child = BufferGetBlockNumber(children[i]);
	}
	fill_directory(page, old.level + 1, slots, 2, 0, PG_UINT32_MAX);
	GenericXLogFinish(state);
	RECSYS_FAULT("split-root");

	UnlockReleaseBuffer(children[0]);
	UnlockReleaseBuffer(children[1]);
	UnlockReleaseBuffer(root);
	pfree(oldslots);
}

/*
 * Split a full directory page below the root; returns the half that covers
 * hash, exclusively locked.
 */
static Buffer
split_directory(Relation index, RecsysSide side, Buffer buffer, uint32 hash)
{
	int			level = RecsysPageGetDirectory(BufferGetPage(buffer))->level;
	Buffer		parent = directory_with_room(index, side, level + 1, hash);
	Buffer		right = RecsysNewPage(index, true);
	GenericXLogState *state = GenericXLogStart(index);
	Page		page = GenericXLogRegisterBuffer(state, buffer, 0);
	Page		rightpage = GenericXLogRegisterBuffer(state, right, GENERIC_XLOG_FULL_IMAGE);
	Page		parentpage = GenericXLogRegisterBuffer(state, parent, 0);
	RecsysDirectoryData *directory = RecsysPageGetDirectory(page);
	int			half = directory->nslots / 2;
	uint32		boundary = directory->slots[half].low;

	RecsysPageInit(rightpage, RECSYS_PAGE_DIRECTORY, side);
	fill_directory(rightpage, level, directory->slots + half, directory->nslots - half,
				   boundary, RecsysPageGetOpaque(page)->high);
	directory->nslots = half;
	RecsysPageGetOpaque(page)->high = boundary - 1;
	insert_slot(parentpage, boundary, BufferGetBlockNumber(right));
	GenericXLogFinish(state);
	RECSYS_FAULT("split-directory");

	UnlockReleaseBuffer(parent);
	if (hash >= boundary)
	{
		UnlockReleaseBuffer(buffer);
		return right;
	}
	UnlockReleaseBuffer(right);
	return buffer;
}

/*
 * The directory page of a level that covers hash, exclusively locked and with
 * room for one more slot, splitting what has to be split.
 */
static Buffer
directory_with_room(Relation index, RecsysSide side, int level, uint32 hash)
{
	for (;;)
	{
		Buffer		buffer = descend(index, side, level, hash, BUFFER_LOCK_EXCLUSIVE);

		if (RecsysPageGetDirectory(BufferGetPage(buffer))->nslots < RECSYS_DIRECTORY_SLOTS)
			return buffer;
		if (BufferGetBlockNumber(buffer) != RECSYS_ROOT_BLOCK(side))
			return split_directory(index, side, buffer, hash);
		push_down_root(index, side, buffer);
	}
}

/*
 * Lowest hash of the right half that divides the owners' bytes best; false when
 * all owners have the same hash.
 */
static bool
choose_boundary(Page page, uint32 *boundary)
{
	OffsetNumber max = PageGetMaxOffsetNumber(page);
	Size		total = 0;
	Size		left = 0;
	Size		best = 0;
	bool		found = false;
	uint32		previous = 0;

	for (OffsetNumber off = FirstOffsetNumber; off <= max; off++)
		total += ItemIdGetLength(PageGetItemId(page, off));

	for (OffsetNumber off = FirstOffsetNumber; off <= max; off++)
	{
		ItemId		itemid = PageGetItemId(page, off);
		uint32		hash = ((RecsysOwner) PageGetItem(page, itemid))->hash;

		if (off > FirstOffsetNumber && hash != previous)
		{
			Size		larger = Max(left, total - left);

			if (!found || larger < best)
			{
				found = true;
				best = larger;
				*boundary = hash;
			}
		}
		previous = hash;
		left += ItemIdGetLength(itemid);
	}
	return found;
}

Buffer
RecsysSplitBucket(Relation index, RecsysSide side, Buffer bucket, uint32 hash)
{
	Page		old = BufferGetPage(bucket);
	GenericXLogState *state;
	Buffer		parent;
	Buffer		right;
	Page		leftpage;
	Page		rightpage;
	PGAlignedBlock copy;
	uint32		boundary = 0;
	RecsysPageOpaqueData range = *RecsysPageGetOpaque(old);

	if (!choose_boundary(old, &boundary))
		return InvalidBuffer;

	/* with owners out of order, splitting might go on for ever */
	if (boundary <= range.low || boundary > range.high)
		RecsysCorrupted(index, "index \"%s\" has owners out of order",
						RecsysIndexName(index));

	parent = directory_with_room(index, side, 0, hash);

	/* never a recycled page: see vacuum.c */
	right = RecsysNewPage(index, false);
	RECSYS_FAULT("split-page-added");

	memcpy(copy.data, old, BLCKSZ);

	state = GenericXLogStart(index);
	leftpage = GenericXLogRegisterBuffer(state, bucket, 0);
	rightpage = GenericXLogRegisterBuffer(state, right, GENERIC_XLOG_FULL_IMAGE);
	RecsysPageInit(leftpage, RECSYS_PAGE_BUCKET, side);
	RecsysPageInit(rightpage, RECSYS_PAGE_BUCKET, side);
	RecsysPageGetOpaque(leftpage)->low = range.low;
	RecsysPageGetOpaque(leftpage)->high = boundary - 1;
	RecsysPageGetOpaque(rightpage)->low = boundary;
	RecsysPageGetOpaque(rightpage)->high = range.high;

	for (OffsetNumber off = FirstOffsetNumber;
		 off <= PageGetMaxOffsetNumber((Page) copy.data); off++)
	{
		ItemId		itemid = PageGetItemId((Page) copy.data, off);
		RecsysOwner owner = (RecsysOwner) PageGetItem((Page) copy.data, itemid);
		Page		target = owner->hash < boundary ? leftpage : rightpage;

		if (PageAddItem(target, (Item) owner, ItemIdGetLength(itemid),
						InvalidOffsetNumber, false, false) == InvalidOffsetNumber)
			elog(ERROR, "failed to add owner while splitting a bucket of index \"%s\"",
				 RecsysIndexName(index));
	}

	insert_slot(GenericXLogRegisterBuffer(state, parent, 0), boundary,
				BufferGetBlockNumber(right));
	GenericXLogFinish(state);
	RECSYS_FAULT("split-bucket");
	UnlockReleaseBuffer(parent);

	if (hash >= boundary)
	{
		UnlockReleaseBuffer(bucket);
		return right;
	}
	UnlockReleaseBuffer(right);
	return bucket;
}

void
RecsysBuildDirectory(Relation index, ForkNumber fork, RecsysSide side,
					 RecsysSlot *buckets, uint32 nbuckets)
{
	PGAlignedBlock image;
	RecsysSlot *slots = buckets;
	uint32		nslots = nbuckets;
	int			level = 0;

	/* pages are filled to three quarters, so that the first splits find room */
	while (nslots > RECSYS_DIRECTORY_SLOTS)
	{
		uint32		perpage = RECSYS_DIRECTORY_SLOTS * 3 / 4;
		uint32		npages = (nslots + perpage - 1) / perpage;
		RecsysSlot *upper = MemoryContextAllocHuge(CurrentMemoryContext,
												   sizeof(RecsysSlot) * npages);

		for (uint32 i = 0; i < npages; i++)
		{
			uint32		first = i * perpage;
			uint32		count = Min(perpage, nslots - first);

			RecsysPageInit((Page) image.data, RECSYS_PAGE_DIRECTORY, side);
			fill_directory((Page) image.data, level, slots + first, count,
						   i == 0 ? 0 : slots[first].low,
						   first + count < nslots ? slots[first + count].low - 1 : PG_UINT32_MAX);
			upper[i].low = i == 0 ? 0 : slots[first].low;
			upper[i].child = RecsysAppendPage(index, fork, (Page) image.data);
		}
		if (slots != buckets)
			pfree(slots);
		slots = upper;
		nslots = npages;
		level++;
	}

	RecsysPageInit((Page) image.data, RECSYS_PAGE_DIRECTORY, side);
	fill_directory((Page) image.data, level, slots, nslots, 0, PG_UINT32_MAX);
	RecsysOverwritePage(index, fork, RECSYS_ROOT_BLOCK(side), (Page) image.data);
	if (slots != buckets)
		pfree(slots);
}
