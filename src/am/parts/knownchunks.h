/*
 * knownchunks.h
 *	  The chunks of wholes, as a session remembers them.
 */
#ifndef RECSYS_KNOWNCHUNKS_H
#define RECSYS_KNOWNCHUNKS_H

#include "am/parts/chunkpage.h"

typedef struct RecsysKnownChunks
{
	Oid			whole;			/* InvalidOid: nothing is remembered here */
	Oid			file;			/* the whole's, another one when it is rebuilt */
	uint32		n;
	uint32		size;
	RecsysChunk *chunks;		/* but for flags that have changed since */
	BlockNumber page;			/* where the last of them is */
	uint32		pagenumber;
	uint64		used;

	/* what they mean, as tidspace.c has worked it out last; NULL: nothing is worked out */
	MemoryContext context;
	void	   *meaning;
} RecsysKnownChunks;

/*
 * All chunks that there are now.  Reads pages: no buffer may be locked.  Belongs to the session:
 * valid until the next call.
 */
extern RecsysKnownChunks *RecsysGetChunks(Relation whole);

/* Empties the context that the meaning is in. */
extern void RecsysForgetMeaning(RecsysKnownChunks *chunks);

/* The flags of a chunk as they are now. */
extern uint32 RecsysChunkFlagsNow(Relation whole, uint32 number);

/*
 * The last chunk that begins a storage, which is the first one that counts; the number of
 * chunks if there is none.
 */
extern uint32 RecsysFindBeginning(const RecsysKnownChunks *chunks, const RecsysStorage *storage);

/* The storage that a leaf of a table has now; false: it is no leaf of it. */
extern bool RecsysStorageNow(Oid table, Relation leaf, RecsysStorage *storage);

#endif							/* RECSYS_KNOWNCHUNKS_H */
