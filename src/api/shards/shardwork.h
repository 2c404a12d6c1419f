/*
 * shardwork.h
 *	  What is done to all indexes of a distributed recommender, on all nodes in one call.
 */
#ifndef RECSYS_SHARDWORK_H
#define RECSYS_SHARDWORK_H

#include "postgres.h"

#include "api/call/distributed.h"

typedef enum RecsysShardAction
{
	RECSYS_SHARDS_MERGE,		/* argument: "exact" or "bounded"; sums: merged, recomputed, inexact */
	RECSYS_SHARDS_CHECK,		/* no sums */
	RECSYS_SHARDS_FORGET,		/* argument: the user's key as text; sum: interactions forgotten */
	RECSYS_SHARDS_ASSEMBLE		/* those of partitioned tables that nobody has put together; no sums */
} RecsysShardAction;

#define RECSYS_SHARD_SUMS 3

/*
 * Is the index, which need not be locked, one of a distributed recommender?  Then the action is
 * taken on all nodes, as the current user, and sums get what was done.  Errors out with the name of
 * the index that has failed; others have been done nevertheless.
 */
extern bool RecsysOnShards(Oid index, RecsysShardAction action, const char *argument, int64 *sums);

/*
 * Has the shards of a partitioned table put together on all nodes, where they are not.  Needs
 * SPI.  The recommender need not be distributed yet.
 */
extern void RecsysAssembleShards(const RecsysDistributed *distributed);

#endif							/* RECSYS_SHARDWORK_H */
