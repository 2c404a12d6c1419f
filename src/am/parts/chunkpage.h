/*
 * chunkpage.h
 *	  Chunks: what the block numbers of a whole's entries stand for.
 *
 * A partitioned table has one index for all of its partitions, the whole (whole.h).  Block numbers
 * of its entries are virtual: the upper 18 bits are the number of a chunk, the lower 14 a block
 * within it.  A record says which 16384 blocks of which storage the chunk is.
 *
 * A *storage* is one run of TIDs that mean the same rows: the partition's table, the file that it
 * has (TRUNCATE and whatever rewrites a table give it another one), and since when it is a
 * partition (detached, it goes on without telling the whole).  Whether a storage is current is
 * nothing that the whole knows: the catalog tells each transaction (tidspace.h).
 *
 * Of a storage those records count that have its last beginning; so a storage may be begun anew, by
 * which all entries that it has had so far are gone at once.
 *
 * The number of a record that has been swept is used again, when all snapshots are newer
 * than that, as pages are (am/store/recycle.h).  So whoever has taken the chunk for gone, or knows of an
 * entry that it had, is no more.
 */
#ifndef RECSYS_CHUNKPAGE_H
#define RECSYS_CHUNKPAGE_H

#include "am/store/page.h"

#define RECSYS_CHUNK_SHIFT		14
#define RECSYS_CHUNK_BLOCKS		((BlockNumber) 1 << RECSYS_CHUNK_SHIFT)

/* The last number that there could be has the invalid block. */
#define RECSYS_MAX_CHUNKS		(((uint32) 1 << (32 - RECSYS_CHUNK_SHIFT)) - 1)
#define RECSYS_MAX_PIECE		(((uint32) 1 << (32 - RECSYS_CHUNK_SHIFT)) - 1)

#define RecsysChunkOf(block)	((block) >> RECSYS_CHUNK_SHIFT)
#define RecsysBlockInChunk(block) ((block) & (RECSYS_CHUNK_BLOCKS - 1))

static inline bool
RecsysStorageEquals(const RecsysStorage *a, const RecsysStorage *b)
{
	return a->heap == b->heap && a->file == b->file && a->attached == b->attached;
}

/* How many records there are now, and how often some have been changed. */
extern uint32 RecsysChunkCount(Relation whole, uint32 *changes);

/*
 * The records from first on, n of them, which are there.  *page is where to begin to look for
 * them: a page of a number not above that of first's, or InvalidBlockNumber: that of the first
 * record; afterwards the last one that was read.  No buffer may be locked.
 */
extern void RecsysReadChunks(Relation whole, uint32 first, uint32 n, RecsysChunk *chunks,
							 BlockNumber *page, uint32 *pagenumber);

/* All of them, palloc'd. */
extern RecsysChunk *RecsysReadAllChunks(Relation whole, uint32 *n);

/*
 * Adds a record, whose xid is set here, and its beginning if it is a first one; *number gets its
 * number.  Errors out when there is none left.
 *
 * known and changes are what the caller has looked through, as RecsysChunkCount says it.  If there
 * are others by now nothing is added, and false returned.  known PG_UINT32_MAX: none of them matters.
 */
extern bool RecsysAddChunk(Relation whole, const RecsysChunk *chunk, uint32 known, uint32 changes,
						   uint32 *number);

/* All rows of the storage that a record begins have been entered. */
extern void RecsysCompleteChunk(Relation whole, uint32 number);

/* No entry of the chunks is left. */
extern void RecsysNoteSwept(Relation whole, const bool *swept, uint32 n);

/* Builds: writes the pages of n records, and notes in meta where they are. */
extern void RecsysWriteChunks(Relation whole, ForkNumber fork, const RecsysChunk *chunks, uint32 n,
							  RecsysMetaData *meta);

#endif							/* RECSYS_CHUNKPAGE_H */
