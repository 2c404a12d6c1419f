/*
 * jobtext.c
 *	  Jobs as text: their names, schedules, and lines that make them without pg_cron at hand.
 */
#include "postgres.h"

#include "api/schedule/jobtext.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* A name of pg_cron's is one of the server's, and would be cut without a word. */
#define LONGEST_JOB (NAMEDATALEN - 1)

/* "~" and the hash */
#define HASH_LENGTH 9

char *
RecsysJobName(const char *recommender, const char *kind)
{
	char	   *job = psprintf("recsys %s %s", recommender, kind);
	int			length;
	int			room;
	uint32		hash;

	if (strlen(job) <= LONGEST_JOB)
		return job;
	length = (int) strlen(recommender);
	hash = DatumGetUInt32(hash_any((const unsigned char *) recommender, length));
	room = LONGEST_JOB - (int) (strlen(job) - length) - HASH_LENGTH;
	return psprintf("recsys %.*s~%08x %s", pg_mbcliplen(recommender, length, room), recommender, hash,
					kind);
}

/* The fields of a crontab, what numbers they take, and what names stand for the first of these on */
typedef struct Field
{
	int			low;
	int			high;
	const char *names;			/* three letters each; NULL: there are none */
} Field;

static const Field fields[] = {
	{0, 59, NULL},
	{0, 23, NULL},
	{1, 31, NULL},
	{1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
	{0, 7, "sunmontuewedthufrisat"},
};

#define DAY_OF_MONTH 2

/* Reads a number or a name; -1 if there is none that the field takes. */
static int
read_value(const Field *field, const char **text)
{
	int			value = 0;
	int			digits = (int) strspn(*text, "0123456789");

	if (digits > 0 && digits <= 2)
	{
		for (int i = 0; i < digits; i++)
			value = value * 10 + ((*text)[i] - '0');
		*text += digits;
		return value >= field->low && value <= field->high ? value : -1;
	}
	for (const char *name = field->names; name != NULL && *name != '\0'; name += 3, value++)
		if (pg_strncasecmp(*text, name, 3) == 0)
		{
			*text += 3;
			return field->low + value;
		}
	return -1;
}

/* One of the parts that commas separate: *, 5, 1-5, each perhaps with a step as in "* / 5" */
static bool
read_part(const Field *field, const char **text)
{
	if (**text == '*')
		(*text)++;
	else
	{
		int			first = read_value(field, text);

		if (first < 0)
			return false;
		if (**text == '-')
		{
			(*text)++;
			if (read_value(field, text) < first)
				return false;
		}
	}
	if (**text == '/')
	{
		int			digits = (int) strspn(*text + 1, "0123456789");

		if (digits < 1 || digits > 2 || strspn(*text + 1, "0") == digits)
			return false;
		*text += 1 + digits;
	}
	return true;
}

static bool
read_field(const Field *field, const char **text)
{
	/* newer versions of pg_cron: the last day of the month */
	if (field == &fields[DAY_OF_MONTH] && **text == '$')
	{
		(*text)++;
		return true;
	}
	while (read_part(field, text))
	{
		if (**text != ',')
			return true;
		(*text)++;
	}
	return false;
}

/* Does it have the five fields of a crontab? */
static bool
has_five_fields(const char *schedule)
{
	const char *text = schedule + strspn(schedule, " ");

	for (int i = 0; i < (int) lengthof(fields); i++)
	{
		if (!read_field(&fields[i], &text) || (*text != ' ' && *text != '\0'))
			return false;
		text += strspn(text, " ");
	}
	return *text == '\0';
}

/* "@daily" and its like, or "30 seconds", which newer versions of pg_cron know */
static bool
is_named(const char *schedule)
{
	const char *rest = schedule;

	if (*rest == '@')
		return strlen(rest) > 1 && strspn(rest + 1, "abcdefghijklmnopqrstuvwxyz") == strlen(rest + 1);
	rest += strspn(rest, "0123456789");
	return rest > schedule && (strcmp(rest, " seconds") == 0 || strcmp(rest, " second") == 0);
}

void
RecsysCheckSchedule(const char *argument, const char *schedule)
{
	if (!has_five_fields(schedule) && !is_named(schedule))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is no schedule: \"%s\"", argument, schedule),
				 errhint("Write minute, hour, day of the month, month and day of the week as in a crontab, '15 3 * * *' for a quarter past three each day; NULL for no such job.")));
}

/* As one word of a shell, in a crontab, where a percent sign means the end of the line. */
static void
append_word(StringInfo line, const char *word)
{
	appendStringInfoChar(line, '\'');
	for (const char *c = word; *c != '\0'; c++)
	{
		if (*c == '\'')
			appendStringInfoString(line, "'\\''");
		else if (*c == '%')
			appendStringInfoString(line, "'\\%'");
		else
			appendStringInfoChar(line, *c);
	}
	appendStringInfoChar(line, '\'');
}

char *
RecsysCrontabLine(const char *schedule, const char *command, const char *database)
{
	StringInfoData line;

	/* a name may have a line break; and cron knows no seconds */
	if (strpbrk(command, "\r\n") != NULL || strpbrk(database, "\r\n") != NULL ||
		(*schedule != '@' && !has_five_fields(schedule)) || strchr(schedule, '$') != NULL)
		return NULL;
	initStringInfo(&line);
	appendStringInfo(&line, "%s psql -X -q -d ", schedule);
	append_word(&line, database);
	appendStringInfoString(&line, " -c ");
	append_word(&line, command);
	return line.data;
}

/* There jobs of several databases stand beside each other, and names are to tell them apart. */
char *
RecsysCronStatement(const char *job, const char *schedule, const char *command, const char *database)
{
	return psprintf("SELECT cron.schedule_in_database(%s, %s, %s, %s, %s);",
					quote_literal_cstr(psprintf("%s in %s", job, database)), quote_literal_cstr(schedule),
					quote_literal_cstr(command), quote_literal_cstr(database),
					quote_literal_cstr(GetUserNameFromId(GetUserId(), false)));
}
