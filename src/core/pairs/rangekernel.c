/*
 * rangekernel.c
 *	  Item co-occurrence in memory, without the whole transpose.
 *
 * The kernel in memory (cooccurrence.c) asks for the users of an item, which the transposed
 * matrix has.  In 32 bits each they take twice the memory of histories in 16.  But they are
 * asked for item by item, and the users of a range of items are found in one pass over the
 * histories, which costs as much as some ten thousand additions to counters for each hundred
 * thousand users.  So there is a transpose of one band of items at a time, as many as the
 * memory has room for.
 *
 * Ranges of rows may be much smaller: the band begins with the first range that is not in the
 * one before.  Somebody else may compute ranges in between, so several kernels that share the
 * rows transpose bands of their own, each all of the histories in the course of time.  With a
 * transpose of each range alone, that look at every history took three times as long.
 *
 * To look for the first item of a band in every history is a good part of a pass.  So the
 * kernel remembers how far it has come in each, as long as that takes a small part of its
 * memory.
 */
#include "core/pairs/rangekernel.h"

/* A transpose has room for this many of the largest item's users. */
#define LEAST_ITEMS 4

/* Places in histories may take this part of the memory: one in so many. */
#define PLACES_FRACTION 8

/* Users between two checks for interrupts */
#define USERS_PER_CHECK 4096

struct RecsysRangeKernel
{
	const RecsysMatrix *users;
	const RecsysItemTotals *totals;
	uint64		room;			/* in entries */
	uint32	   *places;			/* of each user: entries below the end of the last band, or NULL */
	uint32		begun;			/* the band at hand: from here … */
	uint32		reached;		/* … to here */
	RecsysMatrix items;			/* its rows; the others are not there */
	RecsysKernel *kernel;
};

static inline Size
entry_size(bool weighted)
{
	return sizeof(uint32) + (weighted ? sizeof(float) : 0);
}

static uint32
most_users(const RecsysItemTotals *totals)
{
	uint32		most = 1;

	for (uint32 item = 0; item < totals->nitems; item++)
		most = Max(most, totals->users[item]);
	return most;
}

Size
RecsysRangeKernelMemory(uint32 nitems, bool weighted)
{
	return sizeof(RecsysRangeKernel) + sizeof(uint64) * ((Size) nitems + 1) +
		RecsysCooccurrenceMemory(nitems, weighted);
}

Size
RecsysRangeKernelLeast(const RecsysItemTotals *totals, bool weighted)
{
	return LEAST_ITEMS * most_users(totals) * entry_size(weighted);
}

RecsysRangeKernel *
RecsysRangeKernelCreate(const RecsysMatrix *users, const RecsysItemTotals *totals,
						const RecsysModelOptions *options, Size memory)
{
	RecsysRangeKernel *kernel = palloc0(sizeof(RecsysRangeKernel));
	RecsysMatrix *items = &kernel->items;
	bool		weighted = users->weights != NULL;
	Size		places = sizeof(uint32) * (Size) users->nrows;
	uint64		entries = 0;

	for (uint32 item = 0; item < totals->nitems; item++)
		entries += totals->users[item];
	if (users->nrows > 0 && places <= memory / PLACES_FRACTION)
	{
		kernel->places = recsys_alloc_huge_zero(places);
		memory -= places;
	}
	kernel->users = users;
	kernel->totals = totals;
	kernel->room = Max(Min(memory / entry_size(weighted), entries), most_users(totals));

	items->nrows = totals->nitems;
	items->ncolumns = users->nrows;
	items->offsets = recsys_alloc_huge_zero(sizeof(uint64) * ((Size) totals->nitems + 1));
	items->columns = recsys_alloc_huge(sizeof(uint32) * kernel->room);
	if (weighted)
		items->weights = recsys_alloc_huge(sizeof(float) * kernel->room);
	kernel->kernel = RecsysKernelCreate(users, items, totals, options);
	return kernel;
}

static inline bool
is_in_band(const RecsysRangeKernel *kernel, uint32 item)
{
	return item >= kernel->begun && item < kernel->reached;
}

uint32
RecsysRangeKernelEnd(const RecsysRangeKernel *kernel, uint32 first, uint64 cost)
{
	const RecsysItemTotals *totals = kernel->totals;
	uint32		end = is_in_band(kernel, first) ? kernel->reached : totals->nitems;
	uint32		last = first;
	uint64		entries = 0;
	uint64		spent = 0;

	while (last < end && spent < cost)
	{
		entries += totals->users[last];
		if (entries > kernel->room)
			break;
		spent += RecsysKernelCost(totals, last++);
	}
	return last;
}

/* The first entry of a user that is not below an item, with which a band begins */
static inline uint64
first_entry(const RecsysRangeKernel *kernel, uint32 user, uint32 item)
{
	const RecsysMatrix *users = kernel->users;
	uint64		entry = users->offsets[user];
	uint64		end = users->offsets[user + 1];

	if (item == 0)
		return entry;
	if (kernel->places == NULL || item < kernel->reached)
		return RecsysMatrixFind(users, user, item, (double) item / kernel->totals->nitems);
	entry += kernel->places[user];
	while (entry < end && RecsysMatrixColumn(users, entry) < item)
		entry++;
	return entry;
}

/*
 * The users of a band's items.  offsets[item + 1] is the next free place of an item while
 * they are entered, and its end afterwards.
 */
static void
transpose_band(RecsysRangeKernel *kernel, uint32 first, uint32 last)
{
	const RecsysMatrix *users = kernel->users;
	RecsysMatrix *items = &kernel->items;

	items->offsets[first] = 0;
	items->offsets[first + 1] = 0;
	for (uint32 item = first; item + 1 < last; item++)
		items->offsets[item + 2] = items->offsets[item + 1] + kernel->totals->users[item];

	for (uint32 user = 0; user < users->nrows; user++)
	{
		uint64		end = users->offsets[user + 1];
		uint64		entry;

		if (user % USERS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		for (entry = first_entry(kernel, user, first); entry < end; entry++)
		{
			uint32		item = RecsysMatrixColumn(users, entry);
			uint64		place;

			if (item >= last)
				break;
			place = items->offsets[item + 1]++;
			if (place >= kernel->room)
				elog(ERROR, "item %u has more users than were counted", item);
			items->columns[place] = user;
			if (items->weights != NULL)
				items->weights[place] = users->weights[entry];
		}
		if (kernel->places != NULL)
			kernel->places[user] = (uint32) (entry - users->offsets[user]);
	}
	kernel->begun = first;
	kernel->reached = last;
}

void
RecsysRangeKernelRows(RecsysRangeKernel *kernel, uint32 first, uint32 last,
					  RecsysRowReporter report, void *arg)
{
	if (first < last && !(is_in_band(kernel, first) && last <= kernel->reached))
		transpose_band(kernel, first, Max(last, RecsysRangeKernelEnd(kernel, first, PG_UINT64_MAX)));
	RecsysKernelRows(kernel->kernel, first, last, report, arg);
}

void
RecsysRangeKernelFree(RecsysRangeKernel *kernel)
{
	RecsysKernelFree(kernel->kernel);
	if (kernel->places != NULL)
		pfree(kernel->places);
	pfree(kernel->items.offsets);
	pfree(kernel->items.columns);
	if (kernel->items.weights != NULL)
		pfree(kernel->items.weights);
	pfree(kernel);
}
