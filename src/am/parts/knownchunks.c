/*
 * knownchunks.c
 *	  The chunks of wholes, as a session remembers them.
 *
 * Most of the time chunks are only added, so a session reads those that are new, and nothing has to
 * tell it of them: also on a standby, where they come by replay.  When others have been changed, which
 * the meta page says, all are read.  A whole that is rebuilt has another file.
 */
#include "postgres.h"

#include "am/parts/knownchunks.h"
#include "compat.h"
#include "utils/memutils.h"

/* More wholes than these are seldom read by one session. */
#define REMEMBERED_WHOLES 8

static RecsysKnownChunks known[REMEMBERED_WHOLES];
static uint64 clock_hand = 0;

void
RecsysForgetMeaning(RecsysKnownChunks *chunks)
{
	chunks->meaning = NULL;
	if (chunks->context == NULL)
		chunks->context = AllocSetContextCreate(TopMemoryContext, "recsys chunks",
												ALLOCSET_SMALL_SIZES);
	MemoryContextReset(chunks->context);
}

static void
forget_chunks(RecsysKnownChunks *chunks)
{
	RecsysForgetMeaning(chunks);
	chunks->n = 0;
	chunks->page = InvalidBlockNumber;
	chunks->pagenumber = 0;
}

static RecsysKnownChunks *
find_known(Relation whole)
{
	RecsysKnownChunks *place = &known[0];

	for (int i = 0; i < REMEMBERED_WHOLES; i++)
	{
		if (known[i].whole == RelationGetRelid(whole))
		{
			place = &known[i];
			break;
		}
		if (known[i].used < place->used)
			place = &known[i];
	}
	place->used = ++clock_hand;
	if (place->whole != RelationGetRelid(whole) || place->file != RECSYS_FILE_NUMBER(whole))
	{
		place->whole = RelationGetRelid(whole);
		place->file = RECSYS_FILE_NUMBER(whole);
		forget_chunks(place);
	}
	return place;
}

RecsysKnownChunks *
RecsysGetChunks(Relation whole)
{
	RecsysKnownChunks *chunks = find_known(whole);
	uint32		changes;
	uint32		n = RecsysChunkCount(whole, &changes);

	/* if there is a change while we read the records, the next call reads them again */
	if (changes != chunks->changes)
		forget_chunks(chunks);
	chunks->changes = changes;
	if (n > chunks->size)
	{
		uint32		size = Max(64, Max(n, chunks->size + chunks->size / 2));
		Size		bytes = sizeof(RecsysChunk) * (Size) size;

		chunks->chunks = chunks->chunks == NULL ?
			MemoryContextAllocHuge(TopMemoryContext, bytes) : repalloc_huge(chunks->chunks, bytes);
		chunks->size = size;
	}
	if (n > chunks->n)
	{
		BlockNumber page = chunks->page;
		uint32		pagenumber = chunks->pagenumber;

		RecsysReadChunks(whole, chunks->n, n - chunks->n, chunks->chunks + chunks->n, &page, &pagenumber);
		chunks->n = n;
		chunks->page = page;
		chunks->pagenumber = pagenumber;
	}
	return chunks;
}

uint32
RecsysFindBeginning(const RecsysKnownChunks *chunks, const RecsysStorage *storage)
{
	uint32		found = chunks->n;

	for (uint32 i = 0; i < chunks->n; i++)
		if ((chunks->chunks[i].flags & RECSYS_CHUNK_FIRST) != 0 &&
			RecsysStorageEquals(&chunks->chunks[i].storage, storage) &&
			(found == chunks->n || chunks->chunks[i].beginning > chunks->chunks[found].beginning))
			found = i;
	return found;
}

bool
RecsysIsComplete(Relation whole, const RecsysKnownChunks *chunks, uint32 first)
{
	BlockNumber page = InvalidBlockNumber;
	uint32		pagenumber = 0;
	RecsysChunk chunk;

	if ((chunks->chunks[first].flags & RECSYS_CHUNK_PARTIAL) == 0)
		return true;
	RecsysReadChunks(whole, first, 1, &chunk, &page, &pagenumber);
	return (chunk.flags & RECSYS_CHUNK_PARTIAL) == 0 && RecsysBelongsTo(&chunk, &chunks->chunks[first]);
}
