/*
 * test_matrix.c
 *	  Tests of core/rows/matrix and core/rows/historychunk.
 */
#include "core/rows/historychunk.h"
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

/* Every column looked for in every row, from wherever the guess is */
static bool
finds_columns(const RecsysMatrix *matrix, double guess)
{
	for (uint32 row = 0; row < matrix->nrows; row++)
	{
		for (uint32 column = 0; column <= matrix->ncolumns; column++)
		{
			uint64		expected = matrix->offsets[row];

			while (expected < matrix->offsets[row + 1] && RecsysMatrixColumn(matrix, expected) < column)
				expected++;
			if (RecsysMatrixFind(matrix, row, column, guess) != expected)
				return false;
		}
	}
	return true;
}

/* Rows by chunks of few rows and entries, whose columns are narrow or not: all there, in order */
static bool
chunks_are_right(const RecsysMatrix *matrix, uint32 ncolumns, uint32 maxrows, uint64 maxentries)
{
	RecsysHistoryChunk chunk;
	uint32		row = 0;
	bool		right = true;

	RecsysHistoryChunkInit(&chunk, ncolumns, matrix->weights != NULL, false, maxrows, maxentries);
	while (row < matrix->nrows && right)
	{
		uint32		n;

		RecsysHistoryChunkClear(&chunk);
		n = RecsysHistoryChunkAppend(&chunk, matrix, row);
		n += RecsysHistoryChunkAppend(&chunk, matrix, row + n);
		right = n > 0 && n == chunk.matrix.nrows && n <= Max(maxrows, 1);
		for (uint32 x = 0; right && x < n; x++)
		{
			uint64		start = chunk.matrix.offsets[x];
			uint64		from = matrix->offsets[row + x];
			uint64		count = matrix->offsets[row + x + 1] - from;

			right = chunk.matrix.offsets[x + 1] - start == count;
			for (uint64 y = 0; right && y < count; y++)
				right = RecsysMatrixColumn(&chunk.matrix, start + y) == matrix->columns[from + y] &&
					(matrix->weights == NULL || chunk.matrix.weights[start + y] == matrix->weights[from + y]);
		}
		row += n;
	}
	right = right && (chunk.matrix.narrow != NULL) == (ncolumns <= 65536);
	RecsysHistoryChunkFree(&chunk);
	return right;
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
	bool		found = true;
	bool		chunks = true;
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
		found = found && finds_columns(users, 0.0) && finds_columns(users, random_unit(&random)) &&
			finds_columns(users, 0.999);
		chunks = chunks && chunks_are_right(users, users->ncolumns, 1000, 100000) &&
			chunks_are_right(users, users->ncolumns, 0, 0) &&
			chunks_are_right(users, 70000, 7, random_bits(&random) % 100) &&
			chunks_are_right(users, users->ncolumns, 1 + random_bits(&random) % 30, 60);
		RecsysMatrixFree(back);
		RecsysMatrixFree(items);
		RecsysMatrixFree(users);
	}
	ok(right, "transposed matrices have the same entries, in order, and back");
	ok(found, "the first entry of a row at or above a column is found, whatever the guess");
	ok(chunks, "chunks of histories have the rows that they were given, as far as they fit");
	ok(memory, "a matrix takes the memory that was announced");

	test_compact(WEIGHTS_NONE, false);
	test_compact(WEIGHTS_SMALL, true);
	test_compact(WEIGHTS_REAL, false);
	wide.nrows = 1;
	wide.ncolumns = 70000;
	wide.offsets = no_offsets;
	ok(!RecsysMatrixCompact(&wide), "compact copy: not with more than 65,536 columns");
}
