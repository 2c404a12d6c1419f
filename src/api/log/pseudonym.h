/*
 * pseudonym.h
 *	  Keys of users as the log has them: as they are, or as a keyed hash of them.
 */
#ifndef RECSYS_PSEUDONYM_H
#define RECSYS_PSEUDONYM_H

#include "postgres.h"

/* Does the log have pseudonyms? */
extern bool RecsysLogIsPseudonymous(void);

/* What the log calls a user or a session: the same text, or its HMAC.  palloc'd; NULL for NULL. */
extern char *RecsysLogKey(const char *key);

/* The HMAC, whether or not the log has pseudonyms now; NULL if it never had any. */
extern char *RecsysLogPseudonym(const char *key);

#endif							/* RECSYS_PSEUDONYM_H */
