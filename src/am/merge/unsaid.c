/*
 * unsaid.c
 *	  Changes that VACUUM has not been able to put on a pending list.
 *
 * VACUUM puts an event on a list for every entry that it removes, and for that the
 * index may have to grow.  On a full disk it cannot, yet that is where VACUUM is needed
 * most.  So VACUUM makes notes that take no room.  Items whose rows have gone are flagged
 * in the graph as changed, without being queued; users are flagged in their owner
 * tuples; and the meta page says that there are such notes.  The first merge that has
 * room to write turns them into events.  It looks through all rows of the graph and all
 * users, which takes about as long as the VACUUM did.
 *
 * A crash after any step does no harm.  VACUUM flags the items first; then, in one step,
 * it flags the users and removes their entries.  A merge clears the flags of users once
 * their events are on a list, and the meta page last.  VACUUM keeps merges out
 * meanwhile, because they change rows of the graph from copies.
 *
 * The file system is asked for room before anything is locked, because a failure to
 * extend the index could not be handled later.  The answer may be wrong (a quota, or
 * another process was faster).  Then VACUUM fails as it would have anyway, and nothing
 * is lost.
 */
#include "postgres.h"

#include <sys/statvfs.h>

#include "access/generic_xlog.h"
#include "am/graph/graph.h"
#include "am/graph/itemorder.h"
#include "am/lists/owner.h"
#include "am/lists/pending.h"
#include "am/merge/unsaid.h"
#include "common/relpath.h"
#include "fault.h"
#include "miscadmin.h"
#include "storage/indexfsm.h"
#include "storage/smgr.h"

/* So much is left to others, and to what is written without being asked for here. */
#define SPARE_ROOM ((uint64) 128 * BLCKSZ)

/* Heap pages that one page of a free space map is sure to cover, see freespace.c */
#define FSM_PAGE_COVERS (BLCKSZ / 2 - 128)

bool
RecsysHasRoom(Relation index, uint64 bytes)
{
	Oid			space = index->rd_rel->reltablespace;
	char	   *path = GetDatabasePath(MyDatabaseId, OidIsValid(space) ? space : MyDatabaseTableSpace);
	struct statvfs facts;
	bool		answer = true;

	/* who does not know tries */
	if (statvfs(path, &facts) == 0)
		answer = (double) facts.f_bavail * facts.f_frsize >= (double) (bytes + SPARE_ROOM);
	pfree(path);
	return answer;
}

void
RecsysRecordFreePage(Relation index, BlockNumber block)
{
	SMgrRelation smgr = RelationGetSmgr(index);
	BlockNumber leaf = block / FSM_PAGE_COVERS;

	if (RecsysHasRoom(index, 0) ||
		(smgrexists(smgr, FSM_FORKNUM) &&
		 smgrnblocks(smgr, FSM_FORKNUM) > leaf + leaf / FSM_PAGE_COVERS + 2))
		RecordFreeIndexPage(index, block);
}

/* Flag the row of an item, wherever it is by now. */
void
RecsysFlagItem(RecsysGraphReader *reader, uint32 item)
{
	RecsysGraphSetFlags(reader, item, RECSYS_ROW_INEXACT | RECSYS_ROW_SHRUNK, 0);
}

/* Sets the count of the meta page, or adds one to it. */
static void
change_count(Relation index, bool add)
{
	Buffer		buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
										RECSYS_PAGE_META);
	GenericXLogState *state = GenericXLogStart(index);
	RecsysMetaData *meta = RecsysPageGetMeta(GenericXLogRegisterBuffer(state, buffer, 0));

	meta->unsaid = add ? meta->unsaid + 1 : 0;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
}

void
RecsysNoteUnsaid(Relation index, const RecsysEvent *events, int nevents)
{
	RecsysGraphReader reader;
	uint32	   *items = palloc(sizeof(uint32) * Max(nevents, 1));

	for (int i = 0; i < nevents; i++)
		items[i] = events[i].item;
	qsort(items, nevents, sizeof(uint32), RecsysCompareItemNumbers);

	/* first the count: a flag that nobody looks for would be lost */
	change_count(index, true);
	RecsysGraphReaderInit(&reader, index);
	for (int i = 0; i < nevents; i++)
		if (i == 0 || items[i] != items[i - 1])
			RecsysFlagItem(&reader, items[i]);
	RecsysGraphReaderDone(&reader);
	pfree(items);
	RECSYS_FAULT("unsaid-noted");
}

bool
RecsysHasUnsaid(Relation index)
{
	Buffer		buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_SHARE,
										RECSYS_PAGE_META);
	bool		any = RecsysPageGetMeta(BufferGetPage(buffer))->unsaid > 0;

	UnlockReleaseBuffer(buffer);
	return any;
}

/* Queue every item that is flagged; some are already, which does no harm. */
static void
queue_flagged(Relation index)
{
	uint32		nitems = RecsysItemCount(index);
	RecsysGraphReader reader;
	uint32		flagged[RECSYS_PAGE_EVENTS];
	int			nflagged = 0;

	RecsysGraphReaderInit(&reader, index);
	for (uint32 item = 0; item < nitems; item++)
	{
		RecsysGraphRow row = RecsysGraphNeedRow(&reader, item);
		bool		is_flagged = (row->flags & RECSYS_ROW_QUEUED) != 0;

		RecsysGraphReleaseRow(&reader);
		CHECK_FOR_INTERRUPTS();
		if (is_flagged)
			flagged[nflagged++] = item;
		if (nflagged == lengthof(flagged))
		{
			RecsysQueueAppend(index, flagged, nflagged);
			nflagged = 0;
		}
	}
	if (nflagged > 0)
		RecsysQueueAppend(index, flagged, nflagged);
	RecsysGraphReaderDone(&reader);
}

/*
 * An item to name in an event that is there for the user: one that he has.  If he has
 * none left it may be any.
 */
static uint32
some_item(Relation index, RecsysOwner owner)
{
	RecsysCache *cache = RecsysGetCache(index);

	for (int i = 0; i < owner->tail; i++)
	{
		RecsysEntry entry;

		RecsysUnpackEntry(RecsysOwnerEntries(owner) + (Size) i * cache->stride[RECSYS_USERS], RECSYS_USERS,
						  &cache->meta, &entry);
		if (!entry.orphan)
			return entry.peer;
	}
	return 0;
}

/* The events of the users of a bucket that are flagged; returns how many. */
static int
collect_users(Relation index, Buffer buffer, RecsysEvent *events, int most)
{
	Page		page = BufferGetPage(buffer);
	int			stride = RecsysGetCache(index)->stride[RECSYS_USERS];
	int			nevents = 0;

	for (OffsetNumber off = FirstOffsetNumber; off <= PageGetMaxOffsetNumber(page) && nevents < most; off++)
	{
		RecsysOwner owner = RecsysPageGetOwner(page, off);
		RecsysEntry any = {0};

		if ((owner->flags & RECSYS_OWNER_UNSAID) == 0)
			continue;

		RecsysOwnerCheck(index, page, off, stride);
		any.peer = some_item(index, owner);
		ItemPointerSetInvalid(&any.tid);
		RecsysRemovedEvent(&events[nevents++], owner->hash, &any);
	}
	return nevents;
}

static void
clear_users(Relation index, Buffer buffer)
{
	GenericXLogState *state = GenericXLogStart(index);
	Page		page = GenericXLogRegisterBuffer(state, buffer, 0);

	for (OffsetNumber off = FirstOffsetNumber; off <= PageGetMaxOffsetNumber(page); off++)
		RecsysPageGetOwner(page, off)->flags &= ~RECSYS_OWNER_UNSAID;
	GenericXLogFinish(state);
}

/*
 * Puts events on a list for every user that is flagged.  As in bulk delete, owners move
 * only to pages that are still to come.  An owner that is met twice gets its events
 * twice, which does no harm.
 */
static void
say_users(Relation index)
{
	int			most = RECSYS_PAGE_ROOM / offsetof(RecsysOwnerData, key);
	RecsysEvent *events = palloc(sizeof(RecsysEvent) * most);

	for (BlockNumber block = 0; block < RelationGetNumberOfBlocks(index); block++)
	{
		Buffer		buffer = ReadBuffer(index, block);
		int			nevents = 0;

		CHECK_FOR_INTERRUPTS();
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		if (RecsysPageIsOurs(BufferGetPage(buffer)) &&
			RecsysPageGetOpaque(BufferGetPage(buffer))->kind == RECSYS_PAGE_BUCKET &&
			RecsysPageGetOpaque(BufferGetPage(buffer))->side == RECSYS_USERS)
		{
			RecsysPageCheck(index, buffer, RECSYS_PAGE_BUCKET);
			nevents = collect_users(index, buffer, events, most);
		}
		if (nevents > 0)
		{
			(void) RecsysPendingAppend(index, events, nevents);
			RECSYS_FAULT("unsaid-said");
			clear_users(index, buffer);
		}
		UnlockReleaseBuffer(buffer);
	}
	pfree(events);
}

void
RecsysSayUnsaid(Relation index)
{
	queue_flagged(index);
	say_users(index);
	change_count(index, false);
	RECSYS_FAULT("unsaid-done");
}
