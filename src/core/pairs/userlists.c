/*
 * userlists.c
 *	  The users of each item, in blocks of users, which several processes make together.
 *
 * A transposition of the whole matrix writes to as many places as there are items, all over tens
 * of megabytes, and where a list begins depends on all users.  With lists of their own blocks do
 * not depend on each other, and what is written to at a time fits the cache.
 *
 * The histories are in the memory of one process.  It copies them, as ranks, to memory that all
 * see (headmatrix.c), and the others begin with a block as soon as it is there.  The place is the
 * one of the block's lists, which have as many entries that are no wider: lists are made in
 * private memory and copied over.
 *
 * Ranks are what is counted, so that the counters that are used most share few cache lines; lists
 * stand in the order of items, in which they are asked for.
 */
#include "core/pairs/userlists.h"

#include "core/base/largepages.h"

/* So that there is something for everybody to do, and the lists of a block fit the cache */
#define MIN_BLOCKS 16

/* But the lists of few users are short, and each block takes a look. */
#define MIN_BLOCK_USERS 1024

#define MAX_BLOCK_USERS 65536

#define ALIGNED(size) (((size) + 63) & ~(Size) 63)

struct RecsysListMaker
{
	uint32	   *places;			/* by rank: how many users, then the next free place */
	uint16	   *users;			/* the lists of a block */
};

/* Bytes of an entry: ranks of many items do not fit 16 bits. */
static inline Size
entry_width(const RecsysUserLists *lists)
{
	return lists->nitems <= RECSYS_COMPACT_COLUMNS ? sizeof(uint16) : sizeof(uint32);
}

static uint32
count_blocks(const RecsysUserLists *lists)
{
	return lists->nusers / lists->block_users + (lists->nusers % lists->block_users > 0);
}

/* Users first .. last - 1 of a block */
static void
users_of_block(const RecsysUserLists *lists, uint32 block, uint32 *first, uint32 *last)
{
	*first = block * lists->block_users;
	*last = (uint32) Min((uint64) *first + lists->block_users, lists->nusers);
}

/* Entries of the largest block */
static uint64
most_entries(const RecsysUserLists *lists, const RecsysMatrix *matrix)
{
	uint64		most = 0;

	for (uint32 block = 0; block < count_blocks(lists); block++)
	{
		uint32		first;
		uint32		last;

		users_of_block(lists, block, &first, &last);
		most = Max(most, matrix->offsets[last] - matrix->offsets[first]);
	}
	return most;
}

void
RecsysUserListsShape(RecsysUserLists *lists, const RecsysMatrix *matrix,
					 const RecsysItemTotals *totals)
{
	memset(lists, 0, sizeof(RecsysUserLists));
	lists->nitems = totals->nitems;
	lists->nusers = matrix->nrows;
	lists->nentries = matrix->offsets[matrix->nrows];
	lists->block_users = Min(Max(matrix->nrows / MIN_BLOCKS + 1, MIN_BLOCK_USERS), MAX_BLOCK_USERS);
	/* offsets have 32 bits */
	while ((lists->most_entries = most_entries(lists, matrix)) > PG_UINT32_MAX)
		lists->block_users /= 2;
	lists->nblocks = count_blocks(lists);
	for (uint32 item = 0; item < totals->nitems; item++)
		lists->most_users = Max(lists->most_users, totals->users[item]);
}

static Size
lay_out(RecsysUserLists *lists, char *memory)
{
	Size		histories = ALIGNED(sizeof(uint64) * ((Size) lists->nusers + 1));
	Size		offsets = ALIGNED(sizeof(uint32) * ((Size) lists->nitems + 1) * lists->nblocks);

	if (memory != NULL)
	{
		lists->histories = (uint64 *) memory;
		lists->offsets = (uint32 *) (memory + histories);
		lists->entries = memory + histories + offsets;
	}
	return histories + offsets + entry_width(lists) * lists->nentries;
}

Size
RecsysUserListsSize(const RecsysUserLists *lists)
{
	RecsysUserLists copy = *lists;

	return lay_out(&copy, NULL);
}

void
RecsysUserListsPlace(RecsysUserLists *lists, void *memory)
{
	(void) lay_out(lists, memory);
}

/* The place of a block's entries */
static inline char *
block_entries(const RecsysUserLists *lists, uint32 block)
{
	return lists->entries + lists->histories[block * lists->block_users] * entry_width(lists);
}

void
RecsysUserListsStage(RecsysUserLists *lists, RecsysHeadMatrix *split, const RecsysMatrix *matrix,
					 uint32 block)
{
	uint32		first;
	uint32		last;

	users_of_block(lists, block, &first, &last);
	memcpy(lists->histories + first, matrix->offsets + first,
		   sizeof(uint64) * ((Size) last - first + 1));
	RecsysMapPages(block_entries(lists, block),
				   entry_width(lists) * (matrix->offsets[last] - matrix->offsets[first]));
	RecsysHeadStage(split, matrix, first, last, block_entries(lists, block));
}

RecsysListMaker *
RecsysListMakerCreate(const RecsysUserLists *lists)
{
	RecsysListMaker *maker = palloc(sizeof(RecsysListMaker));

	maker->places = recsys_alloc_huge(sizeof(uint32) * Max((Size) lists->nitems, 1));
	maker->users = recsys_alloc_huge(sizeof(uint16) * Max(lists->most_entries, 1));
	return maker;
}

void
RecsysListMakerFree(RecsysListMaker *maker)
{
	pfree(maker->places);
	pfree(maker->users);
	pfree(maker);
}

Size
RecsysListMakerMemory(const RecsysUserLists *lists)
{
	return sizeof(RecsysListMaker) + sizeof(uint32) * Max((Size) lists->nitems, 1) +
		sizeof(uint16) * Max(lists->most_entries, 1);
}

/* staged is an array of numbers of that type; places are those of the maker */
#define COUNT_RANKS(type) \
	do { \
		const type *ranks = (const type *) staged; \
		\
		for (uint64 x = 0; x < n; x++) \
			places[ranks[x]]++; \
	} while (0)

#define SCATTER_USERS(type) \
	do { \
		const type *ranks = (const type *) staged; \
		\
		for (uint32 user = first; user < last; user++) \
		{ \
			const type *end = (const type *) staged + (histories[user + 1] - histories[first]); \
			\
			while (ranks < end) \
				users[places[*ranks++]++] = (uint16) (user - first); \
		} \
	} while (0)

/* The lists of a block, in the maker's memory */
static void
make_lists(RecsysUserLists *lists, const uint32 *item_ranks, RecsysListMaker *maker, uint32 block,
		   const char *staged)
{
	const uint64 *histories = lists->histories;
	uint32	   *offsets = lists->offsets + ((Size) lists->nitems + 1) * block;
	uint32	   *places = maker->places;
	uint16	   *users = maker->users;
	bool		narrow = entry_width(lists) == sizeof(uint16);
	uint32		begin = 0;
	uint32		first;
	uint32		last;
	uint64		n;

	users_of_block(lists, block, &first, &last);
	n = histories[last] - histories[first];
	memset(places, 0, sizeof(uint32) * lists->nitems);
	if (narrow)
		COUNT_RANKS(uint16);
	else
		COUNT_RANKS(uint32);

	RecsysMapPages(offsets, sizeof(uint32) * ((Size) lists->nitems + 1));
	for (uint32 item = 0; item < lists->nitems; item++)
	{
		uint32	   *place = &places[item_ranks[item]];
		uint32		count = *place;

		offsets[item] = *place = begin;
		begin += count;
	}
	offsets[lists->nitems] = begin;

	if (narrow)
		SCATTER_USERS(uint16);
	else
		SCATTER_USERS(uint32);
}

void
RecsysUserListsMake(RecsysUserLists *lists, RecsysHeadMatrix *split, RecsysListMaker *maker,
					uint32 block)
{
	char	   *staged = block_entries(lists, block);
	uint32		first;
	uint32		last;

	Assert(RecsysHeadStagesNarrow(split) == (entry_width(lists) == sizeof(uint16)));
	users_of_block(lists, block, &first, &last);
	RecsysHeadMapPages(split, first, last);
	RecsysHeadFill(split, lists->histories, first, last, staged);
	CHECK_FOR_INTERRUPTS();
	make_lists(lists, split->ranks, maker, block, staged);
	memcpy(staged, maker->users,
		   sizeof(uint16) * (lists->histories[last] - lists->histories[first]));
}

uint32
RecsysUserListsGet(const RecsysUserLists *lists, uint32 item, uint32 *users)
{
	uint32		n = 0;

	for (uint32 block = 0; block < lists->nblocks; block++)
	{
		const uint32 *offsets = lists->offsets + ((Size) lists->nitems + 1) * block;
		const uint16 *place = (const uint16 *) block_entries(lists, block) + offsets[item];
		uint32		count = offsets[item + 1] - offsets[item];
		uint32		first = block * lists->block_users;

		for (uint32 x = 0; x < count; x++)
			users[n + x] = first + place[x];
		n += count;
	}
	return n;
}
