/*
 * buildphase.c
 *	  Phases of a build: what pg_stat_progress_create_index shows of them, and the log.
 */
#include "postgres.h"

#include "am/build/buildphase.h"
#include "am/entry/handler.h"
#include "am/store/progress.h"
#include "commands/progress.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/backend_progress.h"
#include "utils/timestamp.h"

/* Report progress every so many steps. */
#define PROGRESS_STEP 1024

char *
recsys_buildphasename(int64 phase)
{
	switch (phase)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
			return "initializing";
		case RECSYS_PHASE_SCAN:
			return "scanning table";
		case RECSYS_PHASE_USERS:
			return "writing users";
		case RECSYS_PHASE_ITEMS:
			return "writing items";
		case RECSYS_PHASE_GRAPH:
			return "computing item graph";
		case RECSYS_PHASE_LOG:
			return "writing WAL";
		case RECSYS_PHASE_CHANGES:
			return "merging changes";
		case RECSYS_PHASE_QUEUE:
			return "recomputing queued items";
		case RECSYS_PHASE_RESCORE:
			return "recomputing all scores";
		case RECSYS_PHASE_TERMS:
			return "counting terms";
		case RECSYS_PHASE_CONTENT:
			return "writing content";
		case RECSYS_PHASE_CLUSTERS:
			return "finding clusters";
		case RECSYS_PHASE_HISTORIES:
			return "reading histories";
		case RECSYS_PHASE_TRAINING:
			return "training anew";
		default:
			return NULL;
	}
}

/* The time of the phase that ends goes to the log of whoever looks for it. */
void
RecsysBuildPhaseEnd(RecsysBuildPhase *phase)
{
	TimestampTz now = GetCurrentTimestamp();

	if (phase->phase != 0)
		ereport(DEBUG1,
				(errmsg_internal("recsys: %s took %.3f s", recsys_buildphasename(phase->phase),
								 (now - phase->start) / 1e6)));
	phase->phase = 0;
	phase->start = now;
}

void
RecsysBuildPhaseStart(RecsysBuildPhase *phase, int64 number, int64 total)
{
	const int	columns[] = {PROGRESS_CREATEIDX_SUBPHASE, PROGRESS_CREATEIDX_TUPLES_TOTAL, PROGRESS_CREATEIDX_TUPLES_DONE};
	const int64 values[] = {number, total, 0};

	RecsysBuildPhaseEnd(phase);
	phase->phase = number;
	pgstat_progress_update_multi_param(3, columns, values);
}

void
RecsysBuildDone(uint64 done)
{
	if (done % PROGRESS_STEP == 0)
	{
		CHECK_FOR_INTERRUPTS();
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, done);
	}
}
