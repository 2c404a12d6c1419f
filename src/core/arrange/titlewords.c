/*
 * titlewords.c
 *	  The words of a title, one after the other.
 */
#include "core/arrange/titlewords.h"

/*
 * Words that connect others, in the languages that most titles are in.  Frequencies do not
 * tell them from short words in the middle of titles: "bag" in "lunch bag red" is as
 * frequent as "of" in "set of 6".
 */
static const char *const connecting[] = {
	"a", "an", "and", "aus", "avec", "by", "con", "da", "das", "de", "del", "den", "der", "des", "di", "die",
	"do", "du", "e", "el", "en", "et", "for", "from", "für", "il", "im", "in", "la", "las", "le", "les", "los",
	"met", "mit", "o", "of", "on", "or", "ou", "para", "per", "pour", "the", "to", "und", "van", "von", "voor",
	"with", "y", "zu"
};

static bool
does_connect(const RecsysWord *word)
{
	for (int x = 0; x < (int) lengthof(connecting); x++)
		if (strlen(connecting[x]) == word->len && memcmp(connecting[x], word->text, word->len) == 0)
			return true;
	return false;
}

static inline bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* The length of the character at place; *is_letter tells whether it is part of a word. */
static int
look_at(const char *place, const char *end, bool is_utf8, bool *is_letter, bool *is_apostrophe)
{
	const unsigned char *c = (const unsigned char *) place;
	int			left = (int) Min(end - place, 4);
	int			len;

	*is_apostrophe = c[0] == '\'';
	*is_letter = (c[0] >= 'a' && c[0] <= 'z') || (c[0] >= 'A' && c[0] <= 'Z') || is_digit(c[0]) || c[0] >= 0x80;
	if (c[0] < 0x80 || !is_utf8)
		return 1;
	len = c[0] >= 0xF0 ? 4 : c[0] >= 0xE0 ? 3 : c[0] >= 0xC0 ? 2 : 1;
	if (len > left)
		return left;

	/* U+0080 to U+00BF are signs but for three, U+00D7 and U+00F7 are, too */
	if (c[0] == 0xC2)
		*is_letter = c[1] == 0xAA || c[1] == 0xB5 || c[1] == 0xBA;
	if (c[0] == 0xC3)
		*is_letter = c[1] != 0x97 && c[1] != 0xB7;
	/* U+2000 to U+206F: dashes, quotes, spaces; U+2100 to U+2BFF: symbols */
	if (c[0] == 0xE2)
	{
		*is_letter = !(c[1] <= 0x81 || (c[1] >= 0x84 && c[1] <= 0xAF));
		*is_apostrophe = c[1] == 0x80 && c[2] == 0x99;
	}
	/* U+3000 to U+303F and U+FF00 to U+FF0F, U+FF1A to U+FF1F: those of Chinese and Japanese */
	if (c[0] == 0xE3 && c[1] == 0x80)
		*is_letter = false;
	if (c[0] == 0xEF && c[1] == 0xBC)
		*is_letter = !(c[2] <= 0x8F || (c[2] >= 0x9A && c[2] <= 0x9F));
	return len;
}

bool
RecsysNextWord(const char **place, const char *end, bool is_utf8, RecsysWord *word)
{
	word->len = 0;
	word->is_number = true;
	while (*place < end)
	{
		bool		is_letter;
		bool		is_apostrophe;
		int			len = look_at(*place, end, is_utf8, &is_letter, &is_apostrophe);

		if (is_letter && word->len + len <= RECSYS_MAX_WORD)
		{
			memcpy(word->text + word->len, *place, len);
			word->is_number &= is_digit((unsigned char) **place);
			word->len += len;
		}
		else if (!is_letter && !is_apostrophe && word->len > 0)
			break;
		*place += len;
	}
	if (word->len == 0)
		return false;
	for (uint32 x = 0; x < word->len; x++)
		if (word->text[x] >= 'A' && word->text[x] <= 'Z')
			word->text[x] += 'a' - 'A';
	word->connects = does_connect(word);
	return true;
}
