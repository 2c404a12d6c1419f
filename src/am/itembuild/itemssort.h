/*
 * itemssort.h
 *	  External sorts of a build of an items index: what they have in common.
 */
#ifndef RECSYS_ITEMSSORT_H
#define RECSYS_ITEMSSORT_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "core/rows/key.h"
#include "utils/tuplesort.h"

/* By the first nkeys (one or two) columns of desc; again: may be read more than once. */
extern Tuplesortstate *RecsysBeginSort(TupleDesc desc, int nkeys, Size memory, bool again);

/* The type of a column that has keys of the kind: bigint, or bytea, which sort as keys do */
extern Oid	RecsysKeyColumnType(RecsysKeyKind kind);

/*
 * A key as such a column's value and back.  buffer has room for VARHDRSZ and the longest
 * key; bytes of the value are copied there, where they are aligned.
 */
extern Datum RecsysKeyColumnValue(RecsysKeyKind kind, const RecsysKey *key, char *buffer);
extern void RecsysKeyOfColumn(RecsysKeyKind kind, Datum value, char *buffer, RecsysKey *key);

#define RECSYS_KEY_BUFFER (VARHDRSZ + RECSYS_MAX_KEY_LEN)

#endif							/* RECSYS_ITEMSSORT_H */
