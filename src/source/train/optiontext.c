/*
 * optiontext.c
 *	  Options of a model as text: 'similarity = ease, lambda = 200'.
 *
 * Names and ranges come from the table that index options are made of, too
 * (core/pairs/modeloptions.c), so that both understand and refuse the same.
 */
#include "postgres.h"

#include <ctype.h>

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "source/input/values.h"
#include "source/train/optiontext.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

int64
RecsysParseHalfLife(const char *option, const char *value)
{
	bool		is_age = strcmp(option, "item_max_age") == 0;
	Interval   *interval;
	double		microseconds;

	if (value == NULL || *value == '\0' || RecsysNamesEqual(value, "none") ||
		RecsysNamesEqual(value, "off"))
		return 0;

	interval = DatumGetIntervalP(DirectFunctionCall3(interval_in,
													 CStringGetDatum(value),
													 ObjectIdGetDatum(InvalidOid),
													 Int32GetDatum(-1)));
	microseconds = RecsysIntervalMicroseconds(interval);

	if (!(microseconds > 0 && microseconds < 9e18))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for option \"%s\": \"%s\"", option, value),
				 is_age ? errdetail("An age is a positive interval.") :
				 errdetail("A half-life is a positive interval."),
				 is_age ? errhint("Write for example %s = '180 days', or off.", option) :
				 errhint("Write for example %s = '30 days', or '' for no decay.", option)));
	return (int64) microseconds;
}

void
RecsysCheckQueryHalfLives(bool timed, int64 half_life, const RecsysModelOptions *options)
{
	const char *option = half_life > 0 ? "half_life" : RecsysModelOptionTimed(options);

	if (timed || option == NULL)
		return;
	if (half_life <= 0 && RecsysModelUsesOrder(options))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query has no time to tell what comes after what, which similarity \"%s\" is about",
						RecsysSimilarityName(options->similarity)),
				 errhint("The query must return user, item [, weight], time.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the query has no time to apply %s to", option),
			 errhint("The query must return user, item [, weight], time.")));
}

const char *
RecsysSimilarityHint(void)
{
	static char *hint = NULL;
	StringInfoData buffer;
	int			last = RECSYS_LAST_SIMILARITY;

	if (hint != NULL)
		return hint;
	initStringInfo(&buffer);
	appendStringInfoString(&buffer, "Valid values are ");
	for (int x = RECSYS_COSINE; x <= last; x++)
		appendStringInfo(&buffer, "%s\"%s\"",
						 x == RECSYS_COSINE ? "" : x == last ? " and " : ", ",
						 RecsysSimilarityName(x));
	appendStringInfoChar(&buffer, '.');
	hint = MemoryContextStrdup(TopMemoryContext, buffer.data);
	pfree(buffer.data);
	return hint;
}

static void
set_number(const RecsysModelOption *option, RecsysModelOptions *options, const char *value)
{
	double		number;

	if (option->kind == RECSYS_OPTION_INTEGER)
		number = pg_strtoint32(value);
	else
		number = DatumGetFloat8(DirectFunctionCall1(float8in, CStringGetDatum(value)));
	if (!RecsysModelOptionSet(option, options, number))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between %.10g and %.10g", option->name,
						option->least, option->most)));
}

void
RecsysSetOption(RecsysModelOptions *options, const char *name, const char *value)
{
	const RecsysModelOption *option = RecsysModelOptionFind(name);

	if (option == NULL)
	{
		StringInfoData names;

		initStringInfo(&names);
		for (int x = 0; x < RecsysModelOptionCount; x++)
			appendStringInfo(&names, "%s%s", x > 0 ? ", " : "", RecsysModelOptionTable[x].name);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized option \"%s\"", name),
				 errhint("Options are %s.", names.data)));
	}

	switch (option->kind)
	{
		case RECSYS_OPTION_SIMILARITY:
			if (!RecsysSimilarityParse(value, RecsysModelOptionField(option, options, RecsysSimilarity)))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("unknown similarity \"%s\"", value),
						 errhint("%s", RecsysSimilarityHint())));
			break;
		case RECSYS_OPTION_WEIGHTING:
			if (!RecsysWeightingParse(value, RecsysModelOptionField(option, options, RecsysWeighting)))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("unknown weighting \"%s\"", value),
						 errhint("Valid values are \"none\", \"tfidf\" and \"bm25\".")));
			break;
		case RECSYS_OPTION_TRANSFORM:
			if (!RecsysWeightTransformParse(value, RecsysModelOptionField(option, options,
																		  RecsysWeightTransform)))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("unknown weight_transform \"%s\"", value),
						 errhint("Valid values are \"auto\", \"none\", \"log\" and \"binary\".")));
			break;
		case RECSYS_OPTION_INTERVAL:
			*RecsysModelOptionField(option, options, int64) = RecsysParseHalfLife(option->name, value);
			break;
		default:
			set_number(option, options, value);
			break;
	}
}

/* Without white space, and without the quotes that a value may have. */
static char *
trim(char *word)
{
	Size		length;

	while (isspace((unsigned char) *word))
		word++;
	length = strlen(word);
	while (length > 0 && isspace((unsigned char) word[length - 1]))
		length--;
	if (length >= 2 && word[0] == '\'' && word[length - 1] == '\'')
	{
		word++;
		length -= 2;
	}
	word[length] = '\0';
	return word;
}

void
RecsysParseOptionText(RecsysModelOptions *options, const char *text)
{
	char	   *copy = pstrdup(text);
	char	   *next = copy;

	while (next != NULL)
	{
		char	   *word = next;
		char	   *equals;

		next = strchr(word, ',');
		if (next != NULL)
			*next++ = '\0';
		word = trim(word);
		if (*word == '\0' && next == NULL)
			break;
		equals = strchr(word, '=');
		if (equals == NULL)
		{
			RecsysSimilarity similarity;

			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("invalid option \"%s\"", word),
					 RecsysSimilarityParse(word, &similarity) ?
					 errhint("Write similarity = %s.", word) :
					 errhint("Write options as 'name = value, name = value'.")));
		}
		*equals = '\0';
		RecsysSetOption(options, trim(word), trim(equals + 1));
	}
	pfree(copy);
}

/* As an interval is written, in whole days where it has some. */
char *
RecsysIntervalText(int64 microseconds)
{
	Interval	interval = {0};

	interval.day = (int32) Min(microseconds / USECS_PER_DAY, PG_INT32_MAX);
	interval.time = microseconds - interval.day * USECS_PER_DAY;
	return psprintf("'%s'", DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(&interval))));
}

/* An option's value as it would be written; NULL when it is the same in both. */
static char *
value_unlike(const RecsysModelOption *option, const RecsysModelOptions *options,
			 const RecsysModelOptions *other)
{
	int			number;

	switch (option->kind)
	{
		case RECSYS_OPTION_REAL:
			if (*RecsysModelOptionField(option, options, double) ==
				*RecsysModelOptionField(option, other, double))
				return NULL;
			return psprintf("%g", *RecsysModelOptionField(option, options, double));
		case RECSYS_OPTION_INTERVAL:
			{
				int64		microseconds = *RecsysModelOptionField(option, options, int64);

				if (microseconds == *RecsysModelOptionField(option, other, int64))
					return NULL;
				return microseconds == 0 ? pstrdup("none") : RecsysIntervalText(microseconds);
			}
		default:
			number = *RecsysModelOptionField(option, options, int);
			if (number == *RecsysModelOptionField(option, other, int))
				return NULL;
			if (option->kind == RECSYS_OPTION_SIMILARITY)
				return pstrdup(RecsysSimilarityName((RecsysSimilarity) number));
			if (option->kind == RECSYS_OPTION_WEIGHTING)
				return pstrdup(RecsysWeightingName((RecsysWeighting) number));
			if (option->kind == RECSYS_OPTION_TRANSFORM)
				return pstrdup(RecsysWeightTransformName((RecsysWeightTransform) number));
			return psprintf("%d", number);
	}
}

char *
RecsysOptionsUnlike(const RecsysModelOptions *options, const RecsysModelOptions *other)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int x = 0; x < RecsysModelOptionCount; x++)
	{
		const RecsysModelOption *option = &RecsysModelOptionTable[x];
		char	   *value = value_unlike(option, options, other);

		if (value != NULL)
			appendStringInfo(&text, "%s%s = %s", text.len > 0 ? ", " : "", option->name, value);
	}
	return text.data;
}

char *
RecsysModelAsText(const RecsysModelOptions *options)
{
	RecsysModelOptions plain;
	char	   *others;

	RecsysModelOptionsInit(&plain);
	plain.similarity = options->similarity;
	RecsysModelOptionsResolve(&plain);
	others = RecsysOptionsUnlike(options, &plain);
	return psprintf("similarity = %s%s%s", RecsysSimilarityName(options->similarity),
					*others != '\0' ? ", " : "", others);
}

char *
RecsysServedModelText(const RecsysModelOptions *options, int64 half_life)
{
	char	   *text = RecsysModelAsText(options);

	return half_life > 0 ? psprintf("%s, half_life = %s", text, RecsysIntervalText(half_life)) : text;
}
