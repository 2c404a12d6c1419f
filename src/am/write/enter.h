/*
 * enter.h
 *	  Entering rows: an entry on each side, and an event.
 */
#ifndef RECSYS_ENTER_H
#define RECSYS_ENTER_H

#include "am/lists/appendbatch.h"
#include "am/store/columns.h"

/* Takes over what the index has of a row; byte strings stay where they are. */
extern void RecsysNewRowForm(RecsysNewRow *row, const RecsysCache *cache, const RecsysRow *values,
							 ItemPointer tid, bool version);

/* Enters one row; returns true if that has made the pending lists too long. */
extern bool RecsysEnterRow(Relation index, RecsysNewRow *row);

/*
 * Enters n rows, which come in the order of their insertion.  Should it end in an error, it
 * can be called again for the same rows: their flags tell what is there.
 */
extern bool RecsysEnterRows(Relation index, RecsysNewRow *rows, uint32 n);

/*
 * What follows: whoever merges is told; if there is nobody, and the time is right, some of
 * the events are merged here.  heap is NULL for a whole.
 */
extern void RecsysRowsEntered(Relation heap, Relation index, bool too_long, bool may_merge);

#endif							/* RECSYS_ENTER_H */
