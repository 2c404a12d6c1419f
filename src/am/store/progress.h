/*
 * progress.h
 *	  Progress of builds and merges: the numbers of their phases, and how merges report.
 */
#ifndef RECSYS_PROGRESS_H
#define RECSYS_PROGRESS_H

#include "postgres.h"

#include "utils/rel.h"

/*
 * What a build does, as a subphase of CREATE INDEX (1 is the server's), and then a merge:
 * see recsys_buildphasename and the view recsys.merge_progress.
 */
#define RECSYS_PHASE_SCAN		2
#define RECSYS_PHASE_USERS		3
#define RECSYS_PHASE_ITEMS		4
#define RECSYS_PHASE_GRAPH		5
#define RECSYS_PHASE_LOG		6
#define RECSYS_PHASE_CHANGES	7
#define RECSYS_PHASE_QUEUE		8
#define RECSYS_PHASE_RESCORE	9
#define RECSYS_PHASE_TERMS		10
#define RECSYS_PHASE_CONTENT	11
#define RECSYS_PHASE_CLUSTERS	12
#define RECSYS_PHASE_HISTORIES	13
#define RECSYS_PHASE_TRAINING	14

/* Begins to report, unless this process reports something else already. */
extern void RecsysMergeProgressStart(Relation heap, Relation index, uint64 pending);
extern void RecsysMergeProgressPhase(int64 phase);

/* So many changes have been merged since the start. */
extern void RecsysMergeProgressChanges(uint64 merged);

/* So many more items have been recomputed. */
extern void RecsysMergeProgressItems(uint32 nitems);
extern void RecsysMergeProgressEnd(void);

#endif							/* RECSYS_PROGRESS_H */
