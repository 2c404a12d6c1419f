/*
 * check_factors.c
 *	  Are sketches and gram matrix those of the factors?
 *
 * Computing the sum of outer products again would cost items times the square of the
 * rank.  Instead both sides are multiplied by vectors s of random signs: G s must be the
 * sum of y (y' s), which costs items times the rank (Freivalds: Probabilistic machines
 * can use less running time, IFIP 1977).  A difference above the tolerance goes
 * unnoticed with a probability of 2^-PROBES at most.
 */
#include "postgres.h"

#include <math.h>

#include "am/check/check.h"
#include "am/graph/sketchpage.h"
#include "am/store/meta.h"
#include "core/base/random.h"
#include "utils/memutils.h"

#define PROBES 8

/* What adding up in single precision may be off, of the largest numbers added */
#define TOLERANCE 1e-4

typedef struct FactorCheck
{
	Relation	index;
	RecsysFactorReader *reader;
	int			rank;
	float	   *zeros;
	float	   *signs;			/* PROBES rows of 1 and -1 */
	double	   *sums;			/* PROBES rows: sum of y (y' s) */
	double	   *squares;		/* sum of y^2 */
	uint8	   *sketched;		/* 1: the item's sketch has been seen */
} FactorCheck;

static double
dot(const float *a, const float *b, int n)
{
	double		sum = 0;

	for (int x = 0; x < n; x++)
		sum += (double) a[x] * b[x];
	return sum;
}

static void
add_page(void *arg, uint32 first, const void *factors, uint32 n)
{
	FactorCheck *check = arg;
	int			rank = check->rank;

	for (uint32 x = 0; x < n; x++)
	{
		const float *factor = (const float *) factors + (Size) x * rank;

		for (int r = 0; r < rank; r++)
		{
			if (!isfinite(factor[r]))
				RecsysCheckFailed(check->index, "Item number %u has a factor that is not finite.", first + x);
			check->squares[r] += (double) factor[r] * factor[r];
		}
		for (int probe = 0; probe < PROBES; probe++)
		{
			double		product = dot(factor, check->signs + probe * rank, rank);

			for (int r = 0; r < rank; r++)
				check->sums[probe * rank + r] += product * factor[r];
		}
	}
}

/* All items have one, as many as places: nobody has two.  Without factor it is that of zeros. */
static bool
check_sketches(void *arg, uint32 first, const void *block, uint32 n, double longest)
{
	FactorCheck *check = arg;
	const RecsysSketchLayout *layout = &check->reader->layout;
	const void *rests = RecsysFactorRests(check->reader, first);

	for (uint32 x = 0; x < n; x++)
	{
		uint32		item = RecsysFactorSketched(check->reader, rests, x);
		const float *factor = RecsysFactorRead(check->reader, item);

		if (!RecsysSketchFits(layout, block, rests, x, factor != NULL ? factor : check->zeros))
			RecsysCheckFailed(check->index, "Item number %u has a sketch that is not of its factor.", item);
		if (factor != NULL && RecsysFactorLength(factor, check->rank) > longest)
			RecsysCheckFailed(check->index, "The factor of item number %u is longer than its sketch's page says.", item);
		if (factor != NULL)
			RecsysFactorRelease(check->reader);
		if (check->sketched[item])
			RecsysCheckFailed(check->index, "Item number %u has two sketches.", item);
		check->sketched[item] = 1;
	}
	RecsysFactorRestsDone(check->reader);
	return true;
}

static void
compare(FactorCheck *check, const float *diagonal)
{
	int			rank = check->rank;
	double		largest = 0;

	for (int r = 0; r < rank; r++)
		largest = Max(largest, check->squares[r]);
	for (int r = 0; r < rank; r++)
	{
		if (!isfinite(diagonal[r]) || fabs(diagonal[r] - check->squares[r]) > TOLERANCE * largest)
			RecsysCheckFailed(check->index, "The gram matrix is wrong in row %d.", r);
		for (int probe = 0; probe < PROBES; probe++)
			if (!(fabs(diagonal[r] * check->signs[probe * rank + r] - check->sums[probe * rank + r]) <=
				  TOLERANCE * largest * sqrt(rank)))
				RecsysCheckFailed(check->index, "Row %d of the gram matrix is not the sum of the factors' products.", r);
	}
}

void
RecsysCheckFactors(Relation index)
{
	RecsysFactorReader reader;
	FactorCheck check;
	RecsysRandom random;
	float		diagonal[RECSYS_MAX_RANK];

	if (!RecsysFactorReaderInit(&reader, index))
		return;
	if (!RecsysGetCache(index)->meta.learned)
		RecsysCheckFailed(index, "There are factors, though the scores are not learned.");
	check.index = index;
	check.reader = &reader;
	check.rank = reader.shape.rank;
	check.zeros = palloc0(sizeof(float) * check.rank);
	check.sketched = palloc_extended(reader.shape.nitems, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	check.signs = palloc(sizeof(float) * PROBES * check.rank);
	check.sums = palloc0(sizeof(double) * PROBES * check.rank);
	check.squares = palloc0(sizeof(double) * check.rank);
	RecsysRandomStart(&random, 1, 0);
	for (int x = 0; x < PROBES * check.rank; x++)
		check.signs[x] = RecsysRandomBelow(&random, 2) ? 1.0f : -1.0f;
	RecsysFactorVisit(&reader, add_page, &check);
	RecsysFactorReadDiagonal(&reader, diagonal);
	compare(&check, diagonal);
	RecsysFactorVisitSketches(&reader, check_sketches, &check);
}
