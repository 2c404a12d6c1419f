/*
 * parallel_team.c
 *	  Dense models trained by a team of leader and parallel workers.
 *
 * core/base/team.h says how members work together.  Here the block that all of them see is a segment
 * of shared memory, they wait for each other at a barrier, and claim chunks from
 * an atomic counter.  Rows come back as in parallel_model.c (roworder.c).
 *
 * Who takes part is settled once: a team must not begin before it is known how many workers have
 * been launched, and once it has begun nobody may be missing.  So workers wait for the
 * leader to tell, and the leader does not wait at a barrier before all that were launched have
 * been seen to start.  An error in a worker reaches the leader in its wait at the barrier, and
 * ends the transaction; that terminates the workers, wherever they wait.
 *
 * Without workers, or without room for them or for a segment, the leader is a team of one.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "core/dense/als.h"
#include "core/dense/ease.h"
#include "core/dense/spectral.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "source/team/roworder.h"
#include "source/team/segment.h"
#include "source/team/workers.h"
#include "source/train/parallel_team.h"
#include "source/train/slowblas.h"
#include "storage/barrier.h"
#include "storage/condition_variable.h"
#include "utils/memutils.h"

/* Bytes of a queue, and of the leader's buffer; some ranges of rows fit. */
#define QUEUE_SIZE ((Size) 256 * 1024)

typedef struct SharedTeam
{
	RecsysDenseTask task;
	dsm_handle	block;
	pg_atomic_uint64 next;		/* see RecsysTeam.draw */
	Barrier		barrier;		/* once it is known who is here */
	pg_atomic_uint32 members;	/* 0: not yet known */
	ConditionVariable known;
} SharedTeam;

PGDLLEXPORT void recsys_team_worker_main(dsm_segment *segment, shm_toc *toc);

const RecsysDenseModel *
RecsysDenseModelOf(RecsysSimilarity similarity)
{
	switch (similarity)
	{
		case RECSYS_EASE:
			return &RecsysEase;
		case RECSYS_SPECTRAL:
			return &RecsysSpectral;
		case RECSYS_ALS:
			return &RecsysAls;
		default:
			return NULL;
	}
}

/* Worker */

static void
wait_in_worker(void *arg)
{
	SharedTeam *shared = arg;

	(void) BarrierArriveAndWait(&shared->barrier, PG_WAIT_EXTENSION);
}

static uint64
draw_in_worker(void *arg)
{
	SharedTeam *shared = arg;

	return pg_atomic_fetch_add_u64(&shared->next, 1);
}

static void
send_row(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	RecsysRowSend(arg, item, neighbors, count, true);
}

/* Returns the number of members. */
static int
wait_to_begin(SharedTeam *shared)
{
	int			members;

	ConditionVariablePrepareToSleep(&shared->known);
	while ((members = (int) pg_atomic_read_u32(&shared->members)) == 0)
		ConditionVariableSleep(&shared->known, PG_WAIT_EXTENSION);
	ConditionVariableCancelSleep();
	return members;
}

void
recsys_team_worker_main(dsm_segment *segment, shm_toc *toc)
{
	RecsysWorker worker = {0};
	SharedTeam *shared = RecsysWorkerBegin(&worker, segment, toc);
	dsm_segment *block = RecsysSegmentAttach(shared->block);
	RecsysTeam	team = {.member = ParallelWorkerNumber + 1, .wait = wait_in_worker,
		.draw = draw_in_worker, .arg = shared};

	team.members = wait_to_begin(shared);
	RecsysDenseModelOf(shared->task.options.similarity)->run(&team, &shared->task,
															dsm_segment_address(block),
															send_row, &worker);
	dsm_detach(block);
	RecsysWorkerEnd(&worker);
}

/* Leader */

typedef struct Leader
{
	SharedTeam *shared;
	RecsysWorkers *workers;
	RecsysRowOrder *order;
} Leader;

static void
wait_in_leader(void *arg)
{
	Leader	   *leader = arg;

	RecsysWorkersAwaitStart(leader->workers);
	(void) BarrierArriveAndWait(&leader->shared->barrier, PG_WAIT_EXTENSION);
}

/* More rows are claimed only when there is room for them. */
static uint64
draw_in_leader(void *arg)
{
	Leader	   *leader = arg;

	if (!RecsysRowOrderHasRoom(leader->order))
		RecsysRowOrderReport(leader->order);
	while (!RecsysRowOrderHasRoom(leader->order))
		RecsysRowOrderWait(leader->order);
	return pg_atomic_fetch_add_u64(&leader->shared->next, 1);
}

static void
begin(SharedTeam *shared, int members)
{
	BarrierInit(&shared->barrier, members);
	pg_write_barrier();
	pg_atomic_write_u32(&shared->members, (uint32) members);
	ConditionVariableBroadcast(&shared->known);
}

/* The workers that fit beside the block and the leader. */
static int
workers_that_fit(const RecsysTraining *training, const RecsysDenseModel *model,
				 const RecsysDenseTask *task)
{
	Size		left = training->memory_left;
	Size		base = model->shared(task) + model->memory(task, true) + QUEUE_SIZE;
	Size		each = model->memory(task, false) + QUEUE_SIZE;

	if (base > left)
		return 0;
	return (int) Min((Size) training->nworkers, (left - base) / each);
}

/* False when there are no workers to be had. */
static bool
train_parallel(const RecsysTraining *training, const RecsysDenseModel *model,
			   const RecsysDenseTask *task, RecsysRowReporter report, void *arg,
			   RecsysTeamKeeper keep, void *keep_arg)
{
	Leader		leader;
	RecsysTeam	team = {.wait = wait_in_leader, .draw = draw_in_leader, .arg = &leader};
	dsm_segment *block;
	int			nworkers;
	int			nlaunched;
	uint64		chunks;

	nworkers = workers_that_fit(training, model, task);
	if (nworkers == 0)
		return false;
	block = RecsysSegmentCreate(model->shared(task));
	if (block == NULL)
		return false;
	model->prepare(task, dsm_segment_address(block), training->matrix, training->totals);

	leader.workers = RecsysWorkersCreate("recsys_team_worker_main", nworkers, QUEUE_SIZE,
										 sizeof(SharedTeam), (void **) &leader.shared);
	leader.shared->task = *task;
	leader.shared->block = dsm_segment_handle(block);
	pg_atomic_init_u64(&leader.shared->next, 0);
	pg_atomic_init_u32(&leader.shared->members, 0);
	ConditionVariableInit(&leader.shared->known);
	nlaunched = RecsysWorkersLaunch(leader.workers);
	leader.order = RecsysRowOrderCreate(leader.workers, nlaunched, task->nitems, QUEUE_SIZE,
										report, arg);
	team.members = nlaunched + 1;
	begin(leader.shared, team.members);

	model->run(&team, task, dsm_segment_address(block), RecsysRowOrderTake, leader.order);
	RecsysRowOrderReport(leader.order);
	while (!RecsysRowOrderDone(leader.order))
		RecsysRowOrderWait(leader.order);

	if (keep != NULL)
		keep(keep_arg, task, dsm_segment_address(block));

	/* with the workers the shared area goes */
	chunks = pg_atomic_read_u64(&leader.shared->next);
	RecsysWorkersFinish(leader.workers);
	RecsysRowOrderFree(leader.order);
	dsm_detach(block);
	ereport(DEBUG1,
			(errmsg_internal("recsys: item graph computed with %d of %d planned workers in %llu chunks",
							 nlaunched, training->nworkers, (unsigned long long) chunks)));
	return true;
}

void
RecsysTeamTrain(const RecsysTraining *training, const RecsysDenseTask *task,
				RecsysRowReporter report, void *arg, RecsysTeamKeeper keep, void *keep_arg)
{
	const RecsysDenseModel *model = RecsysDenseModelOf(task->options.similarity);
	RecsysTeam	alone = RECSYS_TEAM_ALONE;
	void	   *block;

	RecsysWarnOfSlowBlas();
	if (task->nitems > 0 && train_parallel(training, model, task, report, arg, keep, keep_arg))
		return;
	block = MemoryContextAllocHuge(CurrentMemoryContext, Max(model->shared(task), 1));
	model->prepare(task, block, training->matrix, training->totals);
	model->run(&alone, task, block, report, arg);
	if (keep != NULL)
		keep(keep_arg, task, block);
	pfree(block);
}
