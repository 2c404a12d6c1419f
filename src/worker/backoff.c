/*
 * backoff.c
 *	  Indexes whose merge has failed, and when to try them again.
 *
 * The first time waits one merge interval, each further failure twice as long.
 * This is kept in shared memory, as a database's worker comes and goes.  The
 * array is small; when it is full, the index that has been waiting longest gets
 * a fresh start.
 */
#include "postgres.h"

#include "am/write/wake.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"
#include "worker/backoff.h"

#define TRANCHE "recsys_backoff"
#define ENTRIES 128

typedef struct BackoffEntry
{
	Oid			database;
	Oid			index;			/* InvalidOid: the entry is free */
	Oid			file;
	int			failures;
	uint32		message;		/* hash of the last one */
	TimestampTz retry_at;
} BackoffEntry;

typedef struct BackoffMemory
{
	LWLock	   *lock;
	BackoffEntry entries[ENTRIES];
} BackoffMemory;

static BackoffMemory *backoff = NULL;

void
RecsysBackoffRequestMemory(void)
{
	RequestAddinShmemSpace(MAXALIGN(sizeof(BackoffMemory)));
	RequestNamedLWLockTranche(TRANCHE, 1);
}

void
RecsysBackoffInitMemory(void)
{
	bool		found;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	backoff = ShmemInitStruct("recsys backoff", sizeof(BackoffMemory), &found);
	if (!found)
	{
		memset(backoff, 0, sizeof(BackoffMemory));
		backoff->lock = &GetNamedLWLockTranche(TRANCHE)->lock;
	}
	LWLockRelease(AddinShmemInitLock);
}

int
RecsysBackoffDelay(int first, int n)
{
	double		delay = first;

	for (int i = 0; i < n && delay < RECSYS_BACKOFF_MAX; i++)
		delay *= 2;
	return (int) Min(delay, RECSYS_BACKOFF_MAX);
}

/* The lock is held. */
static BackoffEntry *
find_entry(Oid index, Oid file)
{
	for (int i = 0; i < ENTRIES; i++)
	{
		BackoffEntry *entry = &backoff->entries[i];

		if (entry->index == index && entry->file == file && entry->database == MyDatabaseId)
			return entry;
	}
	return NULL;
}

/* A free entry, or the one to be tried first.  The lock is held. */
static BackoffEntry *
spare_entry(void)
{
	BackoffEntry *spare = &backoff->entries[0];

	for (int i = 0; i < ENTRIES && OidIsValid(spare->index); i++)
	{
		BackoffEntry *entry = &backoff->entries[i];

		if (!OidIsValid(entry->index) || entry->retry_at < spare->retry_at)
			spare = entry;
	}
	return spare;
}

TimestampTz
RecsysBackoffUntil(Oid index, Oid file)
{
	BackoffEntry *entry;
	TimestampTz until = 0;

	LWLockAcquire(backoff->lock, LW_SHARED);
	entry = find_entry(index, file);
	if (entry != NULL)
		until = entry->retry_at;
	LWLockRelease(backoff->lock);
	return until;
}

TimestampTz
RecsysBackoffFailed(Oid index, Oid file, const char *message, bool *news)
{
	uint32		hash = hash_bytes((const unsigned char *) message, (int) strlen(message));
	TimestampTz now = GetCurrentTimestamp();
	BackoffEntry *entry;
	TimestampTz until;

	LWLockAcquire(backoff->lock, LW_EXCLUSIVE);
	entry = find_entry(index, file);
	*news = entry == NULL || entry->message != hash;
	if (entry == NULL)
	{
		entry = spare_entry();
		entry->database = MyDatabaseId;
		entry->index = index;
		entry->file = file;
		entry->failures = 0;
	}
	entry->message = hash;
	until = TimestampTzPlusMilliseconds(now, RecsysBackoffDelay(Max(RecsysMergeInterval, 1000),
																entry->failures));
	if (entry->failures < INT_MAX)
		entry->failures++;
	entry->retry_at = until;
	LWLockRelease(backoff->lock);
	return until;
}

bool
RecsysBackoffSucceeded(Oid index, Oid file)
{
	BackoffEntry *entry;
	bool		failed;

	/* nearly always */
	if (RecsysBackoffUntil(index, file) == 0)
		return false;

	LWLockAcquire(backoff->lock, LW_EXCLUSIVE);
	entry = find_entry(index, file);
	failed = entry != NULL;
	if (failed)
		memset(entry, 0, sizeof(*entry));
	LWLockRelease(backoff->lock);
	return failed;
}
