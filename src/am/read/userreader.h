/*
 * userreader.h
 *	  Reads users by hash: their entries as the index has them, and as a snapshot sees
 *	  them.
 */
#ifndef RECSYS_USERREADER_H
#define RECSYS_USERREADER_H

#include "postgres.h"

#include "am/store/page.h"
#include "core/rows/history.h"
#include "core/rows/key.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

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

#endif							/* RECSYS_USERREADER_H */
