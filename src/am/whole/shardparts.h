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
 * by_name: also one of a number that no catalog knows yet, as those of a split; but a table of
 * somebody's may have such a name.
 */
extern bool RecsysShardIsComplete(Oid table, bool by_name);

/*
 * Is the table a shard that this node does not serve: one that is arriving, or that a move has left
 * behind?
 */
extern bool RecsysShardIsElsewhere(Oid table);

#endif							/* RECSYS_SHARDPARTS_H */
