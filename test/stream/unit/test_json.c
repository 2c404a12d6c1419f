/*
 * test_json.c
 *	  Tests of JSON with paths: what is taken, what comes twice, what is no JSON.
 */
#include "unit.h"

static void
test_paths(void)
{
	RecsysStreamSettings *one = stream(RECSYS_STREAM_JSON, "user=user.id", "item=item", "at=ts", "event=type", NULL);
	RecsysStreamSettings *odd = stream(RECSYS_STREAM_JSON, "a=\"a.b\".c", "b=list[1]", "c=list[0].x", "d=m[1][0]", NULL);
	RecsysStreamSettings *both = stream(RECSYS_STREAM_JSON, "a=u", "b=u.id", "c=u.id", "d=$value", NULL);

	expect("json: a message", one, "{\"user\":{\"id\":7,\"name\":\"x\"},\"item\":\"b-1\",\"ts\":1764398700123,\"type\":\"view\"}",
		   "7\tb-1\t1764398700123\tview");
	expect("json: in another order, with white space", one,
		   " {\r\n\t\"type\" : \"view\" ,\"ts\":1,\"zzz\":[1,{\"user\":{\"id\":9}}], \"user\" : { \"id\" : 7 } , \"item\":null } \n",
		   "7\t\\N\t1\tview");
	expect("json: nothing of it", one, "{}", "\\N\t\\N\t\\N\t\\N");
	expect("json: paths that lead into scalars", one, "{\"user\":7,\"item\":1}", "\\N\t1\t\\N\t\\N");
	expect("json: elements and quoted names", odd, "{\"a.b\":{\"c\":1},\"list\":[{\"x\":2},3,4],\"m\":[[5],[6,7]]}", "1\t3\t2\t6");
	expect("json: fewer elements", odd, "{\"list\":[],\"m\":[1]}", "\\N\t\\N\t\\N\t\\N");
	expect("json: an object and what is in it", both, " {\"u\": {\"id\": 1} }",
		   "{\"id\": 1}\t1\t1\t{\"u\": {\"id\": 1} }");
	expect("json: numbers keep their digits", stream(RECSYS_STREAM_JSON, "a=a", "b=b", "c=c", "d=d", NULL),
		   "{\"a\":12345678901234567890123.4560,\"b\":-0,\"c\":1E+400,\"d\":0.10e-2}",
		   "12345678901234567890123.4560\t-0\t1E+400\t0.10e-2");
	expect("json: truth", one, "{\"user\":{\"id\":true},\"item\":false}", "true\tfalse\t\\N\t\\N");
	expect("json: payloads that are arrays", stream(RECSYS_STREAM_JSON, "a=[1].x", "b=$value[0]", NULL),
		   "[5,{\"x\":6}]", "6\t5");
}

static void
test_texts(void)
{
	RecsysStreamSettings *a = stream(RECSYS_STREAM_JSON, "a=a", NULL);

	expect("json: escapes", a, "{\"a\":\"q\\\" b\\\\ s\\/ \\b\\f\\n\\r\\t \\u00e9 \\u20AC \\ud83d\\ude00 \\u0001\"}",
		   "q\" b\\\\ s/ \b\f\\n\\r\\t \303\251 \342\202\254 \360\237\230\200 \001");
	expect("json: UTF-8", a, "{\"a\":\"\303\251\342\202\254\360\237\230\200\"}", "\303\251\342\202\254\360\237\230\200");
	expect("json: what COPY would take for the end or a null", a, "{\"a\":\"\\\\.\"}", "\\\\.");
	expect("json: a text \\N", a, "{\"a\":\"\\\\N\"}", "\\\\N");
	expect("json: names with escapes", a, "{\"\\u0061\":1}", "1");
	expect("json: names with escapes that are no text", a, "{\"a\\u0000\":1,\"a\":2}", "2");
	expect("json: an empty text", a, "{\"a\":\"\"}", "");
	expect("json: a byte order mark", a, "\xEF\xBB\xBF{\"a\":1}", "1");
	expect("json: \\u0000 where nobody looks", a, "{\"b\":\"\\u0000\",\"a\":1}", "1");
	expect("json: \\u0000", a, "{\"a\":\"x\\u0000\"}",
		   "rejected: The value for a has \\u0000 in it, which no text can hold.");
	expect("json: \\\\u0000 is another thing", a, "{\"a\":\"x\\\\u0000\"}", "x\\\\u0000");
	expect("json: \\u0000 in an object", a, "{\"a\":{\"b\":[\"\\u0000\"]}}",
		   "rejected: The value for a has \\u0000 in it, which no text can hold.");
	expect("json: half a surrogate pair", a, "{\"a\":\"\\ud83d\"}",
		   "rejected: The value for a has one half of a surrogate pair without the other in it.");
	expect("json: half a surrogate pair and a letter", a, "{\"a\":\"\\ud83d\\u0041\"}",
		   "rejected: The value for a has one half of a surrogate pair without the other in it.");
	expect("json: the other half", a, "{\"a\":\"\\ude00\"}",
		   "rejected: The value for a has one half of a surrogate pair without the other in it.");
}

static void
test_doubles(void)
{
	RecsysStreamSettings *settings = stream(RECSYS_STREAM_JSON, "a=u.id", "b=u.name", "c=u", NULL);
	RecsysStreamSettings *items = stream(RECSYS_STREAM_JSON, "a=o.items[*].id", "b=o.items[*].n", NULL);

	expect("json: a name twice", settings, "{\"u\":{\"id\":1,\"id\":2}}", "2\t\\N\t{\"id\":1,\"id\":2}");
	expect("json: an object twice", settings, "{\"u\":{\"id\":1},\"u\":{\"name\":2}}", "\\N\t2\t{\"name\":2}");
	expect("json: an object and then a scalar", settings, "{\"u\":{\"id\":1},\"u\":5}", "\\N\t\\N\t5");
	expect("json: an object and then null", settings, "{\"u\":{\"id\":1},\"u\":null}", "\\N\t\\N\t\\N");
	expect("json: an array of items twice", items, "{\"o\":{\"items\":[{\"id\":1}],\"items\":[{\"n\":2},{\"id\":3}]}}",
		   "\\N\t2\n3\t\\N");
	expect("json: what has the array twice", items, "{\"o\":{\"items\":[{\"id\":1}]},\"o\":{}}", "");
	expect("json: a name twice in an item", items, "{\"o\":{\"items\":[{\"id\":1,\"id\":4},{\"id\":5}]}}",
		   "4\t\\N\n5\t\\N");
}

static void
test_items(void)
{
	RecsysStreamSettings *settings = stream(RECSYS_STREAM_JSON, "u=user", "i=items[*].id", "p=items[*].price.v", "f=items[0].id", NULL);

	expect("items: a row for each", settings, "{\"items\":[{\"id\":1,\"price\":{\"v\":9.5}},{\"id\":2},3],\"user\":7}",
		   "7\t1\t9.5\t1\n7\t2\t\\N\t1\n7\t\\N\t\\N\t1");
	expect("items: none", settings, "{\"items\":[],\"user\":7}", "");
	expect("items: no array at all", settings, "{\"user\":7}", "");
	expect("items: null", settings, "{\"items\":null,\"user\":7}", "");
	expect("items: an object instead", settings, "{\"items\":{\"id\":1}}",
		   "rejected: The payload has something else where an array is expected.");
	expect("items: a scalar instead", settings, "{\"items\":1}",
		   "rejected: The payload has something else where an array is expected.");
	expect("items: scalars", stream(RECSYS_STREAM_JSON, "i=ids[*]", "u=u", NULL), "{\"ids\":[1,\"b\",null,[2]],\"u\":3}",
		   "1\t3\nb\t3\n\\N\t3\n[2]\t3");
	expect("items: the payload is an array of messages", stream(RECSYS_STREAM_JSON, "u=[*].u", "i=[*].i", NULL),
		   "[{\"u\":1,\"i\":2},{\"i\":3,\"u\":4}]", "1\t2\n4\t3");
	expect("items: the payload should be an array", stream(RECSYS_STREAM_JSON, "u=[*].u", NULL), "{\"u\":1}",
		   "rejected: The payload is no JSON array.");
	expect("items: \\u0000 in another item", stream(RECSYS_STREAM_JSON, "u=a[*].u", "v=a[0].u", NULL),
		   "{\"a\":[{\"u\":\"x\",\"z\":\"\\u0000\"}]}", "x\tx");
	expect("items: of two arrays", stream(RECSYS_STREAM_JSON, "u=a[*].u", "v=b[*].u", NULL), "{}",
		   "no decoder: The sources a[*].u and b[*].u have items of two arrays.");
}

static void
test_faults(void)
{
	RecsysStreamSettings *a = stream(RECSYS_STREAM_JSON, "a=a", NULL);
	static const char *const broken[] = {
		"{", "}", "[", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{\"a\" 1}", "{\"a\":1 \"b\":2}",
		"{a:1}", "{'a':1}", "{\"a\":01}", "{\"a\":1.}", "{\"a\":.5}", "{\"a\":+1}", "{\"a\":-}", "{\"a\":1e}", "{\"a\":1e+}",
		"{\"a\":0x1}", "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":tru}", "{\"a\":truex}", "{\"a\":nul}", "{\"a\":\"}", "{\"a\":\"\\\"}",
		"{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\\u\"}", "{\"a\":\"\t\"}", "{\"a\":\"\n\"}",
		"{\"a\":[1,]}", "{\"a\":[1 2]}", "{\"a\":[}", "{\"a\":[1}", "{\"a\":{]}", "{\"a\":1}}", "{\"a\":1}{}", "{\"a\":1} x",
		"{\"b\":[1,]}", "{\"b\":[}]}", "{\"b\":{\"c\":[{\"d\":1,}]}}", "{\"b\":{1:2}}", "{\"b\":\"\\q\"}", "{\"b\":--1}", "{\"b\":1}}",
		"{\"a\":1,\"b\":[[[[1],[2]],3]}", "/* c */{\"a\":1}", "{\"a\":1,//\n\"b\":2}", "{\"a\":\"\\ud83d\\u12\"}"
	};

	for (int i = 0; i < lengthof(broken); i++)
	{
		const char *found = decoded(a, broken[i]);

		bool		refused = strncmp(found, "rejected: The payload is no JSON", 32) == 0;

		ok(refused, "json: broken message %d is none", i);
		if (!refused)
			printf("# message:  %s\n# found:    %s\n", broken[i], found);
	}
	expect("json: an empty payload", a, "", "rejected: The payload is empty.");
	expect("json: white space", a, "  \n", "rejected: The payload is empty.");
	expect("json: a scalar", a, "5", "rejected: The payload is no JSON object.");
	expect("json: a text", a, "\"x\"", "rejected: The payload is no JSON object.");
	expect("json: null", a, "null", "rejected: The payload is no JSON object.");
	expect("json: an array", a, "[{\"a\":1}]", "rejected: The payload is no JSON object.");
	expect("json: where it is broken", a, "{\"a\":1 1}", "rejected: The payload is no JSON: a comma or } is expected (byte 8).");
	expect("json: where there is no value", a, "{\"a\":[tru]}", "rejected: The payload is no JSON: a value is expected (byte 7).");
	expect("json: where there is no number", a, "{\"a\": 01}", "rejected: The payload is no JSON: a value is expected (byte 7).");
	expect("json: where there is no name", a, "\xEF\xBB\xBF{a:1}",
		   "rejected: The payload is no JSON: a name in quotes is expected (byte 5).");
	expect("json: where there is no escape", a, "{\"a\":\"x\\q\"}", "rejected: The payload is no JSON: no such escape (byte 9).");
	expect("json: where digits are missing", a, "{\"a\":\"\\u12g4\"}",
		   "rejected: The payload is no JSON: four hexadecimal digits must follow \\u (byte 6).");
	expect("json: where a control character is", a, "{\"a\":\"x\ty\"}",
		   "rejected: The payload is no JSON: a control character must be escaped (byte 8).");
	expect("json: where a text ends", a, "{\"a\":\"x", "rejected: The payload is no JSON: it ends before it is complete (byte 8).");
	expect("json: where something follows", a, "{\"a\":1} x", "rejected: The payload is no JSON: nothing can follow the value (byte 9).");
	expect("json: where it ends", a, "{\"a\":[1", "rejected: The payload is no JSON: it ends before it is complete (byte 8).");
	expect("json: Latin-1", a, "{\"a\":\"\351\"}", "rejected: The payload is no text in UTF-8.");
	expect("json: an overlong slash", a, "{\"a\":\"\300\257\"}", "rejected: The payload is no text in UTF-8.");
	expect("json: a surrogate in UTF-8", a, "{\"a\":\"\355\240\200\"}", "rejected: The payload is no text in UTF-8.");
	ok(strcmp(decoded_bytes(a, "{\"a\":\"x\0y\"}", 12), "rejected: The payload is no text in UTF-8.") == 0,
	   "json: a null byte");
}

void
test_json(void)
{
	test_paths();
	test_texts();
	test_doubles();
	test_items();
	test_faults();
}
