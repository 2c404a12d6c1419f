/*
 * experimentfigures.c
 *	  The figures of an experiment, from where they are had best.
 */
#include "postgres.h"

#include "api/declare/nearest.h"
#include "api/keep/keeper.h"
#include "api/verdict/dailysums.h"
#include "api/verdict/experimentfigures.h"
#include "api/verdict/experimentstretch.h"
#include "utils/builtins.h"

/* Maintenance runs once an hour */
#define FRESH (2 * USECS_PER_HOUR)

/* Are the daily sums as good as raw rows, for results at that time? */
static bool
is_complete(const RecsysExperiment *experiment, const RecsysExperimentState *state,
			const RecsysExperimentFigures *figures, TimestampTz at)
{
	TimestampTz needed = at == DT_NOEND ? GetCurrentTimestamp() - FRESH : at;

	needed = Min(needed, RecsysExperimentHorizon(experiment));
	return state->stale_since == DT_NOEND && figures->until >= needed;
}

/* NULL: there are none, or they will not do */
static RecsysExperimentFigures *
daily_figures(const RecsysExperiment *experiment, const char *source, TimestampTz at)
{
	MemoryContext context = CurrentMemoryContext;
	MemoryContext old;
	RecsysExperimentSources sources;
	RecsysExperimentFigures *figures = NULL;
	RecsysExperimentState *state;
	RecsysRights before;

	RecsysGetSources(experiment, &sources);
	RecsysBeginAsKeeper(&before);
	old = MemoryContextSwitchTo(context);
	state = RecsysReadExperimentState(experiment->name, false);
	if (state != NULL && state->signature[0] != '\0')
		figures = RecsysReadDay(experiment, at);
	MemoryContextSwitchTo(old);
	RecsysEndAsKeeper(&before);
	if (figures == NULL || strcmp(source, "daily") == 0)
		return figures;
	return strcmp(state->signature, sources.signature) == 0 &&
		is_complete(experiment, state, figures, at) ? figures : NULL;
}

void
RecsysSayNoSums(const RecsysExperiment *experiment, int level)
{
	ereport(level,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("experiment \"%s\" has no daily sums yet", experiment->name),
			 errhint("SELECT recsys.refresh_experiment(%s);", quote_literal_cstr(experiment->name))));
}

RecsysExperimentFigures *
RecsysFindFigures(const RecsysExperiment *experiment, const char *source, TimestampTz at)
{
	static const char *const known[] = {"auto", "raw", "daily"};
	RecsysExperimentFigures *figures = NULL;

	RecsysCheckWord(source, "source", known, lengthof(known));
	if (strcmp(source, "raw") != 0)
		figures = daily_figures(experiment, source, at);
	if (figures == NULL && strcmp(source, "daily") == 0)
		RecsysSayNoSums(experiment, ERROR);
	return figures != NULL ? figures :
		RecsysRawFigures(experiment, at == DT_NOEND ? GetCurrentTimestamp() : at);
}
