/*
 * test_rhythm.c
 *	  Tests of core/sequence/rhythm and compactrows against what their comments say, item by
 *	  item and row by row.
 */
#include "core/sequence/rhythm.h"

#include "core/sequence/compactrows.h"
#include "generate.h"
#include "tap.h"

#include <float.h>

#define MOST_ROWS 600
#define HOUR RECSYS_OCCASION_GAP

/* The row on an occasion that is next after that time, or the first of all; RECSYS_NO_TIME: none */
static int64
next_time(const RecsysInteraction *rows, int n, uint32 item, int64 after)
{
	int64		next = RECSYS_NO_TIME;

	for (int x = 0; x < n; x++)
	{
		if (rows[x].item != item || !(rows[x].weight > 0) || rows[x].weight > DBL_MAX ||
			rows[x].time == RECSYS_NO_TIME || rows[x].time <= after)
			continue;
		if (next == RECSYS_NO_TIME || rows[x].time < next)
			next = rows[x].time;
	}
	return next;
}

static RecsysRhythm
reference_rhythm(const RecsysInteraction *rows, int n, uint32 item)
{
	RecsysRhythm rhythm = {0};
	int64		before = next_time(rows, n, item, RECSYS_NO_TIME);
	int64		time;

	for (; before != RECSYS_NO_TIME && (time = next_time(rows, n, item, before)) != RECSYS_NO_TIME; before = time)
	{
		int64		units;

		if ((double) time - (double) before < HOUR)
			continue;
		units = (int64) rint(1024 * log(((uint64) time - (uint64) before) / 1e6));
		rhythm.repeaters = 1;
		rhythm.gaps++;
		rhythm.logs += units;
		rhythm.squares += units * units;
	}
	return rhythm;
}

static bool
same(const RecsysRhythm *a, const RecsysRhythm *b)
{
	return a->repeaters == b->repeaters && a->gaps == b->gaps && a->logs == b->logs &&
		a->squares == b->squares;
}

/* Rows as shops have them, and others: returns, several in an hour, no or endless times. */
static int
random_rows(Random *random, RecsysInteraction *rows, int kind)
{
	int			n = (int) (random_bits(random) % (kind % 50 == 0 ? MOST_ROWS : 60));
	int			nitems = 1 + (int) (random_bits(random) % (kind % 3 == 0 ? 3 : 30));
	int64		span = HOUR * (kind % 4 == 0 ? 3 : kind % 4 == 1 ? 24 : 20000);

	for (int x = 0; x < n; x++)
	{
		static const double weights[] = {1, 1, 1, 2.5, 0.1, -1, -0.1, 0, NAN, INFINITY, 1e-310, 1e300};

		rows[x].item = (uint32) (random_bits(random) % nitems);
		rows[x].weight = kind % 5 == 0 ? 1.0 : weights[random_bits(random) % lengthof(weights)];
		rows[x].time = (int64) (random_bits(random) % (uint64) span);
		if (kind % 7 == 0)
			rows[x].time -= rows[x].time % HOUR;
		if (random_bits(random) % 10 == 0)
			rows[x].time = RECSYS_NO_TIME;
		else if (random_bits(random) % 50 == 0)
			rows[x].time = PG_INT64_MAX;
		rows[x].position = x;
	}
	return n;
}

/* Folds, and finds the rhythm of each item that counts. */
static int
fold(RecsysUserRhythms *rhythms, RecsysInteraction *rows, int n, int max_history, const uint32 *wanted,
	 uint32 nwanted, RecsysHistoryItem *items, RecsysRhythm *found)
{
	RecsysFolding folding = {.max_history = max_history,.transform = RECSYS_TRANSFORM_NONE};
	int			count;

	RecsysUserRhythmsStart(rhythms, &folding, wanted, nwanted);
	count = RecsysHistoryFold(rows, n, &folding, items, NULL);
	for (int i = 0; i < count; i++)
	{
		const RecsysRhythm *rhythm = RecsysUserRhythmsOf(rhythms, items[i].item);

		found[i] = rhythm != NULL ? *rhythm : (RecsysRhythm) {0};
	}
	return count;
}

static bool
same_items(const RecsysHistoryItem *a, const RecsysHistoryItem *b, int n)
{
	for (int x = 0; x < n; x++)
		if (a[x].item != b[x].item || a[x].weight != b[x].weight || a[x].time != b[x].time)
			return false;
	return true;
}

/* Both the rhythms that are found while folding, and those of some items only */
static void
test_random_rhythms(RecsysUserRhythms *rhythms)
{
	static RecsysInteraction rows[MOST_ROWS];
	static RecsysHistoryItem items[MOST_ROWS];
	static RecsysRhythm found[MOST_ROWS];
	Random		random;
	int			wrong = 0;
	uint64		gaps = 0;
	int			rounds = 2000;

	for (int round = 0; round < rounds; round++)
	{
		uint32		wanted[20];
		bool		few = round % 4 == 3;
		int			n;
		int			count;

		random_seed(&random, round);
		n = random_rows(&random, rows, round);
		for (int x = 0; x < lengthof(wanted); x++)
			wanted[x] = random_bits(&random) % 2 * 7;
		count = fold(rhythms, rows, n, round % 3 == 0 ? 2 : 2000, few ? wanted : NULL, lengthof(wanted),
					 items, found);
		for (int i = 0; i < count; i++)
		{
			RecsysRhythm expected = reference_rhythm(rows, n, items[i].item);

			if (few && (items[i].item >= lengthof(wanted) || wanted[items[i].item] == 0))
				expected = (RecsysRhythm) {0};
			wrong += !same(&found[i], &expected);
			gaps += expected.gaps;
		}
	}
	ok(wrong == 0 && gaps > 1000, "rhythm: %d random users with %llu gaps, %d items differ from the reference",
	   rounds, (unsigned long long) gaps, wrong);
}

/* Compacted rows, and more rows compacted with them, fold to what all rows fold to. */
static void
test_compact(RecsysUserRhythms *rhythms, bool occasions)
{
	static RecsysInteraction rows[2 * MOST_ROWS];
	static RecsysInteraction compact[2 * MOST_ROWS];
	static RecsysHistoryItem items[2][2 * MOST_ROWS];
	static RecsysRhythm found[2][2 * MOST_ROWS];
	Random		random;
	int			wrong = 0;
	int			before = 0;
	int			after = 0;
	int			rounds = 2000;

	for (int round = 0; round < rounds; round++)
	{
		int			n;
		int			more;
		int			kept;
		int			count;

		random_seed(&random, round);
		n = random_rows(&random, rows, round);
		more = random_rows(&random, rows + n, round);
		memcpy(compact, rows, sizeof(RecsysInteraction) * n);
		kept = RecsysCompactRows(compact, n, occasions);
		wrong += kept > n;
		memcpy(compact + kept, rows + n, sizeof(RecsysInteraction) * more);
		kept = RecsysCompactRows(compact, kept + more, occasions);
		before += n + more;
		after += kept;

		count = fold(rhythms, rows, n + more, 2000, NULL, 0, items[0], found[0]);
		if (fold(rhythms, compact, kept, 2000, NULL, 0, items[1], found[1]) != count ||
			!same_items(items[0], items[1], count))
			wrong++;
		else
			for (int i = 0; occasions && i < count; i++)
				wrong += !same(&found[0][i], &found[1][i]);
	}
	ok(wrong == 0 && after < (occasions ? before : before * 3 / 4),
	   "rows %s compacted in two steps fold to the same, %d of %d times not (%d rows of %d)",
	   occasions ? "with occasions" : "without", wrong, rounds, after, before);
}

static void
test_sums(void)
{
	int64		day = 24 * HOUR;
	int64		three[] = {9 * day, 0, day, 9 * day + HOUR - 1};
	int64		chain[] = {HOUR * 5 / 2 - 3, HOUR - 1, 0, 2 * HOUR - 2};
	int64		exactly[] = {0, HOUR};
	RecsysRhythm rhythm = {0};
	RecsysRhythm before;
	RecsysRhythm total = {0};
	double		logs[] = {log(86400), log(8 * 86400)};

	RecsysRhythmAdd(&rhythm, chain, lengthof(chain));
	ok(rhythm.gaps == 0 && rhythm.repeaters == 0 && isnan(RecsysRhythmMeanLog(&rhythm)),
	   "rhythm: what follows within the hour is one occasion");
	RecsysRhythmAdd(&rhythm, three, lengthof(three));
	ok(rhythm.gaps == 2 && rhythm.repeaters == 1 &&
	   fabs(RecsysRhythmMeanLog(&rhythm) - (logs[0] + logs[1]) / 2) < 1e-3 &&
	   fabs(RecsysRhythmSpread(&rhythm) - (logs[1] - logs[0]) / 2) < 1e-3,
	   "rhythm: a day and eight days, a mean of %g and a spread of %g", RecsysRhythmMeanLog(&rhythm),
	   RecsysRhythmSpread(&rhythm));
	before = rhythm;
	RecsysRhythmAdd(&rhythm, exactly, lengthof(exactly));
	RecsysRhythmAdd(&rhythm, exactly, 1);
	RecsysRhythmAdd(&rhythm, exactly, 0);
	ok(rhythm.gaps == 3 && rhythm.repeaters == 2, "rhythm: an hour later is another occasion");
	RecsysRhythmAddAll(&total, &rhythm);
	RecsysRhythmTakeAll(&total, &before);
	RecsysRhythmAddAll(&total, &before);
	RecsysRhythmTakeAll(&total, &rhythm);
	ok(same(&total, &(RecsysRhythm) {0}), "rhythm: what was added is taken away again");
}

void
test_rhythm(void)
{
	RecsysUserRhythms *rhythms = RecsysUserRhythmsCreate();

	test_random_rhythms(rhythms);
	test_compact(rhythms, true);
	test_compact(rhythms, false);
	test_sums();
	RecsysUserRhythmsFree(rhythms);
}
