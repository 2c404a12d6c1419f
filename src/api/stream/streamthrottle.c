/*
 * streamthrottle.c
 *	  How long consumers are to wait when the target's indexes have too much to merge.
 *
 * Rows are in an index as soon as they are written, and cost every reader until they are merged.  If
 * they come faster than merges take them, it is the consumer that waits: the topic is where they can.
 */
#include "postgres.h"

#include "access/relation.h"
#include "am/entry/indexes.h"
#include "am/entry/tryopen.h"
#include "am/lists/pending.h"
#include "am/store/meta.h"
#include "api/declare/jsonfields.h"
#include "api/declare/names.h"
#include "api/stream/streamthrottle.h"
#include "catalog/pg_inherits.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* Longest wait, at twice max_pending or more, and shortest, milliseconds */
#define LONGEST_WAIT 10000
#define SHORTEST_WAIT 100

/* What was found last, by this session, is good for so long and for so many rows */
#define MICROSECONDS_KEPT 100000
#define ROWS_KEPT(limit) ((limit) / 8)
static int64 rows_since;
static char last_stream[NAMEDATALEN];
static int64 last_limit;
static TimestampTz last_time;
static int	last_wait;

/* Events that an index has yet to merge, as far as that matters: counting them takes a while. */
static int64
pending_of(Oid index, int64 limit)
{
	RecsysTried tried;
	Relation	open;
	int64		pending = 0;

	/* a partition's passes rows on, to one that is looked at by itself */
	if (get_rel_relispartition(index))
		return 0;
	open = RecsysTryOpenPages(index, AccessShareLock, &tried);
	if (open != NULL && open->rd_index->indisvalid)
	{
		/* pages are full but for the last ones */
		int64		at_most = (int64) RecsysRefreshCache(open)->meta.pending_pages * RECSYS_PAGE_EVENTS;

		if (at_most > limit)
			pending = (int64) RecsysPendingCount(open);
	}
	if (open != NULL)
		relation_close(open, AccessShareLock);
	return pending;
}

/* The most that an index of the table, or of one of its partitions, has to merge */
static int64
most_pending(Oid target, int64 limit)
{
	List	   *tables = find_all_inheritors(target, NoLock, NULL);
	int64		most = 0;
	ListCell   *cell;
	ListCell   *inner;

	foreach(cell, tables)
	{
		Relation	table;

		if (!ConditionalLockRelationOid(lfirst_oid(cell), AccessShareLock))
			continue;
		table = try_relation_open(lfirst_oid(cell), NoLock);
		if (table != NULL)
		{
			foreach(inner, RelationGetIndexList(table))
				if (RecsysKindOfIndex(lfirst_oid(inner)) == RECSYS_INTERACTIONS_INDEX)
					most = Max(most, pending_of(lfirst_oid(inner), limit));
			relation_close(table, NoLock);
		}
		UnlockRelationOid(lfirst_oid(cell), AccessShareLock);
	}
	return most;
}

static int
wait_for(int64 pending, int64 limit)
{
	if (pending <= limit)
		return 0;
	return (int) Max(Min(((double) pending / limit - 1) * LONGEST_WAIT, LONGEST_WAIT), SHORTEST_WAIT);
}

int
RecsysStreamThrottle(const char *stream, Jsonb *definition, int64 rows)
{
	int64		limit = RecsysJsonInteger(&definition->root, "max_pending", 0);
	TimestampTz now = GetCurrentTimestamp();
	Oid			target;

	if (limit <= 0)
		return 0;
	rows_since += rows;
	if (strcmp(stream, last_stream) == 0 && limit == last_limit && now >= last_time &&
		now - last_time < MICROSECONDS_KEPT && rows_since <= ROWS_KEPT(limit))
		return last_wait;
	target = RecsysKeptRelation(RecsysJsonText(&definition->root, "target"));
	last_wait = OidIsValid(target) ? wait_for(most_pending(target, limit), limit) : 0;
	last_time = now;
	rows_since = 0;
	last_limit = limit;
	strlcpy(last_stream, stream, sizeof(last_stream));
	return last_wait;
}
