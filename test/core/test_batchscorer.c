/*
 * test_batchscorer.c
 *	  Tests of core/scoring/batchscorer against the scorer of single calls.
 */
#include "core/scoring/batchscorer.h"
#include "generate.h"
#include "tap.h"

/* An item graph as an index has it, and what else makes a list */
typedef struct Catalogue
{
	uint32		nitems;
	int			most;			/* neighbors of an item */
	uint32	   *peers;			/* most for each item */
	float	   *scores;
	int		   *counts;
	uint32	   *users;
	uint32	   *standings;
	uint8	   *offered;
	int			nprior;
	uint32	   *prior_items;
	float	   *prior_scores;
	RecsysBatchGraph *graph;
} Catalogue;

static uint32
random_below(Random *random, uint32 n)
{
	return (uint32) (random_bits(random) % n);
}

/* A permutation of the numbers below n */
static uint32 *
shuffled(Random *random, uint32 n)
{
	uint32	   *numbers = palloc(sizeof(uint32) * ((Size) n + 1));

	for (uint32 x = 0; x < n; x++)
		numbers[x] = x;
	for (uint32 x = n; x > 1; x--)
	{
		uint32		y = random_below(random, x);
		uint32		swap = numbers[y];

		numbers[y] = numbers[x - 1];
		numbers[x - 1] = swap;
	}
	return numbers;
}

/* Coarse scores make ties; otherwise bits of all kinds, down to the least of floats. */
static float
random_score(Random *random, bool coarse)
{
	if (coarse)
		return (float) ((int) random_below(random, 8) - 1) / 8.0f;
	if (random_below(random, 100) == 0)
		return 1e-44f;
	if (random_below(random, 100) == 0)
		return 3e38f;
	return (float) random_below(random, 1000003) / 1000003.0f - 0.1f;
}

static void
make_rows(Random *random, Catalogue *catalogue, bool coarse)
{
	uint32		nitems = catalogue->nitems;

	for (uint32 item = 0; item < nitems; item++)
	{
		catalogue->counts[item] = (int) random_below(random, catalogue->most + 1);
		for (int x = 0; x < catalogue->counts[item]; x++)
		{
			/* some beyond the end, which must be ignored; the low numbers more often */
			uint32		peer = random_below(random, 2) ? random_below(random, nitems + 2) :
				random_below(random, nitems / 8 + 1);

			catalogue->peers[(Size) item * catalogue->most + x] = peer;
			catalogue->scores[(Size) item * catalogue->most + x] = random_score(random, coarse);
		}
		catalogue->users[item] = random_below(random, 50);
		catalogue->offered[item] = random_below(random, 10) != 0;
	}
}

static Catalogue *
make_catalogue(Random *random, uint32 nitems, bool coarse, bool late_items)
{
	Catalogue  *catalogue = palloc0(sizeof(Catalogue));
	uint64		neighbors = 0;

	catalogue->nitems = nitems;
	catalogue->most = 1 + (int) random_below(random, 30);
	catalogue->peers = palloc(sizeof(uint32) * (Size) nitems * catalogue->most);
	catalogue->scores = palloc(sizeof(float) * (Size) nitems * catalogue->most);
	catalogue->counts = palloc(sizeof(int) * (Size) nitems);
	catalogue->users = palloc(sizeof(uint32) * (Size) nitems);
	catalogue->offered = palloc(nitems);
	make_rows(random, catalogue, coarse);
	catalogue->standings = late_items ? shuffled(random, nitems) : NULL;
	for (uint32 item = 0; item < nitems; item++)
		neighbors += catalogue->counts[item];

	catalogue->prior_items = shuffled(random, nitems);
	if (random_below(random, 2) == 0)
		catalogue->nprior = 1 + (int) random_below(random, 200);
	catalogue->nprior = Min(catalogue->nprior, (int) nitems);
	catalogue->prior_scores = palloc(sizeof(float) * Max(catalogue->nprior, 1));
	for (int x = 0; x < catalogue->nprior; x++)
		catalogue->prior_scores[x] = random_score(random, coarse);

	catalogue->graph = RecsysBatchGraphInit(palloc(RecsysBatchGraphSize(nitems, neighbors)), nitems,
											neighbors, catalogue->users, catalogue->standings);
	for (uint32 item = nitems; item-- > 0;)
	{
		if (!RecsysBatchGraphAdd(catalogue->graph, item,
								 catalogue->peers + (Size) item * catalogue->most,
								 catalogue->scores + (Size) item * catalogue->most,
								 catalogue->counts[item]))
			return NULL;
		if (!catalogue->offered[item])
			RecsysBatchGraphWithhold(catalogue->graph, item);
	}
	RecsysBatchGraphSetPrior(catalogue->graph, catalogue->prior_items, catalogue->prior_scores,
							 catalogue->nprior);
	return catalogue;
}

static void
free_catalogue(Catalogue *catalogue)
{
	pfree(catalogue->peers);
	pfree(catalogue->scores);
	pfree(catalogue->counts);
	pfree(catalogue->users);
	pfree(catalogue->offered);
	if (catalogue->standings != NULL)
		pfree(catalogue->standings);
	pfree(catalogue->prior_items);
	pfree(catalogue->prior_scores);
	pfree(catalogue->graph);
	pfree(catalogue);
}

/* By standing, as the keys of late items are */
static int
compare_standings(void *arg, uint32 a, uint32 b)
{
	const uint32 *standings = arg;

	return (standings[a] > standings[b]) - (standings[a] < standings[b]);
}

/* What recommend() does, one step after the other */
static int
list_slowly(RecsysScorer *scorer, const Catalogue *catalogue, const uint32 *items,
			const double *weights, int n, const uint32 *excluded, int nexcluded, int k,
			const uint32 *popular, RecsysScored *out)
{
	RecsysKeyOrder order = {0, compare_standings, catalogue->standings};
	int			count;

	RecsysScorerReset(scorer, catalogue->nitems);
	for (int x = 0; x < nexcluded; x++)
		RecsysScorerExclude(scorer, excluded[x]);
	for (int x = 0; x < n; x++)
		RecsysScorerAdd(scorer, weights[x], catalogue->peers + (Size) items[x] * catalogue->most,
						catalogue->scores + (Size) items[x] * catalogue->most,
						catalogue->counts[items[x]]);
	RecsysScorerAdd(scorer, 1.0, catalogue->prior_items, catalogue->prior_scores, catalogue->nprior);
	RecsysScorerOffer(scorer, catalogue->offered);
	count = RecsysScorerTop(scorer, k, catalogue->standings != NULL ? &order : NULL, out);
	for (uint32 x = 0; x < catalogue->nitems && count < k; x++)
	{
		uint32		item = popular[x];

		if (RecsysScorerIsExcluded(scorer, item) || RecsysScorerIsCandidate(scorer, item) ||
			!catalogue->offered[item])
			continue;
		out[count].item = item;
		out[count++].score = 0;
	}
	return count;
}

/* One user's list, made in both ways */
static bool
lists_agree(Random *random, RecsysScorer *slow, RecsysBatchScorer *fast, const Catalogue *catalogue,
			const uint32 *popular, bool coarse)
{
	uint32		nitems = catalogue->nitems;
	uint32	   *items = palloc(sizeof(uint32) * 64);
	double	   *weights = palloc(sizeof(double) * 64);
	uint32	   *excluded = palloc(sizeof(uint32) * 64);
	int			n = (int) random_below(random, 40);
	int			nexcluded = random_below(random, 3) ? (int) random_below(random, 64) : 0;
	int			k = random_below(random, 8) ? (int) random_below(random, 25) : (int) nitems;
	RecsysScored *expected = palloc(sizeof(RecsysScored) * ((Size) k + 1));
	RecsysScored *out = palloc(sizeof(RecsysScored) * ((Size) k + 1));
	int			nexpected;
	int			count;
	bool		right;

	for (int x = 0; x < n; x++)
	{
		items[x] = random_below(random, nitems);
		weights[x] = coarse ? 1.0 + random_below(random, 3) : random_below(random, 1000) / 7.0;
	}
	for (int x = 0; x < nexcluded; x++)
		excluded[x] = random_below(random, nitems);
	nexpected = list_slowly(slow, catalogue, items, weights, n, excluded, nexcluded, k, popular,
							expected);
	count = RecsysBatchScorerList(fast, items, weights, n, excluded, nexcluded, k, out);
	count = RecsysBatchScorerFill(fast, excluded, nexcluded, out, count, k, popular, nitems);
	right = count == nexpected;
	for (int x = 0; right && x < count; x++)
		right = out[x].item == expected[x].item &&
			memcmp(&out[x].score, &expected[x].score, sizeof(float)) == 0;
	pfree(items);
	pfree(weights);
	pfree(excluded);
	pfree(expected);
	pfree(out);
	return right;
}

static bool
catalogue_agrees(Random *random, uint32 nitems, bool coarse, bool late_items, int nusers)
{
	Catalogue  *catalogue = make_catalogue(random, nitems, coarse, late_items);
	RecsysScorer *slow = RecsysScorerCreate(nitems);
	RecsysBatchScorer *fast;
	uint32	   *popular = shuffled(random, nitems);
	bool		right = true;

	if (catalogue == NULL)
		return false;
	fast = RecsysBatchScorerCreate(catalogue->graph);
	for (int user = 0; right && user < nusers; user++)
		right = lists_agree(random, slow, fast, catalogue, popular, coarse);
	RecsysScorerFree(slow);
	RecsysBatchScorerFree(fast);
	pfree(popular);
	free_catalogue(catalogue);
	return right;
}

static void
agreement(void)
{
	Random		random = {20};
	bool		small = true;
	bool		narrow = true;
	bool		wide = true;

	for (int round = 0; round < 200; round++)
		small &= catalogue_agrees(&random, 1 + random_below(&random, 200), round % 2, round % 3 == 0,
								  20);
	ok(small, "lists of small catalogues are those of single calls");
	for (int round = 0; round < 8; round++)
		narrow &= catalogue_agrees(&random, 1000 + random_below(&random, 5000), round % 2,
								   round % 3 == 0, 60);
	narrow &= catalogue_agrees(&random, RECSYS_BATCH_NARROW, false, true, 20);
	ok(narrow, "lists of catalogues with places of two bytes are those of single calls");
	for (int round = 0; round < 4; round++)
		wide &= catalogue_agrees(&random, RECSYS_BATCH_NARROW + 1 + random_below(&random, 1000),
								 round % 2, round < 2, 30);
	ok(wide, "lists of larger catalogues are those of single calls");
}

static void
limits(void)
{
	uint32		users[2] = {1, 2};
	uint32		peers[2] = {1, 0};
	float		scores[2] = {0.5f, 0.25f};
	RecsysBatchGraph *graph = RecsysBatchGraphInit(palloc(RecsysBatchGraphSize(2, 1)), 2, 1, users, NULL);
	RecsysBatchScorer *scorer;
	RecsysScored out[2];

	ok(RecsysBatchGraphAdd(graph, 0, peers, scores, 1) &&
	   !RecsysBatchGraphAdd(graph, 1, peers, scores, 2) &&
	   RecsysBatchGraphAdd(graph, 1, peers, scores, 0), "a graph takes no more rows than fit");
	scorer = RecsysBatchScorerCreate(graph);
	ok(RecsysBatchScorerList(scorer, NULL, NULL, 0, NULL, 0, 0, out) == 0 &&
	   RecsysBatchScorerList(scorer, NULL, NULL, 0, NULL, 0, 2, out) == 0,
	   "no list without places, or without anything to score by");
	RecsysBatchScorerFree(scorer);
	pfree(graph);
}

void
test_batchscorer(void)
{
	agreement();
	limits();
}
