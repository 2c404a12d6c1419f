/*
 * parallel_stream.c
 *	  Measures of pairs by parallel workers, where histories and their transpose do not fit in
 *	  memory together.
 *
 * As in trainstream.c there are two ways.  If the histories fit at their most compact they
 * are loaded into a segment that all participants read, and each of them makes transposes of
 * the ranges of items that it claims.  If they do not, each participant reads the file, once
 * for each range that it claims, and has its share of the memory to count in.
 *
 * Ranges are claimed from a shared counter, in ascending order.  Workers send the rows, and
 * the leader reports them in order (roworder.c).
 */
#include "postgres.h"

#include "core/dense/area.h"
#include "core/pairs/modeloptions.h"
#include "core/pairs/rangekernel.h"
#include "core/pairs/rowselect.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "source/team/roworder.h"
#include "source/team/segment.h"
#include "source/team/workers.h"
#include "source/train/parallel_stream.h"
#include "source/train/trainmemory.h"
#include "source/train/trainstream.h"
#include "utils/memutils.h"

/*
 * Ranges that a participant claims on average, when histories are loaded: the last one may
 * be waited for, and each costs a look at every history.
 */
#define RANGES_PER_PARTICIPANT 32

/* The part of the memory left that a queue may be: one in so many. */
#define QUEUE_FRACTION 64

/* A participant that reads the file counts with at least this much. */
#define MIN_STREAM_MEMORY ((Size) 512 * 1024)

typedef struct SharedStream
{
	RecsysModelOptions options;
	int			max_history;
	bool		weighted;
	bool		ordered;		/* are there places? */
	bool		loaded;			/* or read from the file? */
	uint32		nitems;
	uint64		nusers;			/* N */
	uint64		nentries;
	dsm_handle	base;			/* segment: totals and, if loaded, histories */
	dsm_handle	histories;		/* otherwise: the file */
	Size		memory;			/* for transposes, or to count with, of each participant */
	uint64		range_cost;		/* of a range of loaded histories */
	pg_atomic_uint32 next;		/* first item that nobody has claimed */
	pg_atomic_uint32 ranges;	/* claimed so far */
} SharedStream;

/* One process that computes rows */
typedef struct Participant
{
	SharedStream *shared;
	RecsysItemTotals totals;
	RecsysMatrix matrix;		/* if loaded */
	RecsysHistoryFile *file;	/* otherwise */
	RecsysRangeKernel *range_kernel;	/* one of these two computes */
	RecsysStreamKernel *stream_kernel;
	uint32		last;			/* end of the range at hand */
} Participant;

PGDLLEXPORT void recsys_stream_worker_main(dsm_segment *segment, shm_toc *toc);

/* Lay out the segment, over a Participant's totals and matrix. */
static Size
lay_out(const SharedStream *shared, char *place, Participant *self)
{
	RecsysArea	area = {place, 0};
	RecsysMatrix *matrix = &self->matrix;
	bool		narrow = shared->nitems <= RECSYS_COMPACT_COLUMNS;

	RecsysCarveTotals(&area, shared->nitems, shared->weighted, &self->totals);
	self->totals.nusers = shared->nusers;
	if (!shared->loaded)
		return area.used;
	RecsysCarveMatrix(&area, (uint32) shared->nusers, shared->nitems, shared->nentries, !narrow,
					  shared->weighted, matrix);
	matrix->narrow = narrow ? RecsysCarve(&area, sizeof(uint16) * shared->nentries) : NULL;
	matrix->places = shared->ordered ? RecsysCarve(&area, sizeof(RecsysOrdinal) * shared->nentries) : NULL;
	return area.used;
}

static uint32
range_end(const Participant *self, uint32 first)
{
	if (self->stream_kernel != NULL)
		return RecsysStreamKernelPassEnd(self->stream_kernel, first);
	return RecsysRangeKernelEnd(self->range_kernel, first, self->shared->range_cost);
}

/* Claim the next range, if there is one. */
static bool
claim_range(Participant *self, uint32 *first)
{
	SharedStream *shared = self->shared;

	*first = pg_atomic_read_u32(&shared->next);
	while (*first < shared->nitems)
	{
		self->last = range_end(self, *first);
		if (pg_atomic_compare_exchange_u32(&shared->next, first, self->last))
		{
			pg_atomic_fetch_add_u32(&shared->ranges, 1);
			return true;
		}
	}
	return false;
}

static void
compute_range(Participant *self, uint32 first, RecsysRowReporter report, void *arg)
{
	RecsysUserStream stream;

	if (self->range_kernel != NULL)
	{
		RecsysRangeKernelRows(self->range_kernel, first, self->last, report, arg);
		return;
	}
	RecsysHistoryFileStream(self->file, &stream);
	RecsysStreamKernelPass(self->stream_kernel, &stream, first, self->last, report, arg);
}

/* A RecsysRangeTaker */
static bool
take_range(void *arg, RecsysRowReporter report, void *report_arg)
{
	Participant *self = arg;
	uint32		first;

	if (!claim_range(self, &first))
		return false;
	compute_range(self, first, report, report_arg);
	return true;
}

static void
start_computing(Participant *self)
{
	const SharedStream *shared = self->shared;

	if (shared->loaded)
		self->range_kernel = RecsysRangeKernelCreate(&self->matrix, &self->totals,
													 &shared->options, shared->memory);
	else
		self->stream_kernel = RecsysStreamKernelCreate(&self->totals, &shared->options,
													   shared->memory);
}

static void
stop_computing(Participant *self)
{
	if (self->range_kernel != NULL)
		RecsysRangeKernelFree(self->range_kernel);
	if (self->stream_kernel != NULL)
		RecsysStreamKernelFree(self->stream_kernel);
}

/* Worker */

typedef struct Sender
{
	RecsysWorker worker;
	Participant self;
} Sender;

static void
send_row(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	Sender	   *sender = arg;

	RecsysRowSend(&sender->worker, item, neighbors, count, item + 1 == sender->self.last);
}

static void
open_file(Participant *self)
{
	const SharedStream *shared = self->shared;

	self->file = RecsysHistoryFileOpen(shared->nitems, shared->weighted, shared->max_history,
									   shared->histories);
	if (self->file == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("could not map dynamic shared memory segment")));
	if (shared->ordered)
		RecsysHistoryFileKeepPlaces(self->file);
}

void
recsys_stream_worker_main(dsm_segment *segment, shm_toc *toc)
{
	Sender		sender = {0};
	Participant *self = &sender.self;
	SharedStream *shared = RecsysWorkerBegin(&sender.worker, segment, toc);
	dsm_segment *base = RecsysSegmentAttach(shared->base);

	self->shared = shared;
	lay_out(shared, dsm_segment_address(base), self);
	if (!shared->loaded)
		open_file(self);

	start_computing(self);
	while (!sender.worker.abandoned && take_range(self, send_row, &sender))
		;
	stop_computing(self);

	if (self->file != NULL)
		RecsysHistoryFileClose(self->file);
	dsm_detach(base);
	RecsysWorkerEnd(&sender.worker);
}

/* Leader */

/* How a run is made up within the memory left */
typedef struct Plan
{
	int			nworkers;		/* 0: not at all */
	Size		queue;
} Plan;

/* The workers that fit, if each of them and the leader need that much beside what is shared. */
static int
workers_that_fit(const RecsysTraining *training, const Plan *plan, Size left, Size shared,
				 Size each)
{
	return RecsysWorkersThatFit(training->nworkers, each + plan->queue, shared, left);
}

/* What of a matrix in memory is freed when it has been copied */
static Size
freed_memory(const RecsysTraining *training)
{
	const RecsysMatrix *matrix = training->matrix;

	if (matrix == NULL)
		return 0;
	return GetMemoryChunkSpace(matrix->offsets) + GetMemoryChunkSpace(matrix->columns) +
		(matrix->weights != NULL ? GetMemoryChunkSpace(matrix->weights) : 0) +
		(matrix->places != NULL ? GetMemoryChunkSpace(matrix->places) : 0);
}

/* Loaded if a worker fits then; not otherwise, if that is what makes one fit. */
static void
plan_run(const RecsysTraining *training, SharedStream *shared, Plan *plan)
{
	const RecsysItemTotals *totals = training->totals;
	Participant none;
	Size		left = training->memory_left;
	Size		freed = freed_memory(training);
	Size		each = RecsysRangeKernelMemory(shared->nitems, shared->weighted);
	Size		base;

	plan->nworkers = 0;
	plan->queue = RECSYS_ROW_QUEUE(left / QUEUE_FRACTION);
	shared->loaded = true;
	base = lay_out(shared, NULL, &none);
	if (base <= left)
		plan->nworkers = workers_that_fit(training, plan, left + freed, base,
										  each + RecsysRangeKernelLeast(totals, shared->weighted));
	if (plan->nworkers > 0)
	{
		shared->memory = (left + freed - base) / (plan->nworkers + 1) - plan->queue - each;
		return;
	}

	if (training->file == NULL || !RecsysHistoryFileHandle(training->file, &shared->histories))
		return;
	shared->loaded = false;
	base = lay_out(shared, NULL, &none);
	each = MIN_STREAM_MEMORY +
		2 * RecsysRowSelectorMemory(shared->nitems, shared->options.neighbors, shared->weighted);
	if (base <= left)
		plan->nworkers = workers_that_fit(training, plan, left, base, each);
	if (plan->nworkers > 0)
		shared->memory = (left - base) / (plan->nworkers + 1) - plan->queue;
}

static void
describe(const RecsysTraining *training, SharedStream *shared)
{
	memset(shared, 0, sizeof(SharedStream));
	shared->options = *training->options;
	shared->max_history = training->max_history;
	shared->weighted = RecsysTrainingIsWeighted(training);
	shared->ordered = RecsysModelUsesOrder(training->options);
	shared->nitems = training->totals->nitems;
	shared->nusers = training->totals->nusers;
	shared->nentries = RecsysTrainingEntries(training);
}

/* Fill the segment; a matrix in memory is in it from now on. */
static void
fill_base(const RecsysTraining *training, const SharedStream *shared, Participant *self)
{
	const RecsysItemTotals *totals = training->totals;
	RecsysMatrix *matrix = training->matrix;
	Size		nitems = shared->nitems;
	RecsysHistoryChunk chunk;

	memcpy(self->totals.users, totals->users, sizeof(uint32) * nitems);
	memcpy(self->totals.work, totals->work, sizeof(uint64) * nitems);
	if (shared->weighted)
	{
		memcpy(self->totals.norm2, totals->norm2, sizeof(double) * nitems);
		memcpy(self->totals.mass, totals->mass, sizeof(double) * nitems);
	}
	if (!shared->loaded)
		return;

	RecsysHistoryChunkInitFixed(&chunk, &self->matrix, (uint32) shared->nusers, shared->nentries);
	RecsysTrainingFillChunk(training, &chunk);
	self->matrix = chunk.matrix;
	if (matrix == NULL)
		return;
	pfree(matrix->offsets);
	pfree(matrix->columns);
	if (matrix->weights != NULL)
		pfree(matrix->weights);
	if (matrix->places != NULL)
		pfree(matrix->places);
	*matrix = chunk.matrix;
}

/* Launch workers, compute and report all rows; returns the number of ranges. */
static uint32
run_workers(const SharedStream *description, const Plan *plan, Participant *self,
			RecsysRowReporter report, void *arg, int *nlaunched)
{
	RecsysWorkers *workers;
	RecsysRowOrder *order;
	SharedStream *shared;
	uint64		cost = 0;
	uint32		ranges;

	workers = RecsysWorkersCreate("recsys_stream_worker_main", plan->nworkers, plan->queue,
								  sizeof(SharedStream), (void **) &shared);
	*shared = *description;
	for (uint32 item = 0; item < shared->nitems; item++)
		cost += RecsysKernelCost(&self->totals, item);
	shared->range_cost = cost / (RANGES_PER_PARTICIPANT * (plan->nworkers + 1)) + 1;
	pg_atomic_init_u32(&shared->next, 0);
	pg_atomic_init_u32(&shared->ranges, 0);
	self->shared = shared;

	*nlaunched = RecsysWorkersLaunch(workers);
	order = RecsysRowOrderCreate(workers, *nlaunched, shared->nitems, plan->queue, report, arg);
	start_computing(self);
	RecsysRowOrderLead(order, take_range, self);
	stop_computing(self);

	/* with the workers the shared area goes */
	ranges = pg_atomic_read_u32(&shared->ranges);
	self->shared = NULL;
	RecsysWorkersFinish(workers);
	RecsysRowOrderFree(order);
	return ranges;
}

int
RecsysParallelStreamRun(const RecsysTraining *training, RecsysRowReporter report, void *arg)
{
	SharedStream description;
	Plan		plan;
	Participant self = {0};
	int			nlaunched;
	dsm_segment *base;
	uint32		ranges;

	describe(training, &description);
	plan_run(training, &description, &plan);
	if (plan.nworkers == 0 || description.nitems == 0)
		return 0;
	base = RecsysSegmentCreate(Max(lay_out(&description, NULL, &self), 1));
	if (base == NULL)
		return 0;

	lay_out(&description, dsm_segment_address(base), &self);
	fill_base(training, &description, &self);
	description.base = dsm_segment_handle(base);
	self.file = training->file;
	ranges = run_workers(&description, &plan, &self, report, arg, &nlaunched);

	/* nobody reads the arrays of the model's matrix again */
	dsm_detach(base);
	ereport(DEBUG1,
			(errmsg_internal("recsys: item graph computed with %d of %d planned workers in %u ranges, each a pass over the histories",
							 nlaunched, training->nworkers, ranges)));
	return (int) ranges;
}
