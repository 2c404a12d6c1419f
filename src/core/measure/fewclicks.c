/*
 * fewclicks.c
 *	  How likely so few events are by chance.
 *
 * Terms are added from the largest one, at the mean or at the number of events if that is less,
 * to both sides until they are too small to count, each by its ratio to the one before.  So the
 * number of steps grows with the square root of the mean only.
 */
#include "core/measure/fewclicks.h"

#include <math.h>

/* What is less than this beside the sum does not change it. */
#define NEGLIGIBLE 1e-18

double
RecsysPoissonLower(int64 events, double mean)
{
	double		most;
	double		below = 0;
	double		above = 0;
	double		term = 1;

	if (!(mean >= 0) || isinf(mean))
		return NAN;
	if (events < 0)
		return 0;
	if (mean == 0)
		return 1;

	/* relative to the term at `most`, which is exp(-mean) mean^most / most! */
	most = Min((double) events, floor(mean));
	for (double i = most; i > 0 && term > NEGLIGIBLE; i--)
	{
		term *= i / mean;
		below += term;
	}
	term = 1;
	for (double i = most + 1; i <= (double) events && term > NEGLIGIBLE; i++)
	{
		term *= mean / i;
		above += term;
	}
	return Min(1, (1 + below + above) * exp(most * log(mean) - mean - lgamma(most + 1)));
}
