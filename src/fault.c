/*
 * fault.c
 *	  Stopping the code at a named point, for tests only.  See fault.h.
 *
 * The setting is parsed when it is assigned; a point that is reached compares
 * one string.  Before a kill this backend's WAL is flushed: the log then ends
 * with the step that the point is named after, which is what a test of crash
 * recovery wants to look at.  (What was not flushed would be lost together with
 * the shared buffers, and recovery would see an earlier moment.)
 */
#include "postgres.h"

#include "fault.h"

#ifdef RECSYS_FAULT_INJECTION

#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "access/xlog.h"
#include "catalog/pg_collation_d.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/wait_event.h"

#define POINT_LENGTH 64

typedef enum FaultAction
{
	FAULT_NONE,
	FAULT_KILL,
	FAULT_ERROR,
	FAULT_WAIT,
	FAULT_LOCK
} FaultAction;

typedef struct Fault
{
	FaultAction action;
	char		point[POINT_LENGTH];
	int			countdown;		/* times to be reached; 0 when it is over */
} Fault;

static char *fault_setting = NULL;
static Fault armed;

static bool
parse_fault(const char *value, Fault *fault)
{
	char		action[16];
	int			fields;

	memset(fault, 0, sizeof(*fault));
	if (value == NULL || *value == '\0')
		return true;

	fault->countdown = 1;
	fields = sscanf(value, "%63[^:]:%15[^:]:%d", fault->point, action, &fault->countdown);
	if (fields < 2 || fault->countdown < 1)
		return false;
	if (strcmp(action, "kill") == 0)
		fault->action = FAULT_KILL;
	else if (strcmp(action, "error") == 0)
		fault->action = FAULT_ERROR;
	else if (strcmp(action, "wait") == 0)
		fault->action = FAULT_WAIT;
	else if (strcmp(action, "lock") == 0)
		fault->action = FAULT_LOCK;
	return fault->action != FAULT_NONE;
}

static bool
check_fault(char **value, void **extra, GucSource source)
{
	Fault		fault;

	if (parse_fault(*value, &fault))
		return true;
	GUC_check_errdetail("A fault is written point:action or point:action:countdown, with action kill, error, wait or lock.");
	return false;
}

static void
assign_fault(const char *value, void *extra)
{
	(void) parse_fault(value, &armed);
}

void
RecsysInitFaults(void)
{
	DefineCustomStringVariable("recsys.fault",
							   "Stops recsys at a named point, for tests.",
							   NULL,
							   &fault_setting,
							   "",
							   PGC_SUSET,
							   GUC_NOT_IN_SAMPLE,
							   check_fault,
							   assign_fault,
							   NULL);
}

/* A buffer lock may be held, so interrupts are only noticed here, not served. */
static void
wait_for_cancel(void)
{
	while (!InterruptPending)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 20,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
	CHECK_FOR_INTERRUPTS();
}

/* The test has the lock, does what it wants to be done meanwhile, and releases it. */
static void
wait_for_lock(const char *point)
{
	int32		key = DatumGetInt32(DirectFunctionCall1Coll(hashtext, C_COLLATION_OID,
															CStringGetTextDatum(point)));
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) ((uint64) (int64) key >> 32), (uint32) key, 1);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	(void) LockRelease(&tag, ExclusiveLock, false);
}

void
RecsysFault(const char *point)
{
	if (armed.action == FAULT_NONE || armed.countdown == 0 || strcmp(armed.point, point) != 0)
		return;
	if (--armed.countdown > 0)
		return;

	ereport(LOG, (errmsg("recsys: fault at %s", point)));
	switch (armed.action)
	{
		case FAULT_KILL:
			if (!XLogRecPtrIsInvalid(XactLastRecEnd))
				XLogFlush(XactLastRecEnd);
			kill(getpid(), SIGKILL);
			pause();
			break;
		case FAULT_ERROR:
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("recsys: fault at %s", point)));
			break;
		case FAULT_WAIT:
			wait_for_cancel();
			break;
		case FAULT_LOCK:
			wait_for_lock(point);
			break;
		case FAULT_NONE:
			break;
	}
}

#endif							/* RECSYS_FAULT_INJECTION */
