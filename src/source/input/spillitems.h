/*
 * spillitems.h
 *	  Interactions on disk, given back by item.  Private to the collector.
 */
#ifndef RECSYS_SPILLITEMS_H
#define RECSYS_SPILLITEMS_H

#include "postgres.h"

typedef struct RecsysSpillItems RecsysSpillItems;

/* Lives in the current memory context.  memory is in bytes. */
extern RecsysSpillItems *RecsysSpillItemsCreate(uint32 nitems, bool timed, Size memory);

/* Bytes that the files of rows take while they are put */
extern Size RecsysSpillItemsFileMemory(const RecsysSpillItems *items);

/* user_hash is the upper half; the position may have flags. */
extern void RecsysSpillItemsPut(RecsysSpillItems *items, uint32 rank, uint32 user_hash,
								uint64 position, int64 time);

/* Rows by ascending rank, time and position */
extern bool RecsysSpillItemsGet(RecsysSpillItems *items, uint32 *rank, uint32 *user_hash,
								uint64 *position);

extern void RecsysSpillItemsFree(RecsysSpillItems *items);

#endif							/* RECSYS_SPILLITEMS_H */
