/*
 * exchange.c
 *	  More items for a list whose limits leave no room for another one.
 *
 * With two limits that matter, items are edges between two classes, and a list is an edge
 * set that no class has too much of: one more is found, or known not to be, by an
 * alternating path (Berge 1957; as the intersection of two matroids, Edmonds 1970).
 *
 * With more limits, chains of exchanges are tried, the short ones first: an item goes in, one
 * of each class that is full makes place for it, and others go in where that has made room.
 * Some set of exchanges leads to every larger list, but there are too many to try all.
 */
#include "core/arrange/exchange.h"

/* More exchanges at once are not tried, nor more steps than these for one list */
#define LONGEST_CHAIN 6
#define MAX_STEPS 200000

typedef struct Exchange
{
	int			n;
	int			k;
	int			count;			/* items that are in */
	bool	   *in;
	int			nlimits;		/* those that matter */
	int			nclasses;
	int		   *most;			/* by class */
	int		   *counts;
	uint32	   *classes;		/* of item i by limit l: at i * nlimits + l; RECSYS_NONE for none */
	int		   *first;			/* by class: its first item, or -1; then by item and limit: the next */
	int		   *next;

	/* a chain being tried */
	int		   *before;			/* what was in before it, the worst first */
	int			nbefore;
	bool	   *fixed;			/* has been put in or taken out by it */
	int		   *out;			/* what has been taken out */
	int			nout;
	int			steps;			/* that are left */
} Exchange;

static inline uint32
class_of(const Exchange *e, int i, int limit)
{
	return e->classes[(Size) i * e->nlimits + limit];
}

static inline bool
is_full(const Exchange *e, uint32 class)
{
	return class != RECSYS_NONE && e->counts[class] >= e->most[class];
}

static inline int
next_of(const Exchange *e, int i, int limit)
{
	return e->next[(Size) i * e->nlimits + limit];
}

static void
put_in(Exchange *e, int i, bool in)
{
	e->in[i] = in;
	e->count += in ? 1 : -1;
	for (int limit = 0; limit < e->nlimits; limit++)
		if (class_of(e, i, limit) != RECSYS_NONE)
			e->counts[class_of(e, i, limit)] += in ? 1 : -1;
}

/*
 * Limits that some class has too many items for are kept in e, others do not matter.
 * Returns how many items there can be by each limit alone.
 */
static int
prepare(Exchange *e, int ncaps, const int *caps, const RecsysArrangeItem *items)
{
	RecsysLimits limits;
	int			possible = e->n;
	int			nlimits = ncaps + 1;
	uint32	   *classes = recsys_alloc_huge(sizeof(uint32) * (Size) e->n * nlimits);
	int		   *totals;
	int		   *kept = palloc(sizeof(int) * nlimits);

	RecsysLimitsInit(&limits, ncaps, caps);
	for (int i = 0; i < e->n; i++)
	{
		if ((i & 0x3FF) == 0)
			CHECK_FOR_INTERRUPTS();
		for (int limit = 0; limit < nlimits; limit++)
			classes[(Size) i * nlimits + limit] = RecsysLimitsClass(&limits, &items[i], limit);
	}
	e->nclasses = limits.nclasses;
	totals = recsys_alloc_huge_zero(sizeof(int) * (Size) Max(e->nclasses, 1));
	e->most = recsys_alloc_huge_zero(sizeof(int) * (Size) Max(e->nclasses, 1));

	for (int limit = 0; limit < nlimits; limit++)
	{
		int			most = Max(RecsysLimitsMost(&limits, limit), 0);
		int			fit = 0;

		for (int i = 0; i < e->n; i++)
		{
			uint32		class = classes[(Size) i * nlimits + limit];

			if (class != RECSYS_NONE)
			{
				e->most[class] = most;
				totals[class]++;
			}
			fit += class == RECSYS_NONE || totals[class] <= most;
		}
		if (fit < e->n)
			kept[e->nlimits++] = limit;
		possible = Min(possible, fit);
	}

	e->classes = recsys_alloc_huge(sizeof(uint32) * (Size) e->n * Max(e->nlimits, 1));
	for (int i = 0; i < e->n; i++)
		for (int limit = 0; limit < e->nlimits; limit++)
			e->classes[(Size) i * e->nlimits + limit] = classes[(Size) i * nlimits + kept[limit]];
	RecsysLimitsFree(&limits);
	pfree(classes);
	pfree(totals);
	pfree(kept);
	return possible;
}

/* Lists the items of each class and counts those that are in. */
static void
link_items(Exchange *e)
{
	e->counts = recsys_alloc_huge_zero(sizeof(int) * (Size) Max(e->nclasses, 1));
	e->first = recsys_alloc_huge(sizeof(int) * (Size) Max(e->nclasses, 1));
	e->next = recsys_alloc_huge(sizeof(int) * (Size) e->n * Max(e->nlimits, 1));
	memset(e->first, 0xFF, sizeof(int) * (Size) e->nclasses);
	for (int i = e->n - 1; i >= 0; i--)
		for (int limit = 0; limit < e->nlimits; limit++)
		{
			uint32		class = class_of(e, i, limit);

			if (class == RECSYS_NONE)
				continue;
			e->next[(Size) i * e->nlimits + limit] = e->first[class];
			e->first[class] = i;
			e->counts[class] += e->in[i];
		}
}

/*
 * Two limits: walks from items that are not in and may be by the first limit, over those
 * of their class by the second, which are in, to others of those ones' class by the first.
 */
static bool
find_path(Exchange *e)
{
	int		   *parent = recsys_alloc_huge(sizeof(int) * (Size) e->n);
	int		   *queue = recsys_alloc_huge(sizeof(int) * (Size) e->n);
	bool	   *walked = recsys_alloc_huge_zero(sizeof(bool) * (Size) e->nclasses);
	int			tail = 0;
	bool		found = false;

	for (int i = 0; i < e->n; i++)
	{
		parent[i] = -2;
		if (!e->in[i] && !is_full(e, class_of(e, i, 0)))
		{
			parent[i] = -1;
			queue[tail++] = i;
		}
	}
	for (int head = 0; head < tail && !found; head++)
	{
		int			i = queue[head];
		int			limit = e->in[i] ? 0 : 1;
		uint32		class = class_of(e, i, limit);
		int			start;

		if ((head & 0x3FF) == 0)
			CHECK_FOR_INTERRUPTS();
		if (!e->in[i] && !is_full(e, class))
		{
			for (int x = i; x >= 0; x = parent[x])
				put_in(e, x, !e->in[x]);
			found = true;
		}
		if (found || class == RECSYS_NONE || walked[class])
			continue;
		walked[class] = true;
		start = tail;
		for (int x = e->first[class]; x >= 0; x = next_of(e, x, limit))
			if (parent[x] == -2 && e->in[x] != e->in[i])
			{
				parent[x] = i;
				queue[tail++] = x;
			}
		/* the worst of those that are in are the first to go */
		if (!e->in[i])
			for (int x = start, y = tail - 1; x < y; x++, y--)
			{
				int			swap = queue[x];

				queue[x] = queue[y];
				queue[y] = swap;
			}
	}
	pfree(parent);
	pfree(queue);
	pfree(walked);
	return found;
}

static bool try_next(Exchange *e, int missing, int left);

/*
 * Makes place for an item in its classes from the given limit on, puts it in, and goes on
 * with what that has made room for.  missing: so many more have to go in than come out
 * from here on; left: so many may go in yet.  Undoes it all and returns false if it fails.
 */
static bool
try_item(Exchange *e, int i, int limit, int missing, int left)
{
	bool		done;

	while (limit < e->nlimits && !is_full(e, class_of(e, i, limit)))
		limit++;
	if (limit < e->nlimits)
	{
		for (int b = 0; b < e->nbefore && missing < left; b++)
		{
			int			x = e->before[b];

			if (e->fixed[x] || class_of(e, x, limit) != class_of(e, i, limit))
				continue;
			put_in(e, x, false);
			e->fixed[x] = true;
			e->out[e->nout++] = x;
			if (try_item(e, i, limit + 1, missing + 1, left))
				return true;
			e->nout--;
			e->fixed[x] = false;
			put_in(e, x, true);
			if (e->steps <= 0)
				break;
		}
		return false;
	}

	if ((--e->steps & 0x3FF) == 0)
		CHECK_FOR_INTERRUPTS();
	put_in(e, i, true);
	e->fixed[i] = true;
	done = missing == 1 || try_next(e, missing - 1, left - 1);
	if (!done)
	{
		e->fixed[i] = false;
		put_in(e, i, false);
	}
	return done;
}

/* One more item in a class that something has been taken out of */
static bool
try_next(Exchange *e, int missing, int left)
{
	if (missing > left)
		return false;
	for (int o = 0; o < e->nout; o++)
		for (int limit = 0; limit < e->nlimits; limit++)
		{
			uint32		class = class_of(e, e->out[o], limit);

			if (class == RECSYS_NONE || is_full(e, class))
				continue;
			for (int x = e->first[class]; x >= 0; x = next_of(e, x, limit))
			{
				if (e->in[x] || e->fixed[x])
					continue;
				if (try_item(e, x, 0, missing, left))
					return true;
				if (e->steps <= 0)
					return false;
			}
		}
	return false;
}

static bool
find_chain(Exchange *e)
{
	e->nbefore = 0;
	for (int i = e->n - 1; i >= 0; i--)
		if (e->in[i])
			e->before[e->nbefore++] = i;
	for (int length = 2; length <= LONGEST_CHAIN; length++)
	{
		for (int i = 0; i < e->n; i++)
		{
			if (e->in[i])
				continue;
			e->nout = 0;
			if (try_item(e, i, 0, 1, length))
			{
				memset(e->fixed, 0, sizeof(bool) * (Size) e->n);
				return true;
			}
			if (e->steps <= 0)
				return false;
		}
	}
	return false;
}

int
RecsysExchange(int ncaps, const int *caps, const RecsysArrangeItem *items, int n, int k, bool *in)
{
	Exchange	e = {.n = n, .k = k, .in = in, .steps = MAX_STEPS};
	int			possible = prepare(&e, ncaps, caps, items);

	for (int i = 0; i < n; i++)
		e.count += in[i];
	link_items(&e);
	e.fixed = recsys_alloc_huge_zero(sizeof(bool) * (Size) n);
	e.out = recsys_alloc_huge(sizeof(int) * (Size) n);
	e.before = recsys_alloc_huge(sizeof(int) * (Size) n);
	while (e.count < Min(k, possible))
		if (!(e.nlimits == 2 ? find_path(&e) : find_chain(&e)))
			break;

	pfree(e.out);
	pfree(e.before);
	pfree(e.fixed);
	pfree(e.next);
	pfree(e.first);
	pfree(e.counts);
	pfree(e.classes);
	pfree(e.most);
	return e.count;
}
