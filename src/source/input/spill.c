/*
 * spill.c
 *	  Interactions on disk, given back by user.
 *
 * Rows are divided by the hashes of their users (parts.c), and one part after the other is
 * grouped in memory just as all rows are when they fit: a dictionary of its users, and a
 * counting sort (rowstore.c).  Nothing is compared but the keys of one hash.  A part that
 * does not fit is divided once more.
 *
 * A user who does not fit alone cannot be divided.  Rows of a user may come in any order, so
 * they are read straight from the file.
 */
#include "postgres.h"

#include "core/rows/dictionary.h"
#include "core/rows/history.h"
#include "miscadmin.h"
#include "source/input/parts.h"
#include "source/input/rowstore.h"
#include "source/input/spill.h"
#include "utils/memutils.h"

/* What a user costs beside the dictionary: order, rank and offset, and sorting them */
#define BYTES_PER_USER 56

/* Of the memory, what the buffers of files may take: one in so many */
#define FILES_FRACTION 8

/* A part gets at least this much. */
#define MIN_ROOM ((Size) 256 * 1024)

/* Look at the memory used every so many rows. */
#define CHECK_ROWS 1024

/* The longest row: position, item, weight, time, key with its length */
#define MAX_RECORD_BYTES \
	(3 * sizeof(uint64) + 2 * sizeof(uint32) + RECSYS_MAX_KEY_LEN)

StaticAssertDecl(RECSYS_MAX_KEY_LEN <= RECSYS_PART_READ, "a key must be read at once");

struct RecsysSpill
{
	RecsysSpillOptions options;
	MemoryContext context;
	RecsysParts *parts;
	Size		room;			/* bytes that a part may take */
	const uint32 *itemnumber;
	char	   *record;			/* room for the longest */

	/* the part at hand */
	MemoryContext part_context;
	RecsysDictionary *users;
	RecsysRowStore store;
	RecsysUserRows *rows;		/* NULL: there is none */
	uint32	   *order;
	uint32		group;			/* the next one */
	uint64		row;			/* next of the user at hand */
	uint64		end;

	/* or one whose rows are read straight from the file */
	bool		streaming;
	bool		has_ahead;
	RecsysSpillRow ahead;
	bool		has_key;		/* or none of the rows has a user */
	RecsysKey	key;
	char	   *keycopy;
};

RecsysSpill *
RecsysSpillCreate(const RecsysSpillOptions *options)
{
	RecsysSpill *spill = palloc0(sizeof(RecsysSpill));
	Size		files;

	spill->options = *options;
	spill->context = CurrentMemoryContext;
	spill->part_context = AllocSetContextCreate(CurrentMemoryContext, "recsys part of users",
												ALLOCSET_DEFAULT_SIZES);
	spill->parts = RecsysPartsCreate(1, PG_UINT64_MAX, options->memory / FILES_FRACTION);
	files = RecsysPartsMemory(spill->parts);
	spill->room = Max(MIN_ROOM, options->memory - Min(files, options->memory));
	spill->record = palloc(MAX_RECORD_BYTES);
	spill->keycopy = palloc(RECSYS_MAX_KEY_LEN);
	return spill;
}

static inline char *
put_bytes(char *place, const void *bytes, Size size)
{
	memcpy(place, bytes, size);
	return place + size;
}

void
RecsysSpillPut(RecsysSpill *spill, const RecsysKey *user, const RecsysSpillRow *row)
{
	const RecsysSpillOptions *options = &spill->options;
	uint64		position = row->position | (user == NULL ? RECSYS_POSITION_NO_USER : 0);
	uint64		hash = PG_UINT64_MAX;
	char	   *place = spill->record;

	if (user != NULL)
		hash = RecsysKeyHash(options->user_kind, user, options->seed);
	place = put_bytes(place, &position, sizeof(position));
	place = put_bytes(place, &row->item, sizeof(row->item));
	if (options->weighted)
		place = put_bytes(place, &row->weight, sizeof(row->weight));
	if (options->timed)
		place = put_bytes(place, &row->time, sizeof(row->time));
	if (user != NULL)
	{
		if (options->user_kind != RECSYS_KEY_INT)
			place = put_bytes(place, &user->len, sizeof(user->len));
		RecsysKeyStore(options->user_kind, user, place);
		place += user->len;
	}
	RecsysPartsPut(spill->parts, &hash, spill->record, place - spill->record);
}

static inline const char *
take_bytes(const char *place, void *bytes, Size size)
{
	memcpy(bytes, place, size);
	return place + size;
}

/* The next row of the part at hand; the key stays valid until the next call. */
static bool
read_row(RecsysSpill *spill, RecsysSpillRow *row, RecsysKey *key, bool *has_user)
{
	const RecsysSpillOptions *options = &spill->options;
	Size		fixed = sizeof(uint64) + sizeof(uint32) +
		(options->weighted ? sizeof(double) : 0) + (options->timed ? sizeof(int64) : 0);
	const char *place = RecsysPartsGet(spill->parts, fixed);
	uint32		len = sizeof(int64);

	if (place == NULL)
		return false;
	row->weight = 1.0;
	row->time = RECSYS_NO_TIME;
	place = take_bytes(place, &row->position, sizeof(row->position));
	place = take_bytes(place, &row->item, sizeof(row->item));
	if (options->weighted)
		place = take_bytes(place, &row->weight, sizeof(row->weight));
	if (options->timed)
		place = take_bytes(place, &row->time, sizeof(row->time));
	*has_user = (row->position & RECSYS_POSITION_NO_USER) == 0;
	if (!*has_user)
		return true;

	place = "";
	if (options->user_kind != RECSYS_KEY_INT &&
		(place = RecsysPartsGet(spill->parts, sizeof(len))) != NULL)
		memcpy(&len, place, sizeof(len));
	if (len > RECSYS_MAX_KEY_LEN)
		place = NULL;
	else if (len > 0 && place != NULL)
		place = RecsysPartsGet(spill->parts, len);
	if (place == NULL)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read from recsys temporary file")));
	RecsysKeyLoad(options->user_kind, place, len, key);
	return true;
}

void
RecsysSpillFinish(RecsysSpill *spill, const uint32 *itemnumber, Size taken)
{
	spill->itemnumber = itemnumber;
	spill->room = Max(MIN_ROOM, spill->room - Min(taken, spill->room));
}

/* Does what has been loaded of a part, with its rows to come, pass the limit? */
static bool
is_full(const RecsysSpill *spill, uint64 nrows)
{
	Size		needed = nrows * RecsysRowStoreGroupSize(&spill->store);

	if (spill->users != NULL)
		needed += RecsysDictionaryMemory(spill->users) + RecsysDictionaryGrowth(spill->users) +
			(Size) RecsysDictionaryCount(spill->users) * BYTES_PER_USER;
	return needed > spill->room;
}

/* Put what is loaded and what is left of the part at hand into smaller ones. */
static void
split_part(RecsysSpill *spill)
{
	RecsysSpillRow row;
	RecsysKey	key;
	bool		has_user;

	RecsysPartsSplit(spill->parts);
	for (RecsysRowChunk *chunk = spill->store.first; chunk != NULL; chunk = chunk->next)
	{
		for (uint32 i = 0; i < chunk->nrows; i++)
		{
			has_user = chunk->users[i] != RECSYS_NONE;
			if (has_user)
				RecsysDictionaryKey(spill->users, chunk->users[i], &key);
			row.item = chunk->items[i];
			row.position = chunk->positions[i];
			row.weight = chunk->weights ? chunk->weights[i] : 1.0;
			row.time = chunk->times ? chunk->times[i] : RECSYS_NO_TIME;
			RecsysSpillPut(spill, has_user ? &key : NULL, &row);
		}
	}
	while (read_row(spill, &row, &key, &has_user))
		RecsysSpillPut(spill, has_user ? &key : NULL, &row);
}

static void
clear_part(RecsysSpill *spill)
{
	MemoryContextReset(spill->part_context);
	spill->users = NULL;
	spill->rows = NULL;
	spill->streaming = false;
	RecsysRowStoreInit(&spill->store, spill->options.weighted, spill->options.timed);
}

/* Load the part at hand; false if it does not fit. */
static bool
load_part(RecsysSpill *spill)
{
	uint64		nrows = RecsysPartsRecords(spill->parts);
	RecsysSpillRow row;
	RecsysKey	key;
	bool		has_user;
	uint64		loaded = 0;

	spill->store.chunk_rows = (uint32) Min(nrows, RECSYS_CHUNK_ROWS);
	if (is_full(spill, nrows))
		return false;
	spill->users = RecsysDictionaryCreate(spill->options.user_kind, spill->options.seed);
	while (read_row(spill, &row, &key, &has_user))
	{
		RecsysRowStoreAdd(&spill->store,
						  has_user ? RecsysDictionaryIntern(spill->users, &key) : RECSYS_NONE,
						  row.item, row.position, row.weight, row.time);
		if (++loaded % CHECK_ROWS == 0 && is_full(spill, nrows) && !RecsysPartsAlike(spill->parts))
			return false;
	}
	return true;
}

static void
group_part(RecsysSpill *spill)
{
	uint32		nusers = RecsysDictionaryCount(spill->users);
	uint32	   *rank = palloc_extended(sizeof(uint32) * (Size) Max(nusers, 1), MCXT_ALLOC_HUGE);

	spill->order = RecsysDictionaryHashOrder(spill->users);
	for (uint32 i = 0; i < nusers; i++)
		rank[spill->order[i]] = i;
	spill->rows = RecsysGroupByUser(&spill->store, rank, nusers, spill->itemnumber);
	pfree(rank);
	spill->group = 0;
}

/* Turn to the next part, which is grouped, or streaming. */
static bool
next_part(RecsysSpill *spill)
{
	MemoryContext old = MemoryContextSwitchTo(spill->part_context);
	bool		found = false;

	clear_part(spill);
	while (!found && RecsysPartsNext(spill->parts))
	{
		if (load_part(spill))
		{
			group_part(spill);
			found = true;
		}
		else if (RecsysPartsAlike(spill->parts))
			spill->streaming = found = true;
		else
		{
			split_part(spill);
			clear_part(spill);
		}
	}
	MemoryContextSwitchTo(old);
	return found;
}

/* All rows of a part that is read straight are of one user, or of none. */
static void
start_streaming(RecsysSpill *spill, bool *has_user, RecsysKey *key, uint64 *hash)
{
	bool		has_row = read_row(spill, &spill->ahead, key, has_user);

	Assert(has_row);
	spill->has_ahead = has_row;
	spill->has_key = *has_user;
	if (!*has_user)
		return;
	*hash = RecsysKeyHash(spill->options.user_kind, key, spill->options.seed);
	if (key->data != NULL)
	{
		memcpy(spill->keycopy, key->data, key->len);
		key->data = spill->keycopy;
	}
	spill->key = *key;
}

/* Read the row ahead of the one that is given out. */
static bool
next_streamed(RecsysSpill *spill, RecsysSpillRow *row)
{
	RecsysKey	key;
	bool		has_user;

	if (!spill->has_ahead)
		return false;
	*row = spill->ahead;
	if (row->item != RECSYS_NONE)
		row->item = spill->itemnumber[row->item];
	row->position &= ~RECSYS_POSITION_NO_USER;
	spill->has_ahead = read_row(spill, &spill->ahead, &key, &has_user);
	if (spill->has_ahead &&
		(has_user != spill->has_key ||
		 (has_user && RecsysKeyCompare(spill->options.user_kind, &key, &spill->key) != 0)))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many keys have the same hash"),
				 errhint("Build the index again: it will use another hash seed.")));
	return true;
}

bool
RecsysSpillNextUser(RecsysSpill *spill, bool *has_user, RecsysKey *key, uint64 *hash)
{
	RecsysSpillRow rest;

	if (spill->streaming)
	{
		while (next_streamed(spill, &rest))
			CHECK_FOR_INTERRUPTS();
		spill->streaming = false;
	}
	while (spill->rows == NULL || spill->group == spill->rows->ngroups ||
		   (spill->group == spill->rows->ngroups - 1 &&
			spill->rows->offsets[spill->group] == spill->rows->offsets[spill->group + 1]))
	{
		if (!next_part(spill))
			return false;
		if (spill->streaming)
		{
			start_streaming(spill, has_user, key, hash);
			return true;
		}
	}

	*has_user = spill->group < spill->rows->ngroups - 1;
	if (*has_user)
	{
		uint32		number = spill->order[spill->group];

		RecsysDictionaryKey(spill->users, number, key);
		*hash = RecsysDictionaryHash(spill->users, number);
	}
	spill->row = spill->rows->offsets[spill->group];
	spill->end = spill->rows->offsets[spill->group + 1];
	spill->group++;
	return true;
}

bool
RecsysSpillNextOfUser(RecsysSpill *spill, RecsysSpillRow *row)
{
	const RecsysUserRows *rows = spill->rows;
	uint64		i = spill->row;

	if (spill->streaming)
		return next_streamed(spill, row);
	if (i == spill->end)
		return false;
	row->item = rows->items[i];
	row->position = rows->positions[i] & ~RECSYS_POSITION_NO_USER;
	row->weight = rows->weights ? rows->weights[i] : 1.0;
	row->time = rows->times ? rows->times[i] : RECSYS_NO_TIME;
	spill->row++;
	return true;
}

void
RecsysSpillFree(RecsysSpill *spill)
{
	RecsysPartsFree(spill->parts);
	MemoryContextDelete(spill->part_context);
	pfree(spill->record);
	pfree(spill->keycopy);
	pfree(spill);
}
