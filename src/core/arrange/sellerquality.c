/*
 * sellerquality.c
 *	  How good a seller is by its ratings, of which there may be few.
 */
#include "core/arrange/sellerquality.h"

#include <math.h>

/*
 * Efron and Morris: Stein's paradox in statistics, Scientific American 236 (1977): means of
 * few observations are nearer to the truth when they are drawn to that of all.  With ratings
 * of equal variance v around the seller's mean, and means of variance w, the prior that
 * is best is v / w ratings (Bühlmann: Experience rating and credibility, ASTIN Bulletin 1967).
 */
double
RecsysShrunkMean(double sum, double number, double prior, double mean)
{
	if (!isfinite(sum) || !isfinite(number) || number < 0)
		sum = number = 0;
	if (!(prior > 0) || !isfinite(mean))
		return number > 0 ? sum / number : mean;
	return (sum + prior * mean) / (number + prior);
}

/*
 * Wilson: Probable inference, the law of succession, and statistical inference, Journal of the
 * American Statistical Association 22 (1927).
 */
double
RecsysWilsonLower(double positive, double number, double z)
{
	double		share;
	double		lower;

	if (!(number > 0) || !isfinite(positive))
		return NAN;
	share = Min(Max(positive / number, 0), 1);
	lower = (share + z * z / (2 * number) -
			 z * sqrt((share * (1 - share) + z * z / (4 * number)) / number)) / (1 + z * z / number);
	return Max(lower, 0);
}

double
RecsysQualityFactor(double quality, double mean)
{
	if (!isfinite(quality) || !isfinite(mean) || mean <= 0)
		return 1;
	return Min(Max(quality / mean, RECSYS_LEAST_FACTOR), RECSYS_MOST_FACTOR);
}
