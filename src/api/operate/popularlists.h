/*
 * popularlists.h
 *	  The query that finds popular items segment by segment, and what is typical of a shop.
 */
#ifndef RECSYS_POPULARLISTS_H
#define RECSYS_POPULARLISTS_H

#include "postgres.h"

#include "api/declare/definition.h"
#include "api/declare/eventsquery.h"

/* How users are counted */
typedef struct RecsysListCounting
{
	double		half_life;		/* seconds in which a user's count halves; 0: all users count 1 */
	int			max_history;	/* so many of a user's items count, the latest; 0: all */
} RecsysListCounting;

/* Its rows are those of recsys.popularity: kind, value, items, users. */
extern char *RecsysPopularListsQuery(const RecsysDefinition *definition,
									 const RecsysEventsQuery *events,
									 const RecsysListCounting *counting);

#endif							/* RECSYS_POPULARLISTS_H */
