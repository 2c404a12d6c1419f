/*
 * spill.h
 *	  Interactions on disk: two external sorts, by user and by item.  Private to
 *	  the collector.
 */
#ifndef RECSYS_SPILL_H
#define RECSYS_SPILL_H

#include "postgres.h"

#include "core/rows/key.h"

typedef struct RecsysSpill RecsysSpill;

/* A row of the user sort; user is meaningless unless has_user */
typedef struct RecsysSpillRow
{
	bool		has_user;
	RecsysKey	user;
	uint64		hash;			/* of the user */
	uint32		item;			/* dictionary number or RECSYS_NONE */
	uint64		position;		/* with flags */
	double		weight;
	int64		time;
} RecsysSpillRow;

/* memory_limit is shared by the two sorts. */
extern RecsysSpill *RecsysSpillCreate(RecsysKeyKind user_kind, Size memory_limit);
extern void RecsysSpillPut(RecsysSpill *spill, const RecsysSpillRow *row);
extern void RecsysSpillSort(RecsysSpill *spill);

/* Rows in ascending (hash, user key) order, those without user last; the key lives until the next call. */
extern bool RecsysSpillGet(RecsysSpill *spill, RecsysSpillRow *row);

/* The second sort: rows by ascending rank, time and position. */
extern void RecsysSpillPutPosting(RecsysSpill *spill, uint32 rank, uint32 user_hash, uint64 position,
								  int64 time);
extern void RecsysSpillSortPostings(RecsysSpill *spill);
extern bool RecsysSpillGetPosting(RecsysSpill *spill, uint32 *rank, uint32 *user_hash,
								  uint64 *position);

extern void RecsysSpillFree(RecsysSpill *spill);

#endif							/* RECSYS_SPILL_H */
