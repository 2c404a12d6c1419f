/*
 * test_matrix.c
 *	  Tests of core/rows/matrix.
 */
#include "core/rows/matrix.h"
#include "generate.h"
#include "tap.h"

static bool
same_matrices(const RecsysMatrix *a, const RecsysMatrix *b)
{
	uint64		n = a->offsets[a->nrows];

	if (a->nrows != b->nrows || a->ncolumns != b->ncolumns ||
		memcmp(a->offsets, b->offsets, (a->nrows + 1) * sizeof(uint64)) != 0 ||
		memcmp(a->columns, b->columns, n * sizeof(uint32)) != 0 ||
		(a->weights == NULL) != (b->weights == NULL))
		return false;
	return a->weights == NULL || memcmp(a->weights, b->weights, n * sizeof(float)) == 0;
}

static bool
rows_ascend(const RecsysMatrix *matrix)
{
	for (uint32 row = 0; row < matrix->nrows; row++)
	{
		for (uint64 x = matrix->offsets[row] + 1; x < matrix->offsets[row + 1]; x++)
		{
			if (matrix->columns[x - 1] >= matrix->columns[x])
				return false;
		}
	}
	return true;
}

/* Is an entry (row, column) of the one an entry (column, row) of the other? */
static bool
entries_swapped(const RecsysMatrix *a, const RecsysMatrix *b)
{
	for (uint32 row = 0; row < a->nrows; row++)
	{
		for (uint64 x = a->offsets[row]; x < a->offsets[row + 1]; x++)
		{
			bool		found = false;

			for (uint64 y = b->offsets[a->columns[x]]; y < b->offsets[a->columns[x] + 1]; y++)
				found = found || (b->columns[y] == row &&
								  (a->weights == NULL || a->weights[x] == b->weights[y]));
			if (!found)
				return false;
		}
	}
	return true;
}

static void
test_compact(WeightKind kind, bool packed)
{
	Random		random;
	RecsysMatrix *matrix;
	bool		right = true;
	Size		before;

	random_seed(&random, 5);
	matrix = generate_matrix(&random, 200, 300, 4000, 100, true, kind);
	before = standalone_memory_now;
	ok(RecsysMatrixCompact(matrix) && (matrix->packed != NULL) == packed &&
	   (matrix->narrow != NULL) == !packed, "compact copy, weights of kind %d", kind);
	ok(standalone_memory_now - before <=
	   RecsysMatrixCompactMemory(matrix->offsets[200], kind != WEIGHTS_NONE),
	   "compact copy: its memory is as announced");
	for (uint64 x = 0; x < matrix->offsets[200]; x++)
	{
		if (matrix->narrow != NULL && matrix->narrow[x] != matrix->columns[x])
			right = false;
		if (matrix->packed != NULL &&
			((matrix->packed[x] & 65535) != matrix->columns[x] ||
			 (float) (matrix->packed[x] >> 16) / (1 << matrix->weight_shift) !=
			 matrix->weights[x]))
			right = false;
	}
	ok(right, "compact copy: it equals the original");
	RecsysMatrixFree(matrix);
}

void
test_matrix(void)
{
	bool		right = true;
	bool		memory = true;
	RecsysMatrix wide = {0};
	uint64		no_offsets[2] = {0, 0};

	for (int round = 0; round < 60; round++)
	{
		Random		random;
		RecsysMatrix *users;
		RecsysMatrix *items;
		RecsysMatrix *back;
		Size		before;

		random_seed(&random, round);
		users = generate_matrix(&random, 1 + random_bits(&random) % 100,
								1 + random_bits(&random) % 80, 600, 50, round % 2,
								(WeightKind) (round % 3));
		before = standalone_memory_now;
		items = RecsysMatrixTranspose(users);
		if (standalone_memory_now - before >
			RecsysMatrixMemory(items->nrows, Max(items->offsets[items->nrows], 1), round % 3 != 0))
			memory = false;
		back = RecsysMatrixTranspose(items);
		right = right && rows_ascend(items) && entries_swapped(users, items) &&
			same_matrices(users, back);
		RecsysMatrixFree(back);
		RecsysMatrixFree(items);
		RecsysMatrixFree(users);
	}
	ok(right, "transposed matrices have the same entries, in order, and back");
	ok(memory, "a matrix takes the memory that was announced");

	test_compact(WEIGHTS_NONE, false);
	test_compact(WEIGHTS_SMALL, true);
	test_compact(WEIGHTS_REAL, false);
	wide.nrows = 1;
	wide.ncolumns = 70000;
	wide.offsets = no_offsets;
	ok(!RecsysMatrixCompact(&wide), "compact copy: not with more than 65,536 columns");
}
