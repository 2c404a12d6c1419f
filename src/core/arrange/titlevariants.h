/*
 * titlevariants.h
 *	  Two titles that are much alike: do they name variants of a product, of which nobody takes
 *	  one for the other, or may they name the same one?
 *
 * "Phone 12 64 GB" and "phone 12, 128gb" are variants, as are red and blue ones, a set of six and
 * one of twelve, and a model and its pro.  "Phone 12 64GB" and "NEW phone 12 64 GB free
 * shipping" may be the same.  What only one of two titles says is no difference, apart from
 * numbers of pieces and words for models; nor are numbers of different things, as "2026" and
 * "24h delivery".
 */
#ifndef RECSYS_TITLEVARIANTS_H
#define RECSYS_TITLEVARIANTS_H

#include "core/base/platform.h"

/* Letters are to be in lower case; is_utf8 as for RecsysNextWord. */
extern bool RecsysTitlesAreVariants(const char *a, Size alen, const char *b, Size blen,
									bool is_utf8);

#endif							/* RECSYS_TITLEVARIANTS_H */
