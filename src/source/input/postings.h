/*
 * postings.h
 *	  Rows of interactions in memory, by item.  Private to the collector.
 *
 * Create, Count…, Allocate, Place…, Sort; or GroupByItem, Sort.
 */
#ifndef RECSYS_POSTINGS_H
#define RECSYS_POSTINGS_H

#include "postgres.h"

#include "core/rows/history.h"
#include "source/input/rowstore.h"

/* Those of group g are offsets[g] .. offsets[g + 1] - 1 */
typedef struct RecsysItemRows
{
	uint32		ngroups;
	uint64	   *offsets;		/* until all are placed, one place further up: see Place */
	uint32	   *hashes;			/* of the users */
	uint64	   *positions;
	int64	   *times;			/* until they are sorted; NULL without times */
} RecsysItemRows;

/* Bytes for so many rows and groups; what sorting them takes beside, by the largest group */
extern Size RecsysItemRowsMemory(uint64 nrows, uint64 ngroups, bool timed);
extern Size RecsysItemRowsSortMemory(uint64 most);

extern RecsysItemRows *RecsysItemRowsCreate(uint32 ngroups);

/* A row is to come. */
static inline void
RecsysItemRowsCount(RecsysItemRows *rows, uint32 group)
{
	rows->offsets[(Size) group + 2]++;
}

/* Rows of the largest group, of those counted */
extern uint64 RecsysItemRowsMost(const RecsysItemRows *rows);

/* All rows have been counted. */
extern void RecsysItemRowsAllocate(RecsysItemRows *rows, bool timed);

/*
 * Counting two places up makes offsets[g + 1] the next free place of group g while rows are
 * placed, and the end of the group afterwards.
 */
static inline void
RecsysItemRowsPlace(RecsysItemRows *rows, uint32 group, uint32 hash, uint64 position, int64 time)
{
	uint64		place = rows->offsets[(Size) group + 1]++;

	rows->hashes[place] = hash;
	rows->positions[place] = position;
	if (rows->times != NULL)
		rows->times[place] = time;
}

/*
 * Counting sort of rows that are grouped by user.  rank maps an item number to its group,
 * hashes has the hash of each user group.
 */
extern RecsysItemRows *RecsysGroupByItem(const RecsysUserRows *rows, const uint32 *rank,
										 uint32 nitems, const uint32 *hashes);

/* Sorts the rows of each item by time and position: the oldest first, as inserts append them. */
extern void RecsysSortItemRows(RecsysItemRows *rows);

extern void RecsysItemRowsFree(RecsysItemRows *rows);

#endif							/* RECSYS_POSTINGS_H */
