/*
 * setpack.c
 *	  Item sets packed one behind the other, in units of 16 bits.
 *
 * A set is its support and its length with two units each, its weight with four if
 * there are weights, and its items as they were found, with one unit each where numbers
 * are small enough and two otherwise.  That is a fifth of what a row takes.  Items are
 * put in order when they are unpacked: who only counts sets never looks at them.
 */
#include "core/itemset/setpack.h"

/* Items below this take one unit. */
#define NARROW_ITEMS 65536

/* With no more items than this, those of a set are put in order by bits. */
#define FEW_ITEMS 256

#define HEAD_UNITS 4
#define WEIGHT_UNITS 4

Size
RecsysSetUnits(const RecsysSetFormat *format, uint32 length)
{
	return HEAD_UNITS + (format->weighted ? WEIGHT_UNITS : 0) +
		(Size) length * (format->nitems <= NARROW_ITEMS ? 1 : 2);
}

/*
 * Items of a type in ascending order: by insertion, as sets are short, mostly; or by a
 * bit for each item.  Where few items are frequent, sets are long and there are very
 * many of them.
 */
#define DEFINE_SORT(name, type) \
static inline void \
name(uint32 nitems, const type *given, uint32 length, uint32 *items) \
{ \
	if (nitems <= FEW_ITEMS) \
	{ \
		uint64		bits[FEW_ITEMS / 64] = {0}; \
\
		for (uint32 i = 0; i < length; i++) \
			bits[given[i] / 64] |= UINT64CONST(1) << (given[i] % 64); \
		for (uint32 w = 0; w * 64 < nitems; w++) \
			for (uint64 word = bits[w]; word != 0; word &= word - 1) \
				*items++ = w * 64 + (uint32) __builtin_ctzll(word); \
		return; \
	} \
	for (uint32 i = 0; i < length; i++) \
	{ \
		uint32		item = given[i]; \
		uint32		j = i; \
\
		for (; j > 0 && items[j - 1] > item; j--) \
			items[j] = items[j - 1]; \
		items[j] = item; \
	} \
}

DEFINE_SORT(sort_wide, uint32)
DEFINE_SORT(sort_narrow, uint16)

void
RecsysSortSet(uint32 nitems, const RecsysItemset *set, uint32 *items)
{
	sort_wide(nitems, set->items, set->length, items);
}

uint16 *
RecsysPackSet(const RecsysSetFormat *format, const RecsysItemset *set, uint16 *place)
{
	memcpy(place, &set->support, sizeof(uint32));
	memcpy(place + 2, &set->length, sizeof(uint32));
	place += HEAD_UNITS;
	if (format->weighted)
	{
		memcpy(place, &set->weight, sizeof(double));
		place += WEIGHT_UNITS;
	}
	if (format->nitems <= NARROW_ITEMS)
	{
		for (uint32 i = 0; i < set->length; i++)
			place[i] = (uint16) set->items[i];
		return place + set->length;
	}
	memcpy(place, set->items, sizeof(uint32) * (Size) set->length);
	return place + 2 * (Size) set->length;
}

const uint16 *
RecsysUnpackSet(const RecsysSetFormat *format, const uint16 *place, RecsysItemset *set)
{
	memcpy(&set->support, place, sizeof(uint32));
	memcpy(&set->length, place + 2, sizeof(uint32));
	place += HEAD_UNITS;
	set->weight = 0;
	set->items = NULL;
	if (format->weighted)
	{
		memcpy(&set->weight, place, sizeof(double));
		place += WEIGHT_UNITS;
	}
	return place;
}

const uint16 *
RecsysUnpackItems(const RecsysSetFormat *format, const uint16 *place, RecsysItemset *set,
				  uint32 *items)
{
	set->items = items;
	if (format->nitems <= NARROW_ITEMS)
	{
		sort_narrow(format->nitems, place, set->length, items);
		return place + set->length;
	}

	/* sorted where they are: the sort reads an item before it writes over it */
	memcpy(items, place, sizeof(uint32) * (Size) set->length);
	sort_wide(format->nitems, items, set->length, items);
	return place + 2 * (Size) set->length;
}
