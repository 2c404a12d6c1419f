/*
 * whole.h
 *	  The one index that a partitioned table has for all of its partitions.
 *
 * root: the partitioned index that somebody has created, the topmost one.
 * part: a partition's index below it, which holds nothing and passes rows on.
 * whole: the index "recsys_<OID of root>_index" on the empty table "recsys_<OID of root>" in
 * pg_toast, or the session's temporary toast schema.
 *
 * All of it is about the access method recsys: an items index of a partition is one like any
 * other.
 */
#ifndef RECSYS_WHOLE_H
#define RECSYS_WHOLE_H

#include "postgres.h"

#include "storage/lock.h"
#include "utils/rel.h"

/* Is the open index one that passes rows on?  Looks at no page. */
extern bool RecsysIsPart(Relation index);

/* Is it one that does not any more: detached, and never rebuilt?  Looks at its meta page. */
extern bool RecsysIsStub(Relation index);

/*
 * The topmost partitioned index above a part or a partitioned index, itself if there is none.
 * InvalidOid: there is no such index, or it is no index of partitioned tables.
 */
extern Oid	RecsysRootOf(Oid index);

/* A leaf's index below the root, or InvalidOid. */
extern Oid	RecsysPartOfLeaf(Relation leaf, Oid root);

/* The whole's index of a root, or InvalidOid. */
extern Oid	RecsysWholeOf(Oid root);

/* Is the open index a whole?  Then its root, else InvalidOid.  By its name alone. */
extern Oid	RecsysRootOfWhole(Relation index);

/* The same of an index that need not be open. */
extern Oid	RecsysRootOfWholeOid(Oid index);

/*
 * The table that an index is of, to be used in the place of IndexGetRelation: of a whole it is the
 * partitioned table.  InvalidOid if there is no such index.
 */
extern Oid	RecsysIndexedTable(Oid index);

/*
 * Creates table and index, which builds.  The partitioned table is locked by the caller, so that
 * nobody else does this.  Returns the index.
 */
extern Oid	RecsysCreateWhole(Oid root);

/* The root of an open part, as the session remembers it; InvalidOid: it is no part any more. */
extern Oid	RecsysRootOfPart(Relation part);

/*
 * The whole of a part, NULL if there is none yet; also of one that has just been replaced, which has
 * noted its root.  Locks the whole's table and then its index;
 * table_lock may be NoLock.  It is closed with these locks released, or by index_close and NoLock
 * with both kept.
 */
extern Relation RecsysOpenWholeOfPart(Relation part, LOCKMODE table_lock, LOCKMODE index_lock);
extern void RecsysCloseWholeOfPart(Relation whole, LOCKMODE table_lock, LOCKMODE index_lock);

/*
 * A partitioned table may have been attached to another one: then its index is no root any more,
 * but still has a whole, which gets no rows of the part.  The whole's index; InvalidOid behind the
 * last one.
 */
extern Oid	RecsysOtherWholeOfPart(Relation part, int number);

#endif							/* RECSYS_WHOLE_H */
