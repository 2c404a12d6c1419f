/*
 * test_hostile.c
 *	  Tests of messages that are made to break things: depth, size, numbers without end, noise.
 */
#include "unit.h"

static PQExpBuffer
repeated(const char *before, const char *what, int count, const char *after)
{
	PQExpBuffer text = createPQExpBuffer();

	appendPQExpBufferStr(text, before);
	for (int i = 0; i < count; i++)
		appendPQExpBufferStr(text, what);
	appendPQExpBufferStr(text, after);
	return text;
}

static const char *
outcome(const RecsysStreamSettings *settings, const char *before, const char *what, int count, const char *after)
{
	PQExpBuffer text = repeated(before, what, count, after);
	const char *found = decoded_bytes(settings, text->data, text->len);

	destroyPQExpBuffer(text);
	return found;
}

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static void
test_depth(void)
{
	RecsysStreamSettings *a = stream(RECSYS_STREAM_JSON, "a=a", NULL);
	PQExpBuffer nested = repeated("{\"b\":", "[", 512, "");

	for (int i = 0; i < 512; i++)
		appendPQExpBufferChar(nested, ']');
	appendPQExpBufferStr(nested, ",\"a\":1}");
	ok(strcmp(decoded(a, nested->data), "1") == 0, "hostile: 512 levels");
	destroyPQExpBuffer(nested);
	ok(begins(outcome(a, "{\"b\":", "[", 513, ""), "rejected: The payload is no JSON: it is nested too deeply"),
	   "hostile: 513 levels");
	ok(begins(outcome(a, "", "[", 1000000, ""), "rejected: The payload is no JSON"), "hostile: a million brackets");
	ok(begins(outcome(a, "", "{\"a\":", 1000000, ""), "rejected: The payload is no JSON"), "hostile: a million objects");
	ok(begins(outcome(a, "{\"b\":", "[{\"a\":", 100000, ""), "rejected: The payload is no JSON"), "hostile: both");
}

static void
test_size(void)
{
	RecsysStreamSettings *number = stream(RECSYS_STREAM_JSON, "a=a", "b=b", NULL);
	RecsysStreamSettings *time = stream(RECSYS_STREAM_JSON, "a=a,time", NULL);
	RecsysStreamSettings *items = stream(RECSYS_STREAM_JSON, "a=a", "i=i[*]", NULL);
	RecsysStreamSettings *times = stream(RECSYS_STREAM_JSON, "a=a,time", "i=i[*]", NULL);
	PQExpBuffer text;

	ok(strlen(outcome(number, "{\"a\":", "7", 1000000, "}")) == 1000003, "hostile: a million digits");
	ok(begins(outcome(time, "{\"a\":", "7", 1000000, "}"), "rejected: The value for a is no time"),
	   "hostile: a million digits of time");
	ok(begins(outcome(time, "{\"a\":0.", "0", 1000000, "}"), "1970-01-01 00:00:00+00"), "hostile: a million zeros of time");
	ok(begins(outcome(time, "{\"a\":1e", "9", 1000000, "}"), "rejected: The value for a is no time"),
	   "hostile: a million digits of exponent");
	ok(strlen(outcome(items, "{\"i\":[1", ",1", 99999, "]}")) == 100000 * strlen("\\N\t1\n") - 1, "hostile: 100000 items");
	ok(strcmp(outcome(items, "{\"i\":[1", ",1", 100000, "]}"), "rejected: The payload has an array of more than 100000 items.") == 0,
	   "hostile: one item more");
	ok(strlen(outcome(number, "{\"b\":\"", "\\u000a", 100000, "\"}")) == 200003, "hostile: escapes");
	text = repeated("{\"a\":\"", "x", 1000000, "\",\"i\":[1");
	for (int i = 0; i < 100; i++)
		appendPQExpBufferStr(text, ",1");
	appendPQExpBufferStr(text, "]}");
	expect("hostile: a large value beside many items", items, text->data, "rejected: The message has large values beside many items: more than 64 MB for its rows.");
	destroyPQExpBuffer(text);
	text = repeated("{\"a\":0.", "0", 1000000, ",\"i\":[1");
	for (int i = 0; i < 100; i++)
		appendPQExpBufferStr(text, ",1");
	appendPQExpBufferStr(text, "]}");
	expect("hostile: a large value that is a short time beside many items", times, text->data,
		   "rejected: The message has large values beside many items: more than 64 MB for its rows.");
	destroyPQExpBuffer(text);
}

static uint32
noise(uint32 *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Changed copies of good messages: whatever comes of them is a row that COPY can read, or a reason. */
static void
test_noise(void)
{
	static const char *const seeds[] = {
		"{\"a\":\"x\\u00e9\\ud83d\\ude00\",\"b\":[1,{\"c\":-1.5e3}],\"t\":\"2025-11-29T06:45:00.5Z\",\"i\":[{\"x\":1},{\"x\":\"\\\\\"}]}",
		"{\"b\":{\"a\":null,\"b\":[[],{}]},\"a\":{\"a\":\"\303\251\"},\"t\":1764398700123,\"i\":[]}"
	};
	RecsysStreamSettings *settings = stream(RECSYS_STREAM_JSON, "a=a", "b=b,document", "c=b[1].c", "t=t,time", "x=i[*].x,array", NULL);
	uint32		state = 1;
	int			wrong = 0;
	int			rows = 0;

	for (int round = 0; round < 200000; round++)
	{
		const char *seed = seeds[round % lengthof(seeds)];
		char		changed[200];
		size_t		length = strlen(seed);
		const char *found;

		memcpy(changed, seed, length);
		for (int change = noise(&state) % 4; change >= 0; change--)
		{
			size_t		at = noise(&state) % length;

			if (noise(&state) % 2 == 0)
				changed[at] = "{}[]\",:\\0u1e-.\t\n\351n"[noise(&state) % 18];
			else
				changed[at] = seed[noise(&state) % strlen(seed)];
		}
		if (noise(&state) % 8 == 0)
			length = noise(&state) % length;
		found = decoded_bytes(settings, changed, length);
		if (begins(found, "rejected: "))
			wrong += found[strlen(found) - 1] != '.';
		else
		{
			int			tabs = 0;
			int			lines = *found != '\0';

			for (const char *at = found; *at != '\0'; at++)
			{
				tabs += *at == '\t';
				lines += *at == '\n';
			}
			wrong += tabs != lines * 4;
			rows += lines;
		}
	}
	ok(wrong == 0 && rows > 1000, "hostile: changed messages become rows or have a reason (%d rows)", rows);
}

void
test_hostile(void)
{
	test_depth();
	test_size();
	test_noise();
}
