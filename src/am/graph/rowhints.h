/*
 * rowhints.h
 *	  Where a session has found the rows of an index's item graph.
 */
#ifndef RECSYS_ROWHINTS_H
#define RECSYS_ROWHINTS_H

#include "postgres.h"

#include "storage/buf.h"
#include "storage/itemptr.h"
#include "utils/rel.h"

/*
 * Where a row was when it was read last, in which buffer.  Whether it is still there is seen when
 * it is read.  Buffer 0: unknown.  Where the row is on its page, and how much of it serves, are for
 * asking for its memory ahead.
 */
typedef struct RecsysRowHint
{
	ItemPointerData tid;
	uint16		start:12;		/* in units of RECSYS_HINT_UNIT bytes */
	uint16		lines:4;		/* lines of the cache, or RECSYS_HINT_LINES of more */
	Buffer		buffer;
} RecsysRowHint;

#define RECSYS_HINT_UNIT 8
#define RECSYS_HINT_LINES 15

StaticAssertDecl(BLCKSZ / RECSYS_HINT_UNIT <= 1 << 12 && MAXIMUM_ALIGNOF == RECSYS_HINT_UNIT,
				 "12 bits tell where on a page a row begins");

/* Those of one index.  It may become another one's, or larger, with every call of the two below. */
typedef struct RecsysRowHints
{
	Oid			index;
	uint32		n;				/* hints that there are, for item numbers as below */
	RecsysRowHint *hints;
	uint64		used;			/* when it was asked for last, as a running number */
} RecsysRowHints;

/*
 * Hints of an index, 12 MB at most.  Items whose numbers differ by a multiple of this share one,
 * which is that of the last of them.
 */
#define RECSYS_ROW_HINTS ((uint32) 1 << 20)

/* NULL: rows of such an index are not remembered */
extern RecsysRowHints *RecsysRowHintsOf(Relation index);

/* Makes room for an item number; nitems tells how many there may be. */
extern RecsysRowHint *RecsysRowHintMake(RecsysRowHints *hints, uint32 item, uint32 nitems);

/* An item's hint, or another item's; NULL: there is none */
static inline RecsysRowHint *
RecsysRowHintGet(RecsysRowHints *hints, uint32 item)
{
	uint32		place = item % RECSYS_ROW_HINTS;

	return hints != NULL && place < hints->n && hints->hints[place].buffer != InvalidBuffer ?
		&hints->hints[place] : NULL;
}

#endif							/* RECSYS_ROWHINTS_H */
