/*
 * rowselect.c
 *	  Top-k neighbors of one item from its co-occurrence counts.
 *
 * An item of a busy shop co-occurs with thousands of others, of which a
 * hundred are kept, so nearly all of the work is in saying no:
 *
 * 1. While counts are offered, an upper bound of the score is computed for each
 *	  of them (scorebounds.c), which costs far less than the score.
 * 2. When the row is complete, the bounds are looked at in groups of a few
 *	  dozen.  The k-th largest of the groups' maxima is a threshold that at
 *	  least k bounds reach, and hardly more than k do.  It is found by
 *	  bisection, counting maxima, which vectorizes too.
 * 3. Only what reaches the threshold is scored, in double precision by
 *	  RecsysSimilarityScore, and rounded to the float that is reported.  The
 *	  result is right if the k-th best score reaches the threshold as well;
 *	  otherwise (for log-likelihood, whose bound is a loose one) what lies
 *	  between the two is scored in a second round.
 *
 * Scored candidates collect in a pool of a little more than 2k.  When it is
 * full the best k stay and the k-th score becomes the threshold, so that rows
 * full of ties need no more memory than others.
 */
#include "core/pairs/rowselect.h"

#include "core/base/topk.h"
#include "core/pairs/scorebounds.h"

#define POOL_EXTRA 64

/* Bounds in a group; this many groups per neighbor make a good threshold. */
#define MIN_GROUP 8
#define MAX_GROUP 64
#define GROUPS_PER_NEIGHBOR 8

struct RecsysRowSelector
{
	const RecsysItemTotals *totals;
	const RecsysModelOptions *options;
	RecsysScoreBounds score_bounds;
	const uint32 *names;		/* of items, as they are reported; NULL: as they are */

	/* the current row: what was offered, in parallel arrays */
	uint32		item;
	uint32		offered;
	uint32	   *items;
	uint32	   *counts;
	double	   *dots;			/* NULL unless the measure looks at dot products */
	int32	   *bounds;			/* see scorebounds.h */
	int32	   *maxima;			/* of groups of bounds */

	/* what was scored of it */
	float		threshold;
	RecsysCandidate *pool;
	int			pool_size;
	int			pool_used;
	RecsysCandidate *spare;		/* as large as pool, for sorting */
	bool		any_order;		/* no sorting */
	double		min_likelihood; /* pairs below it do not count */
	RecsysNeighbor *neighbors;
};

/* Entries of a row, the last group filled up. */
static inline Size
padded(uint32 nitems)
{
	return ((Size) nitems / MAX_GROUP + 1) * MAX_GROUP;
}

static int
pool_size_for(int neighbors)
{
	return 2 * neighbors + POOL_EXTRA;
}

RecsysRowSelector *
RecsysRowSelectorCreate(const RecsysItemTotals *totals, const RecsysModelOptions *options)
{
	RecsysRowSelector *selector = palloc0(sizeof(RecsysRowSelector));
	Size		row_size = padded(totals->nitems);
	Size		pool_bytes;

	Assert(options->similarity <= RECSYS_RP3BETA || options->similarity == RECSYS_SESSION);
	Assert(options->similarity < RECSYS_RP3BETA || totals->norm2 != NULL);
	selector->totals = totals;
	selector->options = options;
	RecsysScoreBoundsInit(&selector->score_bounds, totals, options);
	selector->items = recsys_alloc_huge(row_size * sizeof(uint32));
	selector->counts = recsys_alloc_huge(row_size * sizeof(uint32));
	selector->bounds = recsys_alloc_huge(row_size * sizeof(int32));
	selector->maxima = recsys_alloc_huge(row_size / MIN_GROUP * sizeof(int32));
	if (selector->score_bounds.uses_dots)
		selector->dots = recsys_alloc_huge(row_size * sizeof(double));

	selector->pool_size = pool_size_for(options->neighbors);
	pool_bytes = (Size) selector->pool_size * sizeof(RecsysCandidate);
	selector->pool = palloc(pool_bytes);
	selector->spare = palloc(pool_bytes);
	selector->neighbors = palloc((Size) options->neighbors * sizeof(RecsysNeighbor));
	return selector;
}

void
RecsysRowSelectorSetNames(RecsysRowSelector *selector, const uint32 *names)
{
	selector->names = names;
}

void
RecsysRowSelectorFree(RecsysRowSelector *selector)
{
	RecsysScoreBoundsFree(&selector->score_bounds);
	if (selector->dots != NULL)
		pfree(selector->dots);
	pfree(selector->items);
	pfree(selector->counts);
	pfree(selector->bounds);
	pfree(selector->maxima);
	pfree(selector->pool);
	pfree(selector->spare);
	pfree(selector->neighbors);
	pfree(selector);
}

Size
RecsysRowSelectorMemory(uint32 nitems, int neighbors, bool weighted)
{
	Size		per_item = 2 * sizeof(uint32) + sizeof(int32) + sizeof(int32) / MIN_GROUP;

	/* arrays of the row; factors */
	if (weighted)
		per_item += sizeof(double) + sizeof(double);
	else
		per_item += sizeof(float);
	return sizeof(RecsysRowSelector) +
		(padded(nitems) + 1) * (per_item + 1) +
		2 * (Size) pool_size_for(neighbors) * sizeof(RecsysCandidate) +
		(Size) neighbors * sizeof(RecsysNeighbor);
}

bool
RecsysRowSelectorUsesDots(const RecsysRowSelector *selector)
{
	return selector->score_bounds.uses_dots;
}

void
RecsysRowSelectorStart(RecsysRowSelector *selector, uint32 item)
{
	selector->item = item;
	selector->offered = 0;
	selector->pool_used = 0;
	RecsysScoreBoundsStart(&selector->score_bounds, selector->totals, selector->options, item);
}

void
RecsysRowSelectorOffer(RecsysRowSelector *selector, const uint32 *items, uint32 first,
					   const uint32 *counts, const double *dots, int n)
{
	const RecsysScoreBounds *score_bounds = &selector->score_bounds;
	uint32		offered = selector->offered;

	Assert(offered + n <= selector->totals->nitems);
	if (!selector->score_bounds.uses_dots)
		dots = NULL;
	else
		memcpy(selector->dots + offered, dots, n * sizeof(double));
	memcpy(selector->counts + offered, counts, n * sizeof(uint32));
	if (items == NULL)
		RecsysScoreBoundsConsecutive(score_bounds, first, counts, dots, n,
									 selector->bounds + offered, selector->items + offered);
	else
	{
		memcpy(selector->items + offered, items, n * sizeof(uint32));
		RecsysScoreBoundsScattered(score_bounds, items, counts, dots, n,
								   selector->bounds + offered);
	}
	selector->offered += n;
}

RECSYS_TARGET_CLONES static void
group_maxima(const int32 *restrict bounds, uint32 ngroups, uint32 group, int32 *restrict maxima)
{
	for (uint32 x = 0; x < ngroups; x++)
	{
		int32		largest = -1;

		for (uint32 y = 0; y < MIN_GROUP; y++)
			largest = Max(largest, bounds[(Size) x * group + y]);
		for (uint32 y = MIN_GROUP; y < group; y++)
			largest = Max(largest, bounds[(Size) x * group + y]);
		maxima[x] = largest;
	}
}

RECSYS_TARGET_CLONES static uint32
count_reaching(const int32 *maxima, uint32 n, int32 threshold)
{
	uint32		count = 0;

	for (uint32 x = 0; x < n; x++)
		count += maxima[x] >= threshold;
	return count;
}

/*
 * A threshold that at least k of the maxima reach and, unless there are ties,
 * hardly more than k; zero when fewer than k are positive.
 */
static int32
find_threshold(const int32 *maxima, uint32 n, uint32 k)
{
	int32		low = 0;		/* at least k reach this */
	int32		high = PG_INT32_MAX;	/* fewer than k do */

	if (count_reaching(maxima, n, 1) < k)
		return 0;
	while (high - low > 1)
	{
		int32		middle = low + (high - low) / 2;
		uint32		count = count_reaching(maxima, n, middle);

		if (count < k)
			high = middle;
		else
		{
			low = middle;
			if (count <= k + k / 16)
				break;
		}
	}
	return low;
}

/* A little less than a threshold, to make up for rounding. */
static inline float
lowered(float threshold)
{
	return threshold * (1.0f - RECSYS_BOUND_RELATIVE_SLACK) - RECSYS_BOUND_ABSOLUTE_SLACK;
}

/* Keep the k best of a full pool and raise the threshold to the k-th score. */
static void
shrink_pool(RecsysRowSelector *selector)
{
	int			k = selector->options->neighbors;
	uint64		last = RecsysSelectBest(selector->pool, selector->pool_used, k);

	selector->pool_used = k;
	if (selector->score_bounds.trusted)
		selector->threshold = lowered(RecsysCandidateScore(last));
}

/* Score the entry at a place of the row's arrays. */
static void
add_candidate(RecsysRowSelector *selector, uint32 place)
{
	const RecsysItemTotals *totals = selector->totals;
	uint32		item = selector->items[place];
	uint32		count = selector->counts[place];
	double		dot = count;
	RecsysPairTotals pair;
	float		score;

	pair.n_i = totals->users[selector->item];
	pair.n_j = totals->users[item];
	pair.n_users = (double) totals->nusers;
	pair.norm2_i = pair.n_i;
	pair.norm2_j = pair.n_j;
	pair.mass_i = pair.n_i;
	if (selector->score_bounds.uses_dots)
	{
		pair.norm2_i = totals->norm2[selector->item];
		pair.norm2_j = totals->norm2[item];
		pair.mass_i = totals->mass[selector->item];
		dot = selector->dots[place];
	}
	score = (float) RecsysSimilarityScore(selector->options, count, dot, &pair);
	if (!(score > 0.0f))
		return;
	if (selector->min_likelihood > 0.0 && RecsysLogLikelihood(count, &pair) < selector->min_likelihood)
		return;

	if (selector->pool_used == selector->pool_size)
		shrink_pool(selector);
	selector->pool[selector->pool_used].order =
		RecsysCandidateOrder(score, selector->names == NULL ? item : selector->names[item]);
	selector->pool[selector->pool_used].support = count;
	selector->pool_used++;
}

static inline float
float_of(int32 bits)
{
	float		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* The threshold as it compares with bounds: zero lets through all but "no". */
static inline int32
threshold_bits(const RecsysRowSelector *selector)
{
	int32		bits;

	if (!(selector->threshold > 0.0f))
		return 0;
	memcpy(&bits, &selector->threshold, sizeof(bits));
	return bits;
}

/* The k-th best score of a pool of at most k; zero if it holds fewer. */
static float
worst_score(const RecsysRowSelector *selector, uint32 k)
{
	uint64		last = 0;

	if (selector->pool_used < (int) k)
		return 0.0f;
	for (uint32 x = 0; x < k; x++)
		last = Max(last, selector->pool[x].order);
	return RecsysCandidateScore(last);
}

/* Where single precision cannot be trusted, everything is scored. */
static void
no_bounds(RecsysRowSelector *selector)
{
	uint32		min_support = selector->score_bounds.min_support;

	for (uint32 x = 0; x < selector->offered; x++)
		selector->bounds[x] = selector->counts[x] >= min_support &&
			selector->items[x] != selector->item ? 0 : -1;
}

/*
 * Score what reaches the threshold (which rises when the pool gets full) but
 * stays below a ceiling.
 */
static void
score_reaching(RecsysRowSelector *selector, uint32 ngroups, uint32 group, int32 ceiling)
{
	int32		floor_bits = threshold_bits(selector);

	for (uint32 x = 0; x < ngroups; x++)
	{
		if (selector->maxima[x] < floor_bits)
			continue;
		for (uint32 place = x * group; place < (x + 1) * group; place++)
		{
			if (selector->bounds[place] < floor_bits || selector->bounds[place] >= ceiling)
				continue;
			add_candidate(selector, place);
			floor_bits = threshold_bits(selector);
		}
	}
}

/* Fill the pool with at least the k best of what was offered. */
static void
fill_pool(RecsysRowSelector *selector)
{
	uint32		k = selector->options->neighbors;
	uint32		n = selector->offered;
	uint32		group = MAX_GROUP;
	uint32		ngroups;
	int32		threshold;
	float		reached;

	if (!selector->score_bounds.trusted)
		no_bounds(selector);
	while (group > MIN_GROUP && n / group < (uint64) k * GROUPS_PER_NEIGHBOR)
		group /= 2;
	ngroups = (n + group - 1) / group;
	for (uint32 place = n; place < ngroups * group; place++)
		selector->bounds[place] = -1;
	group_maxima(selector->bounds, ngroups, group, selector->maxima);

	selector->threshold = 0.0f;
	if (selector->score_bounds.trusted)
		selector->threshold = lowered(float_of(find_threshold(selector->maxima, ngroups, k)));
	threshold = threshold_bits(selector);
	score_reaching(selector, ngroups, group, PG_INT32_MAX);

	if (threshold > 0)
	{
		if (selector->pool_used > (int) k)
			shrink_pool(selector);
		reached = worst_score(selector, k);
		if (lowered(reached) < float_of(threshold))
		{
			selector->threshold = lowered(reached);
			score_reaching(selector, ngroups, group, threshold);
		}
	}
}

void
RecsysRowSelectorAnyOrder(RecsysRowSelector *selector)
{
	selector->any_order = true;
}

/* Bounds do not know of it: where it leaves less than k above their threshold, the rest is scored. */
void
RecsysRowSelectorSetFloor(RecsysRowSelector *selector, double min_likelihood)
{
	selector->min_likelihood = min_likelihood;
}

void
RecsysRowSelectorFinish(RecsysRowSelector *selector, RecsysRowReporter report, void *arg)
{
	int			k = selector->options->neighbors;
	RecsysCandidate *sorted;
	int			n;

	fill_pool(selector);
	if (selector->pool_used > k)
		shrink_pool(selector);
	n = selector->pool_used;
	sorted = selector->any_order ? selector->pool :
		RecsysSortCandidates(selector->pool, selector->spare, n);
	for (int x = 0; x < n; x++)
	{
		selector->neighbors[x].item = RecsysCandidateItem(sorted[x].order);
		selector->neighbors[x].score = RecsysCandidateScore(sorted[x].order);
		selector->neighbors[x].support = sorted[x].support;
	}
	report(arg, selector->names == NULL ? selector->item : selector->names[selector->item],
		   selector->neighbors, n);
}
