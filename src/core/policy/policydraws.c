/*
 * policydraws.c
 *	  Random numbers of the laws that policies draw from.
 */
#include "core/policy/policydraws.h"

#include <math.h>

/* Marsaglia, Bray: A convenient method for generating normal variables, SIAM Review 6 (1964) */
double
RecsysDrawNormal(RecsysRandom *random)
{
	double		x;
	double		square;

	do
	{
		double		y = 2 * RecsysDrawUnit(random) - 1;

		x = 2 * RecsysDrawUnit(random) - 1;
		square = x * x + y * y;
	} while (square >= 1 || square == 0);
	return x * sqrt(-2 * log(square) / square);
}

/*
 * Marsaglia, Tsang: A simple method for generating gamma variables, ACM TOMS 26 (2000); a shape
 * below 1 is raised by one and brought back by a power of a uniform variable.
 */
double
RecsysDrawLogGamma(double shape, RecsysRandom *random)
{
	double		raised = shape < 1 ? shape + 1 : shape;
	double		d = raised - 1.0 / 3;
	double		c = 1 / sqrt(9 * d);
	double		result;

	if (!(shape > 0))
		return -INFINITY;
	for (;;)
	{
		double		x = RecsysDrawNormal(random);
		double		v = 1 + c * x;
		double		lot = RecsysDrawUnit(random);

		if (v <= 0)
			continue;
		v = v * v * v;
		result = log(d * v);

		/* the first is a shortcut to most of the second */
		if (lot < 1 - 0.0331 * x * x * x * x ||
			log(lot) < 0.5 * x * x + d - d * v + d * log(v))
			break;
	}
	if (shape < 1)
		result += log(RecsysDrawUnit(random)) / shape;
	return result;
}
