/*
 * shards.h
 *	  Shards of tables that Citus has taken apart, and which relations of this node they are.
 */
#ifndef RECSYS_SHARDS_H
#define RECSYS_SHARDS_H

#include "postgres.h"

#include "nodes/pg_list.h"

/*
 * The shell that a table is a shard of, on this node; InvalidOid if it is none.  shard may be
 * NULL.
 */
extern Oid	RecsysShellOfShard(Oid table, int64 *shard);

/* The only shard of a shell that is not distributed by a column; 0 if it has none. */
extern int64 RecsysOnlyShard(Oid table);

/*
 * The relation on this node that is to a shard what a relation is to its shell; InvalidOid: it is
 * elsewhere.
 */
extern Oid	RecsysShardRelation(Oid relation, int64 shard);

/* What it is called, with its schema, on whichever node it is */
extern char *RecsysShardName(Oid relation, int64 shard);

/* Is the shard served by this node?  What a move has left behind is not. */
extern bool RecsysShardIsHere(int64 shard);

/* The group of nodes that serves it; -1: none does */
extern int32 RecsysGroupOfShard(int64 shard);

/* The shards of a shell, as int64; those of them that are here */
extern List *RecsysShardsOf(Oid table);
extern List *RecsysShardsHere(Oid table);

/* The shard of a shell that has a value of its column, of that type; 0: there is none */
extern int64 RecsysShardOfValue(Oid table, Oid type, Oid collation, Datum value);

#endif							/* RECSYS_SHARDS_H */
