/*
 * clock.c
 *	  Times of a column beside those of the session's clock.
 *
 * A timestamp without time zone, or a date, which stands for its midnight, is what a
 * clock on the wall shows; collectors and indexes keep it as it is.  Only where it
 * meets a timestamp with time zone it is read in the session's time zone, as the
 * server does in comparisons.  Within a column only wall clocks are compared.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "core/rows/history.h"
#include "fmgr.h"
#include "source/input/clock.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

/* No time zone is as far from UTC as that. */
#define FARTHEST_ZONE (INT64CONST(2) * USECS_PER_DAY)

int64
RecsysTimeOfColumn(Oid time_type, TimestampTz time)
{
	if (time_type == TIMESTAMPTZOID)
		return time;
	return DatumGetTimestamp(DirectFunctionCall1(timestamptz_timestamp, TimestampTzGetDatum(time)));
}

TimestampTz
RecsysColumnTime(Oid time_type, int64 time)
{
	int			overflow = 0;

	return time_type == TIMESTAMPTZOID ? time : timestamp2timestamptz_opt_overflow(time, &overflow);
}

bool
RecsysColumnTimestamp(Oid time_type, int64 time, Datum *value)
{
	TimestampTz converted;

	*value = (Datum) 0;
	if (time == RECSYS_NO_TIME || !IS_VALID_TIMESTAMP(time))
		return false;
	converted = RecsysColumnTime(time_type, time);
	*value = TimestampTzGetDatum(converted);
	return !TIMESTAMP_NOT_FINITE(converted);
}

int64
RecsysClockOfColumn(Oid time_type)
{
	return OidIsValid(time_type) ? RecsysTimeOfColumn(time_type, GetCurrentTimestamp()) : PG_INT64_MAX;
}

int64
RecsysNow(Oid time_type)
{
	return OidIsValid(time_type) ? RecsysTimeOfColumn(time_type, GetCurrentTransactionStartTimestamp()) :
		PG_INT64_MAX;
}

bool
RecsysIsFuture(Oid time_type, int64 time)
{
	return OidIsValid(time_type) && time > RecsysClockOfColumn(time_type);
}

bool
RecsysTimeIsFrom(Oid time_type, int64 time, TimestampTz since)
{
	int			overflow = 0;

	if (time == RECSYS_NO_TIME)
		return false;
	if (time_type == TIMESTAMPTZOID || TIMESTAMP_NOT_FINITE(since))
		return time >= since;

	/* mostly the zone does not matter, and to look it up takes its time */
	if (time < since - FARTHEST_ZONE)
		return false;
	if (time - FARTHEST_ZONE > since)
		return true;
	return timestamp2timestamptz_opt_overflow(time, &overflow) >= since;
}
