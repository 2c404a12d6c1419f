/*
 * knownchunks.c
 *	  The chunks of wholes, as a session remembers them.
 *
 * Chunks are only ever added, so a session reads those that are new, and nothing has to tell it of
 * them: also on a standby, where they come by replay.  A whole that is rebuilt has another file.
 */
#include "postgres.h"

#include "am/parts/knownchunks.h"
#include "am/parts/leaves.h"
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
		RecsysForgetMeaning(place);
		place->whole = RelationGetRelid(whole);
		place->file = RECSYS_FILE_NUMBER(whole);
		place->n = 0;
		place->page = InvalidBlockNumber;
		place->pagenumber = 0;
	}
	return place;
}

RecsysKnownChunks *
RecsysGetChunks(Relation whole)
{
	RecsysKnownChunks *chunks = find_known(whole);
	uint32		n = RecsysChunkCount(whole);

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
RecsysChunkFlagsNow(Relation whole, uint32 number)
{
	BlockNumber page = InvalidBlockNumber;
	uint32		pagenumber = 0;
	RecsysChunk chunk;

	RecsysReadChunks(whole, number, 1, &chunk, &page, &pagenumber);
	return chunk.flags;
}

uint32
RecsysFindBeginning(const RecsysKnownChunks *chunks, const RecsysStorage *storage)
{
	for (uint32 i = chunks->n; i > 0; i--)
		if ((chunks->chunks[i - 1].flags & RECSYS_CHUNK_FIRST) != 0 &&
			RecsysStorageEquals(&chunks->chunks[i - 1].storage, storage))
			return i - 1;
	return chunks->n;
}

bool
RecsysStorageNow(Oid table, Relation leaf, RecsysStorage *storage)
{
	const RecsysLeaf *found = RecsysFindLeaf(RecsysGetLeaves(table), RelationGetRelid(leaf));

	storage->heap = RelationGetRelid(leaf);
	storage->file = RECSYS_FILE_NUMBER(leaf);
	storage->attached = found != NULL ? found->attached : 0;
	return found != NULL;
}
