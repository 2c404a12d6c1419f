/*
 * querytraining.h
 *	  From the interactions of a query to a model that is ready to run.
 */
#ifndef RECSYS_QUERYTRAINING_H
#define RECSYS_QUERYTRAINING_H

#include "postgres.h"

#include "source/input/collector.h"
#include "source/train/historystore.h"

/*
 * The model is finished, and the rows of the collector are released; its items stay.  limit is for
 * both. options become those that are to be trained with: resolved, and chosen where auto was asked
 * for.
 */
extern RecsysModel *RecsysTrainCollected(RecsysCollector *collector, bool weighted,
										 RecsysModelOptions *options, Size limit);

#endif							/* RECSYS_QUERYTRAINING_H */
