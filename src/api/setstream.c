/*
 * setstream.c
 *	  Item sets between their mining and the scan that returns them.
 *
 * Packed in units of 16 bits: support and length with two units each, the weight with
 * four if there are weights, and the items, with one unit each if their numbers
 * allow.  That is a fifth of what rows would take.  Sets stand in chunks, in
 * memory or, if they do not fit, in a temporary file.
 */
#include "postgres.h"

#include "api/setstream.h"
#include "core/pages.h"
#include "miscadmin.h"
#include "source/tempfile.h"
#include "storage/buffile.h"
#include "utils/memutils.h"

/* Units of a chunk: 1 MB */
#define CHUNK_UNITS 524288

/* Items with numbers below this take one unit. */
#define NARROW_ITEMS 65536

#define HEAD_UNITS 4
#define WEIGHT_UNITS 4

typedef struct Chunk
{
	struct Chunk *next;
	uint32		used;
	uint16		units[CHUNK_UNITS];
} Chunk;

struct RecsysSetStream
{
	MemoryContext context;
	RecsysItemArrays *arrays;
	uint64		baskets;
	bool		weighted;
	bool		narrow;			/* items take one unit */
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
RecsysSetStreamBegin(RecsysSetStream *stream, RecsysItemArrays *arrays, uint32 nitems,
					 uint64 baskets, bool weighted, Size memory_limit)
{
	stream->arrays = arrays;
	stream->narrow = nitems <= NARROW_ITEMS;
	stream->baskets = baskets;
	stream->weighted = weighted;
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

void
RecsysSetStreamAdd(RecsysSetStream *stream, const uint32 *items, uint32 length, uint32 support,
				   double weight)
{
	Size		units = HEAD_UNITS + (stream->weighted ? WEIGHT_UNITS : 0) +
		(Size) length * (stream->narrow ? 1 : 2);
	uint16	   *place;

	if (units > CHUNK_UNITS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("item set of %u items is too large", length),
				 errhint("Use a smaller max_length.")));
	if (stream->last == NULL || stream->last->used + units > CHUNK_UNITS)
		add_chunk(stream);
	place = stream->last->units + stream->last->used;
	stream->last->used += units;
	memcpy(place, &support, sizeof(uint32));
	memcpy(place + 2, &length, sizeof(uint32));
	place += HEAD_UNITS;
	if (stream->weighted)
	{
		memcpy(place, &weight, sizeof(double));
		place += WEIGHT_UNITS;
	}
	if (!stream->narrow)
		memcpy(place, items, sizeof(uint32) * (Size) length);
	else
	{
		for (uint32 i = 0; i < length; i++)
			place[i] = (uint16) items[i];
	}
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
RecsysSetStreamNext(RecsysSetStream *stream, RecsysStreamedSet *set)
{
	const uint16 *place;

	while (stream->chunk == NULL || stream->place == stream->chunk->used)
	{
		if (stream->chunk == NULL || !next_chunk(stream))
			return false;
	}
	place = stream->chunk->units + stream->place;
	memcpy(&set->support, place, sizeof(uint32));
	memcpy(&set->length, place + 2, sizeof(uint32));
	place += HEAD_UNITS;
	set->weight = 0;
	if (stream->weighted)
	{
		memcpy(&set->weight, place, sizeof(double));
		place += WEIGHT_UNITS;
	}
	if (set->length > stream->room)
	{
		if (stream->items != NULL)
			pfree(stream->items);
		stream->room = Max(64, set->length * 2);
		stream->items = MemoryContextAlloc(stream->context, sizeof(uint32) * (Size) stream->room);
	}
	if (!stream->narrow)
		memcpy(stream->items, place, sizeof(uint32) * (Size) set->length);
	else
	{
		for (uint32 i = 0; i < set->length; i++)
			stream->items[i] = place[i];
	}
	set->items = stream->items;
	stream->place = (uint32) (place - stream->chunk->units) +
		set->length * (stream->narrow ? 1 : 2);
	return true;
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

bool
RecsysSetStreamWeighted(const RecsysSetStream *stream)
{
	return stream->weighted;
}
