/*
 * test_csv.c
 *	  Tests of CSV and of plain text.
 */
#include "unit.h"

static RecsysStreamSettings *
csv(const char *delimiter, const char *quote, const char *null, const char *header)
{
	RecsysStreamSettings *settings = stream(RECSYS_STREAM_CSV, "a=1", "c=3", "w=$value", NULL);

	settings->nfields = 2;
	if (delimiter != NULL)
		stream_option(settings, "delimiter", delimiter);
	if (quote != NULL)
		stream_option(settings, "quote", quote);
	if (null != NULL)
		stream_option(settings, "null", null);
	if (header != NULL)
		stream_option(settings, "header", header);
	return settings;
}

static void
test_header(void)
{
	RecsysStreamSettings *named = stream(RECSYS_STREAM_CSV, "u=user", "i=\"the item\"", "t=3,time", NULL);
	RecsysStreamSettings *array = stream(RECSYS_STREAM_CSV, "u=user", "i=\"the item\"", NULL);

	expect("csv: no header", named, "1,2,3",
		   "no decoder: The source of u, user, is no column of the CSV: it is neither in the option header nor a number from 1.");
	stream_option(named, "header", "\"the item\",user,ts");
	expect("csv: names of the header", named, "b-1,7,1764398700", "7\tb-1\t2025-11-29 06:45:00+00");
	stream_option(array, "header", "[\"user\", \"the item\"]");
	expect("csv: a header that is JSON", array, "7,x", "7\tx");
	array->options[0].value = "[\"user\", 1]";
	expect("csv: a header that is neither", array, "7,x",
		   "no decoder: The option header of CSV is neither a record nor a JSON array of names.");
	expect("csv: columns begin with 1", stream(RECSYS_STREAM_CSV, "u=0", NULL), "1",
		   "no decoder: The source of u, 0, is no column of the CSV: it is neither in the option header nor a number from 1.");
	expect("csv: no paths", stream(RECSYS_STREAM_CSV, "u=a.b", NULL), "1",
		   "no decoder: The source of u, a.b, is neither the name nor the number of a column.");
}

void
test_csv(void)
{
	RecsysStreamSettings *plain = csv(NULL, NULL, NULL, NULL);
	RecsysStreamSettings *whole = stream(RECSYS_STREAM_TEXT, "w=$value", NULL);

	expect("csv: values", plain, "x,y,z,more", "x\tz");
	expect("csv: a line feed at the end", plain, "x,y,z\n", "x\tz");
	expect("csv: both at the end", plain, "x,y,z\r\n", "x\tz");
	expect("csv: nothing is null, quotes are not", plain, ",,\"\"", "\\N\t");
	expect("csv: nothing at the end", plain, "x,y,", "x\t\\N");
	expect("csv: quotes", plain, "\"a,\"\"b\"\"\n\",\"\",\"\\N\"", "a,\"b\"\\n\t\\\\N");
	expect("csv: spaces count", plain, " x , y , z ", " x \t z ");
	expect("csv: too few", plain, "x,y", "rejected: The payload has no column 3, which is that of c.");
	expect("csv: empty", plain, "", "rejected: The payload is empty.");
	expect("csv: an empty line", plain, "\n", "rejected: The payload is empty.");
	expect("csv: two lines", plain, "x,y,z\nx,y,z", "rejected: The payload has more than one line.");
	expect("csv: quotes that do not end", plain, "x,\"y,z", "rejected: The payload has quotes that do not end.");
	expect("csv: quotes that do not end with one", plain, "x,y,\"z\"\"", "rejected: The payload has quotes that do not end.");
	expect("csv: something behind quotes", plain, "\"x\"y,z,z", "rejected: The payload has something behind the quotes of a value.");
	expect("csv: a quote in the middle", plain, "x\"y,z,z", "rejected: The payload has a quote inside a value without quotes.");
	expect("csv: Latin-1", plain, "\351,y,z", "rejected: The payload is no text in UTF-8.");
	expect("csv: a byte order mark", plain, "\xEF\xBB\xBFx,y,z", "x\tz");
	expect("csv: tabs", csv("\t", NULL, NULL, NULL), "x\ty\tz", "x\tz");
	expect("csv: tabs by name, no quotes, another null", csv("\\t", "", "\\N", NULL), "\"x\t\t\\N", "\"x\t\\N");
	expect("csv: other letters", csv(";", "'", "-", NULL), "'x;''';-;-", "x;'\t\\N");
	expect("csv: a long delimiter", csv(",,", NULL, NULL, NULL), "x", "no decoder: The option delimiter of CSV must be one letter of ASCII.");
	expect("csv: no delimiter", csv("", NULL, NULL, NULL), "x", "no decoder: The option delimiter of CSV must be one letter of ASCII.");
	expect("csv: one letter for both", csv("\"", NULL, NULL, NULL), "x",
		   "no decoder: The delimiter and the quote of CSV cannot be the same letter.");
	plain->nfields = 3;
	expect("csv: the whole of it", plain, "x,\"y\",z\n", "x\tz\tx,\"y\",z\\n");
	test_header();

	expect("text: all of it", whole, "a\tb\\\n", "a\\tb\\\\\\n");
	expect("text: nothing", whole, "", "");
	expect("text: Latin-1", whole, "\351", "rejected: The value for w is no text in UTF-8.");
	expect("text: any bytes", stream(RECSYS_STREAM_TEXT, "w=$value,bytes", NULL), "\351\001", "\\\\xe901");
	expect("text: has no parts", stream(RECSYS_STREAM_TEXT, "w=a", NULL), "",
		   "no decoder: The source of w, a, leads into a text, which has no parts: $value is all of it.");
	expect("text: a time", stream(RECSYS_STREAM_TEXT, "w=$value,time,s", NULL), "1764398700", "2025-11-29 06:45:00+00");
	expect("text: JSON", stream(RECSYS_STREAM_TEXT, "w=$value,document", NULL), " {\"a\":1}", " {\"a\":1}");
	expect("text: an unknown option", csv(NULL, NULL, NULL, NULL), "x,y,z", "x\tz");
	stream_option(whole, "header", "a");
	expect("text: has no options", whole, "x", "no decoder: The format text has no option header.");
}
