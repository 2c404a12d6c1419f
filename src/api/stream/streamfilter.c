/*
 * streamfilter.c
 *	  The filter of a stream: an expression over a message's values.
 *
 * It becomes part of a statement, as text, so it is parsed by itself first: it cannot be anything but one
 * expression.
 */
#include "postgres.h"

#include "api/define/expression.h"
#include "api/stream/streamfilter.h"
#include "api/stream/streamstatements.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* FROM (SELECT NULL::… AS column, …) AS message */
static Node *
message(const RecsysStreamShape *shape)
{
	RangeSubselect *range = makeNode(RangeSubselect);
	StringInfoData query;

	initStringInfo(&query);
	RecsysAppendEmptyMessage(&query, shape);
	range->subquery = linitial_node(RawStmt, raw_parser(query.data, RAW_PARSE_DEFAULT))->stmt;
	range->alias = makeAlias("message", NIL);
	return (Node *) range;
}

static void
check_shape(Query *query, const char *filter)
{
	Oid			type;

	if (query->hasAggs || query->hasWindowFuncs || query->hasTargetSRFs)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("aggregate, window and set-returning functions are not allowed in the filter of a stream"),
				 errhint("Put them into a subquery.")));
	if (list_length(query->targetList) != 1)
		RecsysRefuseNoExpression(filter);
	type = exprType((Node *) linitial_node(TargetEntry, query->targetList)->expr);
	if (getBaseType(type) != BOOLOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the filter of a stream must be of type boolean, not type %s", format_type_be(type))));
}

void
RecsysCheckStreamFilter(const RecsysStreamShape *shape)
{
	ErrorContextCallback callback;
	RawStmt    *raw;

	if (shape->filter == NULL)
		return;
	RecsysPointIntoExpression(&callback, shape->filter);
	raw = RecsysParseExpression(shape->filter);
	castNode(SelectStmt, raw->stmt)->fromClause = list_make1(message(shape));
	check_shape(parse_analyze_fixedparams(raw, shape->filter, NULL, 0, NULL), shape->filter);
	error_context_stack = callback.previous;
}
