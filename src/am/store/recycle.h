/*
 * recycle.h
 *	  Pages that have left a list, and when they may be used again.
 */
#ifndef RECSYS_RECYCLE_H
#define RECSYS_RECYCLE_H

#include "postgres.h"

#include "access/transam.h"
#include "storage/bufpage.h"
#include "utils/rel.h"

/*
 * Makes the copy of a chain page that is registered for WAL a deleted page.  It still leads to
 * the page behind it.  Nothing links to it any more, or will not after the same step.
 */
extern void RecsysPageDelete(Page page);

/* When a deleted page went: the next transaction then.  False if the page does not tell. */
extern bool RecsysPageDeletedAt(Page page, FullTransactionId *when);

/* May a deleted page be used again? */
extern bool RecsysPageIsRecyclable(Page page);

/* It is about to be: standby servers cancel queries that may still walk across it. */
extern void RecsysLogRecycling(Relation index, BlockNumber block, Page page);

#endif							/* RECSYS_RECYCLE_H */
