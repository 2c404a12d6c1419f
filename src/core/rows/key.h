/*
 * key.h
 *	  User and item keys, independent of the SQL type they came from.
 *
 * smallint, integer and bigint keys are one kind (a 64-bit number), so that
 * the same user is found whatever integer width a caller passes.  text and
 * uuid keys are byte strings.
 */
#ifndef RECSYS_KEY_H
#define RECSYS_KEY_H

#include "core/base/platform.h"

/* stored on disk: never renumber */
typedef enum RecsysKeyKind
{
	RECSYS_KEY_INT = 1,			/* smallint, integer, bigint */
	RECSYS_KEY_TEXT = 2,		/* text, varchar */
	RECSYS_KEY_UUID = 3			/* uuid, always 16 bytes */
} RecsysKeyKind;

typedef struct RecsysKey
{
	int64		number;			/* RECSYS_KEY_INT: the value */
	const char *data;			/* other kinds: the bytes, not terminated */
	uint32		len;			/* bytes of the stored form: 8 for integers */
} RecsysKey;

/* Longest key, in bytes, that an index accepts. */
#define RECSYS_MAX_KEY_LEN 1024

/* 64-bit seeded hash.  Part of the on-disk format: must never change. */
extern uint64 RecsysKeyHash(RecsysKeyKind kind, const RecsysKey *key, uint64 seed);

/* Total order: numbers by value, byte strings by memcmp and then length. */
extern int	RecsysKeyCompare(RecsysKeyKind kind, const RecsysKey *a, const RecsysKey *b);

/* Writes key->len bytes; the stored form of an integer is an unaligned native int64. */
extern void RecsysKeyStore(RecsysKeyKind kind, const RecsysKey *key, char *dest);

/* Inverse of RecsysKeyStore; byte strings keep pointing into src. */
extern void RecsysKeyLoad(RecsysKeyKind kind, const char *src, uint32 len, RecsysKey *key);

/* Does the stored form at src equal key?  (The test of every hash lookup.) */
extern bool RecsysKeyEqualsStored(RecsysKeyKind kind, const RecsysKey *key,
								  const char *src, uint32 len);

#endif							/* RECSYS_KEY_H */
