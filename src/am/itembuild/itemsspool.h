/*
 * itemsspool.h
 *	  Build of an items index: the rows of the table, sorted by key.
 */
#ifndef RECSYS_ITEMSSPOOL_H
#define RECSYS_ITEMSSPOOL_H

#include "postgres.h"

#include "core/rows/key.h"

typedef struct RecsysItemSpool RecsysItemSpool;

/* A row as it comes back; key and raw live until the next one */
typedef struct RecsysSpooledRow
{
	RecsysKey	key;
	uint64		position;		/* TID */
	bool		dead;			/* only old snapshots see it */
	const char *raw;			/* of RecsysRawContentStore, aligned to 8 bytes */
	Size		size;

	/* of rows in order */
	uint32		item;			/* number of the key among all */
	bool		first;			/* of its key */
	bool		current;		/* the first row of its key that is not dead: what the item is */
} RecsysSpooledRow;

/* Sorting stays within that many bytes. */
extern RecsysItemSpool *RecsysItemSpoolCreate(RecsysKeyKind kind, Size memory);
extern void RecsysItemSpoolPut(RecsysItemSpool *spool, const RecsysKey *key, uint64 position,
							   bool dead, const char *raw, Size size);

/* When all rows are there; then again and again, from the first row on. */
extern void RecsysItemSpoolSort(RecsysItemSpool *spool);
extern void RecsysItemSpoolRewind(RecsysItemSpool *spool);

/* Rows by key, those of one key by position. */
extern bool RecsysItemSpoolNext(RecsysItemSpool *spool, RecsysSpooledRow *row);
extern uint64 RecsysItemSpoolRows(const RecsysItemSpool *spool);
extern void RecsysItemSpoolFree(RecsysItemSpool *spool);

#endif							/* RECSYS_ITEMSSPOOL_H */
