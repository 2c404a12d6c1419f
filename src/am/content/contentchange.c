/*
 * contentchange.c
 *	  Changing content pages: what merges and VACUUM do to them.
 *
 * Two content pages are locked in the order of their blocks.  Tuples that go take their line
 * pointers with them; nobody remembers offsets beyond a lock.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "am/content/contentchange.h"
#include "am/store/corrupted.h"
#include "am/store/patch.h"
#include "fault.h"

/* A page with so much room is listed for new tuples. */
#define LISTED_ROOM (RECSYS_PAGE_ROOM / 4)

/* The current tuple of the item becomes an ordinary one, or goes if its row is gone. */
static void
leave_current(Relation index, Buffer buffer, Page page, uint32 item)
{
	OffsetNumber off = RecsysContentFind(index, buffer, page, NULL, item);
	RecsysContentTuple tuple;

	if (off == InvalidOffsetNumber)
		return;
	tuple = RecsysContentTupleAt(index, buffer, page, off, NULL);
	if (tuple->flags & RECSYS_CONTENT_DEAD)
		PageIndexTupleDelete(page, off);
	else
	{
		tuple->flags &= ~RECSYS_CONTENT_CURRENT;
		tuple->floor = 0;
	}
}

static void
become_current(Relation index, Buffer buffer, Page page, uint32 item, ItemPointer tid, float floor)
{
	OffsetNumber off = RecsysContentFind(index, buffer, page, tid, item);
	RecsysContentTuple tuple = NULL;

	if (off != InvalidOffsetNumber)
		tuple = RecsysContentTupleAt(index, buffer, page, off, NULL);
	if (tuple == NULL || tuple->item != item)
		RecsysCorrupted(index, "index \"%s\" has lost the content of item number %u",
						RelationGetRelationName(index), item);
	tuple->flags |= RECSYS_CONTENT_CURRENT;
	tuple->floor = floor;
}

void
RecsysContentMove(Relation index, uint32 item, BlockNumber from, BlockNumber to, ItemPointer tid,
				  float floor)
{
	BlockNumber blocks[2] = {Min(from, to), Max(from, to)};
	Buffer		buffers[2] = {InvalidBuffer, InvalidBuffer};
	Page		pages[2];
	GenericXLogState *state;
	int			n = 0;

	/* InvalidBlockNumber is the highest of all */
	for (int i = 0; i < 2; i++)
	{
		if (!BlockNumberIsValid(blocks[i]) || (i > 0 && blocks[i] == blocks[0]))
			continue;
		buffers[n++] = RecsysReadPage(index, blocks[i], BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_CONTENT);
	}
	if (n == 0)
		return;

	state = GenericXLogStart(index);
	for (int i = 0; i < n; i++)
		pages[i] = GenericXLogRegisterBuffer(state, buffers[i], 0);
	for (int i = 0; i < n; i++)
		if (BufferGetBlockNumber(buffers[i]) == from)
			leave_current(index, buffers[i], pages[i], item);
	for (int i = 0; i < n; i++)
		if (BufferGetBlockNumber(buffers[i]) == to)
			become_current(index, buffers[i], pages[i], item, tid, floor);
	GenericXLogFinish(state);
	while (n > 0)
		UnlockReleaseBuffer(buffers[--n]);
	RECSYS_FAULT("content-moved");
}

void
RecsysContentWriteFloors(Relation index, BlockNumber block, const RecsysContentFloor *floors, int n)
{
	Buffer		buffer = RecsysReadPage(index, block, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_CONTENT);
	GenericXLogState *state = GenericXLogStart(index);
	Page		page = GenericXLogRegisterBuffer(state, buffer, 0);

	for (int i = 0; i < n; i++)
	{
		OffsetNumber off = RecsysContentFind(index, buffer, page, NULL, floors[i].item);

		if (off != InvalidOffsetNumber)
			RecsysContentTupleAt(index, buffer, page, off, NULL)->floor = floors[i].floor;
	}
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
	RECSYS_FAULT("content-floors");
}

void
RecsysContentListRoom(Relation index, Buffer buffer)
{
	Page		page = BufferGetPage(buffer);
	Buffer		metabuffer;
	GenericXLogState *state;
	RecsysPageOpaque opaque = RecsysPageGetOpaque(page);
	RecsysContentMeta *meta;

	/* the last page gets new tuples anyway */
	if (opaque->low == RECSYS_CONTENT_LISTED || !BlockNumberIsValid(opaque->next) ||
		PageGetFreeSpace(page) < LISTED_ROOM)
		return;

	metabuffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_META);
	state = GenericXLogStart(index);
	opaque = RecsysPageGetOpaque(GenericXLogRegisterBuffer(state, buffer, 0));
	meta = RecsysPageGetContentMeta(GenericXLogRegisterBuffer(state, metabuffer, 0));
	opaque->low = RECSYS_CONTENT_LISTED;
	opaque->high = meta->content_free;
	meta->content_free = BufferGetBlockNumber(buffer);
	GenericXLogFinish(state);
	UnlockReleaseBuffer(metabuffer);
	RECSYS_FAULT("content-listed");
}

void
RecsysContentPrune(Relation index, Buffer buffer, IndexBulkDeleteCallback callback,
				   void *callback_state)
{
	OffsetNumber max = RecsysContentMaxOffset(index, buffer, BufferGetPage(buffer));
	GenericXLogState *state = GenericXLogStart(index);
	Page		page = GenericXLogRegisterBuffer(state, buffer, 0);
	OffsetNumber gone[MaxIndexTuplesPerPage];
	int			ngone = 0;
	bool		changed = false;

	for (OffsetNumber off = FirstOffsetNumber; off <= max; off++)
	{
		RecsysContentTuple tuple = RecsysContentTupleAt(index, buffer, page, off, NULL);

		if ((tuple->flags & RECSYS_CONTENT_DEAD) || !callback(&tuple->tid, callback_state))
			continue;
		changed = true;
		if (tuple->flags & RECSYS_CONTENT_CURRENT)
			tuple->flags |= RECSYS_CONTENT_DEAD;
		else
			gone[ngone++] = off;
	}
	if (ngone > 0)
		PageIndexMultiDelete(page, gone, ngone);
	if (changed)
		GenericXLogFinish(state);
	else
		GenericXLogAbort(state);
	if (changed)
		RECSYS_FAULT("content-pruned");
	RecsysContentListRoom(index, buffer);
}

void
RecsysContentSetCount(Relation index, uint64 contents)
{
	Buffer		buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
										RECSYS_PAGE_META);
	RecsysContentMeta *meta = RecsysPageGetContentMeta(BufferGetPage(buffer));
	RecsysPatch patch = {(char *) &meta->contents, &contents, sizeof(contents)};

	if (meta->contents != contents)
		RecsysPatchPage(index, buffer, &patch, 1);
	UnlockReleaseBuffer(buffer);
}
