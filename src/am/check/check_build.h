/*
 * check_build.h
 *	  Is the item graph the one that a build would make?  For check_counts.c, which knows
 *	  when it has to be.
 */
#ifndef RECSYS_CHECK_BUILD_H
#define RECSYS_CHECK_BUILD_H

#include "am/check/check.h"
#include "am/store/meta.h"

typedef struct RecsysBuildCheck RecsysBuildCheck;

/* NULL where builds are not comparable. */
extern RecsysBuildCheck *RecsysBuildCheckCreate(Relation index, const RecsysMetaData *meta);

/* All that a snapshot sees of one user. */
extern void RecsysBuildCheckAdd(RecsysBuildCheck *check, const RecsysInteraction *interactions,
								int count);

/* Errors out unless the graph is that of the users added. */
extern void RecsysBuildCheckJudge(RecsysBuildCheck *check);
extern void RecsysBuildCheckFree(RecsysBuildCheck *check);

#endif							/* RECSYS_CHECK_BUILD_H */
