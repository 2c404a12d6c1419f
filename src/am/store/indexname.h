/*
 * indexname.h
 *	  What an index, or another relation, is called in messages.
 */
#ifndef RECSYS_INDEXNAME_H
#define RECSYS_INDEXNAME_H

#include "postgres.h"

#include "utils/rel.h"

/*
 * The index that somebody has created: the partitioned one in the place of its whole (am/parts),
 * else the index itself.  The index is open.
 */
extern Oid	RecsysCreatedIndex(Relation index);

/* Its name, and the one that can be written in SQL, with its schema */
extern const char *RecsysIndexName(Relation index);
extern char *RecsysQualifiedIndexName(Relation index);

/* Any relation as it can be written in SQL, with its schema; its number if it is gone */
extern char *RecsysQualifiedName(Oid relation);

#endif							/* RECSYS_INDEXNAME_H */
