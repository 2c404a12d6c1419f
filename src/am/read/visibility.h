/*
 * visibility.h
 *	  Which entries a snapshot sees: the visibility map, and the heap.
 */
#ifndef RECSYS_VISIBILITY_H
#define RECSYS_VISIBILITY_H

#include "postgres.h"

#include "am/lists/owner.h"
#include "am/parts/tidspace.h"
#include "core/rows/history.h"
#include "executor/tuptable.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

typedef struct RecsysVisibility
{
	Relation	heap;
	RecsysParts *parts;			/* of a whole, whose entries have virtual TIDs; else NULL */
	Buffer		vmbuffer;
	Buffer	   *vmbuffers;		/* by part */
	bool	   *all_visible;	/* parallel to the entries: what the map says, see RecsysSeeEntries */
	uint32		size;

	/* look-ups in tables of other access methods than heap, started at the first */
	struct IndexFetchTableData *fetch;
	TupleTableSlot *slot;
	struct IndexFetchTableData **fetches;	/* by part */
	TupleTableSlot **slots;

	/* one page is usually asked about several times in a row */
	BlockNumber lastblock;
	bool		lastvisible;
} RecsysVisibility;

/*
 * heap is the table that the index is of, of a whole the partitioned one (RecsysIndexedTable).  No
 * buffer may be locked: the partitions are opened here.
 */
extern void RecsysVisibilityInit(RecsysVisibility *state, Relation heap, Relation index);
extern void RecsysVisibilityDone(RecsysVisibility *state);

/*
 * Asks the map about the entries of the array from first on, under their page's lock.  Of
 * the type RecsysEntryHook; arg is the RecsysVisibility.
 */
extern bool RecsysAskVisibilityMap(RecsysEntryArray *array, uint32 first, bool stoppable, void *arg);

/* Does the map say so of a block, which may be a virtual one?  Under the lock of the entry's page. */
extern bool RecsysBlockIsAllVisible(RecsysVisibility *state, BlockNumber block);

/*
 * Does the snapshot see rows at n positions, see RecsysTidPosition?  Tells by seen[].  No page
 * stays pinned.
 */
extern void RecsysSeeRows(RecsysVisibility *state, const uint64 *positions, int n, Snapshot snapshot,
						  bool *seen);

/* The same for one row; for several it is much slower than all at once. */
extern bool RecsysIsVisible(RecsysVisibility *state, ItemPointerData tid, Snapshot snapshot);

/*
 * Looks up what the map could not answer for: afterwards all_visible tells of each of the
 * entries, if it is no orphan and not forgotten, whether the snapshot sees its row.  They stand
 * at first and after in the array that the map was asked about.
 */
extern void RecsysSeeEntries(RecsysVisibility *state, const RecsysEntry *entries, uint32 first,
							 uint32 nentries, Snapshot snapshot);

/*
 * The same.  Fills out, which has room for all, with
 * what is visible; returns how many.  The entries stand at first and after in the
 * array that the map was asked about.
 */
extern int	RecsysKeepVisible(RecsysVisibility *state, const RecsysEntry *entries, uint32 first,
							  uint32 nentries, Snapshot snapshot, RecsysInteraction *out);

/* Errors out if the index cannot answer for a snapshot that is so old. */
extern void RecsysCheckSnapshot(Relation index, Snapshot snapshot);

#endif							/* RECSYS_VISIBILITY_H */
