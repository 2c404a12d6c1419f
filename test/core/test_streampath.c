/*
 * test_streampath.c
 *	  Tests of core/stream/streampath: paths are read as they are written, and what is none is refused.
 */
#include "core/stream/streampath.h"

#include "tap.h"

/* A path as it was understood: source, then >name, #index or * for each step. */
static const char *
understood(const char *text, RecsysPathForm form)
{
	static const char *const sources[] = {"payload", "key", "header", "timestamp", "offset", "partition", "topic"};
	static char result[2048];
	RecsysStreamPath path;
	const char *fault;
	int			length;

	if (!RecsysParseStreamPath(text, form, &path, &fault))
		return fault;
	if (fault != NULL)
		return "true with a fault";
	length = snprintf(result, sizeof(result), "%s", sources[path.source]);
	for (int i = 0; i < path.nsteps; i++)
	{
		const RecsysPathStep *step = &path.steps[i];

		if (step->kind == RECSYS_STEP_NAME && strlen(step->name) != step->length)
			return "wrong length";
		if ((step->kind == RECSYS_STEP_EACH) != (path.each == i))
			return "wrong step for each element";
		length += step->kind == RECSYS_STEP_EACH ? snprintf(result + length, sizeof(result) - length, "*") :
			step->kind == RECSYS_STEP_INDEX ? snprintf(result + length, sizeof(result) - length, "#%d", step->index) :
			snprintf(result + length, sizeof(result) - length, ">%s", step->name);
	}
	return result;
}

typedef struct Example
{
	const char *text;
	const char *tree;			/* how it is understood in JSON */
	const char *line;			/* in CSV */
} Example;

#define NO_COLUMN "is neither the name nor the number of a column"
#define NO_SOURCE "begins with a dollar sign and is none of $value, $key, $headers, $timestamp, $offset, $partition and $topic"
#define NO_NAME "has no name where one should be"
#define NO_NUMBER "has brackets with neither a number nor * in them"
#define NO_DOT "has neither a dot nor a bracket between two steps"

static const Example examples[] = {
	{"a", "payload>a", "payload>a"},
	{"3", "payload>3", "payload>3"},
	{"user.id", "payload>user>id", NO_COLUMN},
	{"items[0].id", "payload>items#0>id", NO_COLUMN},
	{"items[*].id", "payload>items*>id", NO_COLUMN},
	{"m[2][*][0]", "payload>m#2*#0", NO_COLUMN},
	{"[*].id", "payload*>id", NO_COLUMN},
	{"\"a.b\".c", "payload>a.b>c", NO_COLUMN},
	{"\"a.b\"", "payload>a.b", "payload>a.b"},
	{"\"say \"\"x\"\"\"", "payload>say \"x\"", "payload>say \"x\""},
	{"\"\"", "payload>", "payload>"},
	{"\"$key\"", "payload>$key", "payload>$key"},
	{"a.$key", "payload>a>$key", NO_COLUMN},
	{"@type", "payload>@type", "payload>@type"},
	{"\303\251t\303\251", "payload>\303\251t\303\251", "payload>\303\251t\303\251"},
	{"$value", "payload", "payload"},
	{"$value.a", "payload>a", "payload>a"},
	{"$value[*]", "payload*", NO_COLUMN},
	{"$key", "key", "key"},
	{"$key.id", "key>id", "key>id"},
	{"$key.a[1]", "key>a#1", "key>a#1"},
	{"$key[*]", "has [*] in the key, of which there is one", "has [*] in the key, of which there is one"},
	{"$headers.trace-id", "header>trace-id", "header>trace-id"},
	{"$headers", "names no header: $headers.name does", "names no header: $headers.name does"},
	{"$headers[0]", "names no header: $headers.name does", "names no header: $headers.name does"},
	{"$headers.a.b", "has more than the name of a header", "has more than the name of a header"},
	{"$timestamp", "timestamp", "timestamp"},
	{"$offset", "offset", "offset"},
	{"$partition", "partition", "partition"},
	{"$topic", "topic", "topic"},
	{"$topic.a", "goes on where nothing can follow", "goes on where nothing can follow"},
	{"$", NO_SOURCE, NO_SOURCE},
	{"$keys", NO_SOURCE, NO_SOURCE},
	{"$Key", NO_SOURCE, NO_SOURCE},
	{"", "is empty", "is empty"},
	{"a..b", NO_NAME, NO_NAME},
	{"a.", NO_NAME, NO_NAME},
	{".a", NO_NAME, NO_NAME},
	{"a.*", NO_NAME, NO_NAME},
	{" a", NO_NAME, NO_NAME},
	{"a b", NO_DOT, NO_DOT},
	{"a]", NO_DOT, NO_DOT},
	{"a[", NO_NUMBER, NO_NUMBER},
	{"a[]", NO_NUMBER, NO_NUMBER},
	{"a[-1]", NO_NUMBER, NO_NUMBER},
	{"a[1", NO_NUMBER, NO_NUMBER},
	{"a[*", NO_NUMBER, NO_NUMBER},
	{"a[1]b", NO_DOT, NO_DOT},
	{"a\"b\"", NO_DOT, NO_DOT},
	{"\"a", "has a name whose quotes do not end", "has a name whose quotes do not end"},
	{"\"a\"\"", "has a name whose quotes do not end", "has a name whose quotes do not end"},
	{"a[*].b[*]", "has [*] twice", "has [*] twice"},
	{"a[1000000]", "payload>a#1000000", NO_COLUMN},
	{"a[1000001]", "counts to more than a million elements", "counts to more than a million elements"},
	{"a[99999999999999999999]", "counts to more than a million elements", "counts to more than a million elements"},
	{"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p", "payload>a>b>c>d>e>f>g>h>i>j>k>l>m>n>o>p", NO_COLUMN},
	{"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q", "has more than 16 steps", "has more than 16 steps"},
};

static bool
same_array(const char *one, const char *other)
{
	RecsysStreamPath a;
	RecsysStreamPath b;
	const char *fault;

	return RecsysParseStreamPath(one, RECSYS_PATH_TREE, &a, &fault) &&
		RecsysParseStreamPath(other, RECSYS_PATH_TREE, &b, &fault) && RecsysStreamPathSameArray(&a, &b);
}

static const char *
word(const char *text)
{
	static RecsysStreamPath path;
	const char *fault;
	const char *found;

	if (!RecsysParseStreamPath(text, RECSYS_PATH_TREE, &path, &fault))
		return fault;
	found = RecsysStreamPathWord(&path);
	return found == NULL ? "none" : found;
}

void
test_streampath(void)
{
	char		text[RECSYS_PATH_LENGTH + 2];
	RecsysPathForm form;

	for (int i = 0; i < lengthof(examples); i++)
	{
		const char *tree = understood(examples[i].text, RECSYS_PATH_TREE);

		ok(strcmp(tree, examples[i].tree) == 0, "path: %s in JSON: %s", examples[i].text, tree);
		tree = understood(examples[i].text, RECSYS_PATH_LINE);
		ok(strcmp(tree, examples[i].line) == 0, "path: %s in CSV: %s", examples[i].text, tree);
	}
	ok(strcmp(understood("$value", RECSYS_PATH_WHOLE), "payload") == 0 &&
	   strcmp(understood("$key.id", RECSYS_PATH_WHOLE), "key>id") == 0 &&
	   strcmp(understood("a", RECSYS_PATH_WHOLE), "leads into a text, which has no parts: $value is all of it") == 0,
	   "path: a text has no parts");

	memset(text, 'x', sizeof(text));
	text[RECSYS_PATH_LENGTH] = '\0';
	ok(strlen(understood(text, RECSYS_PATH_TREE)) == RECSYS_PATH_LENGTH + strlen("payload>"),
	   "path: the longest");
	text[RECSYS_PATH_LENGTH] = 'x';
	text[RECSYS_PATH_LENGTH + 1] = '\0';
	ok(strcmp(understood(text, RECSYS_PATH_TREE), "is longer than 512 bytes") == 0, "path: one too long");

	ok(strcmp(word("user.id"), "id") == 0 && strcmp(word("tags[0]"), "tags") == 0 &&
	   strcmp(word("$headers.kind"), "kind") == 0 && strcmp(word("[*]"), "none") == 0 &&
	   strcmp(word("$offset"), "none") == 0, "path: the word of a path");
	ok(same_array("items[*].id", "items[*].price.value") && same_array("[*].id", "$value[*]") &&
	   same_array("a[1].b[*]", "a[1].b[*].c"), "path: the same array");
	ok(!same_array("items[*].id", "others[*].id") && !same_array("a[1].b[*]", "a[2].b[*]") &&
	   !same_array("a.b[*]", "b[*]") && !same_array("a.b[*]", "a[0][*]"), "path: another array");
	ok(RecsysStreamFormatForm("json", &form) && form == RECSYS_PATH_TREE &&
	   RecsysStreamFormatForm("csv", &form) && form == RECSYS_PATH_LINE &&
	   !RecsysStreamFormatForm("JSON", &form), "path: formats");
}
