/*
 * catalogue.c
 *	  One numbering of items for all that a declared recommender is made of.
 *
 * What it holds grows to the size of the catalogue and no further, as keys come from
 * indexes and tables of the shop only: for each item its key and up to 24 bytes to find
 * it by, and for each index 20 bytes: its number, its slot and where its row is.  A million items
 * of two signals take some 70 MB of a session that has come across all of them.
 *
 * An index is known by its OID, its file and the seed that its build has drawn: a build
 * within the transaction that has made the table takes the same file again.
 */
#include "postgres.h"

#include "am/lists/owner.h"
#include "api/profile/catalogue.h"
#include "compat.h"
#include "core/rows/dictionary.h"
#include "nodes/pg_list.h"
#include "source/input/values.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* Arrays begin with room for so many */
#define INITIAL_ROOM 1024

/* An array by numbers; what it has no room for is RECSYS_NONE */
typedef struct NumberArray
{
	uint32	   *values;
	uint32		room;
} NumberArray;

struct RecsysItemMap
{
	RecsysCatalogue *catalogue;
	Oid			index;
	uint32		file;
	uint64		seed;
	NumberArray slots;			/* by the index's numbers */
	NumberArray numbers;		/* by slots */
};

struct RecsysCatalogue
{
	const char *recommender;
	RecsysKeyKind kind;
	MemoryContext parent;		/* the shop's, where the maps are */
	MemoryContext context;		/* of the dictionary */
	MemoryContext scratch;		/* of a key that is being read */
	RecsysDictionary *dictionary;
	bool		growing;		/* the dictionary is, or has failed to */
	List	   *maps;
};

static RecsysCatalogue *
create(RecsysShop *shop, RecsysKeyKind kind)
{
	MemoryContext context = AllocSetContextCreate(shop->context, "recsys catalogue",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysDictionary *dictionary = RecsysDictionaryCreate(kind, 0);
	RecsysCatalogue *catalogue;

	MemoryContextSwitchTo(shop->context);
	catalogue = palloc0(sizeof(RecsysCatalogue));
	MemoryContextSwitchTo(old);
	catalogue->recommender = shop->definition->name;
	catalogue->kind = kind;
	catalogue->parent = shop->context;
	catalogue->context = context;
	catalogue->scratch = AllocSetContextCreate(context, "recsys item key", ALLOCSET_SMALL_SIZES);
	catalogue->dictionary = dictionary;
	return catalogue;
}

static void
refuse_kind(const RecsysCatalogue *catalogue, RecsysKeyKind kind)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the item keys of recommender \"%s\" are %s by now, they were %s",
					catalogue->recommender, RecsysKeyKindName(kind),
					RecsysKeyKindName(catalogue->kind)),
			 errdetail("The index of its first signal has been made anew over a column of another type."),
			 errhint("Begin a new session.")));
}

static void
forget_numbers(NumberArray *array)
{
	if (array->values != NULL)
		pfree(array->values);
	array->values = NULL;
	array->room = 0;
}

static void
forget_map(RecsysItemMap *map)
{
	forget_numbers(&map->slots);
	forget_numbers(&map->numbers);
}

/* What is left of it is enough for a call that still has it to end in an error. */
static void
abandon(RecsysCatalogue *catalogue)
{
	ListCell   *cell;

	MemoryContextDelete(catalogue->context);
	catalogue->context = NULL;
	catalogue->dictionary = NULL;
	foreach(cell, catalogue->maps)
		forget_map(lfirst(cell));
}

/* A dictionary that could not grow is of no use any more: a new one takes its place. */
static RecsysCatalogue *
need(RecsysShop *shop, RecsysKeyKind kind, RecsysCatalogue **catalogue)
{
	if (*catalogue != NULL && (*catalogue)->growing)
	{
		RecsysCatalogue *broken = *catalogue;

		*catalogue = NULL;
		abandon(broken);
	}
	if (*catalogue == NULL)
		*catalogue = create(shop, kind);
	return *catalogue;
}

RecsysCatalogue *
RecsysGetCatalogue(RecsysShop *shop, RecsysKeyKind kind)
{
	RecsysCatalogue *catalogue = need(shop, kind, &shop->catalogue);

	if (catalogue->kind != kind)
		refuse_kind(catalogue, kind);
	return catalogue;
}

RecsysCatalogue *
RecsysGetOtherCatalogue(RecsysShop *shop, RecsysKeyKind kind)
{
	return need(shop, kind, &shop->others[kind]);
}

/* Errors out when the dictionary has been lost half way. */
static inline RecsysDictionary *
dictionary_of(const RecsysCatalogue *catalogue)
{
	if (unlikely(catalogue->growing))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("the items of recommender \"%s\" are no longer known to this session",
						catalogue->recommender),
				 errdetail("A call within this one was stopped while it took up items."),
				 errhint("Call again.")));
	return catalogue->dictionary;
}

uint32
RecsysCatalogueCount(const RecsysCatalogue *catalogue)
{
	return RecsysDictionaryCount(dictionary_of(catalogue));
}

RecsysKeyKind
RecsysCatalogueKind(const RecsysCatalogue *catalogue)
{
	return catalogue->kind;
}

uint32
RecsysCatalogueSlot(RecsysCatalogue *catalogue, const RecsysKey *key)
{
	MemoryContext old = MemoryContextSwitchTo(catalogue->context);
	RecsysDictionary *dictionary = dictionary_of(catalogue);
	uint32		slot;

	catalogue->growing = true;
	slot = RecsysDictionaryIntern(dictionary, key);
	catalogue->growing = false;
	MemoryContextSwitchTo(old);
	return slot;
}

uint32
RecsysCatalogueFind(const RecsysCatalogue *catalogue, const RecsysKey *key)
{
	return RecsysDictionaryFind(dictionary_of(catalogue), key);
}

void
RecsysCatalogueKey(const RecsysCatalogue *catalogue, uint32 slot, RecsysKey *key)
{
	RecsysDictionaryKey(dictionary_of(catalogue), slot, key);
}

static int
compare_slots(void *arg, uint32 a, uint32 b)
{
	const RecsysCatalogue *catalogue = arg;
	RecsysKey	left;
	RecsysKey	right;

	RecsysCatalogueKey(catalogue, a, &left);
	RecsysCatalogueKey(catalogue, b, &right);
	return RecsysKeyCompare(catalogue->kind, &left, &right);
}

RecsysKeyOrder
RecsysCatalogueOrder(const RecsysCatalogue *catalogue)
{
	return (RecsysKeyOrder)
	{
		0, compare_slots, unconstify(RecsysCatalogue *, catalogue)
	};
}

static inline uint32
get_number(const NumberArray *array, uint32 place)
{
	return place < array->room ? array->values[place] : RECSYS_NONE;
}

static void
set_number(NumberArray *array, uint32 place, uint32 value, MemoryContext context)
{
	if (place >= array->room)
	{
		uint64		room = Max(Max((uint64) array->room * 2, (uint64) place + 1), INITIAL_ROOM);
		Size		size = sizeof(uint32) * (Size) room;

		array->values = array->values == NULL ? MemoryContextAllocHuge(context, size) :
			repalloc_huge(array->values, size);
		memset(array->values + array->room, 0xFF, size - sizeof(uint32) * (Size) array->room);
		array->room = (uint32) Min(room, RECSYS_NONE);
	}
	array->values[place] = value;
}

static RecsysItemMap *
find_map(RecsysCatalogue *catalogue, Oid index)
{
	MemoryContext old;
	RecsysItemMap *map;
	ListCell   *cell;

	foreach(cell, catalogue->maps)
	{
		map = lfirst(cell);
		if (map->index == index)
			return map;
	}
	old = MemoryContextSwitchTo(catalogue->parent);
	map = palloc0(sizeof(RecsysItemMap));
	map->catalogue = catalogue;
	map->index = index;
	catalogue->maps = lappend(catalogue->maps, map);
	MemoryContextSwitchTo(old);
	return map;
}

/* As long as a call has the index open nobody rebuilds it, and the map is for that build. */
RecsysItemMap *
RecsysCatalogueMap(RecsysCatalogue *catalogue, Relation index)
{
	const RecsysMetaData *meta = &RecsysGetCache(index)->meta;
	RecsysItemMap *map;

	(void) dictionary_of(catalogue);
	if (meta->item_kind != catalogue->kind)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the item keys of index \"%s\" are %s, those of recommender \"%s\" are %s",
						RelationGetRelationName(index), RecsysKeyKindName(meta->item_kind),
						catalogue->recommender, RecsysKeyKindName(catalogue->kind)),
				 errdetail("All signals and graphs of a recommender are about the same items.")));
	map = find_map(catalogue, RelationGetRelid(index));
	if (map->file != RECSYS_FILE_NUMBER(index) || map->seed != meta->seed)
	{
		forget_map(map);
		map->file = RECSYS_FILE_NUMBER(index);
		map->seed = meta->seed;
	}
	return map;
}

static void
enter(RecsysItemMap *map, uint32 item, uint32 slot)
{
	MemoryContext context = map->catalogue->parent;

	set_number(&map->numbers, slot, item, context);
	set_number(&map->slots, item, slot, context);
}

uint32
RecsysMapSlot(RecsysItemMap *map, RecsysGraphReader *reader, uint32 item)
{
	RecsysCatalogue *catalogue = map->catalogue;
	uint32		slot = get_number(&map->slots, item);
	MemoryContext old;
	RecsysKey	key;
	bool		found;

	if (likely(slot != RECSYS_NONE))
		return slot;
	(void) dictionary_of(catalogue);
	old = MemoryContextSwitchTo(catalogue->scratch);
	found = RecsysGraphReadKey(reader, item, &key);
	if (found)
		slot = RecsysCatalogueSlot(catalogue, &key);
	MemoryContextSwitchTo(old);
	MemoryContextReset(catalogue->scratch);
	if (found)
		enter(map, item, slot);
	return slot;
}

const uint32 *
RecsysMapSlots(const RecsysItemMap *map, uint32 *count)
{
	*count = map->slots.room;
	return map->slots.values;
}

uint32
RecsysMapNumber(RecsysItemMap *map, Relation index, uint32 slot)
{
	uint32		item = get_number(&map->numbers, slot);
	RecsysKey	key;

	if (item != RECSYS_NONE)
		return item;
	RecsysCatalogueKey(map->catalogue, slot, &key);
	if (!RecsysReadOwner(index, RECSYS_ITEMS, &key, NULL, &item, NULL, NULL))
		return RECSYS_NONE;
	enter(map, item, slot);
	return item;
}
