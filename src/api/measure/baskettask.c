/*
 * baskettask.c
 *	  What is to be foretold: next items, or next baskets, of which more can be said.
 *
 * A model of next baskets is a model of items, whose graph discoveries come from, with a method and
 * the weights of the mix: 'similarity = cosine, method = mix, due_weight = 0.5'.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/arguments.h"
#include "api/measure/baskettask.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

RecsysTask
RecsysArgTask(FunctionCallInfo fcinfo, int argument)
{
	char	   *name = RecsysArgText(fcinfo, argument);

	if (name == NULL || strcmp(name, "next_item") == 0)
		return RECSYS_TASK_NEXT_ITEM;
	if (strcmp(name, "next_basket") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown task \"%s\"", name),
				 errhint("Tasks are next_item, next_basket.")));
	return RECSYS_TASK_NEXT_BASKET;
}

void
RecsysTaskMetrics(RecsysTask task, bool all, uint32 *metrics)
{
	uint32		without = task == RECSYS_TASK_NEXT_BASKET ?
		RECSYS_METRIC_BIT(RECSYS_METRIC_AUC) : RECSYS_BASKET_METRICS;

	if (all)
	{
		*metrics &= ~without;
		return;
	}
	for (int metric = 0; metric < RECSYS_METRICS; metric++)
	{
		if ((*metrics & without & RECSYS_METRIC_BIT(metric)) == 0)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 task == RECSYS_TASK_NEXT_BASKET ?
				 errmsg("metric \"%s\" is not one of next baskets", RecsysMetricName(metric)) :
				 errmsg("metric \"%s\" is one of next baskets", RecsysMetricName(metric)),
				 task == RECSYS_TASK_NEXT_BASKET ?
				 errhint("Pass NULL as metrics for all that there are.") :
				 errhint("Pass task => 'next_basket', where the function has it.")));
	}
}

void
RecsysTaskSplit(RecsysTask task, bool given, RecsysSplitOptions *options)
{
	if (task != RECSYS_TASK_NEXT_BASKET)
		return;
	if (given)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("task next_basket holds out the last basket of each user"),
				 errhint("Leave out test, holdout_share, holdout_last and holdout_since.")));
	options->holdout = RECSYS_HOLDOUT_BASKET;
	options->exclude_seen = false;
}

/* A number between low and high */
static double
number_of(DefElem *option, double low, double high)
{
	char	   *text = option->arg == NULL ? "" : defGetString(option);
	char	   *end;
	double		value = strtod(text, &end);

	if (*text == '\0' || *end != '\0' || !(value >= low && value <= high))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a number between %g and %g", option->defname, low, high)));
	return value;
}

static int64
half_life_of(DefElem *option)
{
	char	   *text = option->arg == NULL ? "" : defGetString(option);
	Datum		interval = DirectFunctionCall3(interval_in, CStringGetDatum(text),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	double		half_life = RecsysIntervalMicroseconds(DatumGetIntervalP(interval));

	if (!(half_life >= 0) || half_life >= (double) PG_INT64_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", option->defname)));
	return (int64) half_life;
}

static void
read_method(DefElem *option, RecsysBasketMethod *method)
{
	char	   *text = option->arg == NULL ? "" : defGetString(option);

	if (!RecsysBasketMethodParse(text, method))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown method \"%s\"", text),
				 errhint("Methods are mix, personal_frequency, popular, personal_then_popular.")));
}

static bool
take_option(DefElem *option, RecsysBasketMethod *method, RecsysNextBasketOptions *mix)
{
	if (strcmp(option->defname, "method") == 0)
		read_method(option, method);
	else if (strcmp(option->defname, "basket_decay") == 0)
		mix->basket_decay = number_of(option, 0.01, 1);
	else if (strcmp(option->defname, "basket_half_life") == 0)
		mix->half_life = half_life_of(option);
	else if (strcmp(option->defname, "due_weight") == 0)
		mix->due = number_of(option, 0, 1);
	else if (strcmp(option->defname, "neighbor_weight") == 0)
		mix->neighbors = number_of(option, 0, 1);
	else if (strcmp(option->defname, "discover_weight") == 0)
		mix->discover = number_of(option, 0, 1);
	else if (strcmp(option->defname, "popular_weight") == 0)
		mix->popular = number_of(option, 0, 1);
	else
		return false;
	return true;
}

List *
RecsysTakeBasketOptions(List *options, RecsysBasketMethod *method, RecsysNextBasketOptions *mix)
{
	List	   *left = NIL;
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (!take_option(option, method, mix))
			left = lappend(left, option);
	}
	return left;
}
