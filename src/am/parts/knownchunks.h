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
	uint32		changes;		/* as RecsysChunkCount said it */
	uint32		size;
	RecsysChunk *chunks;		/* but for RECSYS_CHUNK_PARTIAL, which may have gone since */
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

/*
 * The chunk that begins a storage, the last time that it did; the number of chunks if there is none.
 */
extern uint32 RecsysFindBeginning(const RecsysKnownChunks *chunks, const RecsysStorage *storage);

/* Is a chunk of the storage that another one begins, and since then? */
static inline bool
RecsysBelongsTo(const RecsysChunk *chunk, const RecsysChunk *first)
{
	return chunk->beginning == first->beginning && RecsysStorageEquals(&chunk->storage, &first->storage);
}

/* Have all rows of the storage that a chunk begins been entered?  Reads a page if need be. */
extern bool RecsysIsComplete(Relation whole, const RecsysKnownChunks *chunks, uint32 first);

#endif							/* RECSYS_KNOWNCHUNKS_H */
