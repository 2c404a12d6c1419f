/*
 * check_parts.h
 *	  Verifying what the index of a partitioned table has beside that of a plain one.
 */
#ifndef RECSYS_CHECK_PARTS_H
#define RECSYS_CHECK_PARTS_H

#include "am/check/check.h"
#include "am/store/page.h"

/* A leaf, and its index */
typedef void (*RecsysLeafVisitor) (void *arg, Relation leaf, Relation part);

/* NULL for the index of a plain table, which must not have chunks. */
extern RecsysWholeCheck *RecsysWholeCheckCreate(Relation table, Relation index);

/* Keeps writers out of the partitions, to the end of the transaction, where that can be had. */
extern void RecsysWholeCheckLockLeaves(Relation table);

/* The pages of chunks are reached, and records are what they may be. */
extern void RecsysWholeCheckPages(RecsysWholeCheck *check, RecsysPagesCheck *pages);

/* An entry's chunk is there, and may have entries. */
extern void RecsysWholeCheckEntry(const RecsysWholeCheck *check, const RecsysEntry *entry);

/* All leaves of whose rows the index must have each one. */
extern void RecsysWholeCheckVisit(RecsysWholeCheck *check, RecsysLeafVisitor visit, void *arg);

/*
 * Position of a row of the leaf that is visited, as entries have it.  Errors out if the index
 * cannot have it.
 */
extern uint64 RecsysWholeCheckPosition(const RecsysWholeCheck *check, ItemPointer tid);

#endif							/* RECSYS_CHECK_PARTS_H */
