/*
 * owner.h
 *	  Owner tuples: forming, finding and checking them, and reading their lists.
 */
#ifndef RECSYS_OWNER_H
#define RECSYS_OWNER_H

#include "am/lists/chain.h"
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
 * Goes through all entries of an owner, as they are packed, so many at a time: first the
 * newest ones, with the owner's bucket locked, then the older ones.  Between the two the
 * caller may call RecsysChainLetGo and unlock the bucket: then a list of any length keeps
 * nobody waiting, and interrupts are served.  Run is called while the page that the
 * entries are on is locked.  Whoever unpacks them has to look whether TIDs are sane.
 */
typedef void (*RecsysEntryRun) (void *arg, const char *packed, int count);

extern void RecsysWalkNewest(RecsysChain *chain, Relation index, RecsysCache *cache, RecsysSide side,
							 const RecsysOwnerData *owner, RecsysEntryRun run, void *arg);
extern void RecsysWalkOlder(RecsysChain *chain, RecsysEntryRun run, void *arg);

/* One page of the older ones; false when there is none. */
extern bool RecsysWalkPage(RecsysChain *chain, RecsysEntryRun run, void *arg);

/*
 * Who copies several owners of a bucket reads those with up to so many entries besides the
 * newest, all together, while it is locked.
 */
#define RECSYS_LOCKED_ENTRIES 4096

/*
 * A reader of the owners of a locked bucket has met the newest entries of the one at off.  Is
 * the rest to be read after unlocking?  *locked counts entries read under the lock.  Where
 * another owner has the same hash it is not, as the reader goes on from the next hash.
 */
extern bool RecsysReadsRestLater(Page page, OffsetNumber off, const RecsysChain *chain,
								 uint64 *locked);

/*
 * Looks key up and locks its bucket in share mode; the owner has been checked and stays there as
 * long as the bucket is locked.  False, and nothing is locked, when the key has no owner.
 */
extern bool RecsysLockOwner(Relation index, RecsysSide side, const RecsysKey *key,
							Buffer *bucket, RecsysOwner *owner);

/*
 * Looks key up and collects its entries, the tail's and then those of each chain page.  The hook
 * (may be NULL) sees those of a page, from first to the array's end, while that is locked, or
 * the bucket is: VACUUM cannot have removed any of them.  Returns false when the key has no
 * owner; *number (may be NULL) gets the owner's number.  Without an array only that is looked up.
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
