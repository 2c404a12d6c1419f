/*
 * rowselect.c
 *	  Top-k neighbors of one item from its co-occurrence counts.
 *
 * An item of a busy shop co-occurs with thousands of others, of which a
 * hundred are kept, so nearly all of the work is in saying no:
 *
 * 1. While counts are offered, a bound is computed for each of them, in single
 *	  precision and in loops that compilers vectorize: a number that is no less
 *	  than the score (but for rounding, for which comparisons leave room).
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
#include "core/rowselect.h"

#include <math.h>

#include "core/topk.h"

/* Room for rounding between a bound and a score, relative and absolute. */
#define RELATIVE_SLACK 1e-5f
#define ABSOLUTE_SLACK 1e-37f

/* Above this shrinkage single precision may lose a score altogether. */
#define LARGEST_FILTERED_SHRINKAGE 1e15

#define POOL_EXTRA 64

/* Bounds in a group; this many groups per neighbor make a good threshold. */
#define SMALLEST_GROUP 8
#define LARGEST_GROUP 64
#define GROUPS_PER_NEIGHBOR 8

/* What the bounds of a row are computed from. */
typedef struct BoundArguments
{
	const float *factors;
	const double *dot_factors;
	const uint32 *users;
	float		n_i;
	float		others_i;		/* N - n_i */
	uint32		n_users;
	float		shrinkage;
	double		row_factor;
	uint32		min_support;
	uint32		item;			/* the row's own */
} BoundArguments;

struct RecsysRowSelector
{
	const RecsysItemTotals *totals;
	const RecsysModelOptions *options;
	bool		uses_dots;
	bool		filtered;		/* are the bounds to be trusted? */

	/* per item: n_j ^ -alpha, times what else depends on j alone */
	float	   *factors;
	double	   *dot_factors;	/* the same where dot products matter */

	/* the current row: what was offered, in parallel arrays */
	uint32		item;
	BoundArguments arguments;
	uint32		offered;
	uint32	   *items;
	uint32	   *counts;
	double	   *dots;			/* NULL unless uses_dots */
	int32	   *bounds;			/* the bits of floats: see BOUND_LOOP */
	int32	   *maxima;			/* of groups of bounds */

	/* what was scored of it */
	float		threshold;
	RecsysCandidate *pool;
	int			pool_size;
	int			pool_used;
	RecsysCandidate *spare;		/* as large as pool, for sorting */
	bool		any_order;		/* no sorting */
	RecsysNeighbor *neighbors;
};

/* Entries of a row, the last group filled up. */
static inline Size
padded(uint32 nitems)
{
	return ((Size) nitems / LARGEST_GROUP + 1) * LARGEST_GROUP;
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
	uint32		nitems = totals->nitems;
	Size		row_size = padded(nitems);
	Size		pool_bytes;

	Assert(options->similarity <= RECSYS_RP3BETA);
	Assert(options->similarity != RECSYS_RP3BETA || totals->norm2 != NULL);
	selector->totals = totals;
	selector->options = options;
	selector->uses_dots = totals->norm2 != NULL &&
		(options->similarity == RECSYS_COSINE || options->similarity == RECSYS_RP3BETA);
	selector->filtered = options->shrinkage <= LARGEST_FILTERED_SHRINKAGE;

	if (selector->uses_dots)
		selector->dot_factors = recsys_alloc_huge(Max((Size) nitems, 1) * sizeof(double));
	else
		selector->factors = recsys_alloc_huge(Max((Size) nitems, 1) * sizeof(float));
	for (uint32 item = 0; item < nitems; item++)
	{
		double		users = Max(totals->users[item], 1);
		double		factor = options->alpha != 0.0 ? pow(users, -options->alpha) : 1.0;

		if (options->similarity == RECSYS_RP3BETA)
		{
			selector->dot_factors[item] = pow(users, -options->beta);
			continue;
		}
		if (selector->uses_dots)
		{
			double		norm2 = totals->norm2[item];

			selector->dot_factors[item] = norm2 > 0.0 ? factor / sqrt(norm2) : 0.0;
			continue;
		}
		if (options->similarity == RECSYS_COSINE)
			factor /= sqrt(users);
		else if (options->similarity == RECSYS_LIFT)
			factor /= users;
		selector->factors[item] = (float) factor;
	}

	selector->items = recsys_alloc_huge(row_size * sizeof(uint32));
	selector->counts = recsys_alloc_huge(row_size * sizeof(uint32));
	selector->bounds = recsys_alloc_huge(row_size * sizeof(int32));
	selector->maxima = recsys_alloc_huge(row_size / SMALLEST_GROUP * sizeof(int32));
	if (selector->uses_dots)
		selector->dots = recsys_alloc_huge(row_size * sizeof(double));

	selector->pool_size = pool_size_for(options->neighbors);
	pool_bytes = (Size) selector->pool_size * sizeof(RecsysCandidate);
	selector->pool = palloc(pool_bytes);
	selector->spare = palloc(pool_bytes);
	selector->neighbors = palloc((Size) options->neighbors * sizeof(RecsysNeighbor));
	return selector;
}

void
RecsysRowSelectorFree(RecsysRowSelector *selector)
{
	if (selector->factors != NULL)
		pfree(selector->factors);
	if (selector->dot_factors != NULL)
		pfree(selector->dot_factors);
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
	Size		per_item = 2 * sizeof(uint32) + sizeof(int32) + sizeof(int32) / SMALLEST_GROUP;

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
	return selector->uses_dots;
}

void
RecsysRowSelectorStart(RecsysRowSelector *selector, uint32 item)
{
	const RecsysItemTotals *totals = selector->totals;
	const RecsysModelOptions *options = selector->options;
	BoundArguments *arguments = &selector->arguments;
	double		n_i = totals->users[item];

	selector->item = item;
	selector->offered = 0;
	selector->pool_used = 0;

	arguments->item = item;
	arguments->factors = selector->factors;
	arguments->dot_factors = selector->dot_factors;
	arguments->users = totals->users;
	arguments->n_i = (float) n_i;
	arguments->others_i = (float) (totals->nusers - totals->users[item]);
	arguments->n_users = (uint32) totals->nusers;
	arguments->shrinkage = (float) Min(options->shrinkage, LARGEST_FILTERED_SHRINKAGE);
	arguments->min_support = Max(options->min_support, 1);
	arguments->row_factor = 1.0;
	if (options->similarity == RECSYS_COSINE)
		arguments->row_factor = 1.0 / sqrt(selector->uses_dots ? totals->norm2[item] : n_i);
	else if (options->similarity == RECSYS_RP3BETA)
		arguments->row_factor = pow(totals->mass[item], -options->alpha);
	else if (options->similarity == RECSYS_CONFIDENCE)
		arguments->row_factor = 1.0 / n_i;
	else if (options->similarity == RECSYS_LIFT || options->similarity == RECSYS_PMI)
		arguments->row_factor = (double) totals->nusers / n_i;
}

/*
 * Natural logarithm to about 1e-7, absolute or relative, whichever is larger,
 * for positive normal x: the mantissa is brought between sqrt(1/2) and
 * sqrt(2), where the series of the area tangent converges quickly.
 */
static inline __attribute__((always_inline)) float
quick_log(float x)
{
	uint32		bits;
	uint32		mantissa_bits;
	int32		exponent;
	float		mantissa;
	float		t;
	float		t2;

	memcpy(&bits, &x, sizeof(bits));
	exponent = (int32) (bits - 0x3F3504F3) >> 23;
	mantissa_bits = bits - ((uint32) exponent << 23);
	memcpy(&mantissa, &mantissa_bits, sizeof(mantissa));
	t = (mantissa - 1.0f) / (mantissa + 1.0f);
	t2 = t * t;
	return (float) exponent * 0.69314718f +
		2.0f * t * (1.0f + t2 * (1.0f / 3.0f + t2 * (1.0f / 5.0f + t2 * (1.0f / 7.0f))));
}

/*
 * Upper bound of (1 - y) * ln(1 - y) + y for 0 <= y <= 1: its series is the sum
 * of y^n / (n * (n - 1)) from n = 2, whose coefficients from n = 4 on add up
 * to 1/3.
 */
static inline __attribute__((always_inline)) float
deficit_bound(float y)
{
	return y * y * (0.5f + y * (1.0f / 6.0f + y * (1.0f / 3.0f)));
}

/*
 * Upper bound of (1 + x) * ln(1 + x) - x for x >= 0.  Up to 1 by
 * ln(1 + x) <= x * (6 + x) / (6 + 4 * x), above by the logarithm itself.
 */
static inline __attribute__((always_inline)) float
excess_bound(float x)
{
	float		small = x * x * (3.0f + x) / (6.0f + 4.0f * x);
	float		large = (1.0f + x) * (quick_log(1.0f + x) + 1e-6f) - x;

	/* either is a bound where the other is used, if not as good a one */
	return small < large ? small : large;
}

/*
 * Upper bound of G2 from the counts: the same sum as in similarity.c, with a
 * bound in place of each term.
 */
static inline __attribute__((always_inline)) float
log_likelihood_bound(float c, uint32 users_j, const BoundArguments *a)
{
	float		n_j = (float) users_j;
	float		per_user = 1.0f / (float) a->n_users;
	float		others_i = a->others_i;
	float		others_j = (float) (a->n_users - users_j);
	float		expected = a->n_i * n_j * per_user;
	float		deviation = c - expected;

	/* the difference loses digits, and an empty column has no deviation */
	deviation = deviation + 1e-6f * c;
	deviation = Max(deviation, 0.0f);
	others_i = Max(others_i, 0.5f);
	others_j = Max(others_j, 0.5f);
	return 2.001f * (expected * excess_bound(deviation / expected) +
					 (a->n_i * others_j * per_user) *
					 deficit_bound(deviation / (a->n_i * others_j * per_user)) +
					 (others_i * n_j * per_user) *
					 deficit_bound(deviation / (others_i * n_j * per_user)) +
					 0.5f * deviation * deviation / (others_i * others_j * per_user));
}

/*
 * One loop per measure.  Bounds are stored as the bits of the floats, because
 * compilers vectorize the maximum of integers but not that of floats.  Among
 * positive floats the order is the same, and a negative one, which stands for
 * "no", is less than any of them.  (A bound that is negative or not a number
 * otherwise belongs to a score that is not positive.)
 */
#define BOUND_LOOP(expression) \
	for (uint32 x = 0; x < n; x++) \
	{ \
		Size		place = consecutive ? x : items[x]; \
		float		c = (float) counts[x]; \
		uint32		users_j = users[place]; \
		float		n_j = (float) users_j; \
		float		bound; \
		int32		bits; \
		\
		(void) n_j; \
		bound = (expression) * (shrunk ? c / (c + a.shrinkage) : 1.0f); \
		memcpy(&bits, &bound, sizeof(bits)); \
		bounds[x] = bits | -(int32) (counts[x] < a.min_support); \
	}

static inline __attribute__((always_inline)) void
compute_bounds(RecsysSimilarity similarity, const BoundArguments *arguments,
			   bool shrunk, bool consecutive, uint32 first,
			   const uint32 *restrict items, const uint32 *restrict counts,
			   const double *restrict dots, uint32 n, int32 *restrict bounds)
{
	/* copies, so that the stores to bounds cannot be taken to change them */
	BoundArguments a = *arguments;
	const float *restrict factors = a.factors + (consecutive ? first : 0);
	const uint32 *restrict users = a.users + (consecutive ? first : 0);
	float		row_factor = (float) a.row_factor;

	switch (similarity)
	{
		case RECSYS_COSINE:
		case RECSYS_RP3BETA:
			if (dots != NULL)
			{
				const double *restrict dot_factors = a.dot_factors + (consecutive ? first : 0);

				BOUND_LOOP((float) (dots[x] * dot_factors[place] * a.row_factor))
			}
			else
				BOUND_LOOP(c * factors[place] * row_factor)
			break;
		case RECSYS_JACCARD:
			BOUND_LOOP(c / (a.n_i + n_j - c) * factors[place])
			break;
		case RECSYS_DICE:
			BOUND_LOOP(2.0f * c / (a.n_i + n_j) * factors[place])
			break;
		case RECSYS_CONFIDENCE:
		case RECSYS_LIFT:
			BOUND_LOOP(c * factors[place] * row_factor)
			break;
		case RECSYS_PMI:
			BOUND_LOOP((quick_log(c * row_factor / n_j) * 1.00001f + 1e-5f) * factors[place])
			break;
		case RECSYS_LOG_LIKELIHOOD:
			BOUND_LOOP(log_likelihood_bound(c, users_j, &a) * factors[place])
			break;
		default:
			break;
	}
}

/* Each of these is compiled with the conditions that never change in it. */
RECSYS_TARGET_CLONES static void
scattered_bounds(RecsysSimilarity similarity, const BoundArguments *a,
				 const uint32 *restrict items, const uint32 *restrict counts,
				 const double *restrict dots, uint32 n, int32 *restrict bounds)
{
	compute_bounds(similarity, a, true, false, 0, items, counts, dots, n, bounds);
	for (uint32 x = 0; x < n; x++)
		bounds[x] |= -(int32) (items[x] == a->item);
}

RECSYS_TARGET_CLONES static void
consecutive_bounds(RecsysSimilarity similarity, const BoundArguments *a, uint32 first,
				   const uint32 *restrict counts, const double *restrict dots, uint32 n,
				   int32 *restrict bounds, uint32 *restrict items)
{
	if (a->shrinkage > 0.0f)
		compute_bounds(similarity, a, true, true, first, NULL, counts, dots, n, bounds);
	else
		compute_bounds(similarity, a, false, true, first, NULL, counts, dots, n, bounds);
	for (uint32 x = 0; x < n; x++)
		items[x] = first + x;
	if (a->item - first < n)
		bounds[a->item - first] = -1;
}

void
RecsysRowSelectorOffer(RecsysRowSelector *selector, const uint32 *items, uint32 first,
					   const uint32 *counts, const double *dots, int n)
{
	RecsysSimilarity similarity = selector->options->similarity;
	uint32		offered = selector->offered;

	Assert(offered + n <= selector->totals->nitems);
	if (!selector->uses_dots)
		dots = NULL;
	else
		memcpy(selector->dots + offered, dots, n * sizeof(double));
	memcpy(selector->counts + offered, counts, n * sizeof(uint32));
	if (items == NULL)
		consecutive_bounds(similarity, &selector->arguments, first, counts, dots, n,
						   selector->bounds + offered, selector->items + offered);
	else
	{
		memcpy(selector->items + offered, items, n * sizeof(uint32));
		scattered_bounds(similarity, &selector->arguments, items, counts, dots, n,
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

		for (uint32 y = 0; y < SMALLEST_GROUP; y++)
			largest = Max(largest, bounds[(Size) x * group + y]);
		for (uint32 y = SMALLEST_GROUP; y < group; y++)
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
	return threshold * (1.0f - RELATIVE_SLACK) - ABSOLUTE_SLACK;
}

/* Keep the k best of a full pool and raise the threshold to the k-th score. */
static void
shrink_pool(RecsysRowSelector *selector)
{
	int			k = selector->options->neighbors;
	uint64		last = RecsysSelectBest(selector->pool, selector->pool_used, k);

	selector->pool_used = k;
	if (selector->filtered)
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
	if (selector->uses_dots)
	{
		pair.norm2_i = totals->norm2[selector->item];
		pair.norm2_j = totals->norm2[item];
		pair.mass_i = totals->mass[selector->item];
		dot = selector->dots[place];
	}
	score = (float) RecsysSimilarityScore(selector->options, count, dot, &pair);
	if (!(score > 0.0f))
		return;

	if (selector->pool_used == selector->pool_size)
		shrink_pool(selector);
	selector->pool[selector->pool_used].order = RecsysCandidateOrder(score, item);
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
	const BoundArguments *a = &selector->arguments;

	for (uint32 x = 0; x < selector->offered; x++)
		selector->bounds[x] = selector->counts[x] >= a->min_support &&
			selector->items[x] != a->item ? 0 : -1;
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
	uint32		group = LARGEST_GROUP;
	uint32		ngroups;
	int32		threshold;
	float		reached;

	if (!selector->filtered)
		no_bounds(selector);
	while (group > SMALLEST_GROUP && n / group < (uint64) k * GROUPS_PER_NEIGHBOR)
		group /= 2;
	ngroups = (n + group - 1) / group;
	for (uint32 place = n; place < ngroups * group; place++)
		selector->bounds[place] = -1;
	group_maxima(selector->bounds, ngroups, group, selector->maxima);

	selector->threshold = 0.0f;
	if (selector->filtered)
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
	report(arg, selector->item, selector->neighbors, n);
}
