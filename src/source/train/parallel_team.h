/*
 * parallel_team.h
 *	  Dense models trained by a team of leader and parallel workers.
 */
#ifndef RECSYS_PARALLEL_TEAM_H
#define RECSYS_PARALLEL_TEAM_H

#include "core/dense/densemodel.h"
#include "source/train/training.h"

/* The model of a similarity; NULL when it is none of these. */
extern const RecsysDenseModel *RecsysDenseModelOf(RecsysSimilarity similarity);

/* Takes what it wants from the block, before that goes. */
typedef void (*RecsysTeamKeeper) (void *arg, const RecsysDenseTask *task, void *shared);

/*
 * Trains by a team, whose block takes the task's memory once and each member its own; workers
 * that do not fit stay away.  training->matrix must be there.  What the result is does not depend
 * on the number of workers.  keep may be NULL.
 */
extern void RecsysTeamTrain(const RecsysTraining *training, const RecsysDenseTask *task,
							RecsysRowReporter report, void *arg,
							RecsysTeamKeeper keep, void *keep_arg);

#endif							/* RECSYS_PARALLEL_TEAM_H */
