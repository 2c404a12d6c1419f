/*
 * test_narrowadd.c
 *	  Tests of core/scoring/narrowadd against one addition after the other; and of a scorer that is
 *	  told how many rows to expect, or meets numbers behind its items, against one that is not.
 */
#include "core/scoring/narrowadd.h"
#include "core/scoring/scorer.h"
#include "generate.h"
#include "tap.h"

#define MOST 300

/* Weights and scores that leave rounding errors, in few sums, with some numbers several times */
static bool
rows_agree(Random *random, double *sums, double *expected, uint8 *marks)
{
	uint16		items[MOST + 3];
	float		scores[MOST + 3];
	uint32		range = random_bits(random) % 2 == 0 ? 40 : RECSYS_NARROW_ITEMS;
	bool		right = true;

	memset(sums, 0, sizeof(double) * RECSYS_NARROW_ITEMS);
	memset(expected, 0, sizeof(double) * RECSYS_NARROW_ITEMS);
	memset(marks, 0, RECSYS_NARROW_BLOCKS);
	for (int row = 0; row < 8; row++)
	{
		/* at any alignment */
		int			first = (int) (random_bits(random) % 4);
		int			n = (int) (random_bits(random) % (row < 4 ? 30 : MOST));
		double		weight = random_unit(random) * 3 - 0.5;
		bool		marking = row % 2 == 0;
		uint32		highest = 0;

		for (int x = first; x < first + n; x++)
		{
			items[x] = (uint16) (random_bits(random) % range);
			scores[x] = (float) random_unit(random);
		}
		for (int x = first; x < first + n; x++)
		{
			double		product = weight * scores[x];

			expected[items[x]] += product;
			highest = Max(highest, items[x]);
		}
		if (marking)
			RecsysNarrowAddMarking(sums, marks, weight, items + first, scores + first, n);
		else
			right = right &&
				RecsysNarrowAdd(sums, weight, items + first, scores + first, n) == highest;
		for (int x = first; marking && x < first + n; x++)
			right = right && marks[items[x] / RECSYS_BLOCK_ITEMS] == 1;
	}
	return right && memcmp(sums, expected, sizeof(double) * RECSYS_NARROW_ITEMS) == 0;
}

/* Lists and sums of the two are the same, and nothing is left behind by a reset. */
static bool
expecting_agrees(Random *random, RecsysScorer *expecting, RecsysScorer *plain)
{
	uint32		nitems = 1 + (uint32) (random_bits(random) % 3000);
	uint32		beyond = random_bits(random) % 2 == 0 ? nitems : (uint32) (random_bits(random) % 65536) + 1;
	int			rows = (int) (random_bits(random) % 60);
	int			k = 1 + (int) (random_bits(random) % 30);
	RecsysScored best[30];
	RecsysScored wanted[30];
	int			n;
	bool		right = true;

	RecsysScorerReset(expecting, nitems);
	RecsysScorerReset(plain, nitems);

	/* too many, or too few */
	RecsysScorerExpect(expecting, (uint32) (random_bits(random) % 100));
	for (int row = 0; row < rows; row++)
	{
		uint16		narrow[100];
		uint32		items[100];
		float		scores[100];

		for (int x = 0; x < 100; x++)
		{
			items[x] = (uint32) (random_bits(random) % (random_bits(random) % 50 == 0 ? beyond : nitems));
			narrow[x] = (uint16) items[x];
			scores[x] = (float) random_unit(random);
		}
		if (row % 5 == 0)
		{
			RecsysScorerExclude(expecting, items[0]);
			RecsysScorerExclude(plain, items[0]);
		}
		RecsysScorerAddNarrow(expecting, 0.7, narrow, scores, 100);
		RecsysScorerAdd(plain, 0.7, items, scores, 100);
	}
	n = RecsysScorerTop(expecting, k, NULL, best);
	right = n == RecsysScorerTop(plain, k, NULL, wanted);
	for (int x = 0; right && x < n; x++)
		right = best[x].item == wanted[x].item && best[x].score == wanted[x].score;

	/* numbers that are items' from now on have no sums yet */
	if (random_bits(random) % 2 == 0)
	{
		nitems += 500;
		RecsysScorerExtend(expecting, nitems);
		RecsysScorerExtend(plain, nitems);
	}
	for (uint32 item = 0; item < nitems; item++)
		right = right && RecsysScorerScore(expecting, item) == RecsysScorerScore(plain, item);
	RecsysScorerReset(expecting, RECSYS_NARROW_ITEMS);
	for (uint32 item = 0; item < RECSYS_NARROW_ITEMS; item++)
		right = right && RecsysScorerScore(expecting, item) == 0;
	return right && RecsysScorerTop(expecting, k, NULL, best) == 0;
}

void
test_narrowadd(void)
{
	double	   *sums = palloc(sizeof(double) * RECSYS_NARROW_ITEMS);
	double	   *expected = palloc(sizeof(double) * RECSYS_NARROW_ITEMS);
	uint8	   *marks = palloc(RECSYS_NARROW_BLOCKS);
	RecsysScorer *expecting = RecsysScorerCreate(1);
	RecsysScorer *plain = RecsysScorerCreate(1);
	Random		random;
	int			wrong = 0;

	random_seed(&random, 23);
	for (int round = 0; round < 200; round++)
		wrong += !rows_agree(&random, sums, expected, marks);
	ok(wrong == 0, "narrow rows: sums, marks and highest numbers of 200 x 8 rows, %d differ", wrong);
	wrong = 0;
	for (int round = 0; round < 300; round++)
		wrong += !expecting_agrees(&random, expecting, plain);
	ok(wrong == 0, "narrow rows: 300 lists with rows expected and numbers beyond, %d differ", wrong);
	RecsysScorerFree(expecting);
	RecsysScorerFree(plain);
	pfree(sums);
	pfree(expected);
	pfree(marks);
}
