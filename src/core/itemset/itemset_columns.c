/*
 * itemset_columns.c
 *	  The search for item sets where baskets are columns of bits.
 *
 * A child's columns are those of its siblings, each and-ed with its own.  When much
 * fewer baskets are left than there are bits, the bits of those that are left are
 * moved together.
 */
#include "core/itemset/itemset_columns.h"

/*
 * Bits are moved together in columns of at least this many words, if no more than this
 * share of the words is left.
 */
#define COMPRESS_WORDS 6
#define COMPRESS_SHARE 0.6

/* What one step along a list takes, in words compared. */
#define LIST_STEP 20.0

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

/*
 * Move the bits of a column that mask has together, segment by segment.  extract(a, m)
 * does so within a word.
 */
#define DEFINE_COMPRESS(name, extract) \
static void \
name(const Segments *segments, const uint64 *mask, const uint64 *bits, uint64 *result) \
{ \
	for (uint32 s = 0; s < segments->count; s++) \
	{ \
		uint64		word = 0; \
		uint32		filled = 0; \
\
		for (uint32 w = segments->first[s]; w < segments->first[s + 1]; w++) \
		{ \
			uint32		n = (uint32) __builtin_popcountll(mask[w]); \
			uint64		extracted = extract(bits[w], mask[w]); \
\
			word |= extracted << filled; \
			if (filled + n >= 64) \
			{ \
				*result++ = word; \
				word = filled > 0 ? extracted >> (64 - filled) : 0; \
				filled -= 64; \
			} \
			filled += n; \
		} \
		if (filled > 0) \
			*result++ = word; \
	} \
}

static inline uint64
extract_bits(uint64 bits, uint64 mask)
{
	uint64		result = 0;

	for (bits &= mask; bits != 0; bits &= bits - 1)
		result |= UINT64CONST(1) << __builtin_popcountll(mask & ((bits & -bits) - 1));
	return result;
}

DEFINE_COMPRESS(compress_any, extract_bits)

#if defined(__x86_64__) && defined(__GNUC__) && !defined(RECSYS_NO_TARGET_CLONES)
__attribute__((target("bmi2,popcnt")))
DEFINE_COMPRESS(compress_bmi2, __builtin_ia32_pext_di)

static void
compress(const Segments *segments, const uint64 *mask, const uint64 *bits, uint64 *result)
{
	if (__builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt"))
		compress_bmi2(segments, mask, bits, result);
	else
		compress_any(segments, mask, bits, result);
}
#else
#define compress compress_any
#endif

/*
 * Children of a column, moved together, with their segments; false if memory does not
 * suffice.  They stay as they are where that would not save much.
 */
static bool
compress_children(RecsysItemsetMiner *miner, const Segments *segments, const uint64 *mask,
				  Column *children, uint32 n, Segments *result)
{
	uint32		words = 0;

	result->count = segments->count;
	for (uint32 s = 0; s < segments->count; s++)
	{
		uint32		bits = 0;

		for (uint32 w = segments->first[s]; w < segments->first[s + 1]; w++)
			bits += (uint32) __builtin_popcountll(mask[w]);
		result->first[s] = words;
		words += (bits + 63) / 64;
	}
	result->first[segments->count] = words;
	if (words > segments->first[segments->count] * COMPRESS_SHARE)
	{
		*result = *segments;
		return true;
	}
	add_work(miner, (uint64) n * segments->first[segments->count]);
	for (uint32 x = 0; x < n; x++)
	{
		uint64	   *bits = RecsysItemsetMinerAllocate(miner, words * sizeof(uint64));

		if (bits == NULL)
			return false;
		compress(segments, mask, children[x].bits, bits);
		children[x].bits = bits;
	}
	result->weights = NULL;
	result->origins = NULL;
	if (segments->weights != NULL || segments->origins != NULL)
	{
		ItemsetWeight *weights = NULL;
		uint32	   *origins = NULL;

		if ((segments->weights != NULL &&
			 (weights = RecsysItemsetMinerAllocate(miner, (Size) words * 64 * sizeof(ItemsetWeight))) == NULL) ||
			(segments->origins != NULL &&
			 (origins = RecsysItemsetMinerAllocate(miner, (Size) words * 64 * sizeof(uint32))) == NULL))
			return false;
		for (uint32 s = 0; s < segments->count; s++)
		{
			uint32		bit = result->first[s] * 64;

			for (uint32 w = segments->first[s]; w < segments->first[s + 1]; w++)
			{
				for (uint64 word = mask[w]; word != 0; word &= word - 1)
				{
					uint32		old = w * 64 + (uint32) __builtin_ctzll(word);

					if (weights != NULL)
						weights[bit] = segments->weights[old];
					if (origins != NULL)
						origins[bit] = segments->origins[old];
					bit++;
				}
			}
		}
		result->weights = weights;
		result->origins = origins;
	}
	return true;
}

/* Weight of the baskets of column x. */
static ItemsetWeight
weigh_column(const RecsysItemsetMiner *miner, const Column *columns, uint32 x,
			 const Segments *segments)
{
	const uint64 *bits = columns[x].bits;
	ItemsetWeight weight = {0, 0};

	if (segments->weights == NULL)
		return weight;
	/* the block lacks the baskets that have nothing but this item */
	if (columns == miner->columns)
		return ITEMSET_ARRAY(miner->block, const ItemsetWeight, weights)[x];
	for (uint32 w = 0; w < segments->first[segments->count]; w++)
	{
		for (uint64 word = bits[w]; word != 0; word &= word - 1)
			itemset_weight_add(&weight, segments->weights[w * 64 + __builtin_ctzll(word)]);
	}
	return weight;
}

/* Do all these baskets have an item above the task's? */
static bool
closed_upward(RecsysItemsetMiner *miner, const Segments *segments, const uint64 *bits,
			  uint32 support)
{
	bool		started = false;

	if (segments->origins == NULL)
		return true;
	for (uint32 w = 0; w < segments->first[segments->count]; w++)
	{
		for (uint64 word = bits[w]; word != 0; word &= word - 1)
		{
			uint32		origin = segments->origins[w * 64 + __builtin_ctzll(word)];

			if (started)
				RecsysItemsetMinerNarrowUpward(miner, origin);
			else
				RecsysItemsetMinerStartUpward(miner, origin, support);
			started = true;
			if (miner->ncandidates == 0)
				return true;
		}
	}
	return false;
}

/* Is an item above the task's frequent in these baskets? */
static bool
grows_upward(RecsysItemsetMiner *miner, const Segments *segments, const uint64 *bits)
{
	bool		frequent = false;

	if (segments->origins == NULL)
		return false;
	for (int forget = 0; forget < 2; forget++)
	{
		for (uint32 s = 0; s < segments->count; s++)
		{
			for (uint32 w = segments->first[s]; w < segments->first[s + 1]; w++)
			{
				for (uint64 word = bits[w]; word != 0; word &= word - 1)
				{
					uint32		origin = segments->origins[w * 64 + __builtin_ctzll(word)];

					if (forget)
						RecsysItemsetMinerForgetUpward(miner, origin);
					else if (!frequent)
						frequent = RecsysItemsetMinerCountUpward(miner, origin,
																 (uint32) 1 << s);
				}
			}
		}
	}
	return frequent;
}

/* What becomes of the columns of one item after the other. */
typedef struct Children
{
	Column	   *columns;
	uint32		n;
	uint32		nlower;			/* of these, those with lower numbers: they may be added */
	uint64	   *bits;			/* room for all there can be */
	uint32	   *supports;
} Children;

/*
 * The columns of the current set, to which the item of column x has just been added:
 * the first n columns, each and-ed with x.  False if one with a higher number has all
 * its baskets, so that the set is not closed.
 */
static inline bool
find_children(RecsysItemsetMiner *miner, const Column *columns, uint32 x, uint32 n,
			  const Segments *segments, Children *children)
{
	uint32		words = segments->first[segments->count];
	uint32		support = columns[x].support;
	const uint32 *supports = children->supports;
	uint32		nchildren = 0;

	add_work(miner, (uint64) n * words);
	intersect(columns[x].bits, columns, n, segments, children->bits, children->supports);
	for (uint32 y = 0; y < n; y++)
	{
		if (y == x)
			children->nlower = nchildren;
		else if (supports[y] == support)
		{
			if (y > x)
				return false;
			add_perfect(miner, columns[y].item);
		}
		else if (supports[y] >= miner->min_support)
		{
			Column	   *child = &children->columns[nchildren++];

			child->item = columns[y].item;
			child->support = supports[y];
			child->bits = children->bits + (Size) y * words;
		}
	}
	children->n = nchildren;
	if (n == x)
		children->nlower = nchildren;
	return true;
}

/* As far as items above the task's go: is the set closed, or maximal if that is wanted? */
static inline bool
complete_upward(RecsysItemsetMiner *miner, const Column *column, const Segments *segments,
			uint32 nchildren)
{
	if (!closed_upward(miner, segments, column->bits, column->support))
		return false;
	return miner->kind != RECSYS_ITEMSETS_MAXIMAL || nchildren > 0 ||
		!grows_upward(miner, segments, column->bits);
}

/* All sets below the current one, whose baskets are the bits. */
static inline bool
mine_children(RecsysItemsetMiner *miner, const Segments *segments, const uint64 *bits,
			  const Children *children)
{
	Mark		mark = RecsysItemsetMinerMark(miner);
	Segments	moved;

	if (children->n < 2 || segments->first[segments->count] < COMPRESS_WORDS)
		return RecsysItemsetMineColumns(miner, children->columns, 0, children->nlower,
										children->n, segments);
	if (!compress_children(miner, segments, bits, children->columns, children->n, &moved) ||
		!RecsysItemsetMineColumns(miner, children->columns, 0, children->nlower, children->n,
								  &moved))
		return false;
	RecsysItemsetMinerRelease(miner, mark);
	return true;
}

bool
RecsysItemsetMineColumns(RecsysItemsetMiner *miner, const Column *columns, uint32 first,
						 uint32 last, uint32 ncolumns, const Segments *segments)
{
	Mark		mark = RecsysItemsetMinerMark(miner);
	bool		all = miner->kind == RECSYS_ITEMSETS_ALL;
	uint32		words = segments->first[segments->count];
	uint32		nothers = all ? last : ncolumns;
	uint32		length = miner->length;
	uint32		nperfect = miner->nperfect;
	Children	children;

	children.columns = RecsysItemsetMinerAllocate(miner, nothers * sizeof(Column));
	children.supports = RecsysItemsetMinerAllocate(miner, nothers * sizeof(uint32));
	children.bits = RecsysItemsetMinerAllocate(miner, (Size) nothers * words * sizeof(uint64));
	if (children.columns == NULL || children.supports == NULL || children.bits == NULL)
		return false;
	for (uint32 x = first; x < last; x++)
	{
		uint32		support = columns[x].support;
		bool		closed = true;

		/* it was frequent, but min_support may have been raised */
		if (support < miner->min_support)
			continue;
		miner->set[miner->length++] = columns[x].item;
		children.n = 0;
		children.nlower = 0;
		if (!all || may_grow(miner))
			closed = find_children(miner, columns, x, all ? x : ncolumns, segments, &children);
		if (closed && !all)
			closed = complete_upward(miner, &columns[x], segments, children.n);
		if (closed)
		{
			bool		deeper = children.nlower > 0 && may_grow(miner);

			if (!RecsysItemsetMinerReport(miner, children.n, support,
										  weigh_column(miner, columns, x, segments)))
				return false;
			if (deeper && !mine_children(miner, segments, columns[x].bits, &children))
				return false;
		}
		miner->length = length;
		miner->nperfect = nperfect;
	}
	RecsysItemsetMinerRelease(miner, mark);
	return true;
}

void
RecsysItemsetLayoutStart(ColumnLayout *layout, Segments *segments)
{
	layout->segments = segments;
	segments->count = 1;
	memset(layout->bits, 0, sizeof(layout->bits));
}

void
RecsysItemsetLayoutPlace(ColumnLayout *layout)
{
	Segments   *segments = layout->segments;
	uint32		words = 0;

	for (uint32 s = 0; s < segments->count; s++)
	{
		segments->first[s] = words;
		words += (layout->bits[s] + 63) / 64;
		layout->bits[s] = segments->first[s] * 64;
	}
	segments->first[segments->count] = words;
	layout->words = words;
}

Column *
RecsysItemsetLayoutColumns(RecsysItemsetMiner *miner, ColumnLayout *layout, uint32 n, bool origins)
{
	Size		bits = (Size) layout->words * 64;
	Size		size = (Size) n * layout->words * sizeof(uint64);
	Column	   *columns = RecsysItemsetMinerAllocate(miner, n * sizeof(Column));
	uint64	   *memory = RecsysItemsetMinerAllocate(miner, size);

	layout->weights = NULL;
	layout->origins = NULL;
	if (miner->basket_weights != NULL)
		layout->weights = RecsysItemsetMinerAllocate(miner, bits * sizeof(ItemsetWeight));
	if (origins)
		layout->origins = RecsysItemsetMinerAllocate(miner, bits * sizeof(uint32));
	if (miner->outcome != RECSYS_ITEMSETS_DONE)
		return NULL;
	memset(memory, 0, size);
	if (layout->weights != NULL)
		memset(layout->weights, 0, bits * sizeof(ItemsetWeight));
	layout->segments->weights = layout->weights;
	layout->segments->origins = layout->origins;
	for (uint32 x = 0; x < n; x++)
		columns[x].bits = memory + (Size) x * layout->words;
	return columns;
}

/* The first word of the next basket's head, after the last word of this one's. */
static const uint32 *
next_basket(const uint32 *head)
{
	for (head++; !(*head & ITEMSET_HEAD); head++)
		;
	return head;
}

/* Set the bits of the block's baskets. */
static void
fill_columns(RecsysItemsetMiner *miner, ColumnLayout *layout)
{
	const ItemsetBlock *block = miner->block;
	const uint32 *end = miner->lists.entries + block->nentries - 1;
	uint64	   *memory = miner->columns[0].bits;

	for (const uint32 *head = miner->lists.entries + block->weighted; head < end;
		 head = next_basket(head) + block->weighted)
	{
		uint32		count = *head & ~ITEMSET_HEAD;
		ItemsetWeight weight = {0, 0};

		if (layout->weights != NULL)
			weight = miner->basket_weights[head[-1] & ~ITEMSET_HEAD];
		for (uint32 s = 0; count != 0; s++, count >>= 1)
		{
			uint32		bit = layout->bits[s];

			if (!(count & 1))
				continue;
			layout->bits[s]++;
			note_bit(layout, bit, weight, 0);
			weight = (ItemsetWeight) {0, 0};
			for (const uint32 *e = head + 1; !(*e & ITEMSET_HEAD); e++)
				memory[(Size) *e * layout->words + bit / 64] |= UINT64CONST(1) << (bit % 64);
		}
	}
}

void
RecsysItemsetMinerConsiderColumns(RecsysItemsetMiner *miner)
{
	const ItemsetBlock *block = miner->block;
	const uint32 *end = miner->lists.entries + block->nentries - 1;
	ColumnLayout layout;
	double		pairs = (double) block->nranks * block->nranks / 2;
	double		steps = (double) block->nentries * block->nentries / Max(block->ndistinct, 1) / 2;

	/*
	 * There are at least so many words, and a basket takes a step for each pair of its
	 * items.  At most half of the memory, since the search needs as much again.
	 */
	if (pairs * (block->ndistinct / 64 + 1) > steps * LIST_STEP ||
		block->nranks == 0 ||
		(double) block->nranks * (block->ndistinct / 64 + MAX_SEGMENTS) * sizeof(uint64) * 4 >
		miner->memory_limit - miner->memory)
		return;

	RecsysItemsetLayoutStart(&layout, &miner->segments);
	for (const uint32 *head = miner->lists.entries + block->weighted; head < end;
		 head = next_basket(head) + block->weighted)
		count_bits(&layout, *head & ~ITEMSET_HEAD);
	RecsysItemsetLayoutPlace(&layout);
	if ((Size) block->nranks * layout.words * sizeof(uint64) * 3 +
		(Size) layout.words * 64 * sizeof(ItemsetWeight) > miner->memory_limit - miner->memory)
		return;
	miner->columns = RecsysItemsetLayoutColumns(miner, &layout, block->nranks, false);
	if (miner->columns == NULL)
	{
		/* then lists, which may take less */
		miner->outcome = RECSYS_ITEMSETS_DONE;
		return;
	}
	for (uint32 rank = 0; rank < block->nranks; rank++)
	{
		miner->columns[rank].item = miner->lists.items[rank];
		miner->columns[rank].support = miner->supports[rank];
	}
	fill_columns(miner, &layout);
	miner->dense = true;
}
