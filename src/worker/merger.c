/*
 * merger.c
 *	  The process that merges the recsys indexes of one database.
 *
 * It works in rounds, one every recsys.merge_interval.  In a round each index
 * that has something pending is merged in a transaction of its own; an error in
 * one is logged and does not stop the others (backoff.c tells when the index is
 * tried again).  No transaction is open between two rounds.
 *
 * An index is taken only if it and its table can be locked without waiting, so
 * the worker never stands in a queue behind ALTER TABLE, in front of everybody
 * else.  A merge runs with the rights of the table's owner.
 *
 * Now and then it runs recsys.maintain() as well, see maintainer.c.
 *
 * DROP DATABASE, ALTER DATABASE … SET TABLESPACE and CREATE DATABASE … TEMPLATE
 * wait five seconds for other sessions to leave.  So the worker does not stay in
 * a database that no client is connected to: it leaves within a second, and
 * the launcher sends it back when the next round is due.  With clients there
 * it stays for a minute after the last change.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "am/entry/asowner.h"
#include "am/entry/indexes.h"
#include "am/entry/tryopen.h"
#include "am/items/itemsmerge.h"
#include "am/lists/pending.h"
#include "am/parts/currentstorage.h"
#include "am/parts/leaves.h"
#include "am/parts/whole.h"
#include "am/store/indexname.h"
#include "am/store/meta.h"
#include "am/whole/adopt.h"
#include "am/whole/attached.h"
#include "am/whole/shardparts.h"
#include "am/whole/storagefate.h"
#include "am/write/wake.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "commands/dbcommands.h"
#include "compat.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"
#include "worker/backoff.h"
#include "worker/maintainer.h"
#include "worker/worker.h"

/* Milliseconds without anything to do after which the worker leaves */
#define IDLE_STAY 60000

/* Milliseconds between two looks at whether clients are there */
#define CLIENT_CHECK 1000

typedef enum MergeOutcome
{
	MERGE_NOTHING,				/* nothing pending, or no such index any more */
	MERGE_DONE,					/* come again next round */
	MERGE_FAILED
} MergeOutcome;

typedef struct ServedIndex
{
	Oid			index;
	Oid			file;			/* its relfilenode, or that of its whole */
} ServedIndex;

/* What a round leaves */
typedef struct Round
{
	bool		busy;			/* something was or is still pending */
	TimestampTz retry_at;		/* the first of the failed indexes to try again, or 0 */
} Round;

/* Lives for one round */
static MemoryContext round_context;

/* The database and the index at work, for messages */
static char *database_name;
static char at_work[2 * NAMEDATALEN + 8];

/* Settings that a database or role may have for its sessions, but not for this one */
static void
fix_settings(void)
{
	static const char *const settings[][2] = {
		{"application_name", "recsys merge worker"},
		{"search_path", "pg_catalog, pg_temp"},
		{"default_transaction_isolation", "read committed"},
		{"default_transaction_read_only", "off"},
		{"zero_damaged_pages", "off"},
		{"statement_timeout", "0"},
		{"lock_timeout", "0"},
		{"idle_in_transaction_session_timeout", "0"},
		{"transaction_timeout", "0"},
	};

	/* not every version has them all */
	for (int i = 0; i < lengthof(settings); i++)
		if (GetConfigOption(settings[i][0], true, false) != NULL)
			SetConfigOption(settings[i][0], settings[i][1], PGC_SUSET, PGC_S_OVERRIDE);
}

/* Is it worth a lock: a valid index that is neither temporary nor gone?  *table gets its table. */
static bool
is_served(Oid index, Oid *table)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Form_pg_index form;
	bool		served;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_index) GETSTRUCT(tuple);
	*table = form->indrelid;
	served = form->indisvalid && form->indisready && form->indislive;
	ReleaseSysCache(tuple);
	if (!served)
		return false;

	/* it may be gone by now: get_rel_persistence would complain */
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
	if (!HeapTupleIsValid(tuple))
		return false;
	served = ((Form_pg_class) GETSTRUCT(tuple))->relpersistence != RELPERSISTENCE_TEMP;
	ReleaseSysCache(tuple);
	return served;
}

/* Merges an open index; false when there was nothing to do. */
static bool
merge_open(Relation heap, Relation index)
{
	RecsysMergeResult result;
	RecsysAsOwner before;
	bool		stuck;
	RecsysMetaData meta = RecsysRefreshCache(index)->meta;

	if (RecsysPendingCount(index) == 0 && meta.queued == 0 && meta.unsaid == 0 && !RecsysWholeHasWork(index))
		return false;

	RecsysBeginAsOwner(heap, &before);
	stuck = RecsysMergeAny(heap, index, RECSYS_MERGE_BOUNDED, &result) &&
		result.merged == 0 && result.recomputed == 0 && RecsysPendingCount(index) == 0;
	RecsysEndAsOwner(&before);

	/* what is queued and not touched by a merge is not a reason to stay */
	return !stuck;
}

static bool
lacks_whole(Oid index)
{
	return get_rel_relkind(index) == RELKIND_PARTITIONED_INDEX && !OidIsValid(RecsysWholeOf(index));
}

/* The partitions of a table, which is locked; false: somebody else has one of them. */
static bool
lock_leaves(Oid table, LOCKMODE lockmode)
{
	ListCell   *cell;

	foreach(cell, RecsysLeafTables(table))
		if (!ConditionalLockRelationOid(lfirst_oid(cell), lockmode))
			return false;
	return true;
}

/*
 * Locks the table of an index and its partitions, which a merge reads, without waiting.  Of a partitioned one
 * that has no whole yet it is made here, if all partitions can be locked for a build.
 */
static bool
lock_table(Oid table, Oid index)
{
	if (lacks_whole(index))
	{
		if (!ConditionalLockRelationOid(table, ShareRowExclusiveLock) || !lock_leaves(table, ShareLock))
			return false;
		(void) RecsysEnsureWhole(index);
		RecsysEmptyParts(index);
		return true;
	}
	return ConditionalLockRelationOid(table, RowExclusiveLock) &&
		(get_rel_relkind(index) != RELKIND_PARTITIONED_INDEX || lock_leaves(table, AccessShareLock));
}

/* Merges an index within a transaction. */
static MergeOutcome
merge_index(Oid index)
{
	Oid			table;
	Relation	heap;
	Relation	relation;
	RecsysTried tried;
	bool		busy = false;

	/* Citus is about to drop what a move has left, and waits for nobody */
	if (!is_served(index, &table) || RecsysShardIsElsewhere(table) ||
		(lacks_whole(index) && (!RecsysShardIsComplete(table, false) || !RecsysAllLeavesHaveParts(index))))
		return MERGE_NOTHING;
	if (!lock_table(table, index))
		return MERGE_DONE;
	heap = try_relation_open(table, NoLock);
	if (heap == NULL)
		return MERGE_NOTHING;
	relation = RecsysTryOpenPages(index, RowExclusiveLock, &tried);
	if (relation == NULL)
		return tried == RECSYS_TRIED_LOCKED ? MERGE_DONE : MERGE_NOTHING;

	/* it may have changed before it was locked */
	if (is_served(index, &table))
	{
		char		activity[sizeof(at_work) + 32];

		snprintf(at_work, sizeof(at_work), "%s.%s", get_namespace_name(get_rel_namespace(index)),
				 RecsysIndexName(relation));
		snprintf(activity, sizeof(activity), "recsys: merging %s", at_work);
		pgstat_report_activity(STATE_RUNNING, activity);
		busy = merge_open(heap, relation);
	}
	relation_close(relation, NoLock);
	relation_close(heap, NoLock);
	return busy ? MERGE_DONE : MERGE_NOTHING;
}

/* An index has failed: log it unless that is no news. */
static void
log_failure(const ServedIndex *served, const ErrorData *error)
{
	bool		news;
	TimestampTz until = RecsysBackoffFailed(served->index, served->file, error->message, &news);
	long		seconds = (TimestampDifferenceMilliseconds(GetCurrentTimestamp(), until) + 999) / 1000;

	ereport(news ? WARNING : DEBUG1,
			(errcode(error->sqlerrcode),
			 errmsg("recsys index \"%s\" could not be merged: %s", at_work, error->message),
			 error->detail ? errdetail_internal("%s", error->detail) : 0,
			 error->hint ? errhint("%s", error->hint) : 0,
			 errcontext("Background merge in database \"%s\", to be tried again in %ld s, then less often.",
						database_name, seconds)));
}

/* Merges an index in its own transaction, whatever happens. */
static MergeOutcome
try_index(const ServedIndex *served)
{
	MergeOutcome outcome;

	snprintf(at_work, sizeof(at_work), "%u", served->index);
	PG_TRY();
	{
		SetCurrentStatementStartTimestamp();
		StartTransactionCommand();
		outcome = merge_index(served->index);
		CommitTransactionCommand();
		if (outcome == MERGE_DONE && RecsysBackoffSucceeded(served->index, served->file))
			ereport(LOG, (errmsg("recsys index \"%s\" is merged again", at_work)));
	}
	PG_CATCH();
	{
		ErrorData  *error;

		HOLD_INTERRUPTS();
		MemoryContextSwitchTo(round_context);
		error = CopyErrorData();
		FlushErrorState();
		AbortCurrentTransaction();
		RESUME_INTERRUPTS();

		log_failure(served, error);
		outcome = MERGE_FAILED;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(round_context);
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
	return outcome;
}

/* The indexes to look at in this round, as ServedIndex */
static List *
list_indexes(void)
{
	List	   *indexes;
	List	   *served = NIL;
	ListCell   *cell;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	MemoryContextSwitchTo(round_context);
	if (database_name == NULL)
		database_name = MemoryContextStrdup(TopMemoryContext, get_database_name(MyDatabaseId));

	indexes = RecsysAllIndexes();
	foreach(cell, indexes)
	{
		HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(lfirst_oid(cell)));
		ServedIndex *one;

		if (!HeapTupleIsValid(tuple))
			continue;
		one = palloc(sizeof(ServedIndex));
		one->index = lfirst_oid(cell);
		one->file = ((Form_pg_class) GETSTRUCT(tuple))->relkind == RELKIND_PARTITIONED_INDEX ?
			RecsysFileOf(RecsysWholeOf(lfirst_oid(cell))) : ((Form_pg_class) GETSTRUCT(tuple))->relfilenode;
		served = lappend(served, one);
		ReleaseSysCache(tuple);
	}
	CommitTransactionCommand();
	MemoryContextSwitchTo(round_context);
	return served;
}

static void
run_round(Round *round)
{
	List	   *indexes;
	ListCell   *cell;

	round->busy = false;
	round->retry_at = 0;
	MemoryContextReset(round_context);
	if (RecsysMergeInterval == 0)
		return;
	indexes = list_indexes();

	foreach(cell, indexes)
	{
		ServedIndex *served = lfirst(cell);
		TimestampTz until = RecsysBackoffUntil(served->index, served->file);

		CHECK_FOR_INTERRUPTS();
		if (until <= GetCurrentTimestamp())
		{
			MergeOutcome outcome = try_index(served);

			round->busy |= outcome == MERGE_DONE;
			until = outcome == MERGE_FAILED ? RecsysBackoffUntil(served->index, served->file) : 0;
		}
		if (until != 0 && (round->retry_at == 0 || until < round->retry_at))
			round->retry_at = until;
	}
}

/*
 * Should the worker go, at its leisure between two rounds?  quiet_since is when
 * the last busy round ended.
 */
static bool
should_leave(TimestampTz now, TimestampTz quiet_since)
{
	if (RecsysMergeInterval == 0 || RecsysWakeCrowded())
		return true;
	if (CountDBConnections(MyDatabaseId) == 0)
		return true;
	return RecsysWakeUrgency() == RECSYS_CALM &&
		now >= TimestampTzPlusMilliseconds(quiet_since, IDLE_STAY);
}

/* Sleeps until the next round, or returns false when the worker should leave. */
static bool
await_round(TimestampTz started, TimestampTz ended, TimestampTz quiet_since)
{
	static uint32 wait_event = 0;

	if (wait_event == 0)
		wait_event = RECSYS_WAIT_EVENT("RecsysMergeWorkerMain");

	for (;;)
	{
		TimestampTz now = GetCurrentTimestamp();
		TimestampTz next = TimestampTzPlusMilliseconds(ended, RECSYS_SHORTEST_PAUSE);
		long		timeout;

		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}

		if (RecsysWakeUrgency() < RECSYS_URGENT)
			next = Max(next, TimestampTzPlusMilliseconds(started, RecsysMergeInterval));
		if (should_leave(now, quiet_since))
			return false;
		if (now >= next)
			return true;

		timeout = Min(TimestampDifferenceMilliseconds(now, next), CLIENT_CHECK);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 timeout, wait_event);
		ResetLatch(MyLatch);
	}
}

/* Looks whether recsys.maintain is due, at *next or, if the setting has become shorter, before. */
static void
maintain(TimestampTz *next)
{
	TimestampTz now = GetCurrentTimestamp();

	if (*next <= now || *next > now + RecsysMaintainInterval * USECS_PER_SEC)
		*next = RecsysMaintainIfDue(round_context);
}

void
RecsysMergeWorkerMain(Datum argument)
{
	Oid			database = DatumGetObjectId(argument);
	TimestampTz quiet_since;
	TimestampTz next_maintenance = 0;
	Round		round;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	fix_settings();
	if (!RecsysWakeAttachWorker())
		proc_exit(1);

	round_context = AllocSetContextCreate(TopMemoryContext, "recsys merge round",
										  ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(round_context);
	quiet_since = GetCurrentTimestamp();

	for (;;)
	{
		TimestampTz started = GetCurrentTimestamp();
		TimestampTz ended;

		RecsysWakeTake();
		run_round(&round);
		maintain(&next_maintenance);
		ended = GetCurrentTimestamp();

		/* the launcher is to know, in case the worker leaves */
		if (round.busy)
		{
			RecsysNotePending();
			quiet_since = ended;
		}
		if (!await_round(started, ended, quiet_since))
			break;
	}

	pgstat_report_stat(true);
	RecsysWakeLeave(round.retry_at);
	proc_exit(0);
}
