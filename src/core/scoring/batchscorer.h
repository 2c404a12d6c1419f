/*
 * batchscorer.h
 *	  Lists of many users, one after the other: histories times a packed item graph, top k.
 */
#ifndef RECSYS_BATCHSCORER_H
#define RECSYS_BATCHSCORER_H

#include "core/scoring/batchgraph.h"
#include "core/scoring/scorer.h"

typedef struct RecsysBatchScorer RecsysBatchScorer;

/* Of a graph that stays as it is; lives in the current memory context. */
extern RecsysBatchScorer *RecsysBatchScorerCreate(const RecsysBatchGraph *graph);
extern void RecsysBatchScorerFree(RecsysBatchScorer *scorer);

/*
 * The best k items, which are offered and not excluded, by a history of n items and their weights
 * and by the prior, into out, which has room for k or, if there are less, all items.  As by
 * RecsysScorerAdd of the rows in the order of the history and RecsysScorerTop, bit for bit.
 * Numbers are those of items of the graph; excluded ones may occur several times.
 */
extern int	RecsysBatchScorerList(RecsysBatchScorer *scorer, const uint32 *items,
								  const double *weights, int n, const uint32 *excluded,
								  int nexcluded, int k, RecsysScored *out);

/*
 * Behind a list of count items, places up to k are filled with those of the popular ones that are
 * offered, not excluded and not listed, with a score of 0.  Returns how long the list is then.
 */
extern int	RecsysBatchScorerFill(RecsysBatchScorer *scorer, const uint32 *excluded, int nexcluded,
								  RecsysScored *out, int count, int k, const uint32 *popular,
								  uint32 npopular);

#endif							/* RECSYS_BATCHSCORER_H */
