/*
 * itemset_scan.h
 *	  frequent_itemsets() in a FROM clause as a scan that needs no copy of its rows.
 */
#ifndef RECSYS_ITEMSET_SCAN_H
#define RECSYS_ITEMSET_SCAN_H

#include "postgres.h"

#include "api/basket/setstream.h"
#include "fmgr.h"

/* Called once, from _PG_init. */
extern void RecsysInitItemsetScan(void);

/* The functions that it takes the place of */
extern Datum recsys_frequent_itemsets(PG_FUNCTION_ARGS);
extern Datum recsys_frequent_itemsets_typed(PG_FUNCTION_ARGS);
extern Datum recsys_query_frequent_itemsets(PG_FUNCTION_ARGS);
extern Datum recsys_query_frequent_itemsets_typed(PG_FUNCTION_ARGS);

/* Where this call's item sets shall go, if a scan has made it; else NULL. */
extern RecsysSetStream *RecsysItemsetScanStream(FunctionCallInfo fcinfo);

#endif							/* RECSYS_ITEMSET_SCAN_H */
