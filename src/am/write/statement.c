/*
 * statement.c
 *	  Which statements stage the rows that they insert, and when these are entered.
 *
 * Rows are staged (stage.c) by COPY FROM, by INSERT … SELECT and INSERT of several rows,
 * and by UPDATE and MERGE that are expected to change several.  A statement with ON
 * CONFLICT stages none, as what it has inserted may be taken back.  Whatever else calls
 * aminsert does not stage: CREATE INDEX CONCURRENTLY, logical replication, extensions.
 *
 * Staged rows are entered, whichever comes first,
 *
 * - when the statement has done its work, before its AFTER triggers fire;
 * - when another query begins or goes on, or a utility command, as in a trigger's function;
 * - when this session is about to read an index (RecsysBeforeReading);
 * - when memory for them is spent;
 * - before the transaction commits or is prepared.
 *
 * The last is for a statement of which the hooks below do not see the end: the one that has
 * made the session load this library.  It may also be a statement within that one which
 * inserts, and what it is cannot be told.  So rows are looked at (insert.c).
 */
#include "postgres.h"

#include "access/xact.h"
#include "am/write/stage.h"
#include "am/write/statement.h"
#include "compat.h"
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "tcop/pquery.h"
#include "tcop/utility.h"

/* An UPDATE that is expected to change fewer rows does not stage them. */
#define FEW_ROWS 2

static ExecutorStart_hook_type previous_start = NULL;
static ExecutorRun_hook_type previous_run = NULL;
static ExecutorFinish_hook_type previous_finish = NULL;
static ProcessUtility_hook_type previous_utility = NULL;

/* Something else begins than what has staged rows so far. */
static void
enter_staged(void)
{
	if (RecsysStaging == RECSYS_STAGING_UNKNOWN)
		RecsysStaging = RECSYS_STAGING_OFF;
	if (RecsysHasStaged())
		RecsysEnterStaged(true);
}

/* Does a part of a plan change rows in a way that they may be staged? */
static bool
may_stage(const Plan *plan)
{
	const ModifyTable *modify = (const ModifyTable *) plan;

	return IsA(plan, ModifyTable) && modify->onConflictAction == ONCONFLICT_NONE;
}

/* Is it worth it? */
static bool
changes_several(const Plan *plan)
{
	const Plan *source = plan->lefttree;

	if (((const ModifyTable *) plan)->operation == CMD_DELETE || source == NULL)
		return false;
	if (((const ModifyTable *) plan)->operation == CMD_INSERT)
		return !IsA(source, Result) || source->lefttree != NULL;
	return source->plan_rows >= FEW_ROWS;
}

static bool
stages_rows(const PlannedStmt *statement)
{
	bool		several = false;
	ListCell   *cell;

	if (statement->commandType == CMD_SELECT && !statement->hasModifyingCTE)
		return false;
	if (IsA(statement->planTree, ModifyTable))
	{
		if (!may_stage(statement->planTree))
			return false;
		several = changes_several(statement->planTree);
	}
	foreach(cell, statement->hasModifyingCTE ? statement->subplans : NIL)
	{
		const Plan *plan = lfirst(cell);

		if (plan == NULL || !IsA(plan, ModifyTable))
			continue;
		if (!may_stage(plan))
			return false;
		several |= changes_several(plan);
	}
	return several;
}

static void
start_query(QueryDesc *query, int flags)
{
	enter_staged();
	if (previous_start)
		previous_start(query, flags);
	else
		standard_ExecutorStart(query, flags);
}

static void
run(RECSYS_EXECUTOR_RUN_PARAMETERS)
{
	if (previous_run)
		previous_run(RECSYS_EXECUTOR_RUN_ARGUMENTS);
	else
		standard_ExecutorRun(RECSYS_EXECUTOR_RUN_ARGUMENTS);
}

static void
run_query(RECSYS_EXECUTOR_RUN_PARAMETERS)
{
	RecsysStagingMode before;
	RecsysStagingMode stages = stages_rows(query->plannedstmt) ? RECSYS_STAGING_ON : RECSYS_STAGING_OFF;

	enter_staged();
	before = RecsysStaging;
	RecsysStaging = stages;
	if (stages == before)
	{
		run(RECSYS_EXECUTOR_RUN_ARGUMENTS);
		return;
	}
	PG_TRY();
	{
		run(RECSYS_EXECUTOR_RUN_ARGUMENTS);
	}
	PG_FINALLY();
	{
		RecsysStaging = before;
	}
	PG_END_TRY();
}

static void
finish(QueryDesc *query)
{
	if (previous_finish)
		previous_finish(query);
	else
		standard_ExecutorFinish(query);
}

/* This may run parts of the query that nobody has asked for yet, and then fires triggers. */
static void
finish_query(QueryDesc *query)
{
	RecsysStagingMode before;
	RecsysStagingMode stages = query->plannedstmt->hasModifyingCTE && stages_rows(query->plannedstmt) ?
		RECSYS_STAGING_ON : RECSYS_STAGING_OFF;

	enter_staged();
	before = RecsysStaging;
	RecsysStaging = stages;
	if (stages == before)
	{
		finish(query);
		return;
	}
	PG_TRY();
	{
		finish(query);
	}
	PG_FINALLY();
	{
		RecsysStaging = before;
	}
	PG_END_TRY();
	enter_staged();
}

static bool
is_copy_from(const Node *statement)
{
	return statement != NULL && IsA(statement, CopyStmt) && ((const CopyStmt *) statement)->is_from;
}

static void
utility(PlannedStmt *statement, const char *text, bool read_only, ProcessUtilityContext context,
		ParamListInfo params, QueryEnvironment *environment, DestReceiver *receiver,
		QueryCompletion *completion)
{
	if (previous_utility)
		previous_utility(statement, text, read_only, context, params, environment, receiver, completion);
	else
		standard_ProcessUtility(statement, text, read_only, context, params, environment, receiver, completion);
}

static void
run_utility(PlannedStmt *statement, const char *text, bool read_only, ProcessUtilityContext context,
			ParamListInfo params, QueryEnvironment *environment, DestReceiver *receiver,
			QueryCompletion *completion)
{
	RecsysStagingMode before;
	RecsysStagingMode stages = is_copy_from(statement->utilityStmt) ? RECSYS_STAGING_ON : RECSYS_STAGING_OFF;

	enter_staged();
	before = RecsysStaging;
	RecsysStaging = stages;
	if (stages == before)
	{
		utility(statement, text, read_only, context, params, environment, receiver, completion);
		return;
	}
	PG_TRY();
	{
		utility(statement, text, read_only, context, params, environment, receiver, completion);
	}
	PG_FINALLY();
	{
		RecsysStaging = before;
	}
	PG_END_TRY();
	enter_staged();
}

static void
end_transaction(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			if (RecsysHasStaged())
				RecsysEnterStaged(false);
			break;
		case XACT_EVENT_ABORT:
			RecsysDropStaged();
			RecsysStaging = RECSYS_STAGING_OFF;
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
			Assert(!RecsysHasStaged());
			if (RecsysStaging == RECSYS_STAGING_UNKNOWN)
				RecsysStaging = RECSYS_STAGING_OFF;
			break;
		default:
			break;
	}
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId subid, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		RecsysDropStagedSince(subid);
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		RecsysReassignStaged(subid, parent);
}

/* Is it a statement that may stage rows which has made the session load this library? */
static bool
in_statement(void)
{
	PlannedStmt *statement;

	if (ActivePortal == NULL || list_length(ActivePortal->stmts) != 1)
		return false;
	statement = linitial_node(PlannedStmt, ActivePortal->stmts);
	return statement->commandType == CMD_UTILITY ? is_copy_from(statement->utilityStmt) :
		stages_rows(statement);
}

void
RecsysInitStatements(void)
{
	previous_start = ExecutorStart_hook;
	ExecutorStart_hook = start_query;
	previous_run = ExecutorRun_hook;
	ExecutorRun_hook = run_query;
	previous_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = finish_query;
	previous_utility = ProcessUtility_hook;
	ProcessUtility_hook = run_utility;
	RegisterXactCallback(end_transaction, NULL);
	RegisterSubXactCallback(end_subtransaction, NULL);
	if (in_statement())
		RecsysStaging = RECSYS_STAGING_UNKNOWN;
}
