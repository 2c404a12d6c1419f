/*
 * mining.c
 *	  Frequent item sets mined by this process and, when it takes long, by
 *	  parallel workers as well.
 *
 * Most mining is over before a worker could have started, and how long it takes
 * cannot be told from the data's size.  So the leader begins alone, and when it is
 * still at it after a while, in the middle of whatever task, it copies the
 * prepared block into shared memory and launches workers.  From then on all claim
 * tasks from one counter, the long ones first.
 *
 * Workers send item sets in batches.  The leader, while it mines itself, looks
 * into the queues every so many sets of its own, and reports what has come.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "portability/instr_time.h"
#include "source/mining.h"
#include "source/segment.h"
#include "source/workers.h"

/* Milliseconds that the leader mines alone */
#define ALONE 20.0

/* Own item sets between two looks at the clock or into the queues */
#define SETS_PER_LOOK 256

/* Bytes of a worker's queue and of a batch */
#define QUEUE_SIZE ((Size) 1024 * 1024)
#define BATCH_WORDS 16384

typedef struct SharedMining
{
	dsm_handle	block;			/* segment with the prepared data */
	Size		memory_limit;	/* of each miner */
	pg_atomic_uint32 claimed;	/* tasks that somebody has taken, from the last one on */
	pg_atomic_uint32 stop;		/* nobody wants more */
} SharedMining;

/* How a batch begins; item sets follow, each as weight, support, length, items */
typedef struct BatchHeader
{
	uint32		outcome;		/* RecsysItemsetOutcome of the tasks so far */
	uint32		nwords;
} BatchHeader;

/* Words before the items of a set in a batch */
#define SET_WORDS 4

typedef struct Leader
{
	MemoryContext context;
	const RecsysItemsets *sets;
	RecsysItemsetReporter report;
	void	   *arg;
	instr_time	start;
	int			nworkers;		/* that may be launched; 0 once they are */
	Size		memory_limit;	/* of each miner */
	uint32		until_look;
	uint32		claimed;		/* while there are no workers */
	RecsysItemsetOutcome outcome;

	/* once there are workers */
	RecsysWorkers *workers;
	int			nlaunched;
	SharedMining *shared;
	dsm_segment *segment;
} Leader;

/* A worker's batch */
typedef struct Batch
{
	RecsysWorker worker;
	SharedMining *shared;
	BatchHeader header;
	uint32		words[BATCH_WORDS];
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
	if (leader->workers != NULL)
		return claim(&leader->shared->claimed, leader->sets->ntasks, task);
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
	if (leader->shared != NULL)
		pg_atomic_write_u32(&leader->shared->stop, 1);
}

static void
take_batch(Leader *leader, const BatchHeader *header)
{
	const uint32 *word = (const uint32 *) (header + 1);
	const uint32 *end = word + header->nwords;

	if (header->outcome == RECSYS_ITEMSETS_NO_MEMORY)
		stop(leader, RECSYS_ITEMSETS_NO_MEMORY);
	while (word < end && leader->outcome == RECSYS_ITEMSETS_DONE)
	{
		RecsysItemset set;

		memcpy(&set.weight, word, sizeof(double));
		set.support = word[2];
		set.length = word[3];
		set.items = word + SET_WORDS;
		word += SET_WORDS + set.length;
		if (!leader->report(leader->arg, &set))
			stop(leader, RECSYS_ITEMSETS_STOPPED);
	}
}

/* Report what the workers have sent; returns whether there was anything. */
static bool
drain(Leader *leader)
{
	bool		found = false;

	for (int worker = 0; worker < leader->nlaunched; worker++)
	{
		const void *message;
		Size		size;

		while (RecsysWorkersReceive(leader->workers, worker, &message, &size))
		{
			found = true;
			take_batch(leader, message);
			CHECK_FOR_INTERRUPTS();
		}
	}
	return found;
}

static void
launch(Leader *leader)
{
	SharedMining *shared;
	int			nworkers = leader->nworkers;
	MemoryContext old = MemoryContextSwitchTo(leader->context);

	leader->nworkers = 0;
	leader->segment = RecsysSegmentCreate(leader->sets->size);
	if (leader->segment == NULL)
	{
		MemoryContextSwitchTo(old);
		return;
	}
	memcpy(dsm_segment_address(leader->segment), leader->sets, leader->sets->size);

	leader->workers = RecsysWorkersCreate("recsys_itemset_worker_main", nworkers, QUEUE_SIZE,
										  sizeof(SharedMining), (void **) &shared);
	shared->block = dsm_segment_handle(leader->segment);
	shared->memory_limit = leader->memory_limit;
	pg_atomic_init_u32(&shared->claimed, leader->claimed);
	pg_atomic_init_u32(&shared->stop, 0);
	leader->shared = shared;
	leader->nlaunched = RecsysWorkersLaunch(leader->workers);
	MemoryContextSwitchTo(old);
}

/* Time for workers?  Then launch them; or look what they have sent. */
static void
look_around(Leader *leader)
{
	leader->until_look = SETS_PER_LOOK;
	if (leader->workers != NULL)
		(void) drain(leader);
	else if (leader->nworkers > 0 && leader->claimed < leader->sets->ntasks)
	{
		instr_time	now;

		INSTR_TIME_SET_CURRENT(now);
		INSTR_TIME_SUBTRACT(now, leader->start);
		if (INSTR_TIME_GET_MILLISEC(now) >= ALONE)
			launch(leader);
	}
}

static bool
report_own(void *arg, const RecsysItemset *set)
{
	Leader	   *leader = arg;

	if (!leader->report(leader->arg, set))
	{
		stop(leader, RECSYS_ITEMSETS_STOPPED);
		return false;
	}
	if (--leader->until_look == 0)
		look_around(leader);
	return leader->outcome == RECSYS_ITEMSETS_DONE;
}

/* What workers still send, until the last of them has ended */
static void
finish(Leader *leader)
{
	while (leader->nlaunched > 0 && !RecsysWorkersDone(leader->workers))
	{
		bool		found = drain(leader);

		if (!found && !RecsysWorkersDone(leader->workers))
			RecsysWorkersWait(leader->workers);
	}
	if (leader->workers != NULL)
	{
		leader->shared = NULL;	/* goes with the workers */
		RecsysWorkersFinish(leader->workers);
	}
	if (leader->segment != NULL)
		dsm_detach(leader->segment);
}

RecsysItemsetOutcome
RecsysMineItemsets(const RecsysItemsets *sets, Size memory_limit, int nworkers,
				   RecsysItemsetReporter report, void *arg)
{
	Leader		leader = {0};
	RecsysItemsetMiner *miner;
	uint32		task;

	/* a worker cannot have workers of its own */
	if (IsParallelWorker() || !IsUnderPostmaster || sets->ntasks < 2)
		nworkers = 0;
	leader.context = CurrentMemoryContext;
	leader.sets = sets;
	leader.report = report;
	leader.arg = arg;
	leader.nworkers = nworkers;
	leader.memory_limit = memory_limit / (nworkers + 1);
	leader.until_look = SETS_PER_LOOK;
	leader.outcome = RECSYS_ITEMSETS_DONE;
	INSTR_TIME_SET_CURRENT(leader.start);

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
	finish(&leader);
	ereport(DEBUG1,
			(errmsg_internal("recsys: item sets mined in %u tasks by %d workers and the leader",
							 sets->ntasks, leader.nlaunched)));
	return leader.outcome;
}

/*
 * Worker
 */
static void
send_batch(Batch *batch, bool flush)
{
	RecsysWorkerSend(&batch->worker, &batch->header, sizeof(BatchHeader), batch->words,
					 sizeof(uint32) * batch->header.nwords, flush);
	batch->header.nwords = 0;
}

static bool
add_to_batch(void *arg, const RecsysItemset *set)
{
	Batch	   *batch = arg;
	uint32	   *word;

	if (batch->header.nwords + SET_WORDS + set->length > BATCH_WORDS)
		send_batch(batch, false);
	if (SET_WORDS + set->length > BATCH_WORDS)
		elog(ERROR, "item set of %u items", set->length);
	word = batch->words + batch->header.nwords;
	memcpy(word, &set->weight, sizeof(double));
	word[2] = set->support;
	word[3] = set->length;
	memcpy(word + SET_WORDS, set->items, sizeof(uint32) * set->length);
	batch->header.nwords += SET_WORDS + set->length;
	return !batch->worker.abandoned && pg_atomic_read_u32(&batch->shared->stop) == 0;
}

void
recsys_itemset_worker_main(dsm_segment *segment, shm_toc *toc)
{
	Batch	   *batch = palloc0(sizeof(Batch));
	SharedMining *shared = RecsysWorkerBegin(&batch->worker, segment, toc);
	dsm_segment *block = dsm_attach(shared->block);
	RecsysItemsetOutcome outcome = RECSYS_ITEMSETS_DONE;

	batch->shared = shared;
	if (block != NULL)			/* else the leader has gone */
	{
		const RecsysItemsets *sets = dsm_segment_address(block);
		RecsysItemsetMiner *miner = RecsysItemsetMinerCreate(sets, shared->memory_limit,
															 add_to_batch, batch);
		uint32		task;

		while (outcome == RECSYS_ITEMSETS_DONE && pg_atomic_read_u32(&shared->stop) == 0 &&
			   claim(&shared->claimed, sets->ntasks, &task))
		{
			outcome = RecsysItemsetMine(miner, task);
			CHECK_FOR_INTERRUPTS();
		}
		RecsysItemsetMinerFree(miner);
		batch->header.outcome = outcome;
		send_batch(batch, true);
		dsm_detach(block);
	}
	RecsysWorkerEnd(&batch->worker);
}
