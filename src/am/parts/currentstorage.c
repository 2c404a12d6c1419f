/*
 * currentstorage.c
 *	  Which storage a leaf has now.
 *
 * As a rule it is that of the file that the leaf has.  But ALTER TABLE … SET TABLESPACE gives the leaf
 * another file, and tells no index: it copies the old one block by block, so each TID means the
 * row that it has meant before.  Then the storage is still that of the file before, and the chunks
 * and entries of that one count on.
 *
 * How is such a copy told from a file with the rows at other places?  Whatever moves rows has to
 * build all indexes anew, the part too (TRUNCATE, CLUSTER, VACUUM FULL, ALTER TABLE); and so do
 * tools that exchange files in the catalog.  So a part says on its meta page (tids_of) which file
 * the leaf had when it was built.  As long as it says so, the TIDs are those of that file.  It is
 * read from the page, and not told by the part's own file, as that may be moved in the same way.
 *
 * It is asked for only when the whole has no chunk of the leaf's own file.  Who moves a leaf, and
 * writes to it in the same transaction, begins a storage of the new file, whose rows all are
 * entered by the next merge: should the transaction be rolled back, the old file must not have
 * entries of rows that only the new one had.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "am/parts/currentstorage.h"
#include "am/parts/leaves.h"
#include "am/parts/whole.h"
#include "am/store/heldlock.h"
#include "am/store/meta.h"
#include "catalog/pg_class.h"
#include "compat.h"
#include "utils/syscache.h"

Oid
RecsysFileOf(Oid relation)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid			file = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		file = ((Form_pg_class) GETSTRUCT(tuple))->relfilenode;
		ReleaseSysCache(tuple);
	}
	return file;
}

bool
RecsysTidsOf(Relation leaf, Oid root, Oid *file)
{
	Oid			oid = RecsysPartOfLeaf(leaf, root);
	bool		ours = OidIsValid(oid) && RecsysHoldsLock(oid, AccessShareLock, true);
	Relation	part;
	const RecsysMetaData *meta;

	*file = InvalidOid;
	if (!OidIsValid(oid))
		return true;

	/* who has it locked may be waiting for the whole, which we have */
	if (!ours && !ConditionalLockRelationOid(oid, AccessShareLock))
		return false;
	part = try_relation_open(oid, NoLock);
	if (part == NULL)
	{
		UnlockRelationOid(oid, AccessShareLock);
		return false;
	}
	meta = &RecsysRefreshCache(part)->meta;
	if (meta->part != 0)
		*file = meta->tids_of;
	relation_close(part, ours ? NoLock : AccessShareLock);
	return true;
}

/* Is there a chunk of the leaf, as it is attached, but of another file? */
static bool
has_other_file(const RecsysKnownChunks *chunks, const RecsysStorage *storage)
{
	for (uint32 i = 0; i < chunks->n; i++)
		if (chunks->chunks[i].storage.heap == storage->heap &&
			chunks->chunks[i].storage.attached == storage->attached &&
			(chunks->chunks[i].flags & RECSYS_CHUNK_SWEPT) == 0)
			return true;
	return false;
}

bool
RecsysFindEarlier(Relation whole, const RecsysKnownChunks *chunks, Relation leaf, RecsysStorage *storage)
{
	RecsysStorage earlier = *storage;
	uint32		first;

	if (!has_other_file(chunks, storage))
		return true;
	if (!RecsysTidsOf(leaf, RecsysRootOfWhole(whole), &earlier.file))
		return false;
	first = RecsysFindBeginning(chunks, &earlier);
	if (first < chunks->n && (chunks->chunks[first].flags & RECSYS_CHUNK_SWEPT) == 0 &&
		RecsysIsComplete(whole, chunks, first))
		*storage = earlier;
	return true;
}

bool
RecsysOwnStorageOf(Relation whole, Relation leaf, RecsysStorage *storage)
{
	Oid			table = RecsysIndexedTable(RelationGetRelid(whole));
	const RecsysLeaf *found = OidIsValid(table) ?
		RecsysFindLeaf(RecsysGetLeaves(table), RelationGetRelid(leaf)) : NULL;

	storage->heap = RelationGetRelid(leaf);
	storage->file = RECSYS_FILE_NUMBER(leaf);
	storage->attached = found != NULL ? found->attached : 0;
	return found != NULL;
}

bool
RecsysStorageOf(Relation whole, Relation leaf, RecsysStorage *storage)
{
	RecsysKnownChunks *chunks;

	if (!RecsysOwnStorageOf(whole, leaf, storage))
		return false;
	chunks = RecsysGetChunks(whole);
	if (RecsysFindBeginning(chunks, storage) == chunks->n &&
		RECSYS_FIRST_FILE_SUBID(leaf) == InvalidSubTransactionId)
		(void) RecsysFindEarlier(whole, chunks, leaf, storage);
	return true;
}
