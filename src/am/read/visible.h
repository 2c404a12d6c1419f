/*
 * visible.h
 *	  A user's interactions as a snapshot sees them; those of all users, in a scan.
 */
#ifndef RECSYS_VISIBLE_H
#define RECSYS_VISIBLE_H

#include "postgres.h"

#include "core/rows/history.h"
#include "core/rows/key.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

/*
 * All interactions of a user (rows with an item) that are visible to snapshot,
 * in palloc'd memory; returns how many.  0 for an unknown user.
 */
extern int	RecsysReadVisible(Relation heap, Relation index, const RecsysKey *user,
							  Snapshot snapshot, RecsysInteraction **interactions);

/*
 * The same for every user of the index, one call each; the array is reused.
 */
typedef void (*RecsysVisibleUser) (void *arg, RecsysInteraction *interactions, int count);

extern void RecsysScanVisible(Relation heap, Relation index, Snapshot snapshot,
							  RecsysVisibleUser report, void *arg);

/* The same for users whose hashes are from low to high, range by range. */
typedef struct RecsysVisibleScan RecsysVisibleScan;

extern RecsysVisibleScan *RecsysVisibleScanCreate(Relation heap, Relation index,
												  Snapshot snapshot);
extern void RecsysVisibleScanRange(RecsysVisibleScan *scan, uint32 low, uint32 high,
								   RecsysVisibleUser report, void *arg);
extern void RecsysVisibleScanFree(RecsysVisibleScan *scan);

#endif							/* RECSYS_VISIBLE_H */
