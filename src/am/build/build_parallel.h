/*
 * build_parallel.h
 *	  The heap scan of an index build, with parallel workers.
 */
#ifndef RECSYS_BUILD_PARALLEL_H
#define RECSYS_BUILD_PARALLEL_H

#include "postgres.h"

#include "am/store/columns.h"
#include "source/input/collector.h"
#include "utils/rel.h"

struct IndexInfo;

/* How many parallel workers a build may use; may be none. */
extern int	RecsysBuildWorkers(Relation heap, Relation index);

/* How many workers, which evaluate nothing, may help to train an index from so many pages */
extern int	RecsysWorkersForPages(Relation index, double pages);

/*
 * Scan the table with up to nworkers workers and hand its rows, in any order,
 * to add.  A row and its keys are valid during the call.  Returns the number of
 * live heap rows.
 */
typedef void (*RecsysAddRow) (void *arg, const RecsysCollected *row);

extern double RecsysBuildScan(Relation heap, Relation index, struct IndexInfo *info,
							  const RecsysColumns *columns, int nworkers,
							  RecsysAddRow add, void *arg);

#endif							/* RECSYS_BUILD_PARALLEL_H */
