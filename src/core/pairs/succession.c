/*
 * succession.c
 *	  What comes after what: how much a pair of a history counts by the order of its two items.
 *
 * For the row of item i, a user who has i at place p and j at place q counts
 *
 *		after(q - p)				q > p: j came later, after(g) = gap_decay ^ (g - 1)
 *		backward * after(p - q)		q < p: j came earlier
 *		(1 + backward) / 2			q = p: at the same time, or nobody knows
 *		0							one of them has no time
 *
 * times both weights (Ludewig, Jannach 2018, "Evaluation of session-based recommendation
 * algorithms": sequential rules, where the weight is 1 / g and what came earlier does not
 * count).  Most of what people look at in a session they might have looked at in another
 * order: with few sessions, to count nothing of that leaves too many rows thin.
 *
 * Factors are multiples of 2^-FACTOR_BITS.  So products with weights of few digits are exact,
 * and so are sums of them in whatever order users come; far gaps become zero.
 */
#include "core/pairs/succession.h"

#include <math.h>

#define FACTOR_BITS 23

struct RecsysSuccession
{
	int			reach;			/* larger gaps count as this one */
	float	   *factors;		/* from gap -reach to gap reach */
	float	   *weights;		/* of the history at hand */
	int			room;			/* for so many */
};

static float
rounded(double factor)
{
	return (float) ldexp(rint(ldexp(factor, FACTOR_BITS)), -FACTOR_BITS);
}

static double
after(const RecsysModelOptions *options, int gap)
{
	return pow(options->gap_decay, gap - 1);
}

/* The gap from which on nothing changes any more */
static int
find_reach(const RecsysModelOptions *options)
{
	int			reach = 1;

	while (reach < RECSYS_ORDINALS && rounded(after(options, reach)) > 0.0f &&
		   options->gap_decay < 1.0)
		reach++;
	return reach;
}

static void
make_room(RecsysSuccession *succession, int count)
{
	if (count <= succession->room)
		return;
	if (succession->weights != NULL)
		pfree(succession->weights);
	succession->room = Max(count, 1024);
	succession->weights = palloc(sizeof(float) * succession->room);
}

RecsysSuccession *
RecsysSuccessionCreate(const RecsysModelOptions *options)
{
	RecsysSuccession *succession = palloc0(sizeof(RecsysSuccession));
	int			reach = find_reach(options);

	/* no history has more items, so that it need not grow in whatever context */
	make_room(succession, options->max_history);
	succession->reach = reach;
	succession->factors = palloc(sizeof(float) * (2 * (Size) reach + 1));
	succession->factors[reach] = rounded((1.0 + options->backward) / 2);
	for (int gap = 1; gap <= reach; gap++)
	{
		succession->factors[reach + gap] = rounded(after(options, gap));
		succession->factors[reach - gap] = rounded(options->backward * after(options, gap));
	}
	return succession;
}

/* What the order makes of an item's weight in the row of another one */
static inline float
factor_of(const RecsysSuccession *succession, RecsysOrdinal row, RecsysOrdinal item)
{
	int			gap = (int) item - (int) row;

	if (row == RECSYS_NO_ORDINAL || item == RECSYS_NO_ORDINAL)
		return 0.0f;
	return succession->factors[succession->reach +
							   Max(Min(gap, succession->reach), -succession->reach)];
}

const float *
RecsysSuccessionWeights(RecsysSuccession *succession, RecsysOrdinal own, const RecsysOrdinal *places,
						const float *weights, int count)
{
	make_room(succession, count);
	for (int x = 0; x < count; x++)
		succession->weights[x] = weights[x] * factor_of(succession, own, places[x]);
	return succession->weights;
}

const float *
RecsysSuccessionWeightsOfOne(RecsysSuccession *succession, RecsysOrdinal own,
							 const RecsysOrdinal *places, float weight, int count)
{
	make_room(succession, count);
	for (int x = 0; x < count; x++)
		succession->weights[x] = weight * factor_of(succession, places[x], own);
	return succession->weights;
}

void
RecsysSuccessionFree(RecsysSuccession *succession)
{
	if (succession->weights != NULL)
		pfree(succession->weights);
	pfree(succession->factors);
	pfree(succession);
}
