/*
 * append.h
 *	  Adding entries to lists, and owners to buckets.
 */
#ifndef RECSYS_APPEND_H
#define RECSYS_APPEND_H

#include "am/lists/listentry.h"
#include "am/store/page.h"

/* What comes of adding an entry */
typedef struct RecsysAppended
{
	uint32		number;			/* of the owner */
	uint16		flags;			/* the owner's, before; 0 if it is new */
	bool		told;			/* the event is there, too */
	bool		too_long;		/* ... and has made the pending lists longer than their limit */
} RecsysAppended;

/*
 * Adds one entry to the list of key.  On the user side a missing owner is
 * created.  On the item side, where creating one takes more (RecsysInternItem),
 * nothing is added and false returned.
 */
extern bool RecsysAppendEntry(Relation index, RecsysSide side, const RecsysKey *key,
							  const RecsysEntry *entry, RecsysAppended *result);

/*
 * The same where the bucket of the key's hash is exclusively locked; it is released.
 * The event (may be NULL) is added in the same step if only a few bytes of the bucket
 * change; otherwise it is left to the caller.
 */
extern bool RecsysAppendToLocked(Relation index, RecsysSide side, Buffer bucket,
								 const RecsysKey *key, uint32 hash, const RecsysEntry *entry,
								 const RecsysEvent *event, RecsysAppended *result);

/*
 * How tuples grow: the room that follows a room, and the largest there is.
 */
extern int	RecsysOwnerNextRoom(int room, int keylen, int stride);
extern int	RecsysOwnerMostRoom(int keylen, int stride);

/*
 * Joins the free space of a bucket page, or of a copy of one, if that makes so many bytes
 * of it.  Tuples move, their numbers stay.
 */
extern bool RecsysCompactBucket(Page page, Size needed);

/* A copy of the owner with another room; its tail is kept as far as it fits. */
extern RecsysOwner RecsysResizeOwner(const RecsysOwnerData *owner, int room, int stride,
									 Size *size);

/* Errors out: no list has more entries than 32 bits count. */
pg_noreturn extern void RecsysTooManyEntries(void);

/*
 * The bucket of hash, exclusively locked, with needed bytes free for a new
 * owner.  bucket is the locked bucket that has been found too full.
 */
extern Buffer RecsysMakeRoom(Relation index, RecsysSide side, Buffer bucket, uint32 hash,
							 Size needed);

#endif							/* RECSYS_APPEND_H */
