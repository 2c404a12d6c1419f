/*
 * scorebounds.c
 *	  Upper bounds of the scores of a row's pairs, many at a time.
 *
 * Scores are computed in double precision, some of them with logarithms; there are
 * thousands in a row, of which a hundred are kept.  A bound is computed in single
 * precision and in a loop that compilers vectorize.  What depends on one of the two
 * items alone is computed beforehand: factors for each item when the bounds are made,
 * and the row's own figures when a row starts.
 *
 * Most measures are a product that single precision gives as it is.  PMI needs a
 * logarithm, log-likelihood the sum of several such terms, each of which is bounded by
 * an expression without one.
 */
#include "core/pairs/scorebounds.h"

#include <math.h>

/* Above this shrinkage single precision may lose a score altogether. */
#define MAX_TRUSTED_SHRINKAGE 1e15

bool
RecsysMeasureUsesDots(const RecsysItemTotals *totals, const RecsysModelOptions *options)
{
	return totals->norm2 != NULL &&
		(options->similarity == RECSYS_COSINE || options->similarity == RECSYS_RP3BETA ||
		 options->similarity == RECSYS_SESSION);
}

void
RecsysScoreBoundsInit(RecsysScoreBounds *bounds, const RecsysItemTotals *totals,
					  const RecsysModelOptions *options)
{
	uint32		nitems = totals->nitems;

	memset(bounds, 0, sizeof(*bounds));
	bounds->similarity = options->similarity;
	bounds->users = totals->users;
	bounds->uses_dots = RecsysMeasureUsesDots(totals, options);
	bounds->trusted = options->shrinkage <= MAX_TRUSTED_SHRINKAGE;

	if (bounds->uses_dots)
		bounds->dot_factors = recsys_alloc_huge(Max((Size) nitems, 1) * sizeof(double));
	else
		bounds->factors = recsys_alloc_huge(Max((Size) nitems, 1) * sizeof(float));
	for (uint32 item = 0; item < nitems; item++)
	{
		double		users = Max(totals->users[item], 1);
		double		factor = options->alpha != 0.0 ? pow(users, -options->alpha) : 1.0;

		if (options->similarity == RECSYS_RP3BETA)
		{
			bounds->dot_factors[item] = pow(users, -options->beta);
			continue;
		}
		if (options->similarity == RECSYS_SESSION)
		{
			bounds->dot_factors[item] = factor;
			continue;
		}
		if (bounds->uses_dots)
		{
			double		norm2 = totals->norm2[item];

			bounds->dot_factors[item] = norm2 > 0.0 ? factor / sqrt(norm2) : 0.0;
			continue;
		}
		if (options->similarity == RECSYS_COSINE)
			factor /= sqrt(users);
		else if (options->similarity == RECSYS_LIFT)
			factor /= users;
		bounds->factors[item] = (float) factor;
	}
}

void
RecsysScoreBoundsFree(RecsysScoreBounds *bounds)
{
	if (bounds->factors != NULL)
		pfree(bounds->factors);
	if (bounds->dot_factors != NULL)
		pfree(bounds->dot_factors);
}

void
RecsysScoreBoundsStart(RecsysScoreBounds *bounds, const RecsysItemTotals *totals,
					   const RecsysModelOptions *options, uint32 item)
{
	double		n_i = totals->users[item];

	bounds->item = item;
	bounds->n_i = (float) n_i;
	bounds->others_i = (float) (totals->nusers - totals->users[item]);
	bounds->n_users = (uint32) totals->nusers;
	bounds->shrinkage = (float) Min(options->shrinkage, MAX_TRUSTED_SHRINKAGE);
	bounds->min_support = Max(options->min_support, 1);
	bounds->row_factor = 1.0;
	if (options->similarity == RECSYS_COSINE)
		bounds->row_factor = 1.0 / sqrt(bounds->uses_dots ? totals->norm2[item] : n_i);
	else if (options->similarity == RECSYS_RP3BETA)
		bounds->row_factor = pow(totals->mass[item], -options->alpha);
	else if (options->similarity == RECSYS_SESSION)
		bounds->row_factor = 1.0 / totals->norm2[item];
	else if (options->similarity == RECSYS_CONFIDENCE)
		bounds->row_factor = 1.0 / n_i;
	else if (options->similarity == RECSYS_LIFT || options->similarity == RECSYS_PMI)
		bounds->row_factor = (double) totals->nusers / n_i;
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
log_likelihood_bound(float c, uint32 users_j, const RecsysScoreBounds *a)
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

/* One loop for each measure.  The sign bit is set where a pair has too few users. */
#define BOUND_LOOP(expression) \
	for (uint32 x = 0; x < n; x++) \
	{ \
		Size		place = items == NULL ? x : items[x]; \
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

/*
 * Always inlined: items and shrunk are known where it is called.  With items NULL the
 * counts are those of consecutive items, the first of which the arrays of a begin with.
 */
static inline __attribute__((always_inline)) void
compute_bounds(RecsysScoreBounds a, bool shrunk, const uint32 *restrict items,
			   const uint32 *restrict counts, const double *restrict dots, uint32 n,
			   int32 *restrict bounds)
{
	const float *restrict factors = a.factors;
	const uint32 *restrict users = a.users;
	float		row_factor = (float) a.row_factor;

	switch (a.similarity)
	{
		case RECSYS_COSINE:
		case RECSYS_RP3BETA:
		case RECSYS_SESSION:
			if (dots != NULL)
			{
				const double *restrict dot_factors = a.dot_factors;

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
scattered_bounds(const RecsysScoreBounds *a, const uint32 *restrict items,
				 const uint32 *restrict counts, const double *restrict dots, uint32 n,
				 int32 *restrict bounds)
{
	compute_bounds(*a, true, items, counts, dots, n, bounds);
	for (uint32 x = 0; x < n; x++)
		bounds[x] |= -(int32) (items[x] == a->item);
}

RECSYS_TARGET_CLONES static void
consecutive_bounds(const RecsysScoreBounds *a, uint32 first, const uint32 *restrict counts,
				   const double *restrict dots, uint32 n, int32 *restrict bounds,
				   uint32 *restrict items)
{
	RecsysScoreBounds from = *a;

	from.users += first;
	if (from.uses_dots)
		from.dot_factors += first;
	else
		from.factors += first;
	if (a->shrinkage > 0.0f)
		compute_bounds(from, true, NULL, counts, dots, n, bounds);
	else
		compute_bounds(from, false, NULL, counts, dots, n, bounds);
	for (uint32 x = 0; x < n; x++)
		items[x] = first + x;
	if (a->item - first < n)
		bounds[a->item - first] = -1;
}

void
RecsysScoreBoundsScattered(const RecsysScoreBounds *bounds, const uint32 *items,
						   const uint32 *counts, const double *dots, uint32 n, int32 *result)
{
	scattered_bounds(bounds, items, counts, dots, n, result);
}

void
RecsysScoreBoundsConsecutive(const RecsysScoreBounds *bounds, uint32 first,
							 const uint32 *counts, const double *dots, uint32 n,
							 int32 *result, uint32 *items)
{
	consecutive_bounds(bounds, first, counts, dots, n, result, items);
}
