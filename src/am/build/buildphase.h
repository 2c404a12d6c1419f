/*
 * buildphase.h
 *	  Phases of a build: what pg_stat_progress_create_index shows of them, and the log.
 */
#ifndef RECSYS_BUILDPHASE_H
#define RECSYS_BUILDPHASE_H

#include "postgres.h"

#include "datatype/timestamp.h"

typedef struct RecsysBuildPhase
{
	int64		phase;			/* at hand, RECSYS_PHASE_…; 0 if none is */
	TimestampTz start;
} RecsysBuildPhase;

/* All zero before the first.  total is what RecsysBuildDone will count up to, 0 if unknown. */
extern void RecsysBuildPhaseStart(RecsysBuildPhase *phase, int64 number, int64 total);
extern void RecsysBuildPhaseEnd(RecsysBuildPhase *phase);

/* Called for each row or item; with CHECK_FOR_INTERRUPTS. */
extern void RecsysBuildDone(uint64 done);

#endif							/* RECSYS_BUILDPHASE_H */
