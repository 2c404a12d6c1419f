/*
 * mergeprogress.h
 *	  Progress of merges, for recsys.merge_progress.
 */
#ifndef RECSYS_MERGEPROGRESS_H
#define RECSYS_MERGEPROGRESS_H

#include "postgres.h"

#include "utils/rel.h"

/* stand behind the subphases of a build: see recsys_buildphasename */
#define RECSYS_PHASE_CHANGES	7
#define RECSYS_PHASE_QUEUE		8
#define RECSYS_PHASE_RESCORE	9

/* Begins to report, unless this process reports something else already. */
extern void RecsysMergeProgressStart(Relation heap, Relation index, uint64 pending);
extern void RecsysMergeProgressPhase(int64 phase);

/* So many changes have been merged since the start. */
extern void RecsysMergeProgressChanges(uint64 merged);

/* So many more items have been recomputed. */
extern void RecsysMergeProgressItems(uint32 nitems);
extern void RecsysMergeProgressEnd(void);

#endif							/* RECSYS_MERGEPROGRESS_H */
