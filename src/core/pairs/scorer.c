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
 * have 16 bits, there is a byte for each block of 8 items, a cache line of sums, instead.  It is set
 * without looking at it; at the end the blocks that were touched are looked through by
 * vector instructions (scorerblocks.c).  Who asks for a list of the items touched gets
 * one made of the blocks (settle).
 */
#include "core/pairs/scorer.h"

#include "core/base/topk.h"
#include "core/pairs/scorerblocks.h"

#define MARK_SUM 1				/* the item was added to */
#define MARK_EXCLUDED 2

#define POOL_EXTRA 64

struct RecsysScorer
{
	uint32		nitems;
	uint32		capacity;		/* room in sums, marks, marked */
	double	   *sums;			/* zero unless MARK_SUM */
	uint8	   *marks;
	uint32	   *marked;			/* items with any mark, each once */
	uint32		nmarked;
	const uint8 *offered;		/* NULL: all items */
	bool		narrow;			/* may any block be touched? */
	bool		listed;			/* are those that are in `touched`? */
	int			ntouched;
	uint16		touched[RECSYS_NARROW_BLOCKS + 8];	/* blocks that narrow rows have added to */
	uint8		blocks[RECSYS_NARROW_BLOCKS];	/* marks of all blocks: 1 for those, else 0 */
	RecsysCandidate *pool;		/* kept from call to call */
	Size		pool_size;
};

int
RecsysCompareScored(const void *a, const void *b, void *order)
{
	const RecsysScored *left = a;
	const RecsysScored *right = b;

	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	return RecsysKeyOrderCompare(order, left->item, right->item);
}

RecsysScorer *
RecsysScorerCreate(uint32 nitems)
{
	RecsysScorer *scorer = palloc0(sizeof(RecsysScorer));
	Size		capacity = Max(nitems, 1);

	scorer->nitems = nitems;
	scorer->capacity = (uint32) capacity;
	scorer->sums = recsys_alloc_huge_zero(capacity * sizeof(double));
	scorer->marks = recsys_alloc_huge_zero(capacity * sizeof(uint8));
	/* one more, for the store of RecsysScorerAdd that is then not counted */
	scorer->marked = recsys_alloc_huge((capacity + 1) * sizeof(uint32));
	return scorer;
}

void
RecsysScorerFree(RecsysScorer *scorer)
{
	pfree(scorer->sums);
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

	scorer->sums = recsys_realloc_huge(scorer->sums, capacity * sizeof(double));
	memset(scorer->sums + old, 0, (capacity - old) * sizeof(double));
	scorer->marks = recsys_realloc_huge(scorer->marks, capacity * sizeof(uint8));
	memset(scorer->marks + old, 0, (capacity - old) * sizeof(uint8));
	scorer->marked = recsys_realloc_huge(scorer->marked, (capacity + 1) * sizeof(uint32));
	scorer->capacity = (uint32) capacity;
}

/* Which blocks are touched */
static void
list_blocks(RecsysScorer *scorer)
{
	if (!scorer->narrow)
		scorer->ntouched = 0;
	else if (!scorer->listed)
		scorer->ntouched = RecsysBlocksTouched(scorer->blocks, scorer->touched);
	scorer->listed = true;
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
	list_blocks(scorer);
	RecsysBlocksClear(scorer->sums, scorer->blocks, scorer->touched, scorer->ntouched);
	scorer->narrow = false;
	if (nitems > scorer->capacity)
		grow(scorer, nitems);
	scorer->nitems = nitems;
}

/* Items of the blocks touched become marked ones; numbers that there are none of go. */
static void
settle(RecsysScorer *scorer)
{
	list_blocks(scorer);
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
			scorer->marks[item] |= MARK_SUM;
		}
	}
	scorer->narrow = false;
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
		marks[item] |= MARK_SUM;
	}
	scorer->nmarked = nmarked;
}

/*
 * Numbers from nitems on have sums too, which nothing looks at: that is cheaper than to look at
 * each number.
 */
void
RecsysScorerAddNarrow(RecsysScorer *scorer, double weight, const uint16 *items,
					  const float *similarities, int n)
{
	double	   *sums;
	uint8	   *blocks = scorer->blocks;

	if (unlikely(scorer->capacity < RECSYS_NARROW_ITEMS))
		grow(scorer, RECSYS_NARROW_ITEMS);
	sums = scorer->sums;
	for (int x = 0; x < n; x++)
	{
		uint32		item = items[x];

		sums[item] += weight * similarities[x];
		blocks[item / RECSYS_BLOCK_ITEMS] = 1;
	}
	scorer->narrow = true;
	scorer->listed = false;
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
		marks[item] |= MARK_SUM;
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
		scorer->marks[item] |= positive ? MARK_SUM : 0;
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
	mark(scorer, item, MARK_SUM);
}

void
RecsysScorerMoveScaled(RecsysScorer *scorer, RecsysScorer *other, double scale)
{
	uint32		nmarked;

	settle(scorer);
	settle(other);
	nmarked = scorer->nmarked;
	RecsysScorerExtend(scorer, other->nitems);
	for (uint32 x = 0; x < other->nmarked; x++)
	{
		uint32		item = other->marked[x];

		scorer->sums[item] += scale * other->sums[item];
		scorer->marked[nmarked] = item;
		nmarked += scorer->marks[item] == 0;
		scorer->marks[item] |= MARK_SUM;
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

	settle((RecsysScorer *) scorer);
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
		settle(scorer);
	if (nitems > scorer->capacity)
		grow(scorer, nitems);
	scorer->nitems = Max(scorer->nitems, nitems);
}

void
RecsysScorerExclude(RecsysScorer *scorer, uint32 item)
{
	if (item < scorer->nitems)
		mark(scorer, item, MARK_EXCLUDED);
}

/* It keeps its place among the marked; without a score it is no candidate. */
void
RecsysScorerInclude(RecsysScorer *scorer, uint32 item)
{
	if (RecsysScorerIsExcluded(scorer, item))
		scorer->marks[item] = MARK_SUM;
}

void
RecsysScorerOffer(RecsysScorer *scorer, const uint8 *offered)
{
	scorer->offered = offered;
}

static inline bool
is_offered(const RecsysScorer *scorer, uint32 item)
{
	return scorer->offered == NULL || scorer->offered[item] != 0;
}

bool
RecsysScorerIsExcluded(const RecsysScorer *scorer, uint32 item)
{
	return item < scorer->nitems && (scorer->marks[item] & MARK_EXCLUDED) != 0;
}

bool
RecsysScorerIsCandidate(const RecsysScorer *scorer, uint32 item)
{
	return item < scorer->nitems && (scorer->marks[item] & MARK_EXCLUDED) == 0 &&
		(float) scorer->sums[item] > 0.0f && is_offered(scorer, item);
}

float
RecsysScorerScore(const RecsysScorer *scorer, uint32 item)
{
	return item < scorer->nitems ? (float) scorer->sums[item] : 0.0f;
}

uint32
RecsysScorerTouched(const RecsysScorer *scorer, const uint32 **items)
{
	settle((RecsysScorer *) scorer);
	*items = scorer->marked;
	return scorer->nmarked;
}

int
RecsysScorerCandidates(const RecsysScorer *scorer)
{
	uint32		narrow = scorer->narrow ? Min(scorer->nitems, RECSYS_NARROW_ITEMS) : 0;

	return (int) Min((uint64) scorer->nmarked + narrow, (uint64) PG_INT32_MAX);
}

/* Room for size candidates and as many for sorting. */
static void
ensure_pool(RecsysScorer *scorer, Size size)
{
	if (size <= scorer->pool_size)
		return;
	if (scorer->pool != NULL)
		pfree(scorer->pool);
	scorer->pool = NULL;
	scorer->pool_size = 0;
	scorer->pool = recsys_alloc_huge(2 * size * sizeof(RecsysCandidate));
	scorer->pool_size = size;
}

/* The best k so far, and a few more */
typedef struct Pool
{
	RecsysScorer *scorer;
	int			k;
	int			size;
	int			used;
	uint64		last;			/* order of the k-th best, once there are that many */
	float		threshold;		/* its score */
} Pool;

/* The best k of those so far stay. */
static void
raise_threshold(Pool *pool)
{
	pool->last = RecsysSelectBest(pool->scorer->pool, pool->used, pool->k);
	pool->threshold = RecsysCandidateScore(pool->last);
	pool->used = pool->k;
}

/*
 * Candidates go into a pool of a little more than 2k.  Whenever it is full the
 * best k stay, and from then on only what is better than the k-th is let in.
 * Ties are broken by number.
 */
static inline void
consider(Pool *pool, uint32 item)
{
	RecsysScorer *scorer = pool->scorer;
	float		score = (float) scorer->sums[item];
	uint64		order;

	if (!(score > 0.0f) || score < pool->threshold || (scorer->marks[item] & MARK_EXCLUDED) != 0)
		return;
	order = RecsysCandidateOrder(score, item);
	if (order > pool->last || !is_offered(scorer, item))
		return;
	if (pool->used == pool->size)
	{
		raise_threshold(pool);
		if (order > pool->last)
			return;
	}
	scorer->pool[pool->used].order = order;
	scorer->pool[pool->used].support = 0;
	pool->used++;
}

/* Items with marks that are in one of the blocks touched are looked at there. */
static inline bool
is_in_block(const RecsysScorer *scorer, uint32 item)
{
	return scorer->narrow && item < RECSYS_NARROW_ITEMS &&
		scorer->blocks[item / RECSYS_BLOCK_ITEMS] != 0;
}

/* Looked through at once */
#define BLOCKS_AT_ONCE 32

/*
 * All items of the blocks touched whose score may be no less than the threshold.  That rises from
 * one time to the next, so that few are looked at one by one.
 */
static void
consider_blocks(Pool *pool)
{
	RecsysScorer *scorer = pool->scorer;

	list_blocks(scorer);
	for (int first = 0; first < scorer->ntouched; first += BLOCKS_AT_ONCE)
	{
		uint32		found[BLOCKS_AT_ONCE];
		int			n = RecsysBlocksAbove(scorer->sums, scorer->touched + first,
										  Min(BLOCKS_AT_ONCE, scorer->ntouched - first),
										  RecsysJustBelow(pool->threshold), found);
		int			used = pool->used;

		for (int x = 0; x < n; x++)
		{
			uint32		item = (found[x] >> 8) * RECSYS_BLOCK_ITEMS;

			for (uint32 above = found[x] & 0xFF; above != 0; above &= above - 1)
			{
				uint32		number = item + __builtin_ctz(above);

				if (number < scorer->nitems)
					consider(pool, number);
			}
		}
		if (pool->used > used + pool->k && pool->used > pool->k)
			raise_threshold(pool);
	}
}

static int
top_by_number(RecsysScorer *scorer, int k, RecsysScored *out)
{
	Pool		pool = {scorer, k, 0, 0, PG_UINT64_MAX, 0.0f};
	Size		size = Min((Size) RecsysScorerCandidates(scorer), 2 * (Size) k + POOL_EXTRA);
	RecsysCandidate *sorted;

	if (k <= 0 || size == 0)
		return 0;
	ensure_pool(scorer, size);
	pool.size = (int) Min(size, (Size) PG_INT32_MAX);
	for (uint32 x = 0; x < scorer->nmarked; x++)
		if (!is_in_block(scorer, scorer->marked[x]))
			consider(&pool, scorer->marked[x]);
	if (scorer->narrow)
		consider_blocks(&pool);

	if (pool.used > k)
	{
		RecsysSelectBest(scorer->pool, pool.used, k);
		pool.used = k;
	}
	sorted = RecsysSortCandidates(scorer->pool, scorer->pool + scorer->pool_size, pool.used);
	for (int x = 0; x < pool.used; x++)
	{
		out[x].item = RecsysCandidateItem(sorted[x].order);
		out[x].score = RecsysCandidateScore(sorted[x].order);
	}
	return pool.used;
}

/* Are there two of one score among the best n, or the n-th and one that is not? */
static bool
has_ties(const RecsysScorer *scorer, const RecsysScored *best, int n)
{
	float		last = best[n - 1].score;
	uint32		nlast = 0;

	for (int x = 1; x < n; x++)
		if (best[x].score == best[x - 1].score)
			return true;
	for (uint32 x = 0; x < scorer->nmarked; x++)
	{
		uint32		item = scorer->marked[x];

		nlast += (float) scorer->sums[item] == last && scorer->marks[item] == MARK_SUM;
	}
	return nlast > 1;
}

/*
 * The best n are there but for ties, which some numbers break in another way than
 * keys do: everything from the n-th score up is put in order anew.
 */
static void
break_ties(RecsysScorer *scorer, const RecsysKeyOrder *order, RecsysScored *best, int n)
{
	float		last = best[n - 1].score;
	Size		room = (Size) n + POOL_EXTRA;
	RecsysNeighbor *candidates = recsys_alloc_huge(sizeof(RecsysNeighbor) * room);
	int			count = 0;

	for (uint32 x = 0; x < scorer->nmarked; x++)
	{
		uint32		item = scorer->marked[x];
		float		score = (float) scorer->sums[item];

		if (!(score >= last) || scorer->marks[item] != MARK_SUM || !is_offered(scorer, item))
			continue;
		if ((Size) count == room)
		{
			room *= 2;
			candidates = recsys_realloc_huge(candidates, sizeof(RecsysNeighbor) * room);
		}
		candidates[count].item = item;
		candidates[count].score = score;
		candidates[count++].support = 0;
	}
	RecsysNeighborSort(candidates, count, order);
	for (int x = 0; x < n; x++)
	{
		best[x].item = candidates[x].item;
		best[x].score = candidates[x].score;
	}
	pfree(candidates);
}

int
RecsysScorerTop(RecsysScorer *scorer, int k, const RecsysKeyOrder *order, RecsysScored *out)
{
	int			n = top_by_number(scorer, k, out);

	if (n > 0 && order != NULL && order->compare_keys != NULL && order->nsorted < scorer->nitems)
	{
		settle(scorer);
		if (has_ties(scorer, out, n))
			break_ties(scorer, order, out, n);
	}
	return n;
}
