/*
 * adopt.h
 *	  Partitions of which nobody has told the whole.
 */
#ifndef RECSYS_ADOPT_H
#define RECSYS_ADOPT_H

#include "postgres.h"

#include "utils/rel.h"

/* Called once, from _PG_init: merges of wholes sweep and adopt first. */
extern void RecsysInitAdopt(void);

/*
 * Enters all rows of a leaf if the whole does not know them.  The leaf is locked against writers.
 */
extern void RecsysAdoptLeaf(Relation whole, Relation leaf);

/*
 * The whole of a root, created, and built, if there is none yet.  Locks the partitioned table and
 * all leaves in that case.  Errors out if a partition has no index below the root.
 */
extern Oid	RecsysEnsureWhole(Oid root);

#endif							/* RECSYS_ADOPT_H */
