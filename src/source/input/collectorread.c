/*
 * collectorread.c
 *	  A collector's rows given back, by user and then by item.
 *
 * In memory both are groups that a counting sort has made.  From disk the rows come by
 * user (spill.c); each is put on the way where rows are divided by item, which gives the
 * postings (spillitems.c).
 */
#include "postgres.h"

#include "core/base/platform.h"
#include "source/input/collector.h"
#include "source/input/collectorstate.h"

/* The next row of the spilled user at hand, which is given to the item side, too. */
static bool
next_spilled(RecsysCollector *collector, RecsysSpillRow *row)
{
	if (!RecsysSpillNextOfUser(collector->spill, row))
		return false;
	if (collector->options.postings && row->item != RECSYS_NONE)
		RecsysSpillItemsPut(collector->spillitems, collector->itemrank[row->item],
							collector->has_user ? collector->userhash : 0,
							(row->position & RECSYS_POSITION_MASK) |
							(collector->has_user ? 0 : RECSYS_POSITION_NO_USER), row->time);
	return true;
}

static bool
next_spilled_user(RecsysCollector *collector, RecsysKey *key, uint32 *hash)
{
	RecsysSpillRow rest;
	uint64		long_hash;

	/* what the caller left unread of the last user */
	while (collector->group > 0 && next_spilled(collector, &rest))
		 /* keep reading */ ;
	collector->group = 1;

	while (RecsysSpillNextUser(collector->spill, &collector->has_user, key, &long_hash))
	{
		if (collector->has_user)
		{
			*hash = collector->userhash = (uint32) (long_hash >> 32);
			return true;
		}
		while (next_spilled(collector, &rest))
			CHECK_FOR_INTERRUPTS();
	}
	collector->group = 0;
	return false;
}

bool
RecsysCollectorNextUser(RecsysCollector *collector, RecsysKey *key, uint32 *hash)
{
	uint32		number;

	if (collector->spilled)
		return next_spilled_user(collector, key, hash);

	if (collector->group == collector->userrows->ngroups - 1)
		return false;
	number = collector->userorder[collector->group];
	RecsysDictionaryKey(collector->users, number, key);
	*hash = (uint32) (RecsysDictionaryHash(collector->users, number) >> 32);
	collector->row = collector->userrows->offsets[collector->group];
	collector->end = collector->userrows->offsets[collector->group + 1];
	collector->group++;
	return true;
}

bool
RecsysCollectorNextOfUser(RecsysCollector *collector, RecsysUserRow *row)
{
	uint64		position;

	if (!collector->spilled)
	{
		RecsysUserRows *rows = collector->userrows;
		uint64		i = collector->row;

		if (i == collector->end)
			return false;
		position = rows->positions[i];
		row->interaction.item = rows->items[i];
		row->interaction.weight = rows->weights ? rows->weights[i] : 1.0;
		row->interaction.time = rows->times ? rows->times[i] : RECSYS_NO_TIME;
		collector->row++;
	}
	else
	{
		RecsysSpillRow spilled;

		if (!next_spilled(collector, &spilled))
			return false;
		position = spilled.position;
		row->interaction.item = spilled.item;
		row->interaction.weight = spilled.weight;
		row->interaction.time = spilled.time;
	}
	row->interaction.position = position & RECSYS_POSITION_MASK;
	row->dead = (position & RECSYS_POSITION_DEAD) != 0;
	return true;
}

static void
read_posting_ahead(RecsysCollector *collector)
{
	uint64		position;

	collector->has_posting = RecsysSpillItemsGet(collector->spillitems, &collector->postingrank,
												 &collector->posting.user_hash, &position);
	collector->posting.no_user = (position & RECSYS_POSITION_NO_USER) != 0;
	collector->posting.position = position & RECSYS_POSITION_MASK;
}

/* The users have all been read: turn to the items. */
static void
start_items(RecsysCollector *collector)
{
	MemoryContext old = MemoryContextSwitchTo(collector->context);

	collector->reading_items = true;
	collector->group = 0;
	if (collector->spilled)
	{
		/* their memory is the items' now */
		RecsysSpillFree(collector->spill);
		collector->spill = NULL;
		read_posting_ahead(collector);
	}
	else
	{
		uint32		nusers = RecsysDictionaryCount(collector->users);
		uint32	   *hashes = recsys_alloc_huge(sizeof(uint32) * (Size) Max(nusers, 1));

		for (uint32 i = 0; i < nusers; i++)
			hashes[i] = (uint32) (RecsysDictionaryHash(collector->users,
													   collector->userorder[i]) >> 32);
		collector->itemrows = RecsysGroupByItem(collector->userrows, collector->itemrank,
												RecsysDictionaryCount(collector->items), hashes);
		pfree(hashes);
		RecsysUserRowsFree(collector->userrows);
		collector->userrows = NULL;
		RecsysSortItemRows(collector->itemrows);
	}
	MemoryContextSwitchTo(old);
}

bool
RecsysCollectorNextItem(RecsysCollector *collector, uint32 *item, RecsysKey *key, uint32 *hash)
{
	uint32		number;

	if (!collector->reading_items)
		start_items(collector);
	if (collector->group == RecsysDictionaryCount(collector->items))
		return false;

	number = collector->itemorder[collector->group];
	*item = collector->itemnumber[number];
	RecsysDictionaryKey(collector->items, number, key);
	*hash = (uint32) (RecsysDictionaryHash(collector->items, number) >> 32);
	collector->currentrank = collector->group;
	if (!collector->spilled)
	{
		collector->row = collector->itemrows->offsets[collector->group];
		collector->end = collector->itemrows->offsets[collector->group + 1];
	}
	collector->group++;
	return true;
}

bool
RecsysCollectorNextOfItem(RecsysCollector *collector, RecsysItemRow *row)
{
	if (!collector->spilled)
	{
		RecsysItemRows *rows = collector->itemrows;
		uint64		position;

		if (collector->row == collector->end)
			return false;
		position = rows->positions[collector->row];
		row->user_hash = rows->hashes[collector->row];
		row->no_user = (position & RECSYS_POSITION_NO_USER) != 0;
		row->position = position & RECSYS_POSITION_MASK;
		collector->row++;
		return true;
	}

	if (!collector->has_posting || collector->postingrank != collector->currentrank)
		return false;
	*row = collector->posting;
	read_posting_ahead(collector);
	return true;
}
