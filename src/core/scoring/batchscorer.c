/*
 * batchscorer.c
 *	  Lists of many users, one after the other: histories times a packed item graph, top k.
 *
 * There is one double for each item, by place (batchgraph.h), zero between lists.  A list adds the
 * rows of the history to them, in the order of the history, and the prior last: the same additions
 * in the same order as by the scorer of single calls (which changes the order only where sums are
 * exact), so the sums are the same bit for bit.
 * Nothing is noted down about an item that is added to.  Instead, one pass over the sums finds what
 * is as good as the k-th best so far, and leaves zeros behind.  It compares many sums by one
 * instruction, and takes less than noting thousands of items and coming back to each of them would.
 *
 * That holds as long as the sums fit into a processor's own cache.  With more items (wide graphs)
 * additions note which lines of the cache they have changed, by a byte for each line, and the pass
 * looks at those alone.
 *
 * The order of places helps twice: popular items are added to most often, and their sums lie side
 * by side; and they tend to have the high scores, so that the pass soon knows what is not good
 * enough.
 */
#include "core/scoring/batchscorer.h"

#include "core/base/topk.h"

#include <math.h>

/* Doubles of a line of the cache */
#define LINE 8

/* Whatever is less is no positive float */
#define LEAST_SUM 0x1p-150

/* Candidates beyond 2k that are gathered before the best k of them are picked */
#define POOL_EXTRA 32

/*
 * Memory of rows is asked for so many rows ahead, and of a row so much: waiting for it would take
 * as long as all else.  Of a longer row the processor sees by itself that it goes on.
 */
#define ROWS_AHEAD 4
#define PREFETCHED_BYTES 1024
#define LINE_BYTES 64

struct RecsysBatchScorer
{
	const RecsysBatchGraph *graph;
	double	   *sums;			/* by place; all zero between lists */
	uint8	   *touched;		/* wide: by line; not 0 if a sum may be other than zero */
	uint8	   *marks;			/* by place; all zero between lists */

	/* of the list being made */
	RecsysCandidate *pool;		/* kept from list to list */
	Size		pool_size;
	int			used;
	int			k;
	uint64		last;			/* order of the k-th best so far */
	double		threshold;		/* no sum below it is among the best */
};

RecsysBatchScorer *
RecsysBatchScorerCreate(const RecsysBatchGraph *graph)
{
	RecsysBatchScorer *scorer = palloc0(sizeof(RecsysBatchScorer));
	Size		nplaces = Max(graph->nplaces, RECSYS_BATCH_BLOCK);

	scorer->graph = graph;
	scorer->sums = recsys_alloc_huge_zero(sizeof(double) * nplaces);
	scorer->marks = recsys_alloc_huge_zero(nplaces);
	if (graph->wide)
		scorer->touched = recsys_alloc_huge_zero(nplaces / LINE);
	return scorer;
}

void
RecsysBatchScorerFree(RecsysBatchScorer *scorer)
{
	pfree(scorer->sums);
	pfree(scorer->marks);
	if (scorer->touched != NULL)
		pfree(scorer->touched);
	if (scorer->pool != NULL)
		pfree(scorer->pool);
	pfree(scorer);
}

/*
 * The same expression as in RecsysScorerAdd, compiled in the same way: where the compiler makes one
 * rounding of the two, it does so in both.
 */
static void
add_narrow(double *sums, double weight, const uint16 *places, const float *similarities, uint32 n)
{
	for (uint32 x = 0; x < n; x++)
		sums[places[x]] += weight * similarities[x];
}

static void
add_wide(double *sums, uint8 *touched, double weight, const uint32 *places,
		 const float *similarities, uint32 n)
{
	for (uint32 x = 0; x < n; x++)
	{
		sums[places[x]] += weight * similarities[x];
		touched[places[x] / LINE] = 1;
	}
}

/*
 * Asks for a row's memory.  Inlined always: a function that does nothing else has no effect, as the
 * compiler sees it, and its calls would go.
 */
static inline __attribute__((always_inline)) void
prefetch_row(const RecsysBatchGraph *graph, uint32 item)
{
	const RecsysBatchRow *row = &RecsysBatchPart(graph, rows, RecsysBatchRow)[item];
	const char *words = (const char *) (RecsysBatchPart(graph, words, uint32) + row->start);
	Size		size = sizeof(uint32) * (Size) (RecsysBatchPlaceWords(graph, row->count) + row->count);

	size = Min(size, PREFETCHED_BYTES);
	for (Size at = 0; at < size; at += LINE_BYTES)
		__builtin_prefetch(words + at);
}

static void
add_history(RecsysBatchScorer *scorer, const uint32 *items, const double *weights, int n)
{
	const RecsysBatchGraph *graph = scorer->graph;

	for (int x = 0; x < n; x++)
	{
		const RecsysBatchRow *row = &RecsysBatchPart(graph, rows, RecsysBatchRow)[items[x]];
		const uint32 *words = RecsysBatchPart(graph, words, uint32) + row->start;
		const float *similarities = (const float *) (words + RecsysBatchPlaceWords(graph, row->count));

		if (x + 2 * ROWS_AHEAD < n)
			__builtin_prefetch(&RecsysBatchPart(graph, rows, RecsysBatchRow)[items[x + 2 * ROWS_AHEAD]]);
		if (x + ROWS_AHEAD < n)
			prefetch_row(graph, items[x + ROWS_AHEAD]);
		if (graph->wide)
			add_wide(scorer->sums, scorer->touched, weights[x], words, similarities, row->count);
		else
			add_narrow(scorer->sums, weights[x], (const uint16 *) words, similarities, row->count);
	}
}

/* What is excluded is below every threshold. */
static void
exclude(RecsysBatchScorer *scorer, const uint32 *excluded, int n)
{
	const uint32 *places = RecsysBatchPart(scorer->graph, places, uint32);

	for (int x = 0; x < n; x++)
	{
		uint32		place = places[excluded[x]];

		scorer->sums[place] = -INFINITY;
		if (scorer->touched != NULL)
			scorer->touched[place / LINE] = 1;
	}
}

/* Keeps the best k, and raises the threshold to the k-th. */
static void
raise_threshold(RecsysBatchScorer *scorer)
{
	if (scorer->used <= scorer->k)
		return;
	scorer->last = RecsysSelectBest(scorer->pool, scorer->used, scorer->k);
	scorer->used = scorer->k;

	/* a sum that rounds to the same score may be a little less */
	scorer->threshold = Max(nextafterf(RecsysCandidateScore(scorer->last), 0.0f), LEAST_SUM);
}

static void
take_candidate(RecsysBatchScorer *scorer, uint32 place, double sum)
{
	const RecsysBatchGraph *graph = scorer->graph;
	float		score = (float) sum;
	uint64		order;

	if (!(score > 0.0f) || RecsysBatchPart(graph, offered, uint8)[place] == 0)
		return;
	order = RecsysCandidateOrder(score, RecsysBatchPart(graph, standings, uint32)[place]);
	if (order > scorer->last)
		return;
	if (scorer->used == (int) scorer->pool_size)
	{
		raise_threshold(scorer);
		if (order > scorer->last)
			return;
	}
	scorer->pool[scorer->used].order = order;
	scorer->pool[scorer->used].support = 0;
	scorer->used++;
}

/* Of n sums from a place on; leaves zeros behind. */
static void
take_candidates(RecsysBatchScorer *scorer, uint32 place, uint32 n)
{
	const float *prior = RecsysBatchPart(scorer->graph, prior, float) + place;
	double	   *sums = scorer->sums + place;

	for (uint32 x = 0; x < n; x++)
	{
		double		sum = sums[x] + prior[x];

		if (sum >= scorer->threshold)
			take_candidate(scorer, place + x, sum);
		sums[x] = 0.0;
	}
}

/* By vectors: a call of memset, or what the compiler makes of a loop, takes longer to begin. */
typedef double Vector __attribute__((vector_size(32), aligned(8), may_alias));

static inline __attribute__((always_inline)) void
clear_block(double *block)
{
	for (int x = 0; x < RECSYS_BATCH_BLOCK; x += sizeof(Vector) / sizeof(double))
		*(Vector *) (block + x) = (Vector) {0.0};
}

/*
 * The first block, from the given place to end, that has a sum of at least the threshold, or end.
 * Leaves zeros behind in those before it.
 */
RECSYS_TARGET_CLONES static uint32
find_with_prior(double *sums, const float *prior, uint32 place, uint32 end, double threshold)
{
	for (; place < end; place += RECSYS_BATCH_BLOCK)
	{
		double	   *block = sums + place;
		const float *more = prior + place;
		int64		reached = 0;

		for (int x = 0; x < RECSYS_BATCH_BLOCK; x++)
			reached |= block[x] + more[x] >= threshold;
		if (reached)
			break;
		clear_block(block);
	}
	return place;
}

RECSYS_TARGET_CLONES static uint32
find_without(double *sums, uint32 place, uint32 end, double threshold)
{
	for (; place < end; place += RECSYS_BATCH_BLOCK)
	{
		double	   *block = sums + place;
		int64		reached = 0;

		for (int x = 0; x < RECSYS_BATCH_BLOCK; x++)
			reached |= block[x] >= threshold;
		if (reached)
			break;
		clear_block(block);
	}
	return place;
}

static void
look_at_all(RecsysBatchScorer *scorer)
{
	const RecsysBatchGraph *graph = scorer->graph;
	uint32		middle = (graph->prior_end + RECSYS_BATCH_BLOCK - 1) / RECSYS_BATCH_BLOCK *
		RECSYS_BATCH_BLOCK;
	uint32		place = 0;

	while (place < graph->nplaces)
	{
		uint32		end = place < middle ? middle : graph->nplaces;

		if (place < middle)
			place = find_with_prior(scorer->sums, RecsysBatchPart(graph, prior, float), place, end,
									scorer->threshold);
		else
			place = find_without(scorer->sums, place, end, scorer->threshold);
		if (place == end)
			continue;
		take_candidates(scorer, place, RECSYS_BATCH_BLOCK);
		place += RECSYS_BATCH_BLOCK;
	}
}

static void
look_at_touched(RecsysBatchScorer *scorer)
{
	const RecsysBatchGraph *graph = scorer->graph;
	uint32		nlines = graph->nplaces / LINE;

	memset(scorer->touched, 1, (graph->prior_end + LINE - 1) / LINE);
	for (uint32 first = 0; first < nlines; first += LINE)
	{
		uint64		eight;

		memcpy(&eight, scorer->touched + first, sizeof(eight));
		if (eight == 0)
			continue;
		for (uint32 line = first; line < first + LINE; line++)
			if (scorer->touched[line] != 0)
				take_candidates(scorer, line * LINE, LINE);
		memset(scorer->touched + first, 0, sizeof(eight));
	}
}

static void
start_pool(RecsysBatchScorer *scorer, int k)
{
	Size		size = Min((Size) scorer->graph->nitems, 2 * (Size) k) + POOL_EXTRA;

	if (size > scorer->pool_size)
	{
		if (scorer->pool != NULL)
			pfree(scorer->pool);
		scorer->pool = NULL;
		scorer->pool_size = 0;
		scorer->pool = recsys_alloc_huge(2 * size * sizeof(RecsysCandidate));
		scorer->pool_size = size;
	}
	scorer->used = 0;
	scorer->k = k;
	scorer->last = PG_UINT64_MAX;
	scorer->threshold = LEAST_SUM;
}

int
RecsysBatchScorerList(RecsysBatchScorer *scorer, const uint32 *items, const double *weights, int n,
					  const uint32 *excluded, int nexcluded, int k, RecsysScored *out)
{
	const RecsysBatchGraph *graph = scorer->graph;
	RecsysCandidate *sorted;

	k = (int) Min((uint32) Max(k, 0), graph->nitems);
	if (k == 0)
		return 0;
	start_pool(scorer, k);
	add_history(scorer, items, weights, n);
	exclude(scorer, excluded, nexcluded);
	if (graph->wide)
		look_at_touched(scorer);
	else
		look_at_all(scorer);
	raise_threshold(scorer);
	sorted = RecsysSortCandidates(scorer->pool, scorer->pool + scorer->pool_size, scorer->used);
	for (int x = 0; x < scorer->used; x++)
	{
		uint32		standing = RecsysCandidateItem(sorted[x].order);

		out[x].item = RecsysBatchPart(graph, numbers, uint32)[standing];
		out[x].score = RecsysCandidateScore(sorted[x].order);
	}
	return scorer->used;
}

static void
mark(RecsysBatchScorer *scorer, const uint32 *excluded, int nexcluded, const RecsysScored *listed,
	 int count, uint8 with)
{
	const uint32 *places = RecsysBatchPart(scorer->graph, places, uint32);

	for (int x = 0; x < nexcluded; x++)
		scorer->marks[places[excluded[x]]] = with;
	for (int x = 0; x < count; x++)
		scorer->marks[places[listed[x].item]] = with;
}

int
RecsysBatchScorerFill(RecsysBatchScorer *scorer, const uint32 *excluded, int nexcluded,
					  RecsysScored *out, int count, int k, const uint32 *popular, uint32 npopular)
{
	const RecsysBatchGraph *graph = scorer->graph;
	const uint32 *places = RecsysBatchPart(graph, places, uint32);

	if (count >= k)
		return count;
	mark(scorer, excluded, nexcluded, out, count, 1);
	for (uint32 x = 0; x < npopular && count < k; x++)
	{
		uint32		item = popular[x];

		/* an item may be listed among the popular ones twice if that list is damaged */
		if (item >= graph->nitems || scorer->marks[places[item]] != 0 ||
			RecsysBatchPart(graph, offered, uint8)[places[item]] == 0)
			continue;
		scorer->marks[places[item]] = 1;
		out[count].item = item;
		out[count++].score = 0;
	}
	mark(scorer, excluded, nexcluded, out, count, 0);
	return count;
}
