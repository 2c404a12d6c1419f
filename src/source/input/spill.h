/*
 * spill.h
 *	  Interactions on disk, given back by user.  Private to the collector.
 */
#ifndef RECSYS_SPILL_H
#define RECSYS_SPILL_H

#include "postgres.h"

#include "core/rows/key.h"

typedef struct RecsysSpill RecsysSpill;

typedef struct RecsysSpillOptions
{
	RecsysKeyKind user_kind;
	bool		weighted;
	bool		timed;
	uint64		seed;			/* of the key hashes */
	Size		memory;			/* bytes */
} RecsysSpillOptions;

typedef struct RecsysSpillRow
{
	uint32		item;			/* or RECSYS_NONE */
	uint64		position;		/* with flags */
	double		weight;
	int64		time;
} RecsysSpillRow;

extern RecsysSpill *RecsysSpillCreate(const RecsysSpillOptions *options);

/* user is NULL for a row without; items are dictionary numbers. */
extern void RecsysSpillPut(RecsysSpill *spill, const RecsysKey *user, const RecsysSpillRow *row);

/*
 * All rows are there.  itemnumber maps dictionary numbers to the numbers that are given
 * back, and is needed until the end.  So many bytes of the memory are taken otherwise.
 */
extern void RecsysSpillFinish(RecsysSpill *spill, const uint32 *itemnumber, Size taken);

/*
 * Users in ascending (hash, key) order, then, with has_user false, those rows that have
 * none, if there are any.  The key lives until the next call.  What has been left of the
 * last user's rows is passed over.
 */
extern bool RecsysSpillNextUser(RecsysSpill *spill, bool *has_user, RecsysKey *key, uint64 *hash);
extern bool RecsysSpillNextOfUser(RecsysSpill *spill, RecsysSpillRow *row);

extern void RecsysSpillFree(RecsysSpill *spill);

#endif							/* RECSYS_SPILL_H */
