/*
 * test_scorer.c
 *	  Tests of core/pairs/scorer against a dense array that is sorted.
 */
#include "core/pairs/scorer.h"
#include "generate.h"
#include "tap.h"

static double *reference_sums;

static int
compare_scored(const void *a, const void *b)
{
	const RecsysScored *x = a;
	const RecsysScored *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

/* One call of the scorer, compared in every respect. */
static bool
call_agrees(Random *random, RecsysScorer *scorer, uint32 nitems)
{
	bool	   *excluded = palloc0(nitems * sizeof(bool));
	bool	   *touched = palloc0(nitems * sizeof(bool));
	RecsysScored *expected = palloc(nitems * sizeof(RecsysScored));
	RecsysScored *out = palloc(nitems * sizeof(RecsysScored));
	int			rows = (int) (random_bits(random) % 40);
	int			length = 1 + (int) (random_bits(random) % 60);
	int			nexpected = 0;
	bool		right = true;

	memset(reference_sums, 0, nitems * sizeof(double));
	for (int row = 0; row < rows; row++)
	{
		uint32		items[64];
		float		similarities[64];
		/* few distinct weights, negative ones too, so that there are ties */
		double		weight = (double) (random_bits(random) % 5) - 1.0;

		for (int x = 0; x < length; x++)
		{
			/* some beyond the end, which must be ignored */
			items[x] = (uint32) (random_bits(random) % (nitems + 3));
			similarities[x] = (float) (random_bits(random) % 8) / 8.0f;
			if (items[x] < nitems)
			{
				reference_sums[items[x]] += weight * similarities[x];
				touched[items[x]] = true;
			}
		}
		RecsysScorerAdd(scorer, weight, items, similarities, length);
		if (row % 4 == 1)
		{
			/* a run of items, of which only positive scores are taken */
			uint32		first = (uint32) (random_bits(random) % (nitems + 3));

			for (int x = 0; x < length; x++)
			{
				similarities[x] = (float) (random_bits(random) % 8) / 8.0f - 0.5f;
				if (similarities[x] > 0 && first + x < nitems)
				{
					reference_sums[first + x] += similarities[x];
					touched[first + x] = true;
				}
			}
			RecsysScorerAddRange(scorer, first, similarities, length);
		}
		if (row % 3 == 0)
		{
			uint32		item = (uint32) (random_bits(random) % (nitems + 1));

			RecsysScorerExclude(scorer, item);
			if (item < nitems)
				excluded[item] = true;
		}
	}

	for (uint32 item = 0; item < nitems; item++)
	{
		bool		candidate = touched[item] && !excluded[item] &&
			(float) reference_sums[item] > 0.0f;

		if (candidate)
		{
			expected[nexpected].item = item;
			expected[nexpected++].score = (float) reference_sums[item];
		}
		if (RecsysScorerIsCandidate(scorer, item) != candidate ||
			RecsysScorerIsExcluded(scorer, item) != excluded[item])
			right = false;
	}
	qsort(expected, nexpected, sizeof(RecsysScored), compare_scored);
	if (RecsysScorerCandidates(scorer) < nexpected ||
		RecsysScorerIsCandidate(scorer, nitems) || RecsysScorerIsExcluded(scorer, nitems))
		right = false;

	/* several k of the same call: Top changes nothing */
	for (int round = 0; round < 4; round++)
	{
		int			k = round == 0 ? (int) nitems : (int) (random_bits(random) % 12);
		int			n = RecsysScorerTop(scorer, k, NULL, out);

		if (n != Min(k, nexpected))
			right = false;
		for (int x = 0; x < Min(n, nexpected); x++)
		{
			if (out[x].item != expected[x].item || out[x].score != expected[x].score)
				right = false;
		}
	}
	pfree(excluded);
	pfree(touched);
	pfree(expected);
	pfree(out);
	return right;
}

void
test_scorer(void)
{
	Random		random;
	uint32		nitems = 10;
	RecsysScorer *scorer = RecsysScorerCreate(nitems);
	int			wrong = 0;
	int			calls = 1500;

	random_seed(&random, 11);
	reference_sums = palloc(200000 * sizeof(double));
	for (int call = 0; call < calls; call++)
	{
		RecsysScorerReset(scorer, nitems);
		if (!call_agrees(&random, scorer, nitems))
			wrong++;
		nitems += (uint32) (random_bits(&random) % 7);
		if (call == calls / 2)
			nitems *= 10;
	}
	ok(wrong == 0, "scorer: %d calls while the catalogue grows to %u items, %d differ",
	   calls, nitems, wrong);

	RecsysScorerReset(scorer, nitems);
	ok(RecsysScorerCandidates(scorer) == 0 && RecsysScorerTop(scorer, 10, NULL, NULL) == 0,
	   "scorer: nothing after a reset");
	RecsysScorerFree(scorer);
	scorer = RecsysScorerCreate(0);
	RecsysScorerExclude(scorer, 0);
	ok(RecsysScorerTop(scorer, 10, NULL, NULL) == 0, "scorer: an empty catalogue");
	RecsysScorerFree(scorer);
	pfree(reference_sums);
}
