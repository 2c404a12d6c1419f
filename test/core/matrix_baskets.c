/*
 * matrix_baskets.c
 *	  The rows of a matrix as baskets.
 */
#include "matrix_baskets.h"

static bool
matrix_next(void *arg, const uint32 **items, uint32 *count, RecsysDecimal *weight)
{
	MatrixBaskets *source = arg;
	uint64		first;

	if (source->row == source->matrix->nrows)
		return false;
	first = source->matrix->offsets[source->row];
	*items = source->matrix->columns + first;
	if (source->weights != NULL)
	{
		RecsysExactSum sum;

		RecsysExactSumInit(&sum);
		RecsysExactSumAdd(&sum, source->weights[source->row]);
		*weight = RecsysExactSumDecimal(&sum);
	}
	*count = (uint32) (source->matrix->offsets[++source->row] - first);
	return true;
}

static void
matrix_rewind(void *arg)
{
	((MatrixBaskets *) arg)->row = 0;
}

void
matrix_baskets_init(MatrixBaskets *source, const RecsysMatrix *matrix, const double *weights)
{
	memset(source, 0, sizeof(*source));
	source->matrix = matrix;
	source->weights = weights;
	source->baskets.nitems = matrix->ncolumns;
	source->baskets.rewind = matrix_rewind;
	source->baskets.next = matrix_next;
	source->baskets.weighted = weights != NULL;
	source->baskets.arg = source;
}
