/*
 * cost.c
 *	  What a native scan costs.
 *
 * The generic estimate charges the share of pages and tuples that the
 * conditions select; on top come the two or three pages of the descent.  A scan
 * without a user or an item reads the table before it gives out rows (tablescan.c), and
 * for them the executor reads it once more.
 */
#include "postgres.h"

#include "am/entry/handler.h"
#include "am/store/columns.h"
#include "compat.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"

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
		RelOptInfo *table = path->indexinfo->rel;
		double		page_cost;

		get_tablespace_page_costs(table->reltablespace, NULL, &page_cost);
		*startup_cost = page_cost * table->pages + cpu_tuple_cost * table->tuples;
		*total_cost = *startup_cost + cpu_index_tuple_cost * table->tuples;

		/* of every page, one after the other */
		*selectivity = 1;
		*correlation = 1;
		*pages = table->pages;
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
