/*
 * leaves.h
 *	  The partitions of a table that have rows: its leaves.
 *
 * Since when a leaf is one is told by xmin of its row in pg_inherits, and those of the partitioned
 * tables between it and the root: ATTACH PARTITION makes a new one, and DETACH takes it away; a
 * rollback brings the old one back.  So a table that was detached, and written to, and attached
 * again is another storage.  What one transaction has attached, detached and attached again has the same xmin
 * twice: it can tell the two by where in pg_inherits the row stands (leafspace.h).
 */
#ifndef RECSYS_LEAVES_H
#define RECSYS_LEAVES_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

typedef struct RecsysLeaf
{
	Oid			table;
	uint32		attached;		/* see RecsysStorage */
	uint32		row;			/* stands for where in pg_inherits that is said */
} RecsysLeaf;

/* Those of a table, by OID.  Belongs to the cache: valid until the next look into a catalog. */
typedef struct RecsysLeaves
{
	Oid			table;
	Oid			foreign;		/* a foreign partition, if there is one, see RecsysRefuseForeign */
	uint64		number;			/* another one whenever they have been looked up anew */
	int			n;
	RecsysLeaf *leaves;
} RecsysLeaves;

/*
 * The leaves of a partitioned table as of now, from the session's cache.  A partition whose
 * detaching has begun is none any more.
 */
extern const RecsysLeaves *RecsysGetLeaves(Oid table);

/* Errors out if there is a foreign one: due before anything is read, but not for writing. */
extern void RecsysRefuseForeign(const RecsysLeaves *leaves);

/* Their OIDs, ascending, as a list in the caller's memory.  Errors out at a foreign one. */
extern List *RecsysLeafTables(Oid table);

/* That one of them, or NULL. */
extern const RecsysLeaf *RecsysFindLeaf(const RecsysLeaves *leaves, Oid table);

/*
 * Has each leaf of the root's table an index below it?  Errors out at a foreign one.
 */
extern bool RecsysAllLeavesHaveParts(Oid root);

/*
 * A serializable transaction reads all of a table, partitioned or not: the server looks for
 * conflicts at the tables that rows are in.
 */
extern void RecsysPredicateLockTable(Relation table, Snapshot snapshot);

#endif							/* RECSYS_LEAVES_H */
