/*
 * nearest.h
 *	  The known word that somebody may have meant.
 */
#ifndef RECSYS_NEAREST_H
#define RECSYS_NEAREST_H

#include "postgres.h"

/* That of n known words which is written most like it, or NULL if none is much like it. */
extern const char *RecsysNearestWord(const char *word, const char *const *known, int n);

/* "a, b and c" */
extern char *RecsysListWords(const char *const *known, int n);

/*
 * Errors out unless the word is one of the known ones.  kind says what it is a word for, as
 * in "key" or "parameter": it is what the message calls it.
 */
extern void RecsysCheckWord(const char *word, const char *kind, const char *const *known, int n);

#endif							/* RECSYS_NEAREST_H */
