/*
 * usualprice.h
 *	  What is usually asked for a thing, by what several ask for it, and how unusual a price is.
 *
 * Prices are logarithms.  Who sells much weighs more: cheap copies that nobody buys do not
 * make a price usual.
 */
#ifndef RECSYS_USUALPRICE_H
#define RECSYS_USUALPRICE_H

#include "core/base/platform.h"

/* Prices do not differ by less than about so much even where all have asked the same. */
#define RECSYS_LEAST_SPREAD 0.1

typedef struct RecsysPrice
{
	double		price;			/* its logarithm */
	double		weight;			/* > 0 */
} RecsysPrice;

/* The middle one by weight; prices are sorted, n > 0. */
extern double RecsysMedianPrice(RecsysPrice *prices, int n);

/* The standard deviation of deviations from it that most have; sorts them, n > 0. */
extern double RecsysSpreadOfPrices(double *deviations, int n);

/*
 * How many standard deviations a price is from the usual one of n others.  Their own spread
 * counts as n observations, that of all things as RECSYS_SPREAD_PRIOR more.
 */
#define RECSYS_SPREAD_PRIOR 4

extern double RecsysPriceSurprise(double price, double usual, double own_spread, int n,
								  double spread);

#endif							/* RECSYS_USUALPRICE_H */
