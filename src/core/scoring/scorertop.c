/*
 * scorertop.c
 *	  The best items of a scorer.
 *
 * A pool holds the best so far.  Whatever cannot be among the k best is passed over by its score
 * alone, a block of eight at a time where narrow rows were added up; the bound for that is
 * just below the k-th best score, so that nothing is lost that rounds to it.
 */
#include "core/scoring/scorerstate.h"

#define POOL_EXTRA 64

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

	if (!(score > 0.0f) || score < pool->threshold || (scorer->marks[item] & RECSYS_MARK_EXCLUDED) != 0)
		return;
	order = RecsysCandidateOrder(score, item);
	if (order > pool->last || !RecsysScorerIsOffered(scorer, item))
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

/*
 * Sums of items that are excluded, which are among the highest of all as a rule: they are 0 while
 * blocks are looked through, so that none of them is looked at by itself.  Of more of them the
 * others stay, and are looked at.
 */
#define MOST_HIDDEN 1024

typedef struct Hidden
{
	int			n;
	uint32		items[MOST_HIDDEN];
	double		sums[MOST_HIDDEN];
} Hidden;

/* False: not all of them are hidden. */
static bool
hide_excluded(RecsysScorer *scorer, Hidden *hidden)
{
	uint32		x;

	hidden->n = 0;
	for (x = 0; x < scorer->nmarked && hidden->n < MOST_HIDDEN; x++)
	{
		uint32		item = scorer->marked[x];

		if ((scorer->marks[item] & RECSYS_MARK_EXCLUDED) == 0)
			continue;
		hidden->items[hidden->n] = item;
		hidden->sums[hidden->n++] = scorer->sums[item];
		scorer->sums[item] = 0.0;
	}
	return x == scorer->nmarked;
}

static void
show_excluded(RecsysScorer *scorer, const Hidden *hidden)
{
	for (int x = 0; x < hidden->n; x++)
		scorer->sums[hidden->items[x]] = hidden->sums[x];
}

/*
 * A score that at least k items have: the k-th best of the highest scores of disjoint sets of
 * items, several times as many as are wanted, so that hardly any of the best share one.  For a
 * short list one block in a few is enough to look at, if that leaves some for each set: the score
 * is not as high as it could be then, and some dozens of items more (MORE_ITEMS) are looked at one
 * by one, which takes less.
 */
#define SETS_EACH 4
#define MAX_GROUPS 64
#define MAX_STEP 6
#define MORE_ITEMS 60

static float
first_threshold(const RecsysScorer *scorer, int k)
{
	int			n = scorer->ntouched;
	int			groups = (k * SETS_EACH + RECSYS_BLOCK_ITEMS - 1) / RECSYS_BLOCK_ITEMS;
	double		highest[MAX_GROUPS * RECSYS_BLOCK_ITEMS];
	RecsysCandidate sets[MAX_GROUPS * RECSYS_BLOCK_ITEMS];
	int			step = Min(MAX_STEP, MORE_ITEMS / k);
	uint16		some[RECSYS_NARROW_BLOCKS / 2];
	const uint16 *blocks = scorer->touched;
	int			nsets = 0;

	/* in the last block there may be numbers that no item has */
	while (n > 0 && ((uint32) scorer->touched[n - 1] + 1) * RECSYS_BLOCK_ITEMS > scorer->nitems)
		n--;
	if (groups > MAX_GROUPS || n < 2 * groups || scorer->offered != NULL)
		return 0.0f;
	if (step > 1 && n >= 2 * groups * step)
	{
		n /= step;
		for (int x = 0; x < n; x++)
			some[x] = blocks[x * step];
		blocks = some;
	}
	RecsysBlocksHighest(scorer->sums, blocks, n, groups, highest);
	for (int x = 0; x < groups * RECSYS_BLOCK_ITEMS; x++)
		if ((float) highest[x] > 0.0f)
			sets[nsets++].order = RecsysCandidateOrder((float) highest[x], 0);
	return nsets <= k ? 0.0f : RecsysCandidateScore(RecsysSelectBest(sets, nsets, k));
}

/* Looked through at once */
#define BLOCKS_AT_ONCE 64

/*
 * All items of the blocks touched whose score may be no less than the threshold.  That rises from
 * one time to the next, so that few are looked at one by one.
 */
static void
consider_blocks(Pool *pool)
{
	RecsysScorer *scorer = pool->scorer;

	Hidden		hidden;

	RecsysScorerListBlocks(scorer);
	if (hide_excluded(scorer, &hidden))
		pool->threshold = Max(pool->threshold, first_threshold(scorer, pool->k));
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
		if (pool->used - used > pool->k)
			raise_threshold(pool);
	}
	show_excluded(scorer, &hidden);
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

		nlast += (float) scorer->sums[item] == last && scorer->marks[item] == RECSYS_MARK_SUM;
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

		if (!(score >= last) || scorer->marks[item] != RECSYS_MARK_SUM || !RecsysScorerIsOffered(scorer, item))
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
		RecsysScorerSettle(scorer);
		if (has_ties(scorer, out, n))
			break_ties(scorer, order, out, n);
	}
	return n;
}
