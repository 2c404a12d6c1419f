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

static int64
as_column(Oid time_type, TimestampTz now)
{
	if (time_type == TIMESTAMPTZOID)
		return now;
	return DatumGetTimestamp(DirectFunctionCall1(timestamptz_timestamp, TimestampTzGetDatum(now)));
}

int64
RecsysNow(Oid time_type)
{
	return OidIsValid(time_type) ? as_column(time_type, GetCurrentTransactionStartTimestamp()) :
		PG_INT64_MAX;
}

bool
RecsysIsFuture(Oid time_type, int64 time)
{
	return OidIsValid(time_type) && time > as_column(time_type, GetCurrentTimestamp());
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
