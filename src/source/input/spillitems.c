/*
 * spillitems.c
 *	  Interactions on disk, given back by item.
 *
 * Rows are divided by the ranks of their items (parts.c).  One part after the other is read
 * twice, to count and to place its rows in memory, where the few rows of each item are
 * sorted (postings.c).  A part that does not fit is divided once more: by rank, or where
 * it has rows of one item only, by time, or by position.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "source/input/parts.h"
#include "source/input/postings.h"
#include "source/input/spillitems.h"
#include "utils/memutils.h"

/* Of the memory, what the buffers of files may take: one in so many */
#define FILES_FRACTION 8

/* A part gets at least this much. */
#define MIN_ROOM ((Size) 256 * 1024)

typedef struct Record
{
	uint32		rank;
	uint32		user_hash;
	uint64		position;
	int64		time;			/* on disk only where there are times */
} Record;

struct RecsysSpillItems
{
	bool		timed;
	Size		record_size;
	RecsysParts *parts;
	Size		room;			/* bytes that a part may take */

	/* the part at hand */
	MemoryContext context;
	RecsysItemRows *rows;		/* NULL: there is none */
	uint32		least;			/* rank of the first group */
	uint32		group;
	uint64		row;
};

RecsysSpillItems *
RecsysSpillItemsCreate(uint32 nitems, bool timed, Size memory)
{
	RecsysSpillItems *items = palloc0(sizeof(RecsysSpillItems));
	Size		files;

	items->timed = timed;
	items->record_size = timed ? sizeof(Record) : offsetof(Record, time);
	items->context = AllocSetContextCreate(CurrentMemoryContext, "recsys part of items",
										   ALLOCSET_DEFAULT_SIZES);
	items->parts = RecsysPartsCreate(RECSYS_PART_WORDS, Max(nitems, 1) - 1, memory / FILES_FRACTION);
	files = RecsysPartsMemory(items->parts);
	items->room = Max(MIN_ROOM, memory - Min(files, memory));
	return items;
}

Size
RecsysSpillItemsFileMemory(const RecsysSpillItems *items)
{
	return RecsysPartsMemory(items->parts);
}

static void
put_record(RecsysSpillItems *items, const Record *record)
{
	uint64		words[RECSYS_PART_WORDS];

	words[0] = record->rank;
	words[1] = items->timed ? (uint64) record->time ^ (UINT64CONST(1) << 63) : 0;
	words[2] = record->position;
	RecsysPartsPut(items->parts, words, record, items->record_size);
}

void
RecsysSpillItemsPut(RecsysSpillItems *items, uint32 rank, uint32 user_hash, uint64 position,
					int64 time)
{
	Record		record = {rank, user_hash, position, time};

	put_record(items, &record);
}

static bool
read_record(RecsysSpillItems *items, Record *record)
{
	const char *place = RecsysPartsGet(items->parts, items->record_size);

	if (place == NULL)
		return false;
	record->time = 0;
	memcpy(record, place, items->record_size);
	return true;
}

/* Count the rows of the part at hand; false if they and sorting them do not fit. */
static bool
count_part(RecsysSpillItems *items)
{
	uint64		nrows = RecsysPartsRecords(items->parts);
	uint64		least;
	uint64		most;
	Size		needed;
	Record		record;

	RecsysPartsRange(items->parts, &least, &most);
	items->least = (uint32) least;
	needed = RecsysItemRowsMemory(nrows, most - least + 1, items->timed);
	if (needed > items->room && !RecsysPartsAlike(items->parts))
		return false;
	items->rows = RecsysItemRowsCreate((uint32) (most - least + 1));
	while (read_record(items, &record))
	{
		if (record.rank < least || record.rank > most)
			elog(ERROR, "rank %u in a part of ranks " UINT64_FORMAT " to " UINT64_FORMAT,
				 record.rank, least, most);
		RecsysItemRowsCount(items->rows, record.rank - items->least);
	}
	needed += RecsysItemRowsSortMemory(RecsysItemRowsMost(items->rows));
	RecsysPartsRewind(items->parts);
	return needed <= items->room || RecsysPartsAlike(items->parts);
}

static void
place_part(RecsysSpillItems *items)
{
	Record		record;

	RecsysItemRowsAllocate(items->rows, items->timed);
	while (read_record(items, &record))
		RecsysItemRowsPlace(items->rows, record.rank - items->least, record.user_hash,
							record.position, record.time);
	RecsysSortItemRows(items->rows);
	items->group = 0;
	items->row = 0;
}

/* Turn to the next part; false when there is none. */
static bool
next_part(RecsysSpillItems *items)
{
	MemoryContext old = MemoryContextSwitchTo(items->context);
	Record		record;
	bool		found = false;

	MemoryContextReset(items->context);
	items->rows = NULL;
	while (!found && RecsysPartsNext(items->parts))
	{
		if (count_part(items))
		{
			place_part(items);
			found = true;
		}
		else
		{
			MemoryContextReset(items->context);
			RecsysPartsSplit(items->parts);
			while (read_record(items, &record))
				put_record(items, &record);
		}
	}
	MemoryContextSwitchTo(old);
	return found;
}

bool
RecsysSpillItemsGet(RecsysSpillItems *items, uint32 *rank, uint32 *user_hash, uint64 *position)
{
	const RecsysItemRows *rows;

	while (items->rows == NULL || items->row == items->rows->offsets[items->rows->ngroups])
	{
		if (!next_part(items))
			return false;
	}
	rows = items->rows;
	while (items->row == rows->offsets[(Size) items->group + 1])
		items->group++;
	*rank = items->least + items->group;
	*user_hash = rows->hashes[items->row];
	*position = rows->positions[items->row];
	items->row++;
	return true;
}

void
RecsysSpillItemsFree(RecsysSpillItems *items)
{
	RecsysPartsFree(items->parts);
	MemoryContextDelete(items->context);
	pfree(items);
}
