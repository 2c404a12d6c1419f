/*
 * test_assignment.c
 *	  Tests of core/decide/unitplace and core/decide/shareranges: who gets which variant, and who
 *	  keeps it when shares change.
 */
#include "core/base/random.h"
#include "core/decide/shareranges.h"
#include "core/decide/unitplace.h"
#include "tap.h"

#define UNITS 100000
#define MOST 6

static void
test_places(void)
{
	double		sum = 0;
	int			cells[16][16] = {{0}};
	double		chi = 0;

	/* must never change: running experiments would be dealt anew */
	ok(RecsysUnitHash(RECSYS_PLACE_VARIANT, "home_diversity", "42") == UINT64CONST(0x96ADDE18E2A7C1AF) &&
	   RecsysUnitHash(RECSYS_PLACE_LAYER, "home", "42") == UINT64CONST(0x95D1D391D321C7F8) &&
	   RecsysUnitHash(RECSYS_PLACE_VARIANT, "", "") == UINT64CONST(0xE42B84D73C3AF2AB) &&
	   RecsysUnitHash(RECSYS_PLACE_PART, "a",
					  "123e4567-e89b-12d3-a456-426614174000") == UINT64CONST(0x51C8E295AC8584C1),
	   "places are what they have always been");
	ok(RecsysUnitHash(RECSYS_PLACE_VARIANT, "ab", "c") != RecsysUnitHash(RECSYS_PLACE_VARIANT, "a", "bc") &&
	   RecsysUnitHash(RECSYS_PLACE_VARIANT, "", "abc") != RecsysUnitHash(RECSYS_PLACE_VARIANT, "abc", ""),
	   "where the name ends matters");

	for (int i = 0; i < UNITS; i++)
	{
		char		unit[16];
		double		place;

		snprintf(unit, sizeof(unit), "%d", i);
		place = RecsysUnitPlace(RECSYS_PLACE_VARIANT, "one", unit);
		sum += place;
		cells[(int) (place * 16)][(int) (RecsysUnitPlace(RECSYS_PLACE_VARIANT, "two", unit) * 16)]++;
	}
	for (int i = 0; i < 256; i++)
	{
		double		difference = cells[i / 16][i % 16] - UNITS / 256.0;

		chi += difference * difference / (UNITS / 256.0);
	}
	ok(fabs(sum / UNITS - 0.5) < 4 * sqrt(1.0 / 12 / UNITS), "the mean place is one half");
	ok(chi < 345, "places of two experiments are independent: chi-square %.1f, 255 degrees of freedom", chi);
}

static double
share_of(const RecsysVariantRange *ranges, int n, int variant)
{
	double		share = 0;

	for (int i = 0; i < n; i++)
		if (ranges[i].variant == variant)
			share += ranges[i].high - (i == 0 ? 0 : ranges[i - 1].high);
	return share;
}

/* Shares of units that go from each variant to each other one */
static void
measure_moves(const RecsysVariantRange *before, int nbefore, const RecsysVariantRange *after, int nafter,
			  double moves[MOST][MOST])
{
	double		low = 0;

	memset(moves, 0, sizeof(double) * MOST * MOST);
	for (int i = 0, j = 0; i < nbefore && j < nafter;)
	{
		double		high = Min(before[i].high, after[j].high);

		moves[before[i].variant][after[j].variant] += high - low;
		low = high;
		if (before[i].high <= low)
			i++;
		if (after[j].high <= low)
			j++;
	}
}

static void
draw_shares(RecsysRandom *random, double *shares, int n)
{
	double		total = 0;

	for (int v = 0; v < n; v++)
	{
		/* often none, so that variants come and go */
		shares[v] = v > 0 && RecsysRandomBelow(random, 4) == 0 ? 0 : 1 + RecsysRandomBelow(random, 9);
		total += shares[v];
	}
	for (int v = 0; v < n; v++)
		shares[v] /= total;
}

/* What must hold of a change, and that moved units are dealt in proportion to the gains */
static bool
change_is_right(const RecsysVariantRange *before, int nbefore, const RecsysVariantRange *after,
				int nafter, const double *shares, int n)
{
	double		moves[MOST][MOST];
	double		gain = 0;

	for (int v = 0; v < n; v++)
	{
		if (fabs(share_of(after, nafter, v) - shares[v]) > 1e-7)
			return false;
		gain += Max(shares[v] - share_of(before, nbefore, v), 0);
	}
	measure_moves(before, nbefore, after, nafter, moves);
	for (int v = 0; v < n; v++)
	{
		double		loss = share_of(before, nbefore, v) - shares[v];

		for (int w = 0; w < n; w++)
		{
			double		expected = Max(loss, 0) * Max(shares[w] - share_of(before, nbefore, w), 0) / Max(gain, 1e-9);

			if (v != w && fabs(moves[v][w] - expected) > 1e-7)
				return false;
		}
	}
	return true;
}

static void
test_ranges(void)
{
	RecsysVariantRange *ranges;
	RecsysVariantRange *before;
	RecsysVariantRange gone[2] = {{0.3, 0}, {1, -1}};
	double		shares[MOST] = {0.5, 0.3, 0.2};
	double		back[] = {0.5, 0.5};
	double		ramp[] = {0.9, 0.1};
	int			n = RecsysShareRanges(NULL, 0, shares, 3, &ranges);
	int			nbefore;
	int			wrong = 0;
	int			longest = 0;
	RecsysRandom random;

	ok(n == 3 && ranges[0].variant == 0 && ranges[0].high == 0.5 && ranges[2].high == 1 &&
	   RecsysVariantAt(ranges, n, 0) == 0 && RecsysVariantAt(ranges, n, 0.5) == 1 &&
	   RecsysVariantAt(ranges, n, 0.999999) == 2, "ranges of the first shares, one after the other");
	pfree(ranges);

	/* a hundred changes, one after the other */
	RecsysRandomStart(&random, 1, 2);
	draw_shares(&random, shares, MOST);
	nbefore = RecsysShareRanges(NULL, 0, shares, MOST, &before);
	for (int i = 0; i < 100; i++)
	{
		draw_shares(&random, shares, MOST);
		n = RecsysShareRanges(before, nbefore, shares, MOST, &ranges);
		wrong += !change_is_right(before, nbefore, ranges, n, shares, MOST);
		longest = Max(longest, n);
		pfree(before);
		before = ranges;
		nbefore = n;
	}
	ok(wrong == 0, "who keeps or gains a share loses nobody, others lose in proportion (%d ranges at most)", longest);
	pfree(before);

	nbefore = RecsysShareRanges(NULL, 0, ramp, 2, &before);
	n = RecsysShareRanges(before, nbefore, back, 2, &ranges);
	ok(n == 2 && ranges[0].high == 0.5, "a ramp of two variants has two ranges");
	pfree(before);
	n = RecsysShareRanges(ranges, n, ramp, 2, &before);
	ok(n == 2 && fabs(before[0].high - 0.9) < 1e-12, "and back, too");
	pfree(before);
	pfree(ranges);

	n = RecsysShareRanges(gone, 2, back, 2, &ranges);
	ok(n == 2 && fabs(share_of(ranges, n, 0) - 0.5) < 1e-12 && ranges[0].variant == 0, "units of a variant that is gone are dealt to the others");
	pfree(ranges);
}

void
test_assignment(void)
{
	test_places();
	test_ranges();
}
