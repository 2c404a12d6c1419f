/*
 * storagefate.c
 *	  Which storages a whole has chunks of, and whether they are current.
 */
#include "postgres.h"

#include "access/table.h"
#include "am/parts/currentstorage.h"
#include "am/parts/leaves.h"
#include "am/parts/whole.h"
#include "am/whole/storagefate.h"
#include "storage/lmgr.h"

/*
 * The file that the TIDs of a leaf are of, see am/parts/currentstorage.h; the leaf need not be open.
 * False: it cannot be told now.
 */
static bool
find_tids_of(Relation whole, Oid oid, Oid *file)
{
	Relation	leaf;
	bool		found;

	*file = InvalidOid;
	if (!ConditionalLockRelationOid(oid, AccessShareLock))
		return false;
	leaf = try_table_open(oid, NoLock);
	found = leaf != NULL && RecsysTidsOf(leaf, RecsysRootOfWhole(whole), file);
	if (leaf != NULL)
		table_close(leaf, NoLock);
	UnlockRelationOid(oid, AccessShareLock);
	return found;
}

bool
RecsysStorageMayBeCurrent(Relation whole, HTAB *fates, const RecsysStorage *storage)
{
	const RecsysLeaf *leaf = RecsysFindLeaf(RecsysGetLeaves(RecsysIndexedTable(RelationGetRelid(whole))),
											storage->heap);
	RecsysStorage own = *storage;
	Oid			file;

	if (leaf == NULL || leaf->attached != storage->attached)
		return false;
	own.file = RecsysFileOf(storage->heap);
	if (own.file == storage->file)
		return true;
	return hash_search(fates, &own, HASH_FIND, NULL) == NULL &&
		(!find_tids_of(whole, storage->heap, &file) || file == storage->file);
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
			fate->unswept = fate->partial = false;
		if (!found || chunks[i].beginning > fate->beginning)
		{
			fate->beginning = chunks[i].beginning;
			fate->partial = false;
		}
		if ((chunks[i].flags & RECSYS_CHUNK_PARTIAL) != 0 && chunks[i].beginning == fate->beginning)
			fate->partial = true;
		fate->unswept |= (chunks[i].flags & RECSYS_CHUNK_SWEPT) == 0;
	}
	return fates;
}

/* Does a leaf lack rows? */
static bool
is_unknown(Relation whole, Oid parent, HTAB *fates, Oid table)
{
	RecsysStorage storage = {.heap = table};
	const RecsysLeaf *leaf = RecsysFindLeaf(RecsysGetLeaves(parent), table);
	const RecsysStorageFate *fate;

	if (leaf == NULL)
		return false;
	storage.attached = leaf->attached;
	storage.file = RecsysFileOf(table);
	fate = hash_search(fates, &storage, HASH_FIND, NULL);
	if (fate == NULL && find_tids_of(whole, table, &storage.file))
		fate = hash_search(fates, &storage, HASH_FIND, NULL);
	return fate == NULL || fate->partial;
}

static bool
has_unknown(Relation whole, Oid parent, HTAB *fates)
{
	List	   *tables = RecsysLeafTables(parent);
	ListCell   *cell;
	bool		unknown = false;

	foreach(cell, tables)
		unknown |= is_unknown(whole, parent, fates, lfirst_oid(cell));
	list_free(tables);
	return unknown;
}

bool
RecsysWholeHasWork(Relation whole)
{
	uint32		n;
	RecsysChunk *chunks = RecsysReadAllChunks(whole, &n);
	HTAB	   *fates = RecsysStorageFates(chunks, n);
	bool		work = has_unknown(whole, RecsysIndexedTable(RelationGetRelid(whole)), fates);
	HASH_SEQ_STATUS sequence;
	RecsysStorageFate *fate;

	hash_seq_init(&sequence, fates);
	while ((fate = hash_seq_search(&sequence)) != NULL)
		work |= fate->unswept && !RecsysStorageMayBeCurrent(whole, fates, &fate->storage);
	for (uint32 i = 0; i < n && !work; i++)
	{
		fate = hash_search(fates, &chunks[i].storage, HASH_FIND, NULL);
		work = (chunks[i].flags & RECSYS_CHUNK_SWEPT) == 0 && chunks[i].beginning != fate->beginning;
	}
	hash_destroy(fates);
	pfree(chunks);
	return work;
}
