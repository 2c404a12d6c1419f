/*
 * itemset_scan.c
 *	  frequent_itemsets() in a FROM clause as a scan that needs no copy of its rows.
 *
 * The server's own scan of a function copies every row of the answer into a tuplestore
 * and out of it, which takes ten times as long as mining does where there are hundreds of
 * thousands of item sets.  This scan calls the same function by the same means (so that
 * arguments, privileges and statistics are what they are otherwise), but the function
 * leaves its item sets in a stream, packed.  The scan unpacks them one by one, and makes
 * only those columns that the query looks at.
 *
 * It takes the place of the function scan for each item of a FROM clause that is a call
 * of frequent_itemsets() or query_frequent_itemsets() and nothing else; ROWS FROM with
 * several functions, WITH ORDINALITY, whole-row references, and functions with
 * a SET clause are left to the server.  A custom scan with a range table entry must be
 * one over a relation.  So this one is like those for joins: it has no entry, but a
 * target list of its own.
 */
#include "postgres.h"

#include "access/tupdesc.h"
#include "api/basket/itemset_scan.h"
#include "catalog/pg_language_d.h"
#include "catalog/pg_proc.h"
#include "commands/explain.h"
#include "compat.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* Columns of the answer */
enum
{
	ITEMS, SUPPORT, SUPPORT_SHARE, LENGTH, BASKET_WEIGHT, COLUMNS
};

typedef struct ItemsetScan
{
	CustomScanState css;
	SetExprState *call;
	TupleDesc	desc;			/* of the function's answer */
	MemoryContext arguments;	/* while it is called */
	RecsysSetStream *stream;	/* NULL: to be called yet */
	bool		wants_items;	/* does the query look at them? */
} ItemsetScan;

/* The call that is being made, and where its item sets shall go */
static ExprContext *calling = NULL;
static RecsysSetStream *called_stream = NULL;

static set_rel_pathlist_hook_type previous_hook = NULL;

/* Setting: whether plans get such scans. */
static bool scan_enabled = true;

static Plan *plan_scan(PlannerInfo *root, RelOptInfo *rel, CustomPath *best_path, List *tlist,
					   List *clauses, List *custom_plans);
static Node *create_scan_state(CustomScan *scan);
static void begin_scan(CustomScanState *node, EState *estate, int eflags);
static TupleTableSlot *execute_scan(CustomScanState *node);
static void end_scan(CustomScanState *node);
static void rescan(CustomScanState *node);
static void explain_scan(CustomScanState *node, List *ancestors, ExplainState *es);

static const CustomPathMethods path_methods = {
	.CustomName = "recsys item sets",
	.PlanCustomPath = plan_scan,
};

static const CustomScanMethods scan_methods = {
	.CustomName = "recsys item sets",
	.CreateCustomScanState = create_scan_state,
};

static const CustomExecMethods exec_methods = {
	.CustomName = "recsys item sets",
	.BeginCustomScan = begin_scan,
	.ExecCustomScan = execute_scan,
	.EndCustomScan = end_scan,
	.ReScanCustomScan = rescan,
	.ExplainCustomScan = explain_scan,
};

/*
 * Planner
 */

/* Is this one of the functions, as the extension has made it? */
static bool
mines_itemsets(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool		found = false;

	if (!HeapTupleIsValid(tuple))
		return false;
	if (((Form_pg_proc) GETSTRUCT(tuple))->prolang == ClanguageId &&
		((Form_pg_proc) GETSTRUCT(tuple))->proretset)
	{
		bool		isnull;
		Datum		source = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);
		char	   *name = isnull ? NULL : TextDatumGetCString(source);

		/* another library may have functions of these names: it is the address that counts */
		if (name != NULL && strstr(name, "frequent_itemsets") != NULL)
		{
			FmgrInfo	info;

			fmgr_info(function, &info);
			found = info.fn_addr == recsys_frequent_itemsets ||
				info.fn_addr == recsys_frequent_itemsets_typed ||
				info.fn_addr == recsys_query_frequent_itemsets ||
				info.fn_addr == recsys_query_frequent_itemsets_typed;
		}
	}
	ReleaseSysCache(tuple);
	return found;
}

/* The call that the range table entry consists of, if it is one of ours, else NULL. */
static FuncExpr *
call_of(const RangeTblEntry *rte)
{
	RangeTblFunction *function;

	if (rte->rtekind != RTE_FUNCTION || rte->funcordinality || list_length(rte->functions) != 1)
		return NULL;
	function = linitial_node(RangeTblFunction, rte->functions);
	if (function->funcexpr == NULL || !IsA(function->funcexpr, FuncExpr) ||
		function->funccolcount != COLUMNS ||
		!mines_itemsets(((FuncExpr *) function->funcexpr)->funcid))
		return NULL;
	return (FuncExpr *) function->funcexpr;
}

static void
consider_scan(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	Path	   *present;
	CustomPath *path;

	if (previous_hook != NULL)
		previous_hook(root, rel, rti, rte);
	if (!scan_enabled || rel->reloptkind != RELOPT_BASEREL || list_length(rel->pathlist) != 1 ||
		call_of(rte) == NULL)
		return;
	present = linitial(rel->pathlist);
	if (!IsA(present, Path) || present->pathtype != T_FunctionScan)
		return;

	/* whole rows, which rows that are locked or updated need as well */
	if (!bms_is_empty(rel->attr_needed[0 - rel->min_attr]))
		return;

	path = makeNode(CustomPath);
	path->path = *present;
	path->path.type = T_CustomPath;
	path->path.pathtype = T_CustomScan;
	path->path.parallel_safe = false;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->methods = &path_methods;
	rel->pathlist = list_make1(path);
}

static Plan *
plan_scan(PlannerInfo *root, RelOptInfo *rel, CustomPath *best_path, List *tlist, List *clauses,
		  List *custom_plans)
{
	CustomScan *scan = makeNode(CustomScan);
	FuncExpr   *call = call_of(planner_rt_fetch(rel->relid, root));
	TupleDesc	desc;

	if (call == NULL)
		elog(ERROR, "no call of frequent_itemsets to be scanned");
	(void) get_expr_result_type((Node *) call, NULL, &desc);
	scan->scan.plan.targetlist = tlist;
	scan->scan.plan.qual = extract_actual_clauses(clauses, false);
	scan->scan.scanrelid = 0;
	scan->flags = best_path->flags;
	scan->custom_exprs = list_make1(copyObject(call));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		Var		   *var = makeVar(rel->relid, i + 1, attribute->atttypid, attribute->atttypmod,
								  attribute->attcollation, 0);

		scan->custom_scan_tlist = lappend(scan->custom_scan_tlist,
										  makeTargetEntry((Expr *) var, i + 1,
														  pstrdup(NameStr(attribute->attname)),
														  false));
	}
	scan->methods = &scan_methods;
	return &scan->scan.plan;
}

/*
 * Executor
 */
RecsysSetStream *
RecsysItemsetScanStream(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	/* the arguments may have called the function, too, for a scan of the server's */
	if (calling == NULL || result == NULL || !IsA(result, ReturnSetInfo) ||
		result->econtext != calling)
		return NULL;
	return called_stream;
}

static Node *
create_scan_state(CustomScan *scan)
{
	ItemsetScan *state = (ItemsetScan *) newNode(sizeof(ItemsetScan), T_CustomScanState);

	state->css.methods = &exec_methods;
	return (Node *) state;
}

static void
begin_scan(CustomScanState *node, EState *estate, int eflags)
{
	ItemsetScan *state = (ItemsetScan *) node;
	CustomScan *scan = (CustomScan *) node->ss.ps.plan;
	Expr	   *call = linitial(scan->custom_exprs);
	Bitmapset  *columns = NULL;

	state->call = ExecInitTableFunctionResult(call, node->ss.ps.ps_ExprContext, &node->ss.ps);
	(void) get_expr_result_type((Node *) call, NULL, &state->desc);
	state->desc = CreateTupleDescCopy(state->desc);
	state->arguments = AllocSetContextCreate(CurrentMemoryContext, "recsys item set scan",
											 ALLOCSET_DEFAULT_SIZES);
	pull_varattnos((Node *) scan->scan.plan.targetlist, INDEX_VAR, &columns);
	pull_varattnos((Node *) scan->scan.plan.qual, INDEX_VAR, &columns);
	state->wants_items = bms_is_member(ITEMS + 1 - FirstLowInvalidHeapAttributeNumber, columns);
}

/* Call the function, which fills a stream. */
static void
fill_stream(ItemsetScan *state)
{
	ExprContext *saved_calling = calling;
	RecsysSetStream *saved_stream = called_stream;
	ExprContext *context = state->css.ss.ps.ps_ExprContext;
	MemoryContext old = MemoryContextSwitchTo(context->ecxt_per_query_memory);
	RecsysSetStream *stream = RecsysSetStreamCreate();

	PG_TRY();
	{
		calling = context;
		called_stream = stream;
		tuplestore_end(ExecMakeTableFunctionResult(state->call, context, state->arguments,
												   state->desc, false));
	}
	PG_FINALLY();
	{
		calling = saved_calling;
		called_stream = saved_stream;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old);
	state->stream = stream;
	RecsysSetStreamRewind(stream);
}

static TupleTableSlot *
next_set(ScanState *node)
{
	ItemsetScan *state = (ItemsetScan *) node;
	TupleTableSlot *slot = node->ss_ScanTupleSlot;
	RecsysItemset set;

	if (state->stream == NULL)
		fill_stream(state);
	ExecClearTuple(slot);
	if (!RecsysSetStreamNext(state->stream, state->wants_items, &set))
		return slot;
	slot->tts_isnull[ITEMS] = !state->wants_items;
	if (state->wants_items)
		slot->tts_values[ITEMS] = RecsysItemArraysForm(RecsysSetStreamArrays(state->stream), 0,
													   set.items, set.length);
	slot->tts_values[SUPPORT] = Int64GetDatum((int64) set.support);
	slot->tts_isnull[SUPPORT] = false;
	slot->tts_values[SUPPORT_SHARE] =
		Float8GetDatum((double) set.support / (double) RecsysSetStreamBaskets(state->stream));
	slot->tts_isnull[SUPPORT_SHARE] = false;
	slot->tts_values[LENGTH] = Int32GetDatum((int32) set.length);
	slot->tts_isnull[LENGTH] = false;
	slot->tts_values[BASKET_WEIGHT] = Float8GetDatum(set.weight);
	slot->tts_isnull[BASKET_WEIGHT] = !RecsysSetStreamFormat(state->stream)->weighted;
	return ExecStoreVirtualTuple(slot);
}

/* There is nothing to recheck: rows of a function are never locked. */
static bool
recheck(ScanState *node, TupleTableSlot *slot)
{
	return true;
}

static TupleTableSlot *
execute_scan(CustomScanState *node)
{
	return ExecScan(&node->ss, next_set, recheck);
}

static void
drop_stream(ItemsetScan *state)
{
	if (state->stream != NULL)
		RecsysSetStreamFree(state->stream);
	state->stream = NULL;
}

static void
end_scan(CustomScanState *node)
{
	drop_stream((ItemsetScan *) node);
}

static void
rescan(CustomScanState *node)
{
	ItemsetScan *state = (ItemsetScan *) node;

	/* with other parameters the call's arguments may be others */
	if (node->ss.ps.chgParam != NULL)
		drop_stream(state);
	else if (state->stream != NULL)
		RecsysSetStreamRewind(state->stream);
	ExecScanReScan(&node->ss);
}

static void
explain_scan(CustomScanState *node, List *ancestors, ExplainState *es)
{
	CustomScan *scan = (CustomScan *) node->ss.ps.plan;
	FuncExpr   *call = (FuncExpr *) linitial(scan->custom_exprs);

	ExplainPropertyText("Function", get_func_name(call->funcid), es);
}

void
RecsysInitItemsetScan(void)
{
	DefineCustomBoolVariable("recsys.itemset_scan",
							 "Plans frequent_itemsets in FROM as a custom scan.",
							 "Off: as the server's function scan, which gives the same rows.",
							 &scan_enabled, true, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);

	/* a plan that was made with the setting on may be run with it off */
	RegisterCustomScanMethods(&scan_methods);
	previous_hook = set_rel_pathlist_hook;
	set_rel_pathlist_hook = consider_scan;
}
