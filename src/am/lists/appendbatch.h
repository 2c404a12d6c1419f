/*
 * appendbatch.h
 *	  Adding the entries of many rows to one side of an index, page by page.
 */
#ifndef RECSYS_APPENDBATCH_H
#define RECSYS_APPENDBATCH_H

#include "am/lists/listentry.h"
#include "am/store/meta.h"

/* A row that is to be entered, and how far that has come */
typedef struct RecsysNewRow
{
	uint64		key[2];			/* by side: the integer, or the address of the bytes */
	double		weight;
	int64		time;
	uint32		hash[2];		/* by side: what the tree is ordered by */
	uint32		item;			/* its number, once the item's entry is there */
	SubTransactionId subid;		/* that has inserted it */
	ItemPointerData tid;
	uint16		keylen[2];		/* by side */
	uint16		flags;			/* RECSYS_NEW_… */
} RecsysNewRow;

#define RECSYS_NEW_HAS(side)	(0x0001 << (side))	/* has a user, an item */
#define RECSYS_NEW_IN(side)		(0x0004 << (side))	/* its entry of that side is there */
#define RECSYS_NEW_PLACED		0x0010	/* is on a page that is being changed */
#define RECSYS_NEW_VERSION		0x0020	/* of a row that has an entry with the same values */
#define RECSYS_NEW_UNSAID		0x0040	/* such a row needs no event */
#define RECSYS_NEW_SETTLED		0x0080	/* its transaction is over: its event waits for nobody */

/* Notes a key, of which only bytes stay with the caller. */
extern void RecsysNewRowSetKey(RecsysNewRow *row, RecsysSide side, RecsysKeyKind kind,
							   const RecsysKey *key);

extern void RecsysNewRowKey(const RecsysNewRow *row, RecsysSide side, RecsysKeyKind kind,
							RecsysKey *key);

/* The row's entry of a side. */
extern void RecsysNewRowEntry(const RecsysNewRow *row, RecsysSide side, RecsysEntry *entry);

/*
 * What is left of a row's event, when the owner of its user's entry has these flags.
 */
extern void RecsysNewRowJudge(RecsysNewRow *row, uint16 owner_flags);

/* A row's place in an order by hash: the hash of a side above, the row's number below */
#define RECSYS_NEW_PLACE(rows, number, side) \
	(((uint64) (rows)[number].hash[side] << 32) | (number))

/*
 * Adds the entries of the rows that order names, ascending.  On the item side rows whose
 * item is not known are left out; they lack RECSYS_NEW_IN afterwards.  Should it end in an
 * error, that flag tells which entries are there.
 */
extern void RecsysAppendBatch(Relation index, RecsysSide side, RecsysNewRow *rows,
							  const uint64 *order, uint32 n);

#endif							/* RECSYS_APPENDBATCH_H */
