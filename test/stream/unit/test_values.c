/*
 * test_values.c
 *	  Tests of what columns want: documents, arrays, bytes, defaults.
 */
#include "unit.h"

void
test_values(void)
{
	RecsysStreamSettings *document = stream(RECSYS_STREAM_JSON, "d=d,document", NULL);
	RecsysStreamSettings *array = stream(RECSYS_STREAM_JSON, "d=d,array", NULL);
	RecsysStreamSettings *bytes = stream(RECSYS_STREAM_JSON, "d=d,bytes", NULL);
	RecsysStreamSettings *fallback = stream(RECSYS_STREAM_JSON, "d=d,default=a\tb\\", "e=e", NULL);
	RecsysStreamSettings *key = stream(RECSYS_STREAM_JSON, "d=$key,document", "e=$key,array", NULL);

	expect("document: an object", document, "{\"d\":{\"a\": [1]}}", "{\"a\": [1]}");
	expect("document: a text", document, "{\"d\":\"x\\n\\u00e9\"}", "\"x\\\\n\\\\u00e9\"");
	expect("document: a number", document, "{\"d\":1.0}", "1.0");
	expect("document: truth", document, "{\"d\":true}", "true");
	expect("document: null is null", document, "{\"d\":null}", "\\N");
	expect("document: \\u0000", document, "{\"d\":\"\\u0000\"}", "rejected: The value for d has \\u0000 in it, which no text can hold.");
	expect("array: an array", array, "{\"d\":[1, \"b\"]}", "[1, \"b\"]");
	expect("array: a scalar", array, "{\"d\":\"b\"}", "[\"b\"]");
	expect("array: a number", array, "{\"d\":1}", "[1]");
	expect("array: an object", array, "{\"d\":{}}", "[{}]");
	expect("array: null", array, "{\"d\":null}", "\\N");
	expect("bytes: of a text", bytes, "{\"d\":\"a\\u00e9\\\\\"}", "\\\\x61c3a95c");
	expect("bytes: of nothing", bytes, "{\"d\":\"\"}", "\\\\x");
	expect("default: there is nothing", fallback, "{}", "a\\tb\\\\\t\\N");
	expect("default: there is null", fallback, "{\"d\":null}", "\\N\t\\N");
	expect("default: there is a value", fallback, "{\"d\":\"\"}", "\t\\N");

	message.key = "{\"a\": 1}";
	message.key_length = 8;
	expect("document: a key that is JSON", key, "{}", "{\"a\": 1}\t[\"{\\\\\"a\\\\\": 1}\"]");
	message.key = "007\n\"";
	message.key_length = 5;
	expect("document: a key that is none", key, "{}", "\"007\\\\u000a\\\\\"\"\t[\"007\\\\u000a\\\\\"\"]");
	message.key = "[1]";
	message.key_length = 3;
	expect("document: a key that is an array", key, "{}", "[1]\t[1]");
	message.key = NULL;
	expect("document: no key", key, "{}", "\\N\t\\N");
}
