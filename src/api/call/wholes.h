/*
 * wholes.h
 *	  From a partitioned index to the one that has the rows of all partitions.
 */
#ifndef RECSYS_WHOLES_H
#define RECSYS_WHOLES_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "storage/lockdefs.h"
#include "utils/rel.h"

/*
 * Errors out if the relation, which need not be locked, is an index over interactions that is a part
 * of another one: of a partition, or what a partitioned one keeps its rows in.
 */
extern void RecsysRefusePart(Oid relation);

/* Errors out at an index over items of partitions: only those of its partitions can be used. */
extern void RecsysRefusePartitionedItems(Oid relation);

/*
 * The whole of a partitioned index, which is locked with its table, opened in that lock mode.  If
 * there is none yet: NULL; or it is made for its owner, and others get an error that says what to
 * do.
 */
extern Relation RecsysOpenWhole(Relation definition, LOCKMODE lockmode, bool missing_ok);

/* Does the first call of the current user, a reader, make it? */
extern bool RecsysMayMakeWhole(Oid root);

/*
 * The same in RowExclusiveLock, and made if there is none yet.  Before the partitioned table is
 * locked in any other way, it is to be locked for that: one session makes it, others wait and find
 * it.
 */
extern void RecsysLockToMakeWhole(Oid table, Oid root);
extern Relation RecsysOpenOrMakeWhole(Relation definition);

/* Why there is no whole yet, and what to do.  A sentence without its full stop. */
extern char *RecsysWhyNoWhole(Oid root);

#endif							/* RECSYS_WHOLES_H */
