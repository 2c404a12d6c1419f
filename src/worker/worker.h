/*
 * worker.h
 *	  The background processes: those that merge, which are one launcher and a worker for
 *	  each database that has something to merge; and the one that runs the stream program.
 */
#ifndef RECSYS_WORKER_H
#define RECSYS_WORKER_H

#include "postgres.h"

#include "postmaster/bgworker.h"

/* Called once, from _PG_init: settings, and the launcher where the library is preloaded. */
extern void RecsysInitWorker(void);

/*
 * One of our processes, to be registered: it is named after its type, needs a server that is no standby, and
 * is not restarted.
 */
extern void RecsysDescribeWorker(BackgroundWorker *worker, const char *function, const char *type);

/* Shortest time from the end of one merge to the start of the next, milliseconds */
#define RECSYS_SHORTEST_PAUSE 100

/* Entry points of the processes */
extern PGDLLEXPORT void RecsysLauncherMain(Datum argument);
extern PGDLLEXPORT void RecsysMergeWorkerMain(Datum argument);
extern PGDLLEXPORT void RecsysStreamLauncherMain(Datum argument);

#endif							/* RECSYS_WORKER_H */
