/*
 * itemshandler.h
 *	  The callbacks of the access method recsys_items.
 */
#ifndef RECSYS_ITEMSHANDLER_H
#define RECSYS_ITEMSHANDLER_H

#include "postgres.h"

#include "access/amapi.h"
#include "access/genam.h"
#include "nodes/pathnodes.h"

/* itemsbuild.c */
extern IndexBuildResult *recsys_items_build(Relation heap, Relation index, struct IndexInfo *info);
extern void recsys_items_buildempty(Relation index);

/* itemsinsert.c */
extern bool recsys_items_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid,
								Relation heap, IndexUniqueCheck unique, bool unchanged,
								struct IndexInfo *info);

/* itemsvacuum.c */
extern IndexBulkDeleteResult *recsys_items_bulkdelete(IndexVacuumInfo *info,
													  IndexBulkDeleteResult *stats,
													  IndexBulkDeleteCallback callback, void *state);
extern IndexBulkDeleteResult *recsys_items_vacuumcleanup(IndexVacuumInfo *info,
														 IndexBulkDeleteResult *stats);

/* itemscost.c */
extern void recsys_items_costestimate(PlannerInfo *root, IndexPath *path, double loop_count,
									  Cost *startup_cost, Cost *total_cost,
									  Selectivity *selectivity, double *correlation, double *pages);

/* itemsvalidate.c */
extern bool recsys_items_validate(Oid opclass);

#endif							/* RECSYS_ITEMSHANDLER_H */
