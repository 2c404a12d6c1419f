/*
 * itemssight.c
 *	  Which row of an item a snapshot sees.
 *
 * The owner of an item has an entry for each of its rows.  Where the snapshot sees several, which
 * have one key, the row that stands first in the table counts, as it does for merges and builds.
 *
 * Most items have one entry.  If the snapshot sees that row and nothing is pending, its content is
 * what the graph was computed with; otherwise the content page tells.
 */
#include "postgres.h"

#include "am/sight/itemsreader.h"
#include "am/lists/owner.h"
#include "common/hashfn.h"

#define SH_PREFIX sight
#define SH_ELEMENT_TYPE RecsysSight
#define SH_KEY_TYPE uint32
#define SH_KEY item
#define SH_HASH_KEY(tb, key) murmurhash32(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* Neighbors of one item and then some */
#define FIRST_SIGHTS 64

/* Items that are looked up at once */
#define LOOK_BATCH 16

/* The row among the item's entries, or -1 */
static int
find_row(RecsysItemsReader *reader)
{
	RecsysEntryArray *entries = &reader->entries;
	int			found = -1;

	for (uint32 i = 0; i < entries->count; i++)
	{
		if (found >= 0 && ItemPointerCompare(&entries->entries[i].tid, &entries->entries[found].tid) > 0)
			continue;
		if (!reader->visibility.all_visible[i] &&
			!RecsysIsVisible(&reader->visibility, entries->entries[i].tid, reader->snapshot))
			continue;
		found = i;
	}
	return found;
}

/* Reads the content of the row; false when it has gone. */
static bool
read_content(RecsysItemsReader *reader, RecsysSight *sight, uint16 *flags)
{
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	Size		size;
	RecsysContentTuple tuple = RecsysContentRead(reader->index, sight->block, &sight->tid, &size);

	MemoryContextSwitchTo(old);
	if (tuple == NULL || tuple->item != sight->item)
		return false;
	*flags = tuple->flags;
	sight->packed = tuple->packed;
	return true;
}

/* Looks for the row of an item whose key is known. */
static void
look(RecsysItemsReader *reader, RecsysSight *sight)
{
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	uint16		flags;
	int			row = -1;

	sight->state = RECSYS_SIGHT_NONE;
	sight->packed = NULL;
	reader->entries.count = 0;
	if (RecsysReadOwner(reader->index, RECSYS_ITEMS, &sight->key, &reader->entries, NULL,
						RecsysAskVisibilityMap, &reader->visibility))
		row = find_row(reader);
	MemoryContextSwitchTo(old);
	if (row < 0)
		return;

	sight->tid = reader->entries.entries[row].tid;
	sight->block = reader->entries.entries[row].peer;
	if (reader->entries.count == 1 && RecsysLateFind(reader, sight->item) < 0)
		sight->state = RECSYS_SIGHT_CURRENT;
	else if (read_content(reader, sight, &flags))
		sight->state = (flags & RECSYS_CONTENT_CURRENT) != 0 ? RECSYS_SIGHT_CURRENT :
			RECSYS_SIGHT_OTHER;
}

/* An entry for what has been looked up; nothing has one that a look has failed for. */
static RecsysSight *
keep(RecsysItemsReader *reader, const RecsysSight *new)
{
	bool		found;
	RecsysSight *sight = sight_insert(reader->sights, new->item, &found);
	char		status = sight->status;

	*sight = *new;
	sight->status = status;
	return sight;
}

static RecsysSight *
find(RecsysItemsReader *reader, uint32 item)
{
	if (reader->sights == NULL)
		reader->sights = sight_create(reader->context, FIRST_SIGHTS, NULL);
	return sight_lookup(reader->sights, item);
}

RecsysSight *
RecsysSightOf(RecsysItemsReader *reader, uint32 item)
{
	RecsysSight *sight = find(reader, item);
	RecsysSight new = {.item = item};
	MemoryContext old;
	bool		known;

	if (sight != NULL)
		return sight;
	old = MemoryContextSwitchTo(reader->context);
	known = RecsysGraphReadKey(&reader->graph, item, &new.key);
	MemoryContextSwitchTo(old);
	if (known)
		look(reader, &new);
	return keep(reader, &new);
}

/* Keys of some items */
typedef struct Keys
{
	RecsysKeyKind kind;
	MemoryContext context;
	RecsysKey	keys[LOOK_BATCH];
	bool		known[LOOK_BATCH];
} Keys;

static void
take_key(void *arg, int position, RecsysGraphRow row)
{
	Keys	   *keys = arg;
	const char *bytes = RecsysRowKey(row);
	char	   *copy;

	if (keys->kind != RECSYS_KEY_INT)
	{
		copy = MemoryContextAlloc(keys->context, row->keylen + 1);
		memcpy(copy, bytes, row->keylen);
		bytes = copy;
	}
	RecsysKeyLoad(keys->kind, bytes, row->keylen, &keys->keys[position]);
	keys->known[position] = true;
}

/* Rows of the graph, which have the keys, are far apart in memory: RecsysGraphVisitRows reads ahead. */
void
RecsysSightsLook(RecsysItemsReader *reader, const uint32 *items, int n)
{
	uint32		batch[LOOK_BATCH];
	Keys		keys;

	keys.kind = RecsysGetCache(reader->index)->meta.item_kind;
	keys.context = reader->context;
	for (int next = 0; next < n;)
	{
		int			count = 0;

		for (; next < n && count < LOOK_BATCH; next++)
			if (find(reader, items[next]) == NULL)
				batch[count++] = items[next];
		memset(keys.known, false, sizeof(keys.known));
		RecsysGraphVisitRows(&reader->graph, batch, count, take_key, &keys);
		for (int i = 0; i < count; i++)
		{
			RecsysSight new = {.item = batch[i],.key = keys.keys[i]};

			if (keys.known[i])
				look(reader, &new);
			(void) keep(reader, &new);
		}
	}
}

const char *
RecsysSightContent(RecsysItemsReader *reader, RecsysSight *sight)
{
	uint16		flags;

	if (sight->state == RECSYS_SIGHT_NONE)
		return NULL;
	if (sight->packed == NULL && !read_content(reader, sight, &flags))
		sight->state = RECSYS_SIGHT_NONE;
	return sight->packed;
}

void
RecsysSightsForget(RecsysItemsReader *reader)
{
	if (reader->sights != NULL)
		sight_destroy(reader->sights);
	reader->sights = NULL;
}
