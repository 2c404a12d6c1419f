/*
 * rowstore.h
 *	  Interactions in memory: chunks in arrival order, then arrays by user and
 *	  by item.  Private to the collector.
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

typedef struct RecsysItemRows
{
	uint32		ngroups;
	uint64	   *offsets;
	uint32	   *hashes;			/* of the users */
	uint64	   *positions;
	int64	   *times;			/* until RecsysSortItemRows */
} RecsysItemRows;

extern void RecsysRowStoreInit(RecsysRowStore *store, bool weighted, bool timed);

/* Adds a row, with room for a weight and a time where the store has them. */
extern void RecsysRowStoreAdd(RecsysRowStore *store, uint32 user, uint32 item, uint64 position,
							  double weight, int64 time);
extern void RecsysRowStoreFree(RecsysRowStore *store);

/* Bytes for each row: as stored, and at the peak of grouping. */
extern Size RecsysRowStoreRowSize(const RecsysRowStore *store);
extern Size RecsysRowStorePeakSize(const RecsysRowStore *store, bool postings);

/*
 * Counting sort by user.  rank maps a user's number to its group, items' numbers
 * are mapped by itemnumber.  The store is emptied as it is read.
 */
extern RecsysUserRows *RecsysGroupByUser(RecsysRowStore *store, const uint32 *rank, uint32 nusers,
										 const uint32 *itemnumber);

/*
 * Counting sort of the grouped rows by item.  rank maps an item number to its
 * group, hashes has the hash of each user group.
 */
extern RecsysItemRows *RecsysGroupByItem(const RecsysUserRows *rows, const uint32 *rank,
										 uint32 nitems, const uint32 *hashes);

/* Sorts the rows of each item by time and position: the oldest first, as inserts append them. */
extern void RecsysSortItemRows(RecsysItemRows *rows);

extern void RecsysUserRowsFree(RecsysUserRows *rows);
extern void RecsysItemRowsFree(RecsysItemRows *rows);

#endif							/* RECSYS_ROWSTORE_H */
