/*
 * shareranges.c
 *	  From shares of variants to ranges of places, and from there to those of other shares.
 *
 * What a variant loses is taken from its smallest ranges first, so that there are few of them; the one
 * that is left to be cut is cut where a variant that gains stands beside it, so that two variants
 * have two ranges, however often their shares are changed.  What all of these pieces make together is
 * divided among those that gain, one after the other.
 */
#include "core/decide/shareranges.h"

#include <math.h>

#define NOBODY (-1)

/* Ranges in the making */
typedef struct RangeList
{
	RecsysVariantRange *ranges;
	int			count;
} RangeList;

/* Up to high belongs to the variant.  What is too small to be anybody's goes with the next one. */
static void
add_range(RangeList *list, double high, int variant)
{
	double		low = list->count == 0 ? 0 : list->ranges[list->count - 1].high;

	if (high - low < RECSYS_LEAST_SHARE)
		return;
	if (list->count > 0 && list->ranges[list->count - 1].variant == variant)
		list->ranges[list->count - 1].high = high;
	else
	{
		list->ranges[list->count].high = high;
		list->ranges[list->count].variant = variant;
		list->count++;
	}
}

static double
low_of(const RecsysVariantRange *ranges, int i)
{
	return i == 0 ? 0 : ranges[i - 1].high;
}

/* What each variant has more than its new share, and what it has less; returns the sum of the latter. */
static double
compare_shares(const RecsysVariantRange *before, int nbefore, const double *shares, int n,
			   double *losses, double *gains)
{
	double		total = 0;

	for (int v = 0; v < n; v++)
		losses[v] = -shares[v];
	for (int i = 0; i < nbefore; i++)
		if (before[i].variant >= 0)
			losses[before[i].variant] += before[i].high - low_of(before, i);
	for (int v = 0; v < n; v++)
	{
		gains[v] = losses[v] < -RECSYS_LEAST_SHARE ? -losses[v] : 0;
		if (losses[v] < RECSYS_LEAST_SHARE)
			losses[v] = 0;
		total += gains[v];
	}
	return total;
}

/* What is taken from a range: from low to high, nothing if they are the same */
typedef struct Piece
{
	double		low;
	double		high;
} Piece;

static bool
gains_beside(const RecsysVariantRange *before, int nbefore, int i, const double *gains)
{
	return i >= 0 && i < nbefore && before[i].variant >= 0 && gains[before[i].variant] > 0;
}

/* The smallest range of the variant from which nothing has been taken yet; -1 if there is none */
static int
smallest_range(const RecsysVariantRange *before, int nbefore, const Piece *pieces, int variant)
{
	int			smallest = -1;
	double		width = HUGE_VAL;

	for (int i = nbefore - 1; i >= 0; i--)
	{
		double		own = before[i].high - low_of(before, i);

		if (before[i].variant == variant && pieces[i].low == pieces[i].high && own < width)
		{
			smallest = i;
			width = own;
		}
	}
	return smallest;
}

static void
take_from(const RecsysVariantRange *before, int nbefore, int variant, double loss,
		  const double *gains, Piece *pieces)
{
	int			i;

	while (loss >= RECSYS_LEAST_SHARE &&
		   (i = smallest_range(before, nbefore, pieces, variant)) >= 0)
	{
		Piece	   *piece = &pieces[i];

		piece->low = low_of(before, i);
		piece->high = before[i].high;
		if (loss < piece->high - piece->low - RECSYS_LEAST_SHARE)
		{
			if (gains_beside(before, nbefore, i - 1, gains) && !gains_beside(before, nbefore, i + 1, gains))
				piece->high = piece->low + loss;
			else
				piece->low = piece->high - loss;
		}
		loss -= piece->high - piece->low;
	}
}

/* Who gets which part of what has been taken from one variant, or from those that are gone */
typedef struct Division
{
	double		given;			/* so far */
	double		sum;			/* of all its pieces */
} Division;

static void
divide(RangeList *list, const Piece *piece, Division *division, const double *gains, double total,
	   int n)
{
	double		start = piece->low - division->given;
	double		end = 0;
	int			last = n - 1;

	while (last > 0 && gains[last] == 0)
		last--;
	for (int v = 0; v <= last; v++)
	{
		double		high;

		if (gains[v] == 0 && v < last)
			continue;
		end += gains[v];
		high = v == last ? piece->high : Min(start + division->sum * end / total, piece->high);
		if (high > piece->low)
			add_range(list, high, v);
	}
	division->given += piece->high - piece->low;
}

/* Ranges before, without the pieces, which go to those that gain */
static RangeList
deal(const RecsysVariantRange *before, int nbefore, const Piece *pieces, const double *gains,
	 double total, int n)
{
	Division   *divisions = palloc0(sizeof(Division) * (n + 1));
	RangeList	list;

	list.ranges = palloc(sizeof(RecsysVariantRange) * ((Size) nbefore * 2 + (Size) (n + 1) * (n + 1) + nbefore));
	list.count = 0;
	for (int i = 0; i < nbefore; i++)
		divisions[before[i].variant + 1].sum += pieces[i].high - pieces[i].low;
	for (int i = 0; i < nbefore; i++)
	{
		if (pieces[i].low == pieces[i].high)
		{
			add_range(&list, before[i].high, before[i].variant);
			continue;
		}
		if (pieces[i].low > low_of(before, i))
			add_range(&list, pieces[i].low, before[i].variant);
		divide(&list, &pieces[i], &divisions[before[i].variant + 1], gains, total, n);
		if (pieces[i].high < before[i].high)
			add_range(&list, before[i].high, before[i].variant);
	}
	pfree(divisions);
	return list;
}

int
RecsysShareRanges(const RecsysVariantRange *before, int nbefore, const double *shares, int n,
				  RecsysVariantRange **after)
{
	static const RecsysVariantRange unclaimed = {1.0, NOBODY};
	double	   *losses = palloc(sizeof(double) * n);
	double	   *gains = palloc(sizeof(double) * n);
	double		total;
	Piece	   *pieces;
	RangeList	list;

	if (nbefore == 0)
	{
		before = &unclaimed;
		nbefore = 1;
	}
	pieces = palloc0(sizeof(Piece) * nbefore);
	total = compare_shares(before, nbefore, shares, n, losses, gains);
	for (int v = 0; v < n; v++)
		take_from(before, nbefore, v, losses[v], gains, pieces);
	take_from(before, nbefore, NOBODY, 2, gains, pieces);
	list = deal(before, nbefore, pieces, gains, total, n);
	if (list.count > 0)
		list.ranges[list.count - 1].high = 1;
	pfree(losses);
	pfree(gains);
	pfree(pieces);
	*after = list.ranges;
	return list.count;
}

int
RecsysVariantAt(const RecsysVariantRange *ranges, int n, double place)
{
	int			i = 0;

	while (i < n - 1 && place >= ranges[i].high)
		i++;
	return ranges[i].variant;
}
