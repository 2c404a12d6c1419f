/*
 * test_avro.c
 *	  Tests of Avro: messages are those that Python's fastavro 1.13 has written, in hexadecimal.
 */
#include "unit.h"

static const char schema[] =
"{\"type\":\"record\",\"name\":\"Event\",\"namespace\":\"shop\",\"fields\":[{\"name\":\"user\",\"type\":{\"type\":\"record\",\"name\":\"User\",\"fields\":[{\"name\":\"id\",\"type\":\"long\"},"
"{\"name\":\"name\",\"type\":[\"null\",\"string\"],\"default\":null}]}},"
"{\"name\":\"item\",\"type\":\"string\"},"
"{\"name\":\"ts\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}},"
"{\"name\":\"tu\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}},"
"{\"name\":\"day\",\"type\":{\"type\":\"int\",\"logicalType\":\"date\"}},"
"{\"name\":\"tm\",\"type\":{\"type\":\"int\",\"logicalType\":\"time-millis\"}},"
"{\"name\":\"tmu\",\"type\":{\"type\":\"long\",\"logicalType\":\"time-micros\"}},"
"{\"name\":\"price\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":40,\"scale\":2}},"
"{\"name\":\"small\",\"type\":{\"type\":\"fixed\",\"name\":\"D8\",\"size\":8,\"logicalType\":\"decimal\",\"precision\":18,\"scale\":4}},"
"{\"name\":\"uid\",\"type\":{\"type\":\"string\",\"logicalType\":\"uuid\"}},"
"{\"name\":\"fuid\",\"type\":{\"type\":\"fixed\",\"name\":\"U\",\"size\":16,\"logicalType\":\"uuid\"}},"
"{\"name\":\"kind\",\"type\":{\"type\":\"enum\",\"name\":\"Kind\",\"symbols\":[\"view\",\"cart\"]}},"
"{\"name\":\"flag\",\"type\":\"boolean\"},{\"name\":\"f\",\"type\":\"float\"},"
"{\"name\":\"d\",\"type\":\"double\"},{\"name\":\"raw\",\"type\":\"bytes\"},"
"{\"name\":\"tags\",\"type\":{\"type\":\"array\",\"items\":\"string\"}},"
"{\"name\":\"items\",\"type\":[\"null\",{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"Item\",\"fields\":[{\"name\":\"id\",\"type\":\"int\"},"
"{\"name\":\"n\",\"type\":[\"null\",\"int\"]}]}}]},"
"{\"name\":\"attrs\",\"type\":{\"type\":\"map\",\"values\":[\"null\",\"string\"]}},"
"{\"name\":\"other\",\"type\":[\"null\",\"User\"]}]}";

static const char full[] =
"9693d89fee4702085a6fc3ab06622d31b6d9dce5d96680d59adcc2ada2068abf02b6a99617feffbadd830518"
"fc02ca149286856e41c70cb2ffffffffffffffff4836663163316135322d356630652d346431632d39643561"
"2d3064396234663166326137376f1c1a525f0e4d1c9d5a0d9b4f1f2a770201cdcc8c3f2f30b7b3a7c9ba8104"
"00ff040261066222630002040100feffffff0f020a0004027802023102790000020900";

static const char sparse[] =
"ffffffffffffffffff01000001ffffddf2dfffdfdc010100000205000000000001e208027800000000000000"
"00000000000000000000000000c07f000000000000f0ff0000000000";

typedef struct Decimal
{
	const char *hex;
	const char *text;
} Decimal;

/* scale 3, up to 60 digits */
static const Decimal decimals[] = {
	{"100b0c11fdcb91ce37", "796031015877463.607"},
	{"32f259dccdaac03e15c90e802c8b395ac78888ccf42428def201", "-85676001882374882743583173947858811888607373480298773810.687"},
	{"08e83489a1", "-399210.079"},
	{"18f979405e74cc16979e86a632", "-2019811070711072120838379.982"},
	{"0aff44d124e0", "-3140410.144"},
	{"1800a36f4963b229f1c4069545", "197580445072950940855080.261"},
	{"06fec3a0", "-80.992"},
	{"18f2984441fea3cc4d20eb9e56", "-4148711074609473462121816.490"},
	{"0aff20a9e280", "-3746962.816"},
	{"10032ea692f6236bf2", "229303781167426.546"},
	{"32d595c8ac6ea3890e75fa7a5fe3b382920f9de510a81b33bece", "-266242684543403273177712084284062176926548593152182438347.058"},
	{"08042b3fc0", "69943.232"},
	{"00", "0.000"},
	{"0200", "0.000"},
	{"0201", "0.001"},
	{"02ff", "-0.001"},
	{"0280", "-0.128"},
	{"04ff7f", "-0.129"},
	{"040080", "0.128"},
	{"108000000000000000", "-9223372036854775.808"},
	{"0c00000f424000", "256000.000"},
};

static size_t
from_hex(const char *hex, char *bytes)
{
	size_t		length = strlen(hex) / 2;

	for (size_t i = 0; i < length; i++)
	{
		unsigned int byte;

		sscanf(hex + i * 2, "%2x", &byte);
		bytes[i] = (char) byte;
	}
	return length;
}

static void
expect_hex(const char *what, const RecsysStreamSettings *settings, const char *hex, const char *expected)
{
	char		bytes[1000];
	const char *found = decoded_bytes(settings, bytes, from_hex(hex, bytes));

	ok(strcmp(found, expected) == 0, "%s", what);
	if (strcmp(found, expected) != 0)
		printf("# expected: %s\n# found:    %s\n", expected, found);
}

static void
test_types(void)
{
	RecsysStreamSettings *settings = stream(RECSYS_STREAM_AVRO, "a=user.id", "b=user.name", "c=item", "d=ts,time", "e=tu,time", "f=day,time",
											"g=tm", "h=tmu", "i=price", "j=small", "k=uid", "l=fuid", NULL);
	RecsysStreamSettings *more = stream(RECSYS_STREAM_AVRO, "a=kind", "b=flag", "c=f", "d=d", "e=raw,bytes", "f=tags,array", "g=tags[1]",
										"h=attrs.x", "i=attrs.y", "j=other.id", "k=attrs,document", "l=other", "m=nothing,default=7", NULL);
	RecsysStreamSettings *items = stream(RECSYS_STREAM_AVRO, "a=user.id", "b=items[*].id", "c=items[*].n", "d=items[1].id", NULL);
	RecsysStreamSettings *whole = stream(RECSYS_STREAM_AVRO, "a=$value,document", "b=user", "c=user.id", "d=items[*],document", NULL);

	stream_option(settings, "schema", schema);
	stream_option(more, "schema", schema);
	stream_option(items, "schema", schema);
	stream_option(whole, "schema", schema);
	expect_hex("avro: numbers, texts, times, decimals, UUIDs", settings, full,
			   "1234567890123\tZo\303\253\tb-1\t2025-11-29 06:45:00.123+00\t2025-11-29 06:45:00.123456+00\t2025-11-29\t"
			   "06:45:00.123000\t23:59:59.999999\t-12345678901234567890123456.78\t-0.0001\t"
			   "6f1c1a52-5f0e-4d1c-9d5a-0d9b4f1f2a77\t6f1c1a52-5f0e-4d1c-9d5a-0d9b4f1f2a77");
	expect_hex("avro: their ends", settings, sparse,
			   "-9223372036854775808\t\\N\t\t1969-12-31 23:59:59.999+00\t0001-01-01 00:00:00+00\t1969-12-31\t"
			   "00:00:00.000000\t00:00:00.000000\t0.05\t12.3400\tx\t00000000-0000-0000-0000-000000000000");
	expect_hex("avro: enums, floats, bytes, arrays, maps, types by name", more, full,
			   "cart\ttrue\t1.1\t-2.5e-300\t\\\\x00ff\t[\"a\", \"b\\\\\"c\"]\tb\"c\t1\t\\N\t-5\t{\"x\": \"1\", \"y\": null}\t"
			   "{\"id\": -5, \"name\": null}\t7");
	expect_hex("avro: what is not there", more, sparse,
			   "view\tfalse\tNaN\t-Infinity\t\\\\x\t[]\t\\N\t\\N\t\\N\t\\N\t{}\t\\N\t7");
	expect_hex("avro: items", items, full, "1234567890123\t-1\t\\N\t2147483647\n1234567890123\t2147483647\t5\t2147483647");
	expect_hex("avro: no items", items, sparse, "");
	whole->nfields = 3;
	expect_hex("avro: all of it as JSON", whole, full,
			   "{\"user\": {\"id\": 1234567890123, \"name\": \"Zo\303\253\"}, \"item\": \"b-1\", \"ts\": \"2025-11-29 06:45:00.123+00\", "
			   "\"tu\": \"2025-11-29 06:45:00.123456+00\", \"day\": \"2025-11-29\", \"tm\": \"06:45:00.123000\", \"tmu\": \"23:59:59.999999\", "
			   "\"price\": -12345678901234567890123456.78, \"small\": -0.0001, \"uid\": \"6f1c1a52-5f0e-4d1c-9d5a-0d9b4f1f2a77\", "
			   "\"fuid\": \"6f1c1a52-5f0e-4d1c-9d5a-0d9b4f1f2a77\", \"kind\": \"cart\", \"flag\": true, \"f\": 1.1, \"d\": -2.5e-300, "
			   "\"raw\": \"00ff\", \"tags\": [\"a\", \"b\\\\\"c\"], \"items\": [{\"id\": -1, \"n\": null}, {\"id\": 2147483647, \"n\": 5}], "
			   "\"attrs\": {\"x\": \"1\", \"y\": null}, \"other\": {\"id\": -5, \"name\": null}}\t"
			   "{\"id\": 1234567890123, \"name\": \"Zo\303\253\"}\t1234567890123");
	whole->nfields = 4;
	whole->fields++;
	whole->nfields--;
	expect_hex("avro: items as JSON", whole, full,
			   "{\"id\": 1234567890123, \"name\": \"Zo\303\253\"}\t1234567890123\t{\"id\": -1, \"n\": null}\n"
			   "{\"id\": 1234567890123, \"name\": \"Zo\303\253\"}\t1234567890123\t{\"id\": 2147483647, \"n\": 5}");
	whole->fields--;
}

static void
test_decimals(void)
{
	RecsysStreamSettings *settings = stream(RECSYS_STREAM_AVRO, "a=$value", NULL);
	char		what[200];

	stream_option(settings, "schema", "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":80,\"scale\":3}");
	for (int i = 0; i < lengthof(decimals); i++)
	{
		snprintf(what, sizeof(what), "avro: decimal %s", decimals[i].text);
		expect_hex(what, settings, decimals[i].hex, decimals[i].text);
	}
	settings->options[0].value = "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":8}";
	expect_hex("avro: a decimal without a scale", settings, "0280", "-128");
	settings->options[0].value = "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":8,\"scale\":-1}";
	expect_hex("avro: a decimal with a scale that is none is bytes", settings, "0241", "A");
}

static void
test_schemas(void)
{
	static const char *const valid[] = {
		"{\"type\":\"record\",\"name\":\"L\",\"fields\":[{\"name\":\"v\",\"type\":\"int\"},{\"name\":\"next\",\"type\":[\"null\",\"L\"]}]}",
		"{\"type\":\"record\",\"name\":\"o.E\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"record\",\"name\":\"A\",\"fields\":["
		"{\"name\":\"b\",\"type\":{\"type\":\"enum\",\"name\":\"B\",\"namespace\":\"z\",\"symbols\":[\"p\",\"q\"]}},{\"name\":\"c\",\"type\":\"z.B\"}]}},"
		"{\"name\":\"d\",\"type\":[\"null\",\"o.A\"]},{\"name\":\"e\",\"type\":\"A\"}]}"
	};
	static const char *const broken[][2] = {
		{"", "is no JSON"},
		{"{", "is no JSON"},
		{"5", "has something else where a type is expected"},
		{"\"strin\"", "has the type strin, which it does not declare before"},
		{"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\303\251\"", "has the type aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, which it does not declare before"},
		{"\"\351\"", "is no text in UTF-8"},
		{"\"\\ud83d\"", "has a type whose name is no text"},
		{"{}", "has something else where a type is expected"},
		{"{\"type\":\"record\",\"fields\":[]}", "has a type without a name"},
		{"{\"type\":\"record\",\"name\":\"a\"}", "has something else where an array is expected"},
		{"{\"type\":\"record\",\"name\":\"a\",\"fields\":[1]}", "has something else where an object is expected"},
		{"{\"type\":\"record\",\"name\":\"a\",\"fields\":[{\"type\":\"int\"}]}", "has a field without a name"},
		{"{\"type\":\"record\",\"name\":\"a\",\"fields\":[{\"name\":\"x\"}]}", "has something else where a type is expected"},
		{"{\"type\":\"enum\",\"name\":\"a\",\"symbols\":[1]}", "has a symbol that is no text"},
		{"{\"type\":\"fixed\",\"name\":\"a\"}", "has a fixed without a size"},
		{"{\"type\":\"fixed\",\"name\":\"a\",\"size\":-1}", "has a fixed without a size"},
		{"{\"type\":\"array\"}", "has something else where a type is expected"},
		{"[{\"type\":\"fixed\",\"name\":\"a\",\"size\":1},{\"type\":\"fixed\",\"name\":\"a\",\"size\":1}]", "declares a name twice"},
	};
	RecsysStreamSettings *settings = stream(RECSYS_STREAM_AVRO, "a=v", "b=next.v", "c=next.next.v", "d=next.next.next.v", "e=$value", NULL);
	RecsysStreamSettings *names = stream(RECSYS_STREAM_AVRO, "a=a.b", "b=a.c", "c=d.b", "d=d.c", "e=e.b", "f=e.c", NULL);
	char		expected[300];

	stream_option(settings, "schema", valid[0]);
	expect_hex("avro: a type in itself", settings, "020204020600",
			   "1\t2\t3\t\\N\t{\"v\": 1, \"next\": {\"v\": 2, \"next\": {\"v\": 3, \"next\": null}}}");
	stream_option(names, "schema", valid[1]);
	expect_hex("avro: names and namespaces", names, "02000202020002", "q\tp\tq\tq\tp\tq");
	for (int i = 0; i < lengthof(broken); i++)
	{
		settings->options[0].value = (char *) broken[i][0];
		snprintf(expected, sizeof(expected), "no decoder: The option schema %s.", broken[i][1]);
		expect("avro: a schema that is none", settings, "", expected);
	}
	settings->noptions = 0;
	expect("avro: no schema", settings, "", "no decoder: A stream of Avro needs the option registry or the option schema.");
}

static void
test_broken(void)
{
	static const char *const broken[][3] = {
		{"\"long\"", "", "ends too early"},
		{"\"long\"", "80", "ends too early"},
		{"\"long\"", "0000", "has bytes behind its end"},
		{"\"long\"", "ffffffffffffffffff02", "has a number of more than 64 bits"},
		{"\"long\"", "ffffffffffffffffffff01", "has a number of more than 64 bits"},
		{"\"int\"", "8080808010", "has a number of more than 32 bits"},
		{"\"string\"", "04", "ends too early"},
		{"\"string\"", "01", "has a length below zero"},
		{"\"string\"", "feffffffffffffffff01", "ends too early"},
		{"[\"null\",\"int\"]", "04", "has a branch of a union that its schema does not have"},
		{"[\"null\",\"int\"]", "01", "has a branch of a union that its schema does not have"},
		{"{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"a\"]}", "02", "has a symbol that its schema does not have"},
		{"{\"type\":\"array\",\"items\":\"int\"}", "0202", "ends too early"},
		{"{\"type\":\"array\",\"items\":\"null\"}", "feffffffffffffffff01", "has more values than bytes"},
		{"{\"type\":\"array\",\"items\":\"null\"}", "ffffffffffffffffff01", "has a block without a size"},
		{"{\"type\":\"map\",\"values\":\"null\"}", "0202ff0000", "has a key that is no text in UTF-8"},
		{"{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"r\",\"type\":\"r\"}]}", "", "is nested too deeply"},
		{"{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"r\",\"fields\":[]}}", "fcffffff0f00", "has more values than bytes"},
		{"\"double\"", "00000000000000", "ends too early"},
		{"\"boolean\"", "", "ends too early"},
		{"{\"type\":\"fixed\",\"name\":\"f\",\"size\":3}", "0000", "ends too early"},
	};
	RecsysStreamSettings *settings = stream(RECSYS_STREAM_AVRO, "a=$value,document", NULL);
	RecsysStreamSettings *path = stream(RECSYS_STREAM_AVRO, "a=a", NULL);
	char		expected[200];

	stream_option(settings, "schema", "");
	stream_option(path, "schema", "");
	for (int i = 0; i < lengthof(broken); i++)
	{
		settings->options[0].value = (char *) broken[i][0];
		snprintf(expected, sizeof(expected), "rejected: The payload %s, read by its schema of Avro.", broken[i][2]);
		expect_hex("avro: a message that is broken", settings, broken[i][1], expected);
		path->options[0].value = (char *) broken[i][0];
		if (strstr(broken[i][2], "key") == NULL)
			expect_hex("avro: the same where no path leads", path, broken[i][1], expected);
	}
	settings->options[0].value = "\"string\"";
	expect_hex("avro: a text that is none", settings, "02ff", "rejected: The value for a is no text in UTF-8.");
	settings->options[0].value = "{\"type\":\"array\",\"items\":\"int\"}";
	expect_hex("avro: blocks with their sizes", settings, "03040204020600", "[1, 2, 3]");
	path = stream(RECSYS_STREAM_AVRO, "a=a[*]", NULL);
	stream_option(path, "schema", "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}");
	expect_hex("avro: no array", path, "02", "rejected: The payload has something else where an array is expected, read by its schema of Avro.");
}

/* Each beginning of a message, and each with a byte changed, ends in a row or a reason. */
static void
test_damaged(void)
{
	RecsysStreamSettings *settings = stream(RECSYS_STREAM_AVRO, "a=$value", "b=user", "c=items", "d=price", "e=ts,time", "f=d", NULL);
	char		bytes[1000];
	size_t		length = from_hex(full, bytes);
	int			rejected = 0;
	int			changed = 0;

	stream_option(settings, "schema", schema);
	for (size_t i = 0; i < length; i++)
		rejected += strncmp(decoded_bytes(settings, bytes, i), "rejected: ", 10) == 0;
	ok(rejected == length, "avro: no beginning of a message is a message (%d of %d)", rejected, (int) length);
	for (size_t i = 0; i < length; i++)
	{
		char		kept = bytes[i];

		for (int change = 1; change < 256; change++)
		{
			bytes[i] = (char) (kept ^ change);
			changed += decoded_bytes(settings, bytes, length) != NULL;
		}
		bytes[i] = kept;
	}
	ok(changed == length * 255, "avro: changed bytes do no harm");
}

void
test_avro(void)
{
	test_types();
	test_decimals();
	test_schemas();
	test_broken();
	test_damaged();
}
