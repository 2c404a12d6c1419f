/*
 * partscan.h
 *	  Native scans of a partition: its share of the lists of the whole table's index.
 */
#ifndef RECSYS_PARTSCAN_H
#define RECSYS_PARTSCAN_H

#include "postgres.h"

#include "am/lists/owner.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

typedef struct RecsysPartScan RecsysPartScan;

/*
 * Begins a scan of a part, whose table is open.  NULL where the whole does not have all of the
 * partition's rows that the snapshot sees: the table is to be read.
 */
extern RecsysPartScan *RecsysPartScanBegin(Relation part, Relation leaf, Snapshot snapshot);

/* The index to read lists from, locked as long as the scan is open. */
extern Relation RecsysPartScanWhole(RecsysPartScan *scan);

/* Of entries of the whole those of the partition are kept, with its own TIDs. */
extern void RecsysPartScanKeep(RecsysPartScan *scan, RecsysEntryArray *array);

extern void RecsysPartScanEnd(RecsysPartScan *scan);

#endif							/* RECSYS_PARTSCAN_H */
