/*
 * scorer.c
 *	  Sparse history times item graph, top k: the serving kernel.
 *
 * One double and one byte of marks for each item of the catalogue, and a list
 * of the items whose marks are set.  A call touches a few thousand items of
 * perhaps a million; the list is what a call looks through at its end and what
 * the next reset clears, so neither depends on the size of the catalogue.
 */
#include "core/pairs/scorer.h"

#include "core/base/topk.h"

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

void
RecsysScorerReset(RecsysScorer *scorer, uint32 nitems)
{
	for (uint32 x = 0; x < scorer->nmarked; x++)
	{
		scorer->sums[scorer->marked[x]] = 0.0;
		scorer->marks[scorer->marked[x]] = 0;
	}
	scorer->nmarked = 0;
	if (nitems > scorer->capacity)
		grow(scorer, nitems);
	scorer->nitems = nitems;
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
	uint32		nmarked = scorer->nmarked;

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
	return item < scorer->nitems && scorer->marks[item] == MARK_SUM &&
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
	*items = scorer->marked;
	return scorer->nmarked;
}

int
RecsysScorerCandidates(const RecsysScorer *scorer)
{
	return (int) Min(scorer->nmarked, (uint32) PG_INT32_MAX);
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

/*
 * Candidates go into a pool of a little more than 2k.  Whenever it is full the
 * best k stay, and from then on only what is better than the k-th is let in.
 * Ties are broken by number.
 */
static int
top_by_number(RecsysScorer *scorer, int k, RecsysScored *out)
{
	Size		size;
	int			used = 0;
	uint64		last = PG_UINT64_MAX;
	float		threshold = 0.0f;
	RecsysCandidate *pool;
	RecsysCandidate *sorted;

	if (k <= 0 || scorer->nmarked == 0)
		return 0;
	size = Min((Size) scorer->nmarked, 2 * (Size) k + POOL_EXTRA);
	ensure_pool(scorer, size);
	pool = scorer->pool;

	for (uint32 x = 0; x < scorer->nmarked; x++)
	{
		uint32		item = scorer->marked[x];
		float		score = (float) scorer->sums[item];
		uint64		order;

		if (!(score > 0.0f) || score < threshold || scorer->marks[item] != MARK_SUM)
			continue;
		order = RecsysCandidateOrder(score, item);
		if (order > last || !is_offered(scorer, item))
			continue;
		if (used == (int) size)
		{
			last = RecsysSelectBest(pool, used, k);
			threshold = RecsysCandidateScore(last);
			used = k;
			if (order > last)
				continue;
		}
		pool[used].order = order;
		pool[used].support = 0;
		used++;
	}

	if (used > k)
	{
		RecsysSelectBest(pool, used, k);
		used = k;
	}
	sorted = RecsysSortCandidates(pool, pool + scorer->pool_size, used);
	for (int x = 0; x < used; x++)
	{
		out[x].item = RecsysCandidateItem(sorted[x].order);
		out[x].score = RecsysCandidateScore(sorted[x].order);
	}
	return used;
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

	if (n > 0 && order != NULL && order->compare_keys != NULL && order->nsorted < scorer->nitems &&
		has_ties(scorer, out, n))
		break_ties(scorer, order, out, n);
	return n;
}
