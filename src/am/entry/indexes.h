/*
 * indexes.h
 *	  All recsys indexes of a database: those over interactions, over items, and over item graphs.
 */
#ifndef RECSYS_INDEXES_H
#define RECSYS_INDEXES_H

#include "postgres.h"

#include "nodes/pg_list.h"

typedef enum RecsysIndexKind
{
	RECSYS_NO_INDEX,
	RECSYS_INTERACTIONS_INDEX,	/* access method recsys */
	RECSYS_ITEMS_INDEX,			/* access method recsys_items */
	RECSYS_GRAPH_INDEX			/* access method recsys_graph */
} RecsysIndexKind;

/* OID of the access method recsys; InvalidOid where the extension is not installed. */
extern Oid	RecsysAccessMethod(void);

/*
 * OIDs of all indexes of these access methods that stand for themselves, valid or not, as a list in the
 * caller's memory; empty where the extension is not installed.  One over interactions may be
 * partitioned; then its parts are not listed.  Those that only stand for what is in shards
 * (shells.h) are left out, or not.
 */
extern List *RecsysAllIndexes(void);
extern List *RecsysAllIndexesAndShells(void);

/* The kind of a relation, which need not be locked or exist; a partitioned index has one, too. */
extern RecsysIndexKind RecsysKindOfIndex(Oid relation);

/* Is it an index of any kind? */
extern bool RecsysIsIndex(Oid relation);

#endif							/* RECSYS_INDEXES_H */
