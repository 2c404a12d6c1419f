/*
 * owner.h
 *	  Owner tuples: forming, finding and checking them, and reading their lists.
 */
#ifndef RECSYS_OWNER_H
#define RECSYS_OWNER_H

#include "am/lists/listentry.h"
#include "am/store/meta.h"
#include "am/store/page.h"

/* Palloc'd owner tuple with the given room, no entries yet; *size gets its length. */
extern RecsysOwner RecsysFormOwner(RecsysKeyKind kind, const RecsysKey *key, uint32 hash,
								   uint32 number, int room, int stride, Size *size);

/* What a key is hashed to in the tree of a side, and of which kind it is. */
extern uint32 RecsysHashOfKey(const RecsysCache *cache, RecsysSide side, const RecsysKey *key,
							  RecsysKeyKind *kind);

/* Owner of key on a locked bucket page, or InvalidOffsetNumber. */
extern OffsetNumber RecsysFindOwner(Relation index, Page page, RecsysKeyKind kind,
									const RecsysKey *key, uint32 hash);

#define RecsysPageGetOwner(page, off) \
	((RecsysOwner) PageGetItem((page), PageGetItemId((page), (off))))

/*
 * Goes through all entries of an owner whose bucket is locked, as they are packed,
 * so many at a time.  Whoever unpacks them has to look whether TIDs are sane.
 *
 * Returns false when it has stopped half way because the statement is cancelled,
 * which it does only if stoppable.  The caller then unlocks the bucket and calls
 * CHECK_FOR_INTERRUPTS; if that returns, it begins anew and is not stopped again.
 */
typedef void (*RecsysEntryRun) (void *arg, const char *packed, int count);

extern bool RecsysWalkEntries(Relation index, RecsysCache *cache, RecsysSide side,
							  RecsysOwner owner, bool stoppable, RecsysEntryRun run, void *arg);

/* Appends all entries of an owner whose bucket is locked.  Stops as RecsysWalkEntries does. */
extern bool RecsysCollectEntries(Relation index, RecsysCache *cache, RecsysSide side,
								 RecsysOwner owner, bool stoppable, RecsysEntryArray *array);

/*
 * Looks key up and locks its bucket in share mode; the owner has been checked and stays there as
 * long as the bucket is locked.  False, and nothing is locked, when the key has no owner.
 */
extern bool RecsysLockOwner(Relation index, RecsysSide side, const RecsysKey *key,
							Buffer *bucket, RecsysOwner *owner);

/*
 * Looks key up and collects its entries.  While they are still under the bucket's lock,
 * so that VACUUM cannot have removed any of them, the hook (may be NULL) sees those
 * from first to the array's end; it may stop, as RecsysWalkEntries does.  Returns false
 * when the key has no owner; *number (may be NULL) gets the owner's number.
 */
typedef bool (*RecsysEntryHook) (RecsysEntryArray *array, uint32 first, bool stoppable, void *arg);

extern bool RecsysReadOwner(Relation index, RecsysSide side, const RecsysKey *key,
							RecsysEntryArray *array, uint32 *number,
							RecsysEntryHook hook, void *arg);

/* Entries of all owners with a hash; seldom is it more than one. */
extern uint64 RecsysCountEntries(Relation index, RecsysSide side, uint32 hash);

/*
 * Appends the user hashes of an item's postings to a growing array, rows without
 * user left out.  False when the item has no owner.
 */
typedef struct RecsysHashArray
{
	uint32	   *hashes;
	uint64		count;
	uint64		size;
} RecsysHashArray;

extern bool RecsysReadPostings(Relation index, const RecsysKey *item, RecsysHashArray *array);

/* Errors out unless the owner's lengths agree with its item's length. */
extern void RecsysOwnerCheck(Relation index, Page page, OffsetNumber off, int stride);

#endif							/* RECSYS_OWNER_H */
