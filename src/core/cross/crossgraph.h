/*
 * crossgraph.h
 *	  A rectangular item graph: what events of one kind say about those of another.
 *
 * Rows are the items of the events, columns those of what they are to predict; a pair is
 * supported by the users who have the one on this and the other on that side.  The two sides
 * may have items of their own: item 5 here is not item 5 there.
 *
 * Only users of both sides count.  They are N, and n_i and n_j are those among them: whoever
 * has events of one kind alone says nothing about whether the two go together, and would make
 * all pairs look related, by what active users have in common.
 */
#ifndef RECSYS_CROSSGRAPH_H
#define RECSYS_CROSSGRAPH_H

#include "core/pairs/cooccurrence.h"

typedef struct RecsysCrossGraph RecsysCrossGraph;

/* Has a pair's score by these options to do with the weights of interactions? */
extern bool RecsysCrossUsesWeights(const RecsysModelOptions *options, bool weighted);

/*
 * predicts has a row for each user; it and the options, which are resolved, must outlive the
 * graph.  The similarity is one of those that are functions of what is counted for a pair.  weighted: have
 * the interactions of either side weights?  Pairs whose log-likelihood ratio is below
 * min_likelihood are left out, whatever the similarity.  In the current memory context.
 */
extern RecsysCrossGraph *RecsysCrossGraphCreate(const RecsysMatrix *predicts, bool weighted,
												const RecsysModelOptions *options,
												double min_likelihood);

/*
 * Rows of some of the items of the events: events has the same users as rows, and is
 * user-major.  Reports each item of it, as first + its column, in ascending order.
 */
extern void RecsysCrossGraphRows(RecsysCrossGraph *graph, const RecsysMatrix *events, uint32 first,
								 RecsysRowReporter report, void *arg);
extern void RecsysCrossGraphFree(RecsysCrossGraph *graph);

/* Bytes that a graph takes, and that its rows take for so many items and entries at once. */
extern Size RecsysCrossGraphMemory(const RecsysMatrix *predicts, bool weighted);
extern Size RecsysCrossRowsMemory(uint32 npredicts, uint32 nevents, uint64 nentries, bool weighted);

#endif							/* RECSYS_CROSSGRAPH_H */
