/*
 * cooccurrence.c
 *	  Item co-occurrence in memory: one row of the item graph after the other.
 *
 * For row i the histories of all users of item i are added into an array of
 * counters with one place per item (counters.c), from which rowselect.c picks
 * the neighbors.  Nearly all of the time goes into these additions: there are
 * as many as the sum of the squared history lengths, which may be billions.
 * Memory traffic limits them, so everything here is about size:
 *
 * - the histories are read from the matrix's compact copy if there is one;
 * - unweighted counters have 16 bits where the item has few enough users;
 * - where there are split histories (headmatrix.c) the most popular items, which
 *	 get half of the additions, are counted as bits; items go by their ranks then;
 * - a count and a weighted dot product share one 64-bit word if weights are
 *	 small integers (times a power of two): the product goes into the upper,
 *	 the count into the lower bits, and the sum is exact.  Other weights take a
 *	 double and a count, side by side;
 * - the histories of the users to come are fetched into the cache ahead.
 *
 * An item with few users touches few counters.  If looking through all of
 * them would be the larger part of the work, a list of the touched ones is
 * kept.
 */
#include "core/pairs/cooccurrence.h"

#include <math.h>

#include "core/pairs/counters.h"
#include "core/pairs/modeloptions.h"
#include "core/pairs/rowselect.h"
#include "core/pairs/scorebounds.h"
#include "core/pairs/headmatrix.h"
#include "core/pairs/userlists.h"

/* Users between two checks for interrupts: well below a few milliseconds. */
#define USERS_PER_CHECK 64

/* With fewer users the head's counters are touched one by one as well. */
#define MIN_BIT_USERS 4

/* Looking at one counter costs about this part of one update. */
#define SCAN_DISCOUNT 4

typedef enum Counting
{
	COUNT_NARROW,				/* compact or split copy, 16-bit counters */
	COUNT_WIDE,					/* 32-bit counters */
	COUNT_PACKED,				/* compact copy, product and count in a word */
	COUNT_WEIGHTED				/* RecsysWeightedSum */
} Counting;

struct RecsysKernel
{
	const RecsysMatrix *users;
	const RecsysMatrix *items;	/* one of the two tells an item's users */
	const RecsysUserLists *lists;
	const RecsysItemTotals *totals;
	const RecsysModelOptions *options;
	RecsysRowSelector *selector;
	bool		weighted;		/* are dot products wanted? */
	RecsysSuccession *succession;	/* NULL when the order of histories does not matter */
	bool		packable;		/* does COUNT_PACKED apply? */
	int			count_bits;		/* COUNT_PACKED: width of the count */

	/*
	 * Split histories: the rows' items and those counted are ranks, the first nhead of
	 * which are counted in bits.  Otherwise NULL and 0.
	 */
	const RecsysHeadMatrix *split;
	uint32		nhead;
	RecsysMatrix tail;			/* histories of the others, from rank nhead on */
	RecsysItemTotals ranked;	/* totals by rank, as far as they are looked at */

	/* the current row: who has its item, and with which weights, if any */
	const uint32 *row_users;
	const float *row_weights;
	uint64		row_n;
	uint32	   *listed;			/* room for them, where there are lists */

	/* how it is counted */
	Counting	counting;
	bool		touching;		/* is the list of touched items kept? */
	bool		head_counted;	/* are the counters of the head to be looked through? */
	uint32		ntouched;
	uint32	   *touched;

	/* counters, all zero between rows; null where no row uses them */
	uint16	   *narrow;
	uint32	   *counts;
	RecsysWeightedSum *sums;
	uint64	   *words;
};

/* Is a list of the touched counters less work than looking through all of them? */
static inline bool
is_touching(const RecsysItemTotals *totals, uint32 item)
{
	return totals->work[item] < totals->nitems / SCAN_DISCOUNT;
}

static void
choose_counting(RecsysKernel *kernel, uint32 item)
{
	kernel->touching = is_touching(kernel->totals, item);
	kernel->ntouched = 0;
	if (kernel->weighted)
		kernel->counting = kernel->packable && !kernel->touching ? COUNT_PACKED : COUNT_WEIGHTED;
	else if (kernel->narrow != NULL && !kernel->touching &&
			 kernel->totals->users[item] <= PG_UINT16_MAX)
		kernel->counting = COUNT_NARROW;
	else
		kernel->counting = COUNT_WIDE;
}

/* Additions that note what they touch, to counters of split histories */
static void
touch_split(RecsysKernel *kernel, const RecsysCountedUsers *users)
{
	const RecsysHeadMatrix *split = kernel->split;
	uint32		first = kernel->ntouched;

	kernel->ntouched = RecsysCountTouching(kernel->counts + kernel->nhead, NULL, kernel->touched,
										   first, users);
	for (uint32 x = first; x < kernel->ntouched; x++)
		kernel->touched[x] += kernel->nhead;
	for (int block = 0; block < split->nblocks && !kernel->head_counted; block++)
		kernel->ntouched = RecsysTouchBits(RecsysHeadBlock(split, block), users->users, users->n,
										   block * RECSYS_BLOCK_ITEMS, kernel->counts,
										   kernel->touched, kernel->ntouched);
}

/* Whose histories a row is counted from */
static void
find_users(RecsysKernel *kernel, uint32 item)
{
	const RecsysMatrix *items = kernel->items;

	if (kernel->lists != NULL)
	{
		kernel->row_users = kernel->listed;
		kernel->row_n = RecsysUserListsGet(kernel->lists, item, kernel->listed);
		return;
	}
	kernel->row_users = items->columns + items->offsets[item];
	kernel->row_weights = kernel->weighted ? items->weights + items->offsets[item] : NULL;
	kernel->row_n = items->offsets[item + 1] - items->offsets[item];
}

/* The head of a row, unless that is touched */
static void
count_head(RecsysKernel *kernel)
{
	kernel->head_counted = kernel->split != NULL &&
		(!kernel->touching || kernel->row_n >= MIN_BIT_USERS);
	if (!kernel->head_counted)
		return;
	for (int block = 0; block < kernel->split->nblocks; block++)
	{
		CHECK_FOR_INTERRUPTS();
		RecsysCountBits(RecsysHeadBlock(kernel->split, block), kernel->row_users, kernel->row_n,
						kernel->counts + block * RECSYS_BLOCK_ITEMS);
	}
}

static void
count_row(RecsysKernel *kernel, uint32 item)
{
	const RecsysMatrix *histories = kernel->split != NULL ? &kernel->tail : kernel->users;
	RecsysCountedUsers users = {.matrix = histories, .succession = kernel->succession, .item = item};

	find_users(kernel, item);
	count_head(kernel);
	for (uint64 first = 0; first < kernel->row_n; first += USERS_PER_CHECK)
	{
		users.users = kernel->row_users + first;
		users.weights = kernel->weighted ? kernel->row_weights + first : NULL;
		users.n_total = kernel->row_n - first;
		users.n = Min(users.n_total, USERS_PER_CHECK);

		CHECK_FOR_INTERRUPTS();
		if (kernel->touching && kernel->split != NULL)
			touch_split(kernel, &users);
		else if (kernel->touching)
			kernel->ntouched = RecsysCountTouching(kernel->counts, kernel->sums, kernel->touched,
												   kernel->ntouched, &users);
		else if (kernel->counting == COUNT_NARROW)
			RecsysCountNarrow(kernel->narrow + kernel->nhead, &users);
		else if (kernel->counting == COUNT_PACKED)
			RecsysCountPacked(kernel->words, kernel->count_bits, &users);
		else if (kernel->counting == COUNT_WIDE)
			RecsysCountWide(kernel->counts + kernel->nhead, &users);
		else
			RecsysCountWeighted(kernel->sums, &users);
	}
}

/* The counters of the items first .. last - 1; first is a multiple of RECSYS_SELECT_BLOCK */
static void
offer_range(RecsysKernel *kernel, uint32 first, uint32 last, Counting counting)
{
	uint32		min_support = kernel->options->min_support;
	double		unit = ldexp(1.0, -2 * kernel->users->weight_shift);

	for (; first < last; first += RECSYS_SELECT_BLOCK)
	{
		int			n = Min(last - first, RECSYS_SELECT_BLOCK);
		uint32		counts[RECSYS_SELECT_BLOCK];
		double		dots[RECSYS_SELECT_BLOCK];
		uint32		largest;

		switch (counting)
		{
			case COUNT_NARROW:
				largest = RecsysTakeNarrow(kernel->narrow + first, counts, n);
				break;
			case COUNT_PACKED:
				largest = RecsysTakePacked(kernel->words + first, counts, dots, n,
										   kernel->count_bits, unit);
				break;
			case COUNT_WEIGHTED:
				largest = RecsysTakeWeighted(kernel->sums + first, counts, dots, n);
				break;
			default:
				largest = RecsysTakeWide(kernel->counts + first, counts, n);
				break;
		}
		if (largest >= min_support)
			RecsysRowSelectorOffer(kernel->selector, NULL, first, counts,
								   kernel->weighted ? dots : NULL, n);
	}
}

static void
offer_touched(RecsysKernel *kernel)
{
	for (uint32 start = 0; start < kernel->ntouched; start += RECSYS_SELECT_BLOCK)
	{
		const uint32 *touched = kernel->touched + start;
		int			n = Min(kernel->ntouched - start, RECSYS_SELECT_BLOCK);
		uint32		counts[RECSYS_SELECT_BLOCK];
		double		dots[RECSYS_SELECT_BLOCK];

		for (int x = 0; x < n; x++)
		{
			if (kernel->weighted)
			{
				RecsysWeightedSum *sum = &kernel->sums[touched[x]];

				counts[x] = sum->count;
				dots[x] = sum->dot;
				sum->count = 0;
				sum->dot = 0.0;
			}
			else
			{
				counts[x] = kernel->counts[touched[x]];
				kernel->counts[touched[x]] = 0;
			}
		}
		RecsysRowSelectorOffer(kernel->selector, touched, 0, counts,
							   kernel->weighted ? dots : NULL, n);
	}
}

/* Go by the ranks of split histories. */
static void
use_split(RecsysKernel *kernel)
{
	const RecsysHeadMatrix *split = kernel->users->split;
	const RecsysItemTotals *totals = kernel->totals;

	kernel->split = split;
	kernel->nhead = split->nhead;
	kernel->tail.nrows = split->nrows;
	kernel->tail.ncolumns = split->nitems - split->nhead;
	kernel->tail.offsets = split->offsets;
	kernel->tail.narrow = split->narrow;
	kernel->tail.columns = split->wide;

	kernel->ranked.nitems = totals->nitems;
	kernel->ranked.nusers = totals->nusers;
	kernel->ranked.users = recsys_alloc_huge(Max((Size) totals->nitems, 1) * sizeof(uint32));
	for (uint32 rank = 0; rank < totals->nitems; rank++)
		kernel->ranked.users[rank] = totals->users[split->items[rank]];
}

static RecsysKernel *
create(const RecsysMatrix *users, const RecsysItemTotals *totals,
	   const RecsysModelOptions *options)
{
	RecsysKernel *kernel = palloc0(sizeof(RecsysKernel));
	Size		nitems = Max(totals->nitems, 1);

	Assert(users->ncolumns == totals->nitems);
	kernel->users = users;
	kernel->totals = totals;
	kernel->options = options;
	kernel->weighted = RecsysMeasureUsesDots(totals, options);
	if (users->split != NULL && !kernel->weighted)
		use_split(kernel);
	kernel->selector = RecsysRowSelectorCreate(kernel->split != NULL ? &kernel->ranked : totals,
											   options);
	if (kernel->split != NULL)
		RecsysRowSelectorSetNames(kernel->selector, kernel->split->items);
	kernel->touched = recsys_alloc_huge((nitems / SCAN_DISCOUNT + 1) * sizeof(uint32));
	if (kernel->weighted)
	{
		kernel->sums = recsys_alloc_huge_zero(nitems * sizeof(RecsysWeightedSum));
		if (RecsysModelUsesOrder(options))
			kernel->succession = RecsysSuccessionCreate(options);
		kernel->packable = kernel->succession == NULL &&
			RecsysCanPackCounts(users, totals, &kernel->count_bits);
		if (kernel->packable)
			kernel->words = recsys_alloc_huge_zero(nitems * sizeof(uint64));
	}
	else
	{
		/* the last block of the head may reach beyond the items */
		kernel->counts = recsys_alloc_huge_zero((nitems + RECSYS_BLOCK_ITEMS) * sizeof(uint32));
		if (users->narrow != NULL || kernel->split != NULL)
			kernel->narrow = recsys_alloc_huge_zero(nitems * sizeof(uint16));
	}
	return kernel;
}

RecsysKernel *
RecsysKernelCreate(const RecsysMatrix *users, const RecsysMatrix *items,
				   const RecsysItemTotals *totals, const RecsysModelOptions *options)
{
	RecsysKernel *kernel = create(users, totals, options);

	Assert(items->nrows == totals->nitems);
	kernel->items = items;
	return kernel;
}

RecsysKernel *
RecsysKernelCreateByLists(const RecsysMatrix *users, const RecsysUserLists *lists,
						  const RecsysItemTotals *totals, const RecsysModelOptions *options)
{
	RecsysKernel *kernel = create(users, totals, options);

	Assert(kernel->split != NULL && lists->nitems == totals->nitems);
	kernel->lists = lists;
	kernel->listed = recsys_alloc_huge(sizeof(uint32) * Max((Size) lists->most_users, 1));
	return kernel;
}

void
RecsysKernelAnyOrder(RecsysKernel *kernel)
{
	RecsysRowSelectorAnyOrder(kernel->selector);
}

void
RecsysKernelSetFloor(RecsysKernel *kernel, double min_likelihood)
{
	RecsysRowSelectorSetFloor(kernel->selector, min_likelihood);
}

void
RecsysKernelRows(RecsysKernel *kernel, uint32 first, uint32 last,
				 RecsysRowReporter report, void *arg)
{
	const RecsysModelOptions *options = kernel->options;

	for (uint32 item = first; item < last; item++)
	{
		RecsysRowSelectorStart(kernel->selector,
							   kernel->split != NULL ? kernel->split->ranks[item] : item);
		if (RecsysRowIsComputed(kernel->totals, item, options->min_support))
		{
			choose_counting(kernel, item);
			count_row(kernel, item);
			if (kernel->head_counted)
				offer_range(kernel, 0, kernel->nhead, COUNT_WIDE);
			if (kernel->touching)
				offer_touched(kernel);
			else
				offer_range(kernel, kernel->nhead, kernel->totals->nitems, kernel->counting);
		}
		else if (item % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		RecsysRowSelectorFinish(kernel->selector, report, arg);
	}
}

void
RecsysKernelFree(RecsysKernel *kernel)
{
	if (kernel->narrow != NULL)
		pfree(kernel->narrow);
	if (kernel->words != NULL)
		pfree(kernel->words);
	if (kernel->sums != NULL)
		pfree(kernel->sums);
	if (kernel->counts != NULL)
		pfree(kernel->counts);
	if (kernel->succession != NULL)
		RecsysSuccessionFree(kernel->succession);
	if (kernel->listed != NULL)
		pfree(kernel->listed);
	pfree(kernel->touched);
	RecsysRowSelectorFree(kernel->selector);
	if (kernel->split != NULL)
		pfree(kernel->ranked.users);
	pfree(kernel);
}

uint64
RecsysKernelCost(const RecsysItemTotals *totals, uint32 item)
{
	return totals->work[item] +
		(is_touching(totals, item) ? 0 : totals->nitems / SCAN_DISCOUNT) + 1;
}

Size
RecsysCooccurrenceMemory(uint32 nitems, bool weighted)
{
	Size		per_item = sizeof(uint32) / SCAN_DISCOUNT;

	if (weighted)
		per_item += sizeof(RecsysWeightedSum) + sizeof(uint64);
	else
		per_item += 2 * sizeof(uint32) + sizeof(uint16);

	/* with the largest number of neighbors that an index can ask for */
	return sizeof(RecsysKernel) + Max((Size) nitems, 1) * per_item +
		(RECSYS_BLOCK_ITEMS + 1) * sizeof(uint32) +
		RecsysRowSelectorMemory(nitems, RECSYS_MAX_STORED, weighted);
}
