/*
 * wholename.h
 *	  The name of a whole, the one index of a partitioned table (am/parts/whole.h), and of its table.
 */
#ifndef RECSYS_WHOLENAME_H
#define RECSYS_WHOLENAME_H

#include "postgres.h"

/* Both write up to NAMEDATALEN bytes. */
extern void RecsysNameWholeTable(Oid root, char *name);
extern void RecsysNameWhole(Oid root, char *name);

/* The root that a relation is the whole of, by its name and schema; InvalidOid: it is none. */
extern Oid	RecsysRootByName(const char *name, Oid schema);

#endif							/* RECSYS_WHOLENAME_H */
