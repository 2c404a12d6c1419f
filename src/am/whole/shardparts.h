/*
 * shardparts.h
 *	  Shards of tables that Citus has distributed, and that are partitioned as well.
 */
#ifndef RECSYS_SHARDPARTS_H
#define RECSYS_SHARDPARTS_H

#include "postgres.h"

#include "utils/rel.h"

/*
 * Is an index that is being built on a shard of a partition one that Citus is about to attach?
 */
extern bool RecsysWillBePart(Relation heap, Relation index);

/*
 * Has a partitioned table, if it is a shard that Citus is putting together, all of its partitions?
 */
extern bool RecsysShardIsComplete(Oid table);

#endif							/* RECSYS_SHARDPARTS_H */
