/*
 * check_prior.c
 *	  Is the prior's page that of the rows of the item graph?
 *
 * It is made anew from all rows and compared.  Sums may be rounded otherwise, so that
 * items with next to the same score may have changed places.
 */
#include "postgres.h"

#include <math.h>

#include "access/xlog.h"
#include "access/xlogrecovery.h"
#include "am/check/check.h"
#include "am/graph/prior_page.h"
#include "am/store/meta.h"
#include "compat.h"
#include "storage/lmgr.h"

#define ERROR_ALLOWED 1e-4

static bool
differs(double a, double b)
{
	return fabs(a - b) > ERROR_ALLOWED * Max(fabs(a), fabs(b));
}

static int
compare_items(const void *a, const void *b)
{
	uint32		left = ((const RecsysNeighbor *) a)->item;
	uint32		right = ((const RecsysNeighbor *) b)->item;

	return (left > right) - (left < right);
}

/* Each item once, best first */
static void
check_list(Relation index, const RecsysPriorCheck *check)
{
	const RecsysPrior *prior = &check->prior;
	bool	   *listed = palloc_extended(Max(check->meta.nitems, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (int x = 0; x < prior->count; x++)
	{
		if (prior->items[x] >= check->meta.nitems || listed[prior->items[x]])
			RecsysCheckFailed(index, "Item number %u is part of the prior, which it cannot be.",
							  prior->items[x]);
		if (x > 0 && prior->scores[x] > prior->scores[x - 1])
			RecsysCheckFailed(index, "The prior is out of order at place %d.", x);
		listed[prior->items[x]] = true;
	}
	pfree(listed);
}

/* The same places have the same scores, and so have the same items. */
static void
compare(Relation index, RecsysPriorCheck *check)
{
	const RecsysPrior *prior = &check->prior;
	RecsysNeighborList *list = &check->list;
	double		worst = list->count > 0 ? list->neighbors[list->count - 1].score : 0;

	if (prior->count != list->count)
		RecsysCheckFailed(index, "The prior has %d items, by the item graph %d.", prior->count, list->count);
	for (int x = 0; x < prior->count; x++)
		if (differs(prior->scores[x], list->neighbors[x].score))
			RecsysCheckFailed(index, "The prior has score %g at place %d, by the item graph %g.",
							  prior->scores[x], x, list->neighbors[x].score);
	qsort(list->neighbors, list->count, sizeof(RecsysNeighbor), compare_items);
	for (int x = 0; x < prior->count; x++)
	{
		RecsysNeighbor key = {.item = prior->items[x]};
		RecsysNeighbor *found = bsearch(&key, list->neighbors, list->count, sizeof(RecsysNeighbor),
										compare_items);

		if (differs(prior->scores[x], found != NULL ? found->score : worst))
			RecsysCheckFailed(index, "Item number %u has score %g in the prior, by the item graph %g.",
							  prior->items[x], prior->scores[x], found != NULL ? found->score : worst);
	}
}

static void
compare_totals(Relation index, const RecsysPriorCheck *check)
{
	RecsysRecency kept = {RecsysRecencyTotalGet(&check->meta.recent), check->meta.recent.at};
	double		anew = RecsysRecencyTotalGet(&check->recent);

	if (differs(RecsysRecencyAt(&kept, check->recent.at), anew))
		RecsysCheckFailed(index, "Users who have an item lately add up to %g, by the item graph to %g.",
						  kept.sum, anew);
	if (check->header.farthest < check->farthest ||
		(check->meta.prior_state == RECSYS_PRIOR_EXACT && check->header.farthest != check->farthest))
		RecsysCheckFailed(index, "The latest interaction is another one than in the item graph.");
}

void
RecsysCheckPrior(Relation index)
{
	RecsysPriorCheck *check = palloc(sizeof(RecsysPriorCheck));
	bool		standby = RecoveryInProgress();
	XLogRecPtr	begin = standby ? GetXLogReplayRecPtr(NULL) : InvalidXLogRecPtr;
	RecsysMetaData *meta = &RecsysGetCache(index)->meta;
	bool		moved;

	if (RecsysNeedsPrior(&meta->options) != (meta->prior != InvalidBlockNumber))
		RecsysCheckFailed(index, "The page of the prior is missing, or of no use.");

	/* no merge meanwhile */
	LockPage(index, RECSYS_META_BLOCK, ExclusiveLock);
	if (RecsysPriorReadAll(index, check))
	{
		moved = standby && (!RecoveryInProgress() || GetCurrentReplayRecPtr(NULL) != begin);
		if (!moved)
			check_list(index, check);
		if (!moved && check->meta.prior_state != RECSYS_PRIOR_BEHIND)
		{
			compare(index, check);
			compare_totals(index, check);
		}
	}
	UnlockPage(index, RECSYS_META_BLOCK, ExclusiveLock);
	pfree(check);
}
