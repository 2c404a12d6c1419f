/*
 * trainmemory.h
 *	  What a training has of memory, and needs of it.
 */
#ifndef RECSYS_TRAINMEMORY_H
#define RECSYS_TRAINMEMORY_H

#include "source/train/training.h"

/* Do the histories have weights, and how many interactions are in all of them? */
extern bool RecsysTrainingIsWeighted(const RecsysTraining *training);
extern uint64 RecsysTrainingEntries(const RecsysTraining *training);

/* Takes so many bytes from what is left. */
extern void RecsysTrainingUseMemory(RecsysTraining *training, Size bytes);

/* Errors out: so many bytes are missing. */
extern void RecsysTrainingLacksMemory(const RecsysTraining *training, Size missing);

/* Sees to it that the histories are in memory; errors out unless they and so much more fit. */
extern void RecsysTrainingNeedMatrix(RecsysTraining *training, Size more);

#endif							/* RECSYS_TRAINMEMORY_H */
