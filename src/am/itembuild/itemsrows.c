/*
 * itemsrows.c
 *	  Build of an items index: the neighbors of all items by their content.
 *
 * As many items as fit into memory are compared with all there are, or with those of the nearest
 * clusters (itemsclusters), tile by tile; then the next ones.  Leader and workers claim such
 * ranges.  Everybody reads content from the index's pages, so there is nothing to share but where
 * it is.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "am/itembuild/itemsrows.h"
#include "am/itembuild/itemstiles.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "source/team/roworder.h"
#include "source/team/workers.h"
#include "storage/lmgr.h"

/* Items of a range: a tile of candidates is compared with so many at most between two looks for a
 * cancellation; with fewer, reading the candidates would show. */
#define MAX_RANGE 4096
#define MIN_RANGE 16

/* Ranges that each participant should have, so that all end at about the same time */
#define RANGES_PER_PARTICIPANT 4

/* Less than this is not worth a worker. */
#define MIN_PAIRS_PER_WORKER ((uint64) 50 * 1000 * 1000)

typedef struct SharedRows
{
	Oid			heap;
	Oid			index;
	bool		concurrent;
	RecsysContentModel model;
	BlockNumber first;
	BlockNumber npages;
	int			neighbors;
	uint32		most;			/* items of a range */
	uint32		nranges;
	uint32		nclusters;
	uint32		nnear;
	pg_atomic_uint32 next;		/* range to be claimed */

	/*
	 * uint32 before[npages], Range ranges[nranges], uint32 first_near[nclusters + 1],
	 * RecsysItemSpan near[nnear]
	 */
	uint32		arrays[FLEXIBLE_ARRAY_MEMBER];
} SharedRows;

/* Items that are compared together, all of one cluster */
typedef struct Range
{
	RecsysItemSpan items;
	uint32		cluster;
} Range;

#define SharedBefore(shared) ((shared)->arrays)
#define SharedRanges(shared) ((Range *) ((shared)->arrays + (shared)->npages))
#define SharedFirstNear(shared) ((uint32 *) (SharedRanges(shared) + (shared)->nranges))
#define SharedNear(shared) \
	((RecsysItemSpan *) (SharedFirstNear(shared) + (shared)->nclusters + 1))

/* One process at work */
typedef struct Participant
{
	SharedRows *shared;
	RecsysTileReader *reader;
	RecsysLikenessBlock *block;
	RecsysLikenessBest *best;
	float	   *scores;
	uint32	   *items;			/* numbers of a range's items */
	RecsysNeighbor *neighbors;
} Participant;

PGDLLEXPORT void recsys_items_worker_main(dsm_segment *segment, shm_toc *toc);

static void
begin(Participant *self, SharedRows *shared, Relation index)
{
	self->shared = shared;
	self->reader = RecsysTileReaderCreate(index, shared->first, shared->first + shared->npages - 1);
	self->block = RecsysBlockCreate(&shared->model, (int) shared->most);
	self->best = RecsysBestCreate((int) shared->most, shared->neighbors);
	self->scores = MemoryContextAllocHuge(CurrentMemoryContext,
										  sizeof(float) * RECSYS_TILE *
										  RecsysBlockStride(self->block) + 64);
	self->items = palloc(sizeof(uint32) * shared->most);
	self->neighbors = palloc(sizeof(RecsysNeighbor) * shared->neighbors);
}

static void
end(Participant *self)
{
	RecsysTileReaderFree(self->reader);
	RecsysBlockFree(self->block);
	RecsysBestFree(self->best);
	pfree(self->scores);
	pfree(self->items);
	pfree(self->neighbors);
}

static bool
claim_range(Participant *self, const Range **range)
{
	SharedRows *shared = self->shared;
	uint32		next;

	/* the counter must not wrap around */
	if (pg_atomic_read_u32(&shared->next) >= shared->nranges)
		return false;
	next = pg_atomic_fetch_add_u32(&shared->next, 1);
	if (next >= shared->nranges)
		return false;
	*range = &SharedRanges(shared)[next];
	return true;
}

/* The last page with no more than so many current tuples before it */
static BlockNumber
page_of(const SharedRows *shared, uint32 ordinal)
{
	BlockNumber low = 0;
	BlockNumber high = shared->npages - 1;

	while (low < high)
	{
		BlockNumber middle = low + (high - low + 1) / 2;

		if (SharedBefore(shared)[middle] <= ordinal)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* Reads on from that item. */
static void
seek(Participant *self, uint32 ordinal)
{
	const SharedRows *shared = self->shared;
	BlockNumber page = page_of(shared, ordinal);

	RecsysTileSeek(self->reader, shared->first + page, ordinal - SharedBefore(shared)[page]);
}

static const RecsysTile *
need_tile(Participant *self, uint32 most)
{
	const RecsysTile *tile = RecsysTileNext(self->reader, (int) Min(most, RECSYS_TILE));

	if (tile == NULL)
		elog(ERROR, "current content of %u items is missing", most);
	return tile;
}

/* The items of a range become the block's queries. */
static void
add_queries(Participant *self, const RecsysItemSpan *items)
{
	uint32		n = 0;

	RecsysBlockReset(self->block);
	seek(self, items->first);
	while (n < items->n)
	{
		const RecsysTile *tile = need_tile(self, items->n - n);

		for (int i = 0; i < tile->n; i++)
		{
			RecsysBlockAdd(self->block, tile->packed[i]);
			self->items[n++] = tile->items[i];
		}
	}
}

static void
report_range(Participant *self, const RecsysItemSpan *items, RecsysRowReporter report, void *arg)
{
	for (uint32 query = 0; query < items->n; query++)
	{
		const RecsysLike *likes;
		int			count = RecsysBestOf(self->best, (int) query, &likes);

		for (int i = 0; i < count; i++)
			self->neighbors[i] = (RecsysNeighbor) {likes[i].item, likes[i].score, 0};
		report(arg, items->first + query, self->neighbors, count);
	}
}

/* poll (may be NULL) is called now and then. */
static void
compute_range(Participant *self, const Range *range, void (*poll) (void *),
			  RecsysRowReporter report, void *arg)
{
	const SharedRows *shared = self->shared;
	const uint32 *first_near = SharedFirstNear(shared);
	float	   *scores = (float *) TYPEALIGN(64, self->scores);

	add_queries(self, &range->items);
	RecsysBestReset(self->best, (int) range->items.n, self->items);
	for (uint32 x = first_near[range->cluster]; x < first_near[range->cluster + 1]; x++)
	{
		const RecsysItemSpan *near = &SharedNear(shared)[x];
		uint32		done = 0;

		seek(self, near->first);
		while (done < near->n)
		{
			const RecsysTile *tile = need_tile(self, near->n - done);

			RecsysBlockCompare(self->block, tile->packed, tile->n, scores);
			RecsysBestOffer(self->best, tile->items, tile->n, scores,
							RecsysBlockStride(self->block));
			done += tile->n;
			if (poll != NULL)
				poll(arg);
		}
	}
	report_range(self, &range->items, report, arg);
}

/* Worker */

static void
send_row(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	RecsysRowSend(arg, item, neighbors, count, false);
}

void
recsys_items_worker_main(dsm_segment *segment, shm_toc *toc)
{
	RecsysWorker worker;
	SharedRows *shared = RecsysWorkerBegin(&worker, segment, toc);
	LOCKMODE	heap_lock = shared->concurrent ? ShareUpdateExclusiveLock : ShareLock;
	LOCKMODE	index_lock = shared->concurrent ? RowExclusiveLock : AccessExclusiveLock;
	Relation	heap = table_open(shared->heap, heap_lock);
	Relation	index = index_open(shared->index, index_lock);
	Participant self;
	const Range *range;

	begin(&self, shared, index);
	while (!worker.abandoned && claim_range(&self, &range))
		compute_range(&self, range, NULL, send_row, &worker);
	end(&self);
	index_close(index, index_lock);
	table_close(heap, heap_lock);
	RecsysWorkerEnd(&worker);
}

/* Leader */

static void
report_order(void *order)
{
	RecsysRowOrderReport(order);
}

/* A RecsysRangeTaker, of the leader: it reports while it computes, as a range takes long. */
static bool
take_range(void *arg, RecsysRowReporter report, void *order)
{
	const Range *range;

	if (!claim_range(arg, &range))
		return false;
	compute_range(arg, range, report_order, report, order);
	return true;
}

/* Bytes that an item of a range takes besides the block's and its scores */
static Size
query_memory(const RecsysItemRows *rows)
{
	return sizeof(uint32) +
		RecsysBestMemory(MAX_RANGE, rows->neighbors) / MAX_RANGE;
}

/* Items of a range when each process has so much memory */
static uint32
range_within(const RecsysItemRows *rows, Size memory)
{
	Size		fixed = (Size) RECSYS_TILE * 1024 + RECSYS_MAX_ROW_QUEUE;
	Size		each = query_memory(rows);
	uint32		low = MIN_RANGE;
	uint32		high = MAX_RANGE;

	memory = memory > fixed ? memory - fixed : 0;
	while (low < high)
	{
		uint32		middle = low + (high - low + 1) / 2;
		Size		others = each * middle;

		if (others <= memory &&
			RecsysBlockCapacity(&rows->model, rows->packed, memory - others) >= (int) middle)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* The ranges of all clusters, each of at most so many items; only counted where ranges is NULL */
static uint32
make_ranges(const RecsysItemPlan *plan, uint32 most, Range *ranges)
{
	uint32		n = 0;

	for (uint32 cluster = 0; cluster < plan->nclusters; cluster++)
	{
		const RecsysItemSpan *all = &plan->clusters[cluster];

		for (uint32 first = 0; first < all->n; first += most)
		{
			if (ranges != NULL)
				ranges[n] = (Range) {{all->first + first, Min(most, all->n - first)}, cluster};
			n++;
		}
	}
	return n;
}

/* Sizes of arrays, which are all that shared_size needs */
static void
size_shared(const RecsysItemRows *rows, uint32 most, int participants, SharedRows *shared)
{
	uint32		even = rows->ncurrent / (participants * RANGES_PER_PARTICIPANT) + 1;

	memset(shared, 0, sizeof(SharedRows));
	shared->most = participants > 1 ? Min(most, Max(even, MIN_RANGE)) : Min(most, rows->ncurrent);
	shared->npages = rows->npages;
	shared->nclusters = rows->plan->nclusters;
	shared->nnear = rows->plan->first_near[shared->nclusters];
	shared->nranges = make_ranges(rows->plan, shared->most, NULL);
}

static Size
shared_size(const SharedRows *shared)
{
	return offsetof(SharedRows, arrays) + sizeof(uint32) * (Size) shared->npages +
		sizeof(Range) * (Size) shared->nranges +
		sizeof(uint32) * ((Size) shared->nclusters + 1) +
		sizeof(RecsysItemSpan) * (Size) shared->nnear;
}

static void
fill_shared(const RecsysItemRows *rows, const SharedRows *sizes, SharedRows *shared)
{
	*shared = *sizes;
	shared->heap = RelationGetRelid(rows->heap);
	shared->index = RelationGetRelid(rows->index);
	shared->concurrent = rows->concurrent;
	shared->model = rows->model;
	shared->first = rows->first;
	shared->neighbors = rows->neighbors;
	pg_atomic_init_u32(&shared->next, 0);
	memcpy(SharedBefore(shared), rows->before, sizeof(uint32) * rows->npages);
	make_ranges(rows->plan, shared->most, SharedRanges(shared));
	memcpy(SharedFirstNear(shared), rows->plan->first_near,
		   sizeof(uint32) * (shared->nclusters + 1));
	memcpy(SharedNear(shared), rows->plan->near, sizeof(RecsysItemSpan) * shared->nnear);
}

static int
useful_workers(const RecsysItemRows *rows)
{
	const RecsysItemPlan *plan = rows->plan;
	uint64		pairs = 0;

	for (uint32 cluster = 0; cluster < plan->nclusters; cluster++)
		for (uint32 x = plan->first_near[cluster]; x < plan->first_near[cluster + 1]; x++)
			pairs += (uint64) plan->clusters[cluster].n * plan->near[x].n;
	return (int) Min((uint64) rows->nworkers, pairs / MIN_PAIRS_PER_WORKER);
}

static void
compute_alone(const RecsysItemRows *rows, RecsysRowReporter report, void *arg)
{
	SharedRows	sizes;
	SharedRows *shared;
	Participant self;
	const Range *range;

	size_shared(rows, range_within(rows, rows->memory), 1, &sizes);
	shared = MemoryContextAllocHuge(CurrentMemoryContext, shared_size(&sizes));
	fill_shared(rows, &sizes, shared);
	begin(&self, shared, rows->index);
	while (claim_range(&self, &range))
		compute_range(&self, range, NULL, report, arg);
	end(&self);
	pfree(shared);
}

void
RecsysComputeItemRows(const RecsysItemRows *rows, RecsysRowReporter report, void *arg)
{
	int			nworkers = useful_workers(rows);
	RecsysWorkers *workers;
	RecsysRowOrder *order;
	SharedRows	sizes;
	SharedRows *shared;
	Participant self;
	int			nlaunched;
	Size		queue = RECSYS_ROW_QUEUE(rows->memory / 32);

	if (rows->ncurrent == 0)
		return;
	if (nworkers == 0)
	{
		compute_alone(rows, report, arg);
		return;
	}

	size_shared(rows, range_within(rows, rows->memory / (nworkers + 1)), nworkers + 1, &sizes);
	workers = RecsysWorkersCreate("recsys_items_worker_main", nworkers, queue, shared_size(&sizes),
								  (void **) &shared);
	fill_shared(rows, &sizes, shared);
	nlaunched = RecsysWorkersLaunch(workers);
	order = RecsysRowOrderCreate(workers, nlaunched, rows->ncurrent,
								 Max(queue, (Size) 64 * 1024), report, arg);
	begin(&self, shared, rows->index);
	RecsysRowOrderLead(order, take_range, &self);
	end(&self);
	RecsysWorkersFinish(workers);
	RecsysRowOrderFree(order);
	ereport(DEBUG1,
			(errmsg_internal("recsys: items compared with %d of %d planned workers",
							 nlaunched, nworkers)));
}
