/*
 * itemsscan.h
 *	  Build of an items index: the scan of the table, with parallel workers.
 */
#ifndef RECSYS_ITEMSSCAN_H
#define RECSYS_ITEMSSCAN_H

#include "postgres.h"

#include "am/content/itemcolumns.h"
#include "am/itembuild/itemsspool.h"
#include "utils/rel.h"

struct IndexInfo;

/* Puts all rows of the table into the spool; returns the number of live heap rows. */
extern double RecsysItemsScan(Relation heap, Relation index, struct IndexInfo *info,
							  RecsysItemColumns *columns, int nworkers, RecsysItemSpool *spool);

#endif							/* RECSYS_ITEMSSCAN_H */
