/*
 * prior_page.c
 *	  The page of the prior: the items with the best scores, and the latest time there is.
 *
 * Scores depend on how many users, items and interactions there are, and so on every
 * merge; but what they have in common changes no order, nor does time.  So a merge scores
 * the listed items anew and those that it has touched.  All others still stand behind the
 * floor, which is scored anew as well.  When too few of the former rank above it, all rows
 * have to be read.
 *
 * A row changes together with the meta page's state, which the page's next update takes
 * back.  So a merge that finds it knows that another one was cut short in between.
 */
#include "postgres.h"

#include <math.h>

#include "access/generic_xlog.h"
#include "am/graph/graph.h"
#include "am/graph/itemorder.h"
#include "am/graph/prior_page.h"
#include "am/store/corrupted.h"
#include "am/store/indexname.h"
#include "am/store/meta.h"
#include "miscadmin.h"
#include "source/train/trainprior.h"
#include "utils/memutils.h"

bool
RecsysNeedsPrior(const RecsysModelOptions *options)
{
	return RecsysModelHasPrior(options) || options->item_max_age > 0;
}

int64
RecsysRecentHalfLife(const RecsysModelOptions *options)
{
	return RecsysModelHasPrior(options) ? options->popularity_half_life : 0;
}

/* The header and a copy of what the page lists. */
static void
read_page(Relation index, BlockNumber block, RecsysPriorHeader *header, RecsysPrior *prior)
{
	Buffer		buffer = RecsysReadPage(index, block, BUFFER_LOCK_SHARE, RECSYS_PAGE_PRIOR);
	Page		page = BufferGetPage(buffer);
	int			count = RecsysPagePriorCount(page);
	bool		sane = count >= 0 && count <= RECSYS_PRIOR_ITEMS;

	if (sane)
	{
		const uint32 *items = (uint32 *) (RecsysPagePrior(page) + 1);

		*header = *RecsysPagePrior(page);
		prior->latest = header->latest;
		prior->count = count;
		memcpy(prior->items, items, sizeof(uint32) * count);
		memcpy(prior->scores, items + count, sizeof(float) * count);
	}
	UnlockReleaseBuffer(buffer);
	for (int x = 0; sane && x < count; x++)
		sane = isfinite(prior->scores[x]) && prior->scores[x] > 0;
	if (!sane)
		RecsysCorrupted(index, "index \"%s\" contains a corrupted page at block %u",
						RecsysIndexName(index), block);
}

bool
RecsysReadPrior(Relation index, RecsysPrior *prior)
{
	BlockNumber block = RecsysGetCache(index)->meta.prior;
	RecsysPriorHeader header;

	if (block == InvalidBlockNumber)
		return false;
	read_page(index, block, &header, prior);
	return true;
}

/* items is what the list was selected from. */
static void
fill_page(Page page, const RecsysPriorHeader *header, const RecsysNeighborList *list,
		  const RecsysPriorItem *items)
{
	RecsysPriorHeader *place = RecsysPagePrior(page);
	uint32	   *numbers = (uint32 *) (place + 1);
	float	   *scores = (float *) (numbers + list->count);

	*place = *header;
	for (int x = 0; x < list->count; x++)
	{
		numbers[x] = list->neighbors[x].item;
		scores[x] = list->neighbors[x].score;
	}
	if (list->floor_score > 0)
	{
		const RecsysPriorItem *floor = &items[list->neighbors[list->count - 1].support];

		place->floor_recent = floor->recent;
		place->floor_users = floor->users;
		place->floor_item = floor->item;
	}
	((PageHeader) page)->pd_lower = (char *) (scores + list->count) - (char *) page;
}

void
RecsysWritePrior(Relation index, ForkNumber fork, const RecsysModel *model, int64 now,
				 RecsysMetaData *meta)
{
	PGAlignedBlock image;
	RecsysPriorHeader header = {0};
	RecsysPriorTotals totals = {0};
	RecsysPriorItem *items = NULL;
	RecsysNeighborList list;
	uint32		nitems = 0;

	if (!RecsysNeedsPrior(&meta->options))
		return;
	header.farthest = RECSYS_NO_TIME;
	if (model != NULL)
	{
		items = RecsysModelPriorItems(model, &totals, &nitems);
		header.farthest = RecsysTotalsLatest(RecsysModelTotals(model));
	}
	header.latest = Min(header.farthest, now);
	header.now = now;
	(void) RecsysPriorSelect(&meta->options, &totals, items, nitems, RECSYS_PRIOR_ITEMS, NULL, &list);
	RecsysPageInit((Page) image.data, RECSYS_PAGE_PRIOR, RECSYS_ITEMS);
	fill_page((Page) image.data, &header, &list, items);
	meta->prior = RecsysAppendPage(index, fork, (Page) image.data);
	meta->prior_state = RECSYS_PRIOR_EXACT;
	meta->recent = totals.recent;
	pfree(list.neighbors);
	if (items != NULL)
		pfree(items);
}

/* What a merge works with: as the meta page has it now */
typedef struct PriorUpdate
{
	Relation	index;
	RecsysMetaData meta;
	RecsysPriorTotals totals;
	RecsysPriorHeader header;
	RecsysGraphReader reader;
	RecsysPriorItem *items;		/* with users */
	uint32		nitems;
	int64		farthest;		/* of the rows that were read */
} PriorUpdate;

/* False when the index has no such page. */
static bool
begin(PriorUpdate *update, Relation index, RecsysPrior *prior)
{
	BlockNumber block = RecsysGetCache(index)->meta.prior;
	Buffer		buffer;

	if (block == InvalidBlockNumber)
		return false;
	memset(update, 0, sizeof(*update));
	update->index = index;
	update->farthest = RECSYS_NO_TIME;
	buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_SHARE, RECSYS_PAGE_META);
	update->meta = *RecsysPageGetMeta(BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);
	update->totals.users = (double) update->meta.users;
	update->totals.items = (double) update->meta.items;
	update->totals.interactions = (double) update->meta.interactions;
	update->totals.recent = update->meta.recent;
	read_page(index, block, &update->header, prior);
	return true;
}

/* Takes an item, if it has users. */
static void
consider(PriorUpdate *update, uint32 item)
{
	RecsysGraphRow row = RecsysGraphReadRow(&update->reader, item);

	if (row == NULL)
		return;
	update->farthest = Max(update->farthest, row->latest);
	if (row->users > 0)
	{
		RecsysPriorItem *place = &update->items[update->nitems++];

		place->item = item;
		place->users = row->users;
		place->recent = row->recent;
	}
	RecsysGraphReleaseRow(&update->reader);
}

/* All items, and their recencies added up anew. */
static void
consider_all(PriorUpdate *update)
{
	uint32		nitems = RecsysItemCount(update->index);

	update->items = MemoryContextAllocHuge(CurrentMemoryContext,
										   sizeof(RecsysPriorItem) * (Size) Max(nitems, 1));
	update->nitems = 0;
	update->farthest = RECSYS_NO_TIME;
	RecsysGraphReaderInit(&update->reader, update->index);
	for (uint32 item = 0; item < nitems; item++)
	{
		CHECK_FOR_INTERRUPTS();
		consider(update, item);
	}
	RecsysGraphReaderDone(&update->reader);
	memset(&update->totals.recent, 0, sizeof(update->totals.recent));
	for (uint32 x = 0; x < update->nitems; x++)
		RecsysRecencyTotalAdd(&update->totals.recent, &update->items[x].recent);
}

/* The listed items and those touched, each once. */
static void
consider_some(PriorUpdate *update, const RecsysPrior *prior, const uint32 *touched, uint32 ntouched)
{
	uint32	   *listed = palloc(sizeof(uint32) * Max(prior->count, 1));

	update->items = MemoryContextAllocHuge(CurrentMemoryContext,
										   sizeof(RecsysPriorItem) * ((Size) prior->count + ntouched + 1));
	memcpy(listed, prior->items, sizeof(uint32) * prior->count);
	qsort(listed, prior->count, sizeof(uint32), RecsysCompareItemNumbers);
	RecsysGraphReaderInit(&update->reader, update->index);
	for (int x = 0; x < prior->count; x++)
	{
		if (x == 0 || listed[x] != listed[x - 1])
			consider(update, listed[x]);
	}
	for (uint32 x = 0; x < ntouched; x++)
	{
		CHECK_FOR_INTERRUPTS();
		if (bsearch(&touched[x], listed, prior->count, sizeof(uint32), RecsysCompareItemNumbers) == NULL)
			consider(update, touched[x]);
	}
	RecsysGraphReaderDone(&update->reader);
	pfree(listed);
}

static void
select_list(const PriorUpdate *update, RecsysNeighborList *list)
{
	RecsysItemOrder *order = RecsysItemOrderCreate(update->index, RecsysItemCount(update->index));
	RecsysKeyOrder keys = RecsysItemOrderForCore(order);

	(void) RecsysPriorSelect(&update->meta.options, &update->totals, update->items, update->nitems,
							 RECSYS_PRIOR_ITEMS, &keys, list);
	RecsysItemOrderFree(order);
}

/* May items that are not among those considered belong on the list? */
static bool
may_lack_some(const PriorUpdate *update, const RecsysNeighborList *list)
{
	const RecsysPriorHeader *header = &update->header;
	float		floor;

	if (!RecsysModelHasPrior(&update->meta.options))
		return false;

	/* the sum of all has been worn away, where there is something to add up */
	if (update->meta.options.popularity_half_life > 0 && update->meta.items > 0 &&
		header->farthest != RECSYS_NO_TIME &&
		RecsysRecencyTotalGet(&update->totals.recent) == 0)
		return true;
	if (header->floor_users == 0)
		return false;
	floor = RecsysPriorScore(&update->meta.options, &update->totals, header->floor_users,
							 &header->floor_recent);
	return list->count < RECSYS_PRIOR_ITEMS || list->neighbors[list->count - 1].score < floor;
}

static void
write_page(PriorUpdate *update, const RecsysNeighborList *list, RecsysPriorState prior_state)
{
	Buffer		meta = RecsysReadPage(update->index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
									  RECSYS_PAGE_META);
	Buffer		buffer = RecsysReadPage(update->index, update->meta.prior, BUFFER_LOCK_EXCLUSIVE,
										RECSYS_PAGE_PRIOR);
	GenericXLogState *state = GenericXLogStart(update->index);
	RecsysMetaData *data = RecsysPageGetMeta(GenericXLogRegisterBuffer(state, meta, 0));

	/* a VACUUM may have changed the totals meanwhile */
	data->prior_state = data->users == update->meta.users && data->items == update->meta.items &&
		data->interactions == update->meta.interactions ? prior_state : RECSYS_PRIOR_BEHIND;
	data->recent = update->totals.recent;
	fill_page(GenericXLogRegisterBuffer(state, buffer, 0), &update->header, list, update->items);
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(meta);
}

/* Only the floor of a full list is filled in. */
static void
clear_floor(RecsysPriorHeader *header)
{
	memset(&header->floor_recent, 0, sizeof(header->floor_recent));
	header->floor_users = header->floor_item = 0;
}

void
RecsysUpdatePrior(Relation index, const uint32 *items, uint32 nitems, int64 now)
{
	RecsysPrior *prior = palloc(sizeof(RecsysPrior));
	PriorUpdate *update = palloc(sizeof(PriorUpdate));
	RecsysNeighborList list;

	if (begin(update, index, prior))
	{
		consider_some(update, prior, items, nitems);
		select_list(update, &list);
		update->header.farthest = Max(update->header.farthest, update->farthest);
		if (may_lack_some(update, &list))
		{
			pfree(list.neighbors);
			pfree(update->items);
			consider_all(update);
			select_list(update, &list);
			update->header.farthest = update->farthest;
		}
		update->header.latest = Min(update->header.farthest, now);
		clear_floor(&update->header);
		write_page(update, &list, RECSYS_PRIOR_UPDATED);
		pfree(list.neighbors);
		pfree(update->items);
	}
	pfree(update);
	pfree(prior);
}

void
RecsysRenewPrior(Relation index, int64 now, bool recounted)
{
	RecsysPrior *prior = palloc(sizeof(RecsysPrior));
	PriorUpdate *update = palloc(sizeof(PriorUpdate));
	RecsysNeighborList list;

	if (begin(update, index, prior))
	{
		consider_all(update);
		select_list(update, &list);
		update->header.farthest = update->farthest;
		update->header.latest = Min(update->farthest, now);
		if (recounted)
			update->header.now = now;
		clear_floor(&update->header);
		write_page(update, &list, RECSYS_PRIOR_EXACT);
		pfree(list.neighbors);
		pfree(update->items);
	}
	pfree(update);
	pfree(prior);
}

RecsysPriorState
RecsysGetPriorState(Relation index, int64 *counted_by, bool *future)
{
	RecsysPrior *prior = palloc(sizeof(RecsysPrior));
	PriorUpdate *update = palloc(sizeof(PriorUpdate));
	RecsysPriorState state = RECSYS_PRIOR_EXACT;

	*counted_by = PG_INT64_MAX;
	*future = false;
	if (begin(update, index, prior))
	{
		state = (RecsysPriorState) update->meta.prior_state;
		*counted_by = update->header.now;
		*future = update->header.farthest > update->header.now;
	}
	pfree(update);
	pfree(prior);
	return state;
}

bool
RecsysPriorReadAll(Relation index, RecsysPriorCheck *check)
{
	PriorUpdate *update = palloc(sizeof(PriorUpdate));
	bool		found = begin(update, index, &check->prior);

	if (found)
	{
		check->meta = update->meta;
		check->header = update->header;
		consider_all(update);
		select_list(update, &check->list);
		check->farthest = update->farthest;
		check->recent = update->totals.recent;
		pfree(update->items);
	}
	pfree(update);
	return found;
}
