/*
 * unitquery.h
 *	  The one query that says what each unit of an experiment has done, of raw rows of the log.
 */
#ifndef RECSYS_UNITQUERY_H
#define RECSYS_UNITQUERY_H

#include "postgres.h"

#include "api/keep/experimentrow.h"
#include "lib/stringinfo.h"
#include "utils/timestamp.h"

/*
 * A stretch of an experiment's time: requests, events and purchases of it are what a unit gains.
 * The gains of stretches that follow each other add up to those of all of them, because each
 * thing that happened belongs to the stretch that it happened in, whenever its request was.
 */
typedef struct RecsysStretch
{
	const RecsysExperiment *experiment;
	TimestampTz start;			/* of the experiment */
	TimestampTz from;			/* start, or later: then what was before is in recsys.experiment_unit */
	TimestampTz until;
	TimestampTz requests_until; /* later requests are none of the experiment's */
	int64		window;			/* microseconds */
	const char *attribution;
	int64		pre_period;		/* microseconds; 0: no CUPED */
	bool		has_purchases;	/* some metric needs them, and they are in relation purchases */
} RecsysStretch;

/* The parameters of the queries below */
#define RECSYS_STRETCH_PARAMETERS 7

extern void RecsysStretchParameters(const RecsysStretch *stretch, Oid *types, Datum *values);

/*
 * Appends a query for the gains: unit, first_time (NULL: no request in it), variant, other_variant
 * (not the same: the unit is in several), segment, all figures.  To be run as the keeper.
 */
extern void RecsysAppendGains(StringInfo out, const RecsysStretch *stretch);

/*
 * Appends one for the units as they are at the end of the stretch: unit, first_time, variant, mixed
 * (in several variants), segment ('': none), all figures as double precision.
 */
extern void RecsysAppendUnits(StringInfo out, const RecsysStretch *stretch);

#endif							/* RECSYS_UNITQUERY_H */
