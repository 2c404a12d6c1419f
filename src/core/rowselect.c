/*
 * rowselect.c
 *	  Top-k neighbors of one item from its co-occurrence counts.
 *
 * An item of a busy shop co-occurs with thousands of others, of which a
 * hundred are kept, so nearly all of the work is in saying no.  Three sieves:
 *
 * 1. A bound.  For a block of counts at once, in single precision and in
 *	  loops that compilers vectorize, a number that is no less than the score
 *	  (but for rounding, for which the comparison leaves room).  What stays
 *	  below the threshold is out.
 * 2. The score.  What is left is scored exactly, in double precision, by
 *	  RecsysSimilarityScore, and rounded to the float that is reported.
 * 3. The pool.  Scored candidates collect in a pool of a little more than
 *	  twice k.  When it is full, the best k stay and the k-th score becomes
 *	  the threshold.
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

struct RecsysRowSelector
{
	const RecsysItemTotals *totals;
	const RecsysModelOptions *options;
	bool		uses_dots;
	bool		filtered;		/* are the bounds to be trusted? */

	/* per item: n_j ^ -alpha, times what else depends on j alone */
	float	   *factors;
	double	   *dot_factors;	/* the same for weighted cosine */

	/* the current row */
	uint32		item;
	float		threshold;
	RecsysCandidate  *pool;
	int			pool_size;
	int			pool_used;
	RecsysCandidate  *spare;			/* as large as pool, for the merge sort */
	RecsysNeighbor *neighbors;
};

/* What the bound of a row is computed from; loop invariants in one place. */
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
} BoundArguments;

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
	Size		pool_bytes;

	selector->totals = totals;
	selector->options = options;
	selector->uses_dots = totals->norm2 != NULL && options->similarity == RECSYS_COSINE;
	selector->filtered = options->shrinkage <= LARGEST_FILTERED_SHRINKAGE;

	if (selector->uses_dots)
		selector->dot_factors = recsys_alloc_huge(Max((Size) nitems, 1) * sizeof(double));
	else
		selector->factors = recsys_alloc_huge(Max((Size) nitems, 1) * sizeof(float));
	for (uint32 item = 0; item < nitems; item++)
	{
		double		users = Max(totals->users[item], 1);
		double		factor = options->alpha != 0.0 ? pow(users, -options->alpha) : 1.0;

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
	pfree(selector->pool);
	pfree(selector->spare);
	pfree(selector->neighbors);
	pfree(selector);
}

Size
RecsysRowSelectorMemory(uint32 nitems, int neighbors, bool weighted)
{
	return sizeof(RecsysRowSelector) +
		Max((Size) nitems, 1) * (weighted ? sizeof(double) : sizeof(float)) +
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
	selector->item = item;
	selector->threshold = 0.0f;
	selector->pool_used = 0;
}

/*
 * Natural logarithm to about 1e-7, absolute or relative, whichever is larger,
 * for positive normal x: the mantissa is brought between sqrt(1/2) and
 * sqrt(2), where the series of the area tangent converges quickly.
 */
static inline float
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
static inline float
deficit_bound(float y)
{
	return y * y * (0.5f + y * (1.0f / 6.0f + y * (1.0f / 3.0f)));
}

/*
 * Upper bound of (1 + x) * ln(1 + x) - x for x >= 0.  Up to 1 by
 * ln(1 + x) <= x * (6 + x) / (6 + 4 * x), above by the logarithm itself.
 */
static inline float
excess_bound(float x)
{
	float		small = x * x * (3.0f + x) / (6.0f + 4.0f * x);
	float		large = (1.0f + x) * (quick_log(1.0f + x) + 1e-6f) - x;

	return x < 1.0f ? small : large;
}

/*
 * Upper bound of G2 from the counts: the same sum as in similarity.c, with a
 * bound in place of each term.
 */
static inline float
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
	deviation = deviation > 0.0f ? deviation : 0.0f;
	others_i = others_i > 0.5f ? others_i : 0.5f;
	others_j = others_j > 0.5f ? others_j : 0.5f;
	return 2.001f * (expected * excess_bound(deviation / expected) +
					 (a->n_i * others_j * per_user) *
					 deficit_bound(deviation / (a->n_i * others_j * per_user)) +
					 (others_i * n_j * per_user) *
					 deficit_bound(deviation / (others_i * n_j * per_user)) +
					 0.5f * deviation * deviation / (others_i * others_j * per_user));
}

/* One loop per measure over a block, the item numbers given or consecutive. */
#define BOUND_LOOP(expression) \
	for (int x = 0; x < n; x++) \
	{ \
		uint32		j = items != NULL ? items[x] : first + x; \
		float		c = (float) counts[x]; \
		float		n_j = (float) a->users[j]; \
		float		shrink = c / (c + a->shrinkage); \
		float		bound; \
		\
		(void) n_j; \
		bound = (expression) * shrink; \
		bounds[x] = counts[x] >= min_support ? bound : -1.0f; \
	}

static inline __attribute__((always_inline)) void
compute_bounds(RecsysSimilarity similarity, const BoundArguments *a, uint32 min_support,
			   const uint32 *items, uint32 first, const uint32 *counts,
			   const double *dots, int n, float *bounds)
{
	float		row_factor = (float) a->row_factor;

	switch (similarity)
	{
		case RECSYS_COSINE:
			if (dots != NULL)
				BOUND_LOOP((float) (dots[x] * a->dot_factors[j] * a->row_factor))
			else
				BOUND_LOOP(c * a->factors[j] * row_factor)
			break;
		case RECSYS_JACCARD:
			BOUND_LOOP(c / (a->n_i + n_j - c) * a->factors[j])
			break;
		case RECSYS_DICE:
			BOUND_LOOP(2.0f * c / (a->n_i + n_j) * a->factors[j])
			break;
		case RECSYS_CONFIDENCE:
		case RECSYS_LIFT:
			BOUND_LOOP(c * a->factors[j] * row_factor)
			break;
		case RECSYS_PMI:
			BOUND_LOOP((quick_log(c * row_factor / n_j) * 1.00001f + 1e-5f) * a->factors[j])
			break;
		case RECSYS_LOG_LIKELIHOOD:
			BOUND_LOOP(log_likelihood_bound(c, a->users[j], a) * a->factors[j])
			break;
	}
}

RECSYS_TARGET_CLONES static void
consecutive_bounds(RecsysSimilarity similarity, const BoundArguments *a, uint32 min_support,
				   uint32 first, const uint32 *counts, const double *dots, int n,
				   float *bounds)
{
	compute_bounds(similarity, a, min_support, NULL, first, counts, dots, n, bounds);
}

RECSYS_TARGET_CLONES static void
scattered_bounds(RecsysSimilarity similarity, const BoundArguments *a, uint32 min_support,
				 const uint32 *items, const uint32 *counts, const double *dots, int n,
				 float *bounds)
{
	compute_bounds(similarity, a, min_support, items, 0, counts, dots, n, bounds);
}

/* Is any bound at or above the threshold? */
RECSYS_TARGET_CLONES static bool
any_passes(const float *bounds, int n, float threshold)
{
	int			passing = 0;

	for (int x = 0; x < n; x++)
		passing |= bounds[x] >= threshold;
	return passing != 0;
}

/* Keep the k best of a full pool and raise the threshold to the k-th score. */
static void
shrink_pool(RecsysRowSelector *selector)
{
	int			k = selector->options->neighbors;
	uint64		last = RecsysSelectBest(selector->pool, selector->pool_used, k);

	selector->pool_used = k;
	selector->threshold = RecsysCandidateScore(last) * (1.0f - RELATIVE_SLACK) - ABSOLUTE_SLACK;
}

static void
add_candidate(RecsysRowSelector *selector, uint32 item, uint32 count, double dot)
{
	const RecsysItemTotals *totals = selector->totals;
	RecsysPairTotals pair;
	float		score;

	pair.n_i = totals->users[selector->item];
	pair.n_j = totals->users[item];
	pair.n_users = (double) totals->nusers;
	if (selector->uses_dots)
	{
		pair.norm2_i = totals->norm2[selector->item];
		pair.norm2_j = totals->norm2[item];
	}
	else
	{
		pair.norm2_i = pair.n_i;
		pair.norm2_j = pair.n_j;
		dot = count;
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

void
RecsysRowSelectorOffer(RecsysRowSelector *selector, const uint32 *items, uint32 first,
					   const uint32 *counts, const double *dots, int n)
{
	const RecsysItemTotals *totals = selector->totals;
	const RecsysModelOptions *options = selector->options;
	uint32		min_support = Max(options->min_support, 1);
	float		bounds[RECSYS_SELECT_BLOCK];
	BoundArguments arguments;

	Assert(n <= RECSYS_SELECT_BLOCK);
	if (!selector->uses_dots)
		dots = NULL;

	arguments.factors = selector->factors;
	arguments.dot_factors = selector->dot_factors;
	arguments.users = totals->users;
	arguments.n_i = (float) totals->users[selector->item];
	arguments.others_i = (float) (totals->nusers - totals->users[selector->item]);
	arguments.n_users = (uint32) totals->nusers;
	arguments.shrinkage = (float) Min(options->shrinkage, LARGEST_FILTERED_SHRINKAGE);
	switch (options->similarity)
	{
		case RECSYS_COSINE:
			arguments.row_factor = 1.0 / sqrt(selector->uses_dots ?
											  totals->norm2[selector->item] : arguments.n_i);
			break;
		case RECSYS_CONFIDENCE:
			arguments.row_factor = 1.0 / arguments.n_i;
			break;
		case RECSYS_LIFT:
		case RECSYS_PMI:
			arguments.row_factor = (double) totals->nusers / arguments.n_i;
			break;
		default:
			arguments.row_factor = 1.0;
			break;
	}

	if (items == NULL)
		consecutive_bounds(options->similarity, &arguments, min_support,
						   first, counts, dots, n, bounds);
	else
		scattered_bounds(options->similarity, &arguments, min_support,
						 items, counts, dots, n, bounds);
	if (!any_passes(bounds, n, selector->threshold) && selector->filtered)
		return;

	for (int x = 0; x < n; x++)
	{
		uint32		item = items != NULL ? items[x] : first + x;

		if (counts[x] < min_support || item == selector->item)
			continue;
		if (bounds[x] >= selector->threshold || !selector->filtered)
			add_candidate(selector, item, counts[x], dots != NULL ? dots[x] : 0.0);
	}
}

void
RecsysRowSelectorFinish(RecsysRowSelector *selector, RecsysRowReporter report, void *arg)
{
	int			k = selector->options->neighbors;
	RecsysCandidate  *sorted;
	int			n;

	if (selector->pool_used > k)
		shrink_pool(selector);
	n = selector->pool_used;
	sorted = RecsysSortCandidates(selector->pool, selector->spare, n);
	for (int x = 0; x < n; x++)
	{
		selector->neighbors[x].item = RecsysCandidateItem(sorted[x].order);
		selector->neighbors[x].score = RecsysCandidateScore(sorted[x].order);
		selector->neighbors[x].support = sorted[x].support;
	}
	report(arg, selector->item, selector->neighbors, n);
}
