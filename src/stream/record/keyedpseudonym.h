/*
 * keyedpseudonym.h
 *	  Identifiers made unrecognizable before they get to a database: keyed pseudonyms.
 *
 * A pseudonym is HMAC-SHA-256 (RFC 2104) of the identifier's text under a secret of the program's file.
 * The same identifier has the same pseudonym in all streams and columns of a secret, so that rows can be
 * joined; who does not know the secret can neither guess identifiers and compare, nor go back.  Secrets
 * can be changed from a day on, by which message is decided by its own time: reading a message once more
 * gives the same pseudonym.
 *
 *		pseudonym_key = …				the only secret, or the first one
 *		pseudonym_key.2026-12-01 = …	from the beginning of that day on, in UTC
 */
#ifndef RECSYS_KEYEDPSEUDONYM_H
#define RECSYS_KEYEDPSEUDONYM_H

#include "postgres_fe.h"

#include "pqexpbuffer.h"
#include "stream/record/streamsettings.h"

/* A secret is not shorter than this, bytes. */
#define RECSYS_SECRET_LENGTH 16

typedef struct RecsysPseudonyms RecsysPseudonyms;

/* NULL, and one sentence in fault, if there is no secret, or one that is no good. */
extern RecsysPseudonyms *RecsysPseudonymsCreate(const RecsysStreamOption *secrets, int nsecrets,
												PQExpBuffer fault);
extern void RecsysPseudonymsFree(RecsysPseudonyms *pseudonyms);

/*
 * The pseudonym of an identifier at that time, milliseconds since 1970.  False if there is no secret for
 * that time.
 */
extern bool RecsysPseudonym(RecsysPseudonyms *pseudonyms, RecsysPseudonymKind kind, int64 time,
							const char *identifier, size_t length, PQExpBuffer result);

#endif							/* RECSYS_KEYEDPSEUDONYM_H */
