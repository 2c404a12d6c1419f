/*
 * settledpages.h
 *	  Pages of tables all of whose rows a snapshot sees, as the session has found out.
 */
#ifndef RECSYS_SETTLEDPAGES_H
#define RECSYS_SETTLEDPAGES_H

#include "storage/bufpage.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

/* Asks for the memory of what is known of a page. */
extern void RecsysAskForSettled(Relation heap, BlockNumber block);

/*
 * Was the page settled when it was last looked at?  A guess, without a look at the page, which
 * decides what of it to ask for.
 */
extern bool RecsysWasSettled(Relation heap, BlockNumber block);

/*
 * Is it still, and does the snapshot see all of its rows?  The page is pinned; it need not be
 * locked.  Then rows are seen whose line pointers there are, and none other.
 */
extern bool RecsysPageIsSettled(Relation heap, BlockNumber block, Page page, Snapshot snapshot);

/* Rows of the page, which is share-locked, were all seen at first sight: it may be settled. */
extern void RecsysNotePage(Relation heap, BlockNumber block, Page page);

#endif
