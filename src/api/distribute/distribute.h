/*
 * distribute.h
 *	  What is made of a distributed table's index.
 */
#ifndef RECSYS_DISTRIBUTE_H
#define RECSYS_DISTRIBUTE_H

#include "postgres.h"

#include "api/distribute/trainnodes.h"

/*
 * Errors out unless a function of that name, "recsys.distribute()", can work here and now: on the
 * coordinator of a cluster, outside of a transaction block.  hint: for a database without Citus.
 */
extern void RecsysCheckDistributing(const char *function, const char *hint);

/*
 * The coordinator is known to be at work, outside of a transaction block.  Makes reference
 * tables of those of the extension that nodes share, and copies of all reference tables on nodes
 * that lack them.
 */
extern void RecsysShareTables(void);

/* What recsys.distribute() and recsys.retrain() do for an index, whose owner calls */
extern void RecsysDistributeIndex(const char *name, RecsysTrainedGraph *trained);
extern void RecsysRetrainIndex(const char *name, RecsysTrainedGraph *trained);

/*
 * Makes a function, as the current user, that Citus takes to the node of its first argument,
 * user_id, by the placement of the table's shards.  It runs the call.  Needs SPI.
 */
extern void RecsysCreateForced(const char *name, const char *arguments, const char *types,
							   const char *columns, const char *call, Oid table);

#endif							/* RECSYS_DISTRIBUTE_H */
