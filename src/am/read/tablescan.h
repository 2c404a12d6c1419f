/*
 * tablescan.h
 *	  Native scans without a user or an item, which the table answers.
 */
#ifndef RECSYS_TABLESCAN_H
#define RECSYS_TABLESCAN_H

#include "postgres.h"

#include "access/genam.h"
#include "nodes/tidbitmap.h"

typedef struct RecsysTableScan RecsysTableScan;

/* In the current memory context and resource owner */
extern RecsysTableScan *RecsysTableScanBegin(IndexScanDesc scan);

/* From the first row again */
extern void RecsysTableScanRewind(RecsysTableScan *rows);

/* False after the last row */
extern bool RecsysTableScanNext(RecsysTableScan *rows, ItemPointer tid);

extern void RecsysTableScanEnd(RecsysTableScan *rows);

/* All pages of the table, their rows to be rechecked */
extern int64 RecsysTableScanBitmap(Relation index, TIDBitmap *bitmap);

#endif							/* RECSYS_TABLESCAN_H */
