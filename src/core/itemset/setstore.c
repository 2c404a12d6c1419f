/*
 * setstore.c
 *	  Item sets with their supports, found again by their items.
 *
 * Sets are appended to chunks, which never move, and an open-addressing table
 * refers to them: a slot holds some bits of the set's hash and the place of the
 * set plus one.  The hash of a set is the sum of a fixed random number for each
 * item, so it depends on no order and costs one addition an item.  A set that
 * looks right by its hash is compared item by item: chance decides nothing.
 */
#include "core/itemset/setstore.h"

#include "core/base/random.h"

#define CHUNK_BITS 18			/* words of a chunk, as a power of two: 1 MB */
#define CHUNK_WORDS ((uint32) 1 << CHUNK_BITS)

#define PLACE_BITS 40			/* of a slot: where the set is, plus one */
#define PLACE_MASK ((UINT64CONST(1) << PLACE_BITS) - 1)
#define MAX_CHUNKS ((uint32) 1 << (PLACE_BITS - CHUNK_BITS))

#define INITIAL_SLOTS 1024
#define INITIAL_CHUNKS 16

/* Words of a set before its items */
#define HEADER_WORDS (offsetof(RecsysStoredSet, items) / sizeof(uint32))

/* Sets between two checks for interrupts while the table grows */
#define SETS_PER_CHECK 100000

struct RecsysSetStore
{
	bool		weighted;
	Size		limit;
	Size		memory;
	uint64	   *hashes;			/* of each item */
	uint64		count;
	uint64		nslots;			/* a power of two */
	uint64	   *slots;
	uint32	  **chunks;
	uint32		nchunks;
	uint32		maxchunks;
	uint32		used;			/* words of the last chunk */
	uint32	   *lengths;		/* words used of each chunk before the last */
};

static inline uint64
hash_items(const RecsysSetStore *store, const uint32 *items, uint32 length)
{
	uint64		hash = 0;

	for (uint32 i = 0; i < length; i++)
		hash += store->hashes[items[i]];
	return hash;
}

static inline uint64
first_slot(const RecsysSetStore *store, uint64 hash)
{
	return hash & (store->nslots - 1);
}

static inline uint64
slot_tag(uint64 hash)
{
	return hash >> PLACE_BITS << PLACE_BITS;
}

static inline RecsysStoredSet *
set_at(const RecsysSetStore *store, uint64 place)
{
	return (RecsysStoredSet *) (store->chunks[place >> CHUNK_BITS] + (place & (CHUNK_WORDS - 1)));
}

RecsysSetStore *
RecsysSetStoreCreate(uint32 nitems, bool weighted, Size memory_limit)
{
	RecsysSetStore *store = palloc0(sizeof(RecsysSetStore));

	store->weighted = weighted;
	store->limit = memory_limit;
	store->hashes = recsys_alloc_huge(sizeof(uint64) * (Size) Max(nitems, 1));
	for (uint32 item = 0; item < nitems; item++)
		store->hashes[item] = RecsysRandomAt(item, 0);
	store->nslots = INITIAL_SLOTS;
	store->slots = recsys_alloc_huge_zero(sizeof(uint64) * store->nslots);
	store->maxchunks = INITIAL_CHUNKS;
	store->chunks = palloc(sizeof(uint32 *) * store->maxchunks);
	store->lengths = palloc(sizeof(uint32) * store->maxchunks);
	store->memory = sizeof(uint64) * ((Size) nitems + store->nslots);
	return store;
}

void
RecsysSetStoreFree(RecsysSetStore *store)
{
	for (uint32 i = 0; i < store->nchunks; i++)
		pfree(store->chunks[i]);
	pfree(store->chunks);
	pfree(store->lengths);
	pfree(store->slots);
	pfree(store->hashes);
	pfree(store);
}

static void
enter(RecsysSetStore *store, uint64 hash, uint64 place)
{
	uint64		slot = first_slot(store, hash);

	while (store->slots[slot] != 0)
		slot = (slot + 1) & (store->nslots - 1);
	store->slots[slot] = slot_tag(hash) | (place + 1);
}

/* Twice as many slots; false if they do not fit. */
static bool
grow_table(RecsysSetStore *store)
{
	Size		old_size = sizeof(uint64) * (Size) store->nslots;
	RecsysSetPlace place = {0, 0};
	uint64		n = 0;

	/* nothing is copied: the sets themselves tell their hashes */
	if (store->memory + old_size > store->limit)
		return false;
	pfree(store->slots);
	store->nslots *= 2;
	store->memory += old_size;
	store->slots = recsys_alloc_huge_zero(sizeof(uint64) * store->nslots);
	for (;;)
	{
		const RecsysStoredSet *set = RecsysSetStoreNext(store, &place);
		uint32		word;

		if (set == NULL)
			break;
		word = (uint32) ((const uint32 *) set - store->chunks[place.chunk]);
		enter(store, hash_items(store, set->items, set->length),
			  ((uint64) place.chunk << CHUNK_BITS) | word);
		if (++n % SETS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return true;
}

static bool
add_chunk(RecsysSetStore *store)
{
	Size		size = sizeof(uint32) * CHUNK_WORDS;

	if (store->memory + size > store->limit || store->nchunks == MAX_CHUNKS)
		return false;
	if (store->nchunks == store->maxchunks)
	{
		store->maxchunks *= 2;
		store->chunks = repalloc(store->chunks, sizeof(uint32 *) * store->maxchunks);
		store->lengths = repalloc(store->lengths, sizeof(uint32) * store->maxchunks);
	}
	if (store->nchunks > 0)
		store->lengths[store->nchunks - 1] = store->used;
	store->chunks[store->nchunks++] = recsys_alloc_huge(size);
	store->used = 0;
	store->memory += size;
	return true;
}

bool
RecsysSetStoreAdd(RecsysSetStore *store, const uint32 *items, uint32 length, uint32 support,
				  double weight)
{
	uint32		words = HEADER_WORDS + length + (store->weighted ? sizeof(double) / sizeof(uint32) : 0);
	RecsysStoredSet *set;

	if (words > CHUNK_WORDS)
		return false;
	if (store->count >= store->nslots / 3 * 2 && !grow_table(store))
		return false;
	if ((store->nchunks == 0 || store->used + words > CHUNK_WORDS) && !add_chunk(store))
		return false;

	set = (RecsysStoredSet *) (store->chunks[store->nchunks - 1] + store->used);
	set->support = support;
	set->length = length;
	memcpy(set->items, items, sizeof(uint32) * length);
	if (store->weighted)
		memcpy(set->items + length, &weight, sizeof(double));
	enter(store, hash_items(store, items, length),
		  ((uint64) (store->nchunks - 1) << CHUNK_BITS) | store->used);
	store->used += words;
	store->count++;
	return true;
}

const RecsysStoredSet *
RecsysSetStoreFind(const RecsysSetStore *store, const uint32 *items, uint32 length)
{
	uint64		hash = hash_items(store, items, length);
	uint64		tag = slot_tag(hash);
	uint64		slot = first_slot(store, hash);

	for (; store->slots[slot] != 0; slot = (slot + 1) & (store->nslots - 1))
	{
		const RecsysStoredSet *set;

		if ((store->slots[slot] & ~PLACE_MASK) != tag)
			continue;
		set = set_at(store, (store->slots[slot] & PLACE_MASK) - 1);
		if (set->length == length && memcmp(set->items, items, sizeof(uint32) * length) == 0)
			return set;
	}
	return NULL;
}

const RecsysStoredSet *
RecsysSetStoreNext(const RecsysSetStore *store, RecsysSetPlace *place)
{
	const RecsysStoredSet *set;

	while (place->chunk < store->nchunks &&
		   place->word == (place->chunk + 1 == store->nchunks ? store->used : store->lengths[place->chunk]))
	{
		place->chunk++;
		place->word = 0;
	}
	if (place->chunk >= store->nchunks)
		return NULL;
	set = (const RecsysStoredSet *) (store->chunks[place->chunk] + place->word);
	place->word += HEADER_WORDS + set->length +
		(store->weighted ? sizeof(double) / sizeof(uint32) : 0);
	return set;
}

double
RecsysStoredWeight(const RecsysSetStore *store, const RecsysStoredSet *set)
{
	double		weight = 0;

	if (store->weighted)
		memcpy(&weight, set->items + set->length, sizeof(double));
	return weight;
}

uint64
RecsysSetStoreCount(const RecsysSetStore *store)
{
	return store->count;
}

Size
RecsysSetStoreMemory(const RecsysSetStore *store)
{
	return store->memory;
}
