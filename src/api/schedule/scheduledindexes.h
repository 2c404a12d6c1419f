/*
 * scheduledindexes.h
 *	  What belongs to a recommender that is kept up to date: its indexes, and relations that it reads.
 */
#ifndef RECSYS_SCHEDULEDINDEXES_H
#define RECSYS_SCHEDULEDINDEXES_H

#include "postgres.h"

#include "api/declare/definition.h"
#include "nodes/pg_list.h"

typedef struct RecsysScheduled
{
	char	   *name;			/* that of a declared recommender, or an index with its schema */
	bool		declared;
	List	   *indexes;		/* OIDs, each once */
	List	   *relations;		/* the tables of these, and what else is declared, likewise */
} RecsysScheduled;

/*
 * By the name of a declared recommender, of which the caller has to be the owner, or of an index, of
 * whose table.  Errors out if there is none.
 */
extern void RecsysFindScheduled(const char *name, RecsysScheduled *scheduled);

/* The same of a declared recommender or an index that is at hand; whose it is does not matter. */
extern void RecsysScheduledOfShop(const RecsysDefinition *definition, RecsysScheduled *scheduled);
extern void RecsysScheduledOfIndex(Oid index, RecsysScheduled *scheduled);

/* Those of the indexes that the caller may maintain and that can be used. */
extern List *RecsysOwnIndexes(const List *indexes);

#endif							/* RECSYS_SCHEDULEDINDEXES_H */
