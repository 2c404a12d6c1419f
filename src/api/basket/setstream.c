/*
 * setstream.c
 *	  Item sets between their mining and the scan that returns them.
 *
 * They are packed into chunks, in memory or, if they do not fit, in a temporary file.
 */
#include "postgres.h"

#include "api/basket/setstream.h"
#include "core/base/largepages.h"
#include "miscadmin.h"
#include "source/input/tempfile.h"
#include "storage/buffile.h"
#include "utils/memutils.h"

/* Units of a chunk: 1 MB */
#define CHUNK_UNITS 524288

typedef struct Chunk
{
	struct Chunk *next;
	uint32		used;
	uint16		units[CHUNK_UNITS];
} Chunk;

struct RecsysSetStream
{
	MemoryContext context;
	RecsysSetFormat format;
	RecsysItemArrays *arrays;
	uint64		baskets;
	Size		limit;
	Size		memory;
	Chunk	   *first;
	Chunk	   *last;
	BufFile    *file;			/* what is not in the chunks any more, or NULL */

	/* reading */
	Chunk	   *chunk;
	uint32		place;
	uint32	   *items;			/* of the set at hand */
	uint32		room;
};

RecsysSetStream *
RecsysSetStreamCreate(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys item sets",
												  ALLOCSET_DEFAULT_SIZES);
	RecsysSetStream *stream = MemoryContextAllocZero(context, sizeof(RecsysSetStream));

	stream->context = context;
	return stream;
}

void
RecsysSetStreamFree(RecsysSetStream *stream)
{
	if (stream->file != NULL)
		BufFileClose(stream->file);
	MemoryContextDelete(stream->context);
}

MemoryContext
RecsysSetStreamContext(const RecsysSetStream *stream)
{
	return stream->context;
}

void
RecsysSetStreamBegin(RecsysSetStream *stream, const RecsysSetFormat *format,
					 RecsysItemArrays *arrays, uint64 baskets, Size memory_limit)
{
	stream->format = *format;
	stream->arrays = arrays;
	stream->baskets = baskets;
	stream->limit = memory_limit;
}

/* All chunks to the end of the file. */
static void
write_chunks(RecsysSetStream *stream)
{
	MemoryContext old = MemoryContextSwitchTo(stream->context);

	if (stream->file == NULL)
		stream->file = BufFileCreateTemp(false);
	while (stream->first != NULL)
	{
		Chunk	   *next = stream->first->next;

		CHECK_FOR_INTERRUPTS();
		BufFileWrite(stream->file, &stream->first->used, sizeof(uint32));
		BufFileWrite(stream->file, stream->first->units,
					 sizeof(uint16) * (Size) stream->first->used);
		pfree(stream->first);
		stream->first = next;
	}
	stream->last = NULL;
	stream->memory = 0;
	MemoryContextSwitchTo(old);
}

static void
add_chunk(RecsysSetStream *stream)
{
	Chunk	   *chunk;

	if (stream->memory + sizeof(Chunk) > stream->limit && stream->first != NULL)
		write_chunks(stream);
	chunk = MemoryContextAllocHuge(stream->context, sizeof(Chunk));
	chunk->next = NULL;
	chunk->used = 0;
	if (stream->last != NULL)
	{
		/* there will be more of them */
		RecsysMapPages(chunk, sizeof(Chunk));
		stream->last->next = chunk;
	}
	else
		stream->first = chunk;
	stream->last = chunk;
	stream->memory += sizeof(Chunk);
}

/* Room for so many units in the last chunk */
static uint16 *
reserve(RecsysSetStream *stream, Size units)
{
	uint16	   *place;

	if (units > CHUNK_UNITS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("an item set is too large"),
				 errhint("Use a smaller max_length.")));
	if (stream->last == NULL || stream->last->used + units > CHUNK_UNITS)
		add_chunk(stream);
	place = stream->last->units + stream->last->used;
	stream->last->used += units;
	return place;
}

void
RecsysSetStreamAdd(RecsysSetStream *stream, const RecsysItemset *set)
{
	(void) RecsysPackSet(&stream->format, set,
						 reserve(stream, RecsysSetUnits(&stream->format, set->length)));
}

void
RecsysSetStreamAddPacked(RecsysSetStream *stream, const uint16 *units, uint32 nunits)
{
	if (nunits > 0)
		memcpy(reserve(stream, nunits), units, sizeof(uint16) * (Size) nunits);
}

void
RecsysSetStreamRewind(RecsysSetStream *stream)
{
	if (stream->file != NULL)
	{
		/* what is still in memory joins the rest, the first time */
		write_chunks(stream);
		RecsysTempFileRewind(stream->file);
		if (stream->chunk == NULL)
			stream->chunk = MemoryContextAllocHuge(stream->context, sizeof(Chunk));
		stream->chunk->used = 0;
	}
	else
		stream->chunk = stream->first;
	stream->place = 0;
}

/* The next chunk with something in it; false if there is none. */
static bool
next_chunk(RecsysSetStream *stream)
{
	CHECK_FOR_INTERRUPTS();
	stream->place = 0;
	if (stream->file != NULL)
	{
		Chunk	   *chunk = stream->chunk;

		if (!RecsysTempFileReadCount(stream->file, &chunk->used, CHUNK_UNITS))
		{
			chunk->used = 0;
			return false;
		}
		RecsysTempFileRead(stream->file, chunk->units, sizeof(uint16) * (Size) chunk->used);
	}
	else if (stream->chunk != NULL)
		stream->chunk = stream->chunk->next;
	return stream->chunk != NULL;
}

bool
RecsysSetStreamNext(RecsysSetStream *stream, bool with_items, RecsysItemset *set)
{
	const uint16 *place;
	Size		units;

	while (stream->chunk == NULL || stream->place == stream->chunk->used)
	{
		if (stream->chunk == NULL || !next_chunk(stream))
			return false;
	}
	place = RecsysUnpackSet(&stream->format, stream->chunk->units + stream->place, set);
	units = RecsysSetUnits(&stream->format, set->length);
	if (stream->place + units > stream->chunk->used)
		elog(ERROR, "recsys temporary file holds half an item set");
	stream->place += units;
	if (!with_items)
		return true;
	if (set->length > stream->room)
	{
		if (stream->items != NULL)
			pfree(stream->items);
		stream->room = Max(64, set->length * 2);
		stream->items = MemoryContextAlloc(stream->context, sizeof(uint32) * (Size) stream->room);
	}
	(void) RecsysUnpackItems(&stream->format, place, set, stream->items);
	return true;
}

const RecsysSetFormat *
RecsysSetStreamFormat(const RecsysSetStream *stream)
{
	return &stream->format;
}

RecsysItemArrays *
RecsysSetStreamArrays(const RecsysSetStream *stream)
{
	return stream->arrays;
}

uint64
RecsysSetStreamBaskets(const RecsysSetStream *stream)
{
	return stream->baskets;
}
