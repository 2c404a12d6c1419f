/*
 * itemset_mine.c
 *	  Depth-first search for frequent item sets.
 */
#include "core/itemset_block.h"

/* Look for interrupts after so many walked entries or compared words. */
#define WORK_BETWEEN_CHECKS 1000000

#define CHUNK_SIZE ((Size) 256 * 1024)

/* More powers of two than a count of baskets has. */
#define MAX_SEGMENTS 32

/* Memory that is given back in reverse order; chunks are kept until the end. */
typedef struct Chunk
{
	struct Chunk *previous;
	struct Chunk *next;
	Size		size;
	Size		used;
} Chunk;

typedef struct Mark
{
	Chunk	   *chunk;
	Size		used;
} Mark;

/* Baskets as lists of items; see itemset_block.h for what is where. */
typedef struct Lists
{
	const uint32 *entries;
	const uint32 *places;
	const uint32 *occurrences;
	const uint32 *items;		/* of the source, by number in entries */
	uint32		nitems;
} Lists;

/* One item of a set of baskets: a bit for each that has it. */
typedef struct Column
{
	uint32		item;			/* of the source */
	uint32		support;
	uint64	   *bits;
} Column;

/*
 * How the bits count: those of segment s, words first[s] .. first[s + 1] - 1, count
 * 2^s baskets each.  A basket that stands for five has a bit in segments 0 and 2.
 */
typedef struct Segments
{
	uint32		count;
	uint32		first[MAX_SEGMENTS + 1];
	const double *weights;		/* by bit; only one bit of a basket has its weight */
} Segments;

/* An item that is frequent together with the current set. */
typedef struct Extension
{
	uint32		number;			/* in entries */
	uint32		support;
	double		weight;
} Extension;

struct RecsysItemsetMiner
{
	const ItemsetBlock *block;
	const double *basket_weights;
	RecsysItemsetReporter report;
	void	   *arg;
	RecsysItemsetKind kind;
	uint32		min_support;
	uint32		min_length;
	uint32		max_length;
	RecsysItemsetOutcome outcome;
	Size		memory;
	Size		memory_limit;
	uint64		work;			/* since the last check for interrupts */
	Chunk	   *chunk;

	/*
	 * The current set: items that all baskets at hand have.  With kind ALL those
	 * that may be in a reported set or not stand behind the others.
	 */
	uint32	   *set;
	uint32		length;
	uint32	   *perfect;
	uint32		nperfect;

	uint32	   *counts;			/* by item number; zeros between uses */
	double	   *weights;
	uint32	   *numbers;		/* by item number: new one, RECSYS_NONE between uses */
	uint32	   *touched;
};

static void *
miner_allocate(RecsysItemsetMiner *miner, Size size)
{
	void	   *result;

	size = (size + 63) & ~(Size) 63;
	while (miner->chunk->size - miner->chunk->used < size)
	{
		Chunk	   *next = miner->chunk->next;

		if (next == NULL || next->size < size)
		{
			Size		bytes = Max(size + 128, CHUNK_SIZE);
			Chunk	   *chunk;

			if (bytes > miner->memory_limit - miner->memory)
			{
				miner->outcome = RECSYS_ITEMSETS_NO_MEMORY;
				return NULL;
			}
			chunk = recsys_alloc_huge(bytes);
			miner->memory += bytes;
			chunk->size = bytes;
			chunk->next = next;
			chunk->previous = miner->chunk;
			if (next != NULL)
				next->previous = chunk;
			miner->chunk->next = chunk;
			next = chunk;
		}
		/* bits start at multiples of a cache line */
		next->used = 64 + (64 - ((uintptr_t) next + 64) % 64) % 64;
		miner->chunk = next;
	}
	result = (char *) miner->chunk + miner->chunk->used;
	miner->chunk->used += size;
	return result;
}

static Mark
miner_mark(const RecsysItemsetMiner *miner)
{
	Mark		mark = {miner->chunk, miner->chunk->used};

	return mark;
}

static void
miner_release(RecsysItemsetMiner *miner, Mark mark)
{
	miner->chunk = mark.chunk;
	miner->chunk->used = mark.used;
}

static inline void
add_work(RecsysItemsetMiner *miner, uint64 work)
{
	miner->work += work;
	if (unlikely(miner->work > WORK_BETWEEN_CHECKS))
	{
		miner->work = 0;
		CHECK_FOR_INTERRUPTS();
	}
}

static bool
report_set(RecsysItemsetMiner *miner, uint32 support, double weight)
{
	RecsysItemset set = {miner->set, miner->length, support, weight};

	if (miner->length < miner->min_length || miner->length > miner->max_length)
		return true;
	add_work(miner, 100);
	if (!miner->report(miner->arg, &set))
	{
		miner->outcome = RECSYS_ITEMSETS_STOPPED;
		return false;
	}
	return true;
}

/* The current set with each subset of the first n perfect extensions. */
static bool
report_subsets(RecsysItemsetMiner *miner, uint32 n, uint32 support, double weight)
{
	if (!report_set(miner, support, weight))
		return false;
	if (miner->length >= miner->max_length)
		return true;
	for (uint32 x = 0; x < n; x++)
	{
		bool		go_on;

		miner->set[miner->length++] = miner->perfect[x];
		go_on = report_subsets(miner, x, support, weight);
		miner->length--;
		if (!go_on)
			return false;
	}
	return true;
}

/*
 * The current set, once it is known that n items are frequent with it.  Perfect
 * extensions are part of it except with kind ALL.
 */
static bool
report_current(RecsysItemsetMiner *miner, uint32 n, uint32 support, double weight)
{
	if (miner->kind == RECSYS_ITEMSETS_ALL)
		return report_subsets(miner, miner->nperfect, support, weight);
	if (miner->kind == RECSYS_ITEMSETS_MAXIMAL && n > 0)
		return true;
	return report_set(miner, support, weight);
}

/* Sets with more items than the current one: are there any to be found? */
static bool
may_grow(const RecsysItemsetMiner *miner)
{
	return miner->length < miner->max_length;
}

static void
add_perfect(RecsysItemsetMiner *miner, uint32 item)
{
	if (miner->kind == RECSYS_ITEMSETS_ALL)
		miner->perfect[miner->nperfect++] = item;
	else
		miner->set[miner->length++] = item;
}

/*
 * bits & each of n columns: the results, one after the other, and their supports.
 */
RECSYS_TARGET_CLONES
static void
intersect(const uint64 *bits, const Column *columns, uint32 n, const Segments *segments,
		  uint64 *results, uint32 *supports)
{
	uint32		words = segments->first[segments->count];

	for (uint32 x = 0; x < n; x++)
	{
		const uint64 *other = columns[x].bits;
		uint64		support = 0;

		for (uint32 s = 0; s < segments->count; s++)
		{
			uint64		count = 0;

			for (uint32 w = segments->first[s]; w < segments->first[s + 1]; w++)
			{
				results[w] = bits[w] & other[w];
				count += __builtin_popcountll(results[w]);
			}
			support += count << s;
		}
		supports[x] = (uint32) support;
		results += words;
	}
}

static double
weigh_bits(const Segments *segments, const uint64 *bits)
{
	double		weight = 0.0;

	if (segments->weights == NULL)
		return 0.0;
	for (uint32 w = 0; w < segments->first[segments->count]; w++)
	{
		for (uint64 word = bits[w]; word != 0; word &= word - 1)
			weight += segments->weights[w * 64 + __builtin_ctzll(word)];
	}
	return weight;
}

/*
 * All sets of the current one and some of the first n of ncolumns columns.  The other
 * columns are of items that must not be in a set, but decide whether it is closed.
 */
static bool
mine_columns(RecsysItemsetMiner *miner, const Column *columns, uint32 n, uint32 ncolumns,
			 const Segments *segments)
{
	Mark		mark = miner_mark(miner);
	uint32		words = segments->first[segments->count];
	uint32		others = miner->kind == RECSYS_ITEMSETS_ALL ? n : ncolumns;
	uint32		length = miner->length;
	uint32		nperfect = miner->nperfect;
	Column	   *children = miner_allocate(miner, others * sizeof(Column));
	uint32	   *supports = miner_allocate(miner, others * sizeof(uint32));
	uint64	   *bits = miner_allocate(miner, (Size) others * words * sizeof(uint64));

	if (children == NULL || supports == NULL || bits == NULL)
		return false;
	for (uint32 x = 0; x < n; x++)
	{
		uint32		last = miner->kind == RECSYS_ITEMSETS_ALL ? x : ncolumns;
		uint32		nchildren = 0;
		uint32		nlower = 0;
		bool		closed = true;

		if (columns[x].support < miner->min_support)
			continue;
		miner->set[miner->length++] = columns[x].item;
		if (may_grow(miner) || miner->kind != RECSYS_ITEMSETS_ALL)
		{
			add_work(miner, (uint64) last * words);
			intersect(columns[x].bits, columns, last, segments, bits, supports);
			for (uint32 y = 0; y < last && closed; y++)
			{
				if (y == x)
					nlower = nchildren;
				else if (supports[y] == columns[x].support)
				{
					if (y < x)
						add_perfect(miner, columns[y].item);
					else
						closed = false;
				}
				else if (supports[y] >= miner->min_support)
				{
					children[nchildren].item = columns[y].item;
					children[nchildren].support = supports[y];
					children[nchildren++].bits = bits + (Size) y * words;
				}
			}
			if (last == x)
				nlower = nchildren;
		}
		if (closed &&
			(!report_current(miner, nchildren, columns[x].support,
							 weigh_bits(segments, columns[x].bits)) ||
			 (nlower > 0 && may_grow(miner) &&
			  !mine_columns(miner, children, nlower, nchildren, segments))))
			return false;
		miner->length = length;
		miner->nperfect = nperfect;
	}
	miner_release(miner, mark);
	return true;
}

/* The basket that a head belongs to, where there are weights. */
static inline uint32
basket_of(const uint32 *head)
{
	return head[-1] & ~ITEMSET_HEAD;
}

static inline uint32
count_of(const uint32 *head)
{
	return *head & ~ITEMSET_HEAD;
}

/*
 * Count the items of the baskets with an item: lower numbers only with kind ALL.
 * Notes the places of the baskets' heads in heads.  If touched is given, it gets the
 * items that were met; returns how many.
 */
static inline uint32
count_walking(RecsysItemsetMiner *miner, const Lists *lists, uint32 number, uint32 *heads,
			  uint32 *touched)
{
	const uint32 *entries = lists->entries;
	const uint32 *occurrences = lists->occurrences;
	uint32	   *counts = miner->counts;
	uint32		ntouched = 0;
	bool		upward = miner->kind != RECSYS_ITEMSETS_ALL;
	uint32		last = lists->places[number + 1];

	for (uint32 o = lists->places[number]; o < last; o++)
	{
		const uint32 *entry = entries + occurrences[o];
		const uint32 *e = entry;
		uint32		count;

		__builtin_prefetch(entries + occurrences[o + ITEMSET_AHEAD]);
		while (!(*--e & ITEMSET_HEAD))
		{
			if (touched != NULL)
			{
				touched[ntouched] = *e;
				ntouched += counts[*e] == 0;
			}
			counts[*e]++;
		}
		*heads++ = (uint32) (e - entries);
		count = count_of(e);
		if (count > 1)
		{
			for (const uint32 *f = e + 1; f < entry; f++)
				counts[*f] += count - 1;
		}
		if (upward)
		{
			for (e = entry + 1; !(*e & ITEMSET_HEAD); e++)
			{
				if (touched != NULL)
				{
					touched[ntouched] = *e;
					ntouched += counts[*e] == 0;
				}
				counts[*e] += count;
			}
		}
	}
	return ntouched;
}

/* The same for weights, along the heads that were noted. */
static void
weigh_walking(RecsysItemsetMiner *miner, const Lists *lists, uint32 number, const uint32 *heads)
{
	bool		upward = miner->kind != RECSYS_ITEMSETS_ALL;

	for (uint32 o = lists->places[number]; o < lists->places[number + 1]; o++)
	{
		const uint32 *head = lists->entries + *heads++;
		const uint32 *entry = lists->entries + lists->occurrences[o];
		double		weight = miner->basket_weights[basket_of(head)];

		for (const uint32 *e = head + 1; e < entry || (upward && !(*e & ITEMSET_HEAD)); e++)
			miner->weights[*e] += weight;
	}
	miner->weights[number] = 0.0;
}

static int
compare_numbers(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	return x < y ? -1 : x > y;
}

/*
 * Find the items that are frequent together with an item and leave them, ascending,
 * in touched, their counts in counts.  All other counts are zero again.
 */
static uint32
find_frequent(RecsysItemsetMiner *miner, const Lists *lists, uint32 number, uint32 *heads)
{
	uint32		noccurrences = lists->places[number + 1] - lists->places[number];
	uint32		nitems = miner->kind == RECSYS_ITEMSETS_ALL ? number : lists->nitems;
	uint32	   *counts = miner->counts;
	uint32		n = 0;

	if (noccurrences > nitems / 64)
	{
		count_walking(miner, lists, number, heads, NULL);
		if (miner->weights != NULL)
			weigh_walking(miner, lists, number, heads);
		for (uint32 x = 0; x < nitems; x++)
		{
			miner->touched[n] = x;
			n += counts[x] >= miner->min_support;
			counts[x] = counts[x] >= miner->min_support ? counts[x] : 0;
		}
		add_work(miner, nitems);
	}
	else
	{
		uint32		ntouched = count_walking(miner, lists, number, heads, miner->touched);

		if (miner->weights != NULL)
			weigh_walking(miner, lists, number, heads);
		for (uint32 x = 0; x < ntouched; x++)
		{
			uint32		touched = miner->touched[x];

			if (counts[touched] >= miner->min_support)
				miner->touched[n++] = touched;
			else
				counts[touched] = 0;
		}
		qsort(miner->touched, n, sizeof(uint32), compare_numbers);
	}
	return n;
}

static bool mine_number(RecsysItemsetMiner *miner, const Lists *lists, uint32 number,
						uint32 support, double weight);

/*
 * Lay out the baskets with an item as columns of its n extensions and mine them;
 * the first nlower may be in sets.
 */
static bool
mine_as_columns(RecsysItemsetMiner *miner, const Lists *lists, uint32 number,
				const uint32 *heads, const Extension *extensions, uint32 nlower, uint32 n)
{
	const uint32 *occurrences = lists->occurrences + lists->places[number];
	uint32		noccurrences = lists->places[number + 1] - lists->places[number];
	Segments	segments;
	uint32		bits[MAX_SEGMENTS] = {0};
	uint32		words = 0;
	Column	   *columns;
	uint64	   *memory;
	double	   *weights = NULL;
	bool		upward = miner->kind != RECSYS_ITEMSETS_ALL;

	/* how many bits in each segment */
	segments.count = 1;
	for (uint32 o = 0; o < noccurrences; o++)
	{
		uint32		count = count_of(lists->entries + heads[o]);

		if (likely(count == 1))
		{
			bits[0]++;
			continue;
		}
		for (uint32 s = 0; count != 0; s++, count >>= 1)
		{
			bits[s] += count & 1;
			segments.count = Max(segments.count, s + 1);
		}
	}
	for (uint32 s = 0; s < segments.count; s++)
	{
		segments.first[s] = words;
		words += (bits[s] + 63) / 64;
		bits[s] = segments.first[s] * 64;
	}
	segments.first[segments.count] = words;

	columns = miner_allocate(miner, n * sizeof(Column));
	memory = miner_allocate(miner, (Size) n * words * sizeof(uint64));
	if (miner->basket_weights != NULL)
		weights = miner_allocate(miner, (Size) words * 64 * sizeof(double));
	if (columns == NULL || memory == NULL || (miner->basket_weights != NULL && weights == NULL))
		return false;
	memset(memory, 0, (Size) n * words * sizeof(uint64));
	if (weights != NULL)
		memset(weights, 0, (Size) words * 64 * sizeof(double));
	segments.weights = weights;
	for (uint32 x = 0; x < n; x++)
	{
		columns[x].item = lists->items[extensions[x].number];
		columns[x].support = extensions[x].support;
		columns[x].bits = memory + (Size) x * words;
		miner->numbers[extensions[x].number] = x;
	}

	for (uint32 o = 0; o < noccurrences; o++)
	{
		const uint32 *entry = lists->entries + occurrences[o];
		const uint32 *head = lists->entries + heads[o];
		uint32		count = count_of(head);
		double		weight = weights != NULL ? miner->basket_weights[basket_of(head)] : 0.0;

		__builtin_prefetch(lists->entries + occurrences[o + ITEMSET_AHEAD]);
		for (uint32 s = 0; count != 0; s++, count >>= 1)
		{
			uint32		bit = bits[s];

			if (!(count & 1))
				continue;
			bits[s]++;
			if (weights != NULL)
				weights[bit] = weight;
			weight = 0.0;
			for (const uint32 *e = head + 1; e < entry || (upward && !(*e & ITEMSET_HEAD)); e++)
			{
				uint32		column = miner->numbers[*e];

				if (column != RECSYS_NONE)
					columns[column].bits[bit / 64] |= UINT64CONST(1) << (bit % 64);
			}
		}
	}
	for (uint32 x = 0; x < n; x++)
		miner->numbers[extensions[x].number] = RECSYS_NONE;
	return mine_columns(miner, columns, nlower, n, &segments);
}

/*
 * The same with shorter lists: of the baskets with an item, only its extensions.
 */
static bool
mine_as_lists(RecsysItemsetMiner *miner, const Lists *lists, uint32 number,
			  const uint32 *heads, const Extension *extensions, uint32 nlower, uint32 n,
			  Size nentries)
{
	const uint32 *occurrences = lists->occurrences + lists->places[number];
	uint32		noccurrences = lists->places[number + 1] - lists->places[number];
	Lists		shorter;
	uint32		head_length = miner->basket_weights != NULL ? 2 : 1;
	uint32	   *entries = miner_allocate(miner, (nentries + (Size) noccurrences * head_length + 1) *
										 sizeof(uint32));
	uint32	   *places = miner_allocate(miner, (n + 1) * sizeof(uint32));
	uint32	   *new_occurrences = miner_allocate(miner, (nentries + ITEMSET_AHEAD) *
												 sizeof(uint32));
	uint32	   *items = miner_allocate(miner, n * sizeof(uint32));
	uint32		place = 0;
	uint32		sum = 0;
	bool		upward = miner->kind != RECSYS_ITEMSETS_ALL;
	uint32		length = miner->length;
	uint32		nperfect = miner->nperfect;

	if (entries == NULL || places == NULL || new_occurrences == NULL || items == NULL)
		return false;
	memset(places, 0, (n + 1) * sizeof(uint32));
	for (uint32 x = 0; x < n; x++)
	{
		items[x] = lists->items[extensions[x].number];
		miner->numbers[extensions[x].number] = x;
	}
	for (uint32 o = 0; o < noccurrences; o++)
	{
		const uint32 *entry = lists->entries + occurrences[o];
		const uint32 *head = lists->entries + heads[o];
		uint32		start = place;

		__builtin_prefetch(lists->entries + occurrences[o + ITEMSET_AHEAD]);
		if (head_length > 1)
			entries[place++] = head[-1];
		entries[place++] = *head;
		for (const uint32 *e = head + 1; e < entry || (upward && !(*e & ITEMSET_HEAD)); e++)
		{
			entries[place] = miner->numbers[*e];
			place += entries[place] != RECSYS_NONE;
		}
		/* a single item says nothing about pairs */
		if (place - start < head_length + 2)
			place = start;
		else
		{
			for (uint32 p = start + head_length; p < place; p++)
				places[entries[p]]++;
		}
	}
	for (uint32 x = 0; x < n; x++)
		miner->numbers[extensions[x].number] = RECSYS_NONE;
	entries[place] = ITEMSET_HEAD;
	for (uint32 x = 0; x <= n; x++)
		places[x] = sum += places[x];
	memset(new_occurrences + sum, 0, ITEMSET_AHEAD * sizeof(uint32));
	while (place-- > 0)
	{
		if (!(entries[place] & ITEMSET_HEAD))
			new_occurrences[--places[entries[place]]] = place;
	}
	shorter.entries = entries;
	shorter.places = places;
	shorter.occurrences = new_occurrences;
	shorter.items = items;
	shorter.nitems = n;
	for (uint32 x = 0; x < nlower; x++)
	{
		miner->set[miner->length++] = items[x];
		if (!mine_number(miner, &shorter, x, extensions[x].support, extensions[x].weight))
			return false;
		miner->length = length;
		miner->nperfect = nperfect;
	}
	return true;
}

/*
 * All sets of the current one, whose last item is the one of that number, and of
 * lower numbers.
 */
static bool
mine_number(RecsysItemsetMiner *miner, const Lists *lists, uint32 number, uint32 support,
			double weight)
{
	Mark		mark = miner_mark(miner);
	uint32		nfrequent;
	uint32		n = 0;
	uint32		nlower = 0;
	uint64		nentries = 0;
	bool		closed = true;
	bool		done;
	Extension  *extensions;
	uint32	   *heads;

	/* it was frequent, but min_support may have been raised */
	if (support < miner->min_support)
		return true;
	if (miner->kind == RECSYS_ITEMSETS_ALL && !may_grow(miner))
		return report_current(miner, 0, support, weight);

	heads = miner_allocate(miner, (lists->places[number + 1] - lists->places[number]) *
						   sizeof(uint32));
	if (heads == NULL)
		return false;
	nfrequent = find_frequent(miner, lists, number, heads);
	if ((extensions = miner_allocate(miner, nfrequent * sizeof(Extension))) == NULL)
		return false;
	for (uint32 x = 0; x < nfrequent; x++)
	{
		uint32		frequent = miner->touched[x];

		if (miner->counts[frequent] < support)
		{
			extensions[n].number = frequent;
			extensions[n].support = miner->counts[frequent];
			extensions[n++].weight = miner->weights != NULL ? miner->weights[frequent] : 0.0;
			nlower += frequent < number;
			nentries += miner->counts[frequent];
		}
		else if (frequent < number)
			add_perfect(miner, lists->items[frequent]);
		else
			closed = false;
		miner->counts[frequent] = 0;
	}
	if (miner->weights != NULL)
		memset(miner->weights, 0, lists->nitems * sizeof(double));

	if (!closed)
		done = true;
	else if (!report_current(miner, n, support, weight))
		done = false;
	else if (nlower == 0 || !may_grow(miner))
		done = true;
	else if (n < 64)
		done = mine_as_columns(miner, lists, number, heads, extensions, nlower, n);
	else
		done = mine_as_lists(miner, lists, number, heads, extensions, nlower, n, nentries);
	miner_release(miner, mark);
	return done;
}

RecsysItemsetMiner *
RecsysItemsetMinerCreate(const RecsysItemsets *sets, Size memory_limit,
						 RecsysItemsetReporter report, void *arg)
{
	const ItemsetBlock *block = (const ItemsetBlock *) sets;
	RecsysItemsetMiner *miner = palloc0(sizeof(RecsysItemsetMiner));
	Size		nitems = (Size) block->nranks + block->ncommon + 1;

	miner->block = block;
	miner->report = report;
	miner->arg = arg;
	miner->kind = sets->kind;
	miner->min_support = sets->min_support;
	miner->min_length = block->min_length;
	miner->max_length = block->max_length;
	if (block->weighted)
		miner->basket_weights = ITEMSET_ARRAY(block, const double, basket_weights);
	miner->outcome = RECSYS_ITEMSETS_DONE;
	miner->chunk = palloc0(sizeof(Chunk));
	miner->chunk->size = miner->chunk->used = sizeof(Chunk);
	miner->memory_limit = memory_limit;
	miner->memory = nitems * (5 * sizeof(uint32) + (block->weighted ? sizeof(double) : 0));
	if (miner->memory > memory_limit)
	{
		miner->outcome = RECSYS_ITEMSETS_NO_MEMORY;
		return miner;
	}
	miner->set = recsys_alloc_huge(nitems * sizeof(uint32));
	miner->perfect = recsys_alloc_huge(nitems * sizeof(uint32));
	miner->touched = recsys_alloc_huge(nitems * sizeof(uint32));
	miner->counts = recsys_alloc_huge_zero(nitems * sizeof(uint32));
	miner->numbers = recsys_alloc_huge(nitems * sizeof(uint32));
	memset(miner->numbers, 0xFF, nitems * sizeof(uint32));
	if (block->weighted)
		miner->weights = recsys_alloc_huge_zero(nitems * sizeof(double));
	for (uint32 x = 0; x < block->ncommon; x++)
		miner->set[miner->length++] = ITEMSET_ARRAY(block, uint32, items)[block->nranks + x];
	return miner;
}

void
RecsysItemsetMinerFree(RecsysItemsetMiner *miner)
{
	Chunk	   *chunk = miner->chunk;

	while (chunk->next != NULL)
		chunk = chunk->next;
	while (chunk != NULL)
	{
		Chunk	   *previous = chunk->previous;

		pfree(chunk);
		chunk = previous;
	}
	if (miner->set != NULL)
	{
		pfree(miner->set);
		pfree(miner->perfect);
		pfree(miner->touched);
		pfree(miner->counts);
		pfree(miner->numbers);
	}
	if (miner->weights != NULL)
		pfree(miner->weights);
	pfree(miner);
}

void
RecsysItemsetMinerChange(RecsysItemsetMiner *miner, RecsysItemsetKind kind, uint32 min_support)
{
	miner->kind = kind;
	miner->min_support = Max(miner->min_support, min_support);
}

/* The set of just the items that every set must contain. */
static bool
mine_common(RecsysItemsetMiner *miner)
{
	const ItemsetBlock *block = miner->block;
	const uint32 *supports = ITEMSET_ARRAY(block, uint32, supports);

	if (miner->kind == RECSYS_ITEMSETS_MAXIMAL && block->nranks > 0)
		return true;
	if (miner->kind == RECSYS_ITEMSETS_CLOSED && block->nranks > 0 &&
		supports[0] == block->common_support)
		return true;
	return report_set(miner, block->common_support, block->common_weight);
}

RecsysItemsetOutcome
RecsysItemsetMine(RecsysItemsetMiner *miner, uint32 task)
{
	const ItemsetBlock *block = miner->block;
	uint32		rank = block->first_rank + task - block->report_common;
	uint32		length = miner->length;
	Lists		lists;

	if (miner->outcome != RECSYS_ITEMSETS_DONE)
		return miner->outcome;
	if (block->report_common && task == 0)
	{
		mine_common(miner);
		return miner->outcome;
	}
	if (!may_grow(miner))
		return miner->outcome;
	lists.entries = ITEMSET_ARRAY(block, const uint32, entries);
	lists.places = ITEMSET_ARRAY(block, const uint32, places);
	lists.occurrences = ITEMSET_ARRAY(block, const uint32, occurrences);
	lists.items = ITEMSET_ARRAY(block, const uint32, items);
	lists.nitems = block->nranks;
	miner->set[miner->length++] = lists.items[rank];
	mine_number(miner, &lists, rank, ITEMSET_ARRAY(block, const uint32, supports)[rank],
				block->weighted ? ITEMSET_ARRAY(block, const double, weights)[rank] : 0.0);
	miner->length = length;
	miner->nperfect = 0;
	return miner->outcome;
}
