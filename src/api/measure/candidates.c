/*
 * candidates.c
 *	  Models to try, as texts: given ones, or a search from the best on.
 *
 * The search first tries every family of models as it comes.  Then it takes the best
 * model so far and changes one option at a time to the next value up or down the
 * option's list, and goes on from there whenever that is better; when nothing is, it
 * goes on from the next best model whose neighborhood it has not looked at, and so on
 * until the budget is spent.  This is coordinate search.  Nothing in it is random, so the
 * same data give the same trials.
 *
 * A column of weights may hold quantities up to tens of thousands, whose squares drown
 * everything else.  So models that are learned from weights begin with weights that
 * saturate (bm25).  ease never sees them as they are: with squares some 10^7 times lambda
 * its matrix has no inverse in single precision.
 */
#include "postgres.h"

#include <math.h>

#include "api/measure/candidates.h"
#include "api/measure/model_argument.h"
#include "lib/stringinfo.h"
#include "utils/memutils.h"

/* An expansion of given texts gives no more than this. */
#define MAX_EXPANSIONS 10000

typedef struct Trial
{
	char	   *text;
	double		value;
	bool		explored;		/* all its neighbors have been tried */
} Trial;

struct RecsysCandidates
{
	MemoryContext context;
	bool		searching;
	bool		weighted;
	bool		timed;
	Trial	   *trials;
	int			ntrials;		/* of which the last may be without value yet */
	int			size;
	List	   *given;
	int			next;			/* of the list, or of the families */
};

/*
 * A step of the search: an option, the values it can have in ascending order, and the
 * family that knows it (NULL: all; COUNTED: those that count pairs; GRAPHED: those whose
 * lists come from the item graph, all but als; WEIGHED: those that learn from weights of
 * any size).  The first value is the default where the option is not part of the text.
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

typedef struct Step
{
	const char *family;
	const char *option;
	const char *initial;
	const char *values[8];
	StepNeeds	needs;
} Step;

static const char *const families[] = {
	"similarity = cosine, min_support = 1",
	"similarity = cosine, min_support = 2, shrinkage = 10",
	"similarity = jaccard, min_support = 1",
	"similarity = confidence, min_support = 1, alpha = 0.3",
	"similarity = log_likelihood, min_support = 1",
	"similarity = lift, min_support = 3, shrinkage = 20",
	"similarity = pmi, min_support = 3, shrinkage = 10",
	"similarity = rp3beta, min_support = 1, neighbors = 200",
	"similarity = itemknn, min_support = 1, neighbors = 500, candidates = 100",
	"similarity = spectral, min_support = 1, neighbors = 500",
	"similarity = ease, min_support = 1, neighbors = 200",
	"similarity = slim, min_support = 1",
	"similarity = als",
};

static const Step steps[] = {
	{GRAPHED, "neighbors", "100", {"10", "20", "50", "100", "200", "500"}, NEEDS_NOTHING},
	{COUNTED, "alpha", "0", {"0", "0.1", "0.2", "0.3", "0.5", "0.7", "1"}, NEEDS_NOTHING},
	{COUNTED, "shrinkage", "0", {"0", "5", "10", "20", "50", "100"}, NEEDS_NOTHING},
	{WEIGHED, "weighting", "none", {"none", "bm25", "tfidf"}, NEEDS_WEIGHTS},
	{"rp3beta", "beta", "0.6", {"0.2", "0.4", "0.6", "0.8", "1"}, NEEDS_NOTHING},
	{"rp3beta", "alpha", "1", {"0.6", "0.8", "1", "1.2", "1.4"}, NEEDS_NOTHING},
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
	{GRAPHED, "min_support", "2", {"1", "2", "3", "5", "10"}, NEEDS_NOTHING},
	{NULL, "half_life", "''", {"'7 days'", "'30 days'", "'90 days'", "'180 days'", "'365 days'", "''"}, NEEDS_TIMES},
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

/* The text with an option set. */
static char *
with_option(const char *text, const char *option, const char *value)
{
	const char *begin;
	const char *end;

	if (!find_option(text, option, &begin, &end))
		return psprintf("%s, %s = %s", text, option, value);
	return psprintf("%.*s%s%s", (int) (begin - text), text, value, end);
}

static bool
has_value(const char *text, const Step *step, const char *value)
{
	const char *begin;
	const char *end;

	if (!find_option(text, step->option, &begin, &end))
		return strcmp(step->initial, value) == 0;
	return strlen(value) == end - begin && strncmp(begin, value, end - begin) == 0;
}

/* Is the family one with options of its own? */
static bool
is_learned(const char *family, Size length)
{
	static const char *const learned[] = {"rp3beta", "itemknn", "spectral", "ease", "slim", "als"};

	for (int x = 0; x < (int) lengthof(learned); x++)
		if (strlen(learned[x]) == length && strncmp(family, learned[x], length) == 0)
			return true;
	return false;
}

/* Do weights of any size do for the family, and do they count for it? */
static bool
is_weighed(const char *family, Size length)
{
	return (length == strlen("cosine") && strncmp(family, "cosine", length) == 0) ||
		(is_learned(family, length) &&
		 !(length == strlen("ease") && strncmp(family, "ease", length) == 0));
}

/* Does the step apply to the model? */
static bool
applies(const RecsysCandidates *candidates, const Step *step, const char *text)
{
	const char *begin;
	const char *end;

	if ((step->needs == NEEDS_TIMES && !candidates->timed) ||
		(step->needs == NEEDS_WEIGHTS && !candidates->weighted))
		return false;
	if (step->family == NULL)
		return true;
	if (!find_option(text, "similarity", &begin, &end))
		return false;
	if (strcmp(step->family, COUNTED) == 0)
		return !is_learned(begin, end - begin);
	if (strcmp(step->family, GRAPHED) == 0)
		return end - begin != strlen("als") || strncmp(begin, "als", end - begin) != 0;
	if (strcmp(step->family, WEIGHED) == 0)
		return is_weighed(begin, end - begin);
	return strlen(step->family) == end - begin && strncmp(begin, step->family, end - begin) == 0;
}

static bool
tried(const RecsysCandidates *candidates, const char *text)
{
	for (int x = 0; x < candidates->ntrials; x++)
		if (strcmp(candidates->trials[x].text, text) == 0)
			return true;
	return false;
}

/* A neighbor of the trial that has not been tried, or NULL. */
static char *
untried_neighbor(const RecsysCandidates *candidates, const Trial *trial)
{
	for (int x = 0; x < (int) lengthof(steps); x++)
	{
		const Step *step = &steps[x];
		int			at = 0;

		if (!applies(candidates, step, trial->text))
			continue;
		while (step->values[at] != NULL && !has_value(trial->text, step, step->values[at]))
			at++;
		if (step->values[at] == NULL)
			continue;
		for (int way = 1; way >= -1; way -= 2)
		{
			char	   *text;

			if (at + way < 0 || at + way >= (int) lengthof(step->values) || step->values[at + way] == NULL)
				continue;
			text = with_option(trial->text, step->option, step->values[at + way]);
			if (!tried(candidates, text))
				return text;
			pfree(text);
		}
	}
	return NULL;
}

/* The best trial that may have untried neighbors, the earlier of equals; NULL if none. */
static Trial *
best_unexplored(RecsysCandidates *candidates)
{
	Trial	   *best = NULL;

	for (int x = 0; x < candidates->ntrials; x++)
	{
		Trial	   *trial = &candidates->trials[x];

		if (!trial->explored && !isnan(trial->value) && (best == NULL || trial->value > best->value))
			best = trial;
	}
	return best;
}

/* A family as it comes; als has a regularization that grows with the weights. */
static char *
next_family(RecsysCandidates *candidates)
{
	const char *text = families[candidates->next++];
	const char *begin;
	const char *end;

	if (candidates->weighted && find_option(text, "similarity", &begin, &end) &&
		is_learned(begin, end - begin) && strncmp(begin, "als", end - begin) != 0)
		return with_option(text, "weighting", "bm25");
	return pstrdup(text);
}

static char *
next_of_search(RecsysCandidates *candidates)
{
	Trial	   *best;

	if (candidates->next < (int) lengthof(families))
		return next_family(candidates);
	while ((best = best_unexplored(candidates)) != NULL)
	{
		char	   *text = untried_neighbor(candidates, best);

		if (text != NULL)
			return text;
		best->explored = true;
	}
	return NULL;
}

static RecsysCandidates *
create(void)
{
	RecsysCandidates *candidates = palloc0(sizeof(RecsysCandidates));

	candidates->context = CurrentMemoryContext;
	candidates->size = 64;
	candidates->trials = palloc(sizeof(Trial) * candidates->size);
	return candidates;
}

RecsysCandidates *
RecsysCandidatesSearch(bool weighted, bool timed)
{
	RecsysCandidates *candidates = create();

	candidates->searching = true;
	candidates->weighted = weighted;
	candidates->timed = timed;
	return candidates;
}

/* Adds all texts that the braces of one stand for. */
static void
expand(RecsysCandidates *candidates, char *text)
{
	char	   *open = strchr(text, '{');
	char	   *close = open != NULL ? strchr(open, '}') : NULL;

	if (open == NULL)
	{
		if (list_length(candidates->given) == MAX_EXPANSIONS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("more than %d models to try", MAX_EXPANSIONS)));
		candidates->given = lappend(candidates->given, text);
		return;
	}
	if (close == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("missing \"}\" in model \"%s\"", text),
				 errhint("Write for example 'similarity = {cosine, jaccard}, neighbors = {50, 100}'.")));
	for (char *value = open + 1; value <= close;)
	{
		Size		length = strcspn(value, ",}");
		Size		blanks = strspn(value, " ");

		expand(candidates, psprintf("%.*s%.*s%s", (int) (open - text), text,
									(int) (length - blanks), value + blanks, close + 1));
		value += length + 1;
	}
}

RecsysCandidates *
RecsysCandidatesGiven(List *texts)
{
	RecsysCandidates *candidates = create();
	ListCell   *cell;

	foreach(cell, texts)
		expand(candidates, lfirst(cell));

	/* a mistake is to be known before the first trial */
	foreach(cell, candidates->given)
	{
		RecsysModelText model;

		RecsysParseModelText(lfirst(cell), &model);
	}
	return candidates;
}

const char *
RecsysCandidatesNext(RecsysCandidates *candidates)
{
	MemoryContext old = MemoryContextSwitchTo(candidates->context);
	char	   *text = NULL;

	if (candidates->searching)
		text = next_of_search(candidates);
	else if (candidates->next < list_length(candidates->given))
		text = list_nth(candidates->given, candidates->next++);
	if (text != NULL)
	{
		if (candidates->ntrials == candidates->size)
		{
			candidates->size *= 2;
			candidates->trials = repalloc(candidates->trials, sizeof(Trial) * candidates->size);
		}
		candidates->trials[candidates->ntrials].text = text;
		candidates->trials[candidates->ntrials].value = NAN;
		candidates->trials[candidates->ntrials++].explored = false;
	}
	MemoryContextSwitchTo(old);
	return text;
}

void
RecsysCandidatesReport(RecsysCandidates *candidates, double value)
{
	candidates->trials[candidates->ntrials - 1].value = value;
}
