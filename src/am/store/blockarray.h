/*
 * blockarray.h
 *	  What a session remembers of blocks: an array of entries, each of a block whose place it is.
 *
 * What is there is of the last block that came to that place, of whichever relation; entries tell
 * themselves of which one.  The array begins small and grows when blocks drive each other out of
 * their places, up to as many entries as the server has buffers.
 */
#ifndef RECSYS_BLOCKARRAY_H
#define RECSYS_BLOCKARRAY_H

#include "postgres.h"

#include "compat.h"
#include "storage/block.h"
#include "utils/rel.h"

typedef struct RecsysBlockArray
{
	char	   *entries;		/* NULL: there is no memory, or nothing has been remembered yet */
	uint32		n;				/* a power of two */
	uint32		conflicts;		/* entries that have become another block's since it has that size */
} RecsysBlockArray;

/* Are there entries?  They are made, of zeros, if there are none and there is memory. */
extern bool RecsysBlockArrayReady(RecsysBlockArray *array, Size size);

/* An entry has become another block's.  All may be gone afterwards, if there were fewer than most. */
extern void RecsysBlockArrayConflict(RecsysBlockArray *array, Size size, uint32 most);

/* The place of a block; there are entries.  size: bytes of an entry. */
static inline void *
RecsysBlockArrayEntry(const RecsysBlockArray *array, Size size, Relation relation, BlockNumber block)
{
	/* neighbors in a file are neighbors here; files begin at different places */
	return array->entries + size *
		((block + (uint32) RECSYS_FILE_NUMBER(relation) * 0x9E3779B1u) & (array->n - 1));
}

#endif							/* RECSYS_BLOCKARRAY_H */
