/*
 * wholescan.h
 *	  The table scan of a whole's build: all leaves of the partitioned table, one by one.
 */
#ifndef RECSYS_WHOLESCAN_H
#define RECSYS_WHOLESCAN_H

#include "am/build/build_parallel.h"
#include "am/parts/chunkpage.h"
#include "nodes/pg_list.h"

/* What the scan of a whole leaves behind */
typedef struct RecsysLeafScan
{
	Relation	whole;
	Oid			root;
	List	   *leaves;			/* OIDs of tables, ascending; locked */
	RecsysChunk *chunks;		/* where the blocks of the positions are */
	uint32		nchunks;
} RecsysLeafScan;

/* Errors out unless leaf and whole are both logged, or both unlogged, or both temporary. */
extern void RecsysCheckLeafPersistence(Relation leaf, Relation whole, Oid root);

/* Locks all leaves of a partitioned table (ShareLock), by OID; their OIDs. */
extern List *RecsysLockLeaves(Oid table);

/* Locks all leaves; errors out if some are not what can be indexed together. */
extern void RecsysLeafScanBegin(RecsysLeafScan *scan, Relation whole, Oid root);

/* How many workers a build over all of them may use once it has scanned them. */
extern int	RecsysLeafScanWorkers(const RecsysLeafScan *scan);

/*
 * As RecsysBuildScan, over all leaves; positions are those of virtual TIDs.  info is that of the
 * whole: it learns of broken HOT chains.
 */
extern double RecsysScanLeaves(RecsysLeafScan *scan, struct IndexInfo *info,
							   const RecsysColumns *columns, RecsysAddRow add, void *arg);

#endif							/* RECSYS_WHOLESCAN_H */
