/*
 * shopbaskets.c
 *	  A user's baskets as a declared recommender has them: by its first signal, items as slots.
 */
#include "postgres.h"

#include "am/graph/itemorder.h"
#include "api/next/shopbaskets.h"
#include "miscadmin.h"
#include "utils/memutils.h"

static void
find_slots(RecsysShopBaskets *baskets)
{
	const RecsysBasketHistory *history = &baskets->baskets.history;
	RecsysItemMap *map = baskets->profile->evidence[0].map;
	RecsysGraphReader reader;

	baskets->slots = MemoryContextAllocHuge(CurrentMemoryContext,
											sizeof(uint32) * (Size) Max(history->nitems, 1));
	baskets->places = places_create(CurrentMemoryContext, Max(history->nitems, 16), NULL);
	RecsysGraphReaderInit(&reader, baskets->events->index);
	for (uint32 x = 0; x < history->nitems; x++)
	{
		uint32		slot = RecsysMapSlot(map, &reader, history->items[x].item);
		bool		found;

		CHECK_FOR_INTERRUPTS();
		if (slot == RECSYS_NONE)
			RecsysNoItem(baskets->events->index, history->items[x].item);
		baskets->slots[x] = slot;
		places_insert(baskets->places, slot, &found)->place = (int) x;
	}
	RecsysGraphReaderDone(&reader);
}

/* Who has disliked an item does not buy it again. */
static void
exclude_disliked(RecsysShopProfile *profile)
{
	for (int x = 0; x < profile->nevidence; x++)
	{
		const RecsysEvidence *evidence = &profile->evidence[x];
		Size		n = profile->nexcluded + (Size) evidence->count;
		uint32	   *slots;

		if (evidence->signal->weight >= 0 || evidence->signal->other_items || evidence->count == 0)
			continue;
		slots = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * n);
		if (profile->nexcluded > 0)
			memcpy(slots, profile->excluded, sizeof(uint32) * (Size) profile->nexcluded);
		memcpy(slots + profile->nexcluded, evidence->slots, sizeof(uint32) * (Size) evidence->count);
		profile->excluded = slots;
		profile->nexcluded = (int) n;
	}
}

void
RecsysOpenShopBaskets(RecsysShop *shop, const RecsysNextCall *call, RecsysShopBaskets *baskets)
{
	memset(baskets, 0, sizeof(*baskets));
	baskets->funnel = RecsysFunnelBegin(shop, call->user, call->context, call->at);
	baskets->profile = RecsysFunnelProfile(baskets->funnel);
	baskets->events = &baskets->profile->evidence[0].events;
	RecsysReadUserBaskets(baskets->events, baskets->profile->is_excluded ? NULL : call->user,
						  call->at, &baskets->baskets);
	baskets->facts = RecsysReadBasketFacts(baskets->events, &baskets->baskets, NULL);
	find_slots(baskets);
	exclude_disliked(baskets->profile);
}

int
RecsysShopBasketPlace(const RecsysShopBaskets *baskets, uint32 slot)
{
	const PlaceEntry *entry = places_lookup(baskets->places, slot);

	return entry == NULL ? -1 : entry->place;
}

uint32 *
RecsysSeenWithoutHistory(const RecsysShopBaskets *baskets, int *n)
{
	const RecsysShopProfile *profile = baskets->profile;
	uint32	   *slots = MemoryContextAllocHuge(CurrentMemoryContext,
											   sizeof(uint32) * (Size) Max(profile->nseen, 1));

	*n = 0;
	for (int x = 0; x < profile->nseen; x++)
		if (RecsysShopBasketPlace(baskets, profile->seen[x]) < 0)
			slots[(*n)++] = profile->seen[x];
	return slots;
}

uint32 *
RecsysSeenWithHistory(const RecsysShopBaskets *baskets, int *n)
{
	uint32		nitems = baskets->baskets.history.nitems;
	uint32	   *others = RecsysSeenWithoutHistory(baskets, n);
	uint32	   *slots = MemoryContextAllocHuge(CurrentMemoryContext,
											   sizeof(uint32) * ((Size) *n + Max(nitems, 1)));

	memcpy(slots, others, sizeof(uint32) * (Size) *n);
	memcpy(slots + *n, baskets->slots, sizeof(uint32) * (Size) nitems);
	*n += (int) nitems;
	qsort(slots, *n, sizeof(uint32), RecsysCompareItemNumbers);
	pfree(others);
	return slots;
}

bool
RecsysShopBasketOffers(const RecsysShopBaskets *baskets, int place)
{
	return RecsysIsWithinAge(baskets->facts[place].latest, baskets->profile->items_latest,
							 baskets->profile->item_max_age);
}
