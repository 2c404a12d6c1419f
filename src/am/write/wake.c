/*
 * wake.c
 *	  How sessions that change indexes and the processes that merge them find
 *	  each other.
 *
 * Where the library is preloaded there is an array in shared memory with a slot
 * for each database in which something has changed.  A session that adds to a
 * pending list raises its database's urgency and, when that is new, wakes the
 * database's worker or, if it has none, the launcher (src/worker).  A worker
 * calms the slot down before it looks at the pending lists, so what is added
 * while it looks is either seen or leaves the slot raised.
 *
 * Nothing depends on the array being complete: the launcher visits every
 * database now and then anyway.
 */
#include "postgres.h"

#include "am/write/wake.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/shmem.h"

#define TRANCHE "recsys_wake"

int			RecsysMergeInterval = 5000;

typedef struct WakeSlot
{
	Oid			database;		/* InvalidOid: the slot is free */
	pg_atomic_uint32 urgency;	/* RecsysUrgency; raised and read without the lock */
	Latch	   *worker;			/* of the worker that serves it, or NULL */
	bool		left;			/* the last worker left by itself */
	TimestampTz retry_at;		/* something is to be tried again then, or 0 */
} WakeSlot;

typedef struct WakeMemory
{
	LWLock	   *lock;			/* protects everything but slots[].urgency */
	Latch	   *launcher;		/* NULL when it is not running */
	bool		able;			/* workers can be started */
	bool		crowded;		/* databases wait for a worker to leave */
	WakeSlot	slots[RECSYS_WAKE_SLOTS];
} WakeMemory;

/* NULL when the library is not preloaded */
static WakeMemory *wake = NULL;

/* This process's database's slot as of the last look; it may have been given away since */
static WakeSlot *own = NULL;

void
RecsysWakeRequestMemory(void)
{
	RequestAddinShmemSpace(MAXALIGN(sizeof(WakeMemory)));
	RequestNamedLWLockTranche(TRANCHE, 1);
}

void
RecsysWakeInitMemory(void)
{
	bool		found;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	wake = ShmemInitStruct("recsys wake", sizeof(WakeMemory), &found);
	if (!found)
	{
		memset(wake, 0, sizeof(WakeMemory));
		wake->lock = &GetNamedLWLockTranche(TRANCHE)->lock;
		for (int i = 0; i < RECSYS_WAKE_SLOTS; i++)
			pg_atomic_init_u32(&wake->slots[i].urgency, RECSYS_CALM);
	}
	LWLockRelease(AddinShmemInitLock);
}

/* A database's slot, or NULL.  The lock is held. */
static WakeSlot *
find_slot(Oid database)
{
	for (int i = 0; i < RECSYS_WAKE_SLOTS; i++)
		if (wake->slots[i].database == database)
			return &wake->slots[i];
	return NULL;
}

/*
 * The same; takes a slot that is free or of no use to its database.  NULL when
 * there is none.  The lock is held exclusively.
 */
static WakeSlot *
make_slot(Oid database)
{
	WakeSlot   *slot = find_slot(database);

	for (int i = 0; slot == NULL && i < RECSYS_WAKE_SLOTS; i++)
	{
		WakeSlot   *candidate = &wake->slots[i];

		if (candidate->worker == NULL && candidate->retry_at == 0 &&
			pg_atomic_read_u32(&candidate->urgency) == RECSYS_CALM)
			slot = candidate;
	}
	if (slot != NULL && slot->database != database)
	{
		slot->database = database;
		slot->left = true;
	}
	return slot;
}

/* Will somebody come for the slot?  Racy without the lock, which does no harm. */
static bool
is_heard(const WakeSlot *slot)
{
	return slot->worker != NULL || (wake->launcher != NULL && wake->able);
}

/* Raises the urgency of this database; false: nobody listens. */
static bool
raise_urgency(RecsysUrgency urgency)
{
	Latch	   *wakened = NULL;
	bool		heard;

	if (wake == NULL || RecsysMergeInterval == 0)
		return false;

	/* a slot that is raised is not given away */
	if (own != NULL && own->database == MyDatabaseId &&
		pg_atomic_read_u32(&own->urgency) >= urgency)
		return is_heard(own);

	LWLockAcquire(wake->lock, LW_EXCLUSIVE);
	own = make_slot(MyDatabaseId);
	heard = own != NULL && is_heard(own);
	if (own != NULL && pg_atomic_read_u32(&own->urgency) < urgency)
	{
		pg_atomic_write_u32(&own->urgency, urgency);
		if (own->worker == NULL)
			wakened = wake->launcher;
		else if (urgency == RECSYS_URGENT)
			wakened = own->worker;
	}
	LWLockRelease(wake->lock);

	/* the latch of a process that has gone since is still memory of a latch */
	if (wakened != NULL)
		SetLatch(wakened);
	return heard;
}

void
RecsysNotePending(void)
{
	(void) raise_urgency(RECSYS_PENDING);
}

bool
RecsysWakeMergeWorker(void)
{
	return raise_urgency(RECSYS_URGENT);
}

bool
RecsysIsPreloaded(void)
{
	return wake != NULL;
}

/*
 * The launcher's part
 */

static void
detach_launcher(int code, Datum arg)
{
	LWLockAcquire(wake->lock, LW_EXCLUSIVE);
	wake->launcher = NULL;
	LWLockRelease(wake->lock);
}

void
RecsysWakeAttachLauncher(void)
{
	LWLockAcquire(wake->lock, LW_EXCLUSIVE);
	wake->launcher = MyLatch;
	wake->able = true;
	wake->crowded = false;
	LWLockRelease(wake->lock);
	on_shmem_exit(detach_launcher, (Datum) 0);
}

int
RecsysWakeRead(RecsysWakeState *states)
{
	int			count = 0;

	LWLockAcquire(wake->lock, LW_SHARED);
	for (int i = 0; i < RECSYS_WAKE_SLOTS; i++)
	{
		WakeSlot   *slot = &wake->slots[i];

		if (!OidIsValid(slot->database))
			continue;
		states[count].database = slot->database;
		states[count].urgency = pg_atomic_read_u32(&slot->urgency);
		states[count].served = slot->worker != NULL;
		states[count].retry_at = slot->retry_at;
		count++;
	}
	LWLockRelease(wake->lock);
	return count;
}

void
RecsysWakeStarting(Oid database)
{
	WakeSlot   *slot;

	LWLockAcquire(wake->lock, LW_EXCLUSIVE);
	slot = make_slot(database);
	if (slot != NULL)
	{
		slot->left = false;
		slot->retry_at = 0;
	}
	LWLockRelease(wake->lock);
}

bool
RecsysWakeLeft(Oid database)
{
	WakeSlot   *slot;
	bool		left;

	LWLockAcquire(wake->lock, LW_SHARED);
	slot = find_slot(database);
	left = slot != NULL && slot->left;
	LWLockRelease(wake->lock);
	return left;
}

void
RecsysWakeForget(Oid database)
{
	WakeSlot   *slot;

	LWLockAcquire(wake->lock, LW_EXCLUSIVE);
	slot = find_slot(database);
	if (slot != NULL && slot->worker == NULL)
	{
		slot->database = InvalidOid;
		slot->retry_at = 0;
		pg_atomic_write_u32(&slot->urgency, RECSYS_CALM);
	}
	LWLockRelease(wake->lock);
}

void
RecsysWakeSetSupply(bool able, bool crowded)
{
	LWLockAcquire(wake->lock, LW_EXCLUSIVE);
	wake->able = able;
	wake->crowded = crowded;
	LWLockRelease(wake->lock);
}

/*
 * The worker's part.  As long as its latch stands in the slot, nobody takes the
 * slot away.
 */

static void
detach_worker(int code, Datum arg)
{
	Latch	   *launcher;

	LWLockAcquire(wake->lock, LW_EXCLUSIVE);
	launcher = wake->launcher;
	own->worker = NULL;

	/* what it was about to do is still to be done */
	if (!own->left && pg_atomic_read_u32(&own->urgency) == RECSYS_CALM)
		pg_atomic_write_u32(&own->urgency, RECSYS_PENDING);
	LWLockRelease(wake->lock);
	if (launcher != NULL)
		SetLatch(launcher);
}

bool
RecsysWakeAttachWorker(void)
{
	bool		attached = false;

	LWLockAcquire(wake->lock, LW_EXCLUSIVE);
	own = make_slot(MyDatabaseId);
	if (own != NULL && own->worker == NULL)
	{
		own->worker = MyLatch;
		own->left = false;
		own->retry_at = 0;
		attached = true;
	}
	LWLockRelease(wake->lock);

	if (attached)
		on_shmem_exit(detach_worker, (Datum) 0);
	return attached;
}

void
RecsysWakeTake(void)
{
	/* a barrier: what follows must not be read before this is written */
	(void) pg_atomic_exchange_u32(&own->urgency, RECSYS_CALM);
}

RecsysUrgency
RecsysWakeUrgency(void)
{
	return pg_atomic_read_u32(&own->urgency);
}

bool
RecsysWakeCrowded(void)
{
	return wake->crowded;
}

void
RecsysWakeLeave(TimestampTz retry_at)
{
	LWLockAcquire(wake->lock, LW_EXCLUSIVE);
	own->left = true;
	own->retry_at = retry_at;
	LWLockRelease(wake->lock);
}
