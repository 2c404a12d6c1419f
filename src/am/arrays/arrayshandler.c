/*
 * arrayshandler.c
 *	  The entry point of the access method recsys_graph: an item graph that stands in a table, a row
 *	  for each item, as an index.
 *
 * What it is for: neighbors that have been trained elsewhere, of the histories of many servers, are
 * served from pages laid out as those of any recsys index.  It has no users and no events; it is
 * built at once, and never changes (arraysfixed.c).
 *
 * It has no scans: neither amgettuple nor amgetbitmap, and no operators, so that the planner
 * never considers such an index.  What it is there for is read by functions.
 */
#include "postgres.h"

#include "am/arrays/arrayshandler.h"
#include "am/entry/handler.h"
#include "fmgr.h"
#include "nodes/pathnodes.h"
#include "optimizer/cost.h"

PG_FUNCTION_INFO_V1(recsys_graph_handler);

/* The planner makes no path of an index without scans, so this is never called. */
static void
graph_costestimate(PlannerInfo *root, IndexPath *path, double loop_count,
				   Cost *startup_cost, Cost *total_cost, Selectivity *selectivity,
				   double *correlation, double *pages)
{
	*startup_cost = *total_cost = disable_cost;
	*selectivity = 1;
	*correlation = 0;
	*pages = path->indexinfo->pages;
}

/* All that could be told about a model has been told when the graph was trained. */
static bytea *
graph_options(Datum reloptions, bool validate)
{
	if (validate && DatumGetPointer(reloptions) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an index of access method recsys_graph has no storage parameters"),
				 errdetail("It shows the neighbors that its table has.")));
	return NULL;
}

Datum
recsys_graph_handler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *routine = RecsysPlainRoutine();

	routine->ambuild = recsys_graph_build;
	routine->ambuildempty = recsys_graph_buildempty;
	routine->aminsert = recsys_graph_insert;
	routine->ambulkdelete = recsys_graph_bulkdelete;
	routine->amvacuumcleanup = recsys_graph_vacuumcleanup;
	routine->amcostestimate = graph_costestimate;
	routine->amoptions = graph_options;
	routine->amvalidate = recsys_graph_validate;

	PG_RETURN_POINTER(routine);
}
