/*
 * streamlauncher.c
 *	  The process that runs the stream program beside the server.
 *
 * recsys-stream is a client like any other, which systemd may run, on this machine or another one
 * (doc/streams.md).  Where the server is to look after it, recsys.stream_command is what this process
 * runs: it starts the command, starts it again when it has ended, after growing pauses, hands a reload
 * of the server's configuration on as SIGHUP, and ends the program before it ends itself.  It reads no
 * table and does not know whether the program is any good.
 *
 * The launcher of the merge workers starts it when there is a command (RecsysKeepStreamLauncher), so it
 * takes none of max_worker_processes where there is none; and not before recovery is over, so that a
 * standby has a program from its promotion on.  Shared memory holds its process id, as the launcher of
 * the merge workers may have been started anew and know nothing of it.
 */
#include "postgres.h"

#include <signal.h>

#include "compat.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"
#include "worker/backoff.h"
#include "worker/childprogram.h"
#include "worker/streamlauncher.h"
#include "worker/worker.h"

/* Milliseconds until the program is started again: the first time, and at most */
#define FIRST_PAUSE 1000
#define LONGEST_PAUSE 60000

/* Milliseconds after which a program counts as one that works */
#define SETTLED 60000

/* Milliseconds that it has to end by itself */
#define GRACE 10000

/* Milliseconds from one attempt to start this process to the next */
#define LAUNCH_INTERVAL 10000

char	   *RecsysStreamCommand = NULL;

/* 0: the process is not there */
static pg_atomic_uint32 *running = NULL;

/* The program as it is now */
typedef struct Program
{
	char	   *command;		/* the one that was started, or NULL before the first time */
	pid_t		pid;			/* 0: it does not run */
	TimestampTz started;
	TimestampTz kill_at;		/* it has been told to end, and is made to then; 0: it has not */
	TimestampTz start_at;		/* not to be started before */
	int			failures;		/* times that it has ended soon, one after the other */
} Program;

static Program program;

void
RecsysStreamLauncherRequestMemory(void)
{
	RequestAddinShmemSpace(MAXALIGN(sizeof(pg_atomic_uint32)));
}

void
RecsysStreamLauncherInitMemory(void)
{
	bool		found;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	running = ShmemInitStruct("recsys stream launcher", sizeof(pg_atomic_uint32), &found);
	if (!found)
		pg_atomic_init_u32(running, 0);
	LWLockRelease(AddinShmemInitLock);
}

/* False when the server has no room for another background worker. */
static bool
start_launcher(void)
{
	BackgroundWorker worker;

	RecsysDescribeWorker(&worker, "RecsysStreamLauncherMain", "recsys stream launcher");
	worker.bgw_notify_pid = MyProcPid;
	return RegisterDynamicBackgroundWorker(&worker, NULL);
}

TimestampTz
RecsysKeepStreamLauncher(void)
{
	static TimestampTz not_before = 0;
	static bool complained = false;
	TimestampTz now;

	if (RecsysStreamCommand[0] == '\0' || pg_atomic_read_u32(running) != 0)
		return DT_NOEND;
	now = GetCurrentTimestamp();
	if (now < not_before)
		return not_before;
	not_before = TimestampTzPlusMilliseconds(now, LAUNCH_INTERVAL);
	if (start_launcher())
		complained = false;
	else if (!complained)
	{
		complained = true;
		ereport(LOG,
				(errmsg("there is no background worker slot left to run recsys.stream_command"),
				 errhint("Increase max_worker_processes, or run recsys-stream by systemd.")));
	}
	return not_before;
}

static void
child_ended(SIGNAL_ARGS)
{
	int			save_errno = errno;

	SetLatch(MyLatch);
	errno = save_errno;
}

static bool
is_wanted(void)
{
	return !ShutdownRequestPending && RecsysStreamCommand[0] != '\0';
}

/* The program has ended by itself: when is it started again? */
static void
note_end(int status, TimestampTz now)
{
	int			pause;

	if (now >= TimestampTzPlusMilliseconds(program.started, SETTLED))
		program.failures = 0;
	pause = Min(RecsysBackoffDelay(FIRST_PAUSE, program.failures), LONGEST_PAUSE);
	if (program.failures < INT_MAX)
		program.failures++;
	program.start_at = TimestampTzPlusMilliseconds(now, pause);
	ereport(status == 0 ? LOG : WARNING,
			(errmsg("the recsys stream program has ended: %s", wait_result_to_str(status)),
			 errdetail("It is started again in %d s. The command is: %s", pause / 1000, program.command)));
}

static void
collect_program(TimestampTz now)
{
	int			status;

	if (program.pid == 0 || !RecsysChildEnded(program.pid, &status))
		return;

	/* what it has left behind would stand in the way of the next one */
	RecsysSignalChildren(program.pid, SIGTERM);
	program.pid = 0;
	if (program.kill_at == 0)
		note_end(status, now);
	else
	{
		ereport(LOG, (errmsg("the recsys stream program has been stopped")));
		program.kill_at = 0;
		program.start_at = 0;
		program.failures = 0;
	}
}

static void
start_program(TimestampTz now)
{
	if (program.command != NULL)
		pfree(program.command);
	program.command = MemoryContextStrdup(TopMemoryContext, RecsysStreamCommand);
	program.started = now;
	program.pid = RecsysStartChild(program.command);
	if (program.pid > 0)
	{
		ereport(LOG, (errmsg("the recsys stream program has been started with PID %d", (int) program.pid)));
		return;
	}
	program.pid = 0;
	program.start_at = TimestampTzPlusMilliseconds(now, LONGEST_PAUSE);
	ereport(WARNING,
			(errmsg("the recsys stream program could not be started: %m"),
			 errdetail("It is tried again in %d s.", LONGEST_PAUSE / 1000)));
}

/* It is told to end; one that does not is killed in the end. */
static void
stop_program(TimestampTz now)
{
	if (program.kill_at == 0)
	{
		RecsysSignalChildren(program.pid, SIGTERM);
		program.kill_at = TimestampTzPlusMilliseconds(now, GRACE);
	}
	else if (now >= program.kill_at)
	{
		ereport(WARNING,
				(errmsg("the recsys stream program did not end within %d s and is killed", GRACE / 1000)));
		RecsysSignalChildren(program.pid, SIGKILL);
		program.kill_at = TimestampTzPlusMilliseconds(now, GRACE);
	}
}

static void
reload(void)
{
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	if (program.command == NULL || !is_wanted())
		return;
	if (strcmp(program.command, RecsysStreamCommand) != 0)
	{
		/* another command: at once, whatever became of this one */
		program.start_at = 0;
		program.failures = 0;
	}
	else if (program.pid != 0 && program.kill_at == 0)
		(void) kill(program.pid, SIGHUP);
}

/* Brings the program to where it should be; returns when there is more to do. */
static TimestampTz
serve(void)
{
	TimestampTz now = GetCurrentTimestamp();

	collect_program(now);
	if (program.pid != 0 &&
		(program.kill_at != 0 || !is_wanted() || strcmp(program.command, RecsysStreamCommand) != 0))
		stop_program(now);
	else if (program.pid == 0 && is_wanted() && now >= program.start_at)
		start_program(now);

	if (program.pid != 0)
		return program.kill_at == 0 ? DT_NOEND : program.kill_at;
	return is_wanted() ? program.start_at : DT_NOEND;
}

/* However this process ends, short of a crash: its program is told, and another may take its place. */
static void
leave(int code, Datum argument)
{
	if (program.pid != 0)
		RecsysSignalChildren(program.pid, SIGTERM);
	pg_atomic_write_u32(running, 0);
}

/* False when there is one already. */
static bool
take_place(void)
{
	uint32		nobody = 0;

	if (!pg_atomic_compare_exchange_u32(running, &nobody, (uint32) MyProcPid))
		return false;
	before_shmem_exit(leave, (Datum) 0);
	return true;
}

void
RecsysStreamLauncherMain(Datum argument)
{
	uint32		wait_event;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGCHLD, child_ended);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	if (!take_place())
		proc_exit(0);
	pgstat_report_appname("recsys stream launcher");
	wait_event = RECSYS_WAIT_EVENT("RecsysStreamLauncherMain");

	for (;;)
	{
		TimestampTz due;
		long		timeout = -1;

		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
			reload();
		due = serve();
		if (program.pid == 0 && !is_wanted())
			break;

		if (due != DT_NOEND)
			timeout = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), due);
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (timeout >= 0 ? WL_TIMEOUT : 0),
						 timeout, wait_event);
		ResetLatch(MyLatch);
	}
	proc_exit(ShutdownRequestPending ? 1 : 0);
}
