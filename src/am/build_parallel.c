/*
 * build_parallel.c
 *	  The parallel part of an index build.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "am/build_parallel.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "storage/bufmgr.h"

/*
 * The server asks the planner for its own index types only.  Tables of no
 * rows are built all the time: by CREATE TABLE with constraints, by TRUNCATE.
 */
int
RecsysBuildWorkers(Relation heap, Relation index)
{
	if (!IsNormalProcessingMode() || IsParallelWorker() || IsInParallelMode() ||
		RelationGetNumberOfBlocks(heap) == 0)
		return 0;
	return plan_create_index_workers(RelationGetRelid(heap), RelationGetRelid(index));
}
