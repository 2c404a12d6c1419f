/*
 * collectorread.c
 *	  A collector's rows given back, by user and then by item.
 *
 * In memory both are groups that a counting sort has made.  From disk the rows come
 * sorted by user, one of them read ahead, which tells where the next user begins; each
 * is put on the way into a second sort, by item, which gives the postings.
 */
#include "postgres.h"

#include "core/base/platform.h"
#include "source/input/collector.h"
#include "source/input/collectorstate.h"

/* Give a spilled row without user to the item side, or find it worthless. */
static void
put_posting(RecsysCollector *collector, const RecsysSpillRow *row)
{
	if (!collector->options.postings || row->item == RECSYS_NONE)
		return;
	RecsysSpillPutPosting(collector->spill,
						  collector->itemrank[collector->itemnumber[row->item]],
						  row->has_user ? (uint32) (row->hash >> 32) : 0,
						  (row->position & RECSYS_POSITION_MASK) |
						  (row->has_user ? 0 : RECSYS_POSITION_NO_USER), row->time);
}

static bool
next_spilled_user(RecsysCollector *collector, RecsysKey *key, uint32 *hash)
{
	/* what the caller left unread of the last user */
	RecsysUserRow rest;

	while (collector->group > 0 && RecsysCollectorNextOfUser(collector, &rest))
		 /* keep reading */ ;
	collector->group = 1;

	/* rows without user come last */
	while (collector->has_ahead && !collector->ahead.has_user)
	{
		put_posting(collector, &collector->ahead);
		collector->has_ahead = RecsysSpillGet(collector->spill, &collector->ahead);
		CHECK_FOR_INTERRUPTS();
	}
	if (!collector->has_ahead)
		return false;

	collector->userkey = collector->ahead.user;
	collector->userhash = collector->ahead.hash;
	if (collector->options.user_kind != RECSYS_KEY_INT)
	{
		memcpy(collector->userkeycopy, collector->ahead.user.data, collector->ahead.user.len);
		collector->userkey.data = collector->userkeycopy;
	}
	*key = collector->userkey;
	*hash = (uint32) (collector->userhash >> 32);
	return true;
}

bool
RecsysCollectorNextUser(RecsysCollector *collector, RecsysKey *key, uint32 *hash)
{
	uint32		number;

	if (collector->spill != NULL)
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

	if (collector->spill == NULL)
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
		RecsysSpillRow *ahead = &collector->ahead;

		if (!collector->has_ahead || !ahead->has_user || ahead->hash != collector->userhash ||
			RecsysKeyCompare(collector->options.user_kind, &ahead->user, &collector->userkey) != 0)
			return false;
		put_posting(collector, ahead);
		position = ahead->position;
		row->interaction.item = ahead->item == RECSYS_NONE ? RECSYS_NONE :
			collector->itemnumber[ahead->item];
		row->interaction.weight = ahead->weight;
		row->interaction.time = ahead->time;
		collector->has_ahead = RecsysSpillGet(collector->spill, ahead);
	}
	row->interaction.position = position & RECSYS_POSITION_MASK;
	row->dead = (position & RECSYS_POSITION_DEAD) != 0;
	return true;
}

static void
read_posting_ahead(RecsysCollector *collector)
{
	uint64		position;

	collector->has_posting = RecsysSpillGetPosting(collector->spill, &collector->postingrank,
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
	if (collector->spill != NULL)
	{
		RecsysSpillSortPostings(collector->spill);
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
	if (collector->spill == NULL)
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
	if (collector->spill == NULL)
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
