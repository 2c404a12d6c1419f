/*
 * bench_core.c
 *	  Micro-benchmarks of src/core.
 *
 * Usage: bench_core [users [items [interactions [neighbors]]]]
 * Default: 138000 27000 10000000 100.
 */
#include <time.h>

#include "core/pairs/cooccurrence.h"
#include "core/pairs/headmatrix.h"
#include "core/rows/dictionary.h"
#include "core/rows/history.h"
#include "core/scoring/scorer.h"
#include "generate.h"
#include "totals.h"

#define HISTORY_LENGTH 72

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec * 1e-9;
}

/* The item graph as serving sees it. */
typedef struct Graph
{
	uint32	   *items;
	float	   *similarities;
	int		   *counts;
	int			width;
	uint64		total;
} Graph;

static void
keep_row(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	Graph	   *graph = arg;

	graph->counts[item] = count;
	graph->total += count;
	for (int x = 0; x < count; x++)
	{
		graph->items[(Size) item * graph->width + x] = neighbors[x].item;
		graph->similarities[(Size) item * graph->width + x] = neighbors[x].score;
	}
}

static Graph *
graph_create(uint32 nitems, int width)
{
	Graph	   *graph = palloc0(sizeof(Graph));

	graph->width = width;
	graph->items = palloc((Size) nitems * width * sizeof(uint32));
	graph->similarities = palloc((Size) nitems * width * sizeof(float));
	graph->counts = palloc0(nitems * sizeof(int));
	return graph;
}

static void
bench_dictionary(const RecsysMatrix *users)
{
	uint64		n = Min(users->offsets[users->nrows], 10000000);
	Random		random;
	uint32	   *keys = palloc(n * sizeof(uint32));

	random_seed(&random, 7);
	for (uint64 x = 0; x < n; x++)
		keys[x] = (uint32) (random_bits(&random) % users->nrows);
	for (int text = 0; text < 2; text++)
	{
		RecsysDictionary *dict = RecsysDictionaryCreate(text ? RECSYS_KEY_TEXT : RECSYS_KEY_INT, 42);
		double		start = seconds();

		for (uint64 x = 0; x < n; x++)
		{
			char		bytes[24] = "customer-0000000-";
			RecsysKey	key = {(int64) keys[x] * 7919, NULL, 8};

			if (text)
			{
				memcpy(bytes + 20, &keys[x], 4);
				key.data = bytes;
				key.len = sizeof(bytes);
			}
			RecsysDictionaryIntern(dict, &key);
		}
		printf("dictionary, %s keys in random order: %.1f ns per key\n",
			   text ? "24-byte" : "integer", (seconds() - start) / n * 1e9);
		RecsysDictionaryFree(dict);
	}
	pfree(keys);
}

static void
bench_fold(void)
{
	Random		random;
	int			n = 1000000 / HISTORY_LENGTH * HISTORY_LENGTH;
	RecsysInteraction *interactions = palloc(n * sizeof(RecsysInteraction));
	RecsysHistoryItem out[HISTORY_LENGTH];
	RecsysFolding folding = {.max_history = 2000};
	double		start;

	random_seed(&random, 8);
	for (int x = 0; x < n; x++)
	{
		interactions[x].item = (uint32) (random_bits(&random) % 27000);
		interactions[x].weight = 1.0f;
		interactions[x].time = x;
		interactions[x].position = x;
	}
	start = seconds();
	for (int x = 0; x < n; x += HISTORY_LENGTH)
		RecsysHistoryFold(interactions + x, HISTORY_LENGTH, &folding, out, NULL);
	printf("history fold: %.1f ns per interaction\n", (seconds() - start) / n * 1e9);
	pfree(interactions);
}

static void
bench_scorer(const RecsysMatrix *users, const Graph *graph)
{
	RecsysScorer *scorer = RecsysScorerCreate(users->ncolumns);
	RecsysScored out[10];
	uint64		candidates = 0;
	uint64		rows = 0;
	int			calls = 0;
	double		start = seconds();

	for (uint32 user = 0; user < users->nrows && calls < 20000; user++)
	{
		uint64		first = users->offsets[user];
		uint64		last = users->offsets[user + 1];

		if (last - first < HISTORY_LENGTH / 2 || last - first > HISTORY_LENGTH * 2)
			continue;
		RecsysScorerReset(scorer, users->ncolumns);
		for (uint64 x = first; x < last; x++)
			RecsysScorerExclude(scorer, users->columns[x]);
		for (uint64 x = first; x < last; x++)
		{
			Size		row = (Size) users->columns[x] * graph->width;

			RecsysScorerAdd(scorer, 1.0, graph->items + row, graph->similarities + row,
							graph->counts[users->columns[x]]);
		}
		candidates += RecsysScorerCandidates(scorer);
		RecsysScorerTop(scorer, 10, NULL, out);
		rows += last - first;
		calls++;
	}
	if (calls > 0)
		printf("scorer: %.0f ns per recommend (%.0f items, %.0f candidates on average)\n",
			   (seconds() - start) / calls * 1e9, (double) rows / calls,
			   (double) candidates / calls);
	RecsysScorerFree(scorer);
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

/*
 * What co-occurrence cannot be faster than, one addition at a time: reading the
 * compact histories in the order in which it does, without counting; and
 * counting one history of average length over and over, without reading others.
 */
static void
bench_bounds(const RecsysMatrix *users, const RecsysMatrix *items, double pairs)
{
	uint16	   *counts = palloc0(RECSYS_COMPACT_COLUMNS * sizeof(uint16));
	uint64		length = users->offsets[users->nrows] / Max(users->nrows, 1);
	uint32		longest = 0;
	uint64		sum = 0;
	double		start = seconds();

	if (users->narrow == NULL)
		return;
	for (uint64 x = 0; x < items->offsets[items->nrows]; x++)
	{
		uint32		user = items->columns[x];

		if (x + 3 < items->offsets[items->nrows])
			__builtin_prefetch(users->narrow + users->offsets[items->columns[x + 3]]);
		for (uint64 y = users->offsets[user]; y < users->offsets[user + 1]; y++)
			sum += users->narrow[y];
	}
	printf("bound, reading alone: %.3f ns per pair update (%llu)\n",
		   (seconds() - start) / pairs * 1e9, (unsigned long long) sum % 10);

	for (uint32 user = 0; user < users->nrows; user++)
	{
		if (users->offsets[user + 1] - users->offsets[user] >= length)
			longest = user;
	}
	start = seconds();
	for (double done = 0.0; done < pairs; done += (double) length)
	{
		const uint16 *entry = users->narrow + users->offsets[longest];

		for (uint64 y = 0; y < length; y++)
			counts[entry[y]]++;
		__asm__ __volatile__("" : : "r"(counts) : "memory");
	}
	printf("bound, counting alone: %.3f ns per pair update\n", (seconds() - start) / pairs * 1e9);
	pfree(counts);
}

static void
bench_matrix(uint32 nusers, uint32 nitems, uint64 nentries, int neighbors, WeightKind weights)
{
	static const char *const names[] = {"unweighted", "small weights", "any weights"};
	static const char *const copies[] = {"plain", "compact", "split"};
	RecsysHeadMatrix *split = NULL;
	Random		random;
	RecsysMatrix *users;
	RecsysMatrix *items;
	RecsysItemTotals *totals;
	double		pairs = 0.0;
	double		start;

	random_seed(&random, 1);
	users = generate_matrix(&random, nusers, nitems, nentries, 2000, false, weights);
	if (weights == WEIGHTS_NONE)
	{
		bench_dictionary(users);
		bench_fold();
	}
	start = seconds();
	items = RecsysMatrixTranspose(users);
	printf("transpose, %s: %.1f ns per entry\n", names[weights],
		   (seconds() - start) / users->offsets[nusers] * 1e9);
	totals = totals_compute(users);
	for (uint32 item = 0; item < nitems; item++)
		pairs += (double) totals->work[item];

	for (int compact = 0; compact < (weights == WEIGHTS_NONE ? 3 : 2); compact++)
	{
		RecsysSimilarity last = weights == WEIGHTS_NONE && compact ? RECSYS_LOG_LIKELIHOOD :
			RECSYS_COSINE;

		if (compact == 1 && !RecsysMatrixCompact(users))
			continue;
		if (compact == 2)
		{
			start = seconds();
			users->split = split = RecsysHeadCreate(users, totals);
			printf("split: %.2f s, %d blocks of popular items\n", seconds() - start, split->nblocks);
		}
		for (RecsysSimilarity similarity = RECSYS_COSINE; similarity <= last; similarity++)
		{
			RecsysModelOptions options = {.similarity = similarity, .neighbors = neighbors, .min_support = 2};
			Graph	   *graph = graph_create(nitems, neighbors);
			RecsysKernel *kernel;

			start = seconds();
			kernel = RecsysKernelCreate(users, items, totals, &options);
			RecsysKernelRows(kernel, 0, nitems, keep_row, graph);
			RecsysKernelFree(kernel);
			printf("cooccurrence, %s, %s, %s: %.2f s, %.3f ns per pair update "
				   "(%.2fG updates, %.1f neighbors per item)\n",
				   names[weights], RecsysSimilarityName(similarity),
				   copies[compact], seconds() - start,
				   (seconds() - start) / pairs * 1e9, pairs / 1e9,
				   (double) graph->total / nitems);
			fflush(stdout);
			if (weights == WEIGHTS_NONE && compact == 1 && similarity == RECSYS_COSINE)
			{
				MatrixStream matrix_stream = {users, 0};
				RecsysUserStream stream = {stream_rewind, stream_next, &matrix_stream, NULL, NULL};
				int			passes;

				bench_bounds(users, items, pairs);
				bench_scorer(users, graph);
				start = seconds();
				graph->total = 0;
				passes = RecsysCooccurrenceStream(&stream, totals, &options, 40 * 1024 * 1024,
												  keep_row, graph);
				printf("cooccurrence, stream within 40 MB: %.2f s, %d passes\n",
					   seconds() - start, passes);
			}
			pfree(graph->items);
			pfree(graph->similarities);
			pfree(graph->counts);
			pfree(graph);
		}
	}
	if (split != NULL)
		RecsysHeadFree(split);
	RecsysMatrixFree(items);
	RecsysMatrixFree(users);
}

int
main(int argc, char **argv)
{
	uint32		nusers = argc > 1 ? (uint32) atol(argv[1]) : 138000;
	uint32		nitems = argc > 2 ? (uint32) atol(argv[2]) : 27000;
	uint64		nentries = argc > 3 ? (uint64) atoll(argv[3]) : 10000000;
	int			neighbors = argc > 4 ? atoi(argv[4]) : 100;

	for (WeightKind weights = WEIGHTS_NONE; weights <= WEIGHTS_REAL; weights++)
		bench_matrix(nusers, nitems, nentries, neighbors, weights);
	return 0;
}
