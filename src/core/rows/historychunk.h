/*
 * historychunk.h
 *	  Some users' folded histories, as compact as they can be.
 *
 * A matrix of room for so many rows and entries, whose columns take 16 bits where there are
 * few enough: then it has narrow and no columns.
 */
#ifndef RECSYS_HISTORYCHUNK_H
#define RECSYS_HISTORYCHUNK_H

#include "core/rows/chronology.h"
#include "core/rows/matrix.h"

typedef struct RecsysHistoryChunk
{
	RecsysMatrix matrix;
	uint32		maxrows;
	uint64		maxentries;
	bool		fixed;			/* the memory is not its own */
} RecsysHistoryChunk;

/* Bytes for each entry, and for each row beside */
extern Size RecsysHistoryChunkEntrySize(uint32 nitems, bool weighted, bool ordered);
#define RECSYS_CHUNK_ROW_SIZE sizeof(uint64)

/* In the current memory context; ordered: with places, see chronology.h */
extern void RecsysHistoryChunkInit(RecsysHistoryChunk *chunk, uint32 nitems, bool weighted,
								   bool ordered, uint32 maxrows, uint64 maxentries);

/* The same over arrays that are there: those of the matrix. */
extern void RecsysHistoryChunkInitFixed(RecsysHistoryChunk *chunk, const RecsysMatrix *matrix,
										uint32 maxrows, uint64 maxentries);

/* No rows any more */
extern void RecsysHistoryChunkClear(RecsysHistoryChunk *chunk);

/*
 * Appends rows first, first + 1, … of another matrix, which has what the chunk has, as far as
 * they fit.  An empty chunk takes one row at least, whatever its length.  Returns how many.
 */
extern uint32 RecsysHistoryChunkAppend(RecsysHistoryChunk *chunk, const RecsysMatrix *from,
									   uint32 first);

extern void RecsysHistoryChunkFree(RecsysHistoryChunk *chunk);

#endif							/* RECSYS_HISTORYCHUNK_H */
