/*
 * clock.h
 *	  Times of a column beside those of the session's clock.
 */
#ifndef RECSYS_CLOCK_H
#define RECSYS_CLOCK_H

#include "postgres.h"

#include "datatype/timestamp.h"

/*
 * now(), as a time of a column of that base type; for InvalidOid, which is for no
 * column, later than any time.
 */
extern int64 RecsysNow(Oid time_type);

/* What the clock shows this moment, as a time of a column; it goes on within a transaction. */
extern int64 RecsysClockOfColumn(Oid time_type);

/* A time as one of a column of that base type, and the other way round. */
extern int64 RecsysTimeOfColumn(Oid time_type, TimestampTz time);
extern TimestampTz RecsysColumnTime(Oid time_type, int64 time);

/* The same as a value; false where it is no time, or none that a timestamp can be. */
extern bool RecsysColumnTimestamp(Oid time_type, int64 time, Datum *value);

/* Is it later than the clock shows this moment?  Others may have begun after this transaction. */
extern bool RecsysIsFuture(Oid time_type, int64 time);

/*
 * Is a time of a column of that base type not before since, as WHERE time >= since
 * has it in this session?  RECSYS_NO_TIME never is.
 */
extern bool RecsysTimeIsFrom(Oid time_type, int64 time, TimestampTz since);

#endif							/* RECSYS_CLOCK_H */
