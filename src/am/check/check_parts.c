/*
 * check_parts.c
 *	  What the index of a partitioned table has beside that of a plain one.
 *
 * The pages of chunks are a list that ends where the meta page says, with as many records as it
 * says.  A record names a table and a piece of it.  Of those that count no two name the same piece,
 * and after an end that has been swept no entry is left.  Each entry belongs to a chunk.
 *
 * A partition all of whose rows have been entered must have each row that is visible on both
 * sides (check_rows.c).  Of others, which the next merge enters, nothing can be said.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/xlog.h"
#include "am/build/wholescan.h"
#include "am/check/check_parts.h"
#include "am/parts/currentstorage.h"
#include "am/parts/leafspace.h"
#include "am/parts/leaves.h"
#include "am/parts/whole.h"
#include "am/store/meta.h"
#include "miscadmin.h"
#include "source/input/runas.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#define KNOWN_FLAGS (RECSYS_CHUNK_SWEPT | RECSYS_CHUNK_PARTIAL | RECSYS_CHUNK_FIRST)

struct RecsysWholeCheck
{
	Relation	table;
	Relation	index;
	uint32		nchunks;
	uint32		last_beginning;
	RecsysChunk *chunks;

	/* the leaf that is visited */
	Relation	leaf;
	uint32	   *numbers;		/* of its chunks, by piece; or RECSYS_NONE */
	uint32		npieces;
};

#define corrupted(check, ...) RecsysCheckFailed((check)->index, __VA_ARGS__)

RecsysWholeCheck *
RecsysWholeCheckCreate(Relation table, Relation index)
{
	const RecsysMetaData *meta = &RecsysRefreshCache(index)->meta;
	RecsysWholeCheck *check;

	if (!OidIsValid(RecsysRootOfWhole(index)))
	{
		if (BlockNumberIsValid(meta->chunks) || BlockNumberIsValid(meta->chunk_tail) || meta->nchunks != 0)
			RecsysCheckFailed(index, "It has %u chunks, and its table has no partitions.", meta->nchunks);
		return NULL;
	}
	if (meta->part != 0)
		RecsysCheckFailed(index, "It says that it passes rows on.");
	check = palloc0(sizeof(RecsysWholeCheck));
	check->table = table;
	check->index = index;
	return check;
}

void
RecsysWholeCheckLockLeaves(Relation table)
{
	if (table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE && !RecoveryInProgress())
		list_free(RecsysLockLeaves(RelationGetRelid(table)));
}

/* What a record says by itself */
static void
check_record(const RecsysWholeCheck *check, uint32 number)
{
	const RecsysChunk *chunk = &check->chunks[number];

	if (!OidIsValid(chunk->storage.heap) || !OidIsValid(chunk->storage.file))
		corrupted(check, "Chunk %u is of no table.", number);
	if (chunk->piece > RECSYS_MAX_PIECE)
		corrupted(check, "Chunk %u is piece %u of a table.", number, chunk->piece);
	if (chunk->beginning == 0 || chunk->beginning > check->last_beginning)
		corrupted(check, "Chunk %u is of beginning %u, of %u.", number, chunk->beginning,
				  check->last_beginning);
	if ((chunk->flags & ~KNOWN_FLAGS) != 0 ||
		((chunk->flags & RECSYS_CHUNK_PARTIAL) != 0 && (chunk->flags & RECSYS_CHUNK_FIRST) == 0))
		corrupted(check, "Chunk %u has unknown flags %x.", number, chunk->flags);
}

/* A piece of a storage since a beginning, and the chunk that is that piece */
typedef struct Piece
{
	RecsysStorage storage;
	uint32		beginning;
	uint32		piece;
	uint32		number;
} Piece;

/* A storage, its last beginning, and the record that says so */
typedef struct Beginning
{
	RecsysStorage storage;
	uint32		beginning;
	uint32		number;			/* RECSYS_NONE: there is none */
	bool		unswept;		/* does a record of this beginning say that there are entries? */
} Beginning;

static HTAB *
make_table(const char *name, Size key, Size entry)
{
	HASHCTL		control = {0};

	control.keysize = key;
	control.entrysize = entry;
	control.hcxt = CurrentMemoryContext;
	return hash_create(name, 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Each storage has a beginning, one of a number, unless it has been swept and records been used again. */
static void
check_beginnings(const RecsysWholeCheck *check)
{
	HTAB	   *beginnings = make_table("recsys storages", sizeof(RecsysStorage), sizeof(Beginning));
	HASH_SEQ_STATUS sequence;
	Beginning  *beginning;

	for (uint32 i = 0; i < check->nchunks; i++)
	{
		const RecsysChunk *chunk = &check->chunks[i];
		bool		found;

		beginning = hash_search(beginnings, &chunk->storage, HASH_ENTER, &found);
		if (!found || chunk->beginning > beginning->beginning)
		{
			beginning->beginning = chunk->beginning;
			beginning->number = RECSYS_NONE;
			beginning->unswept = false;
		}
		if (chunk->beginning < beginning->beginning)
			continue;
		beginning->unswept |= (chunk->flags & RECSYS_CHUNK_SWEPT) == 0;
		if ((chunk->flags & RECSYS_CHUNK_FIRST) == 0)
			continue;
		if (beginning->number != RECSYS_NONE)
			corrupted(check, "Chunks %u and %u are both the beginning of a table.", beginning->number, i);
		beginning->number = i;
	}
	hash_seq_init(&sequence, beginnings);
	while ((beginning = hash_seq_search(&sequence)) != NULL)
		if (beginning->unswept && beginning->number == RECSYS_NONE)
			corrupted(check, "Table %u has chunks of beginning %u, and none that begins it.",
					  beginning->storage.heap, beginning->beginning);
	hash_destroy(beginnings);
}

/* No two records are of the same piece. */
static void
check_pieces(const RecsysWholeCheck *check)
{
	HTAB	   *pieces = make_table("recsys pieces", offsetof(Piece, number), sizeof(Piece));

	for (uint32 i = 0; i < check->nchunks; i++)
	{
		const RecsysChunk *chunk = &check->chunks[i];
		Piece		key;
		Piece	   *piece;
		bool		found;

		CHECK_FOR_INTERRUPTS();
		check_record(check, i);
		memset(&key, 0, sizeof(key));
		key.storage = chunk->storage;
		key.beginning = chunk->beginning;
		key.piece = chunk->piece;
		piece = hash_search(pieces, &key, HASH_ENTER, &found);
		if (found)
			corrupted(check, "Chunks %u and %u are the same piece of a table.", piece->number, i);
		piece->number = i;
	}
	hash_destroy(pieces);
}

void
RecsysWholeCheckPages(RecsysWholeCheck *check, RecsysPagesCheck *pages)
{
	const RecsysMetaData *meta = &RecsysGetCache(check->index)->meta;
	BlockNumber block = meta->chunks;
	BlockNumber last = InvalidBlockNumber;
	BlockNumber tail = meta->chunk_tail;
	uint32		nchunks = meta->nchunks;
	uint32		count = 0;
	MemoryContext old;

	check->last_beginning = meta->last_beginning;
	while (BlockNumberIsValid(block))
	{
		Buffer		buffer;
		uint32		n;

		RecsysCheckReach(pages, block);
		buffer = RecsysReadPage(check->index, block, BUFFER_LOCK_SHARE, RECSYS_PAGE_CHUNKS);
		n = RecsysPageChunkCount(BufferGetPage(buffer));
		if (RecsysPageGetOpaque(BufferGetPage(buffer))->low != count)
			corrupted(check, "Block %u does not begin with chunk %u.", block, count);
		last = block;
		block = RecsysPageGetOpaque(BufferGetPage(buffer))->next;
		UnlockReleaseBuffer(buffer);
		if (n == 0 || n > RECSYS_PAGE_CHUNK_RECORDS ||
			(BlockNumberIsValid(block) && n < RECSYS_PAGE_CHUNK_RECORDS))
			corrupted(check, "Block %u has %u chunks.", last, n);
		count += n;
	}
	if (last != tail || count != nchunks)
		corrupted(check, "There are %u chunks up to block %u, not %u up to block %u.",
				  count, last, nchunks, tail);

	/* they outlive the check of pages */
	old = MemoryContextSwitchTo(GetMemoryChunkContext(check));
	check->chunks = RecsysReadAllChunks(check->index, &check->nchunks);
	MemoryContextSwitchTo(old);
	check_pieces(check);
	check_beginnings(check);
}

void
RecsysWholeCheckEntry(const RecsysWholeCheck *check, const RecsysEntry *entry)
{
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(&entry->tid);
	uint32		number = RecsysChunkOf(block);

	if (number >= check->nchunks)
		corrupted(check, "An entry belongs to chunk %u, there are %u chunks.", number, check->nchunks);
	if (check->chunks[number].flags & RECSYS_CHUNK_SWEPT)
		corrupted(check, "An entry belongs to chunk %u, which has none left.", number);
	if (check->chunks[number].piece == RECSYS_MAX_PIECE &&
		RecsysBlockInChunk(block) == RECSYS_CHUNK_BLOCKS - 1)
		corrupted(check, "An entry of chunk %u has an invalid TID.", number);
}

/* Notes the numbers of the chunks of a leaf; false if not all of its rows have been entered. */
static bool
map_pieces(RecsysWholeCheck *check)
{
	RecsysStorage storage;
	uint32		beginning = 0;

	if (RecsysStateOfLeaf(check->index, check->leaf) != RECSYS_LEAF_COMPLETE ||
		!RecsysStorageOf(check->index, check->leaf, &storage))
		return false;
	check->npieces = RelationGetNumberOfBlocks(check->leaf) / RECSYS_CHUNK_BLOCKS + 1;
	check->numbers = palloc(sizeof(uint32) * (Size) check->npieces);
	for (uint32 i = 0; i < check->npieces; i++)
		check->numbers[i] = RECSYS_NONE;
	for (uint32 i = 0; i < check->nchunks; i++)
		if (RecsysStorageEquals(&check->chunks[i].storage, &storage))
			beginning = Max(beginning, check->chunks[i].beginning);
	for (uint32 i = 0; i < check->nchunks; i++)
	{
		const RecsysChunk *chunk = &check->chunks[i];

		if (RecsysStorageEquals(&chunk->storage, &storage) && chunk->beginning == beginning &&
			chunk->piece < check->npieces)
			check->numbers[chunk->piece] = i;
	}
	return true;
}

void
RecsysWholeCheckVisit(RecsysWholeCheck *check, RecsysLeafVisitor visit, void *arg)
{
	Oid			root = RecsysRootOfWhole(check->index);
	List	   *leaves = RecsysLeafTables(RelationGetRelid(check->table));
	ListCell   *cell;

	foreach(cell, leaves)
	{
		Relation	leaf = try_table_open(lfirst_oid(cell), AccessShareLock);
		Oid			part = leaf == NULL ? InvalidOid : RecsysPartOfLeaf(leaf, root);

		CHECK_FOR_INTERRUPTS();
		check->leaf = leaf;
		if (OidIsValid(part) && map_pieces(check))
		{
			Relation	index = index_open(part, AccessShareLock);
			RecsysRights before;

			/* each leaf's index functions have the rights of its own owner, as in a build */
			RecsysBeginAs(leaf->rd_rel->relowner, &before);
			visit(arg, leaf, index);
			RecsysEndAs(&before);
			index_close(index, AccessShareLock);
			pfree(check->numbers);
		}
		if (leaf != NULL)
			table_close(leaf, AccessShareLock);
	}
	list_free(leaves);
}

uint64
RecsysWholeCheckPosition(const RecsysWholeCheck *check, ItemPointer tid)
{
	BlockNumber block = ItemPointerGetBlockNumber(tid);
	uint32		piece = block >> RECSYS_CHUNK_SHIFT;
	ItemPointerData virtual_tid;

	if (piece >= check->npieces || check->numbers[piece] == RECSYS_NONE)
		corrupted(check, "Row (%u,%u) of table \"%s\" is in none of its chunks.",
				  block, ItemPointerGetOffsetNumber(tid), RelationGetRelationName(check->leaf));
	ItemPointerSet(&virtual_tid, (check->numbers[piece] << RECSYS_CHUNK_SHIFT) | RecsysBlockInChunk(block),
				   ItemPointerGetOffsetNumber(tid));
	return RecsysTidPosition(&virtual_tid);
}
