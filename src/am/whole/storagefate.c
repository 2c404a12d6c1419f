/*
 * storagefate.c
 *	  Which storages a whole has chunks of, and whether they are current.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "am/parts/currentstorage.h"
#include "am/parts/leaves.h"
#include "am/parts/whole.h"
#include "am/whole/storagefate.h"
#include "catalog/pg_class.h"
#include "utils/syscache.h"

bool
RecsysStorageIsCurrent(Oid parent, const RecsysStorage *storage)
{
	const RecsysLeaf *leaf = RecsysFindLeaf(RecsysGetLeaves(parent), storage->heap);

	return leaf != NULL && leaf->attached == storage->attached &&
		RecsysFileOf(storage->heap) == storage->file;
}

HTAB *
RecsysStorageFates(const RecsysChunk *chunks, uint32 n)
{
	HASHCTL		control = {
		.keysize = sizeof(RecsysStorage),
		.entrysize = sizeof(RecsysStorageFate),
		.hcxt = CurrentMemoryContext
	};
	HTAB	   *fates = hash_create("recsys storages", 64, &control,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);

	for (uint32 i = 0; i < n; i++)
	{
		bool		found;
		RecsysStorageFate *fate = hash_search(fates, &chunks[i].storage, HASH_ENTER, &found);

		if (!found)
			fate->unswept = false;
		if (!found || (chunks[i].flags & RECSYS_CHUNK_FIRST) != 0)
		{
			fate->first = i;
			fate->partial = (chunks[i].flags & RECSYS_CHUNK_PARTIAL) != 0;
		}
		fate->unswept |= (chunks[i].flags & RECSYS_CHUNK_SWEPT) == 0;
	}
	return fates;
}

/* Does a leaf lack rows? */
static bool
has_unknown(Oid parent, HTAB *fates)
{
	List	   *tables = RecsysLeafTables(parent);
	ListCell   *cell;
	bool		unknown = false;

	foreach(cell, tables)
	{
		RecsysStorage storage = {.heap = lfirst_oid(cell)};
		const RecsysLeaf *leaf;
		const RecsysStorageFate *fate;

		storage.file = RecsysFileOf(storage.heap);
		leaf = RecsysFindLeaf(RecsysGetLeaves(parent), storage.heap);
		if (leaf == NULL)
			continue;
		storage.attached = leaf->attached;
		fate = hash_search(fates, &storage, HASH_FIND, NULL);
		unknown |= fate == NULL || fate->partial;
	}
	list_free(tables);
	return unknown;
}

bool
RecsysWholeHasWork(Relation whole)
{
	Oid			parent = RecsysIndexedTable(RelationGetRelid(whole));
	uint32		n;
	RecsysChunk *chunks = RecsysReadAllChunks(whole, &n);
	HTAB	   *fates = RecsysStorageFates(chunks, n);
	bool		work = has_unknown(parent, fates);
	HASH_SEQ_STATUS sequence;
	RecsysStorageFate *fate;

	hash_seq_init(&sequence, fates);
	while ((fate = hash_seq_search(&sequence)) != NULL)
		work |= fate->unswept && !RecsysStorageIsCurrent(parent, &fate->storage);
	for (uint32 i = 0; i < n && !work; i++)
	{
		fate = hash_search(fates, &chunks[i].storage, HASH_FIND, NULL);
		work = (chunks[i].flags & RECSYS_CHUNK_SWEPT) == 0 && i < fate->first;
	}
	hash_destroy(fates);
	pfree(chunks);
	return work;
}
