/*
 * workers.h
 *	  Parallel workers that send what they compute to the leader.
 *
 * A thin layer over the server's ParallelContext, for index builds.  Leader:
 *
 *	Create, fill in the shared area, Launch,
 *	Receive and Wait… until everything is there,
 *	Finish.
 *
 * Worker, in a function exported by the library with the signature of a
 * parallel worker's: Begin, Send…, End.  Nothing needs to be cleaned up after
 * an error on either side: the end of the transaction does.
 */
#ifndef RECSYS_WORKERS_H
#define RECSYS_WORKERS_H

#include "postgres.h"

#include "storage/dsm.h"
#include "storage/shm_mq.h"
#include "storage/shm_toc.h"

typedef struct RecsysWorkers RecsysWorkers;

/*
 * Enter parallel mode and prepare up to nworkers workers with a message queue
 * of queue_size bytes each.  *shared is an area of shared_size bytes, all zero,
 * for everybody to see.
 */
extern RecsysWorkers *RecsysWorkersCreate(const char *function, int nworkers,
										  Size queue_size, Size shared_size, void **shared);

/*
 * The workers, of so many, that make something faster that keeps a processor busy, the leader
 * another one: processes take turns on a processor, and each finds its cache empty.  At least
 * one, if there may be any.
 */
extern int	RecsysUsefulWorkers(int nworkers);

/*
 * The workers, of so many, that fit into memory: each takes as much as the leader, beside
 * what is shared.
 */
static inline int
RecsysWorkersThatFit(int nworkers, Size each, Size shared, Size memory)
{
	while (nworkers > 0 && shared + each * (nworkers + 1) > memory)
		nworkers--;
	return nworkers;
}

/* Returns how many were launched, which may be none. */
extern int	RecsysWorkersLaunch(RecsysWorkers *workers);

/*
 * The next message of a worker, counted from zero, if there is one.  It stays
 * valid until the next call for the same worker.
 */
extern bool RecsysWorkersReceive(RecsysWorkers *workers, int worker,
								 const void **message, Size *size);

/* Has every worker sent its last message, and has it been received? */
extern bool RecsysWorkersDone(const RecsysWorkers *workers);

/* Wait until all that were launched have started.  Errors out when one could not. */
extern void RecsysWorkersAwaitStart(RecsysWorkers *workers);

/*
 * Sleep until something may have changed.  Errors out when a worker could not
 * be started.
 */
extern void RecsysWorkersWait(RecsysWorkers *workers);

/* Wait for the workers' end, add their resource usage to ours, leave parallel mode. */
extern void RecsysWorkersFinish(RecsysWorkers *workers);

typedef struct RecsysWorker
{
	shm_toc    *toc;
	shm_mq_handle *queue;
	bool		abandoned;		/* the leader receives no more */
} RecsysWorker;

/* Returns the shared area. */
extern void *RecsysWorkerBegin(RecsysWorker *worker, dsm_segment *segment, shm_toc *toc);

/*
 * Send one message made of two parts.  Waits for room.  Messages may stay
 * unnoticed for a while unless flush is set.
 */
extern void RecsysWorkerSend(RecsysWorker *worker, const void *header, Size header_size,
							 const void *body, Size body_size, bool flush);
extern void RecsysWorkerEnd(RecsysWorker *worker);

#endif							/* RECSYS_WORKERS_H */
