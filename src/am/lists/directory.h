/*
 * directory.h
 *	  The hash-ordered tree that leads from a key's hash to its bucket page.
 */
#ifndef RECSYS_DIRECTORY_H
#define RECSYS_DIRECTORY_H

#include "am/store/page.h"

/* Upper half of the 64-bit key hash: what the tree is ordered by. */
#define RECSYS_TREE_HASH(hash64) ((uint32) ((hash64) >> 32))

/*
 * Called, if set, before a bucket is locked to be read: this session has rows that are not
 * entered yet (am/write/stage.c).  No page is locked then, and the cached copy of the meta page
 * (RecsysGetCache) may be another one afterwards.
 */
extern void (*RecsysBeforeReading) (void);

/* The bucket page that covers hash, pinned and locked. */
extern Buffer RecsysFindBucket(Relation index, RecsysSide side, uint32 hash, int lockmode);

/*
 * First owner on a bucket page with a hash >= hash, or one past the last:
 * owners stand in ascending order of hash.
 */
extern OffsetNumber RecsysBucketSearch(Page page, uint32 hash);

/*
 * Splits an exclusively locked bucket in two and returns the half that covers
 * hash, exclusively locked; the other is released.  Returns InvalidBuffer, with
 * bucket still locked, when all its owners share one hash.
 */
extern Buffer RecsysSplitBucket(Relation index, RecsysSide side, Buffer bucket, uint32 hash);

/*
 * Build only: given all buckets in hash order (lowest hash and block of each),
 * write the directory pages above them; the root goes to its fixed block.
 */
extern void RecsysBuildDirectory(Relation index, ForkNumber fork, RecsysSide side,
								 RecsysSlot *buckets, uint32 nbuckets);

#endif							/* RECSYS_DIRECTORY_H */
