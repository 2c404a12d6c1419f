/*
 * titletexts.c
 *	  Titles as numbers of the words that count in them.
 *
 * Which words are those of quantities is learned: what stands before "of 6" and the like in
 * a tenth of its titles ("set", "pack") is one before a plain number, too ("set/20").
 */
#include "core/arrange/titletexts.h"

#include "core/arrange/titlewords.h"

/* Kinds of words */
#define IS_NUMBER 1
#define CONNECTS 2
#define IS_QUANTITY 4

/* Of longer titles the words in the middle are left out. */
#define MOST_WORDS 64

void
RecsysTitleTextsInit(RecsysTitleTexts *texts)
{
	texts->dictionary = RecsysDictionaryCreate(RECSYS_KEY_TEXT, 0);
	texts->count = 0;
	texts->kind_room = texts->title_room = 1024;
	texts->word_room = 8192;
	texts->kinds = palloc(texts->kind_room);
	texts->starts = palloc(sizeof(Size) * (texts->title_room + 1));
	texts->starts[0] = 0;
	texts->words = palloc(sizeof(uint32) * texts->word_room);
}

void
RecsysTitleTextsFree(RecsysTitleTexts *texts)
{
	RecsysDictionaryFree(texts->dictionary);
	pfree(texts->kinds);
	pfree(texts->starts);
	pfree(texts->words);
}

static uint32
intern_word(RecsysTitleTexts *texts, const RecsysWord *word)
{
	RecsysKey	key = {.data = word->text, .len = word->len};
	uint32		number = RecsysDictionaryIntern(texts->dictionary, &key);

	if (number == texts->kind_room)
	{
		texts->kind_room *= 2;
		texts->kinds = recsys_realloc_huge(texts->kinds, texts->kind_room);
	}
	texts->kinds[number] = (word->is_number ? IS_NUMBER : 0) | (word->connects ? CONNECTS : 0);
	return number;
}

void
RecsysTitleTextsAdd(RecsysTitleTexts *texts, const char *title, Size len, bool is_utf8)
{
	const char *place = title;
	Size		used = texts->starts[texts->count];
	RecsysWord	word;

	while (RecsysNextWord(&place, title + len, is_utf8, &word))
	{
		if (used == texts->word_room)
		{
			texts->word_room *= 2;
			texts->words = recsys_realloc_huge(texts->words, sizeof(uint32) * texts->word_room);
		}
		texts->words[used++] = intern_word(texts, &word);
	}
	if (texts->count == texts->title_room)
	{
		texts->title_room *= 2;
		texts->starts = recsys_realloc_huge(texts->starts, sizeof(Size) * ((Size) texts->title_room + 1));
	}
	texts->starts[++texts->count] = used;
}

/* Is the word at x one before "of 6" or the like? */
static bool
is_of_number(const RecsysTitleTexts *texts, const uint32 *words, uint32 x, uint32 n)
{
	return x + 2 < n && !(texts->kinds[words[x]] & (IS_NUMBER | CONNECTS)) &&
		(texts->kinds[words[x + 1]] & CONNECTS) && (texts->kinds[words[x + 2]] & IS_NUMBER);
}

static void
find_quantities(RecsysTitleTexts *texts)
{
	uint32		nwords = RecsysDictionaryCount(texts->dictionary);
	uint32	   *occurs = recsys_alloc_huge_zero(sizeof(uint32) * (Size) Max(nwords, 1));
	uint32	   *quantity = recsys_alloc_huge_zero(sizeof(uint32) * (Size) Max(nwords, 1));

	for (uint32 t = 0; t < texts->count; t++)
	{
		const uint32 *words = RecsysTitleWords(texts, t);
		uint32		n = RecsysTitleLength(texts, t);

		for (uint32 x = 0; x < n; x++)
		{
			occurs[words[x]]++;
			quantity[words[x]] += is_of_number(texts, words, x, n);
		}
	}
	for (uint32 word = 0; word < nwords; word++)
		if (quantity[word] >= 2 && (uint64) quantity[word] * 10 >= occurs[word])
			texts->kinds[word] |= IS_QUANTITY;
	pfree(occurs);
	pfree(quantity);
}

/* Which words of a title are left */
typedef enum Keeping
{
	KEEP_WORDS,
	KEEP_NUMBERS,				/* too */
	KEEP_ALL
} Keeping;

static bool
counts(const RecsysTitleTexts *texts, const uint32 *words, uint32 x, uint32 n, Keeping keeping)
{
	uint8		kind = texts->kinds[words[x]];

	if (keeping == KEEP_ALL)
		return true;
	if (kind & IS_NUMBER)
		return keeping == KEEP_NUMBERS;
	if (kind & CONNECTS)
		return false;
	if ((kind & IS_QUANTITY) && x + 1 < n && (texts->kinds[words[x + 1]] & IS_NUMBER))
		return false;
	return !is_of_number(texts, words, x, n);
}

static uint32
count_words(const RecsysTitleTexts *texts, const uint32 *words, uint32 n, Keeping keeping)
{
	uint32		count = 0;

	for (uint32 x = 0; x < n; x++)
		count += counts(texts, words, x, n, keeping);
	return count;
}

void
RecsysTitleTextsKeep(RecsysTitleTexts *texts)
{
	Size		used = 0;

	find_quantities(texts);
	for (uint32 t = 0; t < texts->count; t++)
	{
		const uint32 *words = RecsysTitleWords(texts, t);
		uint32		n = RecsysTitleLength(texts, t);
		Size		start = used;
		Keeping		keeping = KEEP_WORDS;

		if (count_words(texts, words, n, keeping) < 2)
			keeping = KEEP_NUMBERS;
		if (count_words(texts, words, n, keeping) == 0)
			keeping = KEEP_ALL;
		/* in place: what is written is not ahead of what is looked at */
		for (uint32 x = 0; x < n; x++)
			if (counts(texts, words, x, n, keeping))
				texts->words[used++] = words[x];
		if (used - start > MOST_WORDS)
		{
			memmove(texts->words + start + MOST_WORDS - 2, texts->words + used - 2, sizeof(uint32) * 2);
			used = start + MOST_WORDS;
		}
		texts->starts[t] = start;
		if ((t & 0x3FF) == 0)
			CHECK_FOR_INTERRUPTS();
	}
	texts->starts[texts->count] = used;
}
