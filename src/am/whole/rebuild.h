/*
 * rebuild.h
 *	  Building the whole of a partitioned table anew.
 */
#ifndef RECSYS_REBUILD_H
#define RECSYS_REBUILD_H

#include "postgres.h"

#include "utils/rel.h"

/* Locks the partitioned table of a root, and then all of its leaves by OID (ShareLock). */
extern void RecsysLockTree(Oid root);

/* The same, and builds; creates the whole if there is none. */
extern void RecsysRebuildWhole(Oid root);

/* Is this part one that a REINDEX of its root, or the root's table, comes to?  *last: the last one? */
extern bool RecsysIsOfReindex(Relation part, Oid root, bool *last);

#endif							/* RECSYS_REBUILD_H */
