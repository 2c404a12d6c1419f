/*
 * basketstore.c
 *	  Baskets gathered once, to be read several times by the mining kernel.
 *
 * A basket is stored as its number of items, its items in any order and, on request,
 * the sum of its weights.  Baskets stand one after the other in chunks.  When the
 * chunks would exceed the memory limit they are written to a temporary file as they
 * are; the kernel may read it several times.  A parallel worker hands its chunks over
 * to the leader's store.
 */
#include "postgres.h"

#include <math.h>

#include "core/base/largepages.h"
#include "core/base/platform.h"
#include "core/rows/exactsum.h"
#include "miscadmin.h"
#include "source/basket/basketstore.h"
#include "source/input/tempfile.h"

/* Words of 32 bits of a chunk, from the first ones to later ones, unless a basket takes more */
#define MIN_CHUNK_WORDS 16384
#define MAX_CHUNK_WORDS 262144

/* A sum of weights as it is stored: what a RecsysDecimal consists of */
#define WEIGHT_WORDS 5

typedef struct Chunk
{
	struct Chunk *next;
	uint32		size;			/* words that it has space for */
	uint32		used;
	uint32		nbaskets;
	uint32		words[FLEXIBLE_ARRAY_MEMBER];
} Chunk;

struct RecsysBasketStore
{
	MemoryContext context;
	uint32		nitems;
	int			max_basket;
	const RecsysKeyOrder *order;
	bool		weighted;
	Size		limit;
	uint64		nbaskets;

	/* a basket that needs folding */
	RecsysHistoryItem *history;
	Size		room;			/* in history */

	/* to see whether an item is there twice: the last basket that each item was in */
	uint32	   *stamps;
	uint32		stamp;

	Chunk	   *first;
	Chunk	   *last;
	uint32		longest;		/* most items of a basket */
	Size		memory;			/* of all chunks */
	BufFile    *file;			/* what is not in the chunks any more, or NULL */

	/* reading */
	Chunk	   *chunk;			/* in memory */
	uint32		place;
	uint32	   *words;			/* on disk: the basket at hand */
};

RecsysBasketStore *
RecsysBasketStoreCreate(uint32 nitems, int max_basket, const RecsysKeyOrder *order,
						bool weighted, Size memory_limit)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys baskets",
												  ALLOCSET_DEFAULT_SIZES);
	RecsysBasketStore *store = MemoryContextAllocZero(context, sizeof(RecsysBasketStore));

	store->context = context;
	store->nitems = nitems;
	store->max_basket = max_basket;
	store->order = order;
	store->weighted = weighted;
	store->limit = memory_limit;
	store->stamps = MemoryContextAllocExtended(context, sizeof(uint32) * (Size) Max(nitems, 1),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	return store;
}

/* Words that a basket of so many items takes */
static inline uint32
basket_words(const RecsysBasketStore *store, uint32 count)
{
	return 1 + count + (store->weighted ? WEIGHT_WORDS : 0);
}

static void
put_weight(uint32 *words, const RecsysExactSum *sum)
{
	RecsysDecimal weight = RecsysExactSumDecimal(sum);

	memcpy(words, &weight.digits, sizeof(weight.digits));
	memcpy(words + 2, &weight.more, sizeof(weight.more));
	memcpy(words + 4, &weight.exponent, sizeof(weight.exponent));
}

static void
get_weight(const uint32 *words, RecsysDecimal *weight)
{
	memcpy(&weight->digits, words, sizeof(weight->digits));
	memcpy(&weight->more, words + 2, sizeof(weight->more));
	memcpy(&weight->exponent, words + 4, sizeof(weight->exponent));
}

static bool
next_in_memory(void *arg, const uint32 **items, uint32 *count, RecsysDecimal *weight)
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
		get_weight(words + 1 + *count, weight);
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
next_on_disk(void *arg, const uint32 **items, uint32 *count, RecsysDecimal *weight)
{
	RecsysBasketStore *store = arg;

	CHECK_FOR_INTERRUPTS();
	if (!RecsysTempFileReadCount(store->file, count, store->longest))
		return false;
	RecsysTempFileRead(store->file, store->words,
					   sizeof(uint32) * (basket_words(store, *count) - 1));
	*items = store->words;
	if (store->weighted && weight != NULL)
		get_weight(store->words + *count, weight);
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

/* Room for so many words at the end of the last chunk. */
static uint32 *
reserve(RecsysBasketStore *store, uint32 words)
{
	if (store->last == NULL || store->last->used + words > store->last->size)
	{
		uint32		size = Min(Max(store->memory / sizeof(uint32), MIN_CHUNK_WORDS), MAX_CHUNK_WORDS);
		Chunk	   *chunk;

		size = Max(size, words);

		if (store->memory + sizeof(uint32) * (Size) size > store->limit)
			write_chunks(store);
		chunk = MemoryContextAllocHuge(store->context,
									   offsetof(Chunk, words) + sizeof(uint32) * (Size) size);

		chunk->next = NULL;
		chunk->size = size;
		chunk->used = chunk->nbaskets = 0;
		if (store->last != NULL)
		{
			/* this one will be filled, too */
			RecsysMapPages(chunk, offsetof(Chunk, words) + sizeof(uint32) * (Size) size);
			store->last->next = chunk;
		}
		else
			store->first = chunk;
		store->last = chunk;
		store->memory += offsetof(Chunk, words) + sizeof(uint32) * (Size) size;
	}
	return store->last->words + store->last->used;
}

/* What stands in the reserved words is a basket of so many items. */
static void
settle(RecsysBasketStore *store, uint32 count)
{
	store->last->words[store->last->used] = count;
	store->last->used += basket_words(store, count);
	store->last->nbaskets++;
	store->longest = Max(store->longest, count);
	store->nbaskets++;
}

/* The next basket is to be looked at, of whose items none has its stamp yet. */
static void
next_stamp(RecsysBasketStore *store)
{
	if (++store->stamp != 0)
		return;
	memset(store->stamps, 0, sizeof(uint32) * (Size) store->nitems);
	store->stamp = 1;
}

/* What is left of a basket by folding; its weight is that of all rows with these items. */
static void
append_folded(RecsysBasketStore *store, const RecsysInteraction *interactions, int ninteractions,
			  int count)
{
	uint32	   *place = reserve(store, basket_words(store, count)) + 1;
	RecsysExactSum sum;

	next_stamp(store);
	for (int i = 0; i < count; i++)
	{
		*place++ = store->history[i].item;
		store->stamps[store->history[i].item] = store->stamp;
	}
	if (store->weighted)
	{
		RecsysExactSumInit(&sum);
		for (int i = 0; i < ninteractions; i++)
			if (store->stamps[interactions[i].item] == store->stamp && isfinite(interactions[i].weight))
				RecsysExactSumAdd(&sum, interactions[i].weight);
		put_weight(place, &sum);
	}
	settle(store, count);
}

/*
 * Most baskets need no folding: every item is there once (or several times, where
 * weights do not matter), every weight is evidence, and there are not too many items.
 * Adds such a basket; returns false and does nothing if it is not one.
 */
static bool
append_plain(RecsysBasketStore *store, const RecsysInteraction *interactions, int count)
{
	uint32	   *items = reserve(store, basket_words(store, count)) + 1;
	uint32		n = 0;
	RecsysExactSum sum;

	next_stamp(store);
	RecsysExactSumInit(&sum);
	for (int i = 0; i < count; i++)
	{
		uint32		item = interactions[i].item;

		/* an index may have got items since it was asked how many there are */
		if (item >= store->nitems)
			continue;
		if (!(interactions[i].weight > 0.0 && isfinite(interactions[i].weight)))
			return false;
		if (store->stamps[item] == store->stamp)
		{
			if (store->weighted)
				return false;
			continue;
		}
		store->stamps[item] = store->stamp;
		items[n++] = item;
		if (store->weighted)
			RecsysExactSumAdd(&sum, interactions[i].weight);
	}
	if (n > (uint32) Max(store->max_basket, 0))
		return false;
	if (n > 0)
	{
		if (store->weighted)
			put_weight(items + n, &sum);
		settle(store, n);
	}
	return true;
}

void
RecsysBasketStoreAdd(RecsysBasketStore *store, RecsysInteraction *interactions, int count)
{
	RecsysFolding folding = {.max_history = store->max_basket,
		.transform = RECSYS_TRANSFORM_NONE, .order = store->order};
	MemoryContext old;
	int			ninteractions = 0;
	int			kept;

	if (count == 0 || append_plain(store, interactions, count))
		return;

	for (int i = 0; i < count; i++)
		if (interactions[i].item < store->nitems)
			interactions[ninteractions++] = interactions[i];
	if (ninteractions == 0)
		return;

	old = MemoryContextSwitchTo(store->context);
	if ((Size) ninteractions > store->room)
	{
		if (store->history != NULL)
			pfree(store->history);
		store->room = Max((Size) ninteractions, store->room * 2);
		store->history = recsys_alloc_huge(sizeof(RecsysHistoryItem) * store->room);
	}
	kept = RecsysHistoryFold(interactions, ninteractions, &folding, store->history, NULL);
	if (kept > 0)
		append_folded(store, interactions, ninteractions, kept);
	MemoryContextSwitchTo(old);
}

void
RecsysBasketStoreHandOver(RecsysBasketStore *store, RecsysPackedReceiver receive, void *arg)
{
	RecsysPackedBaskets packed = {0};

	packed.last = true;
	packed.longest = store->longest;
	if (store->first == NULL)
		receive(arg, &packed);
	for (Chunk *chunk = store->first; chunk != NULL; chunk = chunk->next)
	{
		packed.words = chunk->words;
		packed.nwords = chunk->used;
		packed.nbaskets = chunk->nbaskets;
		packed.last = chunk->next == NULL;
		receive(arg, &packed);
	}
	while (store->first != NULL && store->first != store->last)
	{
		Chunk	   *next = store->first->next;

		store->memory -= offsetof(Chunk, words) + sizeof(uint32) * (Size) store->first->size;
		pfree(store->first);
		store->first = next;
	}
	if (store->last != NULL)
		store->last->used = store->last->nbaskets = 0;
	store->nbaskets = 0;
}

void
RecsysBasketStoreAddPacked(RecsysBasketStore *store, const RecsysPackedBaskets *packed)
{
	if (packed->nwords == 0)
		return;
	memcpy(reserve(store, packed->nwords), packed->words, sizeof(uint32) * (Size) packed->nwords);
	store->last->used += packed->nwords;
	store->last->nbaskets += packed->nbaskets;
	store->longest = Max(store->longest, packed->longest);
	store->nbaskets += packed->nbaskets;
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
											  sizeof(uint32) * ((Size) store->longest + 1 + WEIGHT_WORDS));
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
	return store->memory + sizeof(RecsysHistoryItem) * store->room +
		sizeof(uint32) * (Size) store->nitems;
}

void
RecsysBasketStoreFree(RecsysBasketStore *store)
{
	if (store->file != NULL)
		BufFileClose(store->file);
	MemoryContextDelete(store->context);
}
