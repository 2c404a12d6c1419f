/*
 * handler.h
 *	  The callbacks of the access method, each defined in the file named after
 *	  it.
 */
#ifndef RECSYS_HANDLER_H
#define RECSYS_HANDLER_H

#include "postgres.h"

#include "access/amapi.h"
#include "access/genam.h"
#include "access/skey.h"
#include "nodes/pathnodes.h"
#include "nodes/tidbitmap.h"

/*
 * What the access methods have in common, for their handlers to add to: an index of several columns,
 * all of them needed, that no scan uses.
 */
extern IndexAmRoutine *RecsysPlainRoutine(void);

/* partbuild.c */
extern IndexBuildResult *recsys_build(Relation heap, Relation index, struct IndexInfo *info);

/* build.c */
extern void recsys_buildempty(Relation index);

/* buildphase.c */
extern char *recsys_buildphasename(int64 phase);

/* insert.c */
extern bool recsys_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid,
						  Relation heap, IndexUniqueCheck unique, bool unchanged,
						  struct IndexInfo *info);

/* scan.c */
extern IndexScanDesc recsys_beginscan(Relation index, int nkeys, int norderbys);
extern void recsys_rescan(IndexScanDesc scan, ScanKey keys, int nkeys,
						  ScanKey orderbys, int norderbys);
extern bool recsys_gettuple(IndexScanDesc scan, ScanDirection direction);
extern int64 recsys_getbitmap(IndexScanDesc scan, TIDBitmap *bitmap);
extern void recsys_endscan(IndexScanDesc scan);

/* vacuum.c */
extern IndexBulkDeleteResult *recsys_bulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
												IndexBulkDeleteCallback callback, void *state);
extern IndexBulkDeleteResult *recsys_vacuumcleanup(IndexVacuumInfo *info,
												   IndexBulkDeleteResult *stats);

/* cost.c */
extern void recsys_costestimate(PlannerInfo *root, IndexPath *path, double loop_count,
								Cost *startup_cost, Cost *total_cost, Selectivity *selectivity,
								double *correlation, double *pages);

/* validate.c */
extern bool recsys_validate(Oid opclass);

#endif							/* RECSYS_HANDLER_H */
