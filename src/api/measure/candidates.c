/*
 * candidates.c
 *	  Models that are tried, as texts, and how far each has got.
 *
 * A search goes from the best model so far to those that are a step away, and on from
 * there whenever one is better; when none is, it goes on from the next best model whose
 * neighborhood it has not looked at.  Nothing in it is random, so the same data give the
 * same trials.  Models that merges keep exact and the others are searched each for itself:
 * who tunes wants to know both, and the others would take all trials once they are ahead.
 */
#include "postgres.h"

#include <math.h>

#include "api/measure/candidates.h"
#include "api/measure/model_argument.h"
#include "core/pairs/modeloptions.h"
#include "utils/memutils.h"

/* An expansion of given texts gives no more than this. */
#define MAX_EXPANSIONS 10000

RecsysCandidates *
RecsysCandidatesCreate(const RecsysDataShape *shape)
{
	RecsysCandidates *candidates = palloc0(sizeof(RecsysCandidates));

	candidates->context = CurrentMemoryContext;
	candidates->shape = *shape;
	candidates->size = 64;
	candidates->all = palloc(sizeof(RecsysCandidate *) * candidates->size);
	return candidates;
}

static RecsysCandidate *
find(const RecsysCandidates *candidates, const char *meaning)
{
	for (int x = 0; x < candidates->count; x++)
	{
		if (strcmp(candidates->all[x]->meaning, meaning) == 0)
			return candidates->all[x];
	}
	return NULL;
}

RecsysCandidate *
RecsysCandidateOf(RecsysCandidates *candidates, const char *text)
{
	RecsysCandidate *candidate;
	RecsysModelText model;
	MemoryContext old;
	char	   *meaning;

	RecsysParseModelText(text, &model);
	Assert(model.options.similarity != RECSYS_AUTO);

	/* an option may be written out with its default, or be left out */
	meaning = RecsysPlainModelText(&model, &candidates->shape);
	candidate = find(candidates, meaning);
	if (candidate != NULL)
		return candidate;
	old = MemoryContextSwitchTo(candidates->context);
	if (candidates->count == candidates->size)
	{
		candidates->size *= 2;
		candidates->all = repalloc(candidates->all, sizeof(RecsysCandidate *) * candidates->size);
	}
	candidate = palloc0(sizeof(RecsysCandidate));
	candidate->text = pstrdup(text);
	candidate->meaning = pstrdup(meaning);
	candidate->similarity = model.options.similarity;
	candidate->counted = RecsysModelIsCounted(&model.options);
	for (int level = 0; level < RECSYS_LEVELS; level++)
		candidate->values[level] = NAN;
	candidates->all[candidates->count++] = candidate;
	MemoryContextSwitchTo(old);
	return candidate;
}

/* One that may have untried neighbors, the earlier of equals; NULL if none. */
static RecsysCandidate *
best_unexplored(const RecsysCandidates *candidates, RecsysLevel level, bool counted)
{
	RecsysCandidate *best = NULL;

	for (int x = 0; x < candidates->count; x++)
	{
		RecsysCandidate *one = candidates->all[x];

		if (one->counted == counted && !one->explored[level] && !isnan(one->values[level]) &&
			(best == NULL || one->values[level] > best->values[level]))
			best = one;
	}
	return best;
}

RecsysCandidate *
RecsysNextStep(RecsysCandidates *candidates, RecsysLevel level, bool counted)
{
	RecsysCandidate *best;

	while ((best = best_unexplored(candidates, level, counted)) != NULL)
	{
		RecsysModelText model;
		List	   *texts;
		ListCell   *cell;

		RecsysParseModelText(best->text, &model);
		texts = RecsysModelNeighbors(&model, &candidates->shape);

		foreach(cell, texts)
		{
			RecsysCandidate *next = RecsysCandidateOf(candidates, lfirst(cell));

			if (!next->tried[level] && !next->failed)
				return next;
		}
		best->explored[level] = true;
		list_free_deep(texts);
	}
	return NULL;
}

List *
RecsysBestCandidates(const RecsysCandidates *candidates, RecsysLevel level)
{
	List	   *best = NIL;

	/* insertion keeps the order of equals; there are some hundreds */
	for (int x = 0; x < candidates->count; x++)
	{
		RecsysCandidate *one = candidates->all[x];
		int			place = 0;

		if (isnan(one->values[level]) || one->failed)
			continue;
		while (place < list_length(best) &&
			   ((RecsysCandidate *) list_nth(best, place))->values[level] >= one->values[level])
			place++;
		best = list_insert_nth(best, place, one);
	}
	return best;
}

/* Adds all texts that the braces of one stand for. */
static void
expand(List **models, char *text)
{
	char	   *open = strchr(text, '{');
	char	   *close = open != NULL ? strchr(open, '}') : NULL;

	if (open == NULL)
	{
		if (list_length(*models) == MAX_EXPANSIONS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("more than %d models to try", MAX_EXPANSIONS)));
		*models = lappend(*models, text);
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

		expand(models, psprintf("%.*s%.*s%s", (int) (open - text), text,
								(int) (length - blanks), value + blanks, close + 1));
		value += length + 1;
	}
}

List *
RecsysExpandModels(List *texts)
{
	List	   *models = NIL;
	ListCell   *cell;

	foreach(cell, texts)
		expand(&models, lfirst(cell));

	/* a mistake is to be known before the first trial */
	foreach(cell, models)
	{
		RecsysModelText model;

		RecsysParseModelText(lfirst(cell), &model);
	}
	return models;
}
