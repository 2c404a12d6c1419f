/*
 * storagefate.h
 *	  Which storages a whole has chunks of, and whether they are current.
 */
#ifndef RECSYS_STORAGEFATE_H
#define RECSYS_STORAGEFATE_H

#include "am/parts/chunkpage.h"
#include "utils/hsearch.h"
#include "utils/rel.h"

typedef struct RecsysStorageFate
{
	RecsysStorage storage;		/* the key */
	uint32		beginning;		/* chunks with another one do not count any more */
	bool		partial;		/* not all rows have been entered */
	bool		unswept;		/* some chunk has not been swept */
} RecsysStorageFate;

/* All storages of n chunks, in a table in the current memory context. */
extern HTAB *RecsysStorageFates(const RecsysChunk *chunks, uint32 n);

/*
 * Is it the storage of a current partition?  By the catalog as of now, without waiting for a lock; true
 * where it cannot be told now.
 */
extern bool RecsysStorageMayBeCurrent(Relation whole, HTAB *fates, const RecsysStorage *storage);

/* Has a merge to sweep or to adopt something?  Without a lock on a partition. */
extern bool RecsysWholeHasWork(Relation whole);

#endif							/* RECSYS_STORAGEFATE_H */
