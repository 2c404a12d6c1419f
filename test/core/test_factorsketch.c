/*
 * test_factorsketch.c
 *	  Tests of core/dense/factorsketch: bounds hold for every score, of factors of any size.
 */
#include "core/dense/factors.h"
#include "core/dense/factorsketch.h"
#include "generate.h"
#include "tap.h"

#include <float.h>
#include <math.h>

#define ITEMS 500

static double
signed_unit(Random *random)
{
	return (double) (random_bits(random) % 2000001) / 1e6 - 1.0;
}

static void
test_bounds(Random *random, int rank, double scale)
{
	float	   *factors = palloc(sizeof(float) * ITEMS * rank);
	float	   *user = palloc(sizeof(float) * rank);
	float	   *exact = palloc(sizeof(float) * ITEMS);
	float	   *rough = palloc(sizeof(float) * ITEMS);
	char	   *sketches = palloc(RECSYS_SKETCH_SIZE(rank) * ITEMS);
	RecsysUserSketch *rough_user = palloc(sizeof(RecsysUserSketch));
	int			outside = 0;
	int			strangers = 0;
	double		width = 0;
	double		length = 0;

	for (int item = 0; item < ITEMS; item++)
	{
		/* some with one large number, some of nothing */
		for (int x = 0; x < rank; x++)
			factors[item * rank + x] = item % 50 == 49 ? 0 :
				(float) (scale * signed_unit(random) * (item % 10 == 3 && x > 0 ? 1e-3 : 1.0));
		RecsysSketchFactor(factors + item * rank, rank, RecsysSketchAt(sketches, item, rank));
		strangers += !RecsysSketchFits(RecsysSketchAt(sketches, item, rank), factors + item * rank, rank);
	}
	for (int x = 0; x < rank; x++)
		user[x] = (float) (signed_unit(random) * (x % 7 == 2 ? 10 : 1));
	RecsysSketchUser(user, rank, rough_user);
	RecsysFactorScores(user, factors, ITEMS, rank, exact);
	RecsysSketchScores(rough_user, (RecsysSketch *) sketches, ITEMS, rank, rough);
	for (int item = 0; item < ITEMS; item++)
	{
		float		bound = rough_user->spread * RecsysSketchAt(sketches, item, rank)->step;

		outside += !(exact[item] >= rough[item] - bound && exact[item] <= rough[item] + bound);
		width += bound;
		length += fabs(exact[item]);
	}
	ok(strangers == 0, "rank %d, scale %g: sketches fit their factors", rank, scale);
	ok(outside == 0, "rank %d, scale %g: %d scores outside their bounds", rank, scale, outside);
	if (rank == 128 && scale == 1.0)
		ok(width < length / 2, "the bounds are narrow: %g of scores of %g", width / ITEMS, length / ITEMS);
	factors[0] += scale >= FLT_MIN ? 0.1f * (float) scale : 1.0f;
	ok(!RecsysSketchFits((RecsysSketch *) sketches, factors, rank) || rank == 1,
	   "rank %d, scale %g: another factor is told", rank, scale);
	pfree(factors);
	pfree(user);
	pfree(rough_user);
	pfree(exact);
	pfree(rough);
	pfree(sketches);
}

void
test_factorsketch(void)
{
	Random		random;
	const int	ranks[] = {1, 3, 16, 17, 128, 1024};
	const double scales[] = {1.0, 1e-20, 1e30, 1e-39};

	random_seed(&random, 1284);
	for (int rank = 0; rank < (int) lengthof(ranks); rank++)
		for (int scale = 0; scale < (int) lengthof(scales); scale++)
			test_bounds(&random, ranks[rank], scales[scale]);
}
