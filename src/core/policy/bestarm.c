/*
 * bestarm.c
 *	  How likely each of some arms is the best, the second best and so on.
 *
 * With densities f and distribution functions F, arm i is at place r with probability
 *
 *		integral of f_i(x) P(exactly r - 1 of the others are above x) dx,
 *
 * for the first place that of f_i times the product of the others' F.  How many are above is
 * counted by multiplying the polynomials F_j + (1 - F_j) z, cut off behind the places asked for.
 *
 * The axis is cut into panels, halved until none is wider than any law is smooth in it, and each
 * panel has the 16 points of Gauss and Legendre.  At these the densities are taken; F in the panel
 * is the integral of the polynomial through them, and its value at the panel's end the next one's
 * begin.  So there is one exponential a point and arm, and no distribution function but at the very
 * beginning.  Panels begin where the places cannot be had any more by who is below.
 *
 * What columns sum up to is the integral of the density of a place's value, so it tells how good
 * the panels are; if it is not 1 to 1e-11, they are made half as wide.
 */
#include "core/policy/bestarm.h"

#include <math.h>

#define POINTS 16
#define GOOD_ENOUGH 1e-11
#define MOST_DEPTH 100

/* On [-1, 1]: points, weights, and integrals from -1 to a point of the polynomials through all */
typedef struct Rule
{
	bool		ready;
	double		points[POINTS];
	double		weights[POINTS];
	double		integrals[POINTS][POINTS];	/* [up to][polynomial that is 1 at] */
} Rule;

static Rule rule;

/* Legendre's polynomials of degree 0 to POINTS + 1 at x */
static void
legendre(double x, double *values)
{
	values[0] = 1;
	values[1] = x;
	for (int m = 1; m <= POINTS; m++)
		values[m + 1] = ((2 * m + 1) * x * values[m] - m * values[m - 1]) / (m + 1);
}

static void
make_rule(void)
{
	double		values[POINTS][POINTS + 2];

	for (int i = 0; i < POINTS; i++)
	{
		double		x = -cos(M_PI * (i + 0.75) / (POINTS + 0.5));
		double		slope = 1;

		for (int round = 0; round < 20; round++)
		{
			legendre(x, values[i]);
			slope = POINTS * (x * values[i][POINTS] - values[i][POINTS - 1]) / (x * x - 1);
			x -= values[i][POINTS] / slope;
		}
		legendre(x, values[i]);
		rule.points[i] = x;
		rule.weights[i] = 2 / ((1 - x * x) * slope * slope);
	}

	/*
	 * The polynomial that is 1 at point j and 0 at the others is the sum over m of (2m + 1) / 2
	 * w_j P_m(x_j) P_m; the integral of (2m + 1) P_m is P_(m+1) - P_(m-1).
	 */
	for (int i = 0; i < POINTS; i++)
		for (int j = 0; j < POINTS; j++)
		{
			double		sum = rule.points[i] + 1;

			for (int m = 1; m < POINTS; m++)
				sum += values[j][m] * (values[i][m + 1] - values[i][m - 1]);
			rule.integrals[i][j] = 0.5 * rule.weights[j] * sum;
		}
	rule.ready = true;
}

typedef struct Integration
{
	const RecsysLaw *laws;		/* of the arms that can have a place */
	int			n;
	int			places;
	double		fineness;		/* panels are so many times as wide as the laws are smooth */
	double	   *shares;			/* n rows of places */
	double	   *below;			/* by arm: F at the begin of the panel */
	double	   *densities;		/* by arm, POINTS of the panel */
	double	   *inside;			/* by arm, F at POINTS */
	double	   *before;			/* n + 1 polynomials: how many of the first arms are above */
	double	   *behind;			/* the same of one arm and those behind it */
} Integration;

/* times F + (1 - F) z */
static inline void
count_arm(const double *from, double below, int places, double *to)
{
	double		above = Max(1 - below, 0);

	for (int r = places - 1; r > 0; r--)
		to[r] = from[r] * below + from[r - 1] * above;
	to[0] = from[0] * below;
}

static void
add_point(Integration *integration, int point, double weight)
{
	int			n = integration->n;
	int			places = integration->places;

	for (int i = n - 1; i > 0; i--)
		count_arm(integration->behind + (Size) (i + 1) * places,
				  integration->inside[(Size) i * POINTS + point], places,
				  integration->behind + (Size) i * places);
	for (int i = 0; i < n; i++)
	{
		const double *before = integration->before + (Size) i * places;
		const double *behind = integration->behind + (Size) (i + 1) * places;
		double		density = weight * integration->densities[(Size) i * POINTS + point];

		if (density > 0)
		{
			double	   *shares = integration->shares + (Size) i * places;

			for (int r = 0; r < places; r++)
			{
				double		sum = 0;

				for (int s = 0; s <= r; s++)
					sum += before[s] * behind[r - s];
				shares[r] += density * sum;
			}
		}
		count_arm(before, integration->inside[(Size) i * POINTS + point], places,
				  integration->before + (Size) (i + 1) * places);
	}
}

static void
add_panel(Integration *integration, double from, double to)
{
	double		half = 0.5 * (to - from);
	RecsysLawPoint points[POINTS];

	CHECK_FOR_INTERRUPTS();
	for (int p = 0; p < POINTS; p++)
		points[p] = RecsysLawPointAt(integration->laws, from + half * (1 + rule.points[p]));
	for (int i = 0; i < integration->n; i++)
	{
		const RecsysLaw *law = &integration->laws[i];
		double	   *densities = integration->densities + (Size) i * POINTS;
		double	   *inside = integration->inside + (Size) i * POINTS;
		double		sum = 0;

		if (to <= law->low || from >= law->high)
		{
			for (int p = 0; p < POINTS; p++)
			{
				densities[p] = 0;
				inside[p] = integration->below[i];
			}
			continue;
		}
		for (int p = 0; p < POINTS; p++)
		{
			densities[p] = exp(RecsysLawLogDensity(law, &points[p]));
			sum += rule.weights[p] * densities[p];
		}
		for (int p = 0; p < POINTS; p++)
		{
			double		part = 0;

			for (int q = 0; q < POINTS; q++)
				part += rule.integrals[p][q] * densities[q];
			inside[p] = Min(Max(integration->below[i] + half * part, 0), 1);
		}
		integration->below[i] = Min(integration->below[i] + half * sum, 1);
	}
	for (int p = 0; p < POINTS; p++)
		add_point(integration, p, half * rule.weights[p]);
}

/* Panels from left to right */
static void
integrate(Integration *integration, double from, double to, int depth)
{
	double		allowed = to - from;
	double		middle = 0.5 * (from + to);

	for (int i = 0; i < integration->n; i++)
	{
		const RecsysLaw *law = &integration->laws[i];

		if (to > law->low && from < law->high)
			allowed = Min(allowed, integration->fineness * RecsysLawSmoothness(law, from, to));
	}
	if (to - from <= allowed || depth >= MOST_DEPTH || middle <= from || middle >= to)
	{
		add_panel(integration, from, to);
		return;
	}
	integrate(integration, from, middle, depth + 1);
	integrate(integration, middle, to, depth + 1);
}

/*
 * Makes columns sum up to 1; returns how far they were from that.  Where nothing can be said, all
 * are alike.
 */
static double
normalise(double *shares, int n, int places)
{
	double		worst = 0;

	for (int r = 0; r < places; r++)
	{
		double		sum = 0;

		for (int i = 0; i < n; i++)
			sum += shares[(Size) i * places + r];
		worst = Max(worst, isfinite(sum) ? fabs(sum - 1) : 1);
		for (int i = 0; i < n; i++)
		{
			double	   *share = &shares[(Size) i * places + r];

			*share = isfinite(sum) && sum > 0 ? *share / sum : 1.0 / n;
		}
	}
	return worst;
}

static int
compare_descending(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return (left < right) - (left > right);
}

/*
 * Copies the laws, with their ends, of arms that can have a place to the front of kept, and whose
 * they are into arms.  Returns from where on; NaN, and all of them, where a law has no ends.
 */
static double
find_range(const RecsysLaw *laws, int n, int places, RecsysLaw *kept, int *arms, int *nkept,
		   double *to)
{
	double	   *lows = palloc(sizeof(double) * n);
	bool		numbers = true;
	double		from;

	for (int i = 0; i < n; i++)
	{
		kept[i] = laws[i];
		RecsysLawFindEnds(&kept[i]);
		lows[i] = kept[i].low;
		numbers &= isfinite(kept[i].low) && isfinite(kept[i].high);
	}
	if (numbers)
		qsort(lows, n, sizeof(double), compare_descending);
	from = numbers ? lows[places - 1] : NAN;
	pfree(lows);

	*nkept = 0;
	*to = from;
	for (int i = 0; i < n; i++)
	{
		if (numbers && kept[i].high <= from && kept[i].low < from)
			continue;
		*to = Max(*to, kept[i].high);
		kept[*nkept] = kept[i];
		arms[(*nkept)++] = i;
	}
	return from;
}

double
RecsysBestArms(const RecsysLaw *laws, int n, int places, double *shares)
{
	RecsysLaw  *kept = palloc(sizeof(RecsysLaw) * n);
	int		   *arms = palloc(sizeof(int) * n);
	Integration integration = {.laws = kept,.places = places,.fineness = 1};
	Size		polynomials = sizeof(double) * (n + 1) * places;
	double		to;
	double		from = find_range(laws, n, places, kept, arms, &integration.n, &to);
	double		error = 1;

	if (!rule.ready)
		make_rule();
	integration.shares = palloc(sizeof(double) * n * places);
	integration.below = palloc(sizeof(double) * n);
	integration.densities = palloc(sizeof(double) * n * POINTS);
	integration.inside = palloc(sizeof(double) * n * POINTS);
	integration.before = palloc0(polynomials);
	integration.behind = palloc0(polynomials);
	integration.before[0] = 1;
	integration.behind[(Size) integration.n * places] = 1;
	for (int round = 0; round < 3 && error > GOOD_ENOUGH; round++)
	{
		memset(integration.shares, 0, sizeof(double) * n * places);
		if (isnan(from))
		{
			error = normalise(integration.shares, integration.n, places);
			break;
		}
		for (int i = 0; i < integration.n; i++)
			integration.below[i] = kept[i].low >= from ? 0 : RecsysLawBelow(&kept[i], from);
		integrate(&integration, from, to, 0);
		error = normalise(integration.shares, integration.n, places);
		integration.fineness *= 0.5;
	}

	memset(shares, 0, sizeof(double) * n * places);
	for (int i = 0; i < integration.n; i++)
		memcpy(shares + (Size) arms[i] * places, integration.shares + (Size) i * places,
			   sizeof(double) * places);
	pfree(kept);
	pfree(arms);
	pfree(integration.shares);
	pfree(integration.below);
	pfree(integration.densities);
	pfree(integration.inside);
	pfree(integration.before);
	pfree(integration.behind);
	return error;
}
