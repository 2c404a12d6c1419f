/*
 * itemcall.h
 *	  What one call has of the items' table, and rows read from it.
 */
#ifndef RECSYS_ITEMCALL_H
#define RECSYS_ITEMCALL_H

#include "postgres.h"

#include "api/eligible/contextfilter.h"
#include "api/eligible/itemlabels.h"
#include "api/eligible/itemplans.h"
#include "api/eligible/itemrows.h"
#include "nodes/bitmapset.h"

/* Groups of some slots, as RecsysItemsHasGroup has been asked for them */
typedef struct RecsysGroupsOf
{
	const uint32 *slots;
	int			n;
	Bitmapset  *groups;			/* labels */
	struct RecsysGroupsOf *next;
} RecsysGroupsOf;

struct RecsysItems
{
	const RecsysShopProfile *profile;
	RecsysShop *shop;
	const RecsysDefinition *definition;
	MemoryContext context;
	MemoryContext scratch;		/* for what is read of one row */
	RecsysItemLabels *labels;

	/* NULL without a table of items */
	RecsysItemPlans *plans;
	RecsysItemShape *shape;
	RecsysContextConditions *conditions;	/* NULL: the context asks for nothing */

	double		share;			/* less than 0: the planner has not been asked yet */
	RecsysGroupsOf *groups_of;
};

/* A row's first column as a slot, and its values; returns whether there should be more rows. */
typedef bool (*RecsysTakeRow) (void *arg, uint32 slot, const Datum *values, const bool *nulls,
							   const Oid *types);

/* What becomes of keys that have no slot yet */
typedef enum RecsysNewKeys
{
	RECSYS_SKIP_NEW_KEYS,
	RECSYS_NUMBER_NEW_KEYS
} RecsysNewKeys;

/*
 * Runs a query; array is its $1, if it has one.  types given to `take` are base types.  Returns
 * how many rows there were, those without a key that could be an item's included.
 */
extern uint64 RecsysReadRows(RecsysItems *items, RecsysItemQuery query, RecsysItemLimit limit,
							 Datum array, RecsysNewKeys new_keys, RecsysTakeRow take, void *arg);

/*
 * A row of one of the queries that ask for all that is declared.  Its caps are good until the
 * next one.
 */
extern void RecsysDecodeItem(RecsysItems *items, uint32 slot, const Datum *values,
							 const bool *nulls, const Oid *types, RecsysItemRow *row);

/* A copy of its caps, for as long as the call lasts */
extern void RecsysKeepCaps(RecsysItems *items, RecsysItemRow *row);

/* A row without any attributes */
extern void RecsysPlainItem(RecsysItems *items, uint32 slot, RecsysItemRow *row);

#endif							/* RECSYS_ITEMCALL_H */
