/*
 * itemscost.c
 *	  What a scan of an items index would cost: it has none.
 */
#include "postgres.h"

#include "am/items/itemshandler.h"
#include "optimizer/cost.h"

/* The planner makes no path of an index without scans, so this is never called. */
void
recsys_items_costestimate(PlannerInfo *root, IndexPath *path, double loop_count,
						  Cost *startup_cost, Cost *total_cost, Selectivity *selectivity,
						  double *correlation, double *pages)
{
	*startup_cost = *total_cost = disable_cost;
	*selectivity = 1;
	*correlation = 0;
	*pages = path->indexinfo->pages;
}
