/*
 * shells.h
 *	  Tables that Citus has taken apart: shells, which stand for the whole, and shards.
 */
#ifndef RECSYS_SHELLS_H
#define RECSYS_SHELLS_H

#include "postgres.h"

#include "access/attnum.h"
#include "nodes/pg_list.h"

/* Is Citus installed in this database?  Costs one look into a cache of the server. */
extern bool RecsysCitusIsThere(void);

/*
 * Is it a table that stands for what is elsewhere: distributed, a reference table, or a local table
 * that Citus knows?  On every node that knows of it.
 */
extern bool RecsysIsShell(Oid table);

/* The shell that a table is a shard of, on this node; InvalidOid if it is none.  shard may be NULL. */
extern Oid	RecsysShellOfShard(Oid table, int64 *shard);

/* How a shell is distributed, as pg_dist_partition has it: 'h' by hash, 'r' by range, 'a', or 'n' */
extern char RecsysShellMethod(Oid table);

/* The column that a shell is distributed by; InvalidAttrNumber: none */
extern AttrNumber RecsysShellColumn(Oid table);

/* The number of the group of shells that are distributed alike; 0: of none */
extern int	RecsysShellGroup(Oid table);

/* Is it a table all of whose rows are on every node: a reference table? */
extern bool RecsysIsOnAllNodes(Oid table);

/* The only shard of a shell that is not distributed by a column; 0 if it has none. */
extern int64 RecsysOnlyShard(Oid table);

/*
 * The relation on this node that is to a shard what a relation is to its shell; InvalidOid: it is
 * elsewhere.
 */
extern Oid	RecsysShardRelation(Oid relation, int64 shard);

/* The number of this node's group; 0 is the coordinator's. */
extern int32 RecsysLocalGroup(void);

/* Is the shard served by this node?  What a move has left behind is not. */
extern bool RecsysShardIsHere(int64 shard);

/* The group of nodes that serves it; -1: none does */
extern int32 RecsysGroupOfShard(int64 shard);

/* The shards of a shell, as int64; those of them that are here */
extern List *RecsysShardsOf(Oid table);
extern List *RecsysShardsHere(Oid table);

/* The shard of a shell that has a value of its column, of that type; 0: there is none */
extern int64 RecsysShardOfValue(Oid table, Oid type, Oid collation, Datum value);

#endif							/* RECSYS_SHELLS_H */
