/*
 * passon.h
 *	  What the indexes of partitions do: they pass rows, and VACUUM, on to the whole.
 */
#ifndef RECSYS_PASSON_H
#define RECSYS_PASSON_H

#include "postgres.h"

#include "access/genam.h"
#include "utils/rel.h"

/*
 * The index holds nothing of its own from now on.  entered: all rows of the leaf have just been
 * entered by the file that it has.
 */
extern void RecsysMarkPart(Relation index, Relation leaf, bool entered);

/* Does an index pass rows on, instead of having them itself? */
extern bool RecsysPassesOn(Relation index);

/*
 * The whole that a row of a partition is to be entered in, open, with the row's TID made virtual;
 * NULL: there is none, or the row has been passed on already, and nothing is to be done.  To be
 * closed with NoLock: its locks are kept, as those on tables that are written to.  *complete: are all
 * rows of the partition in it?
 */
extern Relation RecsysPassOnRow(Relation part, Relation leaf, ItemPointer tid, bool *complete);

/* VACUUM of a partition: the whole's entries of its dead rows are removed. */
extern IndexBulkDeleteResult *RecsysPassOnBulkDelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
													 IndexBulkDeleteCallback callback,
													 void *callback_state);
extern IndexBulkDeleteResult *RecsysPassOnCleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats);

/*
 * What a merge of a whole reads, locked without waiting (AccessShareLock): the partitioned table,
 * which is returned, and all of its partitions.  NULL: somebody has one of them locked, or there is
 * a foreign one.
 */
extern Relation RecsysLockTableOfWhole(Relation whole, List **leaves);
extern void RecsysUnlockTableOfWhole(Relation table, List *leaves);

#endif							/* RECSYS_PASSON_H */
