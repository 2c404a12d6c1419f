/*
 * titlelikeness.c
 *	  Titles that have most of their words in common.
 *
 * How alike titles are is the cosine of their words weighted by idf (Salton and Buckley:
 * Term-weighting approaches in automatic text retrieval, Information Processing & Management
 * 24, 1988).  In the order of their numbers, each title joins the leader it is most alike to,
 * or becomes one: a title that belongs to a group is as its leader is, not as the last that
 * has joined.  Only leaders that have one of a title's rarest words are looked at, so the
 * work for a title does not grow with their number.
 */
#include "core/arrange/titlelikeness.h"

#include <math.h>

/* How alike they must be */
#define ALIKE 0.6

/* So many of the rarest words lead to so many leaders each. */
#define RAREST 3
#define MOST_LEADERS 100

typedef struct LeaderLink
{
	uint32		leader;
	uint32		next;			/* of the same word, or RECSYS_NONE */
} LeaderLink;

typedef struct Comparison
{
	const RecsysTitleTexts *texts;
	double	   *weights;		/* by word: idf */
	uint32	   *titles_with;	/* by word */
	double	   *lengths;		/* by title: of its vector; -1: not known yet */
	uint32	   *marked;			/* by word: 1 + the last title that was looked at with it */
	uint32	   *looked_at;		/* by title: 1 + the last one that it was compared with */

	uint32	   *first;			/* by word: link to its first leader */
	uint32	   *last;
	uint32	   *count;
	LeaderLink *links;
	uint32		nlinks;
} Comparison;

/* The next place of a word that has not stood before it in the title */
static bool
is_repeated(const uint32 *words, uint32 x)
{
	for (uint32 y = 0; y < x; y++)
		if (words[y] == words[x])
			return true;
	return false;
}

static double
length_of(Comparison *c, uint32 title)
{
	const uint32 *words = RecsysTitleWords(c->texts, title);
	double		sum = 0;

	if (c->lengths[title] >= 0)
		return c->lengths[title];
	for (uint32 x = 0; x < RecsysTitleLength(c->texts, title); x++)
		if (!is_repeated(words, x))
			sum += c->weights[words[x]] * c->weights[words[x]];
	return c->lengths[title] = sqrt(sum);
}

/* The cosine of a leader and the title whose words are marked */
static double
cosine(Comparison *c, uint32 title, uint32 leader)
{
	const uint32 *words = RecsysTitleWords(c->texts, leader);
	double		sum = 0;

	for (uint32 x = 0; x < RecsysTitleLength(c->texts, leader); x++)
		if (c->marked[words[x]] == title + 1 && !is_repeated(words, x))
			sum += c->weights[words[x]] * c->weights[words[x]];
	return sum / (length_of(c, title) * length_of(c, leader));
}

/* The rarest words of a title, the rarest first; of equal ones the first */
static int
find_rarest(const Comparison *c, uint32 title, uint32 *rarest)
{
	const uint32 *words = RecsysTitleWords(c->texts, title);
	int			n = 0;

	for (uint32 x = 0; x < RecsysTitleLength(c->texts, title); x++)
	{
		int			place = n;

		if (is_repeated(words, x))
			continue;
		while (place > 0 && c->titles_with[words[x]] < c->titles_with[rarest[place - 1]])
			place--;
		if (place == RAREST)
			continue;
		n = Min(n + 1, RAREST);
		memmove(rarest + place + 1, rarest + place, sizeof(uint32) * (n - place - 1));
		rarest[place] = words[x];
	}
	return n;
}

static uint32
find_leader(Comparison *c, uint32 title)
{
	const uint32 *words = RecsysTitleWords(c->texts, title);
	uint32		rarest[RAREST];
	int			n = find_rarest(c, title, rarest);
	uint32		best = RECSYS_NONE;
	double		best_cosine = 0;

	for (uint32 x = 0; x < RecsysTitleLength(c->texts, title); x++)
		c->marked[words[x]] = title + 1;
	for (int r = 0; r < n; r++)
		for (uint32 x = c->first[rarest[r]]; x != RECSYS_NONE; x = c->links[x].next)
		{
			uint32		leader = c->links[x].leader;
			double		value;

			if (c->looked_at[leader] == title + 1)
				continue;
			c->looked_at[leader] = title + 1;
			value = cosine(c, title, leader);
			/* 1 may be a little less */
			if (value >= ALIKE - 1e-9 &&
				(value > best_cosine + 1e-12 || (value > best_cosine - 1e-12 && leader < best)))
			{
				best = leader;
				best_cosine = value;
			}
		}
	return best;
}

static void
add_leader(Comparison *c, uint32 title)
{
	const uint32 *words = RecsysTitleWords(c->texts, title);

	for (uint32 x = 0; x < RecsysTitleLength(c->texts, title); x++)
	{
		uint32		word = words[x];

		if (is_repeated(words, x) || c->count[word] == MOST_LEADERS)
			continue;
		c->count[word]++;
		c->links[c->nlinks] = (LeaderLink) {title, RECSYS_NONE};
		if (c->first[word] == RECSYS_NONE)
			c->first[word] = c->nlinks;
		else
			c->links[c->last[word]].next = c->nlinks;
		c->last[word] = c->nlinks++;
	}
}

static void
begin(Comparison *c, const RecsysTitleTexts *texts)
{
	Size		nwords = Max(RecsysDictionaryCount(texts->dictionary), 1);
	Size		ntitles = Max(texts->count, 1);

	c->texts = texts;
	c->weights = recsys_alloc_huge(sizeof(double) * nwords);
	c->titles_with = recsys_alloc_huge_zero(sizeof(uint32) * nwords);
	c->marked = recsys_alloc_huge_zero(sizeof(uint32) * nwords);
	c->first = recsys_alloc_huge(sizeof(uint32) * nwords);
	c->last = recsys_alloc_huge(sizeof(uint32) * nwords);
	c->count = recsys_alloc_huge_zero(sizeof(uint32) * nwords);
	c->lengths = recsys_alloc_huge(sizeof(double) * ntitles);
	c->looked_at = recsys_alloc_huge_zero(sizeof(uint32) * ntitles);
	c->links = recsys_alloc_huge(sizeof(LeaderLink) * Max(texts->starts[texts->count], 1));
	c->nlinks = 0;
	memset(c->first, 0xFF, sizeof(uint32) * nwords);
	for (uint32 t = 0; t < texts->count; t++)
	{
		const uint32 *words = RecsysTitleWords(texts, t);

		c->lengths[t] = -1;
		for (uint32 x = 0; x < RecsysTitleLength(texts, t); x++)
			if (c->marked[words[x]] != t + 1)
			{
				c->marked[words[x]] = t + 1;
				c->titles_with[words[x]]++;
			}
	}
	memset(c->marked, 0, sizeof(uint32) * nwords);
	for (Size word = 0; word < nwords; word++)
		c->weights[word] = c->titles_with[word] == 0 ? 0 :
			log(((double) texts->count + 1) / c->titles_with[word]);
}

void
RecsysGroupAlike(const RecsysTitleTexts *texts, uint32 *groups)
{
	Comparison	c;

	begin(&c, texts);
	for (uint32 t = 0; t < texts->count; t++)
	{
		if ((t & 0xFF) == 0)
			CHECK_FOR_INTERRUPTS();
		if (groups[t] != RECSYS_NONE)
			continue;
		groups[t] = find_leader(&c, t);
		if (groups[t] != RECSYS_NONE)
			continue;
		groups[t] = t;
		add_leader(&c, t);
	}
	pfree(c.weights);
	pfree(c.titles_with);
	pfree(c.marked);
	pfree(c.first);
	pfree(c.last);
	pfree(c.count);
	pfree(c.lengths);
	pfree(c.looked_at);
	pfree(c.links);
}
