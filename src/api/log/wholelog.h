/*
 * wholelog.h
 *	  The log as queries of the keeper's read it: of this server, or of all nodes of Citus.
 *
 * recsys.distribute_log() makes one log of all nodes.  Then queries read rows that have been
 * fetched before, under the names of two relations; where it has not been, the same queries read
 * the tables.
 */
#ifndef RECSYS_WHOLELOG_H
#define RECSYS_WHOLELOG_H

#include "postgres.h"

#include "utils/timestamp.h"

/* Is the log one of all nodes? */
extern bool RecsysLogIsShared(void);

/* Is this where such a log is looked after, or has this server a log of its own? */
extern bool RecsysLogIsKeptHere(void);

/* Errors out unless it is: what a function makes of the log would be known to this node alone. */
extern void RecsysNeedLogHere(const char *function);

/* Which requests queries are going to read, with their events */
typedef struct RecsysLogExtent
{
	TimestampTz from;
	TimestampTz until;
	const char *experiment;		/* NULL: all */
	const char *user;			/* as the log has it; NULL: all */
	int			most;			/* the latest ones; 0: all */
} RecsysLogExtent;

/*
 * Fetches them, where the log is shared, for the queries of the current SPI connection.  Between
 * RecsysBeginAsKeeper and RecsysEndAsKeeper; one at a time.
 */
extern void RecsysBeginWholeLog(const RecsysLogExtent *extent);
extern void RecsysEndWholeLog(void);

/*
 * The text of a query as it runs on this node: it names recsys.request_log and other tables of the
 * extension, of which some may be shared.  What it returns may be its argument.
 */
extern const char *RecsysHere(const char *query);

/*
 * The current statement, as the keeper, may write to another node without a transaction there: a
 * row of the log, on which nothing else depends.  Until RecsysEndAsKeeper.
 */
extern void RecsysWriteAlone(void);

#endif							/* RECSYS_WHOLELOG_H */
