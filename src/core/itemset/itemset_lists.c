/*
 * itemset_lists.c
 *	  The search for item sets where baskets are lists of items.
 *
 * One walk along the baskets with an item counts what else is in them.  The items that
 * are frequent there are its extensions.  The search goes on with the baskets reduced to
 * these: as columns of bits when the extensions are few, as shorter lists when they are
 * many.
 */
#include "core/itemset/itemset_lists.h"

#include "core/itemset/itemset_columns.h"

/* An item that is frequent together with the current set. */
typedef struct Extension
{
	uint32		number;			/* in entries */
	uint32		support;
	ItemsetWeight weight;
} Extension;

/* A set, its baskets, and what may be added to it. */
typedef struct SetNode
{
	const Lists *lists;			/* where the baskets stand ... */
	uint32		number;			/* ... that have the item of this number */
	const uint32 *occurrences;	/* of that item */
	uint32		noccurrences;
	uint32	   *heads;			/* of the basket of each occurrence: where in entries */
	bool		upward;			/* do items with higher numbers in the lists matter? */
	Extension  *extensions;
	uint32		n;
	uint32		nlower;			/* of these, the ones that may be in sets come first */
	uint64		nentries;		/* of extensions in all baskets */
} SetNode;

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

static inline ItemsetWeight
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
 * Count the items of the node's baskets, those with higher numbers only where they
 * matter, and note where the baskets' heads are.  If touched is given, it gets the items
 * that were met; returns how many.
 */
static inline uint32
count_walking(RecsysItemsetMiner *miner, const SetNode *node, uint32 *touched)
{
	const uint32 *entries = node->lists->entries;
	const uint32 *occurrences = node->occurrences;
	uint32	   *heads = node->heads;
	uint32	   *counts = miner->counts;
	uint32		ntouched = 0;
	bool		upward = node->upward;

	for (uint32 o = 0; o < node->noccurrences; o++)
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
weigh_walking(RecsysItemsetMiner *miner, const SetNode *node)
{
	const Lists *lists = node->lists;

	for (uint32 o = 0; o < node->noccurrences; o++)
	{
		const uint32 *head = lists->entries + node->heads[o];
		ItemsetWeight weight = weight_of(miner, origin_of(lists, o, head));

		for (const uint32 *e = head + 1; e < lists->entries + node->occurrences[o]; e++)
			itemset_weight_add(&miner->weights[*e], weight);
	}
}

/* Do all these baskets have an item above the task's? */
static bool
closed_upward(RecsysItemsetMiner *miner, const SetNode *node, uint32 support)
{
	const Lists *lists = node->lists;
	uint32		count = 0;

	for (uint32 o = 0; o < node->noccurrences; o++)
	{
		const uint32 *head = lists->entries + node->heads[o];
		uint32		origin = origin_of(lists, o, head);

		count += count_of(head);
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
grows_upward(RecsysItemsetMiner *miner, const SetNode *node)
{
	const Lists *lists = node->lists;
	bool		frequent = false;

	for (uint32 o = 0; o < node->noccurrences && !frequent; o++)
	{
		const uint32 *head = lists->entries + node->heads[o];

		frequent = RecsysItemsetMinerCountUpward(miner, origin_of(lists, o, head), count_of(head));
	}
	for (uint32 o = 0; o < node->noccurrences; o++)
		RecsysItemsetMinerForgetUpward(miner, origin_of(lists, o, lists->entries + node->heads[o]));
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
 * Find the items that are frequent in the node's baskets.  They are left in touched,
 * ascending, and their counts in counts.  All other counts are zero again.
 */
static uint32
find_frequent(RecsysItemsetMiner *miner, const SetNode *node)
{
	uint32		nitems = node->upward ? node->lists->nitems : node->number;
	uint32	   *counts = miner->counts;
	uint32		n = 0;

	if (node->noccurrences > nitems / 64)
	{
		count_walking(miner, node, NULL);
		if (miner->weights != NULL)
			weigh_walking(miner, node);
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
		uint32		ntouched = count_walking(miner, node, miner->touched);

		if (miner->weights != NULL)
			weigh_walking(miner, node);
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

/* New numbers for the extensions: places in the node's array of them. */
static void
number_extensions(RecsysItemsetMiner *miner, const SetNode *node)
{
	for (uint32 x = 0; x < node->n; x++)
		miner->numbers[node->extensions[x].number] = x;
}

static void
forget_numbers(RecsysItemsetMiner *miner, const SetNode *node)
{
	for (uint32 x = 0; x < node->n; x++)
		miner->numbers[node->extensions[x].number] = RECSYS_NONE;
}

/* Set the bits of the node's baskets. */
static inline void
fill_columns(RecsysItemsetMiner *miner, const SetNode *node, ColumnLayout *layout, Column *columns)
{
	const Lists *lists = node->lists;
	bool		upward = node->upward;

	for (uint32 o = 0; o < node->noccurrences; o++)
	{
		const uint32 *entry = lists->entries + node->occurrences[o];
		const uint32 *head = lists->entries + node->heads[o];
		uint32		count = count_of(head);
		uint32		origin = layout->origins != NULL || layout->weights != NULL ?
			origin_of(lists, o, head) : 0;
		ItemsetWeight weight = {0, 0};

		__builtin_prefetch(lists->entries + node->occurrences[o + ITEMSET_AHEAD]);
		if (layout->weights != NULL)
			weight = weight_of(miner, origin);
		for (uint32 s = 0; count != 0; s++, count >>= 1)
		{
			uint32		bit = layout->bits[s];

			if (!(count & 1))
				continue;
			layout->bits[s]++;
			note_bit(layout, bit, weight, origin);
			weight = (ItemsetWeight) {0, 0};
			for (const uint32 *e = head + 1; e < entry || (upward && !(*e & ITEMSET_HEAD)); e++)
			{
				uint32		column = miner->numbers[*e];

				if (column != RECSYS_NONE)
					columns[column].bits[bit / 64] |= UINT64CONST(1) << (bit % 64);
			}
		}
	}
}

/* Lay out the baskets as columns of the extensions and mine them. */
static bool
mine_as_columns(RecsysItemsetMiner *miner, const SetNode *node)
{
	Segments	segments;
	ColumnLayout layout;
	Column	   *columns;

	RecsysItemsetLayoutStart(&layout, &segments);
	for (uint32 o = 0; o < node->noccurrences; o++)
		count_bits(&layout, count_of(node->lists->entries + node->heads[o]));
	RecsysItemsetLayoutPlace(&layout);
	columns = RecsysItemsetLayoutColumns(miner, &layout, node->n,
										 miner->kind != RECSYS_ITEMSETS_ALL);
	if (columns == NULL)
		return false;
	for (uint32 x = 0; x < node->n; x++)
	{
		columns[x].item = node->lists->items[node->extensions[x].number];
		columns[x].support = node->extensions[x].support;
	}
	number_extensions(miner, node);
	fill_columns(miner, node, &layout, columns);
	forget_numbers(miner, node);
	return RecsysItemsetMineColumns(miner, columns, 0, node->nlower, node->n, &segments);
}

/* Words of a head in shorter lists: origins are there where somebody needs them. */
static inline uint32
length_of_heads(const RecsysItemsetMiner *miner)
{
	return miner->basket_weights != NULL || miner->kind != RECSYS_ITEMSETS_ALL ? 2 : 1;
}

/*
 * Copy the node's baskets, of which only the extensions, and count these in places.
 * Returns the length of what was written to entries.
 */
static inline uint32
copy_baskets(RecsysItemsetMiner *miner, const SetNode *node, uint32 *entries, uint32 *places)
{
	const Lists *lists = node->lists;
	bool		upward = node->upward;
	uint32		head_length = length_of_heads(miner);
	/* a single item says nothing about pairs, but upward there may be more */
	uint32		min_length = head_length + (miner->kind == RECSYS_ITEMSETS_ALL ? 2 : 1);
	uint32		place = 0;

	for (uint32 o = 0; o < node->noccurrences; o++)
	{
		const uint32 *entry = lists->entries + node->occurrences[o];
		const uint32 *head = lists->entries + node->heads[o];
		uint32		start = place;

		__builtin_prefetch(lists->entries + node->occurrences[o + ITEMSET_AHEAD]);
		if (head_length > 1)
			entries[place++] = ITEMSET_HEAD | origin_of(lists, o, head);
		entries[place++] = *head;
		for (const uint32 *e = head + 1; e < entry || (upward && !(*e & ITEMSET_HEAD)); e++)
		{
			entries[place] = miner->numbers[*e];
			place += entries[place] != RECSYS_NONE;
		}
		if (place - start < min_length)
			place = start;
		else
		{
			for (uint32 p = start + head_length; p < place; p++)
				places[entries[p]]++;
		}
	}
	entries[place] = ITEMSET_HEAD;
	return place;
}

/* The node's baskets with nothing but the extensions.  False if memory does not suffice. */
static bool
shorten_lists(RecsysItemsetMiner *miner, const SetNode *node, Lists *shorter)
{
	uint32		n = node->n;
	Size		nheads = (Size) node->noccurrences * length_of_heads(miner) + 1;
	uint32	   *entries = RecsysItemsetMinerAllocate(miner, (node->nentries + nheads) *
													 sizeof(uint32));
	uint32	   *places = RecsysItemsetMinerAllocate(miner, (n + 1) * sizeof(uint32));
	uint32	   *occurrences = RecsysItemsetMinerAllocate(miner, (node->nentries + ITEMSET_AHEAD) *
														 sizeof(uint32));
	uint32	   *items = RecsysItemsetMinerAllocate(miner, n * sizeof(uint32));
	uint32		place;
	uint32		sum = 0;

	if (entries == NULL || places == NULL || occurrences == NULL || items == NULL)
		return false;
	memset(places, 0, (n + 1) * sizeof(uint32));
	for (uint32 x = 0; x < n; x++)
		items[x] = node->lists->items[node->extensions[x].number];
	number_extensions(miner, node);
	place = copy_baskets(miner, node, entries, places);
	forget_numbers(miner, node);

	/* occurrences: add up the counts, and fill from each list's end */
	for (uint32 x = 0; x <= n; x++)
		places[x] = sum += places[x];
	memset(occurrences + sum, 0, ITEMSET_AHEAD * sizeof(uint32));
	while (place-- > 0)
	{
		if (!(entries[place] & ITEMSET_HEAD))
			occurrences[--places[entries[place]]] = place;
	}
	shorter->entries = entries;
	shorter->places = places;
	shorter->occurrences = occurrences;
	shorter->items = items;
	shorter->nitems = n;
	shorter->top = false;
	return true;
}

/* Go on with shorter lists. */
static bool
mine_as_lists(RecsysItemsetMiner *miner, const SetNode *node)
{
	uint32		length = miner->length;
	uint32		nperfect = miner->nperfect;
	Lists		shorter;

	if (!shorten_lists(miner, node, &shorter))
		return false;
	for (uint32 x = 0; x < node->nlower; x++)
	{
		const Extension *extension = &node->extensions[x];

		miner->set[miner->length++] = shorter.items[x];
		if (!RecsysItemsetMineList(miner, &shorter, x, extension->support, extension->weight))
			return false;
		miner->length = length;
		miner->nperfect = nperfect;
	}
	return true;
}

/*
 * The extensions among the frequent items in touched, ascending.  Those that all baskets
 * have become part of the set; false if the set is not closed because of one of them.
 */
static inline bool
find_extensions(RecsysItemsetMiner *miner, SetNode *node, uint32 nfrequent, uint32 support)
{
	bool		closed = true;

	for (uint32 x = 0; x < nfrequent; x++)
	{
		uint32		frequent = miner->touched[x];
		uint32		count = miner->counts[frequent];

		if (count < support)
		{
			Extension  *extension = &node->extensions[node->n++];

			extension->number = frequent;
			extension->support = count;
			if (miner->weights != NULL)
				extension->weight = miner->weights[frequent];
			node->nlower += frequent < node->number;
			node->nentries += count;
		}
		else if (frequent < node->number)
			add_perfect(miner, node->lists->items[frequent]);
		else
			closed = false;
		miner->counts[frequent] = 0;
	}
	if (miner->weights != NULL)
		memset(miner->weights, 0, node->number * sizeof(ItemsetWeight));
	return closed;
}

/* As far as items above the task's go: is the set closed, or maximal if that is wanted? */
static bool
complete_upward(RecsysItemsetMiner *miner, const SetNode *node, uint32 support)
{
	if (miner->kind == RECSYS_ITEMSETS_ALL)
		return true;
	if (!closed_upward(miner, node, support))
		return false;
	return miner->kind != RECSYS_ITEMSETS_MAXIMAL || node->n > 0 || !grows_upward(miner, node);
}

bool
RecsysItemsetMineList(RecsysItemsetMiner *miner, const Lists *lists, uint32 number,
					  uint32 support, ItemsetWeight weight)
{
	Mark		mark = RecsysItemsetMinerMark(miner);
	SetNode		node = {.lists = lists, .number = number,
		.occurrences = lists->occurrences + lists->places[number],
		.noccurrences = lists->places[number + 1] - lists->places[number],
		.upward = looks_upward(miner, lists)};
	uint32		nfrequent;
	bool		done = true;

	/* it was frequent, but min_support may have been raised */
	if (support < miner->min_support)
		return true;
	if (miner->kind == RECSYS_ITEMSETS_ALL && !may_grow(miner))
		return RecsysItemsetMinerReport(miner, 0, support, weight);

	node.heads = RecsysItemsetMinerAllocate(miner, node.noccurrences * sizeof(uint32));
	if (node.heads == NULL)
		return false;
	if (lists->top)
	{
		miner->task_occurrences = node.occurrences;
		miner->task_heads = node.heads;
	}
	nfrequent = find_frequent(miner, &node);
	node.extensions = RecsysItemsetMinerAllocate(miner, nfrequent * sizeof(Extension));
	if (node.extensions == NULL)
		return false;
	if (find_extensions(miner, &node, nfrequent, support) && complete_upward(miner, &node, support))
	{
		done = RecsysItemsetMinerReport(miner, node.n, support, weight);
		if (done && node.nlower > 0 && may_grow(miner))
			done = node.n < miner->max_columns ? mine_as_columns(miner, &node) :
				mine_as_lists(miner, &node);
	}
	RecsysItemsetMinerRelease(miner, mark);
	return done;
}
