/*
 * cost.c
 *	  What a native scan costs.
 *
 * The generic estimate charges the share of pages and tuples that the
 * conditions select; on top come the two or three pages of the descent.  A scan
 * without a user or an item reads the table before it gives out rows (tablescan.c), and
 * for them the executor reads it once more.
 *
 * The index of a partition holds nothing.  Its scans read the lists of the whole table's index, with
 * the entries of all partitions, so that is the size to go by.  A partition that has been detached is
 * read as a table, whatever the conditions.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "am/entry/handler.h"
#include "am/parts/whole.h"
#include "am/store/columns.h"
#include "am/store/inspect.h"
#include "am/store/meta.h"
#include "catalog/pg_class.h"
#include "compat.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"
#include "utils/syscache.h"

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

/* A stub has a few pages, as an index over an empty table has.  Larger indexes are not looked at. */
#define STUB_PAGES 16

/*
 * Of a part: the size of the whole, whose lists its scans read.  False if the table is
 * read, as there is no whole, or the index is a stub.
 */
static bool
size_of_lists(const IndexOptInfo *info, bool *part, double *pages, double *tuples)
{
	Relation	index;
	bool		found = true;

	*part = false;
	if (info->hypothetical)
		return true;

	/* the planner has locked it */
	index = index_open(info->indexoid, NoLock);
	*part = RecsysIsPart(index);
	if (*part)
	{
		Oid			root = RecsysRootOf(info->indexoid);
		Oid			whole = OidIsValid(root) ? RecsysWholeOf(root) : InvalidOid;
		HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(whole));

		found = HeapTupleIsValid(tuple);
		if (found)
		{
			Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);

			*pages = Max(form->relpages, 1);
			*tuples = Max(form->reltuples, 1);
			ReleaseSysCache(tuple);
		}
	}
	else if (info->pages <= STUB_PAGES)
	{
		RecsysMetaData meta;

		found = !RecsysPeekMeta(index, &meta) || !meta.part;
	}
	index_close(index, NoLock);
	return found;
}

static void
cost_of_table(const IndexPath *path, Cost *startup_cost, Cost *total_cost, Selectivity *selectivity,
			  double *correlation, double *pages)
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
}

void
recsys_costestimate(PlannerInfo *root, IndexPath *path, double loop_count,
					Cost *startup_cost, Cost *total_cost, Selectivity *selectivity,
					double *correlation, double *pages)
{
	GenericCosts costs = {0};
	Cost		descent = DESCENT_PAGES * DESCENT_OPERATORS * cpu_operator_cost;
	IndexOptInfo lists = *path->indexinfo;
	IndexPath	of_lists = *path;
	double		whole_pages = 0;
	double		whole_tuples = 0;
	bool		part = false;

	if (!has_key_condition(path) ||
		!size_of_lists(path->indexinfo, &part, &whole_pages, &whole_tuples))
	{
		cost_of_table(path, startup_cost, total_cost, selectivity, correlation, pages);
		return;
	}

	/* as many entries a page as the whole has; those of other partitions are passed over */
	of_lists.indexinfo = &lists;
	if (part)
	{
		lists.tuples = Max(whole_tuples, lists.rel->tuples);
		lists.pages = whole_pages;
	}
	genericcostestimate(root, &of_lists, loop_count, &costs);
	if (part)
		costs.indexTotalCost += cpu_index_tuple_cost * costs.indexSelectivity *
			(lists.tuples - lists.rel->tuples);

	/* the list is read as a whole before the first row comes out */
	*startup_cost = costs.indexStartupCost + descent;
	*total_cost = costs.indexTotalCost + descent;
	*selectivity = costs.indexSelectivity;
	*correlation = costs.indexCorrelation;
	*pages = costs.numIndexPages;
}
