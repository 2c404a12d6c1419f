/*
 * significance.c
 *	  Is the mean of paired differences anything but chance?
 *
 * Both tests are those that studies of retrieval systems use: Hull: Using
 * statistical testing in the evaluation of retrieval experiments, SIGIR 1993;
 * Smucker, Allan, Carterette, CIKM 2007.
 *
 * Wilcoxon's distribution is counted out for up to 100 differences, ties (which
 * get the mean of their ranks) included; for more the normal approximation with
 * correction for ties is as good: Hollander, Wolfe, Chicken: Nonparametric
 * statistical methods (2014), section 3.1.
 */
#include "core/measure/significance.h"

#include <math.h>

#include "core/measure/distribution.h"

#define EXACT_DIFFERENCES 100

double
RecsysPairedT(const double *differences, uint32 n)
{
	double		mean = 0;
	double		squares = 0;
	double		freedom = n - 1.0;

	if (n < 2)
		return NAN;
	for (uint32 x = 0; x < n; x++)
		mean += differences[x];
	mean /= n;
	for (uint32 x = 0; x < n; x++)
		squares += (differences[x] - mean) * (differences[x] - mean);
	if (mean == 0.0)
		return 1.0;
	if (squares <= n * (mean * 1e-15) * (mean * 1e-15))
		return 0.0;

	return 2.0 * RecsysStudentTail(fabs(mean) * sqrt(n * freedom / squares), freedom);
}

typedef struct Ranked
{
	double		size;
	bool		positive;
} Ranked;

static int
compare_sizes(const void *a, const void *b)
{
	double		left = ((const Ranked *) a)->size;
	double		right = ((const Ranked *) b)->size;

	return (left > right) - (left < right);
}

/*
 * The share of all assignments of signs whose sum of positive ranks is as far
 * from the middle as the given one.  Ranks are doubled, so that those of ties
 * are whole.
 */
static double
count_out(const uint32 *ranks, uint32 n, uint32 positive)
{
	uint32		total = n * (n + 1);
	double	   *share = palloc0(sizeof(double) * (total + 1));
	double		p = 0;
	uint32		distance = positive * 2 > total ? positive * 2 - total : total - positive * 2;

	share[0] = 1.0;
	for (uint32 x = 0; x < n; x++)
		for (uint32 sum = total + 1; sum-- > 0;)
			share[sum] = 0.5 * share[sum] + (sum >= ranks[x] ? 0.5 * share[sum - ranks[x]] : 0.0);
	for (uint32 sum = 0; sum <= total; sum++)
		if ((sum * 2 > total ? sum * 2 - total : total - sum * 2) >= distance)
			p += share[sum];
	pfree(share);
	return Min(p, 1.0);
}

double
RecsysWilcoxon(const double *differences, uint32 n)
{
	Ranked	   *ranked = recsys_alloc_huge(sizeof(Ranked) * (Size) Max(n, 1));
	uint32		ranks[EXACT_DIFFERENCES];
	uint32		count = 0;
	double		positive = 0;	/* sum of doubled ranks */
	double		ties = 0;
	double		p = 1.0;

	for (uint32 x = 0; x < n; x++)
	{
		if (differences[x] == 0.0)
			continue;
		ranked[count].size = fabs(differences[x]);
		ranked[count++].positive = differences[x] > 0.0;
	}
	qsort(ranked, count, sizeof(Ranked), compare_sizes);

	for (uint32 first = 0, last; first < count; first = last)
	{
		double		equal;

		for (last = first + 1; last < count && ranked[last].size == ranked[first].size; last++)
			 /* count */ ;
		equal = last - first;
		ties += equal * equal * equal - equal;
		for (uint32 x = first; x < last; x++)
		{
			if (ranked[x].positive)
				positive += (double) first + last + 1;
			if (count <= EXACT_DIFFERENCES)
				ranks[x] = first + last + 1;
		}
	}
	pfree(ranked);

	if (count > EXACT_DIFFERENCES)
	{
		double		size = count;
		double		mean = size * (size + 1) / 4;
		double		variance = size * (size + 1) * (2 * size + 1) / 24 - ties / 48;

		p = erfc(fabs(positive / 2 - mean) / sqrt(2 * variance));
	}
	else if (count > 0)
		p = count_out(ranks, count, (uint32) positive);
	return p;
}
