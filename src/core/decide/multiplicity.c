/*
 * multiplicity.c
 *	  p-values of many comparisons, adjusted so that one may look at all of them.
 *
 * Both look at the p-values in ascending order, p_1 to p_n.  Holm (1979, "A simple sequentially
 * rejective multiple test procedure"): the adjusted p_i is the greatest (n - j + 1) p_j of all j
 * <= i.  Benjamini, Hochberg (1995): the least n p_j / j of all j >= i, as
 * core/rules/rule_measures has it for rules.
 */
#include "core/decide/multiplicity.h"

#include <math.h>

#include "core/rules/rule_measures.h"

typedef struct Place
{
	double		p;
	int			at;
} Place;

static int
compare_p(const void *a, const void *b)
{
	double		left = ((const Place *) a)->p;
	double		right = ((const Place *) b)->p;

	return (left > right) - (left < right);
}

void
RecsysHolm(double *p_values, int n)
{
	Place	   *places = palloc(sizeof(Place) * Max(n, 1));
	double		greatest = 0;
	int			count = 0;

	for (int x = 0; x < n; x++)
		if (!isnan(p_values[x]))
			places[count++] = (Place) {p_values[x], x};
	qsort(places, count, sizeof(Place), compare_p);
	for (int i = 0; i < count; i++)
	{
		greatest = Max(greatest, (count - i) * places[i].p);
		p_values[places[i].at] = Min(greatest, 1.0);
	}
	pfree(places);
}

void
RecsysBenjaminiHochberg(double *p_values, int n)
{
	double	   *ordered = palloc(sizeof(double) * Max(n, 1));
	double	   *sorted = palloc(sizeof(double) * Max(n, 1));
	int			count = 0;

	for (int x = 0; x < n; x++)
		if (!isnan(p_values[x]))
			ordered[count++] = p_values[x];
	RecsysAdjustPrepare(ordered, sorted, count);
	for (int x = 0; x < n; x++)
		if (!isnan(p_values[x]))
			p_values[x] = RecsysAdjusted(ordered, sorted, count, p_values[x]);
	pfree(ordered);
	pfree(sorted);
}
