/*
 * eventtime.h
 *	  When something happened: numbers since 1970 and ISO 8601, as a timestamp of PostgreSQL.
 *
 * Only these: what else the server reads as a time, like now, tomorrow, 1/2/2026 or the name of a time
 * zone, means another thing tomorrow or elsewhere, and a message must mean the same whenever it is read.
 */
#ifndef RECSYS_EVENTTIME_H
#define RECSYS_EVENTTIME_H

#include "postgres_fe.h"

#include "pqexpbuffer.h"
#include "stream/record/streamsettings.h"

/*
 * A number in JSON's grammar to microseconds since 1970, rounded half away from zero.  False if no
 * timestamp can hold it.  By its size, the unit of a number below 10^11 is a second (until the year
 * 5138), below 10^14 a millisecond, below 10^17 a microsecond, from there on a nanosecond.
 */
extern bool RecsysTimeFromNumber(const char *text, size_t length, RecsysTimeUnit unit, int64 *microseconds);

/*
 * 2026-11-29T06:45:00.123Z, with a space for the T, without the dashes and colons (20261129T064500Z),
 * with an offset like +01, +0100 and +01:00 for the Z or none of them, which is UTC, or a day alone.
 */
extern bool RecsysTimeFromText(const char *text, size_t length, int64 *microseconds);

/* From the year 1 on, and not too far in the future: what the two functions below take. */
extern bool RecsysTimeIsPossible(int64 microseconds);
extern bool RecsysDayIsPossible(int64 day);

/* 2026-11-29 06:45:00.123456+00 */
extern void RecsysTimeText(PQExpBuffer result, int64 microseconds);

/* 2026-11-29; days since 1970 */
extern void RecsysDayText(PQExpBuffer result, int64 day);

#endif							/* RECSYS_EVENTTIME_H */
