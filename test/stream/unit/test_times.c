/*
 * test_times.c
 *	  Tests of times: by hand, and every day and many moments against the C library's own calendar.
 */
#include "unit.h"

#include <time.h>

#include "stream/record/eventtime.h"

typedef struct Example
{
	const char *value;			/* in JSON */
	const char *automatic;
	const char *seconds;
	const char *milliseconds;
} Example;

#define NO "rejected: The value for t is no time: a number since 1970 or ISO 8601 is expected."

static const Example numbers[] = {
	{"0", "1970-01-01 00:00:00+00", "1970-01-01 00:00:00+00", "1970-01-01 00:00:00+00"},
	{"1764398700", "2025-11-29 06:45:00+00", "2025-11-29 06:45:00+00", "1970-01-21 10:06:38.7+00"},
	{"1764398700123", "2025-11-29 06:45:00.123+00", "57881-07-27 06:02:03+00", "2025-11-29 06:45:00.123+00"},
	{"1764398700123456", "2025-11-29 06:45:00.123456+00", NO, "57881-07-27 06:02:03.456+00"},
	{"1764398700123456789", "2025-11-29 06:45:00.123457+00", NO, NO},
	{"1764398700.5", "2025-11-29 06:45:00.5+00", "2025-11-29 06:45:00.5+00", "1970-01-21 10:06:38.7005+00"},
	{"1764398700.0000005", "2025-11-29 06:45:00.000001+00", "2025-11-29 06:45:00.000001+00", "1970-01-21 10:06:38.7+00"},
	{"1764398700.00000049", "2025-11-29 06:45:00+00", "2025-11-29 06:45:00+00", "1970-01-21 10:06:38.7+00"},
	{"1.7643987e9", "2025-11-29 06:45:00+00", "2025-11-29 06:45:00+00", "1970-01-21 10:06:38.7+00"},
	{"17643987000e-1", "2025-11-29 06:45:00+00", "2025-11-29 06:45:00+00", "1970-01-21 10:06:38.7+00"},
	{"-1", "1969-12-31 23:59:59+00", "1969-12-31 23:59:59+00", "1969-12-31 23:59:59.999+00"},
	{"0.001", "1970-01-01 00:00:00.001+00", "1970-01-01 00:00:00.001+00", "1970-01-01 00:00:00.000001+00"},
	{"-62135596800", "0001-01-01 00:00:00+00", "0001-01-01 00:00:00+00", "1968-01-12 20:06:43.2+00"},
	{"-62135596801", "0000", NO, "1968-01-12 20:06:43.199+00"},
	{"99999999999", "5138-11-16 09:46:39+00", "5138-11-16 09:46:39+00", "1973-03-03 09:46:39.999+00"},
	{"100000000000", "1973-03-03 09:46:40+00", "5138-11-16 09:46:40+00", "1973-03-03 09:46:40+00"},
	{"\"1764398700123\"", "2025-11-29 06:45:00.123+00", "57881-07-27 06:02:03+00", "2025-11-29 06:45:00.123+00"},
	{"\"20251129\"", "2025-11-29 00:00:00+00", "1970-08-23 09:18:49+00", "1970-01-01 05:37:31.129+00"},
	{"1e400", NO, NO, NO},
	{"1e-400", "1970-01-01 00:00:00+00", "1970-01-01 00:00:00+00", "1970-01-01 00:00:00+00"},
	{"1e99999999999999999999", NO, NO, NO},
	{"0e99999999999999999999", "1970-01-01 00:00:00+00", "1970-01-01 00:00:00+00", "1970-01-01 00:00:00+00"},
	{"true", "rejected: The value for t is no time.", "rejected: The value for t is no time.", "rejected: The value for t is no time."},
	{"{}", "rejected: The value for t is no time.", "rejected: The value for t is no time.", "rejected: The value for t is no time."},
};

typedef struct Text
{
	const char *text;
	const char *time;			/* NULL: none */
} Text;

static const Text texts[] = {
	{"2025-11-29T06:45:00Z", "2025-11-29 06:45:00+00"},
	{"2025-11-29 06:45:00.123", "2025-11-29 06:45:00.123+00"},
	{"2025-11-29t06:45:00,5z", "2025-11-29 06:45:00.5+00"},
	{"2025-11-29T06:45:00.123456789Z", "2025-11-29 06:45:00.123457+00"},
	{"2025-11-29T06:45:00.1234564Z", "2025-11-29 06:45:00.123456+00"},
	{"2025-11-29T23:59:59.9999999Z", "2025-11-30 00:00:00+00"},
	{"2025-11-29T06:45Z", "2025-11-29 06:45:00+00"},
	{"2025-11-29T06:45:00+01:00", "2025-11-29 05:45:00+00"},
	{"2025-11-29T06:45:00-0530", "2025-11-29 12:15:00+00"},
	{"2025-11-29 06:45:00 +02", "2025-11-29 04:45:00+00"},
	{"20251129T064500Z", "2025-11-29 06:45:00+00"},
	{"20251129T0645", "2025-11-29 06:45:00+00"},
	{"2025-11-29", "2025-11-29 00:00:00+00"},
	{"2024-02-29", "2024-02-29 00:00:00+00"},
	{"2000-02-29", "2000-02-29 00:00:00+00"},
	{"2016-12-31T23:59:60Z", "2017-01-01 00:00:00+00"},
	{"2025-11-29T24:00:00Z", "2025-11-30 00:00:00+00"},
	{"0001-01-01", "0001-01-01 00:00:00+00"},
	{"9999-12-31T23:59:59.999999Z", "9999-12-31 23:59:59.999999+00"},
	{"9999-12-31T23:59:59-12:00", "10000-01-01 11:59:59+00"},
	{"0001-01-01T00:00:00+01", NULL},
	{"2025-02-29", NULL}, {"1900-02-29", NULL}, {"2025-13-01", NULL}, {"2025-00-01", NULL}, {"2025-01-00", NULL},
	{"2025-01-32", NULL}, {"2025-04-31", NULL}, {"0000-01-01", NULL}, {"2025-1-1", NULL}, {"25-01-01", NULL}, {"\xEF\xBB\xBF" "1764398700", NULL},
	{"2025-11-29T25:00:00Z", NULL}, {"2025-11-29T24:30:00Z", NULL}, {"2025-11-29T06:60:00Z", NULL}, {"2025-11-29T06:45:61Z", NULL},
	{"2025-11-29T06", NULL}, {"2025-11-29T06:45:00.", NULL}, {"2025-11-29T06:45:00+", NULL}, {"2025-11-29T06:45:00+1", NULL},
	{"2025-11-29T06:45:00+16", NULL}, {"2025-11-29T06:45:00+01:60", NULL}, {"2025-11-29T06:45:00ZZ", NULL},
	{"2025-11-29T06:45:00 Europe/Berlin", NULL}, {"2025-11-29T", NULL}, {"2025-11-29 ", NULL}, {"2025-1129", NULL},
	{"now", NULL}, {"today", NULL}, {"infinity", NULL}, {"-infinity", NULL}, {"epoch", NULL}, {"", NULL}, {" 2025-11-29", NULL},
	{"01/02/2025", NULL}, {"Sat, 29 Nov 2025 06:45:00 GMT", NULL}, {"J2451187", NULL}, {"2025-W48-6", NULL}, {"+2025-11-29", NULL},
};

static void
test_numbers(const char *what, const char *field, const Example *example, const char *expected)
{
	char		payload[200];
	RecsysStreamSettings *settings = stream(RECSYS_STREAM_JSON, field, NULL);

	snprintf(payload, sizeof(payload), "{\"t\":%s}", example->value);
	/* the second before the year 1, read as a millisecond */
	if (strcmp(expected, "0000") == 0)
		expected = NO;
	expect(what, settings, payload, expected);
}

/* Days and moments as the C library writes them. */
static void
test_calendar(void)
{
	PQExpBuffer found = createPQExpBuffer();
	char		expected[64];
	int			wrong = 0;
	uint64		state = 1;

	for (int i = 0; i < 2000000; i++)
	{
		time_t		second;
		struct tm	tm;
		int64		microseconds;

		/* each day of 4000 years, and then moments anywhere */
		state = state * UINT64CONST(6364136223846793005) + UINT64CONST(1442695040888963407);
		second = i < 1460000 ? (time_t) (i - 700000) * 86400 + (state >> 33) % 86400 :
			(time_t) (state >> 20) % INT64CONST(9000000000000) - INT64CONST(60000000000);
		gmtime_r(&second, &tm);
		snprintf(expected, sizeof(expected), "%04d-%02d-%02d %02d:%02d:%02d+00", tm.tm_year + 1900, tm.tm_mon + 1,
				 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		resetPQExpBuffer(found);
		RecsysTimeText(found, second * INT64CONST(1000000));
		wrong += strcmp(found->data, expected) != 0;
		if (tm.tm_year + 1900 <= 9999)
			wrong += !RecsysTimeFromText(expected, strlen(expected), &microseconds) ||
				microseconds != second * INT64CONST(1000000);
	}
	ok(wrong == 0, "time: two million moments are written and read as the C library does (%d are not)", wrong);
	destroyPQExpBuffer(found);
}

void
test_times(void)
{
	RecsysStreamSettings *settings = stream(RECSYS_STREAM_JSON, "t=t,time", NULL);
	char		payload[200];
	char		what[200];

	for (int i = 0; i < lengthof(numbers); i++)
	{
		snprintf(what, sizeof(what), "time: %s by its size", numbers[i].value);
		test_numbers(what, "t=t,time", &numbers[i], numbers[i].automatic);
		snprintf(what, sizeof(what), "time: %s in s", numbers[i].value);
		test_numbers(what, "t=t,time,s", &numbers[i], numbers[i].seconds);
		snprintf(what, sizeof(what), "time: %s in ms", numbers[i].value);
		test_numbers(what, "t=t,time,ms", &numbers[i], numbers[i].milliseconds);
	}
	for (int i = 0; i < lengthof(texts); i++)
	{
		snprintf(payload, sizeof(payload), "{\"t\":\"%s\"}", texts[i].text);
		snprintf(what, sizeof(what), "time: %s", texts[i].text);
		expect(what, settings, payload, texts[i].time == NULL ? NO : texts[i].time);
	}
	expect("time: null", settings, "{\"t\":null}", "\\N");
	expect("time: of the message", stream(RECSYS_STREAM_JSON, "a=$timestamp,time", "b=$timestamp", NULL), "{}",
		   "2025-11-29 06:45:00.123+00\t1764398700123");
	message.timestamp = -1;
	expect("time: of a message without one", stream(RECSYS_STREAM_JSON, "a=$timestamp,time", "b=$timestamp,default=0", NULL), "{}",
		   "\\N\t0");
	message.timestamp = INT64CONST(1764398700123);
	test_calendar();
}
