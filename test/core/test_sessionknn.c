/*
 * test_sessionknn.c
 *	  Tests of core/sequence/sessionknn against the formulas as they stand: every list
 *	  searched from end to end, everything sorted.
 */
#include "core/sequence/sessionknn.h"

#include "generate.h"
#include "tap.h"

#define ITEMS 12
#define SESSIONS 60
#define CLICKS 15

static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-12 * Max(1, Max(fabs(a), fabs(b)));
}

/* How far before the end the item stands last, from 1 on; 0 if it does not */
static int
distance(const uint32 *items, int n, uint32 item)
{
	for (int x = n - 1; x >= 0; x--)
		if (items[x] == item)
			return n - x;
	return 0;
}

static void
test_query(Random *random, int number)
{
	uint32		items[40];
	int			n = random_bits(random) % 40;
	RecsysSessionQuery query;
	int			different = 0;
	bool		good = true;

	for (int x = 0; x < n; x++)
		items[x] = (uint32) (random_bits(random) % ITEMS);
	RecsysSessionQueryMake(items, n, &query);
	for (uint32 item = 0; item < ITEMS; item++)
		different += distance(items, n, item) > 0;
	for (int x = 0; x < query.nitems; x++)
	{
		int			d = distance(items, n, query.items[x]);

		good &= d > 0 && query.places[x] == n - d && near(query.weights[x], pow(d, -1.5)) &&
			(x == 0 || query.places[x] < query.places[x - 1]);
	}
	ok(good && query.nitems == Min(different, RECSYS_SESSION_ITEMS) &&
	   (n == 0 || query.places[0] == n - 1), "session %d: %d items, %d of them different", number, n, different);
}

typedef struct Expected
{
	uint32		session;
	double		score;
	int			first;			/* when it came up first */
} Expected;

static int
compare_expected(const void *a, const void *b)
{
	const Expected *left = a;
	const Expected *right = b;

	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	return left->first - right->first;
}

/* Lists of random sessions, some more than once, with hashes that meet in the table */
static void
test_matches(Random *random, int number)
{
	static const double weights[] = {1, 0.25, 0.25, 0.0625, 1};
	int			nlists = 1 + (int) (random_bits(random) % 5);
	int			k = 1 + (int) (random_bits(random) % 30);
	uint32		stride = number % 2 == 0 ? 1 : 4096;
	RecsysSessionMatches *matches = RecsysSessionMatchesCreate(nlists, 50);
	Expected	expected[SESSIONS];
	uint32		best[30];
	int			known = 0;
	int			found;
	int			seen = 0;
	bool		good = true;

	for (int list = 0; list < nlists; list++)
	{
		uint32		sessions[50];
		int			n = random_bits(random) % 51;
		bool		counted[SESSIONS] = {false};

		for (int x = 0; x < n; x++, seen++)
		{
			int			place = 0;
			uint32		number_of = (uint32) (random_bits(random) % SESSIONS);

			sessions[x] = number_of * stride;
			while (place < known && expected[place].session != sessions[x])
				place++;
			if (place == known)
				expected[known++] = (Expected) {sessions[x], 0, seen};
			if (!counted[number_of])
				expected[place].score += weights[list];
			counted[number_of] = true;
		}
		RecsysSessionMatch(matches, weights[list], sessions, n);
	}
	qsort(expected, known, sizeof(Expected), compare_expected);
	found = RecsysSessionBest(matches, k, best);
	for (int x = 0; x < found; x++)
		good &= best[x] == expected[x].session;
	ok(good && found == Min(k, known), "matches %d: the best %d of %d sessions", number, k, known);
	RecsysSessionMatchesFree(matches);
}

/* A session's votes, place by place */
static void
test_votes(Random *random, int number)
{
	uint32		given[10];
	int			ngiven = 1 + (int) (random_bits(random) % 10);
	int			n = random_bits(random) % CLICKS;
	uint32		order[CLICKS];
	RecsysInteraction rows[CLICKS];
	RecsysSessionVote votes[CLICKS];
	RecsysSessionQuery query;
	double		score = 0;
	int			anchor = -1;
	int			found;
	int			places = 0;
	bool		good = true;

	for (int x = 0; x < ngiven; x++)
		given[x] = (uint32) (random_bits(random) % ITEMS);
	RecsysSessionQueryMake(given, ngiven, &query);
	for (int x = 0; x < n; x++)
		order[x] = (uint32) (random_bits(random) % ITEMS);

	/* rows in any order; without times it is their positions that count */
	for (int x = 0; x < n; x++)
		rows[x] = (RecsysInteraction) {order[x], 1, number % 3 == 0 ? RECSYS_NO_TIME : x / 2, (uint64) x};
	for (int x = n - 1; x > 0; x--)
	{
		int			other = random_bits(random) % (x + 1);
		RecsysInteraction row = rows[x];

		rows[x] = rows[other];
		rows[other] = row;
	}
	for (int x = 0; x < query.nitems; x++)
	{
		int			d = distance(order, n, query.items[x]);

		if (d == 0)
			continue;
		score += query.weights[x];
		if (anchor < 0)
			anchor = n - d;
	}
	found = RecsysSessionVotes(&query, rows, n, votes);
	for (int x = 0; x < n && score > 0; x++)
	{
		if (n - distance(order, n, order[x]) != x)
			continue;
		good &= places < found && votes[places].item == order[x] &&
			near(votes[places].vote, x == anchor ? RECSYS_SESSION_REPEAT * score : score / sqrt(abs(x - anchor)));
		places++;
	}
	ok(good && found == places, "votes %d: %d of %d rows, score %g", number, found, n, score);
}

void
test_sessionknn(void)
{
	Random		random;

	random_seed(&random, 16);
	for (int x = 0; x < 40; x++)
		test_query(&random, x);
	for (int x = 0; x < 60; x++)
		test_matches(&random, x);
	for (int x = 0; x < 80; x++)
		test_votes(&random, x);
	ok(RecsysSessionIdf(100, 100) == 1 && near(RecsysSessionIdf(100, 1), 1 + log(100)) &&
	   RecsysSessionIdf(0, 0) == 1 && RecsysSessionIdf(10, 20) == 1 && near(RecsysSessionIdf(10, 0), 1 + log(10)),
	   "idf of no and of all sessions");
}
