/*
 * append.h
 *	  Adding entries to lists, and owners to buckets.
 */
#ifndef RECSYS_APPEND_H
#define RECSYS_APPEND_H

#include "am/lists/listentry.h"
#include "am/store/page.h"

/*
 * Adds one entry to the list of key.  On the user side a missing owner is
 * created.  On the item side, where creating one takes more (RecsysInternItem),
 * nothing is added and false returned.  *number (may be NULL) gets the owner's
 * number.
 */
extern bool RecsysAppendEntry(Relation index, RecsysSide side, const RecsysKey *key,
							  const RecsysEntry *entry, uint32 *number);

/*
 * The bucket of hash, exclusively locked, with needed bytes free for a new
 * owner.  bucket is the locked bucket that has been found too full.
 */
extern Buffer RecsysMakeRoom(Relation index, RecsysSide side, Buffer bucket, uint32 hash,
							 Size needed);

#endif							/* RECSYS_APPEND_H */
