/*
 * streamseek.c
 *	  Where a partition is to begin, as text: earliest, latest, or milliseconds since 1970.
 */
#include "postgres.h"

#include "api/stream/streamseek.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define UNIX_EPOCH_MS \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY * 1000)

char *
RecsysStreamSeekAt(TimestampTz time)
{
	int64		milliseconds;

	if (TIMESTAMP_IS_NOBEGIN(time))
		return pstrdup("earliest");
	if (TIMESTAMP_IS_NOEND(time))
		return pstrdup("latest");
	/* the first message that is not before the time: part of a millisecond counts as a whole one */
	milliseconds = time / 1000 + (time % 1000 > 0 ? 1 : 0) + UNIX_EPOCH_MS;
	return psprintf("%lld", (long long) Max(milliseconds, 0));
}

static bool
is_number(const char *text)
{
	return *text != '\0' && strlen(text) > 8 && strlen(text) < 16 && strspn(text, "0123456789") == strlen(text);
}

char *
RecsysStreamSeekOf(const char *text)
{
	if (strcmp(text, "earliest") == 0 || strcmp(text, "latest") == 0 || is_number(text))
		return pstrdup(text);
	return RecsysStreamSeekAt(DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(text),
																	  ObjectIdGetDatum(InvalidOid),
																	  Int32GetDatum(-1))));
}
