/*
 * modelsteps.c
 *	  From a model, as text, to those that differ from it by a step of an option.
 *
 * A step takes an option to the next value up or down its list.  Where two options make up
 * for each other, the best values lie along a valley that no step of one option alone
 * leads along: of rp3beta the best alpha and beta were 1 and 0.2, 0.8 and 0.7, 0.6 and 0.3
 * on three data sets.  Such options are stepped together as well, to all four corners.
 */
#include "postgres.h"

#include "api/measure/modelsteps.h"
#include "core/pairs/modeloptions.h"

#define MAX_VALUES 12

/*
 * The family that knows an option (NULL: all; COUNTED: those that count pairs as they are;
 * GRAPHED: those whose lists come from the item graph; WEIGHED: those that learn from
 * weights of any size).
 */
#define COUNTED "counted"
#define GRAPHED "graphed"
#define WEIGHED "weighed"

/* What there must be for a step to make sense */
typedef enum StepNeeds
{
	NEEDS_NOTHING,
	NEEDS_WEIGHTS,
	NEEDS_TIMES
} StepNeeds;

/* initial is what a text without the option has; values ascend. */
typedef struct Step
{
	const char *family;
	const char *option;
	const char *initial;
	const char *values[MAX_VALUES];
	StepNeeds	needs;
} Step;

static const Step steps[] = {
	{"rp3beta", "beta", "0.6", {"0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "1"}, NEEDS_NOTHING},
	{"rp3beta", "alpha", "1", {"0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1", "1.1", "1.2", "1.4"}, NEEDS_NOTHING},
	{WEIGHED, "weight_transform", "none", {"none", "log", "binary"}, NEEDS_WEIGHTS},
	{WEIGHED, "weighting", "none", {"none", "bm25", "tfidf"}, NEEDS_WEIGHTS},
	{GRAPHED, "min_support", "2", {"1", "2", "3", "5", "10"}, NEEDS_NOTHING},
	{GRAPHED, "neighbors", "100", {"10", "20", "50", "100", "200", "500"}, NEEDS_NOTHING},
	{COUNTED, "alpha", "0", {"0", "0.1", "0.2", "0.3", "0.5", "0.7", "1"}, NEEDS_NOTHING},
	{COUNTED, "shrinkage", "0", {"0", "5", "10", "20", "50", "100"}, NEEDS_NOTHING},
	{"cosine", "user_damping", "0", {"0", "0.25", "0.5", "0.75", "1"}, NEEDS_NOTHING},
	{"rp3beta", "shrinkage", "0", {"0", "2", "5", "10", "20", "50"}, NEEDS_NOTHING},
	{"spectral", "rank", "512", {"64", "128", "256", "512", "1024"}, NEEDS_NOTHING},
	{"spectral", "power", "0.4", {"0.2", "0.3", "0.4", "0.5", "0.7"}, NEEDS_NOTHING},
	{"spectral", "tail", "0.7", {"0.3", "0.5", "0.7", "1"}, NEEDS_NOTHING},
	{"ease", "lambda", "80", {"10", "20", "40", "80", "160", "320", "640"}, NEEDS_NOTHING},
	{"als", "rank", "128", {"16", "32", "64", "128", "256", "512"}, NEEDS_NOTHING},
	{"als", "unobserved", "0.01", {"0.001", "0.003", "0.01", "0.03", "0.1", "0.3"}, NEEDS_NOTHING},
	{"als", "lambda", "0.003", {"0.001", "0.002", "0.003", "0.005", "0.01", "0.03"}, NEEDS_NOTHING},
	{"itemknn", "candidates", "200", {"20", "50", "100", "200", "500"}, NEEDS_NOTHING},
	{"slim", "l1", "1", {"0", "0.5", "1", "2", "5"}, NEEDS_NOTHING},
	{"slim", "l2", "5", {"1", "5", "10", "20"}, NEEDS_NOTHING},
	{NULL, "half_life", "''", {"'7 days'", "'30 days'", "'90 days'", "'180 days'", "'365 days'", "''"}, NEEDS_TIMES},
};

/* Options that are stepped together */
static const struct
{
	const char *family;
	const char *options[2];
}			valleys[] =
{
	{"rp3beta", {"alpha", "beta"}},
	{"cosine", {"alpha", "user_damping"}},
	{"als", {"unobserved", "lambda"}},
};

/* An option of a text: where its value begins and ends; false when it is not there. */
static bool
find_option(const char *text, const char *option, const char **begin, const char **end)
{
	const char *place = text;
	Size		length = strlen(option);

	while ((place = strstr(place, option)) != NULL)
	{
		if ((place == text || place[-1] == ' ') && strncmp(place + length, " = ", 3) == 0)
		{
			*begin = place + length + 3;
			*end = *begin + strcspn(*begin, ",");
			return true;
		}
		place += length;
	}
	return false;
}

char *
RecsysTextWithOption(const char *text, const char *option, const char *value)
{
	const char *begin;
	const char *end;

	if (!find_option(text, option, &begin, &end))
		return psprintf("%s, %s = %s", text, option, value);
	return psprintf("%.*s%s%s", (int) (begin - text), text, value, end);
}

char *
RecsysTextFamily(const char *text)
{
	const char *begin;
	const char *end;

	if (!find_option(text, "similarity", &begin, &end))
		return pstrdup("cosine");
	return pnstrdup(begin, end - begin);
}

bool
RecsysFamilyHasOwnOptions(const char *family)
{
	static const char *const own[] = {"rp3beta", "itemknn", "spectral", "ease", "slim", "als"};

	for (int x = 0; x < (int) lengthof(own); x++)
		if (strcmp(family, own[x]) == 0)
			return true;
	return false;
}

bool
RecsysFamilyTakesWeights(const char *family)
{
	return strcmp(family, "cosine") == 0 ||
		(RecsysFamilyHasOwnOptions(family) && strcmp(family, "ease") != 0);
}

static bool
applies(const Step *step, const char *family, const RecsysDataShape *shape)
{
	if ((step->needs == NEEDS_TIMES && !shape->timed) ||
		(step->needs == NEEDS_WEIGHTS && !shape->weighted))
		return false;

	/* half_life is none of the model's */
	if (step->needs != NEEDS_TIMES && RecsysModelOptionFind(step->option) == NULL)
		return false;
	if (step->family == NULL)
		return true;
	if (strcmp(step->family, COUNTED) == 0)
		return !RecsysFamilyHasOwnOptions(family);
	if (strcmp(step->family, GRAPHED) == 0)
		return strcmp(family, "als") != 0;
	if (strcmp(step->family, WEIGHED) == 0)
		return RecsysFamilyTakesWeights(family);
	return strcmp(step->family, family) == 0;
}

/* The next value in a direction; NULL at the end of the list, or if the text is not on it. */
static const char *
next_value(const Step *step, const char *text, int way)
{
	const char *begin;
	const char *end;
	Size		length;
	int			at = 0;

	if (!find_option(text, step->option, &begin, &end))
	{
		begin = step->initial;
		end = begin + strlen(begin);
	}
	length = end - begin;
	while (at < MAX_VALUES && step->values[at] != NULL &&
		   (strlen(step->values[at]) != length || strncmp(step->values[at], begin, length) != 0))
		at++;
	if (at == MAX_VALUES || step->values[at] == NULL || at + way < 0 || at + way >= MAX_VALUES)
		return NULL;
	return step->values[at + way];
}

static const Step *
step_of(const char *family, const char *option, const RecsysDataShape *shape)
{
	for (int x = 0; x < (int) lengthof(steps); x++)
		if (strcmp(steps[x].option, option) == 0 && applies(&steps[x], family, shape))
			return &steps[x];
	return NULL;
}

/* Both options of a valley at once */
static List *
add_corners(List *texts, const char *text, const Step *one, const Step *other)
{
	for (int corner = 0; corner < 4; corner++)
	{
		const char *first = next_value(one, text, corner & 1 ? -1 : 1);
		const char *second = next_value(other, text, corner & 2 ? -1 : 1);

		if (first != NULL && second != NULL)
			texts = lappend(texts,
							RecsysTextWithOption(RecsysTextWithOption(text, one->option, first),
												 other->option, second));
	}
	return texts;
}

List *
RecsysTextNeighbors(const char *text, const RecsysDataShape *shape)
{
	char	   *family = RecsysTextFamily(text);
	List	   *texts = NIL;

	for (int x = 0; x < (int) lengthof(valleys); x++)
	{
		const Step *one = step_of(family, valleys[x].options[0], shape);
		const Step *other = step_of(family, valleys[x].options[1], shape);

		if (strcmp(valleys[x].family, family) == 0 && one != NULL && other != NULL)
			texts = add_corners(texts, text, one, other);
	}
	for (int x = 0; x < (int) lengthof(steps); x++)
	{
		if (!applies(&steps[x], family, shape))
			continue;
		for (int way = 1; way >= -1; way -= 2)
		{
			const char *value = next_value(&steps[x], text, way);

			if (value != NULL)
				texts = lappend(texts, RecsysTextWithOption(text, steps[x].option, value));
		}
	}
	return texts;
}
