/*
 * tablegraph.h
 *	  Graphs in tables and views: item, similar item, score.
 *
 * The columns are found by the names that item_similarity() gives them, or else they are
 * the first three.
 */
#ifndef RECSYS_TABLEGRAPH_H
#define RECSYS_TABLEGRAPH_H

#include "postgres.h"

#include "api/declare/shop.h"
#include "api/profile/catalogue.h"

typedef struct RecsysTableGraph RecsysTableGraph;

/*
 * The relation's, prepared once for a session.  Errors out on a relation whose columns are
 * no graph of the catalogue's items.
 */
extern RecsysTableGraph *RecsysGetTableGraph(RecsysShop *shop, const char *relation, Oid oid);

/* A pair of one of the items that are asked for: place is that of the item in the array. */
typedef void (*RecsysTableVisitor) (void *arg, int place, uint32 similar, float score);

/*
 * Visits all pairs of n items, given as slots in ascending order, with the caller's
 * rights; in no order.  similar: only those with this item, or RECSYS_NONE.  What has no score, or not a
 * finite one, is passed over, as are pairs of an item with itself.  New items become slots.
 */
extern void RecsysVisitTableGraph(RecsysTableGraph *graph, RecsysCatalogue *catalogue,
								  const uint32 *slots, int n, uint32 similar,
								  RecsysTableVisitor visit, void *arg);

#endif							/* RECSYS_TABLEGRAPH_H */
