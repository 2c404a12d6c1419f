/*
 * leafspace.c
 *	  The virtual TIDs of one leaf: writing, and telling its entries from those of others.
 *
 * Who writes has a lock on the leaf, to the end of the transaction, or subtransaction, that has
 * taken it.  So long nobody enters the leaf anew, but this session itself, and the chunk of a piece
 * stays the same: it is looked up once in a subtransaction.
 */
#include "postgres.h"

#include "access/xact.h"
#include "am/parts/knownchunks.h"
#include "am/parts/leafspace.h"
#include "am/parts/leaves.h"
#include "am/parts/whole.h"
#include "compat.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/memutils.h"

/* Pieces whose chunks are remembered: statements that write to several leaves in turn */
#define REMEMBERED_PIECES 64

typedef struct KnownPiece
{
	LocalTransactionId transaction; /* invalid: nothing is remembered here */
	SubTransactionId subid;
	Oid			whole;
	Oid			file;			/* of the whole */
	Oid			table;
	uint64		leaves;			/* of the table, by their number */
	RecsysStorage storage;
	uint32		piece;
	uint32		chunk;
	bool		complete;
} KnownPiece;

static KnownPiece known[REMEMBERED_PIECES];

static bool
is_known(const KnownPiece *place, Relation whole, Relation leaf, uint32 piece)
{
	return place->transaction == RECSYS_LOCAL_TRANSACTION &&
		place->subid == GetCurrentSubTransactionId() &&
		place->whole == RelationGetRelid(whole) && place->file == RECSYS_FILE_NUMBER(whole) &&
		place->storage.heap == RelationGetRelid(leaf) &&
		place->storage.file == RECSYS_FILE_NUMBER(leaf) && place->piece == piece &&
		place->leaves == RecsysGetLeaves(place->table)->number;
}

bool
RecsysStorageOf(Relation whole, Relation leaf, RecsysStorage *storage)
{
	Oid			table = RecsysIndexedTable(RelationGetRelid(whole));

	return OidIsValid(table) && RecsysStorageNow(table, leaf, storage);
}

/* The chunk of a piece; *first is the one that its storage begins with. */
static bool
find_chunk(const RecsysKnownChunks *chunks, const RecsysStorage *storage, uint32 piece,
		   uint32 *first, uint32 *chunk)
{
	*first = RecsysFindBeginning(chunks, storage);
	for (uint32 i = *first; i < chunks->n; i++)
		if (chunks->chunks[i].piece == piece && RecsysStorageEquals(&chunks->chunks[i].storage, storage))
		{
			*chunk = i;
			return true;
		}
	return false;
}

/* The chunk of a piece, which is added if there is none. */
static void
get_chunk(Relation whole, const RecsysStorage *storage, uint32 piece, uint32 *chunk, bool *complete)
{
	for (;;)
	{
		const RecsysKnownChunks *chunks = RecsysGetChunks(whole);
		RecsysChunk record = {.storage = *storage, .piece = piece};
		uint32		first;
		bool		found = find_chunk(chunks, storage, piece, &first, chunk);

		*complete = false;
		if (first == chunks->n)
			record.flags = RECSYS_CHUNK_FIRST | RECSYS_CHUNK_PARTIAL;
		else
			*complete = (chunks->chunks[first].flags & RECSYS_CHUNK_PARTIAL) == 0 ||
				(RecsysChunkFlagsNow(whole, first) & RECSYS_CHUNK_PARTIAL) == 0;
		if (found || RecsysAddChunk(whole, &record, chunks->n, chunk))
			return;
	}
}

bool
RecsysPartTid(Relation whole, Relation leaf, ItemPointer tid, bool *complete)
{
	BlockNumber block = ItemPointerGetBlockNumber(tid);
	uint32		piece = block >> RECSYS_CHUNK_SHIFT;
	KnownPiece *place = &known[(RelationGetRelid(leaf) + piece) % REMEMBERED_PIECES];

	if (!is_known(place, whole, leaf, piece))
	{
		KnownPiece	found = {.transaction = RECSYS_LOCAL_TRANSACTION, .piece = piece};

		found.subid = GetCurrentSubTransactionId();
		found.whole = RelationGetRelid(whole);
		found.file = RECSYS_FILE_NUMBER(whole);
		found.table = RecsysIndexedTable(found.whole);
		if (!OidIsValid(found.table) || !RecsysStorageNow(found.table, leaf, &found.storage))
			return false;
		found.leaves = RecsysGetLeaves(found.table)->number;
		get_chunk(whole, &found.storage, piece, &found.chunk, &found.complete);
		*place = found;
	}
	ItemPointerSetBlockNumber(tid, (place->chunk << RECSYS_CHUNK_SHIFT) | RecsysBlockInChunk(block));
	if (complete != NULL)
		*complete = place->complete;
	return true;
}

struct RecsysLeafSpace
{
	uint32		n;
	BlockNumber firsts[FLEXIBLE_ARRAY_MEMBER];	/* by chunk: its first block, or InvalidBlockNumber */
};

RecsysLeafSpace *
RecsysLeafSpaceCreate(Relation whole, Relation leaf, RecsysLeafState *state)
{
	RecsysStorage storage;
	const RecsysKnownChunks *chunks;
	RecsysLeafSpace *space;
	uint32		first;

	*state = RECSYS_LEAF_UNKNOWN;
	if (!RecsysStorageOf(whole, leaf, &storage))
		return NULL;
	chunks = RecsysGetChunks(whole);
	first = RecsysFindBeginning(chunks, &storage);
	space = palloc_extended(offsetof(RecsysLeafSpace, firsts) + sizeof(BlockNumber) * (Size) chunks->n,
							MCXT_ALLOC_HUGE);
	space->n = chunks->n;
	for (uint32 i = 0; i < chunks->n; i++)
		space->firsts[i] = i >= first && RecsysStorageEquals(&chunks->chunks[i].storage, &storage) ?
			chunks->chunks[i].piece << RECSYS_CHUNK_SHIFT : InvalidBlockNumber;
	if (first < chunks->n)
		*state = (chunks->chunks[first].flags & RECSYS_CHUNK_PARTIAL) != 0 &&
			(RecsysChunkFlagsNow(whole, first) & RECSYS_CHUNK_PARTIAL) != 0 ?
			RECSYS_LEAF_PARTIAL : RECSYS_LEAF_COMPLETE;
	return space;
}

bool
RecsysLeafSpaceOwn(const RecsysLeafSpace *space, ItemPointer tid)
{
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(tid);
	uint32		chunk = RecsysChunkOf(block);

	if (chunk >= space->n || !BlockNumberIsValid(space->firsts[chunk]))
		return false;
	ItemPointerSetBlockNumber(tid, space->firsts[chunk] + RecsysBlockInChunk(block));
	return true;
}

RecsysLeafState
RecsysStateOfLeaf(Relation whole, Relation leaf)
{
	RecsysLeafState state;
	RecsysLeafSpace *space = RecsysLeafSpaceCreate(whole, leaf, &state);

	if (space != NULL)
		pfree(space);
	return state;
}

/* Leaves that this transaction has entered anew, in its memory */
typedef struct EnteredLeaf
{
	Oid			whole;
	RecsysLeaf	leaf;
} EnteredLeaf;

static List *entered = NIL;
static LocalTransactionId entered_in = InvalidLocalTransactionId;

static EnteredLeaf *
find_entered(Relation whole, const RecsysLeaf *leaf)
{
	ListCell   *cell;

	if (entered_in != RECSYS_LOCAL_TRANSACTION)
		entered = NIL;
	entered_in = RECSYS_LOCAL_TRANSACTION;
	foreach(cell, entered)
	{
		EnteredLeaf *one = lfirst(cell);

		if (one->whole == RelationGetRelid(whole) && one->leaf.table == leaf->table &&
			one->leaf.attached == leaf->attached)
			return one;
	}
	return NULL;
}

void
RecsysNoteEntered(Relation whole, Relation leaf)
{
	const RecsysLeaf *found = RecsysFindLeaf(RecsysGetLeaves(RecsysIndexedTable(RelationGetRelid(whole))),
											 RelationGetRelid(leaf));
	EnteredLeaf *one;
	MemoryContext old;

	if (found == NULL)
		return;
	one = find_entered(whole, found);
	if (one == NULL)
	{
		old = MemoryContextSwitchTo(TopTransactionContext);
		one = palloc(sizeof(EnteredLeaf));
		entered = lappend(entered, one);
		MemoryContextSwitchTo(old);
	}
	one->whole = RelationGetRelid(whole);
	one->leaf = *found;
}

bool
RecsysLeafIsBackAgain(Relation whole, Relation leaf)
{
	const RecsysLeaf *found = RecsysFindLeaf(RecsysGetLeaves(RecsysIndexedTable(RelationGetRelid(whole))),
											 RelationGetRelid(leaf));
	const EnteredLeaf *one = found == NULL ? NULL : find_entered(whole, found);

	return one != NULL && one->leaf.row != found->row;
}

bool
RecsysEnterLeafAnew(Relation whole, Relation leaf, bool complete)
{
	RecsysChunk record = {.flags = RECSYS_CHUNK_FIRST | (complete ? 0 : RECSYS_CHUNK_PARTIAL)};
	uint32		number;

	if (!RecsysStorageOf(whole, leaf, &record.storage))
		return false;
	(void) RecsysAddChunk(whole, &record, PG_UINT32_MAX, &number);
	memset(known, 0, sizeof(known));
	RecsysNoteEntered(whole, leaf);
	return true;
}

void
RecsysLeafEntered(Relation whole, Relation leaf)
{
	RecsysStorage storage;
	const RecsysKnownChunks *chunks;
	uint32		first;

	if (!RecsysStorageOf(whole, leaf, &storage))
		return;
	chunks = RecsysGetChunks(whole);
	first = RecsysFindBeginning(chunks, &storage);
	if (first < chunks->n)
		RecsysChangeChunk(whole, first, 0, RECSYS_CHUNK_PARTIAL);
}
