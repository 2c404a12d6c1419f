/*
 * collector.c
 *	  Gathers interactions in arrival order and gives them back by user and by
 *	  item, within a memory limit.
 *
 * In memory, keys become dense numbers through two dictionaries and rows are
 * grouped by counting sort (rowstore.c, postings.c).  When the rows and what
 * grouping them will take would pass the limit, everything moves to disk, where
 * it is divided into parts that are grouped in memory one after the other
 * (spill.c, spillitems.c).  The user dictionary is dropped, and only the items'
 * keys stay in memory: they have to, as every kernel needs an array over the items.
 *
 * This is how rows come in; collectorread.c gives them back.
 */
#include "postgres.h"

#include "core/base/platform.h"
#include "source/input/clock.h"
#include "source/input/collector.h"
#include "source/input/collectorstate.h"

/* Look at the memory used every so many rows. */
#define CHECK_ROWS 1024

/*
 * What a key costs beside the dictionary: 32 bytes while it is being sorted,
 * order, rank and offset of its group; for an item also totals, rhythm, graph row and
 * accumulators of the model.
 */
#define BYTES_PER_USER 48
#define BYTES_PER_ITEM 124

/* Part of the limit, in percent, that the items' keys may take once rows are on disk. */
#define ITEM_PERCENT 50

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
	RecsysRowStoreInit(&collector->store, options->weighted, options->timed);
	MemoryContextSwitchTo(old);
	return collector;
}

/* For the rows of a part, and the buffers of files */
static Size
spill_memory(const RecsysCollector *collector)
{
	return collector->options.memory_limit / 100 * (100 - ITEM_PERCENT);
}

/* Move all rows to disk. */
static void
spill(RecsysCollector *collector)
{
	RecsysSpillOptions options;

	ereport(DEBUG1,
			(errmsg_internal("recsys: " UINT64_FORMAT " interactions do not fit in memory, sorting on disk",
							 collector->nrows)));

	/* the files are begun while the rows are still there */
	options.user_kind = collector->options.user_kind;
	options.weighted = collector->options.weighted;
	options.timed = collector->options.timed;
	options.seed = collector->options.seed;
	options.memory = spill_memory(collector);
	collector->spill = RecsysSpillCreate(&options);
	collector->spilled = true;

	for (RecsysRowChunk *chunk = collector->store.first; chunk != NULL; chunk = chunk->next)
	{
		for (uint32 i = 0; i < chunk->nrows; i++)
		{
			RecsysKey	key;
			RecsysSpillRow row;
			bool		has_user = chunk->users[i] != RECSYS_NONE;

			if (has_user)
				RecsysDictionaryKey(collector->users, chunk->users[i], &key);
			row.item = chunk->items[i];
			row.position = chunk->positions[i];
			row.weight = chunk->weights ? chunk->weights[i] : 1.0;
			row.time = chunk->times ? chunk->times[i] : RECSYS_NO_TIME;
			RecsysSpillPut(collector->spill, has_user ? &key : NULL, &row);
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

	if (!collector->spilled)
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
	if (collector->spilled && items > limit / 100 * ITEM_PERCENT)
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
		RecsysTimeSpanAdd(&collector->span, Min(row->time, collector->now));
	}

	if (!collector->spilled)
	{
		uint32		user = RECSYS_NONE;

		if (row->user != NULL)
			user = RecsysDictionaryIntern(collector->users, row->user);
		RecsysRowStoreAdd(&collector->store, user, item, position, row->weight, row->time);
	}
	else
	{
		RecsysSpillRow spilled = {item, position, row->weight, row->time};

		RecsysSpillPut(collector->spill, row->user, &spilled);
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

	if (!collector->spilled)
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
		Size		taken = 0;

		if (collector->options.postings)
		{
			collector->spillitems = RecsysSpillItemsCreate(nitems, collector->options.timed,
														   spill_memory(collector));
			taken = RecsysSpillItemsFileMemory(collector->spillitems);
		}
		RecsysSpillFinish(collector->spill, collector->itemnumber, taken);
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

RecsysKeyKind
RecsysCollectorUserKind(const RecsysCollector *collector)
{
	return collector->options.user_kind;
}

int64
RecsysCollectorSpan(RecsysCollector *collector)
{
	return RecsysTimeSpanGet(&collector->span);
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
	return collector->spilled;
}

Size
RecsysCollectorMemory(const RecsysCollector *collector)
{
	return RecsysDictionaryMemory(collector->items) +
		(Size) RecsysDictionaryCount(collector->items) * sizeof(uint32) * 4;
}

/* Files are not the context's. */
static void
free_spilled(RecsysCollector *collector)
{
	if (collector->spill != NULL)
		RecsysSpillFree(collector->spill);
	if (collector->spillitems != NULL)
		RecsysSpillItemsFree(collector->spillitems);
	collector->spill = NULL;
	collector->spillitems = NULL;
}

void
RecsysCollectorRelease(RecsysCollector *collector)
{
	free_spilled(collector);
	if (collector->userrows != NULL)
		RecsysUserRowsFree(collector->userrows);
	if (collector->itemrows != NULL)
		RecsysItemRowsFree(collector->itemrows);
	if (collector->users != NULL)
		RecsysDictionaryFree(collector->users);
	if (collector->userorder != NULL)
		pfree(collector->userorder);
	collector->userrows = NULL;
	collector->itemrows = NULL;
	collector->users = NULL;
	collector->userorder = NULL;
}

void
RecsysCollectorFree(RecsysCollector *collector)
{
	free_spilled(collector);
	MemoryContextDelete(collector->context);
}
