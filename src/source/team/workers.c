/*
 * workers.c
 *	  Parallel workers that send what they compute to the leader.
 *
 * The segment of the parallel context holds the caller's shared area, one
 * message queue for each worker, their resource usage, and the text of the
 * statement for the workers' lines in the log and in pg_stat_activity.
 *
 * The leader never waits for a single worker, but for its own latch, which
 * every queue sets.  A worker that fails reports its error through the parallel
 * context, which raises it in the leader at its next check for interrupts; a
 * worker that could not even be started is noticed before the first wait.
 */
#include "postgres.h"

#include <sched.h>
#include <unistd.h>

#include "access/parallel.h"
#include "access/xact.h"
#include "executor/instrument.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "source/team/workers.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/wait_event.h"

/* Outside the ranges that the parallel context uses itself */
#define KEY_SHARED			UINT64CONST(0xEC59500000000001)
#define KEY_QUEUES			UINT64CONST(0xEC59500000000002)
#define KEY_BUFFER_USAGE	UINT64CONST(0xEC59500000000003)
#define KEY_WAL_USAGE		UINT64CONST(0xEC59500000000004)
#define KEY_STATEMENT		UINT64CONST(0xEC59500000000005)

/* Where the queues stand: the first of them follows, aligned */
typedef struct Queues
{
	Size		size;			/* of each */
} Queues;

struct RecsysWorkers
{
	ParallelContext *context;
	Queues	   *queues;
	int			nlaunched;
	shm_mq_handle **handles;	/* NULL once a worker has detached */
	int			nattached;		/* handles that are not NULL */
	bool		started;		/* all have been seen to start */
	BufferUsage *buffer_usage;
	WalUsage   *wal_usage;
};

static shm_mq *
queue_place(Queues *queues, int worker)
{
	return (shm_mq *) ((char *) queues + MAXALIGN(sizeof(Queues)) + queues->size * worker);
}

static void *
allocate(ParallelContext *context, uint64 key, Size size)
{
	void	   *place = shm_toc_allocate(context->toc, size);

	memset(place, 0, size);
	shm_toc_insert(context->toc, key, place);
	return place;
}

static void
estimate(ParallelContext *context, Size size)
{
	shm_toc_estimate_chunk(&context->estimator, size);
	shm_toc_estimate_keys(&context->estimator, 1);
}

RecsysWorkers *
RecsysWorkersCreate(const char *function, int nworkers, Size queue_size, Size shared_size,
					void **shared)
{
	RecsysWorkers *workers = palloc0(sizeof(RecsysWorkers));
	const char *statement = debug_query_string != NULL ? debug_query_string : "";
	Size		statement_size = strlen(statement) + 1;
	Size		slots;
	Size		queues_size;
	ParallelContext *context;

	/* a worker of somebody else's query, by a function with a wrong label, has none itself */
	if (IsParallelWorker())
		nworkers = 0;
	slots = Max(nworkers, 1);
	queue_size = MAXALIGN(Max(queue_size, shm_mq_minimum_size));
	queues_size = MAXALIGN(sizeof(Queues)) + queue_size * slots;

	EnterParallelMode();
	context = CreateParallelContext("recsys", function, nworkers);
	estimate(context, shared_size);
	estimate(context, queues_size);
	estimate(context, sizeof(BufferUsage) * slots);
	estimate(context, sizeof(WalUsage) * slots);
	estimate(context, statement_size);
	InitializeParallelDSM(context);

	workers->context = context;
	*shared = allocate(context, KEY_SHARED, shared_size);
	workers->queues = allocate(context, KEY_QUEUES, queues_size);
	workers->queues->size = queue_size;
	workers->buffer_usage = allocate(context, KEY_BUFFER_USAGE, sizeof(BufferUsage) * slots);
	workers->wal_usage = allocate(context, KEY_WAL_USAGE, sizeof(WalUsage) * slots);
	memcpy(allocate(context, KEY_STATEMENT, statement_size), statement, statement_size);
	for (int worker = 0; worker < context->nworkers; worker++)
		shm_mq_set_receiver(shm_mq_create(queue_place(workers->queues, worker), queue_size),
							MyProc);
	return workers;
}

/* Processors that this process may run on; 0 when nobody knows. */
static int
count_processors(void)
{
#ifdef CPU_COUNT
	cpu_set_t	allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0)
		return CPU_COUNT(&allowed);
#endif
#ifdef _SC_NPROCESSORS_ONLN
	return (int) Max(sysconf(_SC_NPROCESSORS_ONLN), 0);
#else
	return 0;
#endif
}

int
RecsysUsefulWorkers(int nworkers)
{
	int			processors = count_processors();

	return processors > 0 ? Min(nworkers, Max(processors - 1, 1)) : nworkers;
}

int
RecsysWorkersLaunch(RecsysWorkers *workers)
{
	ParallelContext *context = workers->context;

	/* without a segment the context is of no use to anybody but us */
	if (context->seg != NULL)
		LaunchParallelWorkers(context);
	workers->nlaunched = context->nworkers_launched;
	workers->nattached = workers->nlaunched;
	workers->handles = palloc(sizeof(shm_mq_handle *) * Max(workers->nlaunched, 1));
	for (int worker = 0; worker < workers->nlaunched; worker++)
		workers->handles[worker] = shm_mq_attach(queue_place(workers->queues, worker),
												 context->seg,
												 context->worker[worker].bgwhandle);
	return workers->nlaunched;
}

bool
RecsysWorkersReceive(RecsysWorkers *workers, int worker, const void **message, Size *size)
{
	void	   *data;

	if (workers->handles[worker] == NULL)
		return false;
	switch (shm_mq_receive(workers->handles[worker], size, &data, true))
	{
		case SHM_MQ_SUCCESS:
			*message = data;
			return true;
		case SHM_MQ_WOULD_BLOCK:
			return false;
		case SHM_MQ_DETACHED:
			break;
	}
	workers->handles[worker] = NULL;
	workers->nattached--;
	return false;
}

bool
RecsysWorkersDone(const RecsysWorkers *workers)
{
	return workers->nattached == 0;
}

void
RecsysWorkersAwaitStart(RecsysWorkers *workers)
{
	if (!workers->started && workers->nlaunched > 0)
		WaitForParallelWorkersToAttach(workers->context);
	workers->started = true;
}

void
RecsysWorkersWait(RecsysWorkers *workers)
{
	/*
	 * Who never starts must not be waited for: this errors out.  It resets the
	 * latch, so something may have come unnoticed.
	 */
	if (!workers->started)
	{
		RecsysWorkersAwaitStart(workers);
		return;
	}

	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, 0, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

void
RecsysWorkersFinish(RecsysWorkers *workers)
{
	if (workers->nlaunched > 0)
		WaitForParallelWorkersToFinish(workers->context);
	for (int worker = 0; worker < workers->nlaunched; worker++)
		InstrAccumParallelQuery(&workers->buffer_usage[worker], &workers->wal_usage[worker]);
	DestroyParallelContext(workers->context);
	ExitParallelMode();
	pfree(workers->handles);
	pfree(workers);
}

void *
RecsysWorkerBegin(RecsysWorker *worker, dsm_segment *segment, shm_toc *toc)
{
	Queues	   *queues = shm_toc_lookup(toc, KEY_QUEUES, false);
	shm_mq	   *queue = queue_place(queues, ParallelWorkerNumber);

	debug_query_string = shm_toc_lookup(toc, KEY_STATEMENT, false);
	if (debug_query_string[0] == '\0')
		debug_query_string = NULL;
	pgstat_report_activity(STATE_RUNNING, debug_query_string);

	worker->toc = toc;
	worker->abandoned = false;
	shm_mq_set_sender(queue, MyProc);
	worker->queue = shm_mq_attach(queue, segment, NULL);
	InstrStartParallelQuery();
	return shm_toc_lookup(toc, KEY_SHARED, false);
}

void
RecsysWorkerSend(RecsysWorker *worker, const void *header, Size header_size,
				 const void *body, Size body_size, bool flush)
{
	shm_mq_iovec parts[2];

	if (worker->abandoned)
		return;
	parts[0].data = header;
	parts[0].len = header_size;
	parts[1].data = body;
	parts[1].len = body_size;
	if (shm_mq_sendv(worker->queue, parts, body_size > 0 ? 2 : 1, false, flush) != SHM_MQ_SUCCESS)
		worker->abandoned = true;
}

void
RecsysWorkerEnd(RecsysWorker *worker)
{
	BufferUsage *buffer_usage = shm_toc_lookup(worker->toc, KEY_BUFFER_USAGE, false);
	WalUsage   *wal_usage = shm_toc_lookup(worker->toc, KEY_WAL_USAGE, false);

	InstrEndParallelQuery(&buffer_usage[ParallelWorkerNumber], &wal_usage[ParallelWorkerNumber]);
	shm_mq_detach(worker->queue);
}
