/*
 * itemschange.c
 *	  What has become of an item: its current content, and what is to be current.
 *
 * Of the rows that have the item's key the one with the lowest TID counts among those that the
 * snapshot sees, as in a build.  Current content is found by the blocks that the item's
 * entries name, or, when VACUUM has removed the entry, by that in the event.  On a full
 * disk VACUUM leaves no event (am/merge/unsaid.c); then all pages are looked through.
 */
#include "postgres.h"

#include "am/content/contentchange.h"
#include "am/compare/itemsround.h"
#include "am/lists/owner.h"
#include "am/store/corrupted.h"
#include "access/tableam.h"
#include "miscadmin.h"

/* The row that counts; false if none does. */
static bool
choose_row(RecsysItemsBatch *batch, const RecsysEntryArray *entries, ItemPointer tid,
		   BlockNumber *block)
{
	uint64		best = PG_UINT64_MAX;

	for (uint32 i = 0; i < entries->count; i++)
	{
		RecsysEntry *entry = &entries->entries[i];

		if (RecsysTidPosition(&entry->tid) >= best)
			continue;
		if (!batch->visibility.all_visible[i] &&
			!RecsysIsVisible(&batch->visibility, entry->tid, batch->merge->snapshot))
			continue;
		best = RecsysTidPosition(&entry->tid);
		*tid = entry->tid;
		*block = entry->peer;
	}

	return best != PG_UINT64_MAX;
}

/* Current content on a block, unless it is known already. */
static void
look_on(RecsysItemsBatch *batch, BlockNumber block, RecsysItemChange *change)
{
	if (change->old != NULL)
		return;
	change->old = RecsysContentReadCurrentOf(batch->merge->index, block, change->item,
											 &change->old_size);
	change->old_block = block;
}

static void
find_current(RecsysItemsBatch *batch, const RecsysEntryArray *entries, const RecsysEvent *events,
			 uint64 nevents, RecsysItemChange *change)
{
	BlockNumber last = InvalidBlockNumber;

	/* rows of an item are often on one page */
	for (uint32 i = 0; i < entries->count && change->old == NULL; i++)
		if (entries->entries[i].peer != last)
			look_on(batch, last = entries->entries[i].peer, change);
	for (uint64 i = 0; i < nevents && change->old == NULL; i++)
		if (events[i].user_hash != last)
			look_on(batch, last = events[i].user_hash, change);
	if (change->old == NULL)
		change->old_block = InvalidBlockNumber;
}

static void
read_row(RecsysItemsBatch *batch, RecsysItemChange *change, RecsysKey *key)
{
	RecsysGraphRow row = RecsysGraphNeedRow(&batch->graph, change->item);
	char	   *copy = palloc(row->keylen + 1);

	change->flags = row->flags & RECSYS_ROW_QUEUED;
	change->had = row->users > 0;
	memcpy(copy, RecsysRowKey(row), row->keylen);
	RecsysKeyLoad(RecsysGetCache(batch->merge->index)->meta.item_kind, copy, row->keylen, key);
	RecsysGraphReleaseRow(&batch->graph);
}

void
RecsysItemsLookUp(RecsysItemsBatch *batch, uint32 item, const RecsysEvent *events, uint64 nevents,
				  RecsysItemChange *change)
{
	Relation	index = batch->merge->index;
	RecsysEntryArray entries = {0};
	MemoryContext old;
	ItemPointerData tid;
	RecsysKey	key;
	bool		known;
	bool		any;

	memset(change, 0, sizeof(*change));
	change->item = item;
	change->old_block = change->new_block = InvalidBlockNumber;
	read_row(batch, change, &key);

	/* what is kept from item to item lives as long as the batch */
	old = MemoryContextSwitchTo(batch->merge->context);
	known = RecsysReadOwner(index, RECSYS_ITEMS, &key, &entries, NULL, RecsysAskVisibilityMap,
							&batch->visibility);
	any = known && choose_row(batch, &entries, &tid, &change->new_block);
	MemoryContextSwitchTo(old);
	if (!known)
		RecsysNoItem(index, item);

	find_current(batch, &entries, events, nevents, change);
	if (any)
	{
		change->new = RecsysContentRead(index, change->new_block, &tid, &change->new_size);
		if (change->new == NULL || change->new->item != item)
			RecsysCorrupted(index, "index \"%s\" has lost the content of item number %u",
							RelationGetRelationName(index), item);
	}
	if (entries.entries != NULL)
		pfree(entries.entries);
}

/* Changes whose current content is looked for, by item */
typedef struct Lost
{
	RecsysItemsBatch *batch;
	RecsysItemChange *changes;
	int			nchanges;
	int			found;
} Lost;

static void
find_on_page(void *arg, const RecsysContentPage *page)
{
	Lost	   *lost = arg;

	for (int i = 0; i < page->ntuples; i++)
	{
		RecsysContentTuple tuple = page->tuples[i];
		Size		size = RECSYS_CONTENT_HEADER + page->sizes[i];
		RecsysItemChange *change;

		if ((tuple->flags & RECSYS_CONTENT_CURRENT) == 0 || tuple->item >= lost->batch->merge->nitems ||
			lost->batch->slots[tuple->item] == 0)
			continue;
		change = &lost->changes[lost->batch->slots[tuple->item] - 1];
		change->old = palloc(size);
		memcpy(change->old, tuple, size);
		change->old_size = page->sizes[i];
		change->old_block = page->block;
		lost->found++;
	}
}

int
RecsysItemsFindLost(RecsysItemsBatch *batch, RecsysItemChange *changes, int nchanges)
{
	Lost		lost = {batch, changes, nchanges, 0};
	bool		any = false;

	for (int i = 0; i < nchanges; i++)
	{
		bool		missing = changes[i].old == NULL && (changes[i].had || changes[i].flags != 0);

		batch->slots[changes[i].item] = missing ? i + 1 : 0;
		any |= missing;
	}
	if (any)
		RecsysContentScan(batch->merge->index, find_on_page, &lost);
	for (int i = 0; i < nchanges; i++)
	{
		batch->slots[changes[i].item] = 0;

		/* without it nobody knows which rows have the item: all are looked at */
		if (changes[i].old == NULL && changes[i].had)
			changes[i].flags |= RECSYS_ROW_SHRUNK;
	}
	return lost.found;
}

bool
RecsysItemsIsSettled(const RecsysItemChange *change)
{
	if (change->flags & (RECSYS_ROW_INEXACT | RECSYS_ROW_SHRUNK))
		return false;
	if (change->new == NULL || change->old == NULL)
		return change->new == change->old && !change->had;
	return change->had && change->new_size == change->old_size &&
		memcmp(change->new->packed, change->old->packed, change->new_size) == 0;
}
