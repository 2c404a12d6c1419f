/*
 * vacuum.h
 *	  What the VACUUM callbacks of both kinds of indexes share.
 */
#ifndef RECSYS_VACUUM_H
#define RECSYS_VACUUM_H

#include "access/genam.h"
#include "am/merge/merge.h"
#include "am/write/prune.h"
#include "am/write/slice.h"

/* Bulk delete: other (may be NULL) is called for pages that are no buckets, exclusively locked. */
typedef void (*RecsysVacuumPage) (RecsysPruning *state, Buffer buffer, RecsysPageKind kind);

extern IndexBulkDeleteResult *RecsysBulkDelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
											   IndexBulkDeleteCallback callback,
											   void *callback_state, RecsysVacuumPage other);

/* merge NULL: what is pending is left to somebody else. */
extern IndexBulkDeleteResult *RecsysVacuumCleanup(IndexVacuumInfo *info,
												  IndexBulkDeleteResult *stats,
												  RecsysMergeFunction merge);

/* VACUUM merges what is pending, of a whole unless a partition is locked. */
extern void RecsysVacuumMerge(Relation index, RecsysMergeFunction merge);

#endif							/* RECSYS_VACUUM_H */
