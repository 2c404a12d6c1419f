/*
 * importance.c
 *	  Importance weights: how much more likely the target shows something than the logging policy did.
 *
 * Of a single row the weight is target / propensity.  For a list it is the product over all of its
 * places; where users are taken to look from the top down, so that a reward depends on what stands
 * at its place and above, the product over these places is enough (McInerney et al.: Counterfactual
 * evaluation of slate recommendations with sequential reward interactions, KDD 2020, eq. 7);
 * where it depends on its own place alone, the row's weight is (Li et al.: Offline evaluation of
 * ranking policies with click models, KDD 2018).
 */
#include "core/offpolicy/importance.h"

#include <math.h>

static bool
same_request(const RecsysPolicyRows *rows, uint32 i, uint32 j)
{
	return rows->request != NULL && rows->request[i] == rows->request[j];
}

/* Products along each list; an impossible place stays impossible, however small propensities are. */
static void
multiply_down(const RecsysPolicyRows *rows, double *weights)
{
	for (uint32 i = 1; i < rows->n; i++)
		if (same_request(rows, i - 1, i))
			weights[i] = weights[i - 1] == 0 || weights[i] == 0 ? 0 : weights[i - 1] * weights[i];
}

/* The last one's weight is that of the whole list. */
static void
copy_up(const RecsysPolicyRows *rows, double *weights)
{
	for (uint32 i = rows->n; i-- > 1;)
		if (same_request(rows, i - 1, i))
			weights[i - 1] = weights[i];
}

void
RecsysImportanceWeights(const RecsysPolicyRows *rows, RecsysImportance importance, double *weights)
{
	for (uint32 i = 0; i < rows->n; i++)
		weights[i] = rows->target[i] / rows->propensity[i];
	if (importance != RECSYS_IMPORTANCE_ROW)
		multiply_down(rows, weights);
	if (importance == RECSYS_IMPORTANCE_LIST)
		copy_up(rows, weights);
}

bool
RecsysPolicyRowBegins(const RecsysPolicyRows *rows, uint32 row)
{
	return row == 0 || !same_request(rows, row - 1, row);
}

/* The same of its unit */
static bool
begins_unit(const RecsysPolicyRows *rows, uint32 row)
{
	if (rows->unit == NULL)
		return RecsysPolicyRowBegins(rows, row);
	return row == 0 || rows->unit[row - 1] != rows->unit[row];
}

uint32
RecsysPolicyUnits(const RecsysPolicyRows *rows, uint32 *unit)
{
	uint32		count = 0;

	for (uint32 i = 0; i < rows->n; i++)
	{
		count += begins_unit(rows, i);
		unit[i] = count - 1;
	}
	return count;
}

/* Sums over a unit, put to those over all of them */
typedef struct OverlapSums
{
	double		rows;			/* of the unit */
	double		weight;

	double		total;			/* of all units */
	double		squares;		/* of rows' weights */
	double		unit_squares;	/* products of sums of units */
	double		unit_products;
	double		row_squares;
	double		largest;
} OverlapSums;

static void
end_unit(OverlapSums *sums, RecsysOverlap *overlap)
{
	if (sums->rows == 0)
		return;
	overlap->units++;
	overlap->rows += (uint32) sums->rows;
	sums->total += sums->weight;
	sums->unit_squares += sums->weight * sums->weight;
	sums->unit_products += sums->weight * sums->rows;
	sums->row_squares += sums->rows * sums->rows;
	sums->largest = Max(sums->largest, sums->weight);
	sums->rows = sums->weight = 0;
}

void
RecsysOverlapOf(const RecsysPolicyRows *rows, const double *weights, const uint32 *unit,
				uint32 position, RecsysOverlap *overlap)
{
	OverlapSums sums = {0};
	bool		fresh = false;	/* no row of this request has counted yet */
	double		n;
	double		mean;

	memset(overlap, 0, sizeof(RecsysOverlap));
	for (uint32 i = 0; i < rows->n; i++)
	{
		if (i > 0 && unit[i] != unit[i - 1])
			end_unit(&sums, overlap);
		fresh |= RecsysPolicyRowBegins(rows, i);
		if (position != RECSYS_NONE && rows->position[i] != position)
			continue;
		overlap->requests += fresh;
		fresh = false;
		sums.rows += 1;
		sums.weight += weights[i];
		sums.squares += weights[i] * weights[i];
	}
	end_unit(&sums, overlap);
	if (overlap->rows == 0)
		return;

	/* the mean is a ratio of sums over units: its variance by linearisation */
	n = overlap->rows;
	mean = sums.total / n;
	overlap->mean_weight = mean;
	overlap->error = overlap->units < 2 ? INFINITY :
		sqrt(Max(sums.unit_squares - 2 * mean * sums.unit_products + mean * mean * sums.row_squares, 0) *
			 overlap->units / (overlap->units - 1.0)) / n;
	overlap->effective = sums.squares > 0 ? sums.total * sums.total / sums.squares : 0;
	overlap->effective_units = sums.unit_squares > 0 ? sums.total * sums.total / sums.unit_squares : 0;
	overlap->largest = sums.total > 0 ? sums.largest / sums.total : 0;
}
