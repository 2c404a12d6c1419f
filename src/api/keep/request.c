/*
 * request.c
 *	  Ids of requests.
 */
#include "postgres.h"

#include "api/keep/request.h"
#include "port/pg_bswap.h"

#define UNIX_EPOCH_MS \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY * 1000)

void
RecsysNewRequestId(pg_uuid_t *id, TimestampTz *time)
{
	RecsysRequestIdOf(GetCurrentTimestamp(), id, time);
}

void
RecsysRequestIdOf(TimestampTz asked, pg_uuid_t *id, TimestampTz *time)
{
	int64		ms = TIMESTAMP_IS_NOBEGIN(asked) ? -UNIX_EPOCH_MS - 1 :
		(asked - (asked % 1000 + 1000) % 1000) / 1000;
	uint64		high = (uint64) (ms + UNIX_EPOCH_MS) << 16;

	if (ms + UNIX_EPOCH_MS < 0 || ms + UNIX_EPOCH_MS >= INT64CONST(1) << 48)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the time of a request must be finite, and after 1970")));
	if (!pg_strong_random(id->data, UUID_LEN))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	for (int i = 0; i < 6; i++)
		id->data[i] = (unsigned char) (high >> (56 - 8 * i));
	id->data[6] = (id->data[6] & 0x0f) | 0x70;
	id->data[8] = (id->data[8] & 0x3f) | 0x80;
	*time = ms * 1000;
}

TimestampTz
RecsysRequestIdTime(const pg_uuid_t *id)
{
	int64		ms = 0;

	if ((id->data[6] & 0xf0) != 0x70 || (id->data[8] & 0xc0) != 0x80)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the id of a request must be a UUID of version 7"),
				 errhint("SELECT recsys.new_request_id();")));
	for (int i = 0; i < 6; i++)
		ms = (ms << 8) | id->data[i];
	return (ms - UNIX_EPOCH_MS) * 1000;
}
