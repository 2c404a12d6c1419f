/*
 * tidspace.h
 *	  The leaves of a whole, open for reading, and which of them a virtual block is of.
 */
#ifndef RECSYS_TIDSPACE_H
#define RECSYS_TIDSPACE_H

#include "postgres.h"

#include "am/parts/chunkpage.h"
#include "storage/itemptr.h"
#include "utils/rel.h"

/* What a whole knows of a leaf's rows */
typedef enum RecsysLeafState
{
	RECSYS_LEAF_UNKNOWN,		/* nothing: a merge is to enter all of them */
	RECSYS_LEAF_PARTIAL,		/* some of them: likewise */
	RECSYS_LEAF_COMPLETE
} RecsysLeafState;

/* All current leaves, open, as reading a whole takes them */
typedef struct RecsysParts RecsysParts;

/*
 * Opens all current leaves of the table that a whole is of, and locks them (AccessShareLock, to the
 * end of the transaction, as a SELECT does); NULL for an index that is no whole.
 * table is locked.  No buffer may be locked.  Closing is due, but not after an error.
 */
extern RecsysParts *RecsysPartsOpen(Relation table, Relation whole);
extern void RecsysPartsClose(RecsysParts *parts);

/*
 * Between the two calls parts are closed with their locks released: for who reads a little within a
 * transaction that is about something else.
 */
extern void RecsysPartsRelease(bool release);

extern int	RecsysPartsCount(const RecsysParts *parts);
extern Relation RecsysPartsLeaf(const RecsysParts *parts, int leaf);

/*
 * The leaf that has a virtual block, and its own block; -1: gone.  For blocks of chunks that are
 * newer than the parts *unknown becomes true, and the answer is -1: RecsysPartsRefresh, which
 * reads pages, so that no buffer may be locked, makes all of them known that there are now.
 */
extern int	RecsysLeafOfBlock(const RecsysParts *parts, BlockNumber block, BlockNumber *own, bool *unknown);
extern void RecsysPartsRefresh(RecsysParts *parts);

#endif							/* RECSYS_TIDSPACE_H */
