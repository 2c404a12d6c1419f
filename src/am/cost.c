/*
 * cost.c
 *	  What a native scan costs.
 *
 * The generic estimate charges the share of pages and tuples that the
 * conditions select; on top come the two or three pages of the descent.  A scan
 * without a user or an item is impossible, so its path must never win.
 */
#include "postgres.h"

#include "am/columns.h"
#include "am/handler.h"
#include "compat.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/float.h"
#include "utils/selfuncs.h"

/* Directory pages above a bucket and the work on each, in cpu_operator_cost */
#define DESCENT_PAGES 2
#define DESCENT_OPERATORS 50.0

static bool
has_key_condition(IndexPath *path)
{
	ListCell   *cell;

	foreach(cell, path->indexclauses)
	{
		if (lfirst_node(IndexClause, cell)->indexcol < RECSYS_ITEM_COLUMN)
			return true;
	}
	return false;
}

void
recsys_costestimate(PlannerInfo *root, IndexPath *path, double loop_count,
					Cost *startup_cost, Cost *total_cost, Selectivity *selectivity,
					double *correlation, double *pages)
{
	GenericCosts costs = {0};
	Cost		descent = DESCENT_PAGES * DESCENT_OPERATORS * cpu_operator_cost;

	if (!has_key_condition(path))
	{
		*startup_cost = get_float8_infinity();
		*total_cost = get_float8_infinity();
		*selectivity = 0;
		*correlation = 0;
		*pages = 0;
		RECSYS_DISABLE_PATH(path);
		return;
	}

	genericcostestimate(root, path, loop_count, &costs);

	/* the list is read as a whole before the first row comes out */
	*startup_cost = costs.indexStartupCost + descent;
	*total_cost = costs.indexTotalCost + descent;
	*selectivity = costs.indexSelectivity;
	*correlation = costs.indexCorrelation;
	*pages = costs.numIndexPages;
}
