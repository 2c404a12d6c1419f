/*
 * inspect.h
 *	  Looking at pages without trusting them.
 */
#ifndef RECSYS_INSPECT_H
#define RECSYS_INSPECT_H

#include "am/store/page.h"

/* What a page says about itself.  Numbers that it does not tell are -1. */
typedef struct RecsysPageFacts
{
	const char *kind;			/* "unknown" when it is damaged or of no known kind */
	const char *side;			/* "user", "item", or NULL where there are no sides */
	bool		hashed;			/* low and high mean something */
	uint32		low;
	uint32		high;
	BlockNumber next;
	int64		tuples;			/* owners, graph rows, contents */
	int64		entries;		/* what the page is there to hold, see inspect.c */
	int			used;			/* bytes; together BLCKSZ */
	int			free;
} RecsysPageFacts;

/* image is a private copy of a page; stride (of each side) may be 0 for unknown. */
extern void RecsysInspectPage(const PGAlignedBlock *image, const int stride[2],
							  RecsysPageFacts *facts);

/* Copies a block; errors out only when it cannot be read. */
extern void RecsysCopyPage(Relation index, BlockNumber block, BufferAccessStrategy strategy,
						   PGAlignedBlock *image);

/*
 * Copies the meta page's contents; false when it is no meta page.  Of another
 * format version than this library's only version and magic are meaningful.
 */
extern bool RecsysPeekMeta(Relation index, RecsysMetaData *meta);

#endif							/* RECSYS_INSPECT_H */
