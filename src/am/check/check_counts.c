/*
 * check_counts.c
 *	  Does the item graph count the rows that the table has?
 *
 * Users of an item and supports of pairs are counted from the users' visible rows
 * and compared with what the graph says.  The graph may lag behind.  It is in doubt
 * whether the graph counts an interaction (user, item)
 *
 * - while an event of it is pending;
 * - while a row of it is in the index but not visible, because it was deleted and
 *	  VACUUM has not removed it yet, or because it was never committed;
 * - when it has been forgotten;
 * - when the user has more than max_history entries and any of the above is true of
 *	  one of them: when one item goes another may count.
 *
 * All other interactions are certain.  The graph must count each of them once, or a
 * merge has lost a row.  So an item has at least as many users as it has certain
 * interactions, and at most that plus those in doubt.  For a pair, the doubts of both
 * items are added.  Rows that are inexact are queued to be recomputed and not judged.
 *
 * Supports are counted for the pairs that rows store.  Totals of weights, scores, and
 * pairs that are missing can be judged only when nothing is in doubt or queued.  Then the
 * graph has to be that of a build (check_build.c).
 */
#include "postgres.h"

#include "access/xlog.h"
#include "access/xlogrecovery.h"
#include "am/check/check.h"
#include "am/check/check_build.h"
#include "am/check/check_events.h"
#include "am/graph/graph.h"
#include "am/graph/itemorder.h"
#include "am/merge/mergesnapshot.h"
#include "am/read/userreader.h"
#include "am/store/enlarge.h"
#include "compat.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

typedef struct PairCount
{
	uint32		peer;
	uint32		support;		/* as the row has it */
	uint32		certain;		/* as the users' rows have it */
} PairCount;

typedef struct CountCheck
{
	Relation	index;
	RecsysMetaData meta;
	Snapshot	snapshot;
	MemoryContext context;
	bool		first;			/* pass over the users */
	bool		clean;			/* nothing is pending, inexact or in doubt */

	/* by item number */
	uint32	   *users;			/* as the row has it */
	bool	   *exact;
	uint32	   *certain;		/* users */
	uint32	   *doubts;
	RecsysRhythm *rhythms;		/* of those who are certain; or NULL */
	uint32	   *stamps;			/* serial: certain, serial + 1: seen otherwise */
	uint32		serial;			/* of the user at hand */

	/* the rows of a range of items */
	RecsysGraphReader reader;
	uint32		low;
	uint32		high;
	uint64	   *starts;			/* by item - low */
	uint32		maxstarts;
	PairCount  *pairs;
	uint64		maxpairs;

	RecsysEventsByUser *events;

	RecsysKeyOrder order;
	RecsysHistoryItem *folded;
	uint32		maxfolded;
	RecsysUserRhythms *user_rhythms;
	RecsysBuildCheck *build;	/* or NULL */
} CountCheck;

static void *
by_item(const CountCheck *check, Size size)
{
	return MemoryContextAllocExtended(check->context, size * Max(check->meta.nitems, 1),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/*
 * Users
 */

/* Of an item with a pending event it is in doubt how many users it has. */
static void
doubt_event(void *arg, uint32 item)
{
	CountCheck *check = arg;

	check->clean = false;
	check->doubts[item]++;
}

/* The item does not count for certain; it is in doubt unless the user's history is. */
static void
mark_doubtful(CountCheck *check, uint32 item)
{
	if (item >= check->meta.nitems || check->stamps[item] == check->serial + 1)
		return;
	check->stamps[item] = check->serial + 1;
	if (check->first)
	{
		check->doubts[item]++;
		check->clean = false;
	}
}

/* Items of entries that are not visible, or forgotten; returns how many entries. */
static uint32
mark_invisible(CountCheck *check, const RecsysUserView *user)
{
	uint32		invisible = 0;
	int			seen = 0;

	for (uint32 i = 0; i < user->nentries; i++)
	{
		const RecsysEntry *entry = &user->entries[i];

		if (entry->orphan)
			continue;
		if (seen < user->ninteractions &&
			user->interactions[seen].position == RecsysTidPosition(&entry->tid))
			seen++;
		else
		{
			mark_doubtful(check, entry->peer);
			invisible++;
		}
	}
	return invisible;
}

/* The pairs that the rows of certain items store with each other. */
static void
count_pairs(CountCheck *check, int count)
{
	for (int i = 0; i < count; i++)
	{
		uint32		item = check->folded[i].item;

		if (item < check->low || item >= check->high || check->stamps[item] != check->serial)
			continue;
		for (uint64 p = check->starts[item - check->low]; p < check->starts[item - check->low + 1]; p++)
			check->pairs[p].certain += check->stamps[check->pairs[p].peer] == check->serial;
	}
}

/* The user's history as it counts; returns how many items. */
static int
fold_user(CountCheck *check, const RecsysUserView *user)
{
	RecsysFolding folding;

	if (user->ninteractions > (int) check->maxfolded)
	{
		check->maxfolded = Max((uint32) user->ninteractions, check->maxfolded * 2);
		if (check->folded != NULL)
			pfree(check->folded);
		check->folded = MemoryContextAllocHuge(check->context, sizeof(RecsysHistoryItem) *
											   (Size) check->maxfolded);
	}
	if (user->ninteractions == 0)
		return 0;
	RecsysMetaFolding(&check->meta, &check->order, &folding);
	if (check->first && check->rhythms != NULL)
		RecsysUserRhythmsStart(check->user_rhythms, &folding, NULL, 0);
	return RecsysHistoryFold(user->interactions, user->ninteractions, &folding, check->folded, NULL);
}

/* The user at hand has the item, for certain. */
static void
count_item(CountCheck *check, uint32 item)
{
	const RecsysRhythm *rhythm = NULL;

	check->certain[item]++;
	if (check->rhythms != NULL)
		rhythm = RecsysUserRhythmsOf(check->user_rhythms, item);
	if (rhythm != NULL)
		RecsysRhythmAddAll(&check->rhythms[item], rhythm);
}

/* Visitor: a user. */
static void
count_user(void *arg, RecsysUserView *user)
{
	CountCheck *check = arg;
	bool		large = user->nentries > (uint32) check->meta.max_history ||
		(user->flags & RECSYS_OWNER_MARKED) != 0;
	const uint32 *pending;
	uint32		npending;
	uint32		invisible;
	int			count;

	CHECK_FOR_INTERRUPTS();
	if (check->serial >= PG_UINT32_MAX - 2)
	{
		memset(check->stamps, 0, sizeof(uint32) * (Size) check->meta.nitems);
		check->serial = 0;
	}
	check->serial += 2;
	npending = RecsysEventsOfUser(check->events, user->hash, &pending);
	for (uint32 i = 0; i < npending; i++)
		mark_doubtful(check, pending[i]);
	invisible = mark_invisible(check, user);

	if (large && (npending > 0 || invisible > 0))
	{
		for (uint32 i = 0; i < user->nentries; i++)
			if (!user->entries[i].orphan)
				mark_doubtful(check, user->entries[i].peer);
		return;
	}

	/* the model takes numbers for the order of keys, which decides what counts of many items */
	if (large && check->meta.nitems > check->meta.nsorted)
		check->clean = false;
	if (check->build != NULL && check->first && check->clean)
		RecsysBuildCheckAdd(check->build, user->interactions, user->ninteractions);
	count = fold_user(check, user);
	for (int i = 0; i < count; i++)
	{
		uint32		item = check->folded[i].item;

		if (item >= check->meta.nitems || check->stamps[item] == check->serial + 1)
			continue;
		check->stamps[item] = check->serial;
		if (check->first)
			count_item(check, item);
	}
	count_pairs(check, count);
}

static void
scan_users(CountCheck *check, Relation heap)
{
	RecsysUserReader *reader = RecsysUserReaderCreate(heap, check->index, check->snapshot);
	uint64		next = 0;

	RecsysEventsRewind(check->events);
	while (next <= PG_UINT32_MAX)
	{
		CHECK_FOR_INTERRUPTS();
		next = RecsysUserReaderReadBucket(reader, (uint32) next, count_user, check);
	}
	RecsysUserReaderFree(reader);
}

/*
 * Rows
 */
static bool
row_is_exact(RecsysGraphRow row)
{
	return (row->flags & (RECSYS_ROW_INEXACT | RECSYS_ROW_SHRUNK)) == 0;
}

static void
read_items(CountCheck *check)
{
	for (uint32 item = 0; item < check->meta.nitems; item++)
	{
		RecsysGraphRow row;

		CHECK_FOR_INTERRUPTS();
		row = RecsysGraphNeedRow(&check->reader, item);
		check->users[item] = row->users;
		check->exact[item] = row_is_exact(row);
		if (row->flags & RECSYS_ROW_QUEUED)
			check->clean = false;
		RecsysGraphReleaseRow(&check->reader);
	}
}

/* Rows from check->low on, as many as memory holds; at least one. */
static void
read_rows(CountCheck *check)
{
	uint64		room = (uint64) maintenance_work_mem * 1024 / 4 / sizeof(PairCount);
	uint64		count = 0;

	check->high = check->low;
	while (check->high < check->meta.nitems)
	{
		RecsysGraphRow row;
		uint32		n = check->high - check->low;

		CHECK_FOR_INTERRUPTS();
		if (n > 0 && count + RECSYS_MAX_STORED > room)
			break;
		if (n + 2 > check->maxstarts)
		{
			check->maxstarts = Max(1024, check->maxstarts * 2);
			check->starts = RecsysEnlarge(check->context, check->starts,
										  sizeof(uint64) * (Size) check->maxstarts);
		}
		if (count + RECSYS_MAX_STORED > check->maxpairs)
		{
			check->maxpairs = Max(16 * RECSYS_MAX_STORED, check->maxpairs * 2);
			check->pairs = RecsysEnlarge(check->context, check->pairs,
										 sizeof(PairCount) * check->maxpairs);
		}
		check->starts[n] = count;
		row = RecsysGraphNeedRow(&check->reader, check->high);
		for (int i = 0; i < row->nstored && check->exact[check->high]; i++)
		{
			PairCount  *pair = &check->pairs[count];

			/* both items of a pair have their part in its support */
			if (row->peers[i] >= check->meta.nitems || !check->exact[row->peers[i]])
				continue;
			pair->peer = row->peers[i];
			pair->support = RecsysRowSupports(row)[i];
			pair->certain = 0;
			count++;
		}
		RecsysGraphReleaseRow(&check->reader);
		check->starts[n + 1] = count;
		check->high++;
	}
}

static void
judge_items(CountCheck *check)
{
	for (uint32 item = 0; item < check->meta.nitems; item++)
	{
		uint64		most = (uint64) check->certain[item] + check->doubts[item];

		if (check->exact[item] &&
			(check->users[item] < check->certain[item] || check->users[item] > most))
			RecsysCountsDisagree(check->index, "Item number %u has %u users in the graph, in the table at least %u and at most %llu.",
					  item, check->users[item], check->certain[item],
					  (unsigned long long) most);
	}
}

/* Of items without doubts it is known to the last bit when users have them again. */
static void
judge_rhythms(CountCheck *check)
{
	for (uint32 item = 0; check->rhythms != NULL && item < check->meta.nitems; item++)
	{
		const RecsysRhythm *counted = &check->rhythms[item];
		RecsysGraphRow row;
		RecsysRhythm stored;

		CHECK_FOR_INTERRUPTS();
		if (!check->exact[item] || check->doubts[item] > 0)
			continue;
		row = RecsysGraphNeedRow(&check->reader, item);
		stored = row->rhythm;
		RecsysGraphReleaseRow(&check->reader);
		if (memcmp(&stored, counted, sizeof(RecsysRhythm)) != 0)
			RecsysCountsDisagree(check->index, "Item number %u has %u users with %u gaps between occasions in the graph, in the table %u users with %u gaps; or the gaps differ in length.",
								 item, stored.repeaters, stored.gaps, counted->repeaters, counted->gaps);
	}
}

static void
judge_pairs(CountCheck *check)
{
	for (uint32 item = check->low; item < check->high; item++)
	{
		for (uint64 p = check->starts[item - check->low]; p < check->starts[item - check->low + 1]; p++)
		{
			const PairCount *pair = &check->pairs[p];
			uint64		most = (uint64) pair->certain + check->doubts[item] + check->doubts[pair->peer];

			if (pair->support < pair->certain || pair->support > most)
				RecsysCountsDisagree(check->index, "Item numbers %u and %u have %u users in common in the graph, in the table at least %u and at most %llu.",
						  item, pair->peer, pair->support, pair->certain,
						  (unsigned long long) most);
		}
	}
}

/* On a standby, has replay gone on since?  Then nothing can be said. */
static bool
replay_moved(bool standby, XLogRecPtr begin)
{
	return standby && (!RecoveryInProgress() || GetCurrentReplayRecPtr(NULL) != begin);
}

void
RecsysCheckCounts(Relation heap, Relation index)
{
	CountCheck *check = palloc0(sizeof(CountCheck));
	MemoryContext old;
	bool		standby = RecoveryInProgress();
	XLogRecPtr	begin = standby ? GetXLogReplayRecPtr(NULL) : InvalidXLogRecPtr;

	/* no merge meanwhile; and the snapshot sees all that merges so far have seen */
	LockPage(index, RECSYS_META_BLOCK, ExclusiveLock);
	check->index = index;
	check->meta = RecsysRefreshCache(index)->meta;
	check->snapshot = RecsysMergeSnapshot(index);
	check->context = AllocSetContextCreate(CurrentMemoryContext, "recsys count check",
										   ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(check->context);
	check->users = by_item(check, sizeof(uint32));
	check->exact = by_item(check, sizeof(bool));
	check->certain = by_item(check, sizeof(uint32));
	check->doubts = by_item(check, sizeof(uint32));
	check->stamps = by_item(check, sizeof(uint32));
	if (check->meta.timed)
	{
		check->rhythms = by_item(check, sizeof(RecsysRhythm));
		check->user_rhythms = RecsysUserRhythmsCreate();
	}
	check->clean = true;
	RecsysGraphReaderInit(&check->reader, index);
	check->order = RecsysItemOrderForCore(RecsysItemOrderCreate(index, check->meta.nitems));

	check->events = RecsysEventsSort(index, check->meta.nitems, doubt_event, check);
	read_items(check);
	if (check->clean)
		check->build = RecsysBuildCheckCreate(index, &check->meta);
	check->first = true;
	do
	{
		CHECK_FOR_INTERRUPTS();
		read_rows(check);
		scan_users(check, heap);
		if (replay_moved(standby, begin) || RECSYS_SNAPSHOT_IS_TOO_OLD(check->snapshot))
		{
			check->clean = false;
			break;
		}
		if (check->first)
		{
			judge_items(check);
			judge_rhythms(check);
		}
		judge_pairs(check);
		check->first = false;
		check->low = check->high;
	} while (check->low < check->meta.nitems);
	if (check->build != NULL && check->clean && !replay_moved(standby, begin))
		RecsysBuildCheckJudge(check->build);

	if (check->build != NULL)
		RecsysBuildCheckFree(check->build);
	RecsysGraphReaderDone(&check->reader);
	RecsysItemOrderFree(check->order.arg);
	RecsysEventsFree(check->events);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(check->context);
	UnregisterSnapshot(check->snapshot);
	UnlockPage(index, RECSYS_META_BLOCK, ExclusiveLock);
	pfree(check);
}
