/*
 * lookupplan.c
 *	  Plans that are to find rows by an index, and do not.
 *
 * Lookups are planned once for a long time.  What is right for a table of some pages, or for
 * one that has just been loaded and has no statistics, is a sequential scan; and it stays one
 * in this session while the table grows to millions of rows.
 */
#include "postgres.h"

#include "access/amapi.h"
#include "access/genam.h"
#include "access/relation.h"
#include "api/declare/lookupplan.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/rel.h"
#include "utils/relcache.h"

static Node *
strip(Node *node)
{
	while (node != NULL && IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return node;
}

static bool
is_first_parameter(Node *node)
{
	node = strip(node);
	return node != NULL && IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXTERN &&
		((Param *) node)->paramid == 1;
}

/* What is compared with the first parameter in a condition, or NULL */
static Node *
compared_with_first(Node *condition)
{
	List	   *sides;

	if (IsA(condition, ScalarArrayOpExpr))
		sides = ((ScalarArrayOpExpr *) condition)->args;
	else if (IsA(condition, OpExpr))
		sides = ((OpExpr *) condition)->args;
	else
		return NULL;
	return list_length(sides) == 2 && is_first_parameter(lsecond(sides)) ?
		strip(linitial(sides)) : NULL;
}

/* Is it the first column of an index, or the expression of one? */
static bool
leads_index(Relation index, Node *compared, Index scanned)
{
	AttrNumber	column = index->rd_index->indkey.values[0];
	List	   *expressions;
	Node	   *expression;

	if (!index->rd_index->indisvalid || !index->rd_indam->amsearcharray)
		return false;
	if (column != 0)
		return IsA(compared, Var) && ((Var *) compared)->varattno == column;
	expressions = RelationGetIndexExpressions(index);
	expression = strip(copyObject(linitial(expressions)));
	ChangeVarNodes(expression, 1, scanned, 0);
	return equal(expression, compared);
}

static bool
has_index(Oid table, Node *compared, Index scanned)
{
	/* the plan holds a lock on it */
	Relation	relation = relation_open(table, NoLock);
	List	   *indexes = RelationGetIndexList(relation);
	bool		found = false;
	ListCell   *cell;

	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		found = found || leads_index(index, compared, scanned);
		index_close(index, AccessShareLock);
	}
	relation_close(relation, NoLock);
	return found;
}

static bool
is_scan_for_first(PlannedStmt *statement, Scan *scan)
{
	ListCell   *cell;

	foreach(cell, scan->plan.qual)
	{
		Node	   *compared = compared_with_first(lfirst(cell));

		if (compared != NULL &&
			has_index(rt_fetch(scan->scanrelid, statement->rtable)->relid, compared,
					  scan->scanrelid))
			return true;
	}
	return false;
}

static bool find_scan(PlannedStmt *statement, Plan *plan);

static bool
find_among(PlannedStmt *statement, List *plans)
{
	ListCell   *cell;

	foreach(cell, plans)
		if (find_scan(statement, lfirst(cell)))
			return true;
	return false;
}

static bool
find_scan(PlannedStmt *statement, Plan *plan)
{
	check_stack_depth();
	if (plan == NULL)
		return false;
	switch (nodeTag(plan))
	{
		case T_SeqScan:
			return is_scan_for_first(statement, (Scan *) plan);
		case T_Append:
			return find_among(statement, ((Append *) plan)->appendplans);
		case T_MergeAppend:
			return find_among(statement, ((MergeAppend *) plan)->mergeplans);
		case T_SubqueryScan:
			return find_scan(statement, ((SubqueryScan *) plan)->subplan);
		default:
			return find_scan(statement, plan->lefttree) || find_scan(statement, plan->righttree);
	}
}

bool
RecsysScansForFirst(PlannedStmt *statement)
{
	return find_scan(statement, statement->planTree);
}
