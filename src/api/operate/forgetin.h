/*
 * forgetin.h
 *	  Which indexes are to forget a user.
 */
#ifndef RECSYS_FORGETIN_H
#define RECSYS_FORGETIN_H

#include "postgres.h"

#include "nodes/pg_list.h"

/*
 * The OIDs of the recsys indexes that a relation stands for: an index for itself, a
 * table for its indexes, a partitioned table or index for those of all partitions.
 * Indexes of one table stand together.  Invalid indexes are left out with a WARNING.
 * Errors out unless the caller owns the relation, there is an index, and all have the
 * same column or expression as the user.
 */
extern List *RecsysIndexesToForgetIn(Oid relation);

#endif							/* RECSYS_FORGETIN_H */
