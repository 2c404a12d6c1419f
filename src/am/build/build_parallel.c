/*
 * build_parallel.c
 *	  The heap scan of an index build, with parallel workers.
 *
 * The rows of interactions, as workers send them (teamscan.c) and the leader takes them.  The
 * collector is one for all as it numbers the keys.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "am/build/build_parallel.h"
#include "am/build/teamscan.h"
#include "am/store/page.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "utils/memutils.h"

/* Megabytes of memory that each of the processes has to have, as in plan_create_index_workers. */
#define WORKER_MEMORY 32

/* Flags of a row in a batch */
#define ROW_HAS_USER	0x01
#define ROW_HAS_ITEM	0x02
#define ROW_DEAD		0x04

/* The longest row: flags, position, weight, time, two keys with their lengths */
#define MAX_ROW_BYTES \
	(1 + sizeof(uint64) + sizeof(double) + sizeof(int64) + 2 * (sizeof(uint16) + RECSYS_MAX_KEY_LEN))

/* Forms rows, in the leader and in a worker */
typedef struct RowSource
{
	const RecsysColumns *columns;
	MemoryContext context;		/* for one row */
	RecsysAddRow add;
	void	   *arg;
} RowSource;

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

int
RecsysWorkersForPages(Relation index, double pages)
{
	RelOptInfo *sizes = makeNode(RelOptInfo);
	int			workers;

	if (!IsNormalProcessingMode() || IsParallelWorker() || IsInParallelMode() ||
		index->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		return 0;
	sizes->rel_parallel_workers = -1;
	workers = compute_parallel_worker(sizes, pages, -1, max_parallel_maintenance_workers);
	while (workers > 0 && maintenance_work_mem / (workers + 1) < WORKER_MEMORY * 1024)
		workers--;
	return workers;
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
put_row(void *arg, const RecsysCollected *row)
{
	RecsysScanSender *sender = arg;
	const RecsysColumns *columns = ((RowSource *) sender->state)->columns;
	char	   *place;

	enlargeStringInfo(&sender->batch, MAX_ROW_BYTES);
	place = sender->batch.data + sender->batch.len;
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
	sender->batch.len = place - sender->batch.data;
	RecsysScanSend(sender);
}

static void
worker_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	RecsysScanSender *sender = arg;
	RowSource  *source = sender->state;

	source->arg = sender;
	form_row(source, index, tid, values, isnull, alive);
}

static void *
begin_worker(Relation index)
{
	RowSource  *source = palloc0(sizeof(RowSource));
	RecsysColumns *columns = palloc(sizeof(RecsysColumns));

	RecsysGetColumns(index, columns);
	init_source(source, columns, put_row, NULL);
	return source;
}

void
recsys_build_worker_main(dsm_segment *segment, shm_toc *toc)
{
	RecsysScanWorker(segment, toc, begin_worker, worker_row);
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
take_row(void *arg, const char *place)
{
	RowSource  *source = arg;
	const RecsysColumns *columns = source->columns;
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
	source->add(source->arg, &row);
	return place;
}

static void
leader_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	form_row(arg, index, tid, values, isnull, alive);
}

double
RecsysBuildScan(Relation heap, Relation index, struct IndexInfo *info,
				const RecsysColumns *columns, int nworkers, RecsysAddRow add, void *arg)
{
	RowSource	source;
	double		heap_tuples;

	init_source(&source, columns, add, arg);
	heap_tuples = RecsysTeamScan(heap, index, info, nworkers, "recsys_build_worker_main",
								 leader_row, take_row, &source);
	MemoryContextDelete(source.context);
	return heap_tuples;
}
