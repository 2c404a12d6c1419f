/*
 * parallel_mining.c
 *	  Frequent item sets mined by this process and, when it takes long, by
 *	  parallel workers as well.
 *
 * Most mining is over before a worker could start, and the size of the data does not
 * tell how long it will take.  So the leader begins alone.  If it is still mining after
 * a while, it interrupts its current task, copies the prepared block into shared memory
 * and launches workers.  From then on all claim tasks from one counter, long ones first.
 *
 * If workers have read the baskets, they are there from the beginning.  They sleep
 * until the block is prepared, which in this case is built in shared memory.
 *
 * Workers send item sets in batches.  While the leader mines, it looks into their queues
 * after every SETS_PER_LOOK sets of its own and reports what has arrived.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "core/base/largepages.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "source/basket/parallel_mining.h"
#include "source/team/segment.h"
#include "utils/wait_event.h"

/* Milliseconds that the leader mines alone, and that have to be left for workers */
#define ALONE 60.0

/* Own item sets between two looks at the clock or into the queues */
#define SETS_PER_LOOK 256

/* Bytes of a worker's queue, and units of a batch */
#define QUEUE_SIZE ((Size) 1024 * 1024)
#define BATCH_UNITS 32768

/* What workers are to do */
typedef enum RecsysMiningStage
{
	STAGE_PREPARING,			/* wait */
	STAGE_MINING,				/* mine the block */
	STAGE_OVER					/* go home */
} RecsysMiningStage;

/* How a batch begins; packed item sets follow */
typedef struct BatchHeader
{
	uint32		outcome;		/* RecsysItemsetOutcome of the tasks so far */
	uint32		nsets;
	uint32		nunits;
} BatchHeader;

typedef struct Leader
{
	MemoryContext context;
	const RecsysItemsets *sets;
	const RecsysMiningReport *report;
	instr_time	start;
	int			nworkers;		/* that may be launched; 0 once they are */
	Size		memory_limit;	/* of each miner */
	uint32		until_look;
	uint32		claimed;		/* while there are no workers */
	RecsysItemsetOutcome outcome;

	/* once there are workers */
	RecsysMiningTeam team;
} Leader;

/* A worker's batch */
typedef struct Batch
{
	RecsysWorker *worker;
	RecsysMiningShared *shared;
	BatchHeader header;
	uint16		units[BATCH_UNITS];
} Batch;

PGDLLEXPORT void recsys_itemset_worker_main(dsm_segment *segment, shm_toc *toc);

static bool
claim(pg_atomic_uint32 *claimed, uint32 ntasks, uint32 *task)
{
	uint32		n;

	/* never counts past the end, however often it is asked */
	if (pg_atomic_read_u32(claimed) >= ntasks)
		return false;
	n = pg_atomic_fetch_add_u32(claimed, 1);
	if (n >= ntasks)
		return false;
	*task = ntasks - 1 - n;
	return true;
}

static bool
claim_as_leader(Leader *leader, uint32 *task)
{
	if (leader->team.workers != NULL)
		return claim(&leader->team.shared->claimed, leader->sets->ntasks, task);
	if (leader->claimed == leader->sets->ntasks)
		return false;
	*task = leader->sets->ntasks - 1 - leader->claimed++;
	return true;
}

/* Everything ends: by a limit, or because the reporter says so. */
static void
stop(Leader *leader, RecsysItemsetOutcome outcome)
{
	if (leader->outcome == RECSYS_ITEMSETS_DONE)
		leader->outcome = outcome;
	if (leader->team.shared != NULL)
		pg_atomic_write_u32(&leader->team.shared->stop, 1);
}

static void
take_batch(Leader *leader, const BatchHeader *header)
{
	const RecsysMiningReport *report = leader->report;

	if (header->outcome == RECSYS_ITEMSETS_NO_MEMORY)
		stop(leader, RECSYS_ITEMSETS_NO_MEMORY);
	if (header->nsets > 0 && leader->outcome == RECSYS_ITEMSETS_DONE &&
		!report->packed(report->arg, (const uint16 *) (header + 1), header->nunits, header->nsets))
		stop(leader, RECSYS_ITEMSETS_STOPPED);
}

/* Report what the workers have sent; returns whether there was anything. */
static bool
drain(Leader *leader)
{
	bool		found = false;

	for (int worker = 0; worker < leader->team.nlaunched; worker++)
	{
		const void *message;
		Size		size;

		while (RecsysWorkersReceive(leader->team.workers, worker, &message, &size))
		{
			found = true;
			take_batch(leader, message);
			CHECK_FOR_INTERRUPTS();
		}
	}
	return found;
}

void
RecsysMiningSharedInit(RecsysMiningShared *shared)
{
	ConditionVariableInit(&shared->changed);
	pg_atomic_init_u32(&shared->stage, STAGE_PREPARING);
	pg_atomic_init_u32(&shared->claimed, 0);
	pg_atomic_init_u32(&shared->stop, 0);
}

static void
set_stage(RecsysMiningShared *shared, RecsysMiningStage stage)
{
	pg_write_barrier();
	pg_atomic_write_u32(&shared->stage, stage);
	ConditionVariableBroadcast(&shared->changed);
}

void *
RecsysMiningTeamPlace(void *arg, Size size)
{
	RecsysMiningTeam *team = arg;
	void	   *place;

	if (team->workers != NULL)
	{
		team->segment = RecsysSegmentCreate(size);
		if (team->segment != NULL)
			return dsm_segment_address(team->segment);
	}
	place = MemoryContextAllocHuge(CurrentMemoryContext, size);
	RecsysMapPages(place, size);
	return place;
}

static void
launch(Leader *leader)
{
	RecsysMiningTeam *team = &leader->team;
	int			nworkers = leader->nworkers;
	MemoryContext old = MemoryContextSwitchTo(leader->context);

	leader->nworkers = 0;
	team->segment = RecsysSegmentCreate(leader->sets->size);
	if (team->segment == NULL)
	{
		MemoryContextSwitchTo(old);
		return;
	}
	memcpy(dsm_segment_address(team->segment), leader->sets, leader->sets->size);

	team->workers = RecsysWorkersCreate("recsys_itemset_worker_main", nworkers, QUEUE_SIZE,
										sizeof(RecsysMiningShared), (void **) &team->shared);
	RecsysMiningSharedInit(team->shared);
	team->shared->block = dsm_segment_handle(team->segment);
	team->shared->memory_limit = leader->memory_limit;
	team->shared->format = leader->report->format;
	pg_atomic_write_u32(&team->shared->claimed, leader->claimed);
	pg_atomic_write_u32(&team->shared->stage, STAGE_MINING);
	team->nlaunched = RecsysWorkersLaunch(team->workers);
	MemoryContextSwitchTo(old);
}

/*
 * Is it time for workers?  Starting and ending them takes tens of milliseconds, so it is
 * not worth it when less work seems to be left than has been done.  Later tasks tend to
 * be shorter, so this overestimates what is left.
 */
static bool
needs_workers(const Leader *leader)
{
	instr_time	now;
	double		elapsed;
	double		left;

	if (leader->nworkers == 0 || leader->claimed == leader->sets->ntasks)
		return false;
	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, leader->start);
	elapsed = INSTR_TIME_GET_MILLISEC(now);
	left = elapsed * (leader->sets->ntasks - leader->claimed) / Max(leader->claimed, 1);
	return elapsed >= ALONE && left >= ALONE;
}

/* Time for workers?  Then launch them; or look what they have sent. */
static void
look_around(Leader *leader)
{
	leader->until_look = SETS_PER_LOOK;
	if (leader->team.workers != NULL)
		(void) drain(leader);
	else if (needs_workers(leader))
		launch(leader);
}

static bool
report_own(void *arg, const RecsysItemset *set)
{
	Leader	   *leader = arg;

	if (!leader->report->set(leader->report->arg, set))
	{
		stop(leader, RECSYS_ITEMSETS_STOPPED);
		return false;
	}
	if (--leader->until_look == 0)
		look_around(leader);
	return leader->outcome == RECSYS_ITEMSETS_DONE;
}

void
RecsysMiningTeamDismiss(RecsysMiningTeam *team)
{
	if (team->workers != NULL)
	{
		set_stage(team->shared, STAGE_OVER);
		RecsysWorkersFinish(team->workers);
	}
	if (team->segment != NULL)
		dsm_detach(team->segment);
	memset(team, 0, sizeof(*team));
}

/* What workers still send, until the last of them has ended */
static void
finish(Leader *leader)
{
	while (leader->team.nlaunched > 0 && !RecsysWorkersDone(leader->team.workers))
	{
		bool		found = drain(leader);

		if (!found && !RecsysWorkersDone(leader->team.workers))
			RecsysWorkersWait(leader->team.workers);
	}
	if (leader->team.workers != NULL)
		RecsysWorkersFinish(leader->team.workers);
	leader->team.workers = NULL;
	leader->team.nlaunched = 0;
	leader->team.shared = NULL; /* has gone with the workers */
}

RecsysItemsetOutcome
RecsysMineItemsets(const RecsysItemsets *sets, Size memory_limit, int nworkers,
				   RecsysMiningTeam *team, const RecsysMiningReport *report)
{
	Leader		leader = {0};
	RecsysItemsetMiner *miner;
	int			nlaunched;
	uint32		task;

	/* a worker cannot have workers of its own */
	if (IsParallelWorker() || !IsUnderPostmaster || sets->ntasks < 2)
		nworkers = 0;
	leader.context = CurrentMemoryContext;
	leader.sets = sets;
	leader.report = report;
	leader.nworkers = nworkers;
	leader.memory_limit = memory_limit / (nworkers + 1);
	leader.until_look = SETS_PER_LOOK;
	leader.outcome = RECSYS_ITEMSETS_DONE;
	INSTR_TIME_SET_CURRENT(leader.start);
	if (team->workers != NULL)
	{
		leader.team = *team;
		leader.nworkers = 0;
		leader.memory_limit = memory_limit / (leader.team.nlaunched + 1);
		leader.team.shared->memory_limit = leader.memory_limit;
		leader.team.shared->format = report->format;
		if (leader.team.segment != NULL)
			leader.team.shared->block = dsm_segment_handle(leader.team.segment);
		set_stage(leader.team.shared, leader.team.segment != NULL ? STAGE_MINING : STAGE_OVER);
	}

	miner = RecsysItemsetMinerCreate(sets, leader.memory_limit, report_own, &leader);
	while (leader.outcome == RECSYS_ITEMSETS_DONE && claim_as_leader(&leader, &task))
	{
		RecsysItemsetOutcome outcome = RecsysItemsetMine(miner, task);

		if (outcome != RECSYS_ITEMSETS_DONE)
			stop(&leader, outcome);
		else
			look_around(&leader);
		CHECK_FOR_INTERRUPTS();
	}
	RecsysItemsetMinerFree(miner);
	nlaunched = leader.team.nlaunched;
	finish(&leader);
	*team = leader.team;
	ereport(DEBUG1,
			(errmsg_internal("recsys: item sets mined in %u tasks by %d workers and the leader",
							 sets->ntasks, nlaunched)));
	return leader.outcome;
}

/*
 * Worker
 */
static void
send_batch(Batch *batch, bool flush)
{
	RecsysWorkerSend(batch->worker, &batch->header, sizeof(BatchHeader), batch->units,
					 sizeof(uint16) * (Size) batch->header.nunits, flush);
	batch->header.nunits = 0;
	batch->header.nsets = 0;
}

static bool
add_to_batch(void *arg, const RecsysItemset *set)
{
	Batch	   *batch = arg;
	const RecsysSetFormat *format = &batch->shared->format;
	Size		units = RecsysSetUnits(format, set->length);

	if (batch->header.nunits + units > BATCH_UNITS)
		send_batch(batch, false);
	if (units > BATCH_UNITS)
		elog(ERROR, "item set of %u items", set->length);
	(void) RecsysPackSet(format, set, batch->units + batch->header.nunits);
	batch->header.nunits += units;
	batch->header.nsets++;
	return !batch->worker->abandoned && pg_atomic_read_u32(&batch->shared->stop) == 0;
}

static void
mine_as_worker(RecsysWorker *worker, RecsysMiningShared *shared, dsm_segment *block)
{
	Batch	   *batch = palloc0(sizeof(Batch));
	const RecsysItemsets *sets = dsm_segment_address(block);
	RecsysItemsetOutcome outcome = RECSYS_ITEMSETS_DONE;
	RecsysItemsetMiner *miner;
	uint32		task;

	batch->worker = worker;
	batch->shared = shared;
	miner = RecsysItemsetMinerCreate(sets, shared->memory_limit, add_to_batch, batch);
	while (outcome == RECSYS_ITEMSETS_DONE && pg_atomic_read_u32(&shared->stop) == 0 &&
		   claim(&shared->claimed, sets->ntasks, &task))
	{
		outcome = RecsysItemsetMine(miner, task);
		CHECK_FOR_INTERRUPTS();
	}
	RecsysItemsetMinerFree(miner);
	batch->header.outcome = outcome;
	send_batch(batch, true);
	pfree(batch);
}

void
RecsysMiningTakePart(RecsysWorker *worker, RecsysMiningShared *shared)
{
	dsm_segment *block;

	ConditionVariablePrepareToSleep(&shared->changed);
	while (pg_atomic_read_u32(&shared->stage) == STAGE_PREPARING)
		ConditionVariableSleep(&shared->changed, PG_WAIT_EXTENSION);
	ConditionVariableCancelSleep();
	pg_read_barrier();
	if (pg_atomic_read_u32(&shared->stage) == STAGE_OVER)
		return;
	block = dsm_attach(shared->block);
	if (block != NULL)			/* else the leader has gone */
	{
		mine_as_worker(worker, shared, block);
		dsm_detach(block);
	}
}

void
recsys_itemset_worker_main(dsm_segment *segment, shm_toc *toc)
{
	RecsysWorker worker;
	RecsysMiningShared *shared = RecsysWorkerBegin(&worker, segment, toc);

	RecsysMiningTakePart(&worker, shared);
	RecsysWorkerEnd(&worker);
}
