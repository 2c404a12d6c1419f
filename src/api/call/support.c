/*
 * support.c
 *	  Planner support: how many rows a function returns.
 *
 * A function with an argument named k returns k rows when k is a constant;
 * most recommenders have more items than that.  k = NULL means all.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(recsys_rows_support);

/* Estimate for k = NULL */
#define ALL_ROWS 1000

/* Position of the input argument named k, or -1. */
static int
find_k(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	int			found = -1;

	if (HeapTupleIsValid(tuple))
	{
		Oid		   *types;
		char	  **names;
		char	   *modes;
		int			narguments = get_func_arg_info(tuple, &types, &names, &modes);

		/* input arguments come first in all our functions */
		for (int i = 0; names != NULL && i < narguments && found < 0; i++)
			if (strcmp(names[i], "k") == 0 && (modes == NULL || modes[i] == PROARGMODE_IN))
				found = i;
		ReleaseSysCache(tuple);
	}
	return found;
}

Datum
recsys_rows_support(PG_FUNCTION_ARGS)
{
	SupportRequestRows *request = (SupportRequestRows *) PG_GETARG_POINTER(0);
	List	   *arguments = NIL;
	Node	   *k;
	int			position;

	if (!IsA(request, SupportRequestRows))
		PG_RETURN_POINTER(NULL);

	if (is_funcclause(request->node))
		arguments = ((FuncExpr *) request->node)->args;
	position = find_k(request->funcid);
	if (position < 0 || position >= list_length(arguments))
		PG_RETURN_POINTER(NULL);

	k = estimate_expression_value(request->root, list_nth(arguments, position));
	if (!IsA(k, Const))
		PG_RETURN_POINTER(NULL);
	if (((Const *) k)->constisnull)
		request->rows = ALL_ROWS;
	else
	{
		Datum		value = ((Const *) k)->constvalue;

		/* an integer where baskets are mined and in version 0.1.0 */
		request->rows = ((Const *) k)->consttype == INT8OID ?
			Max(DatumGetInt64(value), 1) : Max(DatumGetInt32(value), 1);
	}
	PG_RETURN_POINTER(request);
}
