/*
 * placelimits.c
 *	  How many items of a list may share a label: caps, and one of each group.
 */
#include "core/arrange/placelimits.h"

#include "core/base/random.h"

#define FIRST_SLOTS 64

void
RecsysLimitsInit(RecsysLimits *limits, int ncaps, const int *caps)
{
	limits->ncaps = ncaps;
	limits->caps = caps;
	limits->nslots = FIRST_SLOTS;
	limits->slots = palloc(sizeof(uint32) * FIRST_SLOTS);
	memset(limits->slots, 0xFF, sizeof(uint32) * FIRST_SLOTS);
	limits->nclasses = 0;
	limits->room = FIRST_SLOTS / 2;
	limits->keys = palloc(sizeof(uint64) * limits->room);
	limits->counts = palloc(sizeof(int) * limits->room);
}

void
RecsysLimitsFree(RecsysLimits *limits)
{
	pfree(limits->slots);
	pfree(limits->keys);
	pfree(limits->counts);
}

/* Where a key is, or would be */
static uint32
find_slot(const RecsysLimits *limits, uint64 key)
{
	uint32		slot = (uint32) RecsysRandomMix(key) & (limits->nslots - 1);

	while (limits->slots[slot] != RECSYS_NONE && limits->keys[limits->slots[slot]] != key)
		slot = (slot + 1) & (limits->nslots - 1);
	return slot;
}

/* Half of the slots are in use at most. */
static void
grow(RecsysLimits *limits)
{
	limits->room *= 2;
	limits->keys = recsys_realloc_huge(limits->keys, sizeof(uint64) * (Size) limits->room);
	limits->counts = recsys_realloc_huge(limits->counts, sizeof(int) * (Size) limits->room);
	limits->nslots *= 2;
	limits->slots = recsys_realloc_huge(limits->slots, sizeof(uint32) * (Size) limits->nslots);
	memset(limits->slots, 0xFF, sizeof(uint32) * (Size) limits->nslots);
	for (uint32 class = 0; class < limits->nclasses; class++)
		limits->slots[find_slot(limits, limits->keys[class])] = class;
}

static inline uint64
key_of(int limit, uint32 label)
{
	return (uint64) limit << 32 | label;
}

uint32
RecsysLimitsClass(RecsysLimits *limits, const RecsysArrangeItem *item, int limit)
{
	uint32		label = RecsysLimitsLabel(item, limit);
	uint64		key = key_of(limit, label);
	uint32		slot;

	if (label == 0)
		return RECSYS_NONE;
	slot = find_slot(limits, key);
	if (limits->slots[slot] != RECSYS_NONE)
		return limits->slots[slot];
	if (limits->nclasses == limits->room)
	{
		grow(limits);
		slot = find_slot(limits, key);
	}
	limits->keys[limits->nclasses] = key;
	limits->counts[limits->nclasses] = 0;
	return limits->slots[slot] = limits->nclasses++;
}

bool
RecsysLimitsAllow(const RecsysLimits *limits, const RecsysArrangeItem *item)
{
	for (int limit = 0; limit < RecsysLimitsNumber(limits); limit++)
	{
		uint32		label = RecsysLimitsLabel(item, limit);
		uint32		class;

		if (label == 0)
			continue;
		class = limits->slots[find_slot(limits, key_of(limit, label))];
		if ((class == RECSYS_NONE ? 0 : limits->counts[class]) >= RecsysLimitsMost(limits, limit))
			return false;
	}
	return true;
}

void
RecsysLimitsAdd(RecsysLimits *limits, const RecsysArrangeItem *item)
{
	for (int limit = 0; limit < RecsysLimitsNumber(limits); limit++)
	{
		uint32		class = RecsysLimitsClass(limits, item, limit);

		if (class != RECSYS_NONE)
			limits->counts[class]++;
	}
}
