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

/* The row among an item's entries, from first to end, or -1 */
static int
find_row(RecsysItemsReader *reader, uint32 first, uint32 end)
{
	RecsysEntry *entries = reader->entries.entries;
	int			found = -1;

	for (uint32 i = first; i < end; i++)
		if (reader->visibility.all_visible[i] &&
			(found < 0 || ItemPointerCompare(&entries[i].tid, &entries[found].tid) < 0))
			found = (int) i;
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

/* What is to be said of an item whose rows have been looked up */
static void
conclude(RecsysItemsReader *reader, RecsysSight *sight, uint32 first, uint32 end)
{
	int			row = find_row(reader, first, end);
	uint16		flags;

	if (row < 0)
		return;
	sight->tid = reader->entries.entries[row].tid;
	sight->block = reader->entries.entries[row].peer;
	if (end - first == 1 && RecsysLateFind(reader, sight->item) < 0)
		sight->state = RECSYS_SIGHT_CURRENT;
	else if (read_content(reader, sight, &flags))
		sight->state = (flags & RECSYS_CONTENT_CURRENT) != 0 ? RECSYS_SIGHT_CURRENT :
			RECSYS_SIGHT_OTHER;
}

/* Looks for the rows of some items whose keys are known. */
static void
look(RecsysItemsReader *reader, RecsysSight *sights, int n)
{
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	RecsysEntryArray *entries = &reader->entries;
	uint32		ends[LOOK_BATCH];

	entries->count = 0;
	for (int i = 0; i < n; i++)
	{
		sights[i].state = RECSYS_SIGHT_NONE;
		sights[i].packed = NULL;
		(void) RecsysReadOwner(reader->index, RECSYS_ITEMS, &sights[i].key, entries, NULL,
							   RecsysAskVisibilityMap, &reader->visibility);
		ends[i] = entries->count;
	}
	RecsysSeeEntries(&reader->visibility, entries->entries, 0, entries->count, reader->snapshot);
	MemoryContextSwitchTo(old);
	for (int i = 0; i < n; i++)
		conclude(reader, &sights[i], i > 0 ? ends[i - 1] : 0, ends[i]);
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
		look(reader, &new, 1);
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

/* Items that are not there have no row. */
static void
look_batch(RecsysItemsReader *reader, const uint32 *items, const Keys *keys, int n)
{
	RecsysSight sights[LOOK_BATCH];
	int			known = 0;

	for (int i = 0; i < n; i++)
	{
		RecsysSight new = {.item = items[i],.key = keys->keys[i]};

		if (keys->known[i])
			sights[known++] = new;
		else
			(void) keep(reader, &new);
	}
	look(reader, sights, known);
	for (int i = 0; i < known; i++)
		(void) keep(reader, &sights[i]);
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
		look_batch(reader, batch, &keys, count);
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
