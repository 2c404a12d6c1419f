/*
 * trainstream.h
 *	  Measures of pairs where histories and their transpose do not fit in memory together.
 */
#ifndef RECSYS_TRAINSTREAM_H
#define RECSYS_TRAINSTREAM_H

#include "source/train/training.h"

/* All histories of the file, or the matrix, into an empty chunk that has room for them */
extern void RecsysTrainingFillChunk(const RecsysTraining *training, RecsysHistoryChunk *chunk);

/* By this process alone; returns the number of passes over the histories. */
extern int	RecsysTrainStream(const RecsysTraining *training, RecsysRowReporter report, void *arg);

#endif							/* RECSYS_TRAINSTREAM_H */
