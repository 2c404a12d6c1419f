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
#include "am/parts/currentstorage.h"
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
	Oid			leaf;
	Oid			leaf_file;
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
		place->leaf == RelationGetRelid(leaf) && place->leaf_file == RECSYS_FILE_NUMBER(leaf) &&
		place->piece == piece && place->leaves == RecsysGetLeaves(place->table)->number;
}

/* The chunk of a piece of the storage that another one begins */
static bool
find_chunk(const RecsysKnownChunks *chunks, uint32 first, uint32 piece, uint32 *chunk)
{
	for (uint32 i = 0; i < chunks->n; i++)
		if (chunks->chunks[i].piece == piece && RecsysBelongsTo(&chunks->chunks[i], &chunks->chunks[first]))
		{
			*chunk = i;
			return true;
		}
	return false;
}

/* The chunk of a piece of the leaf, which is added if there is none.  False: it is no leaf any more. */
static bool
get_chunk(Relation whole, Relation leaf, uint32 piece, uint32 *chunk, bool *complete)
{
	for (;;)
	{
		RecsysChunk record = {.piece = piece};
		const RecsysKnownChunks *chunks;
		uint32		first;

		if (!RecsysStorageOf(whole, leaf, &record.storage))
			return false;
		chunks = RecsysGetChunks(whole);
		first = RecsysFindBeginning(chunks, &record.storage);
		*complete = first < chunks->n && RecsysIsComplete(whole, chunks, first);
		if (first < chunks->n && find_chunk(chunks, first, piece, chunk))
			return true;
		if (first < chunks->n)
			record.beginning = chunks->chunks[first].beginning;
		else
			record.flags = RECSYS_CHUNK_FIRST | RECSYS_CHUNK_PARTIAL;
		if (RecsysAddChunk(whole, &record, chunks->n, chunks->changes, chunk))
			return true;
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
		found.leaf = RelationGetRelid(leaf);
		found.leaf_file = RECSYS_FILE_NUMBER(leaf);
		found.table = RecsysIndexedTable(found.whole);
		if (!OidIsValid(found.table))
			return false;
		found.leaves = RecsysGetLeaves(found.table)->number;
		if (!get_chunk(whole, leaf, piece, &found.chunk, &found.complete))
			return false;
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
		space->firsts[i] = first < chunks->n && RecsysBelongsTo(&chunks->chunks[i], &chunks->chunks[first]) ?
			chunks->chunks[i].piece << RECSYS_CHUNK_SHIFT : InvalidBlockNumber;
	if (first < chunks->n)
		*state = RecsysIsComplete(whole, chunks, first) ? RECSYS_LEAF_COMPLETE : RECSYS_LEAF_PARTIAL;
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

	if (!RecsysOwnStorageOf(whole, leaf, &record.storage))
		return false;
	(void) RecsysAddChunk(whole, &record, PG_UINT32_MAX, 0, &number);
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

	if (!RecsysOwnStorageOf(whole, leaf, &storage))
		return;
	chunks = RecsysGetChunks(whole);
	first = RecsysFindBeginning(chunks, &storage);
	if (first < chunks->n)
		RecsysCompleteChunk(whole, first);
}
