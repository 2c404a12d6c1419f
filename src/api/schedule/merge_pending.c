/*
 * merge_pending.c
 *	  recsys.merge_pending(): merges the indexes of a recommender that have something to merge.
 *
 * For schedulers, where no background process merges.  Each index is a step by itself: one that
 * cannot be merged is told of, and stops none of the others.
 */
#include "postgres.h"

#include "am/entry/asowner.h"
#include "am/entry/indexes.h"
#include "am/items/itemsmerge.h"
#include "am/lists/pending.h"
#include "am/whole/storagefate.h"
#include "api/call/arguments.h"
#include "api/call/commands.h"
#include "api/call/guard.h"
#include "api/call/recommender.h"
#include "api/declare/names.h"
#include "api/schedule/scheduledindexes.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(recsys_merge_pending);

typedef struct Step
{
	Oid			index;
	bool		done;			/* there was something, and nobody else was at it */
	RecsysMergeResult merged;
} Step;

/* Is there anything that a merge would do? */
static bool
has_work(Relation index)
{
	const RecsysMetaData *meta = &RecsysRefreshCache(index)->meta;

	return RecsysPendingCount(index) > 0 || meta->unsaid > 0 || (!meta->learned && meta->queued > 0) ||
		RecsysWholeHasWork(index);
}

static void
merge(void *arg)
{
	Step	   *step = arg;
	RecsysRecommender own;
	RecsysAsOwner before;

	RecsysOpenOwnIndex(step->index, RowExclusiveLock, RECSYS_OWN_MADE, &own);
	if (has_work(own.index))
	{
		RecsysBeginAsOwner(own.heap, &before);
		step->done = RecsysMergeAny(own.heap, own.index, RECSYS_MERGE_BOUNDED, &step->merged);
		RecsysEndAsOwner(&before);
	}
	RecsysCloseRecommender(&own);
}

static void
put_step(ReturnSetInfo *result, const Step *step)
{
	Datum		values[4];
	bool		isnull[4] = {false, false, false, false};

	values[0] = CStringGetTextDatum(RecsysKeptName(step->index));
	values[1] = Int64GetDatum((int64) step->merged.merged);
	values[2] = Int64GetDatum((int64) step->merged.recomputed);
	values[3] = Int64GetDatum((int64) step->merged.inexact);
	tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
}

Datum
recsys_merge_pending(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgText(fcinfo, 0);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RecsysScheduled scheduled = {0};
	ListCell   *cell;

	RecsysRefuseInRecovery("recsys.merge_pending()");
	PreventCommandIfReadOnly("recsys.merge_pending()");
	PreventCommandIfParallelMode("recsys.merge_pending()");
	InitMaterializedSRF(fcinfo, 0);
	if (name != NULL)
		RecsysFindScheduled(name, &scheduled);
	else
		scheduled.indexes = RecsysAllIndexes();

	foreach(cell, RecsysOwnIndexes(scheduled.indexes))
	{
		Step		step = {.index = lfirst_oid(cell)};
		ErrorData  *error = RecsysGuardCatch(merge, &step, RecsysIsOfStep);

		if (error != NULL)
			ereport(WARNING,
					(errcode(error->sqlerrcode),
					 errmsg("index \"%s\" could not be merged: %s", RecsysNameForMessage(step.index),
							error->message),
					 error->hint != NULL ? errhint("%s", error->hint) : 0));
		else if (step.done)
			put_step(result, &step);
	}
	return (Datum) 0;
}
