/*
 * parallel_model.c
 *	  The item graph computed by parallel workers.
 *
 * Rows do not depend on each other, so leader and workers claim ranges of items
 * from a shared counter, in ascending order and small enough that nobody is left
 * with much when the others are done.  What they read is shared: totals,
 * user-major matrix, its transpose and its compact copy in two segments.  What
 * they count with is private, and how many may take part depends on how often
 * that fits.  Where all of this does not fit see parallel_stream.c.
 *
 * Segments come one after the other, so that there is never more than in a
 * serial run by much: the first takes over totals and matrix, whose private
 * arrays are freed then; the second gets the transpose.  Where the compact copy
 * stands for the matrix's columns, they stay private until it is made.  All read the
 * same copy: although shared memory rarely has large pages, copies of everybody's own,
 * in large pages, took longer to make than they saved.
 *
 * Workers send the rows, and the leader reports them in order (roworder.c).
 */
#include "postgres.h"

#include "core/dense/area.h"
#include "core/pairs/headmatrix.h"
#include "core/pairs/modeloptions.h"
#include "core/pairs/scorebounds.h"
#include "core/pairs/slim.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "source/team/roworder.h"
#include "source/team/segment.h"
#include "source/team/workers.h"
#include "source/train/parallel_model.h"
#include "utils/memutils.h"

/* Ranges that a participant claims on average: the last one may be waited for. */
#define RANGES_PER_PARTICIPANT 64

/* The part of the memory left that a queue may be: one in so many. */
#define QUEUE_FRACTION 64

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
	bool		splits;			/* or are the histories to be split? */
	RecsysHeadMatrix split;		/* their shape */
	uint64		range_cost;		/* of a range */
	pg_atomic_uint32 next;		/* first item that nobody has claimed */
	pg_atomic_uint32 ranges;	/* claimed so far */
} SharedModel;

/* One process that computes rows */
typedef struct Participant
{
	SharedModel *shared;
	RecsysItemTotals totals;
	RecsysMatrix matrix;
	RecsysMatrix transpose;
	RecsysHeadMatrix split;		/* in shared memory */
	RecsysKernel *kernel;		/* one of these two computes */
	RecsysSlimKernel *slim_kernel;
	uint32		last;			/* end of the range at hand */
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
	if (shared->splits)
		*compact = RecsysCarve(&area, RecsysHeadSize(&shared->split));
	else if (shared->narrow || shared->packed)
		*compact = RecsysCarve(&area, RecsysMatrixCompactMemory(shared->nentries, shared->weighted));
	return area.used;
}

/* The end of the range that begins with an item. */
static uint32
range_end(const Participant *self, uint32 first)
{
	uint32		nitems = self->shared->nitems;
	uint64		cost = 0;
	uint32		last = first;

	do
		cost += RecsysKernelCost(&self->totals, last++);
	while (last < nitems && cost < self->shared->range_cost);
	return last;
}

/* Claim the next range, if there is one. */
static bool
claim_range(Participant *self, uint32 *first)
{
	SharedModel *shared = self->shared;

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
	if (self->slim_kernel != NULL)
		RecsysSlimKernelColumns(self->slim_kernel, first, self->last, report, arg);
	else
		RecsysKernelRows(self->kernel, first, self->last, report, arg);
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
	const SharedModel *shared = self->shared;

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

void
recsys_model_worker_main(dsm_segment *segment, shm_toc *toc)
{
	Sender		sender = {0};
	Participant *self = &sender.self;
	SharedModel *shared = RecsysWorkerBegin(&sender.worker, segment, toc);
	dsm_segment *base = RecsysSegmentAttach(shared->base);
	dsm_segment *derived;
	void	   *compact;

	self->shared = shared;
	lay_out_base(shared, dsm_segment_address(base), self);
	derived = RecsysSegmentAttach(shared->derived);
	lay_out_derived(shared, dsm_segment_address(derived), self, &compact);
	if (shared->splits)
	{
		self->split = shared->split;
		RecsysHeadPlace(&self->split, compact);
		self->matrix.split = &self->split;
	}
	self->matrix.narrow = shared->narrow ? compact : NULL;
	self->matrix.packed = shared->packed ? compact : NULL;
	self->matrix.weight_shift = shared->weight_shift;

	start_computing(self);
	while (!sender.worker.abandoned && take_range(self, send_row, &sender))
		;
	stop_computing(self);

	dsm_detach(derived);
	dsm_detach(base);
	RecsysWorkerEnd(&sender.worker);
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
	return RecsysWorkersThatFit(model->nworkers, each + plan->queue, shared, left);
}

static void
plan_run(const RecsysTraining *model, const SharedModel *shared, Plan *plan)
{
	Participant none;
	void	   *compact;
	SharedModel with_compact = *shared;
	SharedModel without = *shared;
	Size		base = lay_out_base(shared, NULL, &none);
	Size		left = model->memory_left;
	Size		kernel;
	Size		freed;
	Size		plain;
	Size		larger;

	memset(plan, 0, sizeof(Plan));
	plan->queue = RECSYS_ROW_QUEUE(left / QUEUE_FRACTION);
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
	with_compact.narrow = !shared->splits;
	without.splits = false;
	plain = lay_out_derived(&without, NULL, &none, &compact);
	larger = lay_out_derived(&with_compact, NULL, &none, &compact);

	/* the compact copy is worth about as much as another worker */
	if (shared->splits || shared->nitems <= RECSYS_COMPACT_COLUMNS)
		plan->nworkers = workers_that_fit(model, plan, left + freed, base + larger, kernel);
	plan->compact = plan->nworkers > 0;
	if (shared->splits)
		return;
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

/* How to do it with split histories, if they fit; then nobody reads the matrix's columns. */
static void
plan_split(const RecsysTraining *model, SharedModel *shared, Plan *plan)
{
	bool		columns = shared->columns;

	shared->splits = true;
	shared->columns = false;
	RecsysHeadShape(&shared->split, shared->nrows, model->totals);
	plan_run(model, shared, plan);
	if (plan->nworkers > 0)
		return;
	shared->splits = false;
	shared->columns = columns;
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
	const RecsysItemTotals *totals = model->totals;
	RecsysMatrix *matrix = model->matrix;
	Size		nitems = shared->nitems;

	memcpy(self->totals.users, totals->users, sizeof(uint32) * nitems);
	memcpy(self->totals.work, totals->work, sizeof(uint64) * nitems);
	if (shared->weighted)
	{
		memcpy(self->totals.norm2, totals->norm2, sizeof(double) * nitems);
		memcpy(self->totals.mass, totals->mass, sizeof(double) * nitems);
	}
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
	shared->narrow = plan->compact && !shared->splits;
	segment = RecsysSegmentCreate(lay_out_derived(shared, NULL, self, &compact));
	if (segment == NULL)
	{
		plan->nworkers = 0;
		self->transpose = *RecsysMatrixTranspose(&self->matrix);
		if (shared->splits)
			self->matrix.split = RecsysHeadCreate(&self->matrix, &self->totals);
		else if (plan->compact)
			(void) RecsysMatrixCompact(&self->matrix);
		return NULL;
	}

	lay_out_derived(shared, dsm_segment_address(segment), self, &compact);
	memset(self->transpose.offsets, 0, sizeof(uint64) * ((Size) shared->nitems + 1));
	RecsysMatrixTransposeTo(&self->matrix, &self->transpose);
	if (shared->splits)
	{
		self->split = shared->split;
		RecsysHeadPlace(&self->split, compact);
		RecsysHeadFill(&self->split, &self->matrix, &self->totals);
		self->matrix.split = &self->split;
	}
	else if (plan->compact)
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
	RecsysRowOrder *order;
	SharedModel *shared;
	uint64		cost = 0;
	uint32		ranges;

	workers = RecsysWorkersCreate("recsys_model_worker_main", plan->nworkers, plan->queue,
								  sizeof(SharedModel), (void **) &shared);
	*shared = *description;
	for (uint32 item = 0; item < shared->nitems; item++)
		cost += RecsysKernelCost(&self->totals, item);
	shared->range_cost = cost / (RANGES_PER_PARTICIPANT * (plan->nworkers + 1));
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
	if (description.options.similarity != RECSYS_SLIM &&
		!RecsysMeasureUsesDots(model->totals, model->options))
		plan_split(model, &description, &plan);
	if (!description.splits)
		plan_run(model, &description, &plan);
	if (!description.splits && !plan.compact && !description.columns)
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
