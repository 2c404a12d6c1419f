/*
 * test_scorer.c
 *	  Tests of core/scoring/scorer against a dense array that is sorted.
 */
#include "core/scoring/scorer.h"
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

	/* rows as they are, narrow ones, or both; few scores, so that there are ties, or any */
	int			narrow = (int) (random_bits(random) % 3);
	bool		any_scores = random_bits(random) % 2 == 0;

	memset(reference_sums, 0, nitems * sizeof(double));
	for (int row = 0; row < rows; row++)
	{
		uint32		items[64];
		uint16		numbers[64];
		float		similarities[64];
		/* few distinct weights, negative ones too, so that there are ties */
		double		weight = (double) (random_bits(random) % 5) - 1.0;
		bool		is_narrow = narrow == 2 || (narrow == 1 && row % 2 == 1);

		for (int x = 0; x < length; x++)
		{
			/* some beyond the end, which must be ignored */
			items[x] = (uint32) (random_bits(random) % (is_narrow ? Min(nitems + 3, 65536) : nitems + 3));
			numbers[x] = (uint16) items[x];
			similarities[x] = (float) (random_bits(random) % 8) / 8.0f;
			if (any_scores)
				similarities[x] = (float) (random_unit(random) * (x % 7 == 0 ? 1e-38 : 1.0));
			if (items[x] < nitems)
			{
				reference_sums[items[x]] += weight * similarities[x];
				touched[items[x]] = true;
			}
		}
		if (is_narrow)
			RecsysScorerAddNarrow(scorer, weight, numbers, similarities, length);
		else
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

/* The higher number first */
static int
compare_backwards(void *arg, uint32 a, uint32 b)
{
	return (a < b) - (a > b);
}

static int
compare_scored_backwards(const void *a, const void *b)
{
	const RecsysScored *x = a;
	const RecsysScored *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return (x->item < y->item) - (x->item > y->item);
}

/*
 * Sums of two scorers put together while the catalogue grows, with items excluded and
 * included again, and ties broken by keys in another order than numbers.
 */
static bool
sums_agree(Random *random, RecsysScorer *total, RecsysScorer *part)
{
	uint32		nitems = 1 + (uint32) (random_bits(random) % 400);
	uint32		most = nitems + 300;
	double	   *sums = palloc0(most * sizeof(double));
	double	   *part_sums = palloc0(most * sizeof(double));
	bool	   *excluded = palloc0(most * sizeof(bool));
	RecsysScored *expected = palloc(most * sizeof(RecsysScored));
	RecsysScored *out = palloc(most * sizeof(RecsysScored));
	RecsysKeyOrder order = {0, compare_backwards, NULL};
	double		scale = (double) (random_bits(random) % 9) / 4 - 1;
	double		highest = 0;
	double		lowest = 0;
	double		amount;
	const uint32 *touched;
	uint32		ntouched = 0;
	uint32		nsums = 0;
	int			nexpected = 0;
	bool		right;

	RecsysScorerReset(total, nitems);
	RecsysScorerReset(part, nitems);
	for (int step = 0; step < 300; step++)
	{
		uint32		item = (uint32) (random_bits(random) % (nitems + 2));
		double		score = (double) (random_bits(random) % 8) - 2;

		switch (random_bits(random) % 8)
		{
			case 0:
				nitems += (uint32) (random_bits(random) % 40);
				nitems = Min(nitems, most);
				RecsysScorerExtend(total, nitems);
				RecsysScorerExtend(part, nitems);
				break;
			case 1:
				RecsysScorerExclude(total, item);
				excluded[Min(item, most - 1)] |= item < nitems;
				break;
			case 2:
				RecsysScorerInclude(total, item);
				excluded[Min(item, most - 1)] &= item >= nitems;
				break;
			case 3:
				RecsysScorerMultiply(total, item, 0.5);
				if (item < nitems)
					sums[item] *= 0.5;
				break;
			case 4:
				RecsysScorerAddScore(total, item, score);
				if (item < nitems)
					sums[item] += score;
				break;
			default:
				if (step % 3 == 0)
				{
					uint16		number = (uint16) item;
					float		similarity = (float) score;

					RecsysScorerAddNarrow(part, 1.0, &number, &similarity, 1);
				}
				else
					RecsysScorerAddScore(part, item, score);
				if (item < nitems)
					part_sums[item] += score;
				break;
		}
	}
	for (uint32 item = 0; item < nitems; item++)
	{
		highest = Max(highest, part_sums[item]);
		lowest = Min(lowest, part_sums[item]);
	}
	for (uint32 x = random_bits(random) % 2 == 0 ? RecsysScorerTouched(part, &touched) : 0; x > 0; x--)
		ntouched += part_sums[touched[x - 1]] != 0;
	for (uint32 item = 0; item < nitems; item++)
		nsums += part_sums[item] != 0;
	right = RecsysScorerHighest(part, &amount) == highest && amount == Max(highest, -lowest) &&
		(ntouched == 0 || ntouched == nsums);
	RecsysScorerMoveScaled(total, part, scale);
	right = right && RecsysScorerCandidates(part) == 0;
	for (uint32 item = 0; item < nitems; item++)
	{
		float		score = (float) (sums[item] + scale * part_sums[item]);

		right = right && RecsysScorerScore(total, item) == score;
		if (score > 0 && !excluded[item])
			expected[nexpected++] = (RecsysScored) {item, score};
	}
	qsort(expected, nexpected, sizeof(RecsysScored), compare_scored_backwards);
	for (int round = 0; round < 4; round++)
	{
		int			k = round == 0 ? (int) nitems : (int) (random_bits(random) % 12);
		int			n = RecsysScorerTop(total, k, &order, out);

		right = right && n == Min(k, nexpected);
		for (int x = 0; x < Min(n, nexpected); x++)
			right = right && out[x].item == expected[x].item && out[x].score == expected[x].score;
	}
	pfree(sums);
	pfree(part_sums);
	pfree(excluded);
	pfree(expected);
	pfree(out);
	return right;
}

/* Sums by mapped numbers against those by the numbers themselves */
static bool
mapped_agrees(Random *random, RecsysScorer *scorer, RecsysScorer *plain)
{
	uint32		map[64];
	uint32		items[40];
	float		scores[40];
	int			left[40];
	uint32		mapped = 20 + (uint32) (random_bits(random) % 44);
	bool		right = true;

	RecsysScorerReset(scorer, 64);
	RecsysScorerReset(plain, 64);
	for (uint32 x = 0; x < 64; x++)
		map[x] = x % 5 == 0 ? RECSYS_NONE : (x * 7 + 3) % 64;
	for (int round = 0; round < 3; round++)
	{
		int			n = (int) (random_bits(random) % 41);
		int			nleft;
		int			missing = 0;

		for (int x = 0; x < n; x++)
		{
			items[x] = (uint32) (random_bits(random) % 64);
			scores[x] = (float) (1 + random_bits(random) % 100) / 128;
		}
		nleft = RecsysScorerAddMapped(scorer, 0.5, items, scores, n, map, mapped, left);
		for (int x = 0; x < n; x++)
		{
			bool		known = items[x] < mapped && map[items[x]] != RECSYS_NONE;

			if (known)
				RecsysScorerAddScore(plain, map[items[x]], 0.5 * scores[x]);
			else
				right = right && missing < nleft && left[missing++] == x;
		}
		right = right && missing == nleft;
	}
	for (uint32 x = 0; x < 64; x++)
		right = right && RecsysScorerScore(scorer, x) == RecsysScorerScore(plain, x) &&
			RecsysScorerIsCandidate(scorer, x) == RecsysScorerIsCandidate(plain, x);
	return right;
}

static void
test_mapped(Random *random)
{
	RecsysScorer *scorer = RecsysScorerCreate(64);
	RecsysScorer *plain = RecsysScorerCreate(64);
	int			wrong = 0;

	for (int call = 0; call < 1000; call++)
		wrong += !mapped_agrees(random, scorer, plain);
	ok(wrong == 0, "scorer: sums by mapped numbers, 1000 times, %d differ", wrong);
	RecsysScorerFree(scorer);
	RecsysScorerFree(plain);
}

static void
test_sums(Random *random)
{
	RecsysScorer *total = RecsysScorerCreate(1);
	RecsysScorer *part = RecsysScorerCreate(1);
	int			wrong = 0;

	for (int call = 0; call < 1000; call++)
		wrong += !sums_agree(random, total, part);
	ok(wrong == 0, "scorer: sums of two put together, 1000 times, %d differ", wrong);
	RecsysScorerFree(total);
	RecsysScorerFree(part);
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

	/* more items than narrow rows have numbers, and around that many */
	for (int call = 0; call < 60; call++)
	{
		nitems = call % 2 == 0 ? 65530 + (uint32) call / 4 : 90000;
		RecsysScorerReset(scorer, nitems);
		if (!call_agrees(&random, scorer, nitems))
			wrong++;
	}
	ok(wrong == 0, "scorer: large catalogues, %d differ", wrong);

	RecsysScorerReset(scorer, nitems);
	ok(RecsysScorerCandidates(scorer) == 0 && RecsysScorerTop(scorer, 10, NULL, NULL) == 0,
	   "scorer: nothing after a reset");
	RecsysScorerFree(scorer);
	scorer = RecsysScorerCreate(0);
	RecsysScorerExclude(scorer, 0);
	ok(RecsysScorerTop(scorer, 10, NULL, NULL) == 0, "scorer: an empty catalogue");
	RecsysScorerFree(scorer);
	pfree(reference_sums);
	test_sums(&random);
	test_mapped(&random);
}
