/*
 * shells.h
 *	  Tables that Citus has taken apart: shells, which stand for the whole.
 */
#ifndef RECSYS_SHELLS_H
#define RECSYS_SHELLS_H

#include "postgres.h"

#include "access/attnum.h"

/* Is Citus installed in this database?  Costs one look into a cache of the server. */
extern bool RecsysCitusIsThere(void);

/*
 * Is it a table that stands for what is elsewhere: distributed, a reference table, or a local table
 * that Citus knows?  On every node that knows of it.
 */
extern bool RecsysIsShell(Oid table);

/*
 * How a shell is distributed, as pg_dist_partition has it: 'h' by hash, 'r' by range, 'a', or 'n'
 */
extern char RecsysShellMethod(Oid table);

/* The column that a shell is distributed by; InvalidAttrNumber: none */
extern AttrNumber RecsysShellColumn(Oid table);

/* The number of the group of shells that are distributed alike; 0: of none */
extern int	RecsysShellGroup(Oid table);

/* Is it a table all of whose rows are on every node: a reference table? */
extern bool RecsysIsOnAllNodes(Oid table);

/* The number of this node's group; 0 is the coordinator's. */
extern int32 RecsysLocalGroup(void);

#endif							/* RECSYS_SHELLS_H */
