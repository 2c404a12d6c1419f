/*
 * indexes.h
 *	  All recsys indexes of a database.
 */
#ifndef RECSYS_INDEXES_H
#define RECSYS_INDEXES_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* OID of the access method; InvalidOid where the extension is not installed. */
extern Oid	RecsysAccessMethod(void);

/*
 * OIDs of all indexes of the access method, valid or not, as a list in the
 * caller's memory; empty where the extension is not installed.
 */
extern List *RecsysAllIndexes(void);

/* Is the relation, which need not be locked or exist, an index of the access method, or a partitioned one? */
extern bool RecsysIsIndex(Oid relation);

#endif							/* RECSYS_INDEXES_H */
