/*
 * rowstore.h
 *	  Interactions in memory: chunks in arrival order, then arrays by user.
 *	  Private to the collector.
 */
#ifndef RECSYS_ROWSTORE_H
#define RECSYS_ROWSTORE_H

#include "postgres.h"

#define RECSYS_CHUNK_ROWS 65536

/* Flags above the 48 bits of a position */
#define RECSYS_POSITION_MASK	UINT64CONST(0x0000FFFFFFFFFFFF)
#define RECSYS_POSITION_DEAD	UINT64CONST(0x8000000000000000)
#define RECSYS_POSITION_NO_USER UINT64CONST(0x4000000000000000)

/* Parallel arrays; weights and times are NULL where there are none */
typedef struct RecsysRowChunk
{
	struct RecsysRowChunk *next;
	uint32		nrows;
	uint32	   *users;			/* dictionary number or RECSYS_NONE */
	uint32	   *items;
	uint64	   *positions;
	double	   *weights;
	int64	   *times;
} RecsysRowChunk;

typedef struct RecsysRowStore
{
	bool		weighted;
	bool		timed;
	uint32		chunk_rows;		/* of each chunk */
	uint64		nrows;
	RecsysRowChunk *first;
	RecsysRowChunk *last;
} RecsysRowStore;

/* Rows grouped by user: those of group g are offsets[g] .. offsets[g + 1] - 1 */
typedef struct RecsysUserRows
{
	uint32		ngroups;		/* the last group is of rows without user */
	uint64	   *offsets;
	uint32	   *items;
	uint64	   *positions;
	double	   *weights;
	int64	   *times;
} RecsysUserRows;

extern void RecsysRowStoreInit(RecsysRowStore *store, bool weighted, bool timed);

/* Adds a row, with room for a weight and a time where the store has them. */
extern void RecsysRowStoreAdd(RecsysRowStore *store, uint32 user, uint32 item, uint64 position,
							  double weight, int64 time);
extern void RecsysRowStoreFree(RecsysRowStore *store);

/*
 * Bytes for each row: as stored, while rows are grouped by user, and at the peak, with all
 * that is made of them.
 */
extern Size RecsysRowStoreRowSize(const RecsysRowStore *store);
extern Size RecsysRowStoreGroupSize(const RecsysRowStore *store);
extern Size RecsysRowStorePeakSize(const RecsysRowStore *store, bool postings);

/*
 * Counting sort by user.  rank maps a user's number to its group, items' numbers
 * are mapped by itemnumber.  The store is emptied as it is read.
 */
extern RecsysUserRows *RecsysGroupByUser(RecsysRowStore *store, const uint32 *rank, uint32 nusers,
										 const uint32 *itemnumber);

extern void RecsysUserRowsFree(RecsysUserRows *rows);

#endif							/* RECSYS_ROWSTORE_H */
