/*
 * itemsread.h
 *	  Neighbors of items as a snapshot sees them, merged or not.
 *
 * Of a merged item the graph's row is read.  What has come since the last merge, rows that the
 * snapshot sees, is compared with the item on the spot; an item that is not merged itself is
 * compared with all.  Neighbors that the snapshot does not see are left out, so a row that
 * has too few left is computed anew: always exactly min(k, neighbors) for k up to the index's
 * neighbors.
 */
#ifndef RECSYS_ITEMSREAD_H
#define RECSYS_ITEMSREAD_H

#include "postgres.h"

#include "am/content/contentpage.h"
#include "core/rows/key.h"
#include "utils/snapshot.h"

/* A row that no merge has taken yet and the snapshot sees, with the content it has */
typedef struct RecsysUnmerged
{
	uint32		item;
	const char *packed;
} RecsysUnmerged;

typedef struct RecsysItemsReader RecsysItemsReader;

/*
 * For any number of questions under one snapshot; in the current memory context.  Reads the
 * pending lists once (one page each, when they are empty).
 */
extern RecsysItemsReader *RecsysItemsReaderCreate(Relation heap, Relation index,
												  Snapshot snapshot);
extern void RecsysItemsReaderFree(RecsysItemsReader *reader);

extern const RecsysContentModel *RecsysItemsModel(const RecsysItemsReader *reader);

/* The counts of terms that contents are packed with, to be looked up by RecsysReadTermCount */
extern void RecsysItemsTerms(const RecsysItemsReader *reader, RecsysTermReader *terms);

/* What is not merged, by item, of those that the snapshot sees: each has one row. */
extern int	RecsysItemsUnmerged(RecsysItemsReader *reader, const RecsysUnmerged **unmerged);

/* Content of an item as the snapshot sees it; NULL if it sees none.  The reader's own. */
extern const char *RecsysItemsContent(RecsysItemsReader *reader, uint32 item);

/* Key of an item, the reader's own; false if the snapshot sees no row of it. */
extern bool RecsysItemsKey(RecsysItemsReader *reader, uint32 item, RecsysKey *key);

/* At most k neighbors, best first, ties by key; the array is palloc'd. */
extern int	RecsysItemsNeighbors(RecsysItemsReader *reader, uint32 item, int k,
								 RecsysLike **likes);

/* The k best of n, in the order of neighbors, to the front; returns how many. */
extern int	RecsysItemsBest(RecsysItemsReader *reader, RecsysLike *likes, int n, int k);

/*
 * The items most like a probe (packed by the reader's model, or one with other weights), by a
 * comparison with all of them.
 */
extern int	RecsysItemsLike(RecsysItemsReader *reader, const RecsysContentModel *model,
							const char *probe, uint32 except, int k, RecsysLike **likes);

#endif							/* RECSYS_ITEMSREAD_H */
