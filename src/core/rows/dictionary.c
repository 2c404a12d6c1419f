/*
 * dictionary.c
 *	  Keys to dense numbers, in memory.
 *
 * An open-addressing table of 64-bit slots, linear probing, at most two thirds
 * full; zero means empty.  A lookup that succeeds costs one cache line of
 * slots and one of keys, and both are as small as they can be, because at
 * millions of keys nothing else than those cache misses takes time.
 *
 * Integer keys: a slot holds 32 bits of the hash and the number plus one; the
 * keys are in an array by number.
 *
 * Byte strings: a slot holds 24 bits of the hash and the place of the key's
 * record plus one.  Records ([number][length][bytes]) are stored one after
 * the other, in order of their numbers, in chunks that are never moved.  An
 * array by number points to them.
 *
 * No hash is stored: hashing an integer is cheaper than loading anything, and
 * where the table grows, records are read in the order they lie in memory.
 */
#include "core/rows/dictionary.h"

#define INITIAL_SLOTS 64
#define INITIAL_KEYS 32

#define CHUNK_BITS 16
#define CHUNK_SIZE ((Size) 1 << CHUNK_BITS)
#define INITIAL_CHUNKS 16

/* Within a slot: where the hash's bits begin, and what is below them. */
#define INT_TAG_SHIFT 32
#define RECORD_TAG_SHIFT 40
#define RECORD_HEADER_SIZE (2 * sizeof(uint32))

/* How many keys are handled between two checks for interrupts. */
#define KEYS_PER_CHECK 100000

struct RecsysDictionary
{
	RecsysKeyKind kind;
	uint64		seed;
	uint32		count;			/* keys */
	uint32		capacity;		/* room in numbers or records */
	int			tag_shift;
	uint64		nslots;			/* a power of two */
	uint64	   *slots;
	int64	   *numbers;		/* RECSYS_KEY_INT: the keys */
	char	  **records;		/* other kinds: their records */
	char	  **chunks;
	uint32		nchunks;
	uint32		max_chunks;		/* room in chunks */
	Size		chunk_used;		/* bytes of the last chunk */
};

/* One key on its way into an order. */
typedef struct SortEntry
{
	uint64		word;			/* hash, or the order-preserving start of the key */
	uint32		number;
} SortEntry;

/* Bytes per key in numbers or records. */
#define KEY_WIDTH 8

RecsysDictionary *
RecsysDictionaryCreate(RecsysKeyKind kind, uint64 seed)
{
	RecsysDictionary *dict = palloc0(sizeof(RecsysDictionary));

	dict->kind = kind;
	dict->seed = seed;
	dict->nslots = INITIAL_SLOTS;
	dict->slots = recsys_alloc_huge_zero(dict->nslots * sizeof(uint64));
	dict->capacity = INITIAL_KEYS;
	if (kind == RECSYS_KEY_INT)
	{
		dict->tag_shift = INT_TAG_SHIFT;
		dict->numbers = recsys_alloc_huge(dict->capacity * sizeof(int64));
	}
	else
	{
		dict->tag_shift = RECORD_TAG_SHIFT;
		dict->records = recsys_alloc_huge(dict->capacity * sizeof(char *));
		dict->max_chunks = INITIAL_CHUNKS;
		dict->chunks = recsys_alloc_huge(dict->max_chunks * sizeof(char *));
	}
	return dict;
}

void
RecsysDictionaryFree(RecsysDictionary *dict)
{
	if (dict->kind == RECSYS_KEY_INT)
		pfree(dict->numbers);
	else
	{
		for (uint32 x = 0; x < dict->nchunks; x++)
			pfree(dict->chunks[x]);
		pfree(dict->chunks);
		pfree(dict->records);
	}
	if (dict->slots != NULL)	/* null if growing them ended in an error */
		pfree(dict->slots);
	pfree(dict);
}

static inline void
load_key(const RecsysDictionary *dict, uint32 number, RecsysKey *key)
{
	if (dict->kind == RECSYS_KEY_INT)
	{
		key->number = dict->numbers[number];
		key->data = NULL;
		key->len = sizeof(int64);
	}
	else
	{
		const char *record = dict->records[number];

		key->number = 0;
		key->data = record + RECORD_HEADER_SIZE;
		memcpy(&key->len, record + sizeof(uint32), sizeof(uint32));
	}
}

static inline uint64
hash_of(const RecsysDictionary *dict, uint32 number)
{
	RecsysKey	key;

	load_key(dict, number, &key);
	return RecsysKeyHash(dict->kind, &key, dict->seed);
}

/* What stands for a new key in a slot: below the tag, plus one. */
static inline uint64
next_reference(const RecsysDictionary *dict, uint32 len)
{
	if (dict->kind == RECSYS_KEY_INT)
		return dict->count;
	if (dict->nchunks == 0 || dict->chunk_used + RECORD_HEADER_SIZE + len > CHUNK_SIZE)
		return (uint64) dict->nchunks << CHUNK_BITS;
	return ((uint64) (dict->nchunks - 1) << CHUNK_BITS) + dict->chunk_used;
}

static inline uint64
slot_content(const RecsysDictionary *dict, uint64 hash, uint64 reference)
{
	return (hash >> dict->tag_shift << dict->tag_shift) | (reference + 1);
}

/*
 * Search for a key.  Returns its number, or RECSYS_NONE and in *slot the place
 * where it belongs.
 */
static inline uint32
find_slot(const RecsysDictionary *dict, const RecsysKey *key, uint64 hash, uint64 *slot)
{
	uint64		mask = dict->nslots - 1;
	int			tag_shift = dict->tag_shift;
	uint64		place = hash & mask;
	uint64		content;

	*slot = 0;
	while ((content = dict->slots[place]) != 0)
	{
		if (((content ^ hash) >> tag_shift) == 0)
		{
			uint64		reference = (content & ((UINT64CONST(1) << tag_shift) - 1)) - 1;

			if (dict->kind == RECSYS_KEY_INT)
			{
				if (dict->numbers[reference] == key->number)
					return (uint32) reference;
			}
			else
			{
				const char *record = dict->chunks[reference >> CHUNK_BITS] +
					(reference & (CHUNK_SIZE - 1));
				uint32		header[2];	/* number, length */

				memcpy(header, record, sizeof(header));
				if (header[1] == key->len &&
					(key->len == 0 ||
					 memcmp(record + RECORD_HEADER_SIZE, key->data, key->len) == 0))
					return header[0];
			}
		}
		place = (place + 1) & mask;
	}
	*slot = place;
	return RECSYS_NONE;
}

static inline bool
slots_full(const RecsysDictionary *dict)
{
	return (uint64) dict->count * 3 >= dict->nslots * 2;
}

static inline bool
in_chunk(const RecsysDictionary *dict, uint32 chunk, const char *record)
{
	uintptr_t	start = (uintptr_t) dict->chunks[chunk];

	return (uintptr_t) record >= start && (uintptr_t) record < start + CHUNK_SIZE;
}

/* The old table is not needed to fill the new one: free it first. */
static void
grow_slots(RecsysDictionary *dict)
{
	uint64		nslots = dict->nslots * 2;
	uint64		mask = nslots - 1;
	uint32		chunk = 0;

	pfree(dict->slots);
	dict->slots = NULL;
	dict->slots = recsys_alloc_huge_zero(nslots * sizeof(uint64));
	dict->nslots = nslots;

	for (uint32 number = 0; number < dict->count; number++)
	{
		uint64		hash = hash_of(dict, number);
		uint64		reference = number;
		uint64		place = hash & mask;

		if (dict->kind != RECSYS_KEY_INT)
		{
			/* records lie in the order of their numbers */
			while (chunk + 1 < dict->nchunks && !in_chunk(dict, chunk, dict->records[number]))
				chunk++;
			reference = ((uint64) chunk << CHUNK_BITS) +
				(dict->records[number] - dict->chunks[chunk]);
		}
		while (dict->slots[place] != 0)
			place = (place + 1) & mask;
		dict->slots[place] = slot_content(dict, hash, reference);
		if (number % KEYS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

static void
grow_keys(RecsysDictionary *dict)
{
	/* RECSYS_NONE is no number, and number + 1 must fit a slot */
	if (dict->count >= RECSYS_NONE - 1)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many distinct keys for one recsys index")));

	dict->capacity = (uint32) Min((uint64) dict->capacity * 2, RECSYS_NONE - 1);
	if (dict->kind == RECSYS_KEY_INT)
		dict->numbers = recsys_realloc_huge(dict->numbers,
											(Size) dict->capacity * sizeof(int64));
	else
		dict->records = recsys_realloc_huge(dict->records,
											(Size) dict->capacity * sizeof(char *));
}

/* Append the record of a new key, in a new chunk when the last is full. */
static void
store_record(RecsysDictionary *dict, const RecsysKey *key)
{
	Size		size = RECORD_HEADER_SIZE + key->len;
	char	   *record;

	if (size > CHUNK_SIZE)
		elog(ERROR, "key of %u bytes is too long for a dictionary", key->len);

	if (dict->nchunks == 0 || dict->chunk_used + size > CHUNK_SIZE)
	{
		if (dict->nchunks == dict->max_chunks)
		{
			dict->max_chunks *= 2;
			dict->chunks = recsys_realloc_huge(dict->chunks,
											   (Size) dict->max_chunks * sizeof(char *));
		}
		dict->chunks[dict->nchunks] = recsys_alloc_huge(CHUNK_SIZE);
		dict->nchunks++;
		dict->chunk_used = 0;
	}
	record = dict->chunks[dict->nchunks - 1] + dict->chunk_used;
	memcpy(record, &dict->count, sizeof(uint32));
	memcpy(record + sizeof(uint32), &key->len, sizeof(uint32));
	RecsysKeyStore(dict->kind, key, record + RECORD_HEADER_SIZE);
	dict->records[dict->count] = record;
	dict->chunk_used += size;
}

uint32
RecsysDictionaryIntern(RecsysDictionary *dict, const RecsysKey *key)
{
	uint64		hash = RecsysKeyHash(dict->kind, key, dict->seed);
	uint64		slot;
	uint64		reference;
	uint32		number = find_slot(dict, key, hash, &slot);

	if (likely(number != RECSYS_NONE))
		return number;

	if (dict->count == dict->capacity)
		grow_keys(dict);
	if (slots_full(dict))
	{
		grow_slots(dict);
		find_slot(dict, key, hash, &slot);
	}

	number = dict->count;
	reference = next_reference(dict, key->len);
	if (dict->kind == RECSYS_KEY_INT)
		dict->numbers[number] = key->number;
	else
		store_record(dict, key);
	dict->slots[slot] = slot_content(dict, hash, reference);
	dict->count++;
	return number;
}

uint32
RecsysDictionaryFind(const RecsysDictionary *dict, const RecsysKey *key)
{
	uint64		slot;

	return find_slot(dict, key, RecsysKeyHash(dict->kind, key, dict->seed), &slot);
}

uint32
RecsysDictionaryCount(const RecsysDictionary *dict)
{
	return dict->count;
}

void
RecsysDictionaryKey(const RecsysDictionary *dict, uint32 number, RecsysKey *key)
{
	Assert(number < dict->count);
	load_key(dict, number, key);
}

uint64
RecsysDictionaryHash(const RecsysDictionary *dict, uint32 number)
{
	Assert(number < dict->count);
	return hash_of(dict, number);
}

Size
RecsysDictionaryMemory(const RecsysDictionary *dict)
{
	return sizeof(RecsysDictionary) +
		dict->nslots * sizeof(uint64) +
		(Size) dict->capacity * KEY_WIDTH +
		(Size) dict->max_chunks * sizeof(char *) +
		(Size) dict->nchunks * CHUNK_SIZE;
}

/*
 * Bytes beyond those held now that one more key can take, at the worst moment.
 * Enlarging an array may need the old and the new one at once; the slots are
 * freed before more of them are made.
 */
Size
RecsysDictionaryGrowth(const RecsysDictionary *dict)
{
	Size		growth = 0;
	Size		peak = 0;

	if (dict->count == dict->capacity)
	{
		growth = (Size) dict->capacity * KEY_WIDTH;
		peak = 2 * growth;
	}
	if (slots_full(dict))
	{
		growth += dict->nslots * sizeof(uint64);
		peak = Max(peak, growth);
	}
	if (dict->kind != RECSYS_KEY_INT &&
		(dict->nchunks == 0 ||
		 dict->chunk_used + RECORD_HEADER_SIZE + RECSYS_MAX_KEY_LEN > CHUNK_SIZE))
	{
		if (dict->nchunks == dict->max_chunks)
		{
			peak = Max(peak, growth + 2 * (Size) dict->max_chunks * sizeof(char *));
			growth += (Size) dict->max_chunks * sizeof(char *);
		}
		growth += CHUNK_SIZE;
	}
	return Max(growth, peak);
}

/*
 * Sort by word, stable, lowest digit first; digits that all words share are
 * skipped.  Returns where the result is: entries or spare.
 */
static SortEntry *
radix_sort(SortEntry *entries, SortEntry *spare, uint32 n)
{
	for (int shift = 0; shift < 64; shift += 8)
	{
		uint32		places[256] = {0};
		uint32		next = 0;
		SortEntry  *swap;

		CHECK_FOR_INTERRUPTS();
		for (uint32 x = 0; x < n; x++)
			places[(entries[x].word >> shift) & 255]++;
		if (n == 0 || places[(entries[0].word >> shift) & 255] == n)
			continue;
		for (int digit = 0; digit < 256; digit++)
		{
			uint32		count = places[digit];

			places[digit] = next;
			next += count;
		}
		for (uint32 x = 0; x < n; x++)
			spare[places[(entries[x].word >> shift) & 255]++] = entries[x];

		swap = entries;
		entries = spare;
		spare = swap;
	}
	return entries;
}

/* Numbers by their keys */
static int
compare_numbers(const void *a, const void *b, void *arg)
{
	const RecsysDictionary *dict = arg;
	RecsysKey	x;
	RecsysKey	y;

	RecsysDictionaryKey(dict, *(const uint32 *) a, &x);
	RecsysDictionaryKey(dict, *(const uint32 *) b, &y);
	return RecsysKeyCompare(dict->kind, &x, &y);
}

/* A word whose unsigned order agrees with the order of the keys. */
static uint64
order_word(const RecsysDictionary *dict, uint32 number)
{
	RecsysKey	key;
	uint64		word = 0;

	RecsysDictionaryKey(dict, number, &key);
	if (dict->kind == RECSYS_KEY_INT)
		return (uint64) key.number ^ (UINT64CONST(1) << 63);
	for (uint32 x = 0; x < Min(key.len, 8); x++)
		word |= (uint64) (unsigned char) key.data[x] << (56 - 8 * x);
	return word;
}

/* Numbers by (word, key), the word being the hash or the start of the key. */
static uint32 *
sorted_numbers(const RecsysDictionary *dict, bool by_hash)
{
	uint32		n = dict->count;
	SortEntry  *entries = recsys_alloc_huge(Max((Size) n, 1) * 2 * sizeof(SortEntry));
	SortEntry  *sorted;
	uint32	   *numbers;

	for (uint32 number = 0; number < n; number++)
	{
		entries[number].word = by_hash ? hash_of(dict, number) : order_word(dict, number);
		entries[number].number = number;
	}
	sorted = radix_sort(entries, entries + n, n);

	numbers = recsys_alloc_huge(Max((Size) n, 1) * sizeof(uint32));
	for (uint32 x = 0; x < n; x++)
		numbers[x] = sorted[x].number;
	for (uint32 first = 0, last; first < n; first = last)
	{
		last = first + 1;
		while (last < n && sorted[last].word == sorted[first].word)
			last++;
		/* all of them, where the keys have a long start in common */
		if (last - first > 1)
			qsort_interruptible(numbers + first, last - first, sizeof(uint32), compare_numbers,
								(void *) dict);
	}
	pfree(entries);
	return numbers;
}

uint32 *
RecsysDictionarySorted(const RecsysDictionary *dict)
{
	return sorted_numbers(dict, false);
}

uint32 *
RecsysDictionaryHashOrder(const RecsysDictionary *dict)
{
	return sorted_numbers(dict, true);
}
