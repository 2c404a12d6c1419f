/*
 * settings.c
 *	  What the library sets up for the background processes when it is loaded: always
 *	  their settings; shared memory and the launcher if it is preloaded.
 */
#include "postgres.h"

#include "am/write/wake.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "utils/guc.h"
#include "worker/backoff.h"
#include "worker/launcher.h"
#include "worker/maintainer.h"
#include "worker/streamlauncher.h"
#include "worker/worker.h"

/* Seconds after which a launcher that died is started again */
#define LAUNCHER_RESTART 10

static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

static void
request_memory(void)
{
	if (previous_request_hook)
		previous_request_hook();
	RecsysWakeRequestMemory();
	RecsysBackoffRequestMemory();
	RecsysStreamLauncherRequestMemory();
}

static void
init_memory(void)
{
	if (previous_startup_hook)
		previous_startup_hook();
	RecsysWakeInitMemory();
	RecsysBackoffInitMemory();
	RecsysStreamLauncherInitMemory();
}

void
RecsysDescribeWorker(BackgroundWorker *worker, const char *function, const char *type)
{
	memset(worker, 0, sizeof(*worker));
	worker->bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker->bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker->bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker->bgw_library_name, "recsys", sizeof(worker->bgw_library_name));
	strlcpy(worker->bgw_function_name, function, sizeof(worker->bgw_function_name));
	strlcpy(worker->bgw_name, type, sizeof(worker->bgw_name));
	strlcpy(worker->bgw_type, type, sizeof(worker->bgw_type));
}

static void
register_launcher(void)
{
	BackgroundWorker worker;

	RecsysDescribeWorker(&worker, "RecsysLauncherMain", "recsys merge launcher");
	worker.bgw_restart_time = LAUNCHER_RESTART;
	RegisterBackgroundWorker(&worker);
}

void
RecsysInitWorker(void)
{
	DefineCustomIntVariable("recsys.merge_interval",
							"Time from one background merge of a recsys index to the next.",
							"0 turns background merging off. Without recsys in shared_preload_libraries there is none.",
							&RecsysMergeInterval, 5000, 0, 24 * 60 * 60 * 1000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("recsys.merge_workers",
							"Most databases whose recsys indexes are merged in the background at a time.",
							"Each takes one of max_worker_processes.",
							&RecsysMergeWorkers, 2, 1, RECSYS_MAX_MERGE_WORKERS,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("recsys.maintain_interval",
							"Time from one background run of recsys.maintain() to the next.",
							"0 turns it off. Without recsys in shared_preload_libraries there is none.",
							&RecsysMaintainInterval, 3600, 0, 30 * 24 * 60 * 60,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomStringVariable("recsys.stream_command",
							   "The command with which recsys-stream is run beside the server.",
							   "The server starts it, starts it again when it ends, and stops it before it stops itself. "
							   "Without recsys in shared_preload_libraries it is not run.",
							   &RecsysStreamCommand, "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	MarkGUCPrefixReserved("recsys");

	/* pg_upgrade must have the databases for itself */
	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
		return;

	previous_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = init_memory;
	register_launcher();
}
