/*
 * visible.h
 *	  A user's interactions as a snapshot sees them.
 */
#ifndef RECSYS_VISIBLE_H
#define RECSYS_VISIBLE_H

#include "postgres.h"

#include "am/store/page.h"
#include "core/rows/history.h"
#include "core/rows/key.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

/*
 * All interactions of a user (rows with an item) that are visible to snapshot,
 * in palloc'd memory; returns how many.  0 for an unknown user.
 */
extern int	RecsysReadVisible(Relation heap, Relation index, const RecsysKey *user,
							  Snapshot snapshot, RecsysInteraction **interactions);

/*
 * The same for every user of the index, one call each; the array is reused.
 */
typedef void (*RecsysVisibleUser) (void *arg, RecsysInteraction *interactions, int count);

extern void RecsysScanVisible(Relation heap, Relation index, Snapshot snapshot,
							  RecsysVisibleUser report, void *arg);

/* The same for users whose hashes are from low to high, range by range. */
typedef struct RecsysVisibleScan RecsysVisibleScan;

extern RecsysVisibleScan *RecsysVisibleScanCreate(Relation heap, Relation index,
												  Snapshot snapshot);
extern void RecsysVisibleScanRange(RecsysVisibleScan *scan, uint32 low, uint32 high,
								   RecsysVisibleUser report, void *arg);
extern void RecsysVisibleScanFree(RecsysVisibleScan *scan);

/* One user: all entries as they stand in the index, and the visible ones */
typedef struct RecsysUserView
{
	uint32		hash;
	uint16		flags;			/* RECSYS_OWNER_… */
	uint16		keylen;
	char		key[RECSYS_MAX_KEY_LEN];	/* as stored */
	const RecsysEntry *entries;
	uint32		nentries;
	RecsysInteraction *interactions;	/* may be reordered */
	int			ninteractions;
} RecsysUserView;

/* Reads users by hash, many of them; the snapshot must stay registered. */
typedef struct RecsysUserReader RecsysUserReader;
typedef void (*RecsysUserVisitor) (void *arg, RecsysUserView *user);

extern RecsysUserReader *RecsysUserReaderCreate(Relation heap, Relation index, Snapshot snapshot);

/* Visits all users of a hash, which is one, or a few that collide. */
extern void RecsysUserReaderRead(RecsysUserReader *reader, uint32 hash,
								 RecsysUserVisitor visit, void *arg);

/*
 * Visits all users of the bucket that has the hash, from that hash on, ascending.
 * Returns the next hash to go on with, beyond 32 bits after the last bucket.
 */
extern uint64 RecsysUserReaderReadBucket(RecsysUserReader *reader, uint32 hash,
										 RecsysUserVisitor visit, void *arg);
extern void RecsysUserReaderFree(RecsysUserReader *reader);

#endif							/* RECSYS_VISIBLE_H */
