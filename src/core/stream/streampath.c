/*
 * streampath.c
 *	  Where in a message a value is: paths, parsed by hand from left to right.
 */
#include "core/stream/streampath.h"

typedef struct Source
{
	const char *name;
	RecsysPathSource source;
	int			steps;			/* at most so many may follow */
} Source;

static const Source sources[] = {
	{"$value", RECSYS_PATH_PAYLOAD, RECSYS_PATH_STEPS},
	{"$key", RECSYS_PATH_KEY, RECSYS_PATH_STEPS},
	{"$headers", RECSYS_PATH_HEADER, 1},
	{"$timestamp", RECSYS_PATH_TIMESTAMP, 0},
	{"$offset", RECSYS_PATH_OFFSET, 0},
	{"$partition", RECSYS_PATH_PARTITION, 0},
	{"$topic", RECSYS_PATH_TOPIC, 0},
};

typedef struct Format
{
	const char *name;
	RecsysPathForm form;
} Format;

static const Format formats[] = {
	{"json", RECSYS_PATH_TREE},
	{"avro", RECSYS_PATH_TREE},
	{"csv", RECSYS_PATH_LINE},
	{"text", RECSYS_PATH_WHOLE},
};

bool
RecsysStreamFormatForm(const char *format, RecsysPathForm *form)
{
	for (int i = 0; i < lengthof(formats); i++)
	{
		if (strcmp(formats[i].name, format) == 0)
		{
			*form = formats[i].form;
			return true;
		}
	}
	return false;
}

/* May it stand in a name that has no quotes? */
static bool
is_plain(char letter)
{
	return (unsigned char) letter > ' ' && letter != '\x7f' && strchr(".[]\"*", letter) == NULL;
}

/* A name at *text, with or without quotes, is copied to *names; returns NULL, or what is wrong. */
static const char *
parse_name(const char **text, char **names, RecsysPathStep *step)
{
	const char *at = *text;

	step->kind = RECSYS_STEP_NAME;
	step->name = *names;
	if (*at == '"')
	{
		for (at++; *at != '"' || at[1] == '"'; at++)
		{
			if (*at == '\0')
				return "has a name whose quotes do not end";
			if (*at == '"')
				at++;
			*(*names)++ = *at;
		}
		at++;
	}
	else
	{
		while (is_plain(*at))
			*(*names)++ = *at++;
		if (*names == step->name)
			return "has no name where one should be";
	}
	step->length = (int) (*names - step->name);
	*(*names)++ = '\0';
	*text = at;
	return NULL;
}

/* [number] or [*] at *text; returns NULL, or what is wrong. */
static const char *
parse_element(const char **text, RecsysPathStep *step)
{
	static const char fault[] = "has brackets with neither a number nor * in them";
	const char *at = *text + 1;

	step->name = NULL;
	step->length = 0;
	step->index = 0;
	if (*at == '*')
	{
		step->kind = RECSYS_STEP_EACH;
		at++;
	}
	else
	{
		step->kind = RECSYS_STEP_INDEX;
		if (*at < '0' || *at > '9')
			return fault;
		for (; *at >= '0' && *at <= '9'; at++)
		{
			step->index = step->index * 10 + (*at - '0');
			if (step->index > 1000000)
				return "counts to more than a million elements";
		}
	}
	if (*at != ']')
		return fault;
	*text = at + 1;
	return NULL;
}

/* The source that text begins with; *rest is what follows.  NULL if there is none of that name. */
static const Source *
find_source(const char *text, const char **rest)
{
	int			length = 1;

	while (is_plain(text[length]))
		length++;
	for (int i = 0; i < lengthof(sources); i++)
	{
		if (strlen(sources[i].name) == length && strncmp(sources[i].name, text, length) == 0)
		{
			*rest = text + length;
			return &sources[i];
		}
	}
	return NULL;
}

static const char *
parse_steps(const char *text, bool begins, RecsysStreamPath *path)
{
	char	   *names = path->names;

	while (*text != '\0')
	{
		RecsysPathStep *step = &path->steps[path->nsteps];
		const char *fault;

		if (path->nsteps == RECSYS_PATH_STEPS)
			return "has more than 16 steps";
		if (*text == '[')
			fault = parse_element(&text, step);
		else if (begins || *text == '.')
		{
			if (!begins)
				text++;
			fault = parse_name(&text, &names, step);
		}
		else
			fault = "has neither a dot nor a bracket between two steps";
		if (fault != NULL)
			return fault;
		begins = false;
		if (step->kind == RECSYS_STEP_EACH)
		{
			if (path->each >= 0)
				return "has [*] twice";
			path->each = path->nsteps;
		}
		path->nsteps++;
	}
	return NULL;
}

/* Does what was parsed make sense for such a source and form?  NULL, or what is wrong. */
static const char *
check_path(const RecsysStreamPath *path, const Source *source, RecsysPathForm form)
{
	if (path->nsteps > source->steps)
		return source->source == RECSYS_PATH_HEADER ? "has more than the name of a header" :
			"goes on where nothing can follow";
	if (source->source == RECSYS_PATH_HEADER &&
		(path->nsteps != 1 || path->steps[0].kind != RECSYS_STEP_NAME))
		return "names no header: $headers.name does";
	if (source->source == RECSYS_PATH_KEY && path->each >= 0)
		return "has [*] in the key, of which there is one";
	if (source->source == RECSYS_PATH_PAYLOAD)
	{
		if (form == RECSYS_PATH_LINE &&
			(path->nsteps > 1 || (path->nsteps == 1 && path->steps[0].kind != RECSYS_STEP_NAME)))
			return "is neither the name nor the number of a column";
		if (form == RECSYS_PATH_WHOLE && path->nsteps > 0)
			return "leads into a text, which has no parts: $value is all of it";
	}
	return NULL;
}

bool
RecsysParseStreamPath(const char *text, RecsysPathForm form, RecsysStreamPath *path, const char **fault)
{
	const Source *source = &sources[0];
	bool		begins = true;

	path->nsteps = 0;
	path->each = -1;
	*fault = NULL;
	if (*text == '\0')
		*fault = "is empty";
	else if (strlen(text) > RECSYS_PATH_LENGTH)
		*fault = "is longer than 512 bytes";
	else if (*text == '$')
	{
		source = find_source(text, &text);
		begins = false;
		if (source == NULL)
			*fault = "begins with a dollar sign and is none of $value, $key, $headers, $timestamp, "
				"$offset, $partition and $topic";
	}
	if (*fault == NULL)
	{
		path->source = source->source;
		*fault = parse_steps(text, begins, path);
	}
	if (*fault == NULL)
		*fault = check_path(path, source, form);
	return *fault == NULL;
}

const char *
RecsysStreamPathWord(const RecsysStreamPath *path)
{
	for (int i = path->nsteps - 1; i >= 0; i--)
	{
		if (path->steps[i].kind == RECSYS_STEP_NAME)
			return path->steps[i].name;
	}
	return NULL;
}

static bool
same_step(const RecsysPathStep *one, const RecsysPathStep *other)
{
	if (one->kind != other->kind)
		return false;
	if (one->kind == RECSYS_STEP_NAME)
		return one->length == other->length && memcmp(one->name, other->name, one->length) == 0;
	return one->index == other->index;
}

bool
RecsysStreamPathSameArray(const RecsysStreamPath *one, const RecsysStreamPath *other)
{
	if (one->each != other->each || one->source != other->source)
		return false;
	for (int i = 0; i < one->each; i++)
	{
		if (!same_step(&one->steps[i], &other->steps[i]))
			return false;
	}
	return true;
}
