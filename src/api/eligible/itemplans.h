/*
 * itemplans.h
 *	  The prepared queries that a shop's table of items is asked.
 *
 * Those that depend on the context's filter are kept by its shape: which columns it names, and
 * how it compares them.  Of shapes the last ones are kept, as an application has few and a
 * visitor who makes them up could have any number.
 */
#ifndef RECSYS_ITEMPLANS_H
#define RECSYS_ITEMPLANS_H

#include "postgres.h"

#include "api/declare/plan.h"
#include "api/declare/shop.h"
#include "api/eligible/contextfilter.h"
#include "api/eligible/itemquery.h"
#include "core/rows/key.h"
#include "lib/ilist.h"
#include "utils/rel.h"

/* Most rows that a query is to give: the planner is told one of these. */
typedef enum RecsysItemLimit
{
	RECSYS_LIMIT_NONE,
	RECSYS_LIMIT_LOW,			/* 1,000 */
	RECSYS_LIMIT_HIGH,			/* 32,000 */
} RecsysItemLimit;

#define RECSYS_ITEM_LIMITS (RECSYS_LIMIT_HIGH + 1)
#define RECSYS_ITEM_QUERIES (RECSYS_QUERY_PROMOTIONS + 1)

typedef struct RecsysItemShape
{
	dlist_node	node;
	char	   *shape;
	RecsysPlan *plans[RECSYS_ITEM_QUERIES][RECSYS_ITEM_LIMITS];
} RecsysItemShape;

typedef struct RecsysItemPlans
{
	RecsysShop *shop;
	MemoryContext context;
	uint64		fingerprint;	/* of the table and its columns */
	Oid			key_type;		/* see RecsysItemKeyType */
	RecsysItemColumns *columns;

	/* types of what is declared, or InvalidOid; how groups are compared, and as what */
	Oid			category_type;
	Oid			seller_type;
	Oid			declared_group_type;
	Oid			group_type;
	char	   *group_equals;

	dlist_head	shapes;			/* the one that was used last comes first */
	int			nshapes;
	RecsysItemShape *bare;		/* of what does not depend on the context */
	struct RecsysItemPlans *retired;	/* those before it, of a table that has changed since */
} RecsysItemPlans;

/* The table of items, share-locked; errors out if it is gone. */
extern Relation RecsysOpenItems(RecsysShop *shop);

/* The base type of its column item_key; errors out if that is gone. */
extern Oid	RecsysItemKeyColumnType(RecsysShop *shop, Relation items);

/* The shop's plans, made anew when the table has other columns than before. */
extern RecsysItemPlans *RecsysItemPlansOf(RecsysShop *shop, Relation items, RecsysKeyKind kind);

/* None of them is freed as long as the context is there. */
extern void RecsysHoldItemPlans(MemoryContext context);

extern RecsysItemShape *RecsysItemShapeOf(RecsysItemPlans *plans,
										  const RecsysContextConditions *conditions);

/* conditions are those that the shape is of */
extern RecsysPlan *RecsysItemPlanOf(RecsysItemPlans *plans, RecsysItemShape *shape,
									const RecsysContextConditions *conditions,
									RecsysItemQuery query, RecsysItemLimit limit);

extern int	RecsysItemLimitRows(RecsysItemLimit limit);

#endif							/* RECSYS_ITEMPLANS_H */
