/*
 * itemclusters.c
 *	  How much is found when items are compared with those of near clusters only.
 *
 *	  make -C test/core clusters CLUSTERS="ITEMS CLUSTERS DIMENSIONS"
 *
 * Prints, for generated items, which part of the ten nearest neighbors of a sample is found
 * by the number of near clusters, and what part of all pairs that compares; then the same
 * of the numbers that RecsysClustersSpan gives.
 */
#include "core/content/content.h"
#include "itemcontent.h"

#include <time.h>

#define QUERIES 2048
#define NEIGHBORS 10

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* The exact neighbors of the first items */
static RecsysLikenessBest *
find_neighbors(const Items *items, int queries)
{
	RecsysLikenessBlock *block = RecsysBlockCreate(&items->model, queries);
	RecsysLikenessBest *best = RecsysBestCreate(queries, NEIGHBORS);
	int			stride = RecsysBlockStride(block);
	float	   *scores = malloc(sizeof(float) * RECSYS_TILE * stride);
	uint32	   *numbers = malloc(sizeof(uint32) * items->n);

	for (int x = 0; x < items->n; x++)
		numbers[x] = x;
	for (int x = 0; x < queries; x++)
		RecsysBlockAdd(block, items->packed[x]);
	RecsysBestReset(best, queries, numbers);
	for (int tile = 0; tile < items->n; tile += RECSYS_TILE)
	{
		int			n = Min(RECSYS_TILE, items->n - tile);

		RecsysBlockCompare(block, (const char *const *) items->packed + tile, n, scores);
		RecsysBestOffer(best, numbers + tile, n, scores, stride);
	}
	RecsysBlockFree(block);
	free(scores);
	free(numbers);
	return best;
}

static void
print_recall(const Items *items, const RecsysContentClusters *clusters, const int *of)
{
	int			queries = Min(QUERIES, items->n);
	int			count = RecsysClustersCount(clusters);
	RecsysLikenessBest *best = find_neighbors(items, queries);
	double	   *found = calloc(count, sizeof(double));
	double	   *compared = calloc(count, sizeof(double));
	int		   *sizes = calloc(count, sizeof(int));
	int		   *order = malloc(sizeof(int) * count);
	double		all = 0;
	double		span_found = 0;
	double		span_compared = 0;
	double		spans = 0;

	for (int x = 0; x < items->n; x++)
		sizes[of[x]]++;
	for (int query = 0; query < queries; query++)
	{
		const RecsysLike *likes;
		int			n = RecsysBestOf(best, query, &likes);
		int			span = RecsysClustersSpan(clusters, of[query], items->n);

		RecsysClustersNear(clusters, of[query], order);
		all += n;
		spans += span;
		for (int x = 0; x < count; x++)
		{
			int			here = 0;

			for (int y = 0; y < n; y++)
				here += of[likes[y].item] == order[x];
			compared[x] += sizes[order[x]];
			found[x] += here;
			span_compared += x < span ? sizes[order[x]] : 0;
			span_found += x < span ? here : 0;
		}
	}
	for (int x = 0; x < count; x++)
	{
		found[x] += x > 0 ? found[x - 1] : 0;
		compared[x] += x > 0 ? compared[x - 1] : 0;
		if ((x & (x + 1)) == 0 || x + 1 == count)
			printf("%5d clusters: recall %.3f, %.2f %% of all pairs\n", x + 1, found[x] / all,
				   100 * compared[x] / queries / items->n);
	}
	printf("their spans, %.1f on average: recall %.3f, %.2f %% of all pairs\n", spans / queries, span_found / all,
		   100 * span_compared / queries / items->n);
	RecsysBestFree(best);
	free(found);
	free(compared);
	free(sizes);
	free(order);
}

int
main(int argc, char **argv)
{
	int			n = argc > 1 ? atoi(argv[1]) : 300000;
	int			count = argc > 2 ? atoi(argv[2]) : RecsysClustersFor(n);
	int			dimensions = argc > 3 ? atoi(argv[3]) : 128;
	Random		random;
	Items		items;
	RecsysContentClusters *clusters;
	int		   *of = malloc(sizeof(int) * n);
	double		start;

	random_seed(&random, 1);
	generate_shop_items(&random, n, dimensions, &items);
	start = seconds();
	clusters = RecsysClustersTrain(&items.model, (const char *const *) items.packed, Min(n, 40 * count), count, 1);
	printf("trained in %.1f s", seconds() - start);
	start = seconds();
	RecsysClustersOf(clusters, (const char *const *) items.packed, n, of);
	printf(", clusters of all items found in %.1f s\n", seconds() - start);
	print_recall(&items, clusters, of);
	RecsysClustersFree(clusters);
	free(of);
	free_items(&items);
	return 0;
}
