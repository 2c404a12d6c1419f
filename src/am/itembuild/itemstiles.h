/*
 * itemstiles.h
 *	  Build of an items index: current content read back from the pages just written.
 */
#ifndef RECSYS_ITEMSTILES_H
#define RECSYS_ITEMSTILES_H

#include "postgres.h"

#include "core/content/content.h"
#include "storage/block.h"
#include "utils/rel.h"

typedef struct RecsysTileReader RecsysTileReader;

/* Content of some items, in order of their numbers, copied */
typedef struct RecsysTile
{
	int			n;
	uint32		items[RECSYS_TILE];
	const char *packed[RECSYS_TILE];
} RecsysTile;

/* Reads the current tuples of these pages, which nobody changes meanwhile. */
extern RecsysTileReader *RecsysTileReaderCreate(Relation index, BlockNumber first,
												BlockNumber last);

/*
 * The next tile, of up to most tuples; NULL when there are no more.  The content lives until
 * the next call.
 */
extern const RecsysTile *RecsysTileNext(RecsysTileReader *reader, int most);

/* From the first current tuple of a page on, skipping so many. */
extern void RecsysTileSeek(RecsysTileReader *reader, BlockNumber block, uint32 skip);
extern void RecsysTileReaderFree(RecsysTileReader *reader);

#endif							/* RECSYS_ITEMSTILES_H */
