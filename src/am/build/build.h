/*
 * build.h
 *	  Training: a new index of interactions.
 */
#ifndef RECSYS_BUILD_H
#define RECSYS_BUILD_H

#include "postgres.h"

#include "access/genam.h"
#include "utils/rel.h"

struct IndexInfo;

/*
 * Builds an index over the rows of heap, or of all leaves if it is the whole of a partitioned
 * table.  Its file is empty.
 */
extern IndexBuildResult *RecsysBuildIndex(Relation heap, Relation index, struct IndexInfo *info);

/* Makes it a part, which holds nothing. */
extern void RecsysBuildPart(Relation index);

/* Makes it the copy of a part, which is to take its place: see am/parts/twin.h. */
extern void RecsysBuildTwin(Relation index, Oid part);

#endif							/* RECSYS_BUILD_H */
