/*
 * scorerpool.c
 *	  Scorers that a session keeps from call to call.
 *
 * A scorer holds 13 bytes an item, which to clear afresh for each call would cost more than
 * most calls do.  A lease ends with the memory context that it was taken in, so an error
 * returns it, too.
 */
#include "postgres.h"

#include "api/candidates/scorerpool.h"
#include "utils/memutils.h"

/* A call needs at most three at once; what is nested within another one makes its own. */
#define KEPT 4

/* A scorer that has grown to more than this, for some four million items, is not kept. */
#define KEPT_BYTES ((Size) 64 * 1024 * 1024)

typedef struct KeptScorer
{
	MemoryContext context;		/* NULL: none yet */
	RecsysScorer *scorer;
	bool		taken;
} KeptScorer;

struct RecsysLease
{
	KeptScorer *kept;			/* NULL: own is used */
	KeptScorer	own;
	MemoryContextCallback callback;
};

static KeptScorer pool[KEPT];

static void
end_lease(void *arg)
{
	RecsysLease *lease = arg;
	KeptScorer *kept = lease->kept;

	if (kept == NULL)
		return;
	lease->kept = NULL;
	kept->taken = false;
	if (MemoryContextMemAllocated(kept->context, true) <= KEPT_BYTES)
		return;
	MemoryContextDelete(kept->context);
	kept->context = NULL;
	kept->scorer = NULL;
}

static KeptScorer *
find_free(void)
{
	for (int x = 0; x < KEPT; x++)
		if (!pool[x].taken)
			return &pool[x];
	return NULL;
}

static KeptScorer *
current(const RecsysLease *lease)
{
	return lease->kept != NULL ? lease->kept : unconstify(KeptScorer *, &lease->own);
}

RecsysLease *
RecsysScorerLease(uint32 nitems)
{
	RecsysLease *lease = palloc0(sizeof(RecsysLease));
	KeptScorer *kept = find_free();
	MemoryContext parent = CurrentMemoryContext;

	if (kept != NULL)
	{
		parent = TopMemoryContext;
		lease->kept = kept;
		kept->taken = true;
		lease->callback.func = end_lease;
		lease->callback.arg = lease;
		MemoryContextRegisterResetCallback(CurrentMemoryContext, &lease->callback);
	}
	kept = current(lease);
	if (kept->context == NULL)
		kept->context = AllocSetContextCreate(parent, "recsys scorer of a shop",
											  ALLOCSET_DEFAULT_SIZES);
	RecsysLeasedReset(lease, nitems);
	return lease;
}

void
RecsysScorerReturn(RecsysLease *lease)
{
	if (lease->kept != NULL)
		end_lease(lease);
	else if (lease->own.context != NULL)
		MemoryContextDelete(lease->own.context);
	lease->own.context = NULL;
}

RecsysScorer *
RecsysLeased(const RecsysLease *lease)
{
	return current(lease)->scorer;
}

void
RecsysLeasedReset(RecsysLease *lease, uint32 nitems)
{
	KeptScorer *kept = current(lease);
	MemoryContext old = MemoryContextSwitchTo(kept->context);

	if (kept->scorer == NULL)
		kept->scorer = RecsysScorerCreate(nitems);
	else
		RecsysScorerReset(kept->scorer, nitems);
	MemoryContextSwitchTo(old);
}

int
RecsysLeasedTop(RecsysLease *lease, int k, const RecsysKeyOrder *order, RecsysScored *out)
{
	MemoryContext old = MemoryContextSwitchTo(current(lease)->context);
	int			n = RecsysScorerTop(RecsysLeased(lease), k, order, out);

	MemoryContextSwitchTo(old);
	return n;
}
