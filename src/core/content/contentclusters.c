/*
 * contentclusters.c
 *	  Items that are alike, together: spherical k-means over sketches (Dhillon and Modha 2001).
 *
 * Sketches and centers are unit vectors of 16-bit numbers, so that the kernel of
 * vectors' likeness compares them.
 */
#include "core/content/contentclusters.h"

#include "core/base/random.h"
#include "core/content/contentsketch.h"
#include "core/content/likenessbest.h"
#include "core/content/likenessblock.h"
#include "core/content/packedview.h"
#include "core/content/panelproduct.h"

#include <float.h>

#define DIMENSIONS RECSYS_SKETCH_DIMENSIONS
#define PAIRS (DIMENSIONS / 2)

/* Rounds of k-means; fewer when hardly any item changes its cluster */
#define MOST_ROUNDS 12

/* So many strips of centers are compared at once. */
#define STRIPS 32

/* Spans are measured by so many items of the sample and their neighbors in it. */
#define SPAN_QUERIES 2048
#define SPAN_NEIGHBORS 10
#define SPAN_RECALL 0.965

struct RecsysContentClusters
{
	RecsysContentModel model;
	int			count;
	int			strips;
	int			sample;			/* items */
	int16	   *centers;		/* one after the other */
	int16	   *panel;			/* the same as a panel; lanes behind the last center are 0 */

	/* by cluster: how long the mean of its items is, which are of length 1, and how far they are from it */
	float	   *lengths;
	float	   *spreads;

	/* which reach most of the first, the first two, ... neighbors of an item have */
	float		reaches[SPAN_NEIGHBORS];
};

static inline float
as_cosine(int32 product)
{
	return (float) product / ((float) RECSYS_UNIT * RECSYS_UNIT);
}

RECSYS_TARGET_CLONES static int32
product_of(const int16 *a, const int16 *b)
{
	int32		product = 0;

	for (int x = 0; x < DIMENSIONS; x++)
		product += (int32) a[x] * (int32) b[x];
	return product;
}

static float
cosine_of(const int16 *a, const int16 *b)
{
	return as_cosine(product_of(a, b));
}

/* The nearest centers of a group; the lower number of equally near ones. */
static void
nearest_of_group(const RecsysContentClusters *clusters, const int16 *sketches, int *of)
{
	int32		products[RECSYS_GROUP][STRIPS * RECSYS_LANES];
	int32		best[RECSYS_GROUP];

	for (int first = 0; first < clusters->strips; first += STRIPS)
	{
		int			strips = Min(STRIPS, clusters->strips - first);
		int			n = Min(strips * RECSYS_LANES, clusters->count - first * RECSYS_LANES);

		RecsysPanelProduct(clusters->panel + RecsysPanelAt(PAIRS, first * RECSYS_LANES, 0), strips, PAIRS,
						   sketches, products[0], STRIPS * RECSYS_LANES);
		for (int c = 0; c < RECSYS_GROUP; c++)
			for (int x = 0; x < n; x++)
				if ((first == 0 && x == 0) || products[c][x] > best[c])
				{
					best[c] = products[c][x];
					of[c] = first * RECSYS_LANES + x;
				}
	}
}

static void
nearest_centers(const RecsysContentClusters *clusters, const int16 *sketches, int n, int *of)
{
	for (int first = 0; first < n; first += RECSYS_GROUP)
	{
		int			group[RECSYS_GROUP];
		int16		rest[RECSYS_GROUP * DIMENSIONS] = {0};
		const int16 *place = sketches + (Size) first * DIMENSIONS;
		int			here = Min(RECSYS_GROUP, n - first);

		CHECK_FOR_INTERRUPTS();
		if (here < RECSYS_GROUP)
		{
			memcpy(rest, place, sizeof(int16) * DIMENSIONS * here);
			place = rest;
		}
		nearest_of_group(clusters, place, group);
		memcpy(of + first, group, sizeof(int) * here);
	}
}

static void
make_panel(RecsysContentClusters *clusters)
{
	memset(clusters->panel, 0, RecsysPanelSize(PAIRS, clusters->strips));
	for (int cluster = 0; cluster < clusters->count; cluster++)
		for (int x = 0; x < DIMENSIONS; x++)
			clusters->panel[RecsysPanelAt(PAIRS, cluster, x)] = clusters->centers[(Size) cluster * DIMENSIONS + x];
}

/* What k-means goes by */
typedef struct Training
{
	RecsysContentClusters *clusters;
	int			n;
	int16	   *sketches;
	int		   *of;				/* by item of the sample */
	int		   *sizes;			/* by cluster */
	int64	   *sums;			/* by cluster and dimension */
	RecsysRandom random;
} Training;

/* Centers to begin with: items of the sample, no item twice. */
static void
first_centers(Training *training)
{
	RecsysContentClusters *clusters = training->clusters;
	int		   *numbers = recsys_alloc_huge(sizeof(int) * (Size) training->n);

	for (int x = 0; x < training->n; x++)
		numbers[x] = x;
	for (int cluster = 0; cluster < clusters->count; cluster++)
	{
		int			drawn = cluster + (int) RecsysRandomBelow(&training->random, training->n - cluster);
		int			number = numbers[drawn];

		numbers[drawn] = numbers[cluster];
		numbers[cluster] = number;
		memcpy(clusters->centers + (Size) cluster * DIMENSIONS, training->sketches + (Size) number * DIMENSIONS,
			   sizeof(int16) * DIMENSIONS);
	}
	pfree(numbers);
}

/* A cluster that has lost all its items takes its place within the largest one. */
static void
move_into_largest(Training *training, int cluster)
{
	RecsysContentClusters *clusters = training->clusters;
	int			largest = 0;
	int			left;

	for (int x = 1; x < clusters->count; x++)
		if (training->sizes[x] > training->sizes[largest])
			largest = x;
	if (training->sizes[largest] < 2)
		return;
	left = (int) RecsysRandomBelow(&training->random, training->sizes[largest]);
	for (int x = 0; x < training->n; x++)
		if (training->of[x] == largest && left-- == 0)
			memcpy(clusters->centers + (Size) cluster * DIMENSIONS, training->sketches + (Size) x * DIMENSIONS,
				   sizeof(int16) * DIMENSIONS);
	/* half of it, as long as nobody has looked */
	training->sizes[cluster] = training->sizes[largest] / 2;
	training->sizes[largest] -= training->sizes[cluster];
}

static void
move_centers(Training *training)
{
	RecsysContentClusters *clusters = training->clusters;

	memset(training->sums, 0, sizeof(int64) * DIMENSIONS * clusters->count);
	memset(training->sizes, 0, sizeof(int) * clusters->count);
	for (int x = 0; x < training->n; x++)
	{
		const int16 *sketch = training->sketches + (Size) x * DIMENSIONS;
		int64	   *sum = training->sums + (Size) training->of[x] * DIMENSIONS;

		if ((x & 0x3FF) == 0)
			CHECK_FOR_INTERRUPTS();
		training->sizes[training->of[x]]++;
		for (int y = 0; y < DIMENSIONS; y++)
			sum[y] += sketch[y];
	}
	for (int cluster = 0; cluster < clusters->count; cluster++)
	{
		double		center[DIMENSIONS];

		for (int y = 0; y < DIMENSIONS; y++)
			center[y] = (double) training->sums[(Size) cluster * DIMENSIONS + y];
		if (training->sizes[cluster] > 0)
			RecsysUnitSketch(center, clusters->centers + (Size) cluster * DIMENSIONS);
	}
	for (int cluster = 0; cluster < clusters->count; cluster++)
		if (training->sizes[cluster] == 0)
		{
			CHECK_FOR_INTERRUPTS();
			move_into_largest(training, cluster);
		}
	make_panel(clusters);
}

static void
run_rounds(Training *training)
{
	int		   *before = recsys_alloc_huge(sizeof(int) * (Size) training->n);

	first_centers(training);
	make_panel(training->clusters);
	for (int round = 0; round < MOST_ROUNDS; round++)
	{
		int			changed = 0;

		memcpy(before, training->of, sizeof(int) * training->n);
		nearest_centers(training->clusters, training->sketches, training->n, training->of);
		for (int x = 0; x < training->n; x++)
			changed += before[x] != training->of[x];
		if (round > 0 && changed <= training->n / 200)
			break;
		move_centers(training);
	}
	nearest_centers(training->clusters, training->sketches, training->n, training->of);
	pfree(before);
}

/* How far the items of the sample are from the centers of their clusters */
static void
measure_clusters(Training *training)
{
	RecsysContentClusters *clusters = training->clusters;
	double	   *sums = recsys_alloc_huge_zero(sizeof(double) * (Size) clusters->count);

	memset(training->sizes, 0, sizeof(int) * clusters->count);
	for (int x = 0; x < training->n; x++)
	{
		int			cluster = training->of[x];

		if ((x & 0x3FF) == 0)
			CHECK_FOR_INTERRUPTS();
		training->sizes[cluster]++;
		sums[cluster] += cosine_of(training->sketches + (Size) x * DIMENSIONS,
								   clusters->centers + (Size) cluster * DIMENSIONS);
	}
	for (int cluster = 0; cluster < clusters->count; cluster++)
	{
		double		length = training->sizes[cluster] > 0 ? sums[cluster] / training->sizes[cluster] : 1;

		clusters->lengths[cluster] = (float) Max(Min(length, 1), 0);
		clusters->spreads[cluster] = (float) sqrt(1 - (double) clusters->lengths[cluster] * clusters->lengths[cluster]);
	}
	pfree(sums);
}

/*
 * How alike the items of two clusters may be: as much as their means are, and as much more as they
 * are spread.  The nearer a random pair comes to this the likelier it is one of neighbors.
 */
static float
reach_of(const RecsysContentClusters *clusters, int a, int b, float cosine)
{
	if (a == b)
		return FLT_MAX;
	return clusters->lengths[a] * clusters->lengths[b] * cosine + clusters->spreads[a] * clusters->spreads[b];
}

/* The reach of all clusters from one of them */
static void
reaches_from(const RecsysContentClusters *clusters, int cluster, float *reaches)
{
	int16		group[RECSYS_GROUP * DIMENSIONS] = {0};
	int32		products[RECSYS_GROUP][STRIPS * RECSYS_LANES];

	CHECK_FOR_INTERRUPTS();
	memcpy(group, clusters->centers + (Size) cluster * DIMENSIONS, sizeof(int16) * DIMENSIONS);
	for (int first = 0; first < clusters->strips; first += STRIPS)
	{
		int			strips = Min(STRIPS, clusters->strips - first);
		int			base = first * RECSYS_LANES;
		int			n = Min(strips * RECSYS_LANES, clusters->count - base);

		RecsysPanelProduct(clusters->panel + RecsysPanelAt(PAIRS, base, 0), strips, PAIRS, group, products[0],
						   STRIPS * RECSYS_LANES);
		for (int x = 0; x < n; x++)
			reaches[base + x] = reach_of(clusters, cluster, base + x, as_cosine(products[0][x]));
	}
}

static int
compare_reaches(const void *a, const void *b, void *arg)
{
	float		left = *(const float *) a;
	float		right = *(const float *) b;

	return (left < right) - (left > right);
}

/* The reach that most pairs of neighbors have, for each number of neighbors */
static void
measure_reaches(Training *training, RecsysLikenessBest *best, int queries, int step)
{
	RecsysContentClusters *clusters = training->clusters;
	float	   *reaches = palloc(sizeof(float) * queries * SPAN_NEIGHBORS);

	for (int neighbors = 1; neighbors <= SPAN_NEIGHBORS; neighbors++)
	{
		int			pairs = 0;

		for (int query = 0; query < queries; query++)
		{
			const RecsysLike *likes;
			int			own = training->of[query * step];
			int			n = RecsysBestOf(best, query, &likes);

			for (int x = 0; x < Min(n, neighbors); x++)
			{
				int			other = training->of[likes[x].item];

				reaches[pairs++] = reach_of(clusters, own, other,
											cosine_of(clusters->centers + (Size) own * DIMENSIONS,
													  clusters->centers + (Size) other * DIMENSIONS));
			}
		}
		CHECK_FOR_INTERRUPTS();
		qsort_interruptible(reaches, pairs, sizeof(float), compare_reaches, NULL);
		clusters->reaches[neighbors - 1] = pairs > 0 ? reaches[Min((int) (SPAN_RECALL * pairs), pairs - 1)] : FLT_MAX;
	}
	pfree(reaches);
}

static void
measure_spans(Training *training, const char *const *sample)
{
	int			queries = Min(training->n, SPAN_QUERIES);
	int			step = training->n / queries;
	uint32	   *numbers = recsys_alloc_huge(sizeof(uint32) * (Size) training->n);
	uint32	   *own = palloc(sizeof(uint32) * queries);
	RecsysLikenessBlock *block = RecsysBlockCreate(&training->clusters->model, queries);
	RecsysLikenessBest *best = RecsysBestCreate(queries, SPAN_NEIGHBORS);
	int			stride = RecsysBlockStride(block);
	float	   *scores = recsys_alloc_huge(sizeof(float) * RECSYS_TILE * (Size) stride);

	for (int x = 0; x < training->n; x++)
		numbers[x] = (uint32) x;
	for (int query = 0; query < queries; query++)
	{
		own[query] = (uint32) (query * step);
		RecsysBlockAdd(block, sample[own[query]]);
	}
	RecsysBestReset(best, queries, own);
	for (int first = 0; first < training->n; first += RECSYS_TILE)
	{
		int			n = Min(RECSYS_TILE, training->n - first);

		RecsysBlockCompare(block, sample + first, n, scores);
		RecsysBestOffer(best, numbers + first, n, scores, stride);
	}
	measure_reaches(training, best, queries, step);
	RecsysBlockFree(block);
	RecsysBestFree(best);
	pfree(scores);
	pfree(numbers);
	pfree(own);
}

/* At most this many: finding them, and each item's, takes time, too. */
#define MOST_CLUSTERS 4096

int
RecsysClustersFor(uint32 nitems)
{
	return (int) Max(Min(4 * sqrt((double) nitems), MOST_CLUSTERS), 1);
}

RecsysContentClusters *
RecsysClustersTrain(const RecsysContentModel *model, const char *const *sample, int n, int count,
					uint64 seed)
{
	RecsysContentClusters *clusters = palloc0(sizeof(RecsysContentClusters));
	Training	training = {.clusters = clusters, .n = n};

	clusters->model = *model;
	clusters->count = Max(Min(count, n), 1);
	clusters->strips = (clusters->count + RECSYS_LANES - 1) / RECSYS_LANES;
	clusters->sample = n;
	clusters->lengths = palloc0(sizeof(float) * clusters->count);
	clusters->spreads = palloc0(sizeof(float) * clusters->count);
	clusters->centers = recsys_alloc_huge_zero(sizeof(int16) * DIMENSIONS * (Size) clusters->count);
	clusters->panel = recsys_alloc_huge_zero(RecsysPanelSize(PAIRS, clusters->strips));
	if (n == 0)
		return clusters;

	RecsysRandomStart(&training.random, seed, 0);
	training.sketches = recsys_alloc_huge(sizeof(int16) * DIMENSIONS * (Size) n);
	training.of = recsys_alloc_huge_zero(sizeof(int) * (Size) n);
	training.sizes = palloc(sizeof(int) * clusters->count);
	training.sums = recsys_alloc_huge(sizeof(int64) * DIMENSIONS * (Size) clusters->count);
	for (int x = 0; x < n; x++)
	{
		CHECK_FOR_INTERRUPTS();
		RecsysContentSketch(model, sample[x], training.sketches + (Size) x * DIMENSIONS);
	}
	run_rounds(&training);
	measure_clusters(&training);
	measure_spans(&training, sample);
	pfree(training.sketches);
	pfree(training.of);
	pfree(training.sizes);
	pfree(training.sums);
	return clusters;
}

int
RecsysClustersCount(const RecsysContentClusters *clusters)
{
	return clusters->count;
}

int
RecsysClusterOf(const RecsysContentClusters *clusters, const char *packed)
{
	int			of;

	RecsysClustersOf(clusters, &packed, 1, &of);
	return of;
}

void
RecsysClustersOf(const RecsysContentClusters *clusters, const char *const *packed, int n, int *of)
{
	int16		sketches[RECSYS_GROUP * DIMENSIONS];

	for (int first = 0; first < n; first += RECSYS_GROUP)
	{
		int			here = Min(RECSYS_GROUP, n - first);

		for (int c = 0; c < here; c++)
			RecsysContentSketch(&clusters->model, packed[first + c], sketches + c * DIMENSIONS);
		nearest_centers(clusters, sketches, here, of + first);
	}
}

typedef struct NearCluster
{
	float		reach;
	int			cluster;
} NearCluster;

static int
compare_near(const void *a, const void *b, void *arg)
{
	const NearCluster *left = a;
	const NearCluster *right = b;

	if (left->reach != right->reach)
		return left->reach > right->reach ? -1 : 1;
	return left->cluster - right->cluster;
}

void
RecsysClustersNear(const RecsysContentClusters *clusters, int cluster, int *order)
{
	NearCluster *near = palloc(sizeof(NearCluster) * clusters->count);
	float	   *reaches = palloc(sizeof(float) * clusters->count);

	reaches_from(clusters, cluster, reaches);
	for (int x = 0; x < clusters->count; x++)
		near[x] = (NearCluster) {reaches[x], x};
	qsort_interruptible(near, clusters->count, sizeof(NearCluster), compare_near, NULL);
	for (int x = 0; x < clusters->count; x++)
		order[x] = near[x].cluster;
	pfree(reaches);
	pfree(near);
}

/* Of an item's ten nearest neighbors the sample has as many as it has of all items. */
int
RecsysClustersSpan(const RecsysContentClusters *clusters, int cluster, uint32 nitems)
{
	float	   *reaches = palloc(sizeof(float) * clusters->count);
	double		neighbors = rint((double) SPAN_NEIGHBORS * clusters->sample / Max(nitems, 1));
	float		least = clusters->reaches[(int) Max(Min(neighbors, SPAN_NEIGHBORS), 1) - 1];
	int			span = 0;

	reaches_from(clusters, cluster, reaches);
	for (int x = 0; x < clusters->count; x++)
		span += reaches[x] >= least;
	pfree(reaches);
	return span;
}

void
RecsysClustersFree(RecsysContentClusters *clusters)
{
	pfree(clusters->centers);
	pfree(clusters->panel);
	pfree(clusters->lengths);
	pfree(clusters->spreads);
	pfree(clusters);
}
