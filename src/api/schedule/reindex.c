/*
 * reindex.c
 *	  recsys.reindex(): rebuilds the indexes of a recommender that are due for it.
 *
 * REINDEX CONCURRENTLY goes through several transactions, so it has to be a statement of its own,
 * and a job of a scheduler is one statement that is always the same.  A procedure that is called
 * by a client, outside of a transaction block, may end transactions as that statement does.  So this
 * one asks which indexes are due, and hands one command after the other to the server as if
 * it had come from the client.  It has no query under way meanwhile, not even a snapshot, for which
 * REINDEX would wait.
 *
 * One at a time for the tables of a role: a second REINDEX of a table would wait for its lock with a
 * snapshot, for which the first one waits at its end, after hours perhaps, and that deadlock would end it.
 * So callers wait for each other without one, and ask again what is due when it is their turn.  Roles
 * do not wait for each other: one could keep all the others waiting for ever.
 *
 * Each command is a step by itself: if one fails there is a WARNING, and an error at the end.
 */
#include "postgres.h"

#include "access/xact.h"
#include "api/call/arguments.h"
#include "api/call/commands.h"
#include "api/call/guard.h"
#include "api/declare/names.h"
#include "api/schedule/scheduledindexes.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "parser/parser.h"
#include "storage/lock.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(recsys_reindex);

/* A command that is due, and why */
typedef struct Rebuild
{
	Oid			owner;
	char	   *reason;
	char	   *command;
} Rebuild;

/* May transactions end in this call?  Not where a query or another procedure is under way. */
static bool
is_alone(FunctionCallInfo fcinfo)
{
	return fcinfo->context != NULL && IsA(fcinfo->context, CallContext) &&
		!castNode(CallContext, fcinfo->context)->atomic && !SPI_inside_nonatomic_context() &&
		!IsTransactionBlock() && !IsSubTransaction();
}

static char *
text_of(MemoryContext context, int row, int column)
{
	char	   *value = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);

	return MemoryContextStrdup(context, value != NULL ? value : "");
}

/* What is due of the caller's own indexes, in the context; returns how many. */
static int
find_due(FunctionCallInfo fcinfo, MemoryContext context, Rebuild **rebuilds)
{
	Oid			types[2] = {TEXTOID, FLOAT8OID};
	Datum		values[2] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)};
	char		nulls[2] = {PG_ARGISNULL(0) ? 'n' : ' ', PG_ARGISNULL(1) ? 'n' : ' '};
	int			nestlevel = RecsysBeginPlainNames();
	int			count;

	PushActiveSnapshot(GetTransactionSnapshot());
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args("SELECT c.relowner, d.reason, d.command"
							  " FROM recsys.rebuilds_due($1, $2) WITH ORDINALITY d"
							  " JOIN pg_namespace n ON n.nspname = d.schema_name"
							  " JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = d.index_name"
							  " WHERE pg_has_role(c.relowner, 'USAGE') ORDER BY d.ordinality",
							  2, types, values, nulls, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed");
	count = (int) SPI_processed;
	*rebuilds = MemoryContextAlloc(context, sizeof(Rebuild) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		bool		isnull;

		(*rebuilds)[i].owner = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
															  1, &isnull));
		(*rebuilds)[i].reason = text_of(context, i, 2);
		(*rebuilds)[i].command = text_of(context, i, 3);
	}
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	PopActiveSnapshot();
	RecsysEndPlainNames(nestlevel);
	return count;
}

/* The next transaction: nothing of this one is held any more. */
static void
begin_anew(MemoryContext context)
{
	if (ActiveSnapshotSet())
		PopActiveSnapshot();
	CommitTransactionCommand();
	StartTransactionCommand();
	MemoryContextSwitchTo(context);
}

/*
 * Until it is released, or the next transaction that fails, which ends locks of the session as well.
 * As of an object that the extension alone knows: a user could hold an advisory lock for ever.
 */
static void
wait_for_others(Oid owner)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, AuthIdRelationId, owner, 1);
	(void) LockAcquire(&tag, ExclusiveLock, true, false);
}

static void
let_others(Oid owner)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, AuthIdRelationId, owner, 1);
	(void) LockRelease(&tag, ExclusiveLock, true);
}

/* Has nobody done it while this call has waited? */
static bool
is_still_due(FunctionCallInfo fcinfo, MemoryContext context, const Rebuild *rebuild)
{
	Rebuild    *now;
	int			count = find_due(fcinfo, context, &now);

	begin_anew(context);
	for (int i = 0; i < count; i++)
		if (now[i].owner == rebuild->owner && strcmp(now[i].command, rebuild->command) == 0)
			return true;
	return false;
}

static void
run_utility(const char *command)
{
	List	   *parsed = raw_parser(command, RAW_PARSE_DEFAULT);
	PlannedStmt *statement = makeNode(PlannedStmt);

	statement->commandType = CMD_UTILITY;
	statement->utilityStmt = linitial_node(RawStmt, parsed)->stmt;
	statement->stmt_len = (int) strlen(command);
	PushActiveSnapshot(GetTransactionSnapshot());
	ProcessUtility(statement, command, false, PROCESS_UTILITY_TOPLEVEL, NULL, NULL, None_Receiver,
				   NULL);
}

/* One command in transactions of its own; false if it has failed, which is told. */
static bool
run_alone(const Rebuild *rebuild, MemoryContext context)
{
	volatile bool done = false;

	PG_TRY();
	{
		run_utility(rebuild->command);
		begin_anew(context);
		done = true;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		AbortCurrentTransaction();
		StartTransactionCommand();
		MemoryContextSwitchTo(context);
		if (!RecsysIsOfStep(error))
			ReThrowError(error);
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("\"%s\" has failed: %s", rebuild->command, error->message),
				 error->detail != NULL ? errdetail_internal("%s", error->detail) : 0));
		FreeErrorData(error);
	}
	PG_END_TRY();
	return done;
}

Datum
recsys_reindex(PG_FUNCTION_ARGS)
{
	MemoryContext old = CurrentMemoryContext;
	MemoryContext context;
	RecsysScheduled scheduled;
	Rebuild    *rebuilds;
	int			count;
	int			failed = 0;

	RecsysRefuseInRecovery("recsys.reindex()");
	PreventCommandIfReadOnly("recsys.reindex()");
	if (!is_alone(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("recsys.reindex cannot run inside a transaction block, a function or another procedure"),
				 errdetail("REINDEX CONCURRENTLY needs transactions of its own."),
				 errhint("CALL it as a statement of its own, or run one by one what this answers: SELECT command FROM recsys.rebuilds_due();")));

	/* the error of a name that is none, or somebody else's */
	if (!PG_ARGISNULL(0))
		RecsysFindScheduled(RecsysArgText(fcinfo, 0), &scheduled);

	context = AllocSetContextCreate(PortalContext, "recsys reindex", ALLOCSET_DEFAULT_SIZES);
	begin_anew(context);
	count = find_due(fcinfo, context, &rebuilds);
	begin_anew(context);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		wait_for_others(rebuilds[i].owner);
		if (!is_still_due(fcinfo, context, &rebuilds[i]))
			let_others(rebuilds[i].owner);
		else if (run_alone(&rebuilds[i], context))
		{
			let_others(rebuilds[i].owner);
			ereport(NOTICE,
					(errmsg("\"%s\" is done: %s", rebuilds[i].command, rebuilds[i].reason)));
		}
		else
			failed++;
	}
	if (failed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%d of %d commands have failed", failed, count),
				 errdetail("The server's log has the warnings that say why; what was done stays done.")));
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}
