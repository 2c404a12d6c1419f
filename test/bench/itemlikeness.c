/*
 * itemlikeness.c
 *	  How fast items are compared.
 *
 *	  make -C test/core likeness LIKENESS="ITEMS DIMENSIONS QUERIES"
 *
 * Prints products of 16-bit vectors a second, beside those of a plain loop over pairs of
 * items; then comparisons of generated items a second, with and without the
 * selection of the best, and what a build that compares all with all would take.
 */
#include "core/base/random.h"
#include "core/content/content.h"
#include "core/content/panelproduct.h"
#include "itemcontent.h"

#include <time.h>

#define BEST 130

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void *
aligned(Size size)
{
	void	   *place;

	if (posix_memalign(&place, 64, size) != 0)
		exit(1);
	return place;
}

static int32
plain_loop(const int16 *queries, const int16 *candidates, int n, int dimensions)
{
	int32		sum = 0;

	for (int query = 0; query < n; query++)
		for (int c = 0; c < RECSYS_GROUP; c++)
		{
			int32		product = 0;

			for (int x = 0; x < dimensions; x++)
				product += (int32) queries[query * dimensions + x] * candidates[c * dimensions + x];
			sum ^= product;
		}
	return sum;
}

static void
measure_products(int dimensions)
{
	enum
	{
		queries = 512
	};
	int			pairs = (dimensions + 1) / 2;
	int			width = 2 * pairs;
	int16	   *panel = aligned(RecsysPanelSize(pairs, queries / RECSYS_LANES));
	int16	   *candidates = aligned(sizeof(int16) * width * 32 * RECSYS_GROUP);
	int32	   *products = aligned(sizeof(int32) * queries * RECSYS_GROUP);
	int			rounds = (int) (2e10 / ((double) queries * width * RECSYS_GROUP)) + 1;
	int32		sum = 0;
	double		start;
	double		taken;

	for (int x = 0; x < queries * width; x++)
		panel[x] = (int16) (x * 7919 % 251);
	for (int x = 0; x < RECSYS_GROUP * width; x++)
		candidates[x] = (int16) (x * 104729 % 251);
	start = seconds();
	for (int round = 0; round < rounds; round++)
	{
		RecsysPanelProduct(panel, queries / RECSYS_LANES, pairs, candidates, products, queries);
		sum ^= products[round % queries];
	}
	taken = seconds() - start;
	printf("products of %d dimensions: %.1f billion a second", width, 1e-9 * rounds * queries * width * RECSYS_GROUP / taken);
	rounds /= 8;
	start = seconds();
	for (int round = 0; round < rounds; round++)
	{
		sum ^= plain_loop(panel, candidates, queries, width);
		panel[round % width]++;
	}
	taken = seconds() - start;
	printf("; plain loop: %.1f (%d)\n", 1e-9 * rounds * queries * width * RECSYS_GROUP / taken, (int) (sum & 1));
	free(panel);
	free(candidates);
	free(products);
}

static void
measure_block(const Items *items, int queries)
{
	RecsysLikenessBlock *block = RecsysBlockCreate(&items->model, queries);
	RecsysLikenessBest *best = RecsysBestCreate(queries, BEST);
	int			stride = RecsysBlockStride(block);
	float	   *scores = aligned(sizeof(float) * RECSYS_TILE * stride);
	uint32	   *numbers = malloc(sizeof(uint32) * Max(items->n, queries));
	double		comparing = 0;
	double		selecting = 0;
	double		pairs = (double) items->n * queries;

	for (int x = 0; x < Max(items->n, queries); x++)
		numbers[x] = x;
	for (int x = 0; x < queries; x++)
		RecsysBlockAdd(block, items->packed[x % items->n]);
	RecsysBestReset(best, queries, numbers);
	for (int tile = 0; tile < items->n; tile += RECSYS_TILE)
	{
		int			n = Min(RECSYS_TILE, items->n - tile);
		double		start = seconds();
		double		middle;

		RecsysBlockCompare(block, (const char *const *) items->packed + tile, n, scores);
		middle = seconds();
		RecsysBestOffer(best, numbers + tile, n, scores, stride);
		comparing += middle - start;
		selecting += seconds() - middle;
	}
	printf("%.0f pairs: compared in %.2f ns each, the best %d selected in %.2f ns each; all with all: %.1f s\n",
		   pairs, 1e9 * comparing / pairs, BEST, 1e9 * selecting / pairs,
		   (comparing + selecting) / pairs * items->n * items->n);
	RecsysBlockFree(block);
	RecsysBestFree(best);
	free(scores);
	free(numbers);
}

int
main(int argc, char **argv)
{
	int			n = argc > 1 ? atoi(argv[1]) : 100000;
	int			dimensions = argc > 2 ? atoi(argv[2]) : 128;
	int			queries = argc > 3 ? atoi(argv[3]) : 4096;
	Random		random;
	Items		items;
	Size		bytes = 0;

	measure_products(dimensions);
	random_seed(&random, 1);
	generate_shop_items(&random, n, dimensions, &items);
	for (int i = 0; i < n; i++)
		bytes += items.sizes[i];
	printf("%d items of %.0f bytes\n", n, (double) bytes / n);
	measure_block(&items, queries);
	free_items(&items);
	return 0;
}
