/*
 * titlegroups.c
 *	  Variants of one kind of product, found by their titles.
 *
 * A title's first two words and its last two are its phrases.  A title whose phrases are
 * both shared, as those of "lunch bag red retrospot" are, goes to the one that
 * stands at the same end of most of its titles: a kind of product has its place in titles,
 * a theme stands here and there.  With f titles that begin and l that end with it, the
 * weight of a phrase is (f - l)^2 / (f + l).  What a large part of all titles share says
 * nothing of them.
 */
#include "core/arrange/titlegroups.h"

#include <math.h>

#include "core/arrange/titlelikeness.h"
#include "core/arrange/titletexts.h"

/* A phrase that more titles share says nothing. */
#define MOST_OF_PHRASE(n) (10 + 2 * sqrt(n))

typedef struct Phrase
{
	uint32		words[2];
	uint32		first;			/* titles that begin with it */
	uint32		last;			/* and others that end with it */
	uint32		start;			/* of its titles among all */
	uint32		number;
} Phrase;

struct RecsysTitles
{
	RecsysTitleTexts texts;
	uint32		nphrases;
	Phrase	   *phrases;		/* by number; NULL before grouping */
	uint32	   *of_title;		/* by title: its first and its last phrase, or RECSYS_NONE */
	uint32	   *of_group;		/* by title: the phrase of the group that it is the smallest of, or RECSYS_NONE */
};

RecsysTitles *
RecsysTitlesCreate(void)
{
	RecsysTitles *titles = palloc0(sizeof(RecsysTitles));

	RecsysTitleTextsInit(&titles->texts);
	return titles;
}

void
RecsysTitlesFree(RecsysTitles *titles)
{
	RecsysTitleTextsFree(&titles->texts);
	if (titles->phrases != NULL)
	{
		pfree(titles->phrases);
		pfree(titles->of_title);
		pfree(titles->of_group);
	}
	pfree(titles);
}

void
RecsysTitlesAdd(RecsysTitles *titles, const char *title, Size len, bool is_utf8)
{
	RecsysTitleTextsAdd(&titles->texts, title, len, is_utf8);
}

static uint32
intern_phrase(RecsysDictionary *numbers, const uint32 *words)
{
	RecsysKey	key = {.number = (int64) ((uint64) words[0] << 32 | words[1]), .len = 8};

	return RecsysDictionaryIntern(numbers, &key);
}

/* Numbers the phrases and counts where they stand. */
static void
find_phrases(RecsysTitles *titles)
{
	uint32		ntitles = titles->texts.count;
	RecsysDictionary *numbers = RecsysDictionaryCreate(RECSYS_KEY_INT, 0);

	titles->of_title = recsys_alloc_huge(sizeof(uint32) * 2 * (Size) Max(ntitles, 1));
	for (uint32 t = 0; t < ntitles; t++)
	{
		const uint32 *words = RecsysTitleWords(&titles->texts, t);
		uint32		n = RecsysTitleLength(&titles->texts, t);
		uint32	   *phrases = titles->of_title + 2 * (Size) t;

		phrases[0] = n >= 2 ? intern_phrase(numbers, words) : RECSYS_NONE;
		phrases[1] = n >= 3 ? intern_phrase(numbers, words + n - 2) : RECSYS_NONE;
		if (phrases[1] == phrases[0])
			phrases[1] = RECSYS_NONE;
		if ((t & 0x3FF) == 0)
			CHECK_FOR_INTERRUPTS();
	}

	titles->nphrases = RecsysDictionaryCount(numbers);
	titles->phrases = recsys_alloc_huge_zero(sizeof(Phrase) * (Size) Max(titles->nphrases, 1));
	for (uint32 p = 0; p < titles->nphrases; p++)
	{
		RecsysKey	key;

		RecsysDictionaryKey(numbers, p, &key);
		titles->phrases[p].words[0] = (uint32) ((uint64) key.number >> 32);
		titles->phrases[p].words[1] = (uint32) key.number;
		titles->phrases[p].number = p;
	}
	for (uint32 t = 0; t < ntitles; t++)
	{
		if (titles->of_title[2 * (Size) t] != RECSYS_NONE)
			titles->phrases[titles->of_title[2 * (Size) t]].first++;
		if (titles->of_title[2 * (Size) t + 1] != RECSYS_NONE)
			titles->phrases[titles->of_title[2 * (Size) t + 1]].last++;
	}
	RecsysDictionaryFree(numbers);
}

/* The titles of each phrase, ascending, one phrase behind the other */
static uint32 *
list_titles(RecsysTitles *titles)
{
	Size		entries = 2 * (Size) titles->texts.count;
	uint32	   *list = recsys_alloc_huge(sizeof(uint32) * Max(entries, 1));
	uint32	   *filled = recsys_alloc_huge_zero(sizeof(uint32) * (Size) Max(titles->nphrases, 1));
	uint32		start = 0;

	for (uint32 p = 0; p < titles->nphrases; p++)
	{
		titles->phrases[p].start = start;
		start += titles->phrases[p].first + titles->phrases[p].last;
	}
	for (Size x = 0; x < entries; x++)
	{
		uint32		p = titles->of_title[x];

		if (p != RECSYS_NONE)
			list[titles->phrases[p].start + filled[p]++] = (uint32) (x / 2);
	}
	pfree(filled);
	return list;
}

static double
weight_of(const Phrase *phrase)
{
	double		difference = (double) phrase->first - phrase->last;

	return difference * difference / ((double) phrase->first + phrase->last);
}

/* Those with the most weight, then with the most titles, then with the first title come first. */
static int
compare_phrases(const void *a, const void *b)
{
	const Phrase *x = a;
	const Phrase *y = b;
	double		xweight = weight_of(x);
	double		yweight = weight_of(y);

	if (xweight != yweight)
		return xweight > yweight ? -1 : 1;
	if (x->first + x->last != y->first + y->last)
		return x->first + x->last > y->first + y->last ? -1 : 1;
	/* they are numbered as they come up in titles */
	return x->number < y->number ? -1 : x->number > y->number;
}

/* Gives each phrase those of its titles that no better phrase has, if they are two at least. */
static void
group_by_phrases(RecsysTitles *titles, uint32 *groups)
{
	uint32	   *list = list_titles(titles);
	Phrase	   *ordered = recsys_alloc_huge(sizeof(Phrase) * (Size) Max(titles->nphrases, 1));

	memcpy(ordered, titles->phrases, sizeof(Phrase) * (Size) titles->nphrases);
	qsort(ordered, titles->nphrases, sizeof(Phrase), compare_phrases);
	for (uint32 p = 0; p < titles->nphrases; p++)
	{
		uint32		count = ordered[p].first + ordered[p].last;
		uint32		left = 0;
		uint32		leader = RECSYS_NONE;

		if ((p & 0x3FF) == 0)
			CHECK_FOR_INTERRUPTS();
		if (count > MOST_OF_PHRASE(titles->texts.count))
			continue;
		for (uint32 x = ordered[p].start; x < ordered[p].start + count; x++)
			left += groups[list[x]] == RECSYS_NONE;
		for (uint32 x = ordered[p].start; x < ordered[p].start + count && left >= 2; x++)
		{
			if (groups[list[x]] != RECSYS_NONE)
				continue;
			if (leader == RECSYS_NONE)
				leader = list[x];
			groups[list[x]] = leader;
		}
		if (leader != RECSYS_NONE)
			titles->of_group[leader] = ordered[p].number;
	}
	pfree(ordered);
	pfree(list);
}

uint32 *
RecsysTitlesGroup(RecsysTitles *titles)
{
	Size		ntitles = titles->texts.count;
	uint32	   *groups = recsys_alloc_huge(sizeof(uint32) * Max(ntitles, 1));

	titles->of_group = recsys_alloc_huge(sizeof(uint32) * Max(ntitles, 1));
	memset(groups, 0xFF, sizeof(uint32) * ntitles);
	memset(titles->of_group, 0xFF, sizeof(uint32) * ntitles);
	RecsysTitleTextsKeep(&titles->texts);
	find_phrases(titles);
	group_by_phrases(titles, groups);
	RecsysGroupAlike(&titles->texts, groups);
	return groups;
}

char *
RecsysTitlesLabel(const RecsysTitles *titles, uint32 group)
{
	uint32		phrase = titles->of_group[group];
	RecsysKey	a;
	RecsysKey	b;
	char	   *label;

	if (phrase == RECSYS_NONE)
		return NULL;
	RecsysDictionaryKey(titles->texts.dictionary, titles->phrases[phrase].words[0], &a);
	RecsysDictionaryKey(titles->texts.dictionary, titles->phrases[phrase].words[1], &b);
	label = palloc(a.len + b.len + 2);
	memcpy(label, a.data, a.len);
	label[a.len] = ' ';
	memcpy(label + a.len + 1, b.data, b.len);
	label[a.len + 1 + b.len] = '\0';
	return label;
}
