/*
 * basketstore.c
 *	  Baskets gathered once, to be read several times by the mining kernel.
 *
 * A basket is its number of items, its items and, if they are wanted, the sum of
 * its weights, one after the other in chunks.  When they would pass the limit, the
 * chunks go to a temporary file as they are, which is read as often as the kernel
 * asks.
 */
#include "postgres.h"

#include "core/platform.h"
#include "miscadmin.h"
#include "source/basketstore.h"
#include "source/tempfile.h"

/* Words of 32 bits of a chunk, unless a single basket takes more */
#define CHUNK_WORDS 65536

typedef struct Chunk
{
	struct Chunk *next;
	uint32		used;
	uint32		words[FLEXIBLE_ARRAY_MEMBER];
} Chunk;

struct RecsysBasketStore
{
	MemoryContext context;
	uint32		nitems;
	int			max_basket;
	bool		weighted;
	Size		limit;
	uint64		nbaskets;

	/* the basket at hand, folded */
	RecsysHistoryItem *history;
	Size		room;			/* in history */

	Chunk	   *first;
	Chunk	   *last;
	uint32		last_words;		/* that the last chunk has space for */
	Size		memory;			/* of all chunks */
	BufFile    *file;			/* what is not in the chunks any more, or NULL */

	/* reading */
	Chunk	   *chunk;			/* in memory */
	uint32		place;
	uint32	   *words;			/* on disk: the basket at hand */
};

RecsysBasketStore *
RecsysBasketStoreCreate(uint32 nitems, int max_basket, bool weighted, Size memory_limit)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys baskets",
												  ALLOCSET_DEFAULT_SIZES);
	RecsysBasketStore *store = MemoryContextAllocZero(context, sizeof(RecsysBasketStore));

	store->context = context;
	store->nitems = nitems;
	store->max_basket = max_basket;
	store->weighted = weighted;
	store->limit = memory_limit;
	return store;
}

/* Words that a basket of so many items takes */
static inline uint32
basket_words(const RecsysBasketStore *store, uint32 count)
{
	return 1 + count + (store->weighted ? sizeof(double) / sizeof(uint32) : 0);
}

static bool
next_in_memory(void *arg, const uint32 **items, uint32 *count, double *weight)
{
	RecsysBasketStore *store = arg;
	const uint32 *words;

	while (store->chunk != NULL && store->place == store->chunk->used)
	{
		CHECK_FOR_INTERRUPTS();
		store->chunk = store->chunk->next;
		store->place = 0;
	}
	if (store->chunk == NULL)
		return false;
	words = store->chunk->words + store->place;
	*count = words[0];
	*items = words + 1;
	if (store->weighted && weight != NULL)
		memcpy(weight, words + 1 + *count, sizeof(double));
	store->place += basket_words(store, *count);
	return true;
}

static void
rewind_in_memory(void *arg)
{
	RecsysBasketStore *store = arg;

	store->chunk = store->first;
	store->place = 0;
}

static bool
next_on_disk(void *arg, const uint32 **items, uint32 *count, double *weight)
{
	RecsysBasketStore *store = arg;

	CHECK_FOR_INTERRUPTS();
	if (!RecsysTempFileReadCount(store->file, count, (uint32) Min(store->room, PG_UINT32_MAX)))
		return false;
	RecsysTempFileRead(store->file, store->words,
					   sizeof(uint32) * (basket_words(store, *count) - 1));
	*items = store->words;
	if (store->weighted && weight != NULL)
		memcpy(weight, store->words + *count, sizeof(double));
	return true;
}

static void
rewind_on_disk(void *arg)
{
	RecsysBasketStore *store = arg;

	RecsysTempFileRewind(store->file);
}

/* All chunks to the end of the file. */
static void
write_chunks(RecsysBasketStore *store)
{
	if (store->file == NULL)
		store->file = BufFileCreateTemp(false);
	while (store->first != NULL)
	{
		Chunk	   *next = store->first->next;

		CHECK_FOR_INTERRUPTS();
		BufFileWrite(store->file, store->first->words, sizeof(uint32) * store->first->used);
		pfree(store->first);
		store->first = next;
	}
	store->last = NULL;
	store->memory = 0;
}

static void
append(RecsysBasketStore *store, int count)
{
	uint32		words = basket_words(store, count);
	uint32	   *place;

	if (store->last == NULL || store->last->used + words > store->last_words)
	{
		uint32		size = Max(words, CHUNK_WORDS);
		Chunk	   *chunk;

		if (store->memory + sizeof(uint32) * (Size) size > store->limit)
			write_chunks(store);
		chunk = recsys_alloc_huge(offsetof(Chunk, words) + sizeof(uint32) * (Size) size);

		chunk->next = NULL;
		chunk->used = 0;
		if (store->last != NULL)
			store->last->next = chunk;
		else
			store->first = chunk;
		store->last = chunk;
		store->last_words = size;
		store->memory += offsetof(Chunk, words) + sizeof(uint32) * (Size) size;
	}
	place = store->last->words + store->last->used;
	*place++ = count;
	for (int i = 0; i < count; i++)
		*place++ = store->history[i].item;
	if (store->weighted)
	{
		double		weight = 0;

		for (int i = 0; i < count; i++)
			weight += store->history[i].weight;
		memcpy(place, &weight, sizeof(double));
	}
	store->last->used += words;
}

void
RecsysBasketStoreAdd(RecsysBasketStore *store, RecsysInteraction *interactions, int count)
{
	MemoryContext old;
	int			kept = 0;

	/* an index may have got items since it was asked how many there are */
	for (int i = 0; i < count; i++)
		if (interactions[i].item < store->nitems)
			interactions[kept++] = interactions[i];
	if (kept == 0)
		return;

	old = MemoryContextSwitchTo(store->context);
	if ((Size) kept > store->room)
	{
		if (store->history != NULL)
			pfree(store->history);
		store->room = Max((Size) kept, store->room * 2);
		store->history = recsys_alloc_huge(sizeof(RecsysHistoryItem) * store->room);
	}
	kept = RecsysHistoryFold(interactions, kept, store->max_basket, store->history, NULL);
	if (kept > 0)
	{
		store->nbaskets++;
		append(store, kept);
	}
	MemoryContextSwitchTo(old);
}

void
RecsysBasketStoreFinish(RecsysBasketStore *store, RecsysBaskets *baskets)
{
	memset(baskets, 0, sizeof(*baskets));
	baskets->nitems = store->nitems;
	baskets->weighted = store->weighted;
	baskets->arg = store;
	if (store->file != NULL)
	{
		write_chunks(store);
		store->words = MemoryContextAllocHuge(store->context,
											  sizeof(uint32) * ((Size) store->room + 3));
		baskets->next = next_on_disk;
		baskets->rewind = rewind_on_disk;
		ereport(DEBUG1,
				(errmsg_internal("recsys: " UINT64_FORMAT " baskets do not fit in memory, reading them from disk",
								 store->nbaskets)));
	}
	else
	{
		baskets->next = next_in_memory;
		baskets->rewind = rewind_in_memory;
	}
}

uint64
RecsysBasketStoreCount(const RecsysBasketStore *store)
{
	return store->nbaskets;
}

Size
RecsysBasketStoreMemory(const RecsysBasketStore *store)
{
	return store->memory + sizeof(RecsysHistoryItem) * store->room;
}

void
RecsysBasketStoreFree(RecsysBasketStore *store)
{
	if (store->file != NULL)
		BufFileClose(store->file);
	MemoryContextDelete(store->context);
}
