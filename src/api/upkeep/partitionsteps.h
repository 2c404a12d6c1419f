/*
 * partitionsteps.h
 *	  Keeping the partitions of a table of somebody's: making those to come, dropping those that have
 *	  expired.
 */
#ifndef RECSYS_PARTITIONSTEPS_H
#define RECSYS_PARTITIONSTEPS_H

#include "postgres.h"

#include "api/upkeep/keptpartitions.h"
#include "api/upkeep/upkeepsteps.h"

/*
 * What has expired in default partitions; takes long where that is much, and no lock that others
 * could stand behind.  kept: of RecsysKeptPartitions.  Each runs with the rights of the table's owner.
 */
extern void RecsysDeleteExpired(RecsysUpkeep *upkeep, List *kept);

/* Makes partitions, then drops; locks are held until the end of the transaction. */
extern void RecsysKeepPartitions(RecsysUpkeep *upkeep, List *kept);

/* Makes partitions of one table, and the default partition. */
extern void RecsysBeginPartitions(RecsysUpkeep *upkeep, RecsysKeptPartitions *kept);

#endif							/* RECSYS_PARTITIONSTEPS_H */
