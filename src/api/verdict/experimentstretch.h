/*
 * experimentstretch.h
 *	  Which rows an experiment is decided by, and what they add up to.
 */
#ifndef RECSYS_EXPERIMENTSTRETCH_H
#define RECSYS_EXPERIMENTSTRETCH_H

#include "postgres.h"

#include "api/keep/experimentrow.h"
#include "api/verdict/unitquery.h"
#include "api/verdict/unitsums.h"

/* What an experiment's figures are of, beside the log */
typedef struct RecsysExperimentSources
{
	const RecsysExperiment *experiment;
	Jsonb	   *purchases;		/* NULL: none are declared, or no metric needs them */
	Oid			reader;			/* with whose rights they are read */
	bool		pseudonyms;
	char	   *signature;		/* changes with anything that figures depend on */
} RecsysExperimentSources;

/* The experiment of that name; errors out if there is none, or its lists are interleaved. */
extern RecsysExperiment *RecsysNeedExperiment(const char *name);

/* Errors out unless the current user may see what it says: as its owner, or by pg_read_all_data. */
extern void RecsysNeedExperimentReader(const RecsysExperiment *experiment);

/* To be called with the caller's rights. */
extern void RecsysGetSources(const RecsysExperiment *experiment, RecsysExperimentSources *sources);

/* When nothing can happen any more that counts; DT_NOEND while it runs */
extern TimestampTz RecsysExperimentHorizon(const RecsysExperiment *experiment);

/* From then on until, or as long as anything counts. */
extern void RecsysSetStretch(const RecsysExperimentSources *sources, TimestampTz from,
							 TimestampTz until, RecsysStretch *stretch);

/* As the keeper: makes purchases, and a log of several nodes, relations for the queries of the stretch. */
extern void RecsysRegisterSources(const RecsysExperimentSources *sources,
								  const RecsysStretch *stretch);

extern void RecsysReleaseSources(const RecsysStretch *stretch);

/* As the keeper, with sources registered: what all units add up to at the end of the stretch. */
extern void RecsysSumStretch(const RecsysStretch *stretch, bool read_only,
							 RecsysExperimentFigures *figures);

/* All of it from raw rows, as it was at some time; with the caller's rights. */
extern RecsysExperimentFigures *RecsysRawFigures(const RecsysExperiment *experiment, TimestampTz at);

#endif							/* RECSYS_EXPERIMENTSTRETCH_H */
