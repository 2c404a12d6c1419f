/*
 * collector.c
 *	  Gathers interactions in arrival order and gives them back by user and by
 *	  item, within a memory limit.
 *
 * In memory, keys become dense numbers through two dictionaries and rows are
 * grouped by counting sort (rowstore.c).  When the rows and what grouping them
 * will take would pass the limit, everything moves to external sorts (spill.c),
 * the user dictionary is dropped, and only the items' keys stay in memory: they
 * have to, as every kernel needs an array over the items.
 */
#include "postgres.h"

#include "core/base/platform.h"
#include "source/input/clock.h"
#include "source/input/collector.h"
#include "source/input/rowstore.h"
#include "source/input/spill.h"

/* Look at the memory used every so many rows. */
#define CHECK_ROWS 1024

/*
 * What a key costs beside the dictionary: 32 bytes while it is being sorted,
 * order, rank and offset of its group; for an item also totals, graph row and
 * accumulators of the model.
 */
#define BYTES_PER_USER 48
#define BYTES_PER_ITEM 100

/* Part of the limit, in percent, that the items' keys may take once rows are on disk. */
#define ITEM_PERCENT 50

struct RecsysCollector
{
	RecsysCollectorOptions options;
	MemoryContext context;
	uint64		nrows;
	int64		now;
	int64		latest;			/* time of any row that counts, not after now */
	uint64		nfuture;		/* rows that count and that no clock has seen yet */
	RecsysDictionary *users;	/* NULL once spilled */
	RecsysDictionary *items;
	RecsysRowStore store;
	RecsysSpill *spill;

	/* after Finish */
	uint32	   *itembynumber;	/* final item number -> dictionary number */
	uint32	   *itemnumber;		/* dictionary number -> final item number */
	uint32	   *itemorder;		/* rank in hash order -> dictionary number */
	uint32	   *itemrank;		/* final item number -> rank in hash order */

	/* in memory */
	uint32	   *userorder;		/* rank in hash order -> dictionary number */
	RecsysUserRows *userrows;
	RecsysItemRows *itemrows;

	/* reading */
	uint32		group;			/* next user or item group */
	uint64		row;			/* next row of the group at hand */
	uint64		end;
	bool		reading_items;
	RecsysSpillRow ahead;		/* spilled: first row not yet given out */
	bool		has_ahead;
	RecsysKey	userkey;		/* spilled: the user at hand */
	char	   *userkeycopy;
	uint64		userhash;
	uint32		postingrank;	/* spilled: the posting read ahead */
	RecsysItemRow posting;
	bool		has_posting;
	uint32		currentrank;
};

RecsysCollector *
RecsysCollectorCreate(const RecsysCollectorOptions *options)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys collector",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysCollector *collector = palloc0(sizeof(RecsysCollector));

	collector->options = *options;
	collector->context = context;
	collector->now = RecsysNow(options->timed ? options->time_type : InvalidOid);
	collector->latest = RECSYS_NO_TIME;
	collector->users = RecsysDictionaryCreate(options->user_kind, options->seed);
	collector->items = RecsysDictionaryCreate(options->item_kind, options->seed);
	collector->userkeycopy = palloc(RECSYS_MAX_KEY_LEN);
	RecsysRowStoreInit(&collector->store, options->weighted, options->timed);
	MemoryContextSwitchTo(old);
	return collector;
}

static void
put_spilled(RecsysCollector *collector, const RecsysKey *user, uint64 hash, uint32 item,
			uint64 position, float weight, int64 time)
{
	RecsysSpillRow row;

	row.has_user = user != NULL;
	if (user != NULL)
		row.user = *user;
	row.hash = hash;
	row.item = item;
	row.position = position;
	row.weight = weight;
	row.time = time;
	RecsysSpillPut(collector->spill, &row);
}

/* Move all rows to disk. */
static void
spill(RecsysCollector *collector)
{
	Size		limit = collector->options.memory_limit;

	ereport(DEBUG1,
			(errmsg_internal("recsys: " UINT64_FORMAT " interactions do not fit in memory, sorting on disk",
							 collector->nrows)));

	/* the sorts start filling while the old rows are still there */
	collector->spill = RecsysSpillCreate(collector->options.user_kind, limit / 100 * (100 - ITEM_PERCENT));

	for (RecsysRowChunk *chunk = collector->store.first; chunk != NULL; chunk = chunk->next)
	{
		for (uint32 i = 0; i < chunk->nrows; i++)
		{
			RecsysKey	key;
			bool		has_user = chunk->users[i] != RECSYS_NONE;

			if (has_user)
				RecsysDictionaryKey(collector->users, chunk->users[i], &key);
			put_spilled(collector, has_user ? &key : NULL,
						has_user ? RecsysDictionaryHash(collector->users, chunk->users[i]) : 0,
						chunk->items[i], chunk->positions[i],
						chunk->weights ? chunk->weights[i] : 1.0f,
						chunk->times ? chunk->times[i] : RECSYS_NO_TIME);
		}
		CHECK_FOR_INTERRUPTS();
	}
	RecsysRowStoreFree(&collector->store);
	RecsysDictionaryFree(collector->users);
	collector->users = NULL;
}

static void
check_memory(RecsysCollector *collector)
{
	Size		limit = collector->options.memory_limit;
	Size		items = RecsysDictionaryMemory(collector->items);

	if (collector->spill == NULL)
	{
		Size		needed = items + RecsysDictionaryMemory(collector->users) +
			RecsysDictionaryGrowth(collector->users) +
			RecsysDictionaryGrowth(collector->items) +
			(collector->nrows + RECSYS_CHUNK_ROWS) *
			RecsysRowStorePeakSize(&collector->store, collector->options.postings) +

			(Size) RecsysDictionaryCount(collector->users) * BYTES_PER_USER +
			(Size) RecsysDictionaryCount(collector->items) * BYTES_PER_ITEM;

		if (needed > limit)
			spill(collector);
	}
	if (collector->spill != NULL && items > limit / 100 * ITEM_PERCENT)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("the keys of %u items do not fit in memory",
						RecsysDictionaryCount(collector->items)),
				 errdetail("They take %zu kB, and the table has not been read to its end; half of maintenance_work_mem, now %zu kB, may hold them.",
						   items / 1024, limit / 1024),
				 errhint("Increase maintenance_work_mem.")));
}

void
RecsysCollectorAdd(RecsysCollector *collector, const RecsysCollected *row)
{
	MemoryContext old = MemoryContextSwitchTo(collector->context);
	uint64		position = row->position | (row->dead ? RECSYS_POSITION_DEAD : 0);
	uint32		item = RECSYS_NONE;

	Assert(row->position <= RECSYS_POSITION_MASK);
	if (row->item != NULL)
		item = RecsysDictionaryIntern(collector->items, row->item);
	if (row->item != NULL && row->user != NULL && !row->dead)
	{
		if (row->time > collector->now)
			collector->nfuture += RecsysIsFuture(collector->options.time_type, row->time);
		collector->latest = Max(collector->latest, Min(row->time, collector->now));
	}

	if (collector->spill == NULL)
	{
		uint32		user = RECSYS_NONE;

		if (row->user != NULL)
			user = RecsysDictionaryIntern(collector->users, row->user);
		RecsysRowStoreAdd(&collector->store, user, item, position, row->weight, row->time);
	}
	else
	{
		uint64		hash = 0;

		if (row->user != NULL)
			hash = RecsysKeyHash(collector->options.user_kind, row->user, collector->options.seed);
		put_spilled(collector, row->user, hash, item, position, row->weight, row->time);
	}

	if (++collector->nrows % CHECK_ROWS == 0)
		check_memory(collector);
	MemoryContextSwitchTo(old);
}

void
RecsysCollectorFinish(RecsysCollector *collector)
{
	MemoryContext old = MemoryContextSwitchTo(collector->context);
	uint32		nitems = RecsysDictionaryCount(collector->items);
	Size		slots = Max(nitems, 1);

	collector->itembynumber = RecsysDictionarySorted(collector->items);
	collector->itemnumber = recsys_alloc_huge(sizeof(uint32) * slots);
	for (uint32 item = 0; item < nitems; item++)
		collector->itemnumber[collector->itembynumber[item]] = item;

	if (collector->options.postings)
	{
		collector->itemorder = RecsysDictionaryHashOrder(collector->items);
		collector->itemrank = recsys_alloc_huge(sizeof(uint32) * slots);
		for (uint32 rank = 0; rank < nitems; rank++)
			collector->itemrank[collector->itemnumber[collector->itemorder[rank]]] = rank;
	}

	if (collector->spill == NULL)
	{
		uint32		nusers = RecsysDictionaryCount(collector->users);
		uint32	   *rank = recsys_alloc_huge(sizeof(uint32) * (Size) Max(nusers, 1));

		collector->userorder = RecsysDictionaryHashOrder(collector->users);
		for (uint32 i = 0; i < nusers; i++)
			rank[collector->userorder[i]] = i;
		collector->userrows = RecsysGroupByUser(&collector->store, rank, nusers,
												collector->itemnumber);
		pfree(rank);
	}
	else
	{
		RecsysSpillSort(collector->spill);
		collector->has_ahead = RecsysSpillGet(collector->spill, &collector->ahead);
	}
	MemoryContextSwitchTo(old);
}

uint64
RecsysCollectorRows(const RecsysCollector *collector)
{
	return collector->nrows;
}

uint32
RecsysCollectorItems(const RecsysCollector *collector)
{
	return RecsysDictionaryCount(collector->items);
}

void
RecsysCollectorItemKey(const RecsysCollector *collector, uint32 item, RecsysKey *key)
{
	RecsysDictionaryKey(collector->items, collector->itembynumber[item], key);
}

int64
RecsysCollectorLatest(const RecsysCollector *collector)
{
	return collector->latest;
}

uint64
RecsysCollectorFuture(const RecsysCollector *collector)
{
	return collector->nfuture;
}

bool
RecsysCollectorTimed(const RecsysCollector *collector)
{
	return collector->options.timed;
}

bool
RecsysCollectorSpilled(const RecsysCollector *collector)
{
	return collector->spill != NULL;
}

Size
RecsysCollectorMemory(const RecsysCollector *collector)
{
	return RecsysDictionaryMemory(collector->items) +
		(Size) RecsysDictionaryCount(collector->items) * sizeof(uint32) * 4;
}

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
						  (row->has_user ? 0 : RECSYS_POSITION_NO_USER));
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
		row->interaction.weight = rows->weights ? rows->weights[i] : 1.0f;
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

void
RecsysCollectorRelease(RecsysCollector *collector)
{
	if (collector->spill != NULL)
		RecsysSpillFree(collector->spill);
	if (collector->userrows != NULL)
		RecsysUserRowsFree(collector->userrows);
	if (collector->itemrows != NULL)
		RecsysItemRowsFree(collector->itemrows);
	if (collector->users != NULL)
		RecsysDictionaryFree(collector->users);
	if (collector->userorder != NULL)
		pfree(collector->userorder);
	collector->spill = NULL;
	collector->userrows = NULL;
	collector->itemrows = NULL;
	collector->users = NULL;
	collector->userorder = NULL;
}

void
RecsysCollectorFree(RecsysCollector *collector)
{
	if (collector->spill != NULL)
		RecsysSpillFree(collector->spill);
	MemoryContextDelete(collector->context);
}
