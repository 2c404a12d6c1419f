/*
 * trainkernels.h
 *	  Training by model, over histories whose weights are made already; for training.c.
 *
 * Each reports all rows in ascending item order and returns the number of passes over
 * the histories.
 */
#ifndef RECSYS_TRAINKERNELS_H
#define RECSYS_TRAINKERNELS_H

#include "source/train/training.h"

/* trainpairs.c */
extern int	RecsysTrainPairs(const RecsysTraining *training, RecsysRowReporter report, void *arg);
extern int	RecsysTrainSlim(const RecsysTraining *given, RecsysRowReporter report, void *arg);
extern int	RecsysTrainItemknn(const RecsysTraining *given, RecsysRowReporter report, void *arg);

/* traindense.c */
extern int	RecsysTrainEase(const RecsysTraining *given, RecsysRowReporter report, void *arg);
extern int	RecsysTrainSpectral(const RecsysTraining *given, RecsysRowReporter report, void *arg);

/* The factors, if they are wanted, live in the context result. */
extern int	RecsysTrainAls(const RecsysTraining *given, MemoryContext result,
						   RecsysRowReporter report, void *arg);

#endif							/* RECSYS_TRAINKERNELS_H */
