/*
 * expression.c
 *	  Expressions of a definition: as they are declared, and as they are kept.
 */
#include "postgres.h"

#include "api/define/expression.h"
#include "api/declare/names.h"
#include "api/declare/queryrights.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "source/input/values.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

static void
point_into(void *arg)
{
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(arg);
	}
}

void
RecsysPointIntoExpression(ErrorContextCallback *callback, const char *text)
{
	callback->callback = point_into;
	callback->arg = unconstify(char *, text);
	callback->previous = error_context_stack;
	error_context_stack = callback;
}

void
RecsysRefuseNoExpression(const char *text)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("\"%s\" is not a single expression", text)));
}

RawStmt *
RecsysParseExpression(const char *text)
{
	List	   *parsed = raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
	RawStmt    *raw = linitial_node(RawStmt, parsed);
	SelectStmt *select = castNode(SelectStmt, raw->stmt);
	ResTarget  *target;

	if (list_length(select->targetList) != 1 || select->distinctClause != NIL ||
		select->fromClause != NIL || select->whereClause != NULL || select->groupClause != NIL ||
		select->havingClause != NULL || select->windowClause != NIL || select->sortClause != NIL ||
		select->limitOffset != NULL || select->limitCount != NULL || select->lockingClause != NIL ||
		select->withClause != NULL || select->op != SETOP_NONE)
		RecsysRefuseNoExpression(text);
	target = linitial_node(ResTarget, select->targetList);
	if (target->name != NULL || target->indirection != NIL)
		RecsysRefuseNoExpression(text);
	return raw;
}

/* Does a column reference somewhere have that alias? */
static bool
has_prefix(Node *node, void *alias)
{
	if (node == NULL)
		return false;
	if (IsA(node, ColumnRef))
	{
		List	   *fields = ((ColumnRef *) node)->fields;

		return list_length(fields) > 1 && IsA(linitial(fields), String) &&
			strcmp(strVal(linitial(fields)), alias) == 0;
	}
	return raw_expression_tree_walker(node, has_prefix, alias);
}

static Query *
analyze(RawStmt *raw, const char *text, Oid relation, const char *alias)
{
	SelectStmt *select = castNode(SelectStmt, raw->stmt);
	char	   *name = get_rel_name(relation);
	RangeVar   *range = makeRangeVar(get_namespace_name(get_rel_namespace(relation)), name, -1);

	/* what is kept, and copied from there, has the alias */
	range->alias = makeAlias(has_prefix((Node *) select, unconstify(char *, alias)) &&
							 !has_prefix((Node *) select, name) ? alias : name, NIL);
	select->fromClause = list_make1(range);
	return parse_analyze_fixedparams(raw, text, NULL, 0, NULL);
}

static void
check_shape(Query *query, const char *text)
{
	TargetEntry *target;

	if (query->hasAggs || query->hasWindowFuncs)
		ereport(ERROR,
				(errcode(ERRCODE_GROUPING_ERROR),
				 errmsg("aggregate and window functions are not allowed in expressions of a recommender"),
				 errhint("Put them into a subquery.")));
	if (query->hasTargetSRFs)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-returning functions are not allowed in expressions of a recommender"),
				 errhint("Put them into a subquery.")));
	target = linitial_node(TargetEntry, query->targetList);
	/* products.* is as many columns as there are */
	if (list_length(query->targetList) != 1 || target->resjunk)
		RecsysRefuseNoExpression(text);
}

/* As the planner will see it, with what views and policies are made of */
static void
check_rewritten(Query *query)
{
	List	   *rewritten = pg_rewrite_query(copyObject(query));
	ListCell   *cell;

	foreach(cell, rewritten)
	{
		RecsysCheckQueryRights(lfirst_node(Query, cell));
		RecsysCheckVolatility(lfirst_node(Query, cell));
	}
}

static void
check_type(Oid type, RecsysResult result)
{
	if (result == RECSYS_BOOLEAN_RESULT && getBaseType(type) != BOOLOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the expression must be of type boolean, not type %s", format_type_be(type))));
	if (result == RECSYS_NUMBER_RESULT && !RecsysTypeIsWeight(type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the expression must be a number, not of type %s", format_type_be(type))));
	if (get_typtype(type) == TYPTYPE_PSEUDO)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the expression must not be of type %s", format_type_be(type))));
}

char *
RecsysKeptExpression(const char *text, Oid relation, RecsysPlace place, RecsysResult result,
					 Oid *type)
{
	ErrorContextCallback callback;
	Query	   *query;
	Node	   *expression;
	int			nestlevel;
	char	   *kept;

	RecsysPointIntoExpression(&callback, text);
	query = analyze(RecsysParseExpression(text), text, relation, RecsysAliases[place]);
	check_shape(query, text);
	check_rewritten(query);
	error_context_stack = callback.previous;

	expression = (Node *) linitial_node(TargetEntry, query->targetList)->expr;
	*type = exprType(expression);
	check_type(*type, result);

	nestlevel = RecsysBeginPlainNames();
	kept = deparse_expression(expression, deparse_context_for(RecsysAliases[place], relation),
							  true, false);
	RecsysEndPlainNames(nestlevel);
	return kept;
}
