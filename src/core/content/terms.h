/*
 * terms.h
 *	  Words and labels as terms: hashes.
 */
#ifndef RECSYS_TERMS_H
#define RECSYS_TERMS_H

#include "core/content/contentmodel.h"

/* Of the bytes of a label or a word, and the number of the attribute.  Part of the on-disk format. */
extern uint64 RecsysTermHash(int attribute, const char *bytes, Size len);

/* So many distinct terms of a value count: the first ones of a text, else the heaviest. */
#define RECSYS_MAX_TERMS 256

/*
 * The words of a text, lower case, as terms with their counts; palloc'd.  Scripts that put no
 * spaces between words (Chinese, Japanese) give pairs of neighboring characters instead.
 */
extern int	RecsysTextTerms(int attribute, const char *text, Size len, bool is_utf8,
							RecsysTerm **terms);

#endif							/* RECSYS_TERMS_H */
