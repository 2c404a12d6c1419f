/*
 * build_parallel.c
 *	  The heap scan of an index build, with parallel workers.
 *
 * Workers share one parallel table scan, evaluate the index expressions, detoast
 * and check the keys, and send batches of rows.  The leader adds them to the
 * collector, which is one for all as it numbers the keys; when there is nothing
 * to receive it takes part in the scan.
 *
 * The order of rows differs from build to build, as it does with synchronized
 * scans: nothing that an index answers depends on it.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/parallel.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "am/build/build_parallel.h"
#include "am/store/page.h"
#include "catalog/index.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "optimizer/optimizer.h"
#include "source/team/workers.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* A batch is sent when it has this many bytes; a queue holds some batches. */
#define BATCH_BYTES ((Size) 16 * 1024)
#define QUEUE_BYTES ((Size) 256 * 1024)

/* The leader looks for messages every so many rows of its own. */
#define ROWS_PER_POLL 64

/* Flags of a row in a batch */
#define ROW_HAS_USER	0x01
#define ROW_HAS_ITEM	0x02
#define ROW_DEAD		0x04

/* The longest row: flags, position, weight, time, two keys with their lengths */
#define MAX_ROW_BYTES \
	(1 + sizeof(uint64) + sizeof(double) + sizeof(int64) + 2 * (sizeof(uint16) + RECSYS_MAX_KEY_LEN))

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

/* Forms rows, in the leader and in a worker */
typedef struct RowSource
{
	const RecsysColumns *columns;
	MemoryContext context;		/* for one row */
	RecsysAddRow add;
	void	   *arg;
} RowSource;

typedef struct Leader
{
	RowSource	source;
	RecsysWorkers *workers;
	int			nworkers;
	int			nended;			/* workers whose last message has come */
	uint32		nrows;			/* of our own since the last poll */
	double		heap_tuples;	/* of the workers */
	bool		broken_hot_chain;
} Leader;

typedef struct Sender
{
	RowSource	source;
	RecsysWorker worker;
	BatchHeader header;
	char	   *batch;
	Size		used;
} Sender;

PGDLLEXPORT void recsys_build_worker_main(dsm_segment *segment, shm_toc *toc);

/*
 * The server asks the planner for its own index types only.  Empty tables are
 * indexed all the time: when one is created, at TRUNCATE.
 */
int
RecsysBuildWorkers(Relation heap, Relation index)
{
	if (!IsNormalProcessingMode() || IsParallelWorker() || IsInParallelMode() ||
		RelationGetNumberOfBlocks(heap) == 0)
		return 0;
	return plan_create_index_workers(RelationGetRelid(heap), RelationGetRelid(index));
}

static void
init_source(RowSource *source, const RecsysColumns *columns, RecsysAddRow add, void *arg)
{
	source->columns = columns;
	source->context = AllocSetContextCreate(CurrentMemoryContext, "recsys build row",
											ALLOCSET_DEFAULT_SIZES);
	source->add = add;
	source->arg = arg;
}

static void
form_row(RowSource *source, Relation index, ItemPointer tid, Datum *values, bool *isnull,
		 bool alive)
{
	MemoryContext old = MemoryContextSwitchTo(source->context);
	RecsysRow	row;
	RecsysCollected collected;

	RecsysFormRow(index, source->columns, values, isnull, &row);
	if (row.has_user || row.has_item)
	{
		collected.user = row.has_user ? &row.user : NULL;
		collected.item = row.has_item ? &row.item : NULL;
		collected.weight = row.weight;
		collected.time = row.time;
		collected.position = RecsysTidPosition(tid);
		collected.dead = !alive;
		source->add(source->arg, &collected);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(source->context);
}

/* Worker */

static char *
put_key(char *place, RecsysKeyKind kind, const RecsysKey *key)
{
	uint16		len = (uint16) key->len;

	memcpy(place, &len, sizeof(len));
	RecsysKeyStore(kind, key, place + sizeof(len));
	return place + sizeof(len) + len;
}

static void
send_batch(Sender *sender)
{
	RecsysWorkerSend(&sender->worker, &sender->header, sizeof(BatchHeader),
					 sender->batch, sender->used, false);
	sender->used = 0;
	sender->header.nrows = 0;
}

static void
put_row(void *arg, const RecsysCollected *row)
{
	Sender	   *sender = arg;
	const RecsysColumns *columns = sender->source.columns;
	char	   *place = sender->batch + sender->used;

	*place++ = (row->user != NULL ? ROW_HAS_USER : 0) |
		(row->item != NULL ? ROW_HAS_ITEM : 0) |
		(row->dead ? ROW_DEAD : 0);
	memcpy(place, &row->position, sizeof(row->position));
	place += sizeof(row->position);
	if (columns->weight_column > 0)
	{
		memcpy(place, &row->weight, sizeof(row->weight));
		place += sizeof(row->weight);
	}
	if (columns->time_column > 0)
	{
		memcpy(place, &row->time, sizeof(row->time));
		place += sizeof(row->time);
	}
	if (row->user != NULL)
		place = put_key(place, columns->user_kind, row->user);
	if (row->item != NULL)
		place = put_key(place, columns->item_kind, row->item);

	sender->used = place - sender->batch;
	sender->header.nrows++;
	if (sender->used >= BATCH_BYTES)
		send_batch(sender);
}

static void
worker_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	Sender	   *sender = arg;

	/* no use in going on when the leader has gone; it is about to end us */
	if (sender->worker.abandoned)
		CHECK_FOR_INTERRUPTS();
	else
		form_row(&sender->source, index, tid, values, isnull, alive);
}

void
recsys_build_worker_main(dsm_segment *segment, shm_toc *toc)
{
	Sender		sender = {0};
	SharedScan *shared = RecsysWorkerBegin(&sender.worker, segment, toc);
	Relation	heap;
	Relation	index;
	RecsysColumns columns;
	IndexInfo  *info;
	TableScanDesc scan;
	LOCKMODE	heap_lock = shared->concurrent ? ShareUpdateExclusiveLock : ShareLock;
	LOCKMODE	index_lock = shared->concurrent ? RowExclusiveLock : AccessExclusiveLock;

	/* the leader has the same locks, which do not conflict within its group */
	heap = table_open(shared->heap, heap_lock);
	index = index_open(shared->index, index_lock);
	RecsysGetColumns(index, &columns);
	init_source(&sender.source, &columns, put_row, &sender);
	sender.batch = palloc(BATCH_BYTES + MAX_ROW_BYTES);

	info = BuildIndexInfo(index);
	info->ii_Concurrent = shared->concurrent;
	scan = table_beginscan_parallel(heap, SharedScanTable(shared));
	sender.header.heap_tuples = table_index_build_scan(heap, index, info, true, false,
													   worker_row, &sender, scan);
	if (sender.header.nrows > 0)
		send_batch(&sender);
	sender.header.broken_hot_chain = info->ii_BrokenHotChain;
	RecsysWorkerSend(&sender.worker, &sender.header, sizeof(BatchHeader), NULL, 0, true);

	index_close(index, index_lock);
	table_close(heap, heap_lock);
	RecsysWorkerEnd(&sender.worker);
}

/* Leader */

static const char *
take_key(const char *place, RecsysKeyKind kind, RecsysKey *key)
{
	uint16		len;

	memcpy(&len, place, sizeof(len));
	RecsysKeyLoad(kind, place + sizeof(len), len, key);
	return place + sizeof(len) + len;
}

static const char *
take_row(Leader *leader, const char *place)
{
	const RecsysColumns *columns = leader->source.columns;
	RecsysCollected row;
	RecsysKey	user;
	RecsysKey	item;
	uint8		flags = (uint8) *place++;

	row.user = NULL;
	row.item = NULL;
	row.weight = 1.0;
	row.time = RECSYS_NO_TIME;
	row.dead = (flags & ROW_DEAD) != 0;
	memcpy(&row.position, place, sizeof(row.position));
	place += sizeof(row.position);
	if (columns->weight_column > 0)
	{
		memcpy(&row.weight, place, sizeof(row.weight));
		place += sizeof(row.weight);
	}
	if (columns->time_column > 0)
	{
		memcpy(&row.time, place, sizeof(row.time));
		place += sizeof(row.time);
	}
	if (flags & ROW_HAS_USER)
	{
		place = take_key(place, columns->user_kind, &user);
		row.user = &user;
	}
	if (flags & ROW_HAS_ITEM)
	{
		place = take_key(place, columns->item_kind, &item);
		row.item = &item;
	}
	leader->source.add(leader->source.arg, &row);
	return place;
}

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
			place = take_row(leader, place);
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

	form_row(&leader->source, index, tid, values, isnull, alive);

	/* nobody else can add rows, but everybody can scan */
	if (leader->nworkers > 0 && ++leader->nrows >= ROWS_PER_POLL)
	{
		leader->nrows = 0;
		while (take_messages(leader))
			 /* take more */ ;
	}
}

static double
scan_parallel(Leader *leader, Relation heap, Relation index, IndexInfo *info, int nworkers)
{
	Snapshot	snapshot = SnapshotAny;
	SharedScan *shared;
	double		heap_tuples;

	/* as in a serial scan: all rows, or, if others write, those of a snapshot */
	if (info->ii_Concurrent)
		snapshot = RegisterSnapshot(GetTransactionSnapshot());
	leader->workers = RecsysWorkersCreate("recsys_build_worker_main", nworkers, QUEUE_BYTES,
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
RecsysBuildScan(Relation heap, Relation index, struct IndexInfo *info,
				const RecsysColumns *columns, int nworkers, RecsysAddRow add, void *arg)
{
	Leader		leader = {0};
	double		heap_tuples;

	init_source(&leader.source, columns, add, arg);
	if (nworkers > 0)
		heap_tuples = scan_parallel(&leader, heap, index, info, nworkers);
	else
		heap_tuples = table_index_build_scan(heap, index, info, true, true,
											 leader_row, &leader, NULL);
	MemoryContextDelete(leader.source.context);
	return heap_tuples;
}
