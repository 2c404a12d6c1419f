/*
 * choosing.c
 *	  similarity = auto while histories are gathered.
 *
 * A model is chosen when all histories are known, but they are read once, and with the
 * choice come options that they would be folded with: what weights mean, and the half-life
 * of popularity.  So what depends on these is kept in all ways that it may turn out, of
 * which the model takes one afterwards (historystore.c).
 */
#include "postgres.h"

#include "miscadmin.h"
#include "source/train/choosing.h"
#include "source/train/optiontext.h"
#include "utils/memutils.h"
#include "core/pairs/modeloptions.h"
#include "core/base/product.h"

#define FIRST_LOGS 16384

RecsysChoosing *
RecsysChoosingCreate(const RecsysChoosingOptions *options, uint32 nitems, bool weighted, bool timed,
					 Size memory_limit, RecsysHistoryFile *log_file)
{
	RecsysChoosing *choosing = palloc0(sizeof(RecsysChoosing));
	const RecsysModelOptions *asked = options->asked;
	Size		slots = Max((Size) nitems, 1);

	choosing->task.asked = *asked;
	choosing->task.half_life = Max(options->half_life, 0);
	choosing->task.half_life_is_free = timed && options->half_life < 0;
	choosing->task.max_age_is_free = timed && asked->item_max_age == (int64) RECSYS_MODEL_DEFAULT;
	choosing->task.trend_is_free = timed &&
		asked->popularity_half_life == (int64) RECSYS_MODEL_DEFAULT;
	choosing->task.memory_limit = memory_limit / 2;
	choosing->now = options->now;
	choosing->sample = RecsysChoiceSampleCreate(nitems, weighted, timed, memory_limit);
	choosing->sample->now = options->now;
	if (timed)
		RecsysChoiceTrends(options->span, choosing->sample->trends);
	if (!choosing->task.trend_is_free)
		choosing->sample->trends[1] = Max(asked->popularity_half_life, 0);
	for (int trend = 1; trend < RECSYS_CHOICE_TRENDS; trend++)
	{
		if (!choosing->task.trend_is_free && trend > 1)
			choosing->sample->trends[trend] = 0;
		if (choosing->sample->trends[trend] > 0)
			choosing->recent[trend] = recsys_alloc_huge_zero(sizeof(RecsysRecency) * slots);
	}

	choosing->transforms = weighted && asked->weight_transform == RECSYS_TRANSFORM_AUTO;
	if (!choosing->transforms)
		return choosing;
	choosing->log_norm2 = recsys_alloc_huge_zero(sizeof(double) * slots);
	choosing->log_mass = recsys_alloc_huge_zero(sizeof(double) * slots);
	choosing->log_file = log_file;
	if (log_file == NULL)
	{
		choosing->max_logs = FIRST_LOGS;
		choosing->logs = palloc(sizeof(float) * FIRST_LOGS);
	}
	return choosing;
}

static void
add_logs(RecsysChoosing *choosing, const RecsysHistoryItem *items, int count)
{
	RecsysHistoryItem *logs = palloc(sizeof(RecsysHistoryItem) * (Size) count);

	for (int i = 0; i < count; i++)
	{
		double		weight;

		logs[i] = items[i];
		logs[i].weight = RecsysHistoryTransform(items[i].weight, RECSYS_TRANSFORM_LOG);
		weight = RecsysHistoryWeight(logs[i].weight);
		choosing->log_norm2[items[i].item] += RecsysProduct(weight, weight);
		choosing->log_mass[items[i].item] += weight;
	}
	if (choosing->log_file != NULL)
		RecsysHistoryFileAppend(choosing->log_file, logs, count);
	else
	{
		if (choosing->nlogs + count > choosing->max_logs)
		{
			choosing->max_logs = Max(choosing->max_logs + choosing->max_logs / 2,
									 choosing->nlogs + count);
			choosing->logs = repalloc_huge(choosing->logs, sizeof(float) * choosing->max_logs);
		}
		for (int i = 0; i < count; i++)
			choosing->logs[choosing->nlogs++] = RecsysHistoryWeight(logs[i].weight);
	}
	pfree(logs);
}

void
RecsysChoosingAdd(RecsysChoosing *choosing, uint64 hash, const RecsysHistoryItem *items, int count)
{
	RecsysChoiceSampleAdd(choosing->sample, hash, items, count);
	for (int trend = 1; trend < RECSYS_CHOICE_TRENDS; trend++)
	{
		RecsysRecency *recent = choosing->recent[trend];

		for (int i = 0; recent != NULL && i < count; i++)
			RecsysRecencyAdd(&recent[items[i].item], Min(items[i].time, choosing->now),
							 choosing->sample->trends[trend]);
	}
	if (choosing->transforms)
		add_logs(choosing, items, count);
}

static char *
describe(const RecsysChoiceTried *tried)
{
	return RecsysServedModelText(&tried->options, tried->half_life);
}

static void
report(void *arg, const RecsysChoiceTried *tried, bool popular)
{
	(void) arg;
	ereport(DEBUG1,
			(errmsg_internal("recsys: NDCG@%d %.5f: %s", RECSYS_CHOICE_K, tried->ndcg,
							 popular ? "bestsellers" : describe(tried))));
}

void
RecsysChoosingFinish(RecsysChoosing *choosing)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys choice",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysChoice *choice = &choosing->choice;

	RecsysChoose(choosing->sample, &choosing->task, report, NULL, choice);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	if (choice->measured)
		ereport(DEBUG1,
				(errmsg_internal("recsys: chose %s of %u models by %u users", describe(&choice->best),
								 choice->tried, choice->users)));
	else
		ereport(DEBUG1,
				(errmsg_internal("recsys: took %s, as %u users are too few to choose by",
								 describe(&choice->best), choice->users)));
}

int
RecsysChoosingTrend(const RecsysChoosing *choosing)
{
	const RecsysModelOptions *chosen = &choosing->choice.best.options;

	for (int trend = 1; trend < RECSYS_CHOICE_TRENDS; trend++)
		if (chosen->popularity_half_life > 0 &&
			choosing->sample->trends[trend] == chosen->popularity_half_life)
			return trend;
	return 0;
}
