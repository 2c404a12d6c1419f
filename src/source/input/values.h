/*
 * values.h
 *	  SQL values of the supported types to keys, weights and times, and back.
 */
#ifndef RECSYS_VALUES_H
#define RECSYS_VALUES_H

#include "postgres.h"

#include "core/rows/key.h"
#include "datatype/timestamp.h"

/* Kind of a key type (domains looked through); false when it cannot be a key. */
extern bool RecsysKeyKindOfType(Oid type, RecsysKeyKind *kind);

/*
 * The same for a column of a query, where a row that has no key is the caller's error and in
 * nobody's way: whole numbers of other types than the integers will do, as integers.
 */
extern bool RecsysQueryKeyKindOfType(Oid type, RecsysKeyKind *kind);

extern bool RecsysTypeIsWeight(Oid type);
extern bool RecsysTypeIsTime(Oid type);

/*
 * Errors out for a text key under a nondeterministic collation: keys are equal when
 * their bytes are.  The hint says where to write another COLLATE.
 */
extern void RecsysCheckCollation(RecsysKeyKind kind, Oid collation, const char *hint);

/* "an integer", "text", "uuid": for messages */
extern const char *RecsysKeyKindName(RecsysKeyKind kind);

/*
 * Key of a non-null value of the given base type, which must be of a key kind, be it in
 * a query only; errors out when it is no whole number then.
 * A byte string may point into the value or into a detoasted copy in the
 * current memory context.
 */
extern void RecsysKeyFromDatum(Oid basetype, Datum value, RecsysKey *key);

/* Inverse; errors out with numeric_value_out_of_range when type is too narrow. */
extern Datum RecsysKeyToDatum(Oid basetype, const RecsysKey *key);

/* NaN and infinities become 0: no evidence. */
extern double RecsysWeightFromDatum(Oid basetype, Datum value);

/* Microseconds; RECSYS_NO_TIME for the infinities, which tell no time. */
extern int64 RecsysTimeFromDatum(Oid basetype, Datum value);

/* Length of an interval, a month counted as 30 days; may exceed int64. */
extern double RecsysIntervalMicroseconds(const Interval *interval);

#endif							/* RECSYS_VALUES_H */
