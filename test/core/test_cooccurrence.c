/*
 * test_cooccurrence.c
 *	  Tests of core/pairs/cooccurrence, in memory, by ranges (rangekernel) and as a stream,
 *	  against all pairs.
 *
 * The reference counts every pair of every history in a dense array, scores
 * all of them with RecsysSimilarityScore and sorts.  Results must be the same
 * to the last bit.  Where the order of histories matters (session), the factors of
 * core/pairs/succession are computed once more as their comment has them.
 */
#include "core/pairs/cooccurrence.h"
#include "core/pairs/headmatrix.h"
#include "core/pairs/rangekernel.h"
#include "core/pairs/rowselect.h"
#include "generate.h"
#include "tap.h"
#include "totals.h"

#include <math.h>

/* Factors by gap, and the weights of a history: beside what a kernel announces */
#define SUCCESSION_MEMORY ((Size) 600 * 1024)

typedef struct Row
{
	int			count;
	bool		reported;
	RecsysNeighbor *neighbors;
} Row;

typedef struct Rows
{
	uint32		nitems;
	int			width;
	uint32		next;			/* item whose turn it is */
	bool		in_order;
	Row		   *rows;
} Rows;

static Rows *
rows_create(uint32 nitems, int width)
{
	Rows	   *rows = palloc0(sizeof(Rows));

	rows->nitems = nitems;
	rows->width = width;
	rows->in_order = true;
	rows->rows = palloc0(Max(nitems, 1) * sizeof(Row));
	for (uint32 item = 0; item < nitems; item++)
		rows->rows[item].neighbors = palloc0(width * sizeof(RecsysNeighbor));
	return rows;
}

static void
rows_free(Rows *rows)
{
	for (uint32 item = 0; item < rows->nitems; item++)
		pfree(rows->rows[item].neighbors);
	pfree(rows->rows);
	pfree(rows);
}

static void
keep_row(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	Rows	   *rows = arg;
	Row		   *row;

	if (item != rows->next++ || count > rows->width)
	{
		rows->in_order = false;
		return;
	}
	row = &rows->rows[item];
	row->reported = true;
	row->count = count;
	memcpy(row->neighbors, neighbors, count * sizeof(RecsysNeighbor));
}

static int
compare_neighbors(const void *a, const void *b)
{
	const RecsysNeighbor *x = a;
	const RecsysNeighbor *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

/* The product of two weights with 32 digits, as sums are made of them */
static double
rounded_product(float a, float b)
{
	int			exponent;
	double		digits = frexp((double) a * b, &exponent);

	return ldexp(floor(ldexp(digits, 32) + 0.5), exponent - 32);
}

/* What the order makes of the weight of an item, as the row's item has it */
static float
ordered_weight(const RecsysMatrix *users, const RecsysModelOptions *options, uint64 x, uint64 y)
{
	int			gap = (int) users->places[y] - users->places[x];
	double		factor = pow(options->gap_decay, abs(gap) - 1);

	if (users->places[x] == 0 || users->places[y] == 0)
		factor = 0;
	else if (gap == 0)
		factor = (1 + options->backward) / 2;
	else if (gap < 0)
		factor *= options->backward;
	return users->weights[y] * (float) (rint(factor * (1 << 23)) / (1 << 23));
}

/* What a pair of a user adds to the dot product of the row of the first */
static double
pair_product(const RecsysMatrix *users, const RecsysModelOptions *options, uint64 x, uint64 y)
{
	if (users->weights == NULL)
		return 1.0;
	if (options->similarity == RECSYS_SESSION && x != y)
		return rounded_product(users->weights[x], ordered_weight(users, options, x, y));
	return rounded_product(users->weights[x], users->weights[y]);
}

static Rows *
reference(const RecsysMatrix *users, const RecsysModelOptions *options)
{
	uint32		nitems = users->ncolumns;
	uint32	   *counts = palloc0((Size) nitems * nitems * sizeof(uint32));
	double	   *dots = palloc0((Size) nitems * nitems * sizeof(double));
	double	   *masses = palloc0(Max(nitems, 1) * sizeof(double));
	RecsysNeighbor *all = palloc(Max(nitems, 1) * sizeof(RecsysNeighbor));
	Rows	   *rows = rows_create(nitems, options->neighbors);
	uint32		nusers = 0;

	for (uint32 user = 0; user < users->nrows; user++)
	{
		uint64		first = users->offsets[user];
		uint64		last = users->offsets[user + 1];

		nusers += last > first;
		for (uint64 x = first; x < last; x++)
		{
			masses[users->columns[x]] += users->weights == NULL ? 1.0 : users->weights[x];
			for (uint64 y = first; y < last; y++)
			{
				Size		pair = (Size) users->columns[x] * nitems + users->columns[y];

				counts[pair]++;
				dots[pair] += pair_product(users, options, x, y);
			}
		}
	}
	for (uint32 i = 0; i < nitems; i++)
	{
		int			n = 0;

		for (uint32 j = 0; j < nitems; j++)
		{
			Size		pair = (Size) i * nitems + j;
			Size		ii = (Size) i * nitems + i;
			Size		jj = (Size) j * nitems + j;
			RecsysPairTotals totals = {counts[ii], counts[jj], nusers, dots[ii], dots[jj], masses[i]};
			float		score;

			if (i == j || counts[pair] < options->min_support || counts[pair] == 0)
				continue;
			score = (float) RecsysSimilarityScore(options, counts[pair], dots[pair], &totals);
			if (!(score > 0.0f))
				continue;
			all[n].item = j;
			all[n].score = score;
			all[n++].support = counts[pair];
		}
		qsort(all, n, sizeof(RecsysNeighbor), compare_neighbors);
		keep_row(rows, i, all, Min(n, options->neighbors));
	}
	pfree(counts);
	pfree(dots);
	pfree(masses);
	pfree(all);
	return rows;
}

/* The rows first .. last-1 and no others, equal in every bit. */
static bool
same_rows(const Rows *a, const Rows *expected, uint32 first, uint32 last)
{
	if (!a->in_order)
		return false;
	for (uint32 item = 0; item < a->nitems; item++)
	{
		const Row  *x = &a->rows[item];
		const Row  *y = &expected->rows[item];

		if (x->reported != (item >= first && item < last))
			return false;
		if (!x->reported)
			continue;
		if (x->count != y->count)
			return false;
		for (int n = 0; n < x->count; n++)
		{
			if (x->neighbors[n].item != y->neighbors[n].item ||
				x->neighbors[n].score != y->neighbors[n].score ||
				x->neighbors[n].support != y->neighbors[n].support)
				return false;
		}
	}
	return true;
}

typedef struct MatrixStream
{
	const RecsysMatrix *matrix;
	uint32		row;
} MatrixStream;

static void
stream_rewind(void *arg)
{
	((MatrixStream *) arg)->row = 0;
}

static bool
stream_next(void *arg, const uint32 **items, const float **weights, int *count)
{
	MatrixStream *stream = arg;
	const RecsysMatrix *matrix = stream->matrix;
	uint64		first;

	if (stream->row == matrix->nrows)
		return false;
	first = matrix->offsets[stream->row];
	*items = matrix->columns + first;
	*weights = matrix->weights != NULL ? matrix->weights + first : NULL;
	*count = (int) (matrix->offsets[++stream->row] - first);
	return true;
}

static const uint16 *
stream_places(void *arg)
{
	MatrixStream *stream = arg;

	return stream->matrix->places + stream->matrix->offsets[stream->row - 1];
}

/* Histories in some order: many items at the same time, some without one */
static void
add_places(Random *random, RecsysMatrix *users)
{
	uint64		entries = users->offsets[users->nrows];

	users->places = palloc(sizeof(uint16) * Max(entries, 1));
	for (uint32 user = 0; user < users->nrows; user++)
	{
		uint64		count = users->offsets[user + 1] - users->offsets[user];

		for (uint64 x = users->offsets[user]; x < users->offsets[user + 1]; x++)
			users->places[x] = random_bits(random) % 20 == 0 ? 65535 :
				(uint16) (random_bits(random) % (count + 1));
	}
}

typedef struct Outcome
{
	int			memory_wrong;
	int			range_wrong;
	int			whole_wrong;
	int			compact_wrong;
	int			split_wrong;
	int			stream_wrong;
	int			kernel_ranges_wrong;
	int			part_wrong;
	int			bound_wrong;
	int			single_passes;	/* streams with plenty of memory in one pass */
} Outcome;

static void
run_memory(const RecsysMatrix *users, const RecsysMatrix *items,
		   const RecsysItemTotals *totals, const RecsysModelOptions *options,
		   uint32 first, uint32 last, const Rows *expected, int *wrong, int *memory_wrong)
{
	Rows	   *rows = rows_create(users->ncolumns, options->neighbors);
	Size		before = standalone_memory_now;
	RecsysKernel *kernel;

	rows->next = first;
	standalone_memory_peak = before;
	kernel = RecsysKernelCreate(users, items, totals, options);
	RecsysKernelRows(kernel, first, last, keep_row, rows);
	RecsysKernelFree(kernel);
	if (standalone_memory_peak - before >
		RecsysCooccurrenceMemory(users->ncolumns, users->weights != NULL) +
		(options->similarity == RECSYS_SESSION ? SUCCESSION_MEMORY : 0))
		(*memory_wrong)++;
	if (!same_rows(rows, expected, first, last))
		(*wrong)++;
	rows_free(rows);
}

static void
run_stream(const RecsysMatrix *users, const RecsysItemTotals *totals,
		   const RecsysModelOptions *options, Size limit, const Rows *expected,
		   Outcome *outcome)
{
	Rows	   *rows = rows_create(users->ncolumns, options->neighbors);
	MatrixStream matrix_stream = {users, 77};
	RecsysUserStream stream = {stream_rewind, stream_next, &matrix_stream, stream_places, NULL};
	Size		before = standalone_memory_now;
	Size		least;
	int			passes;

	standalone_memory_peak = before;
	passes = RecsysCooccurrenceStream(&stream, totals, options, limit, keep_row, rows);
	/* at least one row is taken in any case */
	least = RecsysRowSelectorMemory(users->ncolumns, options->neighbors, true) +
		(Size) users->ncolumns * (sizeof(uint32) + sizeof(double)) + 4096;
	if (options->similarity == RECSYS_SESSION)
		least = Max(limit, least) + SUCCESSION_MEMORY;
	if (standalone_memory_peak - before > Max(limit, least))
		outcome->bound_wrong++;
	if (!same_rows(rows, expected, 0, users->ncolumns))
		outcome->stream_wrong++;
	if (limit > 1000000000 && passes == 1)
		outcome->single_passes++;
	rows_free(rows);
}

/* Over the histories at their most compact, with transposes of ranges that fit so much */
static void
run_ranges(const RecsysMatrix *users, const RecsysItemTotals *totals,
		   const RecsysModelOptions *options, Size memory, uint64 cost, const Rows *expected,
		   Outcome *outcome)
{
	Rows	   *rows = rows_create(users->ncolumns, options->neighbors);
	Size		before = standalone_memory_now;
	bool		weighted = users->weights != NULL;
	RecsysHistoryChunk chunk;
	RecsysRangeKernel *kernel;
	RecsysRangeKernel *others[2];
	int			turn = 1;
	Size		most = Max(memory, RecsysRangeKernelLeast(totals, weighted)) +
		RecsysRangeKernelMemory(users->ncolumns, weighted);
	uint32		last;

	RecsysHistoryChunkInit(&chunk, users->ncolumns, weighted, users->places != NULL, users->nrows,
						   users->offsets[users->nrows]);
	if (RecsysHistoryChunkAppend(&chunk, users, 0) != users->nrows)
		outcome->kernel_ranges_wrong++;
	most += standalone_memory_now - before;
	if (options->similarity == RECSYS_SESSION)
		most += SUCCESSION_MEMORY;
	standalone_memory_peak = before;
	kernel = RecsysRangeKernelCreate(&chunk.matrix, totals, options, memory);
	for (uint32 first = 0; first < users->ncolumns; first = last)
	{
		last = RecsysRangeKernelEnd(kernel, first, cost);
		RecsysRangeKernelRows(kernel, first, last, keep_row, rows);
	}
	if (standalone_memory_peak - before > most)
		outcome->bound_wrong++;
	if (!same_rows(rows, expected, 0, users->ncolumns))
		outcome->kernel_ranges_wrong++;
	rows_free(rows);

	/* as parallel workers do it: each passes over the ranges of the other; one begins anew */
	others[0] = kernel;
	others[1] = RecsysRangeKernelCreate(&chunk.matrix, totals, options, memory);
	rows = rows_create(users->ncolumns, options->neighbors);
	for (uint32 first = 0; first < users->ncolumns; first = last, turn = !turn)
	{
		last = RecsysRangeKernelEnd(others[turn], first, cost);
		RecsysRangeKernelRows(others[turn], first, last, keep_row, rows);
	}
	if (!same_rows(rows, expected, 0, users->ncolumns))
		outcome->kernel_ranges_wrong++;
	rows_free(rows);
	RecsysRangeKernelFree(others[0]);
	RecsysRangeKernelFree(others[1]);
	RecsysHistoryChunkFree(&chunk);
}

static RecsysModelOptions
random_options(Random *random, RecsysSimilarity similarity)
{
	static const int neighbors[] = {1, 2, 5, 10, 100, 500};
	RecsysModelOptions options = {.similarity = similarity, .min_support = 1};

	options.neighbors = neighbors[random_bits(random) % lengthof(neighbors)];
	if (random_bits(random) % 2)
		options.min_support = 1 + (uint32) (random_bits(random) % 4);
	if (random_bits(random) % 3 == 0)
		options.alpha = random_bits(random) % 2 ? 1.0 : random_unit(random);
	if (random_bits(random) % 3 == 0)
		options.shrinkage = exp(8.0 * random_normal(random));
	if (random_bits(random) % 40 == 0)
		options.shrinkage = 1e20;
	if (similarity == RECSYS_RP3BETA)
		options.beta = 2.0 * random_unit(random);
	options.gap_decay = random_bits(random) % 10 == 0 ? 1.0 : random_unit(random);
	options.backward = random_bits(random) % 2 ? random_unit(random) : 0.0;
	return options;
}

/* Rows of some items alone; expected loses the others. */
static void
test_part(Random *random, RecsysMatrix *users, const RecsysMatrix *items, RecsysItemTotals *totals,
		  const RecsysModelOptions *options, Rows *expected, Outcome *outcome)
{
	bool	   *wanted = palloc0(Max(totals->nitems, 1) * sizeof(bool));
	Outcome		part = {0};

	for (uint32 item = 0; item < totals->nitems; item++)
	{
		wanted[item] = random_bits(random) % 3 == 0;
		if (!wanted[item])
			expected->rows[item].count = 0;
	}
	totals->wanted = wanted;
	run_memory(users, items, totals, options, 0, totals->nitems, expected, &part.part_wrong,
			   &outcome->memory_wrong);
	run_stream(users, totals, options, 40000 + random_bits(random) % 400000, expected, &part);
	run_ranges(users, totals, options, random_bits(random) % 20000, 1 + random_bits(random) % 100000,
			   expected, &part);
	totals->wanted = NULL;
	outcome->bound_wrong += part.bound_wrong;
	outcome->part_wrong += part.part_wrong + part.stream_wrong + part.kernel_ranges_wrong;
	pfree(wanted);
}

static void
test_round(int seed, RecsysSimilarity similarity, WeightKind weights, Outcome *outcome)
{
	Random		random;
	RecsysMatrix *users;
	RecsysMatrix *items;
	RecsysItemTotals *totals;
	RecsysHeadMatrix *split;
	RecsysModelOptions options;
	Rows	   *expected;
	uint32		nitems;
	uint32		nusers;
	uint32		first;

	random_seed(&random, seed * 100 + similarity * 10 + weights);
	nusers = 1 + (uint32) (random_bits(&random) % (seed % 4 == 0 ? 2000 : 300));
	nitems = 1 + (uint32) (random_bits(&random) % (seed % 4 == 1 ? 700 : 150));
	users = generate_matrix(&random, nusers, nitems,
							nusers * (1 + random_bits(&random) % 20), 200,
							seed % 3 == 0, weights);
	if (similarity == RECSYS_SESSION)
		add_places(&random, users);
	items = RecsysMatrixTranspose(users);
	totals = totals_compute(users);
	options = random_options(&random, similarity);
	expected = reference(users, &options);

	run_memory(users, items, totals, &options, 0, nitems, expected,
			   &outcome->whole_wrong, &outcome->memory_wrong);
	first = (uint32) (random_bits(&random) % (nitems + 1));
	run_memory(users, items, totals, &options, first,
			   first + (uint32) (random_bits(&random) % (nitems - first + 1)), expected,
			   &outcome->range_wrong, &outcome->memory_wrong);
	run_stream(users, totals, &options, (Size) 1 << 40, expected, outcome);
	run_stream(users, totals, &options, 0, expected, outcome);
	run_stream(users, totals, &options, 40000 + random_bits(&random) % 400000, expected,
			   outcome);
	run_ranges(users, totals, &options, (Size) 1 << 40, PG_UINT64_MAX, expected, outcome);
	run_ranges(users, totals, &options, 0, 1, expected, outcome);
	run_ranges(users, totals, &options, random_bits(&random) % 20000,
			   1 + random_bits(&random) % 100000, expected, outcome);
	RecsysMatrixCompact(users);
	run_memory(users, items, totals, &options, 0, nitems, expected,
			   &outcome->compact_wrong, &outcome->memory_wrong);
	users->split = split = RecsysHeadCreate(users, totals);
	run_memory(users, items, totals, &options, 0, nitems, expected,
			   &outcome->split_wrong, &outcome->memory_wrong);
	run_memory(users, items, totals, &options, first, nitems, expected,
			   &outcome->split_wrong, &outcome->memory_wrong);
	test_part(&random, users, items, totals, &options, expected, outcome);
	RecsysHeadFree(split);

	rows_free(expected);
	totals_free(totals);
	RecsysMatrixFree(items);
	RecsysMatrixFree(users);
}

static void
test_measure(RecsysSimilarity similarity, WeightKind weights)
{
	static const char *const names[] = {"unweighted", "small weights", "any weights"};
	Outcome		outcome = {0};
	int			rounds = 60;

	for (int seed = 0; seed < rounds; seed++)
		test_round(seed, similarity, weights, &outcome);
	ok(outcome.whole_wrong + outcome.range_wrong + outcome.compact_wrong + outcome.split_wrong == 0,
	   "cooccurrence in memory, %s, %s: whole, ranges, compact and split equal the reference "
	   "(%d, %d, %d, %d of %d differ)", RecsysSimilarityName(similarity), names[weights],
	   outcome.whole_wrong, outcome.range_wrong, outcome.compact_wrong, outcome.split_wrong, rounds);
	ok(outcome.stream_wrong == 0, "cooccurrence as a stream, %s, %s: equals the reference "
	   "(%d of %d differ)", RecsysSimilarityName(similarity), names[weights],
	   outcome.stream_wrong, 3 * rounds);
	ok(outcome.part_wrong == 0, "cooccurrence of some items' rows, %s, %s: equals the reference "
	   "(%d of %d differ)", RecsysSimilarityName(similarity), names[weights],
	   outcome.part_wrong, 3 * rounds);
	ok(outcome.kernel_ranges_wrong == 0, "cooccurrence by ranges, %s, %s: equals the reference "
	   "(%d of %d differ)", RecsysSimilarityName(similarity), names[weights],
	   outcome.kernel_ranges_wrong, 3 * rounds);
	ok(outcome.memory_wrong == 0 && outcome.bound_wrong == 0 &&
	   outcome.single_passes == rounds,
	   "cooccurrence, %s, %s: memory as announced, one pass where it is plenty (%d, %d, %d)",
	   RecsysSimilarityName(similarity), names[weights], outcome.memory_wrong,
	   outcome.bound_wrong, outcome.single_passes);
}

/*
 * More users than 16-bit counters can count: items 0 and 1 of everybody, one
 * more item each.
 */
static void
test_many_users(void)
{
	uint32		nusers = 70000;
	uint32		nitems = 3000;
	RecsysMatrix *users = palloc0(sizeof(RecsysMatrix));
	RecsysModelOptions options = {.similarity = RECSYS_CONFIDENCE, .neighbors = 5, .min_support = 2};
	MatrixStream matrix_stream = {users, 0};
	RecsysUserStream stream = {stream_rewind, stream_next, &matrix_stream, stream_places, NULL};
	Rows	   *rows = rows_create(nitems, 5);
	Rows	   *streamed = rows_create(nitems, 5);
	RecsysMatrix *items;
	RecsysItemTotals *totals;
	RecsysKernel *kernel;
	uint64		checks = standalone_interrupt_checks;

	users->nrows = nusers;
	users->ncolumns = nitems;
	users->offsets = palloc0((nusers + 1) * sizeof(uint64));
	users->columns = palloc(3 * nusers * sizeof(uint32));
	for (uint32 user = 0; user < nusers; user++)
	{
		users->columns[3 * user] = 0;
		users->columns[3 * user + 1] = 1;
		users->columns[3 * user + 2] = 2 + user % (nitems - 2);
		users->offsets[user + 1] = 3 * (user + 1);
	}
	items = RecsysMatrixTranspose(users);
	totals = totals_compute(users);
	RecsysMatrixCompact(users);
	kernel = RecsysKernelCreate(users, items, totals, &options);
	RecsysKernelRows(kernel, 0, nitems, keep_row, rows);
	RecsysKernelFree(kernel);
	ok(rows->rows[0].count == 5 && rows->rows[0].neighbors[0].support == nusers &&
	   rows->rows[0].neighbors[0].item == 1 && rows->rows[0].neighbors[0].score == 1.0f &&
	   rows->rows[0].neighbors[1].item == 2 && rows->rows[2].count == 2,
	   "cooccurrence: items with more than 65,535 users");
	ok(standalone_interrupt_checks - checks > 3000, "cooccurrence: interrupts are looked for");
	RecsysCooccurrenceStream(&stream, totals, &options, 1000000, keep_row, streamed);
	ok(same_rows(streamed, rows, 0, nitems), "cooccurrence: the same as a stream");
	rows_free(streamed);
	rows_free(rows);
	totals_free(totals);
	RecsysMatrixFree(items);
	RecsysMatrixFree(users);
}

void
test_cooccurrence(void)
{
	for (RecsysSimilarity similarity = RECSYS_COSINE; similarity <= RECSYS_RP3BETA;
		 similarity++)
	{
		for (WeightKind weights = WEIGHTS_NONE; weights <= WEIGHTS_REAL; weights++)
		{
			if (similarity == RECSYS_RP3BETA ? weights != WEIGHTS_NONE :
				weights == WEIGHTS_NONE || similarity <= RECSYS_JACCARD)
				test_measure(similarity, weights);
		}
	}
	test_measure(RECSYS_SESSION, WEIGHTS_SMALL);
	test_measure(RECSYS_SESSION, WEIGHTS_REAL);
	test_many_users();
}
