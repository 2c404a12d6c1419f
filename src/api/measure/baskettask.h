/*
 * baskettask.h
 *	  What is to be foretold: next items, or next baskets, of which more can be said.
 */
#ifndef RECSYS_BASKETTASK_H
#define RECSYS_BASKETTASK_H

#include "postgres.h"

#include "core/measure/basketlist.h"
#include "fmgr.h"
#include "nodes/pg_list.h"
#include "source/input/split.h"

typedef enum RecsysTask
{
	RECSYS_TASK_NEXT_ITEM,		/* items that the user does not have yet, or does not mind to see again */
	RECSYS_TASK_NEXT_BASKET		/* the user's last basket, whatever is in it */
} RecsysTask;

/* The argument task; NULL: next items */
extern RecsysTask RecsysArgTask(FunctionCallInfo fcinfo, int argument);

/* Leaves the metrics that the task has if all are asked for, else errors out for those it has not. */
extern void RecsysTaskMetrics(RecsysTask task, bool all, uint32 *metrics);

/* Next baskets are a way to hold out of its own, beside which there is none: given tells of others. */
extern void RecsysTaskSplit(RecsysTask task, bool given, RecsysSplitOptions *options);

/*
 * Takes what a model's options, a list of DefElem, say of baskets out of them; what they do not say
 * stays as it is in method and mix.
 */
extern List *RecsysTakeBasketOptions(List *options, RecsysBasketMethod *method,
									 RecsysNextBasketOptions *mix);

#endif							/* RECSYS_BASKETTASK_H */
