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
 * no graph from items with keys of that kind to the catalogue's.
 */
extern RecsysTableGraph *RecsysGetTableGraph(RecsysShop *shop, const char *relation, Oid oid,
											 RecsysKeyKind item_kind);

/*
 * A pair of one of the items that are asked for: place is that of the item in the array.  support
 * is -1 where the graph does not tell.
 */
typedef void (*RecsysTableVisitor) (void *arg, int place, uint32 similar, float score,
									int64 support);

/*
 * Visits all pairs of n items, given as slots in ascending order; in no order.  The slots are
 * those of other items, unless others is NULL; similar items are the catalogue's.  similar: only those
 * with this item, or RECSYS_NONE.  What has no score, or not a finite one, is passed over.  So are
 * pairs of an item with itself, except in a view that was made for a signal that predicts: what one has
 * seen is what one may buy.  New items become slots.
 *
 * It is read with the caller's rights, such a view with those of the recommender's owner if it
 * is that one's: the caller has been seen to have the right to read what it is made of.
 */
extern void RecsysVisitTableGraph(RecsysTableGraph *graph, RecsysCatalogue *others,
								  RecsysCatalogue *catalogue, const uint32 *slots, int n,
								  uint32 similar, RecsysTableVisitor visit, void *arg);

#endif							/* RECSYS_TABLEGRAPH_H */
