/*
 * partrows.h
 *	  Entering the rows that a leaf has already into the whole.
 */
#ifndef RECSYS_PARTROWS_H
#define RECSYS_PARTROWS_H

#include "postgres.h"

#include "utils/rel.h"

struct IndexInfo;

/*
 * Enters all rows of a leaf anew, whatever the whole has of it; afterwards it is complete.  part
 * is the leaf's index, info how it is computed.  The leaf is locked against writers, and the user
 * is its owner.  settled: the transactions of all rows are over, so that merges need not wait for
 * this one.  Nothing happens if it is no leaf any more.
 *
 * In an error's or a crash's wake the leaf is partial, and a merge enters it once more.
 */
extern void RecsysEnterLeaf(Relation whole, Relation leaf, Relation part, struct IndexInfo *info,
							bool settled);

/*
 * Older snapshots than this transaction's end may see row versions that the whole has by the keys
 * of later ones: they are not to use it.
 */
extern void RecsysRefuseOlderSnapshots(Relation whole);

#endif							/* RECSYS_PARTROWS_H */
