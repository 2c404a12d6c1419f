/*
 * tidspace.c
 *	  The leaves of a whole, open for reading, and which of them a virtual block is of.
 *
 * What records mean depends on the leaves that there are now: which storage is current is what the
 * catalog says to this transaction.  So that is worked out anew when records or leaves have
 * changed, and otherwise copied from what the session remembers.
 *
 * The leaves are locked first; a storage that is current then stays so.
 */
#include "postgres.h"

#include "access/table.h"
#include "am/parts/currentstorage.h"
#include "am/parts/leaves.h"
#include "am/parts/tidspace.h"
#include "am/parts/whole.h"
#include "compat.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/memutils.h"

/* What a chunk is */
typedef struct Place
{
	int32		leaf;			/* -1: gone */
	BlockNumber first;			/* its first block */
} Place;

struct RecsysParts
{
	Relation	table;
	Relation	whole;
	int			n;
	Relation   *leaves;			/* ascending by OID */
	RecsysStorage *storages;	/* by their files */
	uint32		nplaces;
	uint32		size;
	Place	   *places;			/* by chunk */
};

static int
leaf_of_storage(const RecsysStorage *storages, int n, const RecsysStorage *storage)
{
	int			low = 0;
	int			high = n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (storages[middle].heap < storage->heap)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && RecsysStorageEquals(&storages[low], storage) ? low : -1;
}

/* The storages of leaves that the whole knows by an earlier file; false if it cannot be told now. */
static bool
find_earlier(const RecsysParts *parts, const RecsysKnownChunks *chunks, RecsysStorage *storages)
{
	bool		certain = true;
	bool	   *begun = palloc0(sizeof(bool) * Max(parts->n, 1));

	memcpy(storages, parts->storages, sizeof(RecsysStorage) * parts->n);
	for (uint32 i = 0; i < chunks->n; i++)
	{
		int			leaf = leaf_of_storage(storages, parts->n, &chunks->chunks[i].storage);

		if (leaf >= 0)
			begun[leaf] = true;
	}
	for (int i = 0; i < parts->n; i++)
		if (!begun[i] && parts->leaves[i] != NULL)
			certain &= RecsysFindEarlier(parts->whole, chunks, parts->leaves[i], &storages[i]);
	pfree(begun);
	return certain;
}

/* What the chunks mean with these leaves; false if that may be more when it is worked out again */
static bool
work_out(RecsysParts *parts, const RecsysKnownChunks *chunks)
{
	RecsysStorage *storages = palloc(sizeof(RecsysStorage) * Max(parts->n, 1));
	bool		certain = find_earlier(parts, chunks, storages);

	/* of each leaf */
	uint32	   *beginnings = palloc0(sizeof(uint32) * Max(parts->n, 1));

	for (uint32 i = 0; i < chunks->n; i++)
	{
		const RecsysChunk *chunk = &chunks->chunks[i];
		int			leaf = leaf_of_storage(storages, parts->n, &chunk->storage);

		parts->places[i].leaf = leaf;
		parts->places[i].first = chunk->piece << RECSYS_CHUNK_SHIFT;
		if (leaf >= 0)
			beginnings[leaf] = Max(beginnings[leaf], chunk->beginning);
	}
	for (uint32 i = 0; i < chunks->n; i++)
		if (parts->places[i].leaf >= 0 && chunks->chunks[i].beginning != beginnings[parts->places[i].leaf])
			parts->places[i].leaf = -1;
	parts->nplaces = chunks->n;
	pfree(beginnings);
	pfree(storages);
	return certain;
}

/* Has the session worked it out already, with these records and leaves? */
static bool
is_remembered(const RecsysParts *parts, const RecsysKnownChunks *chunks)
{
	const RecsysParts *meant = chunks->meaning;

	return meant != NULL && meant->nplaces == chunks->n && meant->n == parts->n &&
		memcmp(meant->storages, parts->storages, sizeof(RecsysStorage) * parts->n) == 0;
}

static void
make_room(RecsysParts *parts, uint32 n)
{
	if (n <= parts->size)
		return;
	if (parts->places != NULL)
		pfree(parts->places);
	parts->size = n;
	parts->places = MemoryContextAllocHuge(GetMemoryChunkContext(parts), sizeof(Place) * (Size) n);
}

/* Keeps what has been worked out for the next call. */
static void
remember(const RecsysParts *parts, RecsysKnownChunks *chunks)
{
	MemoryContext old;
	RecsysParts *copy;

	RecsysForgetMeaning(chunks);
	old = MemoryContextSwitchTo(chunks->context);
	copy = palloc0(sizeof(RecsysParts));
	copy->n = parts->n;
	copy->storages = palloc(sizeof(RecsysStorage) * Max(parts->n, 1));
	memcpy(copy->storages, parts->storages, sizeof(RecsysStorage) * parts->n);
	make_room(copy, Max(parts->nplaces, 1));
	memcpy(copy->places, parts->places, sizeof(Place) * parts->nplaces);
	copy->nplaces = parts->nplaces;
	chunks->meaning = copy;
	MemoryContextSwitchTo(old);
}

static void
take_chunks(RecsysParts *parts)
{
	RecsysKnownChunks *chunks = RecsysGetChunks(parts->whole);

	make_room(parts, Max(chunks->n, 1));
	if (is_remembered(parts, chunks))
	{
		const RecsysParts *meant = chunks->meaning;

		memcpy(parts->places, meant->places, sizeof(Place) * chunks->n);
		parts->nplaces = chunks->n;
		return;
	}
	if (work_out(parts, chunks))
		remember(parts, chunks);
}

/* The transaction whose parts are closed with their locks released */
static LocalTransactionId releasing = InvalidLocalTransactionId;

void
RecsysPartsRelease(bool release)
{
	releasing = release ? RECSYS_LOCAL_TRANSACTION : InvalidLocalTransactionId;
}

static void
close_leaves(RecsysParts *parts, LOCKMODE lockmode)
{
	for (int i = 0; i < parts->n; i++)
		if (parts->leaves[i] != NULL)
			table_close(parts->leaves[i], lockmode);
}

/*
 * Opens the leaves that there are; false if others were there once they had been locked.
 */
static bool
open_leaves(RecsysParts *parts)
{
	const RecsysLeaves *leaves = RecsysGetLeaves(RelationGetRelid(parts->table));
	uint64		number = leaves->number;

	RecsysRefuseForeign(leaves);
	parts->n = leaves->n;
	parts->leaves = palloc0(sizeof(Relation) * Max(parts->n, 1));
	parts->storages = palloc0(sizeof(RecsysStorage) * Max(parts->n, 1));
	for (int i = 0; i < parts->n; i++)
	{
		parts->storages[i].heap = leaves->leaves[i].table;
		parts->storages[i].attached = leaves->leaves[i].attached;
	}
	/* locking may wait, and what the cache has be gone by then */
	for (int i = 0; i < parts->n; i++)
	{
		parts->leaves[i] = try_table_open(parts->storages[i].heap, AccessShareLock);
		if (parts->leaves[i] != NULL)
			parts->storages[i].file = RECSYS_FILE_NUMBER(parts->leaves[i]);
	}
	leaves = RecsysGetLeaves(RelationGetRelid(parts->table));
	if (leaves->number == number)
		return true;
	if (leaves->n != parts->n)
		return false;
	for (int i = 0; i < parts->n; i++)
		if (parts->leaves[i] == NULL || leaves->leaves[i].table != parts->storages[i].heap ||
			leaves->leaves[i].attached != parts->storages[i].attached)
			return false;
	return true;
}

RecsysParts *
RecsysPartsOpen(Relation table, Relation whole)
{
	RecsysParts *parts;

	if (!OidIsValid(RecsysRootOfWhole(whole)))
		return NULL;
	parts = palloc0(sizeof(RecsysParts));
	parts->table = table;
	parts->whole = whole;
	while (!open_leaves(parts))
	{
		close_leaves(parts, AccessShareLock);
		CHECK_FOR_INTERRUPTS();
	}
	take_chunks(parts);
	return parts;
}

void
RecsysPartsClose(RecsysParts *parts)
{
	close_leaves(parts, releasing == RECSYS_LOCAL_TRANSACTION ? AccessShareLock : NoLock);
	pfree(parts->leaves);
	pfree(parts->storages);
	pfree(parts->places);
	pfree(parts);
}

int
RecsysPartsCount(const RecsysParts *parts)
{
	return parts->n;
}

Relation
RecsysPartsLeaf(const RecsysParts *parts, int leaf)
{
	return parts->leaves[leaf];
}

int
RecsysLeafOfBlock(const RecsysParts *parts, BlockNumber block, BlockNumber *own, bool *unknown)
{
	uint32		chunk = RecsysChunkOf(block);

	if (chunk >= parts->nplaces)
	{
		*unknown = true;
		return -1;
	}
	*own = parts->places[chunk].first + RecsysBlockInChunk(block);
	return parts->places[chunk].leaf;
}

void
RecsysPartsRefresh(RecsysParts *parts)
{
	take_chunks(parts);
}
