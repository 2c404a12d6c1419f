/*
 * nodes.h
 *	  Statements on the nodes of Citus, each in a session and a transaction of its own.
 */
#ifndef RECSYS_NODES_H
#define RECSYS_NODES_H

#include "postgres.h"

#include "nodes/pg_list.h"

typedef struct RecsysNode
{
	char	   *name;
	int			port;
	char	   *command;
	char	   *result;			/* the first column of the first row, or what the statement says; may be NULL */
} RecsysNode;

/*
 * Those that have shards, in the order of their groups; all, with the coordinator; those of a
 * shard, standbys first if the session reads from these.  Need SPI.
 */
extern List *RecsysNodesWithShards(void);
extern List *RecsysAllNodes(void);
extern List *RecsysNodesOf(int64 shard);
extern RecsysNode *RecsysCoordinator(void);

/* Does this session read from standbys of the nodes, where there are any? */
extern bool RecsysReadsFromSecondaries(void);

/*
 * Runs each node's command there, as the current user, all at the same time.  Errors out, with
 * what the node has said, after all have ended; doing: "training", for the message.  Needs SPI.
 *
 * Names in a command mean what they mean to a new session of that user's there.  Anybody may have
 * made something in a schema of its search path: a command names schemas, of operators, too.
 */
extern void RecsysRunOnNodes(List *nodes, const char *doing);

/* The same of a command for one of them */
extern char *RecsysRunOnNode(RecsysNode *node, const char *command, const char *doing);

#endif							/* RECSYS_NODES_H */
