/*
 * titlevariants.c
 *	  Two titles that are much alike: do they name variants of a product?
 */
#include "core/arrange/titlevariants.h"

#include "core/arrange/titlequalities.h"

/* Of longer titles the rest is not looked at. */
#define MOST_WORDS 64

/* So many words of one title may be written as one in another: "wh-1000 xm4", "wh1000xm4" */
#define MOST_JOINED 3

#define JOINED_ROOM (MOST_JOINED * RECSYS_MAX_WORD)

/* A word behind a number may be its unit if it is not longer. */
#define LONGEST_UNIT 3

/* Of what kind a word with digits is: numbers of different kinds do not contradict each other. */
typedef enum NumberKind
{
	NO_NUMBER,					/* no digits, or a number of pieces */
	NUMBER,						/* digits alone; what follows may be its unit */
	NUMBER_WITH_UNIT,			/* digits, then letters */
	YEAR,
	CODE						/* digits and letters in any other order: of models, 40x60 */
} NumberKind;

typedef struct Words
{
	int			n;
	RecsysWord	words[MOST_WORDS];
	NumberKind	kinds[MOST_WORDS];
	uint32		qualities[RECSYS_QUALITY_KINDS];
	int			pieces;			/* that are sold together */
} Words;

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The number that the digits at text are, 0 if it is not one of 2 to 9999; *used gets how many. */
static int
number_at(const char *text, Size len, Size *used)
{
	int			number = 0;
	Size		x = 0;

	for (; x < len && x < 5 && is_digit(text[x]); x++)
		number = 10 * number + (text[x] - '0');
	*used = x;
	return x < 5 && number >= 2 ? number : 0;
}

/* "6pcs", "6er", "6x", "x6": pieces in one word, or 0 */
static int
pieces_of_word(const RecsysWord *word)
{
	Size		used;
	int			number = number_at(word->text, word->len, &used);
	const char *rest = word->text + used;
	Size		left = word->len - used;

	if (number > 0 && (RecsysWordCounts(rest, left) || (left == 1 && rest[0] == 'x') ||
					   (left == 2 && memcmp(rest, "er", 2) == 0)))
		return number;
	if (word->len < 2 || word->text[0] != 'x')
		return 0;
	number = number_at(word->text + 1, word->len - 1, &used);
	return used == word->len - 1 ? number : 0;
}

/* "set of 6", "6 pieces": pieces by the words around a number, or 0 */
static int
pieces_beside(const Words *words, int w)
{
	Size		used;
	int			number;
	int			before = w - 1;

	if (!words->words[w].is_number)
		return 0;
	number = number_at(words->words[w].text, words->words[w].len, &used);
	if (w + 1 < words->n && RecsysWordCounts(words->words[w + 1].text, words->words[w + 1].len))
		return number;
	if (before > 0 && words->words[before].connects)
		before--;
	else
		return 0;
	return RecsysWordCounts(words->words[before].text, words->words[before].len) ? number : 0;
}

static void
add_quality(Words *words, int w)
{
	const RecsysWord *word = &words->words[w];
	RecsysQualityKind kind;
	uint32		quality = RecsysWordQuality(word, &kind);

	/* "5 m" and "2 l" are no sizes of clothes */
	if (word->len == 1 && w > 0 && words->words[w - 1].is_number)
		return;
	if (quality != 0)
		words->qualities[kind] |= quality;
}

/* Letters behind the digits that it begins with */
static Size
start_of_unit(const RecsysWord *word)
{
	Size		x = 0;

	while (x < word->len && is_digit(word->text[x]))
		x++;
	return x;
}

static NumberKind
kind_of_number(const RecsysWord *word)
{
	Size		unit = start_of_unit(word);
	bool		digits = unit > 0;
	bool		behind = false; /* digits behind letters */

	for (Size x = unit; x < word->len; x++)
		behind |= is_digit(word->text[x]);
	if (!digits && !behind)
		return NO_NUMBER;
	if (behind)
		return CODE;
	if (unit < word->len)
		return NUMBER_WITH_UNIT;
	return unit == 4 && (memcmp(word->text, "19", 2) == 0 || memcmp(word->text, "20", 2) == 0) ?
		YEAR : NUMBER;
}

/* "40 x 60" becomes "40x60", once its last word has been read. */
static void
join_measures(Words *words)
{
	RecsysWord *first = words->n >= 3 ? &words->words[words->n - 3] : NULL;
	const RecsysWord *last = &words->words[words->n - 1];

	if (first == NULL || words->words[words->n - 2].len != 1 || words->words[words->n - 2].text[0] != 'x' ||
		!is_digit(first->text[0]) || !is_digit(first->text[first->len - 1]) || !is_digit(last->text[0]) ||
		first->len + 1 + last->len > RECSYS_MAX_WORD)
		return;
	first->text[first->len] = 'x';
	memcpy(first->text + first->len + 1, last->text, last->len);
	first->len += 1 + last->len;
	first->is_number = false;
	words->n -= 2;
}

static void
read_words(Words *words, const char *title, Size len, bool is_utf8)
{
	const char *place = title;

	memset(words->qualities, 0, sizeof(words->qualities));
	words->n = 0;
	words->pieces = 1;
	while (words->n < MOST_WORDS &&
		   RecsysNextWord(&place, title + len, is_utf8, &words->words[words->n]))
	{
		words->n++;
		join_measures(words);
	}
	for (int w = 0; w < words->n; w++)
	{
		const RecsysWord *word = &words->words[w];
		int			pieces = Max(pieces_of_word(word), pieces_beside(words, w));

		words->kinds[w] = kind_of_number(word);
		if (pieces > 0)
		{
			/* however it is written */
			words->kinds[w] = NO_NUMBER;
			words->pieces = pieces;
		}
		add_quality(words, w);
	}
}

/* Words from .. to without what is between them; 0 if that would make another number of two. */
static Size
join(const Words *words, int from, int to, char *joined)
{
	Size		len = 0;

	for (int w = from; w <= to; w++)
	{
		const RecsysWord *word = &words->words[w];

		if (len > 0 && is_digit(joined[len - 1]) && is_digit(word->text[0]))
			return 0;
		memcpy(joined + len, word->text, word->len);
		len += word->len;
	}
	return len;
}

static bool
has_joined(const Words *words, const char *text, Size len)
{
	char		joined[JOINED_ROOM];

	for (int from = 0; from < words->n; from++)
		for (int to = from; to < Min(from + MOST_JOINED, words->n); to++)
			if (join(words, from, to, joined) == len && memcmp(joined, text, len) == 0)
				return true;
	return false;
}

/* Is the word in the other title, alone or written together with those beside it? */
static bool
is_in(const Words *words, int w, const Words *other)
{
	char		joined[JOINED_ROOM];

	for (int from = w; from >= Max(w - MOST_JOINED + 1, 0); from--)
		for (int to = w; to < Min(from + MOST_JOINED, words->n); to++)
		{
			Size		len = join(words, from, to, joined);

			if (len > 0 && has_joined(other, joined, len))
				return true;
		}
	return false;
}

/* The unit of a number: letters of the word itself, or a short word behind it; empty if there is none */
static Size
unit_of(const Words *words, int w, const char **unit)
{
	const RecsysWord *word = &words->words[w];

	if (words->kinds[w] == NUMBER_WITH_UNIT)
	{
		*unit = word->text + start_of_unit(word);
		return word->len - start_of_unit(word);
	}
	if (w + 1 == words->n || words->kinds[w + 1] != NO_NUMBER || words->words[w + 1].len > LONGEST_UNIT)
		return 0;
	*unit = words->words[w + 1].text;
	return words->words[w + 1].len;
}

/* Two numbers, each of one title only: do they say different things of the same? */
static bool
contradict(const Words *a, int x, const Words *b, int y)
{
	const char *unit = NULL;
	const char *other = NULL;
	Size		len;
	Size		other_len;

	if (a->kinds[x] > NUMBER_WITH_UNIT || b->kinds[y] > NUMBER_WITH_UNIT)
		return a->kinds[x] == b->kinds[y];
	len = unit_of(a, x, &unit);
	other_len = unit_of(b, y, &other);
	if (len > 0 && other_len > 0)
		return len == other_len && memcmp(unit, other, len) == 0;
	/* what stands behind a number may be no unit, what is written together with it is one */
	return a->kinds[x] == NUMBER && b->kinds[y] == NUMBER;
}

static bool
numbers_differ(const Words *a, const Words *b)
{
	bool		own[MOST_WORDS];	/* numbers that only b has */

	for (int y = 0; y < b->n; y++)
		own[y] = b->kinds[y] != NO_NUMBER && !is_in(b, y, a);
	for (int x = 0; x < a->n; x++)
	{
		if (a->kinds[x] == NO_NUMBER || is_in(a, x, b))
			continue;
		for (int y = 0; y < b->n; y++)
			if (own[y] && contradict(a, x, b, y))
				return true;
	}
	return false;
}

static bool
says_number(const Words *words, int number)
{
	Size		used;

	for (int w = 0; w < words->n; w++)
		if (words->words[w].is_number &&
			number_at(words->words[w].text, words->words[w].len, &used) == number)
			return true;
	return false;
}

/* "6 mugs" may be the set of six, "mugs" is not. */
static bool
pieces_differ(const Words *a, const Words *b)
{
	if (a->pieces == b->pieces)
		return false;
	return !(b->pieces == 1 && says_number(b, a->pieces)) &&
		!(a->pieces == 1 && says_number(a, b->pieces));
}

static bool
qualities_differ(const Words *a, const Words *b)
{
	for (int kind = 0; kind < RECSYS_QUALITY_KINDS; kind++)
	{
		uint32		only_a = a->qualities[kind] & ~b->qualities[kind];
		uint32		only_b = b->qualities[kind] & ~a->qualities[kind];

		if (kind == RECSYS_QUALITY_MODEL ? (only_a | only_b) != 0 : only_a != 0 && only_b != 0)
			return true;
	}
	return false;
}

bool
RecsysTitlesAreVariants(const char *a, Size alen, const char *b, Size blen, bool is_utf8)
{
	Words	   *words = palloc(2 * sizeof(Words));
	bool		differ;

	read_words(&words[0], a, alen, is_utf8);
	read_words(&words[1], b, blen, is_utf8);
	differ = qualities_differ(&words[0], &words[1]) || pieces_differ(&words[0], &words[1]) ||
		numbers_differ(&words[0], &words[1]);
	pfree(words);
	return differ;
}
