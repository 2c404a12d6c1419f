/*
 * launcher.c
 *	  The process that starts a merge worker in each database that needs one.
 *
 * It is connected to no database, so all it knows of them is pg_database and
 * what sessions and workers say in shared memory (am/write/wake.h).  A worker
 * is due in a database
 *	  - at once, when a pending list is over its limit;
 *	  - one interval after the last worker's start, when there is something pending;
 *	  - when an index whose merge has failed may be tried again;
 *	  - every ten minutes, or recsys.maintain_interval if that is shorter, and when this
 *		process starts, in any case: there may be events from before a restart of the server,
 *		shared memory has room for a limited number of databases, and recsys.maintain() may
 *		be due.  Where there is nothing to do that is a matter of milliseconds.
 *
 * A database where workers die is tried again after growing pauses.
 *
 * It also sees to it that the process that runs the stream program is there (streamlauncher.c).
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "am/write/wake.h"
#include "catalog/pg_database.h"
#include "compat.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"
#include "worker/backoff.h"
#include "worker/launcher.h"
#include "worker/maintainer.h"
#include "worker/streamlauncher.h"
#include "worker/worker.h"

/* Milliseconds between two visits to a database where nothing seems to happen */
#define VISIT_INTERVAL 600000

/* Milliseconds after which a worker that could not be started is tried again */
#define SUPPLY_INTERVAL 10000

int			RecsysMergeWorkers = 2;

typedef struct Database
{
	Oid			oid;
	bool		listed;			/* seen by the present look at pg_database */
	bool		visit;			/* due in any case */
	TimestampTz started;		/* last worker's start, 0 = never */
	TimestampTz not_before;		/* after failures */
	int			failures;		/* workers that died, one after the other */
	BackgroundWorkerHandle *handle; /* of the worker there, or NULL */
} Database;

static Database *databases = NULL;
static int	ndatabases = 0;
static int	size = 0;

/* The last attempt to start a worker failed; no other before then */
static TimestampTz supply_at = 0;

static Database *
find_database(Oid oid)
{
	for (int i = 0; i < ndatabases; i++)
		if (databases[i].oid == oid)
			return &databases[i];
	return NULL;
}

static Database *
add_database(Oid oid)
{
	if (ndatabases == size)
	{
		size = size == 0 ? 16 : 2 * size;
		databases = databases == NULL ?
			MemoryContextAllocHuge(TopMemoryContext, sizeof(Database) * size) :
			repalloc_huge(databases, sizeof(Database) * size);
	}
	memset(&databases[ndatabases], 0, sizeof(Database));
	databases[ndatabases].oid = oid;
	return &databases[ndatabases++];
}

/* Forgets databases that are gone, once no worker is there. */
static void
drop_unlisted(void)
{
	int			kept = 0;

	for (int i = 0; i < ndatabases; i++)
	{
		if (databases[i].listed || databases[i].handle != NULL)
			databases[kept++] = databases[i];
		else
			RecsysWakeForget(databases[i].oid);
	}
	ndatabases = kept;
}

/* Brings the list of databases up to date. */
static void
read_databases(void)
{
	Relation	pg_database;
	TableScanDesc scan;
	HeapTuple	tuple;

	for (int i = 0; i < ndatabases; i++)
		databases[i].listed = false;

	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	pg_database = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(pg_database, 0, NULL);
	while (HeapTupleIsValid(tuple = heap_getnext(scan, ForwardScanDirection)))
	{
		Form_pg_database form = (Form_pg_database) GETSTRUCT(tuple);
		Database   *database;

		/* what DROP DATABASE left half done has a connection limit of -2 */
		if (!form->datallowconn || form->datconnlimit < -1)
			continue;
		database = find_database(form->oid);
		if (database == NULL)
			database = add_database(form->oid);
		database->listed = true;
	}
	table_endscan(scan);
	table_close(pg_database, AccessShareLock);
	CommitTransactionCommand();

	drop_unlisted();
}

static RecsysWakeState *
find_state(RecsysWakeState *states, int nstates, Oid database)
{
	for (int i = 0; i < nstates; i++)
		if (states[i].database == database)
			return &states[i];
	return NULL;
}

/* Has the worker of a database ended? */
static void
collect_worker(Database *database, TimestampTz now)
{
	pid_t		pid;

	if (database->handle == NULL ||
		GetBackgroundWorkerPid(database->handle, &pid) != BGWH_STOPPED)
		return;
	pfree(database->handle);
	database->handle = NULL;

	if (RecsysWakeLeft(database->oid))
		database->failures = 0;
	else
	{
		int			delay = RecsysBackoffDelay(Max(RecsysMergeInterval, 1000), database->failures);

		database->not_before = TimestampTzPlusMilliseconds(now, delay);
		if (database->failures < INT_MAX)
			database->failures++;
		database->visit = true;
	}
}

/* When does a database without a worker need one?  DT_NOEND: as things stand, never. */
static TimestampTz
due_time(const Database *database, const RecsysWakeState *state)
{
	TimestampTz due = DT_NOEND;

	if (state != NULL && state->retry_at != 0)
		due = state->retry_at;
	if (state != NULL && RecsysMergeInterval > 0 && state->urgency == RECSYS_PENDING)
		due = Min(due, TimestampTzPlusMilliseconds(database->started, RecsysMergeInterval));
	if (state != NULL && RecsysMergeInterval > 0 && state->urgency == RECSYS_URGENT)
		due = Min(due, TimestampTzPlusMilliseconds(database->started, RECSYS_SHORTEST_PAUSE));
	if (database->visit)
		due = 0;
	return Max(due, database->not_before);
}

/* False when the server has no room for another background worker. */
static bool
start_worker(Database *database, TimestampTz now)
{
	BackgroundWorker worker;
	MemoryContext old;
	bool		started;

	RecsysDescribeWorker(&worker, "RecsysMergeWorkerMain", "recsys merge worker");
	snprintf(worker.bgw_name, sizeof(worker.bgw_name), "recsys merge worker for database %u",
			 database->oid);
	worker.bgw_main_arg = ObjectIdGetDatum(database->oid);
	worker.bgw_notify_pid = MyProcPid;

	RecsysWakeStarting(database->oid);
	old = MemoryContextSwitchTo(TopMemoryContext);
	started = RegisterDynamicBackgroundWorker(&worker, &database->handle);
	MemoryContextSwitchTo(old);
	if (started)
	{
		database->started = now;
		database->visit = false;
	}
	else
	{
		database->handle = NULL;
		database->visit = true;
		if (supply_at == 0)
			ereport(LOG,
					(errmsg("there is no background worker slot left to merge recsys indexes"),
					 errhint("Increase max_worker_processes, or decrease recsys.merge_workers.")));
	}
	return started;
}

/*
 * Starts the workers that are due, longest without one first.  Returns when the
 * next one will be.
 */
static TimestampTz
start_due(RecsysWakeState *states, int nstates, TimestampTz now)
{
	for (;;)
	{
		Database   *next = NULL;
		TimestampTz later = DT_NOEND;
		int			running = 0;

		for (int i = 0; i < ndatabases; i++)
		{
			Database   *database = &databases[i];
			RecsysWakeState *state = find_state(states, nstates, database->oid);
			TimestampTz due;

			/* a worker without handle was started by an earlier launcher */
			if (database->handle != NULL || (state != NULL && state->served))
			{
				running++;
				continue;
			}
			due = due_time(database, state);
			if (due > now)
				later = Min(later, due);
			else if (next == NULL || database->started < next->started)
				next = database;
		}

		if (next == NULL || running >= RecsysMergeWorkers)
		{
			RecsysWakeSetSupply(true, next != NULL);
			supply_at = 0;
			return later;
		}
		if (supply_at > now || !start_worker(next, now))
		{
			if (supply_at <= now)
				supply_at = TimestampTzPlusMilliseconds(now, SUPPLY_INTERVAL);
			RecsysWakeSetSupply(false, true);
			return supply_at;
		}
	}
}

/* Milliseconds from one visit of all databases to the next */
static int
visit_interval(void)
{
	if (RecsysMaintainInterval == 0 || RecsysMaintainInterval >= VISIT_INTERVAL / 1000)
		return VISIT_INTERVAL;
	return RecsysMaintainInterval * 1000;
}

/* One round; returns when the next one is due. */
static TimestampTz
serve(TimestampTz *next_visit)
{
	static RecsysWakeState states[RECSYS_WAKE_SLOTS];
	TimestampTz now = GetCurrentTimestamp();
	int			nstates;
	TimestampTz due;

	for (int i = 0; i < ndatabases; i++)
		collect_worker(&databases[i], now);
	nstates = RecsysWakeRead(states);

	/* none is to be started in a database that has been dropped since */
	read_databases();
	for (int i = 0; i < nstates; i++)
		if (find_database(states[i].database) == NULL)
			RecsysWakeForget(states[i].database);

	if (now >= *next_visit)
	{
		for (int i = 0; i < ndatabases; i++)
			databases[i].visit = true;
		*next_visit = TimestampTzPlusMilliseconds(now, visit_interval());
	}

	due = start_due(states, nstates, now);
	return Min(due, *next_visit);
}

void
RecsysLauncherMain(Datum argument)
{
	TimestampTz next_visit = 0;
	uint32		wait_event;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	RecsysWakeAttachLauncher();
	pgstat_report_appname("recsys merge launcher");
	wait_event = RECSYS_WAIT_EVENT("RecsysLauncherMain");

	for (;;)
	{
		TimestampTz due = DT_NOEND;
		long		timeout = -1;

		CHECK_FOR_INTERRUPTS();
		if (ShutdownRequestPending)
			break;
		if (ConfigReloadPending)
		{
			bool		merged = RecsysMergeInterval > 0;

			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);

			/* while there is no merging anything may become pending; intervals may be shorter now */
			if ((!merged && RecsysMergeInterval > 0) ||
				next_visit > TimestampTzPlusMilliseconds(GetCurrentTimestamp(), visit_interval()))
				next_visit = 0;
		}

		/* workers see to it themselves that they end; afterwards anything may be pending */
		if (RecsysMergeInterval == 0 && RecsysMaintainInterval == 0)
			next_visit = 0;
		else
			due = serve(&next_visit);
		due = Min(due, RecsysKeepStreamLauncher());
		if (due != DT_NOEND)
			timeout = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), due);

		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (timeout >= 0 ? WL_TIMEOUT : 0),
						 timeout, wait_event);
		ResetLatch(MyLatch);
	}

	/* one that was ended by hand is to come back */
	proc_exit(1);
}
