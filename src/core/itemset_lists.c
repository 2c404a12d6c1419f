/*
 * itemset_lists.c
 *	  The search for item sets where baskets are lists of items.
 */
#include "core/itemset_miner.h"

/* An item that is frequent together with the current set. */
typedef struct Extension
{
	uint32		number;			/* in entries */
	uint32		support;
	double		weight;
} Extension;

static inline uint32
count_of(const uint32 *head)
{
	return *head & ~ITEMSET_HEAD;
}

/* As which occurrence of the task's item the basket came that is the k-th of a node. */
static inline uint32
origin_of(const Lists *lists, uint32 k, const uint32 *head)
{
	return lists->top ? k : head[-1] & ~ITEMSET_HEAD;
}

static inline double
weight_of(const RecsysItemsetMiner *miner, uint32 origin)
{
	const uint32 *head = miner->lists.entries + miner->task_heads[origin];

	return miner->basket_weights[head[-1] & ~ITEMSET_HEAD];
}

/* Do items with higher numbers in the lists matter? */
static inline bool
looks_upward(const RecsysItemsetMiner *miner, const Lists *lists)
{
	return miner->kind != RECSYS_ITEMSETS_ALL && !lists->top;
}

/*
 * Count the items of the baskets with an item, those with higher numbers only where
 * they matter.  Notes the places of the baskets' heads in heads.  If touched is given,
 * it gets the items that were met; returns how many.
 */
static inline uint32
count_walking(RecsysItemsetMiner *miner, const Lists *lists, uint32 number, uint32 *heads,
			  uint32 *touched)
{
	const uint32 *entries = lists->entries;
	const uint32 *occurrences = lists->occurrences;
	uint32	   *counts = miner->counts;
	uint32		ntouched = 0;
	bool		upward = looks_upward(miner, lists);
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

/* The same for weights, along the heads that were noted; only lower numbers. */
static void
weigh_walking(RecsysItemsetMiner *miner, const Lists *lists, uint32 number, const uint32 *heads)
{
	uint32		first = lists->places[number];

	for (uint32 o = first; o < lists->places[number + 1]; o++)
	{
		const uint32 *head = lists->entries + heads[o - first];
		double		weight = weight_of(miner, origin_of(lists, o - first, head));

		for (const uint32 *e = head + 1; e < lists->entries + lists->occurrences[o]; e++)
			miner->weights[*e] += weight;
	}
}

/* Do all these baskets have an item above the task's? */
static bool
closed_upward(RecsysItemsetMiner *miner, const Lists *lists, const uint32 *heads,
			  uint32 noccurrences, uint32 support)
{
	uint32		count = 0;

	for (uint32 o = 0; o < noccurrences; o++)
	{
		uint32		origin = origin_of(lists, o, lists->entries + heads[o]);

		count += count_of(lists->entries + heads[o]);
		if (o == 0)
			RecsysItemsetMinerStartUpward(miner, origin, support);
		else
			RecsysItemsetMinerNarrowUpward(miner, origin);
		if (miner->ncandidates == 0)
			return true;
	}
	/* the block lacks the baskets with nothing but the task's item */
	return count < support;
}

/* Is an item above the task's frequent in these baskets? */
static bool
grows_upward(RecsysItemsetMiner *miner, const Lists *lists, const uint32 *heads,
			 uint32 noccurrences)
{
	bool		frequent = false;

	for (uint32 o = 0; o < noccurrences && !frequent; o++)
	{
		const uint32 *head = lists->entries + heads[o];

		frequent = RecsysItemsetMinerCountUpward(miner, origin_of(lists, o, head), count_of(head));
	}
	for (uint32 o = 0; o < noccurrences; o++)
		RecsysItemsetMinerForgetUpward(miner, origin_of(lists, o, lists->entries + heads[o]));
	return frequent;
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
	uint32		nitems = looks_upward(miner, lists) ? lists->nitems : number;
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
	uint32	   *origins = NULL;
	bool		upward = looks_upward(miner, lists);

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

	columns = RecsysItemsetMinerAllocate(miner, n * sizeof(Column));
	memory = RecsysItemsetMinerAllocate(miner, (Size) n * words * sizeof(uint64));
	if (miner->basket_weights != NULL)
		weights = RecsysItemsetMinerAllocate(miner, (Size) words * 64 * sizeof(double));
	if (miner->kind != RECSYS_ITEMSETS_ALL)
		origins = RecsysItemsetMinerAllocate(miner, (Size) words * 64 * sizeof(uint32));
	if (miner->outcome != RECSYS_ITEMSETS_DONE)
		return false;
	memset(memory, 0, (Size) n * words * sizeof(uint64));
	if (weights != NULL)
		memset(weights, 0, (Size) words * 64 * sizeof(double));
	segments.weights = weights;
	segments.origins = origins;
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
		uint32		origin = origins != NULL || weights != NULL ? origin_of(lists, o, head) : 0;
		double		weight = weights != NULL ? weight_of(miner, origin) : 0.0;

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
			if (origins != NULL)
				origins[bit] = origin;
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
	return RecsysItemsetMineColumns(miner, columns, 0, nlower, n, &segments);
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
	bool		origins = miner->basket_weights != NULL || miner->kind != RECSYS_ITEMSETS_ALL;
	uint32		head_length = origins ? 2 : 1;
	uint32	   *entries = RecsysItemsetMinerAllocate(miner, (nentries + (Size) noccurrences * head_length + 1) *
													 sizeof(uint32));
	uint32	   *places = RecsysItemsetMinerAllocate(miner, (n + 1) * sizeof(uint32));
	uint32	   *new_occurrences = RecsysItemsetMinerAllocate(miner, (nentries + ITEMSET_AHEAD) *
															 sizeof(uint32));
	uint32	   *items = RecsysItemsetMinerAllocate(miner, n * sizeof(uint32));
	uint32		place = 0;
	uint32		sum = 0;
	bool		upward = looks_upward(miner, lists);
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
		if (origins)
			entries[place++] = ITEMSET_HEAD | origin_of(lists, o, head);
		entries[place++] = *head;
		for (const uint32 *e = head + 1; e < entry || (upward && !(*e & ITEMSET_HEAD)); e++)
		{
			entries[place] = miner->numbers[*e];
			place += entries[place] != RECSYS_NONE;
		}
		/* a single item says nothing about pairs, but upward there may be more */
		if (place - start < head_length + (miner->kind == RECSYS_ITEMSETS_ALL ? 2 : 1))
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
	shorter.top = false;
	for (uint32 x = 0; x < nlower; x++)
	{
		miner->set[miner->length++] = items[x];
		if (!RecsysItemsetMineList(miner, &shorter, x, extensions[x].support, extensions[x].weight))
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
bool
RecsysItemsetMineList(RecsysItemsetMiner *miner, const Lists *lists, uint32 number,
					  uint32 support, double weight)
{
	Mark		mark = RecsysItemsetMinerMark(miner);
	uint32		nfrequent;
	uint32		n = 0;
	uint32		nlower = 0;
	uint64		nentries = 0;
	bool		closed = true;
	bool		done;
	Extension  *extensions;
	uint32		noccurrences = lists->places[number + 1] - lists->places[number];
	uint32	   *heads;

	/* it was frequent, but min_support may have been raised */
	if (support < miner->min_support)
		return true;
	if (miner->kind == RECSYS_ITEMSETS_ALL && !may_grow(miner))
		return RecsysItemsetMinerReport(miner, 0, support, weight);

	heads = RecsysItemsetMinerAllocate(miner, noccurrences * sizeof(uint32));
	if (heads == NULL)
		return false;
	if (lists->top)
	{
		miner->task_occurrences = lists->occurrences + lists->places[number];
		miner->task_heads = heads;
	}
	nfrequent = find_frequent(miner, lists, number, heads);
	if ((extensions = RecsysItemsetMinerAllocate(miner, nfrequent * sizeof(Extension))) == NULL)
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
		memset(miner->weights, 0, number * sizeof(double));

	if (closed && miner->kind != RECSYS_ITEMSETS_ALL)
		closed = closed_upward(miner, lists, heads, noccurrences, support);
	if (closed && miner->kind == RECSYS_ITEMSETS_MAXIMAL && n == 0)
		closed = !grows_upward(miner, lists, heads, noccurrences);
	if (!closed)
		done = true;
	else if (!RecsysItemsetMinerReport(miner, n, support, weight))
		done = false;
	else if (nlower == 0 || !may_grow(miner))
		done = true;
	else if (n < miner->max_columns)
		done = mine_as_columns(miner, lists, number, heads, extensions, nlower, n);
	else
		done = mine_as_lists(miner, lists, number, heads, extensions, nlower, n, nentries);
	RecsysItemsetMinerRelease(miner, mark);
	return done;
}

