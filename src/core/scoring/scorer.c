/*
 * scorer.c
 *	  Sparse history times item graph, top k: the serving kernel.
 *
 * One double and one byte of marks for each item of the catalogue, and a list
 * of the items whose marks are set.  A call touches a few thousand items of
 * perhaps a million; the list is what a call looks through at its end and what
 * the next reset clears, so neither depends on the size of the catalogue.
 *
 * A list entry for each item costs more than the addition.  So for narrow rows, whose numbers
 * have 16 bits, there is a byte for each block of 8 items, a cache line of sums, instead.  It is
 * set without looking at it; at the end the blocks that were touched are looked through by vector
 * instructions (scorerblocks.c).  Who asks for a list of the items touched gets one made of the
 * blocks (RecsysScorerSettle).  The best items are found in scorertop.c.
 *
 * A long history touches nearly all blocks.  As soon as that is to be expected all of them are
 * marked, and rows are added without (narrowadd.c): half of what there is to do for each number.
 */
#include "core/scoring/narrowadd.h"
#include "core/scoring/scorerstate.h"

#define CACHE_LINE 64

int
RecsysCompareScored(const void *a, const void *b, void *order)
{
	const RecsysScored *left = a;
	const RecsysScored *right = b;

	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	return RecsysKeyOrderCompare(order, left->item, right->item);
}

/*
 * Sums for more items, at the beginning of a line of the cache, so that a block is one; those that
 * there are stay.
 */
static void
allocate_sums(RecsysScorer *scorer, Size capacity)
{
	Size		old = scorer->capacity;
	Size		size = capacity * sizeof(double) + CACHE_LINE;
	Size		start = old == 0 ? 0 : (char *) scorer->sums - scorer->memory;

	/* in the scorer's memory context, whichever is the current one by now */
	scorer->memory = old == 0 ? recsys_alloc_huge(size) : recsys_realloc_huge(scorer->memory, size);
	scorer->sums = (double *) (((uintptr_t) scorer->memory + CACHE_LINE - 1) & ~(uintptr_t) (CACHE_LINE - 1));
	memmove(scorer->sums, scorer->memory + start, old * sizeof(double));
	memset(scorer->sums + old, 0, (capacity - old) * sizeof(double));
}

RecsysScorer *
RecsysScorerCreate(uint32 nitems)
{
	RecsysScorer *scorer = palloc0(sizeof(RecsysScorer));
	Size		capacity = Max(nitems, 1);

	allocate_sums(scorer, capacity);
	scorer->nitems = nitems;
	scorer->capacity = (uint32) capacity;
	scorer->marks = recsys_alloc_huge_zero(capacity * sizeof(uint8));
	/* one more, for the store of RecsysScorerAdd that is then not counted */
	scorer->marked = recsys_alloc_huge((capacity + 1) * sizeof(uint32));
	return scorer;
}

void
RecsysScorerFree(RecsysScorer *scorer)
{
	pfree(scorer->memory);
	pfree(scorer->marks);
	pfree(scorer->marked);
	if (scorer->pool != NULL)
		pfree(scorer->pool);
	pfree(scorer);
}

static void
grow(RecsysScorer *scorer, uint32 nitems)
{
	Size		old = scorer->capacity;
	Size		capacity = Min(Max((uint64) nitems, (uint64) old + old / 4), RECSYS_NONE);

	allocate_sums(scorer, capacity);
	scorer->marks = recsys_realloc_huge(scorer->marks, capacity * sizeof(uint8));
	memset(scorer->marks + old, 0, (capacity - old) * sizeof(uint8));
	scorer->marked = recsys_realloc_huge(scorer->marked, (capacity + 1) * sizeof(uint32));
	scorer->capacity = (uint32) capacity;
}

void
RecsysScorerListBlocks(RecsysScorer *scorer)
{
	if (!scorer->narrow)
		scorer->ntouched = 0;
	else if (!scorer->listed)
		scorer->ntouched = RecsysBlocksTouched(scorer->blocks, scorer->touched);
	scorer->listed = true;
}

/* No block is touched any more. */
static void
leave_blocks(RecsysScorer *scorer)
{
	scorer->narrow = false;
	scorer->added = 0;
	scorer->expected = 0;
	scorer->all = 0;
}

void
RecsysScorerReset(RecsysScorer *scorer, uint32 nitems)
{
	for (uint32 x = 0; x < scorer->nmarked; x++)
	{
		scorer->sums[scorer->marked[x]] = 0.0;
		scorer->marks[scorer->marked[x]] = 0;
	}
	scorer->nmarked = 0;
	if (scorer->all > 0)
	{
		memset(scorer->sums, 0, scorer->all * sizeof(double));
		memset(scorer->blocks, 0, scorer->all / RECSYS_BLOCK_ITEMS);
		scorer->listed = false;
	}
	RecsysScorerListBlocks(scorer);
	RecsysBlocksClear(scorer->sums, scorer->blocks, scorer->touched, scorer->ntouched);
	leave_blocks(scorer);
	if (nitems > scorer->capacity)
		grow(scorer, nitems);
	scorer->nitems = nitems;
}

void
RecsysScorerSettle(RecsysScorer *scorer)
{
	RecsysScorerListBlocks(scorer);
	for (int x = 0; x < scorer->ntouched; x++)
	{
		uint32		first = (uint32) scorer->touched[x] * RECSYS_BLOCK_ITEMS;

		scorer->blocks[scorer->touched[x]] = 0;
		for (uint32 item = first; item < first + RECSYS_BLOCK_ITEMS; item++)
		{
			if (item >= scorer->nitems)
				scorer->sums[item] = 0;
			if (scorer->sums[item] == 0)
				continue;
			scorer->marked[scorer->nmarked] = item;
			scorer->nmarked += scorer->marks[item] == 0;
			scorer->marks[item] |= RECSYS_MARK_SUM;
		}
	}
	leave_blocks(scorer);
}

void
RecsysScorerAdd(RecsysScorer *scorer, double weight, const uint32 *items,
				const float *similarities, int n)
{
	double	   *sums = scorer->sums;
	uint8	   *marks = scorer->marks;
	uint32	   *marked = scorer->marked;
	uint32		nmarked = scorer->nmarked;
	uint32		nitems = scorer->nitems;

	for (int x = 0; x < n; x++)
	{
		uint32		item = items[x];

		if (unlikely(item >= nitems))
			continue;
		sums[item] += weight * similarities[x];

		/* without a branch, which would be taken at random */
		marked[nmarked] = item;
		nmarked += marks[item] == 0;
		marks[item] |= RECSYS_MARK_SUM;
	}
	scorer->nmarked = nmarked;
}

/* Marks blocks, from the first one on. */
static void
mark_blocks(RecsysScorer *scorer, uint32 blocks)
{
	scorer->all = blocks * RECSYS_BLOCK_ITEMS;
	memset(scorer->blocks, 1, blocks);
}

/*
 * Marks all blocks that items have, when after so many additions nearly all will be touched: one in
 * seven is not after two a block at random.  Rows that are still expected are taken to be like the
 * last one, of so many numbers.
 */
static void
mark_all(RecsysScorer *scorer, int n)
{
	uint32		items = Min(scorer->nitems, RECSYS_NARROW_ITEMS);
	uint32		blocks = (items + RECSYS_BLOCK_ITEMS - 1) / RECSYS_BLOCK_ITEMS;

	if (scorer->expected > 0)
		scorer->expected--;
	if (scorer->added + (uint64) scorer->expected * n >= 2 * blocks)
		mark_blocks(scorer, blocks);
}

void
RecsysScorerExpect(RecsysScorer *scorer, uint32 rows)
{
	scorer->expected = rows;
}

/*
 * Numbers from nitems on have sums too, which nothing looks at: that is cheaper than to look at
 * each number.  Those behind the blocks that were marked are met by damaged rows, and by rows that
 * have changed since the call began; then all blocks there can be are taken for touched.
 */
void
RecsysScorerAddNarrow(RecsysScorer *scorer, double weight, const uint16 *items,
					  const float *similarities, int n)
{
	if (unlikely(scorer->capacity < RECSYS_NARROW_ITEMS))
		grow(scorer, RECSYS_NARROW_ITEMS);
	scorer->narrow = true;
	scorer->listed = false;
	if (scorer->all > 0)
	{
		if (unlikely(RecsysNarrowAdd(scorer->sums, weight, items, similarities, n) >= scorer->all))
			mark_blocks(scorer, RECSYS_NARROW_BLOCKS);
		return;
	}
	RecsysNarrowAddMarking(scorer->sums, scorer->blocks, weight, items, similarities, n);
	scorer->added += n;
	mark_all(scorer, n);
}

int
RecsysScorerAddMapped(RecsysScorer *scorer, double weight, const uint32 *items,
					  const float *similarities, int n, const uint32 *map, uint32 mapped, int *left)
{
	double	   *sums = scorer->sums;
	uint8	   *marks = scorer->marks;
	uint32	   *marked = scorer->marked;
	uint32		nmarked = scorer->nmarked;
	uint32		nitems = scorer->nitems;
	int			nleft = 0;

	for (int x = 0; x < n; x++)
	{
		uint32		item = likely(items[x] < mapped) ? map[items[x]] : RECSYS_NONE;

		if (unlikely(item >= nitems))
		{
			left[nleft++] = x;
			continue;
		}
		sums[item] += weight * similarities[x];
		marked[nmarked] = item;
		nmarked += marks[item] == 0;
		marks[item] |= RECSYS_MARK_SUM;
	}
	scorer->nmarked = nmarked;
	return nleft;
}

void
RecsysScorerAddRange(RecsysScorer *scorer, uint32 first, const float *scores, int n)
{
	uint32		nmarked = scorer->nmarked;

	if (first >= scorer->nitems)
		return;
	n = (int) Min((uint32) n, scorer->nitems - first);
	for (int x = 0; x < n; x++)
	{
		uint32		item = first + x;
		bool		positive = scores[x] > 0.0f;

		scorer->sums[item] += positive ? scores[x] : 0.0f;
		scorer->marked[nmarked] = item;
		nmarked += positive && scorer->marks[item] == 0;
		scorer->marks[item] |= positive ? RECSYS_MARK_SUM : 0;
	}
	scorer->nmarked = nmarked;
}

static void
mark(RecsysScorer *scorer, uint32 item, uint8 with)
{
	if (scorer->marks[item] == 0)
		scorer->marked[scorer->nmarked++] = item;
	scorer->marks[item] |= with;
}

void
RecsysScorerAddScore(RecsysScorer *scorer, uint32 item, double score)
{
	if (item >= scorer->nitems)
		return;
	scorer->sums[item] += score;
	mark(scorer, item, RECSYS_MARK_SUM);
}

void
RecsysScorerMoveScaled(RecsysScorer *scorer, RecsysScorer *other, double scale)
{
	uint32		nmarked;

	RecsysScorerSettle(scorer);
	RecsysScorerSettle(other);
	nmarked = scorer->nmarked;
	RecsysScorerExtend(scorer, other->nitems);
	for (uint32 x = 0; x < other->nmarked; x++)
	{
		uint32		item = other->marked[x];

		scorer->sums[item] += scale * other->sums[item];
		scorer->marked[nmarked] = item;
		nmarked += scorer->marks[item] == 0;
		scorer->marks[item] |= RECSYS_MARK_SUM;
		other->sums[item] = 0.0;
		other->marks[item] = 0;
	}
	scorer->nmarked = nmarked;
	other->nmarked = 0;
}

double
RecsysScorerHighest(const RecsysScorer *scorer, double *amount)
{
	double		highest = 0;
	double		lowest = 0;

	RecsysScorerSettle((RecsysScorer *) scorer);
	for (uint32 x = 0; x < scorer->nmarked; x++)
	{
		double		sum = scorer->sums[scorer->marked[x]];

		highest = Max(highest, sum);
		lowest = Min(lowest, sum);
	}
	*amount = Max(highest, -lowest);
	return highest;
}

void
RecsysScorerMultiply(RecsysScorer *scorer, uint32 item, double factor)
{
	if (item < scorer->nitems)
		scorer->sums[item] *= factor;
}

void
RecsysScorerExtend(RecsysScorer *scorer, uint32 nitems)
{
	/* for this clears the sums of numbers that there were none of */
	if (nitems > scorer->nitems)
		RecsysScorerSettle(scorer);
	if (nitems > scorer->capacity)
		grow(scorer, nitems);
	scorer->nitems = Max(scorer->nitems, nitems);
}

void
RecsysScorerExclude(RecsysScorer *scorer, uint32 item)
{
	if (item < scorer->nitems)
		mark(scorer, item, RECSYS_MARK_EXCLUDED);
}

/* It keeps its place among the marked; without a score it is no candidate. */
void
RecsysScorerInclude(RecsysScorer *scorer, uint32 item)
{
	if (RecsysScorerIsExcluded(scorer, item))
		scorer->marks[item] = RECSYS_MARK_SUM;
}

void
RecsysScorerOffer(RecsysScorer *scorer, const uint8 *offered)
{
	scorer->offered = offered;
}

bool
RecsysScorerIsExcluded(const RecsysScorer *scorer, uint32 item)
{
	return item < scorer->nitems && (scorer->marks[item] & RECSYS_MARK_EXCLUDED) != 0;
}

bool
RecsysScorerIsCandidate(const RecsysScorer *scorer, uint32 item)
{
	return item < scorer->nitems && (scorer->marks[item] & RECSYS_MARK_EXCLUDED) == 0 &&
		(float) scorer->sums[item] > 0.0f && RecsysScorerIsOffered(scorer, item);
}

float
RecsysScorerScore(const RecsysScorer *scorer, uint32 item)
{
	return item < scorer->nitems ? (float) scorer->sums[item] : 0.0f;
}

uint32
RecsysScorerTouched(const RecsysScorer *scorer, const uint32 **items)
{
	RecsysScorerSettle((RecsysScorer *) scorer);
	*items = scorer->marked;
	return scorer->nmarked;
}

int
RecsysScorerCandidates(const RecsysScorer *scorer)
{
	uint32		narrow = scorer->narrow ? Min(scorer->nitems, RECSYS_NARROW_ITEMS) : 0;

	return (int) Min((uint64) scorer->nmarked + narrow, (uint64) PG_INT32_MAX);
}
