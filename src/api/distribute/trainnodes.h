/*
 * trainnodes.h
 *	  Training the item graph of a distributed recommender: each node a part of the items.
 */
#ifndef RECSYS_TRAINNODES_H
#define RECSYS_TRAINNODES_H

#include "postgres.h"

#include "api/call/distributed.h"

/* What a training has made */
typedef struct RecsysTrainedGraph
{
	char	   *index;			/* over the graph, with its schema */
	int32		version;
	int64		items;
	int			nodes;			/* that have trained */
} RecsysTrainedGraph;

/*
 * Trains by the rows of the shell's table, into a reference table of its own with an index.
 * Nothing of it serves before recsys.distributed names it.  As the table's owner, with SPI.
 */
extern void RecsysTrainOnNodes(const RecsysDistributed *distributed, const RecsysRecommender *shell,
							   RecsysTrainedGraph *trained);

/* Drops the graphs of all trainings; those that are being read stay for the next training. */
extern void RecsysDropGraphs(const RecsysDistributed *distributed);

#endif							/* RECSYS_TRAINNODES_H */
