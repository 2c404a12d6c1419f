/*
 * terms.c
 *	  Words and labels as terms: hashes.
 */
#include "core/content/terms.h"

#include "core/arrange/titlewords.h"
#include "core/rows/key.h"

uint64
RecsysTermHash(int attribute, const char *bytes, Size len)
{
	RecsysKey	key = {.data = bytes, .len = (uint32) len};

	return RecsysKeyHash(RECSYS_KEY_TEXT, &key, (uint64) attribute + 1);
}

/* Terms as they come up, found again by their hash */
#define SLOTS (4 * RECSYS_MAX_TERMS)

typedef struct Terms
{
	int			n;
	RecsysTerm *terms;
	uint16		slots[SLOTS];	/* number of the term + 1, or 0 */
} Terms;

static void
add_term(Terms *terms, uint64 hash)
{
	uint32		slot = (uint32) hash % SLOTS;

	while (terms->slots[slot] != 0)
	{
		RecsysTerm *term = &terms->terms[terms->slots[slot] - 1];

		if (term->hash == hash)
		{
			term->count++;
			return;
		}
		slot = (slot + 1) % SLOTS;
	}
	if (terms->n == RECSYS_MAX_TERMS)
		return;
	terms->terms[terms->n].hash = hash;
	terms->terms[terms->n].count = 1;
	terms->slots[slot] = (uint16) ++terms->n;
}

/* Lower case of a character of two bytes in UTF-8, where that has two bytes as well */
static uint32
lower_two_bytes(uint32 c)
{
	if (c >= 0xC0 && c <= 0xDE && c != 0xD7)
		return c + 0x20;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E))
		return c + (c & 1);
	if (c == 0x178)
		return 0xFF;
	if (c >= 0x100 && c <= 0x17F && c != 0x130 && c != 0x131 && c != 0x138 && c != 0x149 && c != 0x17F)
		return c | 1;
	if (c == 0x386)
		return 0x3AC;
	if (c >= 0x388 && c <= 0x38A)
		return c + 0x25;
	if (c == 0x38C)
		return 0x3CC;
	if (c == 0x38E || c == 0x38F)
		return c + 0x3F;
	if (c >= 0x391 && c <= 0x3AB && c != 0x3A2)
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40F)
		return c + 0x50;
	if (c >= 0x410 && c <= 0x42F)
		return c + 0x20;
	if ((c >= 0x460 && c <= 0x481) || (c >= 0x48A && c <= 0x4BF) || (c >= 0x4D0 && c <= 0x52F))
		return c | 1;
	if (c >= 0x531 && c <= 0x556)
		return c + 0x30;
	return c;
}

static void
lower_word(RecsysWord *word)
{
	for (uint32 x = 0; x + 1 < word->len; x++)
	{
		unsigned char *bytes = (unsigned char *) word->text + x;

		if (bytes[0] >= 0xC3 && bytes[0] <= 0xDF && (bytes[1] & 0xC0) == 0x80)
		{
			uint32		c = lower_two_bytes((uint32) (bytes[0] & 0x1F) << 6 | (bytes[1] & 0x3F));

			bytes[0] = (unsigned char) (0xC0 | c >> 6);
			bytes[1] = (unsigned char) (0x80 | (c & 0x3F));
			x++;
		}
	}
}

/*
 * The length in bytes of a character of a script that puts no spaces between words:
 * Hiragana, Katakana, Chinese; 0 of any other.
 */
static int
unspaced_length(const char *place, const char *end)
{
	const unsigned char *c = (const unsigned char *) place;

	if (end - place >= 3 && c[0] == 0xE3 && (c[1] >= 0x81 && c[1] <= 0x83) && c[2] >= 0x80)
		return 3;
	if (end - place >= 3 && ((c[0] == 0xE3 && c[1] >= 0x90) || (c[0] >= 0xE4 && c[0] <= 0xE9)))
		return 3;
	if (end - place >= 4 && c[0] == 0xF0 && (c[1] == 0xA0 || (c[1] > 0xA0 && c[1] <= 0xB3)))
		return 4;
	return 0;
}

/* Neighboring characters of a run, in pairs; one that stands alone by itself. */
static const char *
add_unspaced(Terms *terms, int attribute, const char *place, const char *end)
{
	int			length = unspaced_length(place, end);
	int			next = unspaced_length(place + length, end);

	if (next == 0)
		add_term(terms, RecsysTermHash(attribute, place, length));
	while (next > 0)
	{
		add_term(terms, RecsysTermHash(attribute, place, length + next));
		place += length;
		length = next;
		next = unspaced_length(place + length, end);
	}
	return place + length;
}

static void
add_words(Terms *terms, int attribute, const char *place, const char *end, bool is_utf8)
{
	RecsysWord	word;

	while (RecsysNextWord(&place, end, is_utf8, &word))
	{
		if (is_utf8)
			lower_word(&word);
		add_term(terms, RecsysTermHash(attribute, word.text, word.len));
	}
}

/* What is behind this in a text is not looked at. */
#define MAX_TEXT (256 * 1024)

int
RecsysTextTerms(int attribute, const char *text, Size len, bool is_utf8, RecsysTerm **result)
{
	const char *place = text;
	const char *end = text + Min(len, MAX_TEXT);
	const char *unseen = text;	/* what is before it has been added */
	Terms		terms;

	CHECK_FOR_INTERRUPTS();
	memset(&terms, 0, sizeof(terms));
	terms.terms = palloc(sizeof(RecsysTerm) * RECSYS_MAX_TERMS);
	while (is_utf8 && place < end)
	{
		if (unspaced_length(place, end) == 0)
		{
			place++;
			continue;
		}
		add_words(&terms, attribute, unseen, place, is_utf8);
		place = unseen = add_unspaced(&terms, attribute, place, end);
	}
	add_words(&terms, attribute, unseen, end, is_utf8);
	*result = terms.terms;
	return terms.n;
}
