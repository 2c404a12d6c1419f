/*
 * runas.c
 *	  Running what is somebody else's: with that one's rights, and without writing.
 *
 * Queries of callers must not write.  SPI refuses in a read-only call what a plan says it changes.
 * But a plan may be somebody else's: an extension that plans for many machines hides a DELETE behind a
 * node of its own.  So the statement is looked at as it was parsed and analyzed, before anybody
 * plans it; and it is run in a read-only transaction, which all executors ask for, and functions
 * that write, too.
 *
 * That is the variable behind the setting transaction_read_only.  The setting itself cannot be made
 * for a part of a transaction from PostgreSQL 17 on.  After an error the variable gets the value
 * that it had when the transaction or subtransaction began that ends with it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "compat.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "source/input/runas.h"
#include "tcop/cmdtag.h"
#include "tcop/utility.h"
#include "utils/guc.h"
#include "utils/plancache.h"

void
RecsysBeginAs(Oid role, RecsysRights *before)
{
	GetUserIdAndSecContext(&before->caller, &before->security);
	SetUserIdAndSecContext(role, before->security | SECURITY_RESTRICTED_OPERATION);
	before->nestlevel = NewGUCNestLevel();
	RECSYS_RESTRICT_SEARCH_PATH();
}

void
RecsysEndAs(const RecsysRights *before)
{
	AtEOXact_GUC(false, before->nestlevel);
	SetUserIdAndSecContext(before->caller, before->security);
}

void
RecsysBeginQueriesAs(Oid role, RecsysRights *before)
{
	RecsysBeginAs(role, before);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

void
RecsysEndQueriesAs(const RecsysRights *before)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	RecsysEndAs(before);
}

/* WITH may hold changes at any depth where a server, or an extension of it, lets it. */
static bool
writes(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;

		if (query->commandType != CMD_SELECT || query->hasModifyingCTE || query->rowMarks != NIL)
			return true;
		return query_tree_walker(query, writes, context, 0);
	}
	return expression_tree_walker(node, writes, context);
}

void
RecsysRefuseWrites(SPIPlanPtr plan, const char *text)
{
	ListCell   *source;

	foreach(source, SPI_plan_get_plan_sources(plan))
	{
		ListCell   *cell;

		foreach(cell, ((CachedPlanSource *) lfirst(source))->query_list)
		{
			Query	   *query = lfirst_node(Query, cell);

			/* in the words of SPI, which says it of what the server's own planner has planned */
			if (query->commandType != CMD_UTILITY && writes((Node *) query, NULL))
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("%s is not allowed in a non-volatile function",
								GetCommandTagName(CreateCommandTag((Node *) query))),
						 errcontext("SQL statement \"%s\"", text)));
		}
	}
}

bool
RecsysBeginReadOnly(void)
{
	bool		before = XactReadOnly;

	XactReadOnly = true;
	return before;
}

void
RecsysEndReadOnly(bool before)
{
	XactReadOnly = before;
}
