/*
 * arrayshandler.h
 *	  The callbacks of the access method recsys_graph.
 */
#ifndef RECSYS_ARRAYSHANDLER_H
#define RECSYS_ARRAYSHANDLER_H

#include "postgres.h"

#include "access/amapi.h"
#include "access/genam.h"

/* arraysbuild.c */
extern IndexBuildResult *recsys_graph_build(Relation heap, Relation index, struct IndexInfo *info);
extern void recsys_graph_buildempty(Relation index);

/* arraysfixed.c */
extern bool recsys_graph_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid,
								Relation heap, IndexUniqueCheck unique, bool unchanged,
								struct IndexInfo *info);
extern IndexBulkDeleteResult *recsys_graph_bulkdelete(IndexVacuumInfo *info,
													  IndexBulkDeleteResult *stats,
													  IndexBulkDeleteCallback callback, void *state);
extern IndexBulkDeleteResult *recsys_graph_vacuumcleanup(IndexVacuumInfo *info,
														 IndexBulkDeleteResult *stats);

/* arraysvalidate.c */
extern bool recsys_graph_validate(Oid opclass);

#endif							/* RECSYS_ARRAYSHANDLER_H */
