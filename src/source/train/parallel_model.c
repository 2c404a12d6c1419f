/*
 * parallel_model.c
 *	  The item graph computed by parallel workers.
 *
 * Rows do not depend on each other, so leader and workers claim ranges of items
 * (rowranges.c).  What they read is shared: totals, user-major matrix, its
 * transpose and its compact copy in two segments.  What they count with is private, and
 * how many may take part depends on how often that fits.  Where all of this does not fit
 * see parallel_stream.c, and where nobody asks for weights parallel_lists.c comes first.
 *
 * Segments come one after the other, so that there is never more than in a
 * serial run by much: the first takes over totals and matrix, whose private
 * arrays are freed then; the second gets the transpose.  Where the compact copy
 * stands for the matrix's columns, they stay private until it is made.  All read the
 * same copy: although shared memory rarely has large pages, copies of everybody's own,
 * in large pages, took longer to make than they saved.
 */
#include "postgres.h"

#include "core/dense/area.h"
#include "core/pairs/modeloptions.h"
#include "core/pairs/scorebounds.h"
#include "core/pairs/slim.h"
#include "miscadmin.h"
#include "source/team/rowranges.h"
#include "source/team/segment.h"
#include "source/train/parallel_model.h"
#include "utils/memutils.h"

/* Ranges that a participant claims on average: the last one may be waited for. */
#define RANGES_PER_PARTICIPANT 64

typedef struct SharedModel
{
	RecsysModelOptions options;
	bool		weighted;
	uint32		nitems;
	uint32		nrows;			/* of the user-major matrix */
	uint64		nusers;			/* N */
	uint64		nentries;
	dsm_handle	base;			/* segment: totals, user-major matrix */
	dsm_handle	derived;		/* segment: transpose and compact copy */
	bool		places;			/* are there those, of the histories' order? */
	bool		columns;		/* are those of the user-major matrix shared? */
	bool		narrow;			/* which compact copy there is */
	bool		packed;
	int			weight_shift;
	RecsysSharedRows rows;
} SharedModel;

/* One process that computes rows */
typedef struct Participant
{
	SharedModel *shared;
	RecsysItemTotals totals;
	RecsysMatrix matrix;
	RecsysMatrix transpose;
	RecsysKernel *kernel;		/* one of these two computes */
	RecsysSlimKernel *slim_kernel;
	RecsysRowMaker maker;
} Participant;

PGDLLEXPORT void recsys_model_worker_main(dsm_segment *segment, shm_toc *toc);

/* Lay out the first segment, over a Participant's totals and matrix. */
static Size
lay_out_base(const SharedModel *shared, char *place, Participant *self)
{
	RecsysArea	area = {place, 0};

	RecsysCarveTotals(&area, shared->nitems, shared->weighted, &self->totals);
	self->totals.nusers = shared->nusers;
	RecsysCarveMatrix(&area, shared->nrows, shared->nitems, shared->nentries, shared->columns,
					  shared->weighted, &self->matrix);
	if (shared->places)
		self->matrix.places = RecsysCarve(&area, sizeof(RecsysOrdinal) * shared->nentries);
	return area.used;
}

/* Lay out the second segment; returns the compact copy's place by *compact. */
static Size
lay_out_derived(const SharedModel *shared, char *place, Participant *self, void **compact)
{
	RecsysArea	area = {place, 0};

	RecsysCarveMatrix(&area, shared->nitems, shared->nrows, shared->nentries, true, shared->weighted,
					  &self->transpose);
	*compact = NULL;
	if (shared->narrow || shared->packed)
		*compact = RecsysCarve(&area, RecsysMatrixCompactMemory(shared->nentries, shared->weighted));
	return area.used;
}

static uint32
range_end(void *arg, uint32 first)
{
	Participant *self = arg;

	return RecsysSharedRowsEnd(&self->shared->rows, &self->totals, first);
}

static void
compute_range(void *arg, uint32 first, uint32 last, RecsysRowReporter report, void *report_arg)
{
	Participant *self = arg;

	if (self->slim_kernel != NULL)
		RecsysSlimKernelColumns(self->slim_kernel, first, last, report, report_arg);
	else
		RecsysKernelRows(self->kernel, first, last, report, report_arg);
}

static void
start_computing(Participant *self)
{
	SharedModel *shared = self->shared;
	RecsysRowMaker maker = {.shared = &shared->rows, .range_end = range_end,
		.compute = compute_range, .arg = self};

	self->maker = maker;
	if (shared->options.similarity == RECSYS_SLIM)
		self->slim_kernel = RecsysSlimKernelCreate(&self->matrix, &self->transpose, &self->totals,
												   &shared->options);
	else
		self->kernel = RecsysKernelCreate(&self->matrix, &self->transpose, &self->totals,
										  &shared->options);
}

static void
stop_computing(Participant *self)
{
	if (self->slim_kernel != NULL)
		RecsysSlimKernelFree(self->slim_kernel);
	if (self->kernel != NULL)
		RecsysKernelFree(self->kernel);
}

/* Worker */

void
recsys_model_worker_main(dsm_segment *segment, shm_toc *toc)
{
	RecsysWorker worker = {0};
	Participant participant = {0};
	Participant *self = &participant;
	SharedModel *shared = RecsysWorkerBegin(&worker, segment, toc);
	dsm_segment *base = RecsysSegmentAttach(shared->base);
	dsm_segment *derived;
	void	   *compact;

	self->shared = shared;
	lay_out_base(shared, dsm_segment_address(base), self);
	derived = RecsysSegmentAttach(shared->derived);
	lay_out_derived(shared, dsm_segment_address(derived), self, &compact);
	self->matrix.narrow = shared->narrow ? compact : NULL;
	self->matrix.packed = shared->packed ? compact : NULL;
	self->matrix.weight_shift = shared->weight_shift;

	start_computing(self);
	RecsysRowMakerSend(&self->maker, &worker);
	stop_computing(self);

	dsm_detach(derived);
	dsm_detach(base);
	RecsysWorkerEnd(&worker);
}

/* Leader */

/* How a run is made up within the memory left */
typedef struct Plan
{
	int			nworkers;		/* 0: not at all */
	bool		compact;
	Size		queue;
} Plan;

/* The workers that fit, if each of them and the leader need that much beside what is shared. */
static int
workers_that_fit(const RecsysTraining *model, const Plan *plan, Size left, Size shared,
				 Size each)
{
	return RecsysWorkersThatFit(RecsysUsefulWorkers(model->nworkers), each + plan->queue, shared, left);
}

static void
plan_run(const RecsysTraining *model, const SharedModel *shared, Plan *plan)
{
	Participant none;
	void	   *compact;
	SharedModel with_compact = *shared;
	Size		base = lay_out_base(shared, NULL, &none);
	Size		left = model->memory_left;
	Size		kernel;
	Size		freed;
	Size		plain;
	Size		larger;

	memset(plan, 0, sizeof(Plan));
	plan->queue = RecsysRowQueueSize(left);
	if (base > left)
		return;

	/* once they have been copied the private arrays are freed */
	freed = GetMemoryChunkSpace(model->matrix->offsets) +
		(shared->columns ? GetMemoryChunkSpace(model->matrix->columns) : 0) +
		(shared->weighted ? GetMemoryChunkSpace(model->matrix->weights) : 0) +
		(shared->places ? GetMemoryChunkSpace(model->matrix->places) : 0);
	if (shared->options.similarity == RECSYS_SLIM)
		kernel = RecsysSlimMemory(shared->nrows, shared->nitems, shared->weighted, &shared->options);
	else
		kernel = RecsysCooccurrenceMemory(shared->nitems, shared->weighted);
	with_compact.narrow = true;
	plain = lay_out_derived(shared, NULL, &none, &compact);
	larger = lay_out_derived(&with_compact, NULL, &none, &compact);

	/* the compact copy is worth about as much as another worker */
	if (shared->nitems <= RECSYS_COMPACT_COLUMNS)
		plan->nworkers = workers_that_fit(model, plan, left + freed, base + larger, kernel);
	plan->compact = plan->nworkers > 0;
	if (!plan->compact && (shared->nitems > RECSYS_COMPACT_COLUMNS || larger + kernel > left))
		plan->nworkers = workers_that_fit(model, plan, left + freed, base + plain, kernel);
}

static void
describe(const RecsysTraining *model, SharedModel *shared)
{
	memset(shared, 0, sizeof(SharedModel));
	shared->options = *model->options;
	shared->weighted = model->totals->norm2 != NULL;
	shared->places = RecsysModelUsesOrder(model->options);
	shared->nitems = model->totals->nitems;
	shared->nusers = model->totals->nusers;
	shared->nrows = model->matrix->nrows;
	shared->nentries = model->matrix->offsets[shared->nrows];

	/* with a compact copy of all there is to it, nobody reads them */
	shared->columns = shared->weighted || shared->nitems > RECSYS_COMPACT_COLUMNS ||
		shared->options.similarity == RECSYS_SLIM;
}

/* Move an array to shared memory. */
static void
move_array(void *place, void **array, Size size)
{
	memcpy(place, *array, size);
	pfree(*array);
	*array = place;
}

/* Fill the first segment; the model's matrix is in it from now on. */
static void
fill_base(const RecsysTraining *model, const SharedModel *shared, Participant *self)
{
	RecsysMatrix *matrix = model->matrix;

	RecsysCopyTotals(&self->totals, model->totals);
	move_array(self->matrix.offsets, (void **) &matrix->offsets,
			   sizeof(uint64) * ((Size) shared->nrows + 1));
	if (shared->columns)
		move_array(self->matrix.columns, (void **) &matrix->columns,
				   sizeof(uint32) * shared->nentries);
	else
		self->matrix.columns = matrix->columns;
	if (shared->weighted)
		move_array(self->matrix.weights, (void **) &matrix->weights,
				   sizeof(float) * shared->nentries);
	if (shared->places)
		move_array(self->matrix.places, (void **) &matrix->places,
				   sizeof(RecsysOrdinal) * shared->nentries);
}

/*
 * Transpose, into the second segment.  Without room for one the run goes on
 * without workers, which then were not to be.
 */
static dsm_segment *
make_derived(SharedModel *shared, Participant *self, Plan *plan)
{
	dsm_segment *segment;
	void	   *compact;

	/* whichever of the other kinds it will be, its place is the same */
	shared->narrow = plan->compact;
	segment = RecsysSegmentCreate(lay_out_derived(shared, NULL, self, &compact));
	if (segment == NULL)
	{
		plan->nworkers = 0;
		self->transpose = *RecsysMatrixTranspose(&self->matrix);
		if (plan->compact)
			(void) RecsysMatrixCompact(&self->matrix);
		return NULL;
	}

	lay_out_derived(shared, dsm_segment_address(segment), self, &compact);
	memset(self->transpose.offsets, 0, sizeof(uint64) * ((Size) shared->nitems + 1));
	RecsysMatrixTransposeTo(&self->matrix, &self->transpose);
	if (plan->compact)
		RecsysMatrixCompactTo(&self->matrix, compact);
	shared->derived = dsm_segment_handle(segment);
	shared->narrow = self->matrix.narrow != NULL;
	shared->packed = self->matrix.packed != NULL;
	shared->weight_shift = self->matrix.weight_shift;
	return segment;
}

/* Launch workers, compute and report all rows; returns the number of ranges. */
static uint32
run_workers(const SharedModel *description, const Plan *plan, Participant *self,
			RecsysRowReporter report, void *arg, int *nlaunched)
{
	RecsysWorkers *workers;
	SharedModel *shared;
	uint32		ranges;

	workers = RecsysWorkersCreate("recsys_model_worker_main", plan->nworkers, plan->queue,
								  sizeof(SharedModel), (void **) &shared);
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
RecsysParallelModelRun(const RecsysTraining *model, RecsysRowReporter report, void *arg)
{
	SharedModel description;
	Plan		plan;
	Participant self = {0};
	int			nlaunched;
	dsm_segment *base;
	dsm_segment *derived;
	uint32		ranges;

	describe(model, &description);
	plan_run(model, &description, &plan);
	if (!plan.compact && !description.columns)
	{
		description.columns = true;
		plan_run(model, &description, &plan);
	}
	if (plan.nworkers == 0 || description.nitems == 0)
		return 0;
	base = RecsysSegmentCreate(Max(lay_out_base(&description, NULL, &self), 1));
	if (base == NULL)
		return 0;

	lay_out_base(&description, dsm_segment_address(base), &self);
	fill_base(model, &description, &self);
	description.base = dsm_segment_handle(base);
	derived = make_derived(&description, &self, &plan);
	if (derived != NULL && !description.columns)
	{
		pfree(model->matrix->columns);
		self.matrix.columns = model->matrix->columns = NULL;
	}

	ranges = run_workers(&description, &plan, &self, report, arg, &nlaunched);

	/* nobody reads the arrays of the model's matrix again */
	if (derived != NULL)
		dsm_detach(derived);
	dsm_detach(base);
	ereport(DEBUG1,
			(errmsg_internal("recsys: item graph computed with %d of %d planned workers in %u ranges",
							 nlaunched, model->nworkers, ranges)));
	return 1;
}
