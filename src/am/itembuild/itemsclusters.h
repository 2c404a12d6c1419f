/*
 * itemsclusters.h
 *	  Build of an items index over more items than can be compared all with all.
 *
 * Content is written cluster by cluster, so that a cluster's items are on consecutive pages, and
 * the items of each are compared with those of the clusters nearest to it.
 */
#ifndef RECSYS_ITEMSCLUSTERS_H
#define RECSYS_ITEMSCLUSTERS_H

#include "postgres.h"

#include "core/content/content.h"
#include "core/rows/key.h"

/* Items, in the order in which they are written */
typedef struct RecsysItemSpan
{
	uint32		first;
	uint32		n;
} RecsysItemSpan;

/* Who is compared with whom */
typedef struct RecsysItemPlan
{
	uint32		nclusters;
	RecsysItemSpan *clusters;	/* items of each */
	uint32	   *first_near;		/* of each its first one in near; nclusters + 1 */
	RecsysItemSpan *near;		/* items that those of a cluster are compared with */
} RecsysItemPlan;

/* All of n items with all */
extern RecsysItemPlan *RecsysItemPlanAll(uint32 n);

/* How many clusters there are to be, and how large a sample to find them by, within memory */
extern void RecsysItemSample(uint32 nitems, Size memory, int *clusters, uint32 *sample);

/* members: items of each cluster, n in all, which are written one cluster after the other. */
extern RecsysItemPlan *RecsysItemPlanNear(const RecsysContentClusters *clusters,
										  const uint32 *members, uint32 n);

/*
 * Packed content on its way from the order of keys to that of clusters.
 */
typedef struct RecsysPackedRow
{
	uint32		cluster;
	uint32		item;
	uint64		position;		/* TID */
	bool		current;
	RecsysKey	key;
	const char *packed;
	Size		size;
} RecsysPackedRow;

typedef struct RecsysPackedRows RecsysPackedRows;

extern RecsysPackedRows *RecsysPackedRowsCreate(RecsysKeyKind kind, Size memory);
extern void RecsysPackedRowsPut(RecsysPackedRows *rows, const RecsysPackedRow *row);
extern void RecsysPackedRowsSort(RecsysPackedRows *rows);

/* By cluster, then item, then position; key and content live until the next call. */
extern bool RecsysPackedRowsNext(RecsysPackedRows *rows, RecsysPackedRow *row);
extern void RecsysPackedRowsFree(RecsysPackedRows *rows);

#endif							/* RECSYS_ITEMSCLUSTERS_H */
