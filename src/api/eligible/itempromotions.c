/*
 * itempromotions.c
 *	  Promotions that are on: which items they boost, and by how much.
 */
#include "postgres.h"

#include "api/eligible/itemcall.h"
#include "utils/memutils.h"

typedef struct Promotions
{
	RecsysItems *items;
	uint32	   *slots;
	double	   *boosts;
	int			count;
	int			room;
	double		limit;
} Promotions;

#define FIRST_ROOM 64

static bool
take_promotion(void *arg, uint32 slot, const Datum *values, const bool *nulls, const Oid *types)
{
	Promotions *promotions = arg;
	double		boost;

	if (nulls[1])
		return true;
	boost = DatumGetFloat8(values[1]);
	if (promotions->count == promotions->room)
	{
		promotions->room *= 2;
		promotions->slots = repalloc(promotions->slots, sizeof(uint32) * promotions->room);
		promotions->boosts = repalloc(promotions->boosts, sizeof(double) * promotions->room);
	}
	promotions->slots[promotions->count] = slot;
	promotions->boosts[promotions->count++] =
		Max(1.0 / promotions->limit, Min(boost, promotions->limit));
	return true;
}

int
RecsysItemsPromotions(RecsysItems *items, uint32 **slots, double **boosts)
{
	MemoryContext old = MemoryContextSwitchTo(items->context);
	Promotions	promotions = {.items = items, .room = FIRST_ROOM};

	promotions.limit = Max(items->definition->promotion_limit, 1.0);
	promotions.slots = palloc(sizeof(uint32) * promotions.room);
	promotions.boosts = palloc(sizeof(double) * promotions.room);
	if (items->plans != NULL && items->definition->promotions != NULL)
		RecsysReadRows(items, RECSYS_QUERY_PROMOTIONS, RECSYS_LIMIT_NONE, (Datum) 0,
					   RECSYS_NUMBER_NEW_KEYS, take_promotion, &promotions);
	MemoryContextSwitchTo(old);
	*slots = promotions.slots;
	*boosts = promotions.boosts;
	return promotions.count;
}
