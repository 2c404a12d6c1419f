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
 */
#include "core/scoring/scorerstate.h"

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
RecsysScorerListBlocks(RecsysScorer *scorer)
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
	RecsysScorerListBlocks(scorer);
	RecsysBlocksClear(scorer->sums, scorer->blocks, scorer->touched, scorer->ntouched);
	scorer->narrow = false;
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
		marks[item] |= RECSYS_MARK_SUM;
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
