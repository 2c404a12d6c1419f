/*
 * test_usualprice.c
 *	  Tests of core/arrange/usualprice.
 */
#include "core/arrange/usualprice.h"
#include "core/base/random.h"
#include "tap.h"

#include <math.h>

/* The same by writing each price down as often as its weight says */
static double
plain_median(const RecsysPrice *prices, int n)
{
	double		all[1000];
	int			count = 0;

	for (int x = 0; x < n; x++)
		for (int y = 0; y < (int) prices[x].weight; y++)
			all[count++] = prices[x].price;
	for (int x = 1; x < count; x++)
		for (int y = x; y > 0 && all[y] < all[y - 1]; y--)
		{
			double		swapped = all[y];

			all[y] = all[y - 1];
			all[y - 1] = swapped;
		}
	return count % 2 == 1 ? all[count / 2] : (all[count / 2 - 1] + all[count / 2]) / 2;
}

void
test_usualprice(void)
{
	RecsysRandom random;
	RecsysPrice prices[12];
	double		deviations[] = {0.1, -0.3, 0.2, -0.1, 5};
	bool		same = true;

	RecsysRandomStart(&random, 1, 0);
	for (int round = 0; round < 2000; round++)
	{
		int			n = 1 + RecsysRandomBelow(&random, 12);
		double		expected;

		for (int x = 0; x < n; x++)
		{
			prices[x].price = RecsysRandomBelow(&random, 20);
			prices[x].weight = 1 + RecsysRandomBelow(&random, 4);
		}
		expected = plain_median(prices, n);
		same &= RecsysMedianPrice(prices, n) == expected;
	}
	ok(same, "the median by weight is that of the prices written down as often");
	ok(fabs(RecsysSpreadOfPrices(deviations, 5) - 1.4826 * 0.2) < 1e-12 &&
	   fabs(RecsysSpreadOfPrices(deviations, 4) - 1.4826 * 0.15) < 1e-12,
	   "the spread is what most deviations have");
	ok(fabs(RecsysPriceSurprise(1, 2, 0.5, 0, 0.25) + 4) < 1e-12 &&
	   fabs(RecsysPriceSurprise(3, 2, 0, 4, 0) - 1 / RECSYS_LEAST_SPREAD) < 1e-12 &&
	   fabs(RecsysPriceSurprise(3, 2, 0.3, 4, 0.1) - 1 / sqrt((4 * 0.09 + 4 * 0.01) / 8)) < 1e-12,
	   "surprise by the spread of few, drawn to that of all");
}
