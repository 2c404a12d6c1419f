/*
 * mergeprior.c
 *	  The prior's page follows what a merge has changed.
 *
 * Rows of the graph say how many users have an item lately, by the clock at which they
 * were counted: what is in the future counts as of then.  So of an item with a time in the
 * future the row is out of date as soon as the clock has moved, without any event.  Exact
 * merges count such items anew.
 */
#include "postgres.h"

#include "am/graph/prior_page.h"
#include "am/merge/mergestate.h"
#include "miscadmin.h"
#include "utils/memutils.h"

void
RecsysMergePriorLeft(RecsysMergeState *merge)
{
	int64		counted_by;
	bool		future;

	if (RecsysGetPriorState(merge->index, &counted_by, &future) == RECSYS_PRIOR_BEHIND)
		RecsysRenewPrior(merge->index, merge->now, false);
}

void
RecsysMergePriorChanged(RecsysMergeState *merge, const uint32 *items, uint32 nitems)
{
	if (nitems > 0)
		RecsysUpdatePrior(merge->index, items, nitems, merge->now);
}

/* Counts the items with later times than that anew. */
static void
recount_future(RecsysMergeState *merge, int64 counted_by)
{
	RecsysGraphReader reader;
	uint32		nitems;
	uint32	   *later;
	uint32		nlater = 0;

	RecsysMergeStartBatch(merge);
	nitems = RecsysRecountItems(merge->recount);
	later = MemoryContextAllocHuge(merge->context, sizeof(uint32) * (Size) Max(nitems, 1));
	RecsysGraphReaderInit(&reader, merge->index);
	for (uint32 item = 0; item < nitems; item++)
	{
		RecsysGraphRow row = RecsysGraphNeedRow(&reader, item);

		CHECK_FOR_INTERRUPTS();
		if (row->latest > counted_by)
			later[nlater++] = item;
		RecsysGraphReleaseRow(&reader);
	}
	RecsysGraphReaderDone(&reader);
	RecsysRecountExactly(merge->recount, later, nlater, NULL, 0, false, true);
	merge->result->recomputed += nlater;
	RecsysMergeEndBatch(merge);
}

void
RecsysMergePriorExactly(RecsysMergeState *merge)
{
	int64		counted_by;
	bool		future;
	RecsysPriorState state = RecsysGetPriorState(merge->index, &counted_by, &future);

	future &= merge->now > counted_by;
	if (future)
		recount_future(merge, counted_by);
	if (future || state != RECSYS_PRIOR_EXACT)
		RecsysRenewPrior(merge->index, merge->now, true);
}
