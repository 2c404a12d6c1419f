/*
 * itemquery.h
 *	  The text of the queries that the table of items is asked.
 *
 * They mean the same under every search path, as far as the definition does.
 */
#ifndef RECSYS_ITEMQUERY_H
#define RECSYS_ITEMQUERY_H

#include "postgres.h"

#include "api/declare/definition.h"
#include "api/eligible/contextfilter.h"

typedef enum RecsysItemQuery
{
	/* items with all that is declared of them: $1 is an array of keys */
	RECSYS_QUERY_KNOWN,			/* whether they pass or not */
	RECSYS_QUERY_AMONG,			/* the other ones are of those that pass: */
	RECSYS_QUERY_OFFERS,		/* $1 is an array of groups; each group's best offer comes first */
	RECSYS_QUERY_ALL,			/* in the order of keys, without a $1 */
	RECSYS_QUERY_NEW,
	RECSYS_QUERY_OF_NEW_SELLERS,

	/* $1 is an array of keys: key and group, key and title */
	RECSYS_QUERY_GROUPS,
	RECSYS_QUERY_TITLES,

	/* to ask the planner how many there are */
	RECSYS_QUERY_TOTAL,
	RECSYS_QUERY_PASSING,

	RECSYS_QUERY_PROMOTIONS
} RecsysItemQuery;

/* Places of what is declared in rows of the first six; -1: not declared.  The key comes first. */
typedef struct RecsysItemColumns
{
	int			count;
	int			group;
	int			category;
	int			seller;
	int		   *caps;
	int			ncaps;
	int			price;
	int			is_new;
	int			is_repeatable;
	int			seller_sum;
	int			seller_ratings;
	int			is_new_seller;
} RecsysItemColumns;

/* In the current memory context */
extern RecsysItemColumns *RecsysItemColumnsOf(const RecsysDefinition *definition);

/*
 * limit: at most so many rows, 0 for all; the planner has to know it.  group_equals: how groups
 * are compared, NULL: as text.
 */
extern char *RecsysItemQueryText(const RecsysDefinition *definition, RecsysItemQuery query,
								 const RecsysContextConditions *conditions, int limit,
								 const char *group_equals);

/* Has it a $1? */
extern bool RecsysItemQueryHasArray(RecsysItemQuery query);

/* Does it depend on what the context says? */
extern bool RecsysItemQueryIsFiltered(RecsysItemQuery query);

#endif							/* RECSYS_ITEMQUERY_H */
