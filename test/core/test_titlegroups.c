/*
 * test_titlegroups.c
 *	  Tests of core/arrange/titlegroups against a slow, obvious reference.
 */
#include "core/arrange/titlegroups.h"
#include "core/arrange/titlewords.h"
#include "core/base/random.h"
#include "tap.h"

#include <math.h>

static uint32 *
group(const char *const *given, int n, char **labels)
{
	RecsysTitles *titles = RecsysTitlesCreate();
	uint32	   *groups;

	for (int x = 0; x < n; x++)
		RecsysTitlesAdd(titles, given[x], strlen(given[x]), true);
	groups = RecsysTitlesGroup(titles);
	for (int x = 0; x < n && labels != NULL; x++)
		labels[x] = RecsysTitlesLabel(titles, groups[x]);
	RecsysTitlesFree(titles);
	return groups;
}

static bool
words_are(const char *title, bool is_utf8, const char *expected)
{
	const char *place = title;
	char		joined[1000] = "";
	RecsysWord	word;

	while (RecsysNextWord(&place, title + strlen(title), is_utf8, &word))
		sprintf(joined + strlen(joined), "%.*s%s|", (int) word.len, word.text,
				word.is_number ? "#" : word.connects ? "~" : "");
	if (strcmp(joined, expected) != 0)
		printf("# \"%s\" is %s\n", title, joined);
	return strcmp(joined, expected) == 0;
}

static void
test_words(void)
{
	ok(words_are("LUNCH BAG  BLACK SKULL.", true, "lunch|bag|black|skull|") &&
	   words_are("SET OF 3 CAKE TINS", true, "set|of~|3#|cake|tins|") &&
	   words_are("  -- ", true, "") && words_are("", true, "") && words_are("50'S 128GB", true, "50s|128gb|"),
	   "words of titles");
	ok(words_are("Stra\xc3\x9f" "e \xe2\x80\x93 d\xe2\x80\x99" "or, na\xc3\xafve\xc2\xa0\xc3\x97 2", true,
				 "stra\xc3\x9f" "e|dor|na\xc3\xafve|2#|"), "words of titles in UTF-8");
	ok(words_are("caf\xe9 \xc3", false, "caf\xe9|\xc3|") && words_are("ab\xe2\x80", true, "ab\xe2\x80|"),
	   "words in other encodings, and characters that are cut");
}

static void
test_examples(void)
{
	const char *const titles[] = {
		"LUNCH BAG RED RETROSPOT", "LUNCH BAG  BLACK SKULL.", "RED RETROSPOT LUNCH BAG",
		"SET OF 3 CAKE TINS PANTRY DESIGN", "SET OF 6 SPICE TINS RUSTIC", "SET OF 12 FORK CANDLES",
		"SET/20 PAPER NAPKINS", "SET/5 GLASS BOWLS", "Cake tins, small", "POSTAGE", "postage!", "", "12 34", "Part 12", "Part 13"
	};
	const uint32 expected[] = {0, 0, 0, 3, 4, 5, 6, 7, 3, 9, 9, 11, 12, 13, 14};
	char	   *labels[15];
	uint32	   *groups = group(titles, 15, labels);
	bool		right = true;

	for (int x = 0; x < 15; x++)
		right &= groups[x] == expected[x];
	ok(right, "lunch bags are one group, sets of something are not");
	ok(labels[0] != NULL && strcmp(labels[0], "lunch bag") == 0 && strcmp(labels[8], "cake tins") == 0 && labels[9] == NULL,
	   "the label of a group");
	for (int x = 0; x < 15; x++)
		if (labels[x] != NULL)
			pfree(labels[x]);
	pfree(groups);
}

/* A phrase that everything begins with says nothing; what else is shared does. */
static void
test_frequent(void)
{
	enum
	{
		n = 400
	};
	char		text[n][64];
	const char *titles[n];
	uint32	   *groups;
	bool		right = true;

	for (int x = 0; x < n; x++)
	{
		sprintf(text[x], "ACME PRODUCTS kind%d variant%d %s", x, x, x % 2 == 0 ? "" : "x");
		if (x % 40 == 7)
			sprintf(text[x], "ACME PRODUCTS w%d steel bottle", x);
		titles[x] = text[x];
	}
	groups = group(titles, n, NULL);
	for (int x = 0; x < n; x++)
		right &= groups[x] == (x % 40 == 7 ? 7 : x);
	ok(right, "what all titles begin with says nothing");
	pfree(groups);
}

#define MOST_TITLES 60
#define MOST_WORDS 6

typedef struct SlowTitle
{
	int			words[MOST_WORDS];
	int			n;
} SlowTitle;

static bool
has_phrase(const SlowTitle *title, const int *phrase, bool *at_end)
{
	bool		first = title->n >= 2 && title->words[0] == phrase[0] && title->words[1] == phrase[1];
	bool		last = title->n >= 3 && title->words[title->n - 2] == phrase[0] &&
		title->words[title->n - 1] == phrase[1];

	*at_end = !first && last;
	return first || last;
}

/* The weight of a phrase, and in *count how many titles share it */
static double
slow_weight(const SlowTitle *titles, int n, const int *phrase, int *count)
{
	double		first = 0;
	double		last = 0;

	for (int t = 0; t < n; t++)
	{
		bool		at_end;

		if (has_phrase(&titles[t], phrase, &at_end))
			*(at_end ? &last : &first) += 1;
	}
	*count = (int) (first + last);
	return (first - last) * (first - last) / (first + last);
}

static bool
has_word(const SlowTitle *title, int word)
{
	for (int x = 0; x < title->n; x++)
		if (title->words[x] == word)
			return true;
	return false;
}

static double
slow_cosine(const SlowTitle *titles, int n, int a, int b)
{
	double		product = 0;
	double		lengths[2] = {0, 0};

	for (int word = 0; word < 100; word++)
	{
		int			with = 0;
		double		weight;

		for (int t = 0; t < n; t++)
			with += has_word(&titles[t], word);
		if (with == 0)
			continue;
		weight = log((n + 1.0) / with);
		lengths[0] += has_word(&titles[a], word) * weight * weight;
		lengths[1] += has_word(&titles[b], word) * weight * weight;
		product += has_word(&titles[a], word) && has_word(&titles[b], word) ? weight * weight : 0;
	}
	return product / sqrt(lengths[0] * lengths[1]);
}

/* The phrases of all titles, in the order in which they come up */
static int
slow_phrases(const SlowTitle *titles, int n, int phrases[][2])
{
	int			count = 0;

	for (int t = 0; t < n; t++)
		for (int end = 0; end < 2; end++)
		{
			const int  *words = titles[t].words + (end == 0 ? 0 : titles[t].n - 2);
			bool		known = false;

			if (titles[t].n < 2 + end)
				continue;
			for (int p = 0; p < count; p++)
				known |= phrases[p][0] == words[0] && phrases[p][1] == words[1];
			if (known)
				continue;
			phrases[count][0] = words[0];
			phrases[count++][1] = words[1];
		}
	return count;
}

static void
slow_groups(const SlowTitle *titles, int n, int *groups)
{
	int			phrases[2 * MOST_TITLES][2];
	bool		done[2 * MOST_TITLES] = {false};
	int			nphrases = slow_phrases(titles, n, phrases);

	for (int t = 0; t < n; t++)
		groups[t] = -1;
	for (int round = 0; round < nphrases; round++)
	{
		int			best = -1;
		double		best_weight = 0;
		int			best_count = 0;
		int			members[MOST_TITLES];
		int			m = 0;

		for (int p = 0; p < nphrases; p++)
		{
			int			count;
			double		weight = slow_weight(titles, n, phrases[p], &count);

			if (!done[p] && (best < 0 || weight > best_weight || (weight == best_weight && count > best_count)))
			{
				best = p;
				best_weight = weight;
				best_count = count;
			}
		}
		done[best] = true;
		for (int t = 0; t < n; t++)
		{
			bool		at_end;

			if (groups[t] < 0 && has_phrase(&titles[t], phrases[best], &at_end))
				members[m++] = t;
		}
		for (int x = 0; x < m && m >= 2 && best_count <= 10 + 2 * sqrt(n); x++)
			groups[members[x]] = members[0];
	}
	for (int t = 0; t < n; t++)
		done[t] = groups[t] >= 0;
	for (int t = 0; t < n; t++)
	{
		double		best = 0;

		for (int leader = 0; leader < t && !done[t]; leader++)
			if (!done[leader] && groups[leader] == leader && slow_cosine(titles, n, t, leader) >= 0.6 - 1e-9 &&
				slow_cosine(titles, n, t, leader) > best + 1e-12)
			{
				best = slow_cosine(titles, n, t, leader);
				groups[t] = leader;
			}
		if (groups[t] < 0)
			groups[t] = t;
	}
}

/* Titles of three words at most have no pairs that their rarest words do not lead to. */
static void
test_reference(int most_words, int nwords)
{
	RecsysRandom random;
	int			wrong = 0;
	int			grouped = 0;

	RecsysRandomStart(&random, 16, most_words);
	for (int round = 0; round < 60; round++)
	{
		SlowTitle	slow[MOST_TITLES];
		char		text[MOST_TITLES][100];
		const char *titles[MOST_TITLES];
		int			expected[MOST_TITLES];
		int			n = 1 + RecsysRandomBelow(&random, MOST_TITLES);
		uint32	   *groups;

		for (int t = 0; t < n; t++)
		{
			slow[t].n = 1 + RecsysRandomBelow(&random, most_words);
			text[t][0] = '\0';
			for (int x = 0; x < slow[t].n; x++)
			{
				/* some words are more frequent */
				slow[t].words[x] = RecsysRandomBelow(&random, 1 + RecsysRandomBelow(&random, nwords));
				sprintf(text[t] + strlen(text[t]), "Word%d, ", slow[t].words[x]);
			}
			titles[t] = text[t];
		}
		groups = group(titles, n, NULL);
		slow_groups(slow, n, expected);
		for (int t = 0; t < n; t++)
		{
			wrong += (int) groups[t] != expected[t];
			grouped += groups[t] != t;
		}
		pfree(groups);
	}
	ok(wrong == 0 && grouped > 50, "titles of %d words: %d of them in another group than by the reference, %d in one of several",
	   most_words, wrong, grouped);
}

void
test_titlegroups(void)
{
	test_words();
	test_examples();
	test_frequent();
	test_reference(3, 40);
	test_reference(3, 100);
	test_reference(2, 20);
}
