/*
 * packedgraph.h
 *	  The item graph of an index, packed in memory for the lists of all users.
 */
#ifndef RECSYS_PACKEDGRAPH_H
#define RECSYS_PACKEDGRAPH_H

#include "postgres.h"

#include "api/call/recommender.h"
#include "core/scoring/batchgraph.h"

/*
 * Reads the graph, with the prior and which items are offered, into the current memory context.
 * NULL if lists are not made by it, since the index has factors, or if it takes more than
 * memory_limit bytes.
 */
extern RecsysBatchGraph *RecsysPackGraph(const RecsysRecommender *recommender, Size memory_limit);

#endif							/* RECSYS_PACKEDGRAPH_H */
