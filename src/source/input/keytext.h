/*
 * keytext.h
 *	  Keys written as text: what arrives without a type, and what is answered to it.
 */
#ifndef RECSYS_KEYTEXT_H
#define RECSYS_KEYTEXT_H

#include "postgres.h"

#include "core/rows/key.h"

/* Is this a type of character strings, or that of a literal without a type? */
extern bool RecsysTypeIsText(Oid type);

/* The characters of a non-null value of such a type. */
extern char *RecsysTextOfDatum(Oid type, Datum value);

/* The type that keys of a kind are read as and written as: bigint, text, uuid. */
extern Oid	RecsysKeyKindType(RecsysKeyKind kind);

/* Its name: "bigint", "text", "uuid" */
extern const char *RecsysKeyKindTypeName(RecsysKeyKind kind);

/*
 * A key of a column's type, as the input function of its kind's type reads it, with
 * that function's error if it is none.  Memory is of the current context.
 */
extern void RecsysKeyFromText(Oid column_type, const char *text, RecsysKey *key);

/*
 * A key as a value of a type: one of the key's kind, or text, which can hold
 * keys of every kind.
 */
extern bool RecsysKeyFitsType(Oid basetype, RecsysKeyKind kind);
extern Datum RecsysKeyToValue(Oid basetype, RecsysKeyKind kind, const RecsysKey *key);

/*
 * A type as it stands in a statement, whatever the search path.  length is its modifier, or -1 for
 * none: char without a length is written bpchar, as character by itself has a length of one.
 */
extern char *RecsysTypeInSql(Oid type, int32 length);

#endif							/* RECSYS_KEYTEXT_H */
