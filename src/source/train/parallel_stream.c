/*
 * parallel_stream.c
 *	  Measures of pairs by parallel workers, where histories and their transpose do not fit in
 *	  memory together.
 *
 * As in trainstream.c there are two ways.  If the histories fit at their most compact they
 * are loaded into a segment that all participants read, and each of them makes transposes of
 * bands of items, in which it claims ranges.  If they do not, each participant reads the file,
 * once for each range that it claims, and has its share of the memory to count in.
 *
 * How ranges are claimed and rows reported: rowranges.c.
 */
#include "postgres.h"

#include "core/dense/area.h"
#include "core/pairs/modeloptions.h"
#include "core/pairs/rangekernel.h"
#include "core/pairs/rowselect.h"
#include "miscadmin.h"
#include "source/team/rowranges.h"
#include "source/team/segment.h"
#include "source/train/parallel_stream.h"
#include "source/train/trainmemory.h"
#include "source/train/trainstream.h"
#include "utils/memutils.h"

/* Ranges that a participant claims on average, when histories are loaded */
#define RANGES_PER_PARTICIPANT 128

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
	RecsysSharedRows rows;
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
	RecsysRowMaker maker;
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
range_end(void *arg, uint32 first)
{
	Participant *self = arg;

	if (self->stream_kernel != NULL)
		return RecsysStreamKernelPassEnd(self->stream_kernel, first);
	return RecsysRangeKernelEnd(self->range_kernel, first, self->shared->rows.range_cost);
}

static void
compute_range(void *arg, uint32 first, uint32 last, RecsysRowReporter report, void *report_arg)
{
	Participant *self = arg;
	RecsysUserStream stream;

	if (self->range_kernel != NULL)
	{
		RecsysRangeKernelRows(self->range_kernel, first, last, report, report_arg);
		return;
	}
	RecsysHistoryFileStream(self->file, &stream);
	RecsysStreamKernelPass(self->stream_kernel, &stream, first, last, report, report_arg);
}

static void
start_computing(Participant *self)
{
	SharedStream *shared = self->shared;
	RecsysRowMaker maker = {.shared = &shared->rows, .range_end = range_end,
		.compute = compute_range, .arg = self};

	self->maker = maker;
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
	RecsysWorker worker = {0};
	Participant participant = {0};
	Participant *self = &participant;
	SharedStream *shared = RecsysWorkerBegin(&worker, segment, toc);
	dsm_segment *base = RecsysSegmentAttach(shared->base);

	self->shared = shared;
	lay_out(shared, dsm_segment_address(base), self);
	if (!shared->loaded)
		open_file(self);

	start_computing(self);
	RecsysRowMakerSend(&self->maker, &worker);
	stop_computing(self);

	if (self->file != NULL)
		RecsysHistoryFileClose(self->file);
	dsm_detach(base);
	RecsysWorkerEnd(&worker);
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
	return RecsysWorkersThatFit(RecsysUsefulWorkers(training->nworkers), each + plan->queue, shared, left);
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
	plan->queue = RecsysRowQueueSize(left);
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
	RecsysMatrix *matrix = training->matrix;
	RecsysHistoryChunk chunk;

	RecsysCopyTotals(&self->totals, training->totals);
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
	SharedStream *shared;
	uint32		ranges;

	workers = RecsysWorkersCreate("recsys_stream_worker_main", plan->nworkers, plan->queue,
								  sizeof(SharedStream), (void **) &shared);
	*shared = *description;
	RecsysSharedRowsInit(&shared->rows, &self->totals, plan->nworkers + 1, RANGES_PER_PARTICIPANT);
	self->shared = shared;

	*nlaunched = RecsysWorkersLaunch(workers);
	start_computing(self);
	RecsysRowMakerLead(&self->maker, workers, *nlaunched, plan->queue, report, arg);
	stop_computing(self);

	/* with the workers the shared area goes */
	ranges = pg_atomic_read_u32(&shared->rows.ranges);
	self->shared = NULL;
	RecsysWorkersFinish(workers);
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
