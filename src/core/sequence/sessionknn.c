/*
 * sessionknn.c
 *	  What comes next in a session, by the sessions that are most like it so far.
 *
 * Matches are kept in a table with open addressing, the hash of a session being where it is
 * looked for, and in a list, in which they stand in the order they came in.
 */
#include "core/base/platform.h"

#include <math.h>

#include "core/sequence/sessionknn.h"

typedef struct Match
{
	uint32		session;
	int			counted;		/* the last item that it was counted for */
	double		score;
} Match;

struct RecsysSessionMatches
{
	uint32	   *places;			/* of matches by hash, 0: none, else 1 + place */
	uint32		mask;
	Match	   *list;
	uint32		count;
	uint32		room;
	int			items;			/* so far */
};

void
RecsysSessionQueryMake(const uint32 *items, int n, RecsysSessionQuery *query)
{
	query->nitems = 0;
	for (int i = n - 1; i >= 0 && query->nitems < RECSYS_SESSION_ITEMS; i--)
	{
		int			known = 0;

		while (known < query->nitems && query->items[known] != items[i])
			known++;
		if (known < query->nitems)
			continue;
		query->items[known] = items[i];
		query->places[known] = i;
		query->weights[known] = 1 / ((n - i) * sqrt(n - i));
		query->nitems++;
	}
}

RecsysSessionMatches *
RecsysSessionMatchesCreate(int nitems, int recent)
{
	RecsysSessionMatches *matches = palloc0(sizeof(RecsysSessionMatches));
	uint32		size = 64;

	matches->room = (uint32) nitems * recent;
	while (size < 2 * matches->room)
		size *= 2;
	matches->mask = size - 1;
	matches->places = palloc0(sizeof(uint32) * size);
	matches->list = palloc(sizeof(Match) * Max(matches->room, 1));
	return matches;
}

void
RecsysSessionMatchesFree(RecsysSessionMatches *matches)
{
	pfree(matches->places);
	pfree(matches->list);
	pfree(matches);
}

/* The match of a session, made if need be */
static Match *
find_match(RecsysSessionMatches *matches, uint32 session)
{
	uint32		slot = session & matches->mask;

	/* hashes are those of a good function: their low bits will do */
	for (; matches->places[slot] != 0; slot = (slot + 1) & matches->mask)
		if (matches->list[matches->places[slot] - 1].session == session)
			return &matches->list[matches->places[slot] - 1];

	Assert(matches->count < matches->room);
	matches->list[matches->count] = (Match) {session, 0, 0};
	matches->places[slot] = ++matches->count;
	return &matches->list[matches->count - 1];
}

void
RecsysSessionMatch(RecsysSessionMatches *matches, double weight, const uint32 *sessions, int n)
{
	matches->items++;
	for (int i = 0; i < n; i++)
	{
		Match	   *match = find_match(matches, sessions[i]);

		if (match->counted == matches->items)
			continue;
		match->counted = matches->items;
		match->score += weight;
	}
}

/* Does a match, at its place in the list, come after another one? */
static inline bool
is_worse(const Match *list, uint32 left, uint32 right)
{
	if (list[left].score != list[right].score)
		return list[left].score < list[right].score;
	return left > right;
}

/* Lets a place that is not the worst sink in a heap with the worst on top. */
static void
sift(const Match *list, uint32 *heap, int n, int at)
{
	uint32		place = heap[at];

	for (;;)
	{
		int			child = 2 * at + 1;

		if (child >= n)
			break;
		if (child + 1 < n && is_worse(list, heap[child + 1], heap[child]))
			child++;
		if (!is_worse(list, heap[child], place))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = place;
}

int
RecsysSessionBest(RecsysSessionMatches *matches, int k, uint32 *best)
{
	const Match *list = matches->list;
	int			n = Min(k, (int) matches->count);

	for (int i = 0; i < n; i++)
		best[i] = i;
	for (int i = n / 2 - 1; i >= 0; i--)
		sift(list, best, n, i);
	for (uint32 place = n; n > 0 && place < matches->count; place++)
		if (is_worse(list, best[0], place))
		{
			best[0] = place;
			sift(list, best, n, 0);
		}
	for (int i = n - 1; i > 0; i--)
	{
		uint32		worst = best[0];

		best[0] = best[i];
		sift(list, best, i, 0);
		best[i] = worst;
	}
	for (int i = 0; i < n; i++)
		best[i] = list[best[i]].session;
	return n;
}

/* An item at one of its places */
typedef struct Place
{
	uint32		item;
	int			place;
} Place;

static int
compare_places(const void *a, const void *b)
{
	const Place *left = a;
	const Place *right = b;

	if (left->item != right->item)
		return left->item < right->item ? -1 : 1;
	return left->place - right->place;
}

static int
compare_order(const void *a, const void *b)
{
	return ((const Place *) a)->place - ((const Place *) b)->place;
}

/* Different items at their last places, in order; returns how many there are. */
static int
last_places(RecsysInteraction *rows, int n, Place *places)
{
	int			count = 0;

	qsort_interruptible(rows, n, sizeof(RecsysInteraction), RecsysCompareMoments, NULL);
	for (int i = 0; i < n; i++)
		places[i] = (Place) {rows[i].item, i};
	qsort(places, n, sizeof(Place), compare_places);
	for (int i = 0; i < n; i++)
		if (i + 1 == n || places[i + 1].item != places[i].item)
			places[count++] = places[i];
	qsort(places, count, sizeof(Place), compare_order);
	return count;
}

/* The score of a session, and its anchor in *anchor */
static double
common_items(const RecsysSessionQuery *query, const Place *places, int n, int *anchor)
{
	double		score = 0;

	for (int i = 0; i < query->nitems; i++)
	{
		int			place = 0;

		while (place < n && places[place].item != query->items[i])
			place++;
		if (place == n)
			continue;
		if (score == 0)
			*anchor = place;
		score += query->weights[i];
	}
	return score;
}

int
RecsysSessionVotes(const RecsysSessionQuery *query, RecsysInteraction *rows, int n,
				   RecsysSessionVote *votes)
{
	Place	   *places = recsys_alloc_huge(sizeof(Place) * (Size) Max(n, 1));
	int			count = last_places(rows, n, places);
	int			anchor = 0;
	double		score = common_items(query, places, count, &anchor);

	for (int i = 0; score > 0 && i < count; i++)
	{
		int			gap = abs(places[i].place - places[anchor].place);

		votes[i].item = places[i].item;
		votes[i].vote = score * (gap == 0 ? RECSYS_SESSION_REPEAT : 1 / sqrt(gap));
	}
	pfree(places);
	return score > 0 ? count : 0;
}

double
RecsysSessionIdf(uint64 sessions, uint64 of_item)
{
	return 1 + log((double) Max(sessions, 1) / (double) Max(Min(of_item, sessions), 1));
}
