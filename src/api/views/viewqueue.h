/*
 * viewqueue.h
 *	  The materialized views that recsys.refresh has to refresh, one after the other.
 */
#ifndef RECSYS_VIEWQUEUE_H
#define RECSYS_VIEWQUEUE_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* By what the queries of views may name a recommender, and what it is made of */
typedef struct RecsysViewNames
{
	const char *name;			/* declared recommender, or index with its schema */
	bool		is_declared;
	List	   *indexes;		/* of OIDs: recsys indexes that it reads */
	List	   *graphs;			/* of OIDs: relations that it has as graphs */
	List	   *sources;		/* of OIDs: relations that it is declared over, those of indexes, too */
	List	   *owners;			/* of OIDs: of roles whose it is, or the sources are */
} RecsysViewNames;

/*
 * OIDs of the materialized views among the sources, and in the plain views among them, that the
 * current user may refresh, each behind those that its query reads.  To be called between
 * SPI_connect and SPI_finish; the list is in the caller's memory.  Locks nothing.
 */
extern List *RecsysQueueSources(const RecsysViewNames *names);

/*
 * The same of all others that are made of the recommender, as far as they belong to the current
 * user, a superuser or one of the owners: nobody lets strangers keep him waiting.  A WARNING tells
 * of ready views whose recommender has been dropped or renamed.
 */
extern List *RecsysQueueViews(const RecsysViewNames *names);

#endif							/* RECSYS_VIEWQUEUE_H */
