/*
 * parallel_lists.c
 *	  Measures of pairs without weights by parallel workers, who prepare the histories, too.
 *
 * What rows are counted from, split histories (core/pairs/headmatrix.c) and the users of each
 * item (core/pairs/userlists.c), takes a tenth as long to make as the rows themselves.  So that
 * is divided as well, by blocks of users:
 *
 *	leader					workers
 *	launches workers,		start,
 *	reserves the segment	wait for it,
 *	stages block 0, 1, …	claim blocks and make them, as they are staged,
 *	claims blocks, too		…
 *	waits until all blocks are made, as the workers do;
 *	all claim ranges of rows (rowranges.c).
 *
 * The histories are in the leader's memory, and only what it stages can be seen by others.
 * Each process maps the pages of the segment that it writes first, which takes as long as
 * writing them.
 *
 * There is no deadlock: a block is waited for only by somebody who has claimed it, while the
 * leader stages without waiting for anybody; and whoever has claimed a block is running.  Who
 * starts late finds nothing to do.  An error in a worker reaches the leader in its wait.
 */
#include "postgres.h"

#include "core/dense/area.h"
#include "core/pairs/headmatrix.h"
#include "core/pairs/modeloptions.h"
#include "core/pairs/scorebounds.h"
#include "core/pairs/userlists.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "source/team/rowranges.h"
#include "source/team/segment.h"
#include "source/train/parallel_lists.h"
#include "storage/condition_variable.h"
#include "utils/memutils.h"

/* Ranges that a participant claims on average: the last one may be waited for. */
#define RANGES_PER_PARTICIPANT 128

/* What has become of the segment */
typedef enum SegmentState
{
	SEGMENT_AWAITED,
	SEGMENT_READY,
	SEGMENT_REFUSED
} SegmentState;

typedef struct SharedLists
{
	RecsysModelOptions options;
	uint64		nusers;			/* N */
	RecsysHeadMatrix split;		/* shapes */
	RecsysUserLists lists;
	RecsysSharedRows rows;
	dsm_handle	segment;		/* once it is ready */

	/* progress, each told by changed */
	pg_atomic_uint32 state;		/* a SegmentState */
	pg_atomic_uint32 staged;	/* blocks, from 0 on */
	pg_atomic_uint32 made;
	ConditionVariable changed;

	pg_atomic_uint32 claimed;	/* blocks to be made */
	pg_atomic_uint32 attached;	/* workers that see the segment */
} SharedLists;

/* One process that takes part */
typedef struct Participant
{
	SharedLists *shared;
	RecsysItemTotals totals;	/* in the segment */
	RecsysHeadMatrix split;
	RecsysUserLists lists;
	RecsysMatrix matrix;		/* nothing but split */
	RecsysKernel *kernel;
} Participant;

PGDLLEXPORT void recsys_lists_worker_main(dsm_segment *segment, shm_toc *toc);

/* Lay out the segment, over what a Participant has of it. */
static Size
lay_out(const SharedLists *shared, char *place, Participant *self)
{
	RecsysArea	area = {place, 0};
	void	   *split;
	void	   *lists;

	RecsysCarveTotals(&area, shared->split.nitems, false, &self->totals);
	self->totals.nusers = shared->nusers;
	split = RecsysCarve(&area, RecsysHeadSize(&shared->split));
	lists = RecsysCarve(&area, RecsysUserListsSize(&shared->lists));
	if (place == NULL)
		return area.used;

	self->split = shared->split;
	RecsysHeadPlace(&self->split, split);
	self->lists = shared->lists;
	RecsysUserListsPlace(&self->lists, lists);
	self->matrix.nrows = shared->split.nrows;
	self->matrix.ncolumns = shared->split.nitems;
	self->matrix.split = &self->split;
	return area.used;
}

/* Something to wait for: a number that grows until it is more than that */
static void
wait_until_more(SharedLists *shared, pg_atomic_uint32 *number, uint32 than)
{
	if (pg_atomic_read_u32(number) > than)
	{
		pg_read_barrier();
		return;
	}
	ConditionVariablePrepareToSleep(&shared->changed);
	while (pg_atomic_read_u32(number) <= than)
		ConditionVariableSleep(&shared->changed, PG_WAIT_EXTENSION);
	ConditionVariableCancelSleep();
	pg_read_barrier();
}

/* What has been written before is seen by who has waited for the number. */
static void
tell(SharedLists *shared, pg_atomic_uint32 *number)
{
	pg_atomic_fetch_add_u32(number, 1);
	ConditionVariableBroadcast(&shared->changed);
}

/* Make blocks until all are made. */
static void
make_blocks(Participant *self)
{
	SharedLists *shared = self->shared;
	uint32		nblocks = shared->lists.nblocks;
	RecsysListMaker *maker = RecsysListMakerCreate(&self->lists);
	uint32		block;

	while ((block = pg_atomic_fetch_add_u32(&shared->claimed, 1)) < nblocks)
	{
		CHECK_FOR_INTERRUPTS();
		wait_until_more(shared, &shared->staged, block);
		RecsysUserListsMake(&self->lists, &self->split, maker, block);
		tell(shared, &shared->made);
	}
	RecsysListMakerFree(maker);
	if (nblocks > 0)
		wait_until_more(shared, &shared->made, nblocks - 1);
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

	RecsysKernelRows(self->kernel, first, last, report, report_arg);
}

static void
start_computing(Participant *self, RecsysRowMaker *maker)
{
	SharedLists *shared = self->shared;

	self->kernel = RecsysKernelCreateByLists(&self->matrix, &self->lists, &self->totals,
											 &shared->options);
	memset(maker, 0, sizeof(RecsysRowMaker));
	maker->shared = &shared->rows;
	maker->range_end = range_end;
	maker->compute = compute_range;
	maker->arg = self;
}

/* Worker */

static void
take_part(SharedLists *shared, RecsysWorker *worker)
{
	Participant self = {.shared = shared};
	RecsysRowMaker maker;
	dsm_segment *segment = RecsysSegmentAttach(shared->segment);

	lay_out(shared, dsm_segment_address(segment), &self);
	pg_atomic_fetch_add_u32(&shared->attached, 1);
	make_blocks(&self);
	start_computing(&self, &maker);
	RecsysRowMakerSend(&maker, worker);
	RecsysKernelFree(self.kernel);
	dsm_detach(segment);
}

void
recsys_lists_worker_main(dsm_segment *segment, shm_toc *toc)
{
	RecsysWorker worker = {0};
	SharedLists *shared = RecsysWorkerBegin(&worker, segment, toc);

	wait_until_more(shared, &shared->state, SEGMENT_AWAITED);
	if (pg_atomic_read_u32(&shared->state) == SEGMENT_READY)
		take_part(shared, &worker);
	RecsysWorkerEnd(&worker);
}

/* Leader */

/* What of the matrix is freed when all of it has been staged */
static Size
freed_memory(const RecsysMatrix *matrix)
{
	return GetMemoryChunkSpace(matrix->offsets) + GetMemoryChunkSpace(matrix->columns);
}

/* How many workers fit, while lists are made and then while rows are. */
static int
plan_workers(const RecsysTraining *training, const SharedLists *shared, Size queue)
{
	Participant none;
	Size		left = training->memory_left;
	Size		segment = lay_out(shared, NULL, &none);
	Size		maker = RecsysListMakerMemory(&shared->lists);
	Size		kernel = RecsysCooccurrenceMemory(shared->split.nitems, false) +
		sizeof(uint32) * (Size) shared->lists.most_users;
	int			nworkers;

	nworkers = RecsysWorkersThatFit(RecsysUsefulWorkers(training->nworkers), maker + queue, segment, left);
	return RecsysWorkersThatFit(nworkers, kernel + queue, segment,
								left + freed_memory(training->matrix));
}

static void
describe(const RecsysTraining *training, SharedLists *shared)
{
	memset(shared, 0, sizeof(SharedLists));
	shared->options = *training->options;
	shared->nusers = training->totals->nusers;
	RecsysHeadShape(&shared->split, training->matrix->nrows, training->totals);
	RecsysUserListsShape(&shared->lists, training->matrix, training->totals);
}

/* What the segment is to have, as far as that takes the histories in the leader's memory. */
static void
stage(const RecsysTraining *training, Participant *self)
{
	SharedLists *shared = self->shared;
	RecsysMatrix *matrix = training->matrix;

	for (uint32 block = 0; block < shared->lists.nblocks; block++)
	{
		CHECK_FOR_INTERRUPTS();
		RecsysUserListsStage(&self->lists, &self->split, matrix, block);
		tell(shared, &shared->staged);
	}

	/* nobody reads them again */
	pfree(matrix->offsets);
	pfree(matrix->columns);
	matrix->offsets = NULL;
	matrix->columns = NULL;
}

/* Tell workers what has become of the segment; NULL: there is none. */
static void
announce(SharedLists *shared, dsm_segment *segment)
{
	if (segment != NULL)
		shared->segment = dsm_segment_handle(segment);
	pg_write_barrier();
	pg_atomic_write_u32(&shared->state, segment != NULL ? SEGMENT_READY : SEGMENT_REFUSED);
	ConditionVariableBroadcast(&shared->changed);
}

static void
lead(const RecsysTraining *training, SharedLists *shared, RecsysWorkers *workers, int nlaunched,
	 dsm_segment *segment, Size queue, RecsysRowReporter report, void *arg)
{
	Participant self = {.shared = shared};
	RecsysRowMaker maker;

	lay_out(shared, dsm_segment_address(segment), &self);
	/* histories may have weights that the measure does not look at */
	RecsysCopyTotals(&self.totals, training->totals);
	RecsysHeadBegin(&self.split);
	announce(shared, segment);
	stage(training, &self);
	make_blocks(&self);
	start_computing(&self, &maker);
	RecsysRowMakerLead(&maker, workers, nlaunched, queue, report, arg);
	RecsysKernelFree(self.kernel);
}

/* Workers are launched first, so that they start while there is nothing for them to do yet. */
static SharedLists *
launch(const SharedLists *description, const RecsysItemTotals *totals, int nworkers, Size queue,
	   RecsysWorkers **workers, int *nlaunched)
{
	SharedLists *shared;

	*workers = RecsysWorkersCreate("recsys_lists_worker_main", nworkers, queue,
								   sizeof(SharedLists), (void **) &shared);
	*shared = *description;
	RecsysSharedRowsInit(&shared->rows, totals, nworkers + 1, RANGES_PER_PARTICIPANT);
	pg_atomic_init_u32(&shared->state, SEGMENT_AWAITED);
	pg_atomic_init_u32(&shared->staged, 0);
	pg_atomic_init_u32(&shared->made, 0);
	pg_atomic_init_u32(&shared->claimed, 0);
	pg_atomic_init_u32(&shared->attached, 0);
	ConditionVariableInit(&shared->changed);
	*nlaunched = RecsysWorkersLaunch(*workers);
	return shared;
}

int
RecsysParallelListsRun(const RecsysTraining *training, RecsysRowReporter report, void *arg)
{
	SharedLists description;
	SharedLists *shared;
	RecsysWorkers *workers;
	Participant none;
	dsm_segment *segment;
	Size		queue = RecsysRowQueueSize(training->memory_left);
	int			nworkers;
	int			nlaunched;
	uint32		ranges;
	bool		detached = false;

	if (RecsysMeasureUsesDots(training->totals, training->options))
		return 0;
	describe(training, &description);
	nworkers = plan_workers(training, &description, queue);
	if (nworkers == 0 || training->totals->nitems == 0)
	{
		RecsysHeadForgetRanking(&description.split);
		return 0;
	}

	shared = launch(&description, training->totals, nworkers, queue, &workers, &nlaunched);
	segment = RecsysSegmentReserve(lay_out(shared, NULL, &none));
	if (segment == NULL)
	{
		RecsysHeadForgetRanking(&description.split);
		announce(shared, NULL);
		RecsysWorkersFinish(workers);
		return RECSYS_NO_SHARED_MEMORY;
	}
	lead(training, shared, workers, nlaunched, segment, queue, report, arg);

	/* those who still have it free it while we wait for them */
	if (pg_atomic_read_u32(&shared->attached) == nlaunched)
	{
		dsm_detach(segment);
		detached = true;
	}
	ranges = pg_atomic_read_u32(&shared->rows.ranges);
	RecsysWorkersFinish(workers);
	if (!detached)
		dsm_detach(segment);
	ereport(DEBUG1,
			(errmsg_internal("recsys: item graph computed with %d of %d planned workers in %u ranges",
							 nlaunched, training->nworkers, ranges)));
	return 1;
}
