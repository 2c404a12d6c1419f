/*
 * partitions.h
 *	  The partitions of the log: made ahead of time, and dropped when they are too old.
 */
#ifndef RECSYS_PARTITIONS_H
#define RECSYS_PARTITIONS_H

#include "api/upkeep/upkeepsteps.h"

/* Days for which there are partitions before they come */
#define RECSYS_PARTITIONS_AHEAD 7

/*
 * Both are to be called between RecsysBeginAsKeeper and RecsysEndAsKeeper.  They hold locks until
 * the end of the transaction, so nothing that takes long is to come behind them.
 */
extern void RecsysMakePartitions(RecsysUpkeep *upkeep);

/* Rows of requests that were made before that time, by whole days. */
extern void RecsysDropPartitions(RecsysUpkeep *upkeep, TimestampTz before);

#endif							/* RECSYS_PARTITIONS_H */
