/*
 * pooldraw.c
 *	  New items in a pool, drawn for the user.
 */
#include "postgres.h"

#include "api/serve/poolstate.h"
#include "utils/memutils.h"

/* So many new items are drawn from. */
#define NEW_ROWS 1000

/* An item that is drawn, smallest number first */
typedef struct Lot
{
	uint64		number;
	int			place;
} Lot;

static int
compare_lots(const void *a, const void *b)
{
	const Lot  *left = a;
	const Lot  *right = b;

	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return left->place - right->place;
}

/*
 * The numbers are hashes of the items' keys, seeded by user and definition: everybody has
 * others, and the same ones tomorrow.
 */
void
RecsysPoolAddNew(RecsysPool *pool, int most, bool of_new_sellers)
{
	RecsysPoolState *state = pool->state;
	MemoryContext old = MemoryContextSwitchTo(state->context);
	const RecsysShopProfile *profile = pool->profile;
	uint64		seed = profile->user_hash ^ (uint64) profile->shop->definition->seed;
	RecsysItemRow *rows;
	int			count = RecsysItemsAll(pool->items, NEW_ROWS,
									   of_new_sellers ? RECSYS_ITEMS_OF_NEW_SELLERS : RECSYS_ITEMS_NEW,
									   &rows);
	Lot		   *lots = palloc(sizeof(Lot) * Max(count, 1));
	uint32	   *slots = palloc(sizeof(uint32) * Max(count, 1));
	int			n = 0;
	int			before = pool->count;

	for (int i = 0; i < count; i++)
	{
		RecsysKey	key;

		RecsysCatalogueKey(profile->catalogue, rows[i].slot, &key);
		lots[i].number = RecsysKeyHash(RecsysCatalogueKind(profile->catalogue), &key, seed);
		lots[i].place = i;
	}
	qsort(lots, count, sizeof(Lot), compare_lots);
	for (int i = 0; i < count; i++)
		if (places_lookup(state->taken, rows[lots[i].place].slot) == NULL)
			slots[n++] = rows[lots[i].place].slot;
	for (int i = 0; i < n && pool->count - before < most; i += most)
	{
		int			size = Min(most, n - i);

		RecsysPoolTakeSlots(pool, slots + i, size, "new");
		for (int x = i; x < i + size; x++)
			(void) RecsysPoolHasComeUp(state, slots[x]);
	}
	pfree(lots);
	pfree(slots);
	MemoryContextSwitchTo(old);
}
