/*
 * progress.c
 *	  Progress of merges, for recsys.merge_progress.
 *
 * The server can report progress of its own commands only.  So a merge reports as if
 * it were CREATE INDEX, without a command and with a subphase of its own, and is seen in
 * pg_stat_progress_create_index as well.  A merge within another command that reports
 * progress (VACUUM) reports nothing.
 *
 * After an error the server ends the report together with the transaction or
 * subtransaction.  So it is checked that the report is still ours before anything is
 * added to it.
 */
#include "postgres.h"

#include "access/genam.h"
#include "am/store/progress.h"
#include "commands/progress.h"
#include "pgstat.h"
#include "utils/backend_progress.h"
#include "utils/backend_status.h"

static bool started = false;
static int64 items_done = 0;

static bool
is_reporting(void)
{
	if (started && MyBEEntry->st_progress_command != PROGRESS_COMMAND_CREATE_INDEX)
		started = false;
	return started;
}

void
RecsysMergeProgressStart(Relation heap, Relation index, uint64 pending)
{
	const int	columns[] = {
		PROGRESS_CREATEIDX_INDEX_OID,
		PROGRESS_CREATEIDX_ACCESS_METHOD_OID,
		PROGRESS_CREATEIDX_PHASE,
		PROGRESS_CREATEIDX_TUPLES_TOTAL
	};
	const int64 values[] = {
		RelationGetRelid(index),
		index->rd_rel->relam,
		PROGRESS_CREATEIDX_PHASE_BUILD,
		(int64) pending
	};

	items_done = 0;
	started = MyBEEntry != NULL && MyBEEntry->st_progress_command == PROGRESS_COMMAND_INVALID;
	if (!started)
		return;
	pgstat_progress_start_command(PROGRESS_COMMAND_CREATE_INDEX, RelationGetRelid(heap));
	pgstat_progress_update_multi_param(lengthof(columns), columns, values);
}

void
RecsysMergeProgressPhase(int64 phase)
{
	if (is_reporting())
		pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, phase);
}

void
RecsysMergeProgressChanges(uint64 merged)
{
	if (is_reporting())
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, (int64) merged);
}

void
RecsysMergeProgressItems(uint32 nitems)
{
	items_done += nitems;
	if (is_reporting())
		pgstat_progress_update_param(PROGRESS_CREATEIDX_PARTITIONS_DONE, items_done);
}

void
RecsysMergeProgressEnd(void)
{
	if (is_reporting())
		pgstat_progress_end_command();
	started = false;
}
