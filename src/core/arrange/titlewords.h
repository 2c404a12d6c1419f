/*
 * titlewords.h
 *	  The words of a title, one after the other.
 */
#ifndef RECSYS_TITLEWORDS_H
#define RECSYS_TITLEWORDS_H

#include "core/base/platform.h"

/* What is longer is cut. */
#define RECSYS_MAX_WORD 64

typedef struct RecsysWord
{
	char		text[RECSYS_MAX_WORD];
	uint32		len;
	bool		is_number;		/* of digits alone */
	bool		connects;		/* of, with, and … */
} RecsysWord;

/*
 * The first word at or behind *place, which is moved behind it; false if there is none.
 * Words are letters and digits; apostrophes within them are passed over.
 */
extern bool RecsysNextWord(const char **place, const char *end, bool is_utf8, RecsysWord *word);

#endif							/* RECSYS_TITLEWORDS_H */
