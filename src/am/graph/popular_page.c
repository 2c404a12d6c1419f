/*
 * popular_page.c
 *	  The popular page: the items with the most users.
 *
 * Like a row of the item graph, the page is a list with a floor: every item that is not
 * on the page ranks behind the floor.  The special space has the floor's users (low) and
 * item number (high); no users means that no item is left out.  When an item on the
 * page sinks below the floor, all items have to be looked at.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "am/graph/graph.h"
#include "am/graph/itemorder.h"
#include "am/graph/popular_page.h"
#include "am/store/meta.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Most users first, then by key; arg is a RecsysItemOrder, or NULL if all numbers are in key order. */
static int
compare_popularity(const void *a, const void *b, void *arg)
{
	const RecsysPopularity *left = a;
	const RecsysPopularity *right = b;

	if (left->users != right->users)
		return left->users > right->users ? -1 : 1;
	if (arg != NULL)
		return RecsysItemOrderCompare(arg, left->item, right->item);
	return left->item < right->item ? -1 : left->item > right->item ? 1 : 0;
}

uint32 *
RecsysReadPopular(Relation index, int *count)
{
	BlockNumber block = RecsysGetCache(index)->meta.popular;
	Buffer		buffer;
	Page		page;
	uint32	   *items;

	*count = 0;
	if (block == InvalidBlockNumber)
		return NULL;

	buffer = RecsysReadPage(index, block, BUFFER_LOCK_SHARE, RECSYS_PAGE_POPULAR);
	page = BufferGetPage(buffer);
	*count = (((PageHeader) page)->pd_lower - MAXALIGN(SizeOfPageHeaderData)) / sizeof(uint32);
	*count = Min(*count, RECSYS_POPULAR_ITEMS);
	items = palloc(sizeof(uint32) * RECSYS_POPULAR_ITEMS);
	memcpy(items, PageGetContents(page), sizeof(uint32) * *count);
	UnlockReleaseBuffer(buffer);
	return items;
}

RecsysPopularity *
RecsysReadAllPopular(Relation index, uint32 *count)
{
	uint32		nitems = RecsysItemCount(index);
	RecsysPopularity *popular = MemoryContextAllocHuge(CurrentMemoryContext,
													   sizeof(RecsysPopularity) * (Size) Max(nitems, 1));
	RecsysItemOrder *order;
	RecsysGraphReader reader;

	*count = 0;
	RecsysGraphReaderInit(&reader, index);
	for (uint32 item = 0; item < nitems; item++)
	{
		RecsysGraphRow row = RecsysGraphReadRow(&reader, item);

		CHECK_FOR_INTERRUPTS();
		if (row == NULL)
			break;
		if (row->users > 0)
		{
			popular[*count].item = item;
			popular[(*count)++].users = row->users;
		}
		RecsysGraphReleaseRow(&reader);
	}
	RecsysGraphReaderDone(&reader);
	order = RecsysItemOrderCreate(index, nitems);
	qsort_arg(popular, *count, sizeof(RecsysPopularity), compare_popularity, order);
	RecsysItemOrderFree(order);
	return popular;
}

/* The page of the first of count items, all of them or no fewer than fit. */
static void
fill_page(Page page, const RecsysPopularity *popular, int count)
{
	int			listed = Min(count, RECSYS_POPULAR_ITEMS);
	bool		full = listed == RECSYS_POPULAR_ITEMS;

	for (int i = 0; i < listed; i++)
		((uint32 *) PageGetContents(page))[i] = popular[i].item;
	((PageHeader) page)->pd_lower = MAXALIGN(SizeOfPageHeaderData) + listed * sizeof(uint32);
	RecsysPageGetOpaque(page)->low = full ? popular[listed - 1].users : 0;
	RecsysPageGetOpaque(page)->high = full ? popular[listed - 1].item : 0;
}

BlockNumber
RecsysWritePopular(Relation index, ForkNumber fork, const uint32 *users, uint32 nitems)
{
	PGAlignedBlock image;
	Page		page = (Page) image.data;
	RecsysPopularity *popular = palloc(sizeof(RecsysPopularity) * RECSYS_POPULAR_ITEMS * 2);
	int			count = 0;
	uint32		fewest = 1;		/* users an item needs to be considered */
	BlockNumber block;

	/* keep the best half of a buffer twice as large as the page */
	for (uint32 item = 0; item < nitems; item++)
	{
		if (users[item] < fewest)
			continue;
		popular[count].item = item;
		popular[count++].users = users[item];
		if (count == RECSYS_POPULAR_ITEMS * 2)
		{
			qsort_arg(popular, count, sizeof(RecsysPopularity), compare_popularity, NULL);
			count = RECSYS_POPULAR_ITEMS;

			/* an equal one with a higher number cannot enter any more */
			fewest = popular[count - 1].users + 1;
		}
	}
	qsort_arg(popular, count, sizeof(RecsysPopularity), compare_popularity, NULL);

	RecsysPageInit(page, RECSYS_PAGE_POPULAR, RECSYS_ITEMS);
	fill_page(page, popular, count);
	block = RecsysAppendPage(index, fork, page);
	pfree(popular);
	return block;
}

/* Adds an item, if it has users. */
static void
consider(RecsysGraphReader *reader, uint32 item, RecsysPopularity *popular, int *count)
{
	RecsysGraphRow row = RecsysGraphReadRow(reader, item);

	if (row == NULL)
		return;
	if (row->users > 0)
	{
		popular[*count].item = item;
		popular[(*count)++].users = row->users;
	}
	RecsysGraphReleaseRow(reader);
}

void
RecsysUpdatePopular(Relation index, const uint32 *items, uint32 nitems)
{
	BlockNumber block = RecsysGetCache(index)->meta.popular;
	RecsysGraphReader reader;
	RecsysPopularity *popular;
	RecsysPopularity floor;
	RecsysItemOrder *order;
	uint32	   *listed;
	Buffer		buffer;
	GenericXLogState *state;
	int			nlisted;
	int			count = 0;

	if (block == InvalidBlockNumber)
		return;
	buffer = RecsysReadPage(index, block, BUFFER_LOCK_SHARE, RECSYS_PAGE_POPULAR);
	floor.users = RecsysPageGetOpaque(BufferGetPage(buffer))->low;
	floor.item = RecsysPageGetOpaque(BufferGetPage(buffer))->high;
	UnlockReleaseBuffer(buffer);

	listed = RecsysReadPopular(index, &nlisted);
	popular = palloc_extended(sizeof(RecsysPopularity) * ((Size) nlisted + nitems + 1),
							  MCXT_ALLOC_HUGE);
	RecsysGraphReaderInit(&reader, index);
	for (int i = 0; i < nlisted; i++)
		consider(&reader, listed[i], popular, &count);
	qsort(listed, nlisted, sizeof(uint32), RecsysCompareItemNumbers);
	for (uint32 i = 0; i < nitems; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (bsearch(&items[i], listed, nlisted, sizeof(uint32), RecsysCompareItemNumbers) == NULL)
			consider(&reader, items[i], popular, &count);
	}
	RecsysGraphReaderDone(&reader);
	order = RecsysItemOrderCreate(index, RecsysItemCount(index));
	qsort_arg(popular, count, sizeof(RecsysPopularity), compare_popularity, order);

	/* items that are neither listed nor changed may belong in between */
	if (floor.users > 0 &&
		(count < RECSYS_POPULAR_ITEMS ||
		 compare_popularity(&popular[RECSYS_POPULAR_ITEMS - 1], &floor, order) > 0))
	{
		uint32		all;

		pfree(popular);
		popular = RecsysReadAllPopular(index, &all);
		count = (int) Min(all, RECSYS_POPULAR_ITEMS);
	}
	RecsysItemOrderFree(order);

	buffer = RecsysReadPage(index, block, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_POPULAR);
	state = GenericXLogStart(index);
	fill_page(GenericXLogRegisterBuffer(state, buffer, 0), popular, count);
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
	pfree(popular);
	pfree(listed);
}
