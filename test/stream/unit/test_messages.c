/*
 * test_messages.c
 *	  Tests of what is around the payload: key, headers, tombstones, consent.
 */
#include "unit.h"

static void
set_key(const char *key)
{
	message.key = key;
	message.key_length = key == NULL ? 0 : strlen(key);
}

static void
test_around(void)
{
	static const RecsysStreamHeader headers[] = {
		{"trace", "a", 1}, {"kind", "view\0x", 4}, {"trace", "b", 1}, {"none", NULL, 0}, {"bad", "\351", 1}
	};
	RecsysStreamSettings *settings = stream(RECSYS_STREAM_JSON, "k=$key", "t=$topic", "p=$partition", "o=$offset", NULL);
	RecsysStreamSettings *header = stream(RECSYS_STREAM_JSON, "a=$headers.trace", "b=$headers.kind", "c=$headers.none",
										  "d=$headers.other,default=x", NULL);
	RecsysStreamSettings *bad = stream(RECSYS_STREAM_JSON, "a=$headers.bad", NULL);
	RecsysStreamSettings *key = stream(RECSYS_STREAM_JSON, "k=$key.id", "v=v", NULL);
	PQExpBuffer fault = createPQExpBuffer();
	RecsysDecoder *decoder = RecsysDecoderCreate(header, NULL, 0, fault);

	ok(RecsysDecoderNeedsHeaders(decoder), "message: a header is needed");
	RecsysDecoderFree(decoder);
	decoder = RecsysDecoderCreate(settings, NULL, 0, fault);
	ok(!RecsysDecoderNeedsHeaders(decoder), "message: no header is needed");
	RecsysDecoderFree(decoder);
	destroyPQExpBuffer(fault);
	set_key("k\t1");
	expect("message: key, topic, partition, offset, of a payload that nobody reads", settings, "no JSON", "k\\t1\tshop\t3\t7");
	set_key("");
	expect("message: an empty key", settings, "", "\tshop\t3\t7");
	set_key(NULL);
	expect("message: no key", settings, "", "\\N\tshop\t3\t7");
	set_key("\351");
	expect("message: a key that is no text", settings, "", "rejected: The value for k is no text in UTF-8.");
	set_key("{\"id\":5}");
	expect("message: a key that is JSON", key, "{\"v\":6}", "5\t6");
	set_key("{\"id\"");
	expect("message: a key that is broken JSON", key, "{\"v\":6}",
		   "rejected: The key is no JSON: it ends before it is complete (byte 6).");
	set_key("5");
	expect("message: a key that is a scalar", key, "{\"v\":6}", "rejected: The key is no JSON object.");
	set_key(NULL);
	expect("message: no key where JSON is expected", key, "{\"v\":6}", "\\N\t6");
	message.headers = headers;
	message.nheaders = lengthof(headers);
	expect("message: headers, the last of a name", header, "", "b\tview\t\\N\tx");
	expect("message: a header that is no text", bad, "", "rejected: The value for a is no text in UTF-8.");
	message.headers = NULL;
	message.nheaders = 0;
}

static void
test_tombstones(void)
{
	RecsysStreamSettings *settings = stream(RECSYS_STREAM_JSON, "k=$key.id", "v=v,default=5", "w=$value", "i=i[*]", NULL);

	set_key("{\"id\":5}");
	expect("tombstone: skipped", settings, NULL, "skipped");
	settings->tombstones = RECSYS_TOMBSTONES_REJECT;
	expect("tombstone: refused", settings, NULL, "rejected: The message has no payload: it is a tombstone.");
	settings->tombstones = RECSYS_TOMBSTONES_DELETE;
	expect("tombstone: deletes", settings, NULL, "d\t5\t\\N\t\\N\t\\N");
	expect("tombstone: an empty payload is none", settings, "", "rejected: The payload is empty.");
	settings->consent = "consent";
	expect("tombstone: deletes without consent", settings, NULL, "d\t5\t\\N\t\\N\t\\N");
	set_key("x");
	expect("tombstone: a key that is none", settings, NULL, "rejected: The key is no JSON object.");
	set_key(NULL);
}

static void
test_consent(void)
{
	static const char *const yes[] = {"true", "\"true\"", "\"TRUE\"", "\"yes\"", "\"Granted\"", "1", "\"1\"", "\"\\u0079es\""};
	static const char *const no[] = {"false", "null", "0", "2", "\"no\"", "\"\"", "\"y\"", "\"true \"", "1.0", "{}", "[true]", "\"yes\\u0000\""};
	static const RecsysStreamHeader headers[] = {{"consent", "yes", 3}};
	RecsysStreamSettings *settings = stream(RECSYS_STREAM_JSON, "v=v,time", NULL);
	RecsysStreamSettings *items = stream(RECSYS_STREAM_JSON, "v=i[*].v", NULL);
	char		payload[100];

	settings->consent = "c.ads";
	for (int i = 0; i < lengthof(yes); i++)
	{
		snprintf(payload, sizeof(payload), "{\"v\":0,\"c\":{\"ads\":%s}}", yes[i]);
		ok(strcmp(decoded(settings, payload), "1970-01-01 00:00:00+00") == 0, "consent: %s", yes[i]);
	}
	for (int i = 0; i < lengthof(no); i++)
	{
		snprintf(payload, sizeof(payload), "{\"v\":0,\"c\":{\"ads\":%s}}", no[i]);
		ok(strcmp(decoded(settings, payload), "skipped") == 0, "consent: not %s", no[i]);
	}
	expect("consent: nothing is said", settings, "{\"v\":0}", "skipped");
	expect("consent: comes before what is wrong with values", settings, "{\"v\":\"x\"}", "skipped");
	items->consent = "i[*].ok";
	expect("consent: by item", items, "{\"i\":[{\"v\":1,\"ok\":true},{\"v\":2},{\"v\":3,\"ok\":1}]}", "1\n3");
	expect("consent: for no item", items, "{\"i\":[{\"v\":1,\"ok\":false},{\"v\":2}]}", "skipped");
	items->consent = "$headers.consent";
	expect("consent: no header", items, "{\"i\":[{\"v\":1}]}", "skipped");
	message.headers = headers;
	message.nheaders = 1;
	expect("consent: a header", items, "{\"i\":[{\"v\":1}]}", "1");
	message.nheaders = 0;
	items->consent = "a..b";
	expect("consent: no path", items, "", "no decoder: The source of consent, a..b, has no name where one should be.");
}

void
test_messages(void)
{
	test_around();
	test_tombstones();
	test_consent();
}
