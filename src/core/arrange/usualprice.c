/*
 * usualprice.c
 *	  What is usually asked for a thing, and how unusual a price is.
 *
 * Median and median absolute deviation, which nearly half of the prices may be wrong
 * without moving far (Hampel: The influence curve and its role in robust estimation, Journal of
 * the American Statistical Association 69, 1974).
 */
#include "core/arrange/usualprice.h"

#include <math.h>

/* Makes the median absolute deviation of a normal distribution its standard deviation */
#define NORMAL 1.4826

static int
compare_prices(const void *a, const void *b)
{
	double		x = ((const RecsysPrice *) a)->price;
	double		y = ((const RecsysPrice *) b)->price;

	return x < y ? -1 : x > y;
}

static int
compare_numbers(const void *a, const void *b)
{
	double		x = fabs(*(const double *) a);
	double		y = fabs(*(const double *) b);

	return x < y ? -1 : x > y;
}

double
RecsysMedianPrice(RecsysPrice *prices, int n)
{
	double		total = 0;
	double		below = 0;

	qsort(prices, n, sizeof(RecsysPrice), compare_prices);
	for (int x = 0; x < n; x++)
		total += prices[x].weight;
	for (int x = 0; x < n; x++)
	{
		below += prices[x].weight;
		if (2 * below > total)
			return prices[x].price;
		/* exactly half of it: between the two */
		if (2 * below == total && x + 1 < n)
			return (prices[x].price + prices[x + 1].price) / 2;
	}
	return prices[n - 1].price;
}

double
RecsysSpreadOfPrices(double *deviations, int n)
{
	qsort(deviations, n, sizeof(double), compare_numbers);
	return NORMAL * (n % 2 == 1 ? fabs(deviations[n / 2]) :
					 (fabs(deviations[n / 2 - 1]) + fabs(deviations[n / 2])) / 2);
}

double
RecsysPriceSurprise(double price, double usual, double own_spread, int n, double spread)
{
	double		variance = (n * own_spread * own_spread + RECSYS_SPREAD_PRIOR * spread * spread) /
		(n + RECSYS_SPREAD_PRIOR);

	return (price - usual) / Max(sqrt(variance), RECSYS_LEAST_SPREAD);
}
