/*
 * teamscan.c
 *	  The heap scan of an index build, with parallel workers.
 *
 * Workers share one parallel table scan, evaluate the index expressions, detoast and check what
 * is to be indexed, and send batches of rows.  The leader takes them; when there is nothing to
 * receive it takes part in the scan.
 *
 * The order of rows differs from build to build, as it does with synchronized scans: nothing
 * that an index answers depends on it.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/parallel.h"
#include "access/relscan.h"
#include "access/table.h"
#include "am/build/teamscan.h"
#include "catalog/index.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/snapmgr.h"

/* A batch is sent when it has this many bytes; a queue holds some batches. */
#define BATCH_BYTES 16 * 1024
#define QUEUE_BYTES ((Size) 256 * 1024)

/* The leader looks for messages every so many rows of its own. */
#define ROWS_PER_POLL 64

/* Shared by leader and workers; the description of the table scan follows. */
typedef struct SharedScan
{
	Oid			heap;
	Oid			index;
	bool		concurrent;
} SharedScan;

#define SharedScanTable(shared) \
	((ParallelTableScanDesc) ((char *) (shared) + BUFFERALIGN(sizeof(SharedScan))))

/* What a message is: rows, or the worker's last one */
typedef struct BatchHeader
{
	uint32		nrows;			/* 0: the last */
	bool		broken_hot_chain;	/* of the last: what the scan found */
	double		heap_tuples;
} BatchHeader;

typedef struct Leader
{
	IndexBuildCallback callback;
	RecsysTakeRow take;
	void	   *arg;
	RecsysWorkers *workers;
	int			nworkers;
	int			nended;			/* workers whose last message has come */
	uint32		nrows;			/* of our own since the last poll */
	double		heap_tuples;	/* of the workers */
	bool		broken_hot_chain;
} Leader;

typedef struct Scanning
{
	RecsysScanSender sender;
	IndexBuildCallback callback;
} Scanning;

/* Worker */

static void
send_batch(RecsysScanSender *sender)
{
	BatchHeader header = {.nrows = sender->nrows};

	RecsysWorkerSend(&sender->worker, &header, sizeof(header), sender->batch.data,
					 sender->batch.len, false);
	resetStringInfo(&sender->batch);
	sender->nrows = 0;
}

void
RecsysScanSend(RecsysScanSender *sender)
{
	sender->nrows++;
	if (sender->batch.len >= BATCH_BYTES)
		send_batch(sender);
}

static void
worker_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	Scanning   *scanning = arg;

	/* no use in going on when the leader has gone; it is about to end us */
	if (scanning->sender.worker.abandoned)
		CHECK_FOR_INTERRUPTS();
	else
		scanning->callback(index, tid, values, isnull, alive, &scanning->sender);
}

void
RecsysScanWorker(dsm_segment *segment, shm_toc *toc, void *(*begin) (Relation index),
				 IndexBuildCallback callback)
{
	Scanning	scanning = {.callback = callback};
	RecsysScanSender *sender = &scanning.sender;
	SharedScan *shared = RecsysWorkerBegin(&sender->worker, segment, toc);
	BatchHeader last = {0};
	Relation	heap;
	Relation	index;
	IndexInfo  *info;
	LOCKMODE	heap_lock = shared->concurrent ? ShareUpdateExclusiveLock : ShareLock;

	/* the leader has such locks, or stronger ones, which do not conflict within its group */
	heap = table_open(shared->heap, heap_lock);
	index = index_open(shared->index, AccessShareLock);
	sender->state = begin(index);
	initStringInfo(&sender->batch);

	info = BuildIndexInfo(index);
	info->ii_Concurrent = shared->concurrent;
	last.heap_tuples = table_index_build_scan(heap, index, info, true, false, worker_row, &scanning,
											  table_beginscan_parallel(heap, SharedScanTable(shared)));
	if (sender->nrows > 0)
		send_batch(sender);
	last.broken_hot_chain = info->ii_BrokenHotChain;
	RecsysWorkerSend(&sender->worker, &last, sizeof(BatchHeader), NULL, 0, true);

	index_close(index, AccessShareLock);
	table_close(heap, heap_lock);
	RecsysWorkerEnd(&sender->worker);
}

/* Leader */

/* Take one message of each worker; false if there was none. */
static bool
take_messages(Leader *leader)
{
	bool		taken = false;

	CHECK_FOR_INTERRUPTS();
	for (int worker = 0; worker < leader->nworkers; worker++)
	{
		const void *message;
		Size		size;
		BatchHeader header;
		const char *place;

		if (!RecsysWorkersReceive(leader->workers, worker, &message, &size))
			continue;
		memcpy(&header, message, sizeof(header));
		place = (const char *) message + sizeof(header);
		for (uint32 row = 0; row < header.nrows; row++)
			place = leader->take(leader->arg, place);
		if (place != (const char *) message + size)
			elog(ERROR, "invalid batch of %zu bytes from a recsys parallel worker", size);
		if (header.nrows == 0)
		{
			leader->nended++;
			leader->heap_tuples += header.heap_tuples;
			leader->broken_hot_chain |= header.broken_hot_chain;
		}
		taken = true;
	}
	return taken;
}

static void
leader_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	Leader	   *leader = arg;

	leader->callback(index, tid, values, isnull, alive, leader->arg);

	/* nobody else can add rows, but everybody can scan */
	if (++leader->nrows >= ROWS_PER_POLL)
	{
		leader->nrows = 0;
		while (take_messages(leader))
			 /* take more */ ;
	}
}

static double
scan_parallel(Leader *leader, Relation heap, Relation index, IndexInfo *info, int nworkers,
			  const char *function)
{
	Snapshot	snapshot = SnapshotAny;
	SharedScan *shared;
	double		heap_tuples;

	/* as in a serial scan: all rows, or, if others write, those of a snapshot */
	if (info->ii_Concurrent)
		snapshot = RegisterSnapshot(GetTransactionSnapshot());
	leader->workers = RecsysWorkersCreate(function, nworkers, QUEUE_BYTES,
										  BUFFERALIGN(sizeof(SharedScan)) +
										  table_parallelscan_estimate(heap, snapshot),
										  (void **) &shared);
	shared->heap = RelationGetRelid(heap);
	shared->index = RelationGetRelid(index);
	shared->concurrent = info->ii_Concurrent;
	table_parallelscan_initialize(heap, SharedScanTable(shared), snapshot);
	leader->nworkers = RecsysWorkersLaunch(leader->workers);

	heap_tuples = table_index_build_scan(heap, index, info, true, true, leader_row, leader,
										 table_beginscan_parallel(heap, SharedScanTable(shared)));
	for (;;)
	{
		while (take_messages(leader))
			 /* take more */ ;
		if (RecsysWorkersDone(leader->workers))
			break;
		RecsysWorkersWait(leader->workers);
	}

	/* this raises the error of a worker that had one */
	RecsysWorkersFinish(leader->workers);
	if (leader->nended != leader->nworkers)
		elog(ERROR, "the scans of %d workers are missing", leader->nworkers - leader->nended);
	if (snapshot != SnapshotAny)
		UnregisterSnapshot(snapshot);
	info->ii_BrokenHotChain |= leader->broken_hot_chain;
	ereport(DEBUG1,
			(errmsg_internal("recsys: table scanned with %d of %d planned workers, %.0f of %.0f rows by them",
							 leader->nworkers, nworkers, leader->heap_tuples,
							 heap_tuples + leader->heap_tuples)));
	return heap_tuples + leader->heap_tuples;
}

double
RecsysTeamScan(Relation heap, Relation index, struct IndexInfo *info, int nworkers,
			   const char *function, IndexBuildCallback callback, RecsysTakeRow take, void *arg)
{
	Leader		leader = {.callback = callback,.take = take,.arg = arg};

	if (nworkers > 0)
		return scan_parallel(&leader, heap, index, info, nworkers, function);
	return table_index_build_scan(heap, index, info, true, true, callback, arg, NULL);
}
