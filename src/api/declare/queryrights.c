/*
 * queryrights.c
 *	  What a query may do, known without running it.
 *
 * Whoever looks whether a definition can be used runs nothing of it: planning would, as it
 * computes what it takes for constant, and the look would lend its owner the caller's rights.
 */
#include "postgres.h"

#include "api/declare/queryrights.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "compat.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

static bool
check_function(Oid function, void *context)
{
	if (RECSYS_FUNCTION_ACLCHECK(function) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FUNCTION, get_func_name(function));
	return false;
}

static void
check_query(Query *query)
{
	ListCell   *cell;

	if (query->rowMarks != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("expressions of a recommender cannot lock rows")));
	foreach(cell, query->rtable)
	{
		RangeTblEntry *entry = lfirst_node(RangeTblEntry, cell);

		if (entry->rtekind == RTE_RELATION &&
			get_rel_persistence(entry->relid) == RELPERSISTENCE_TEMP)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
					 errmsg("a recommender cannot be declared over temporary relations"),
					 errdetail("\"%s\" is one, and the definition outlives it.",
							   get_rel_name(entry->relid))));
	}
	RECSYS_CHECK_QUERY_RIGHTS(query);
}

static bool
walk(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		check_query((Query *) node);
		return query_tree_walker((Query *) node, walk, context, 0);
	}
	(void) check_functions_in_node(node, check_function, context);
	return expression_tree_walker(node, walk, context);
}

void
RecsysCheckQueryRights(Query *query)
{
	(void) walk((Node *) query, NULL);
}

static bool
clear_policies(Node *node, void *context)
{
	ListCell   *cell;

	if (node == NULL)
		return false;
	if (!IsA(node, Query))
		return expression_tree_walker(node, clear_policies, context);
	foreach(cell, ((Query *) node)->rtable)
		lfirst_node(RangeTblEntry, cell)->securityQuals = NIL;
	return query_tree_walker((Query *) node, clear_policies, context, 0);
}

void
RecsysCheckVolatility(const Query *query)
{
	Query	   *copy = copyObject(unconstify(Query *, query));

	(void) clear_policies((Node *) copy, NULL);
	if (contain_volatile_functions((Node *) copy))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("functions in the definition of a recommender must not be volatile"),
				 errhint("Mark them as IMMUTABLE or STABLE if that is what they are.")));
}
