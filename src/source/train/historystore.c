/*
 * historystore.c
 *	  From users' histories to the item graph, within a memory limit.
 *
 * Each user's interactions are folded as they arrive; the folded histories form
 * the user-major matrix.  It is either held in memory or written to a temporary
 * file.  What is made of it is the business of training.c.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "core/pairs/modeloptions.h"
#include "core/base/product.h"
#include "core/rows/histories.h"
#include "core/sequence/compactrows.h"
#include "miscadmin.h"
#include "source/train/historyfile.h"
#include "source/train/historystore.h"
#include "source/train/training.h"
#include "utils/memutils.h"

/* What a choice gets, when the rest has left less */
#define MIN_CHOICE_MEMORY ((Size) 8 * 1024 * 1024)

/* A user with more interactions than this has them merged on the way. */
#define COMPACT_THRESHOLD 65536

/* The rows of so many have taken some ten megabytes. */
#define MANY_INTERACTIONS 500000

struct RecsysModel
{
	MemoryContext context;
	bool		weighted;
	RecsysFolding folding;
	int			nworkers;
	int64		half_life;		/* of decay; 0: none */
	int64		reference;		/* time that decay counts from */
	int64		recent_half_life;	/* of totals.recent */
	int64		now;
	Size		memory_limit;
	RecsysModelStatistics statistics;
	RecsysItemTotals totals;
	const RecsysItemTotals *scored; /* those that the run at hand computes scores with */

	/* the user at hand */
	RecsysInteraction *current;
	int			ncurrent;
	int			maxcurrent;
	RecsysHistoryItem *folded;
	int			maxfolded;
	int			nfolded;		/* of the user who has just ended */
	RecsysUserRhythms *user_rhythms;

	RecsysRhythm *rhythms;		/* by item, or NULL */

	RecsysHistories histories;	/* in memory */

	RecsysHistoryFile *file;	/* or on disk */

	RecsysFactors *factors;		/* of the last run, or NULL */

	RecsysChoosing *choosing;	/* similarity = auto, or NULL */
};

bool
RecsysModelDecays(const RecsysModelOptions *options, int64 latest)
{
	return latest != RECSYS_NO_TIME && options->training_half_life > 0 &&
		RecsysModelUsesWeights(options);
}

RecsysModel *
RecsysModelCreate(uint32 nitems, bool weighted, int max_history, Size memory_limit, bool on_disk,
				  int nworkers)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys model",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysModel *model = palloc0(sizeof(RecsysModel));
	Size		slots = Max(nitems, 1);

	model->context = context;
	model->weighted = weighted;
	model->folding.max_history = max_history;
	model->folding.transform = RECSYS_TRANSFORM_NONE;
	model->nworkers = nworkers;
	model->memory_limit = memory_limit;

	model->totals.nitems = nitems;
	model->scored = &model->totals;
	model->totals.users = recsys_alloc_huge_zero(sizeof(uint32) * slots);
	model->totals.work = recsys_alloc_huge_zero(sizeof(uint64) * slots);
	if (weighted)
	{
		model->totals.norm2 = recsys_alloc_huge_zero(sizeof(double) * slots);
		model->totals.mass = recsys_alloc_huge_zero(sizeof(double) * slots);
	}

	model->maxcurrent = 1024;
	model->current = palloc(sizeof(RecsysInteraction) * model->maxcurrent);
	model->maxfolded = 1024;
	model->folded = palloc(sizeof(RecsysHistoryItem) * model->maxfolded);

	if (on_disk)
		model->file = RecsysHistoryFileCreate(nitems, weighted, max_history, nworkers > 0);
	else
	{
		RecsysHistoriesInit(&model->histories, nitems, weighted);
	}
	MemoryContextSwitchTo(old);
	return model;
}

void
RecsysModelSetTransform(RecsysModel *model, RecsysWeightTransform transform)
{
	Assert(model->statistics.users == 0);
	model->folding.transform = transform;
}

void
RecsysModelSetDecay(RecsysModel *model, int64 half_life, int64 reference)
{
	Assert(model->weighted && model->statistics.users == 0);
	model->half_life = half_life;
	model->reference = reference;
}

void
RecsysModelKeepOrder(RecsysModel *model)
{
	MemoryContext old = MemoryContextSwitchTo(model->context);

	Assert(model->statistics.users == 0);
	if (model->file != NULL)
		RecsysHistoryFileKeepPlaces(model->file);
	else
		RecsysHistoriesKeepPlaces(&model->histories);
	MemoryContextSwitchTo(old);
}

void
RecsysModelKeepLatest(RecsysModel *model)
{
	Size		slots = Max(model->totals.nitems, 1);

	Assert(model->statistics.users == 0);
	model->totals.latest = MemoryContextAllocHuge(model->context, sizeof(int64) * slots);
	for (Size item = 0; item < slots; item++)
		model->totals.latest[item] = RECSYS_NO_TIME;
}

void
RecsysModelKeepRecent(RecsysModel *model, int64 half_life, int64 now)
{
	Assert(model->statistics.users == 0);
	if (half_life <= 0)
		return;
	model->totals.recent = MemoryContextAllocExtended(model->context,
													  sizeof(RecsysRecency) * (Size) Max(model->totals.nitems, 1),
													  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	model->recent_half_life = half_life;
	model->now = now;
}

void
RecsysModelKeepRhythms(RecsysModel *model)
{
	MemoryContext old = MemoryContextSwitchTo(model->context);

	Assert(model->statistics.users == 0);
	model->rhythms = recsys_alloc_huge_zero(sizeof(RecsysRhythm) * (Size) Max(model->totals.nitems, 1));
	model->user_rhythms = RecsysUserRhythmsCreate();
	MemoryContextSwitchTo(old);
}

void
RecsysModelChoose(RecsysModel *model, const RecsysChoosingOptions *options, bool timed)
{
	MemoryContext old = MemoryContextSwitchTo(model->context);
	bool		weighted = model->weighted && model->half_life == 0;
	bool		transforms = weighted && options->asked->weight_transform == RECSYS_TRANSFORM_AUTO;
	Size		memory = Max(model->memory_limit / 2, MIN_CHOICE_MEMORY);

	Assert(model->statistics.users == 0);
	model->choosing = RecsysChoosingCreate(options, model->totals.nitems, weighted, timed, memory,
										   model->file == NULL || !transforms ? NULL :
										   RecsysHistoryFileCreate(model->totals.nitems, true, model->folding.max_history,
																   model->nworkers > 0));
	MemoryContextSwitchTo(old);
}

void
RecsysModelSampleUser(RecsysModel *model, uint64 hash)
{
	MemoryContext old;

	if (model->choosing == NULL || model->nfolded == 0)
		return;
	old = MemoryContextSwitchTo(model->context);
	RecsysChoosingAdd(model->choosing, hash, model->folded, model->nfolded);
	MemoryContextSwitchTo(old);
}

/* What is ever so old still counts as an interaction. */
static void
decay(const RecsysModel *model, RecsysHistoryItem *items, int count)
{
	for (int i = 0; i < count; i++)
	{
		double		weight = items[i].weight * RecsysDecay(items[i].time, model->reference,
														   model->half_life);

		items[i].weight = Max(weight, FLT_MIN);
	}
}

void
RecsysModelAdd(RecsysModel *model, const RecsysInteraction *interaction)
{
	Assert(interaction->item < model->totals.nitems);

	if (model->ncurrent == model->maxcurrent)
	{
		if (model->ncurrent >= COMPACT_THRESHOLD)
			model->ncurrent = RecsysCompactRows(model->current, model->ncurrent,
												model->rhythms != NULL);

		/* grow unless merging has made plenty of room */
		if (model->ncurrent > model->maxcurrent / 2)
		{
			model->maxcurrent *= 2;
			model->current = repalloc_huge(model->current,
										   sizeof(RecsysInteraction) * (Size) model->maxcurrent);
		}
	}
	model->current[model->ncurrent++] = *interaction;
}

/* What the user has on several occasions */
static void
add_rhythms(RecsysModel *model, const RecsysHistoryItem *items, int count)
{
	for (int i = 0; i < count; i++)
	{
		const RecsysRhythm *rhythm = RecsysUserRhythmsOf(model->user_rhythms, items[i].item);

		if (rhythm != NULL)
			RecsysRhythmAddAll(&model->rhythms[items[i].item], rhythm);
	}
}

bool
RecsysModelEndUser(RecsysModel *model)
{
	RecsysModelStatistics *statistics = &model->statistics;
	int			dropped = 0;
	int			count;

	model->nfolded = 0;
	if (model->ncurrent == 0)
		return false;

	if (model->ncurrent > model->maxfolded)
	{
		model->maxfolded = model->maxcurrent;
		model->folded = repalloc_huge(model->folded,
									  sizeof(RecsysHistoryItem) * (Size) model->maxfolded);
	}
	if (model->rhythms != NULL)
		RecsysUserRhythmsStart(model->user_rhythms, &model->folding, NULL, 0);
	count = RecsysHistoryFold(model->current, model->ncurrent, &model->folding, model->folded,
							  &dropped);
	model->nfolded = count;
	model->ncurrent = 0;
	if (count == 0)
		return false;

	statistics->users++;
	statistics->interactions += count;
	if (dropped > 0)
	{
		statistics->capped_users++;
		statistics->capped_interactions += dropped;
	}
	if (model->half_life > 0)
		decay(model, model->folded, count);
	if (model->rhythms != NULL)
		add_rhythms(model, model->folded, count);
	for (int i = 0; i < count; i++)
	{
		uint32		item = model->folded[i].item;

		if (model->totals.users[item]++ == 0)
			statistics->items++;
		model->totals.work[item] += count;
		if (model->totals.latest != NULL)
			model->totals.latest[item] = Max(model->totals.latest[item], model->folded[i].time);
		if (model->totals.recent != NULL)
			RecsysRecencyAdd(&model->totals.recent[item], Min(model->folded[i].time, model->now),
							 model->recent_half_life);
		if (model->weighted)
		{
			/* as the kernels have it */
			double		weight = RecsysHistoryWeight(model->folded[i].weight);

			model->totals.norm2[item] += RecsysProduct(weight, weight);
			model->totals.mass[item] += weight;
		}
	}

	if (model->file != NULL)
		RecsysHistoryFileAppend(model->file, model->folded, count);
	else
		RecsysHistoriesAdd(&model->histories, model->folded, count);
	return true;
}

const RecsysHistoryItem *
RecsysModelLastHistory(const RecsysModel *model, int *count)
{
	*count = model->nfolded;
	return model->folded;
}

/* Histories have no weights any more. */
static void
drop_weights(RecsysModel *model)
{
	model->weighted = false;
	pfree(model->totals.norm2);
	pfree(model->totals.mass);
	model->totals.norm2 = model->totals.mass = NULL;
	if (model->file != NULL)
	{
		RecsysHistoryFile *weighted = model->file;

		model->file = RecsysHistoryFileWithoutWeights(weighted, model->nworkers > 0);
		RecsysHistoryFileClose(weighted);
	}
	else
	{
		pfree(model->histories.matrix.weights);
		model->histories.matrix.weights = NULL;
	}
}

/* Histories have the logarithms of their weights. */
static void
take_logs(RecsysModel *model)
{
	RecsysChoosing *choosing = model->choosing;

	pfree(model->totals.norm2);
	pfree(model->totals.mass);
	model->totals.norm2 = choosing->log_norm2;
	model->totals.mass = choosing->log_mass;
	if (model->file != NULL)
	{
		RecsysHistoryFileClose(model->file);
		model->file = choosing->log_file;
		choosing->log_file = NULL;
	}
	else
	{
		pfree(model->histories.matrix.weights);
		model->histories.matrix.weights = choosing->logs;
		choosing->logs = NULL;
	}
}

/* Chooses, and lets the histories be as the choice has them. */
static void
choose(RecsysModel *model)
{
	RecsysChoosing *choosing = model->choosing;
	const RecsysModelOptions *chosen = &choosing->choice.best.options;
	int			trend;

	RecsysChoosingFinish(choosing);
	trend = RecsysChoosingTrend(choosing);
	if (trend > 0)
	{
		model->totals.recent = choosing->recent[trend];
		model->recent_half_life = chosen->popularity_half_life;
		model->now = choosing->now;
	}
	if (choosing->transforms)
	{
		model->folding.transform = chosen->weight_transform;
		if (chosen->weight_transform == RECSYS_TRANSFORM_BINARY)
			drop_weights(model);
		else if (chosen->weight_transform == RECSYS_TRANSFORM_LOG)
			take_logs(model);
	}
	if (choosing->log_file != NULL)
		RecsysHistoryFileClose(choosing->log_file);
	choosing->log_file = NULL;
	if (choosing->logs != NULL)
		pfree(choosing->logs);
	choosing->logs = NULL;
	RecsysChoiceSampleFree(choosing->sample);
	choosing->sample = NULL;
}

const RecsysChoice *
RecsysModelGetChoice(const RecsysModel *model)
{
	return model->choosing != NULL ? &model->choosing->choice : NULL;
}

const RecsysItemTotals *
RecsysModelFinish(RecsysModel *model)
{
	MemoryContext old = MemoryContextSwitchTo(model->context);

	/* the kernels count users in 32 bits */
	if (model->statistics.users > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many users for one recommender"),
				 errdetail("A recommender counts at most %u users.", PG_UINT32_MAX)));
	model->totals.nusers = model->statistics.users;
	pfree(model->current);
	pfree(model->folded);
	if (model->user_rhythms != NULL)
		RecsysUserRhythmsFree(model->user_rhythms);
	model->current = NULL;
	model->folded = NULL;
	model->user_rhythms = NULL;
	if (model->file != NULL)
		RecsysHistoryFileFinish(model->file);
	if (model->choosing != NULL)
	{
		if (model->choosing->log_file != NULL)
			RecsysHistoryFileFinish(model->choosing->log_file);
		choose(model);
	}
	MemoryContextSwitchTo(old);
	return &model->totals;
}

/*
 * The caller has just freed the memory that the rows took, but malloc keeps a good part
 * of it: up to 40 MB were seen.  What is allocated from now on would come on top, and
 * maintenance_work_mem bounds both together.  Trimming goes through all of the process's
 * free memory, which takes milliseconds at most.  So it is done once a training, and
 * only if there were rows to free; no code that answers a request comes here.
 */
static void
return_freed_memory(const RecsysModel *model)
{
#ifdef __GLIBC__
	if (model->statistics.interactions >= MANY_INTERACTIONS)
		(void) malloc_trim(0);
#endif
}

void
RecsysModelRun(RecsysModel *model, const RecsysModelOptions *options,
			   RecsysRowReporter report, void *arg)
{
	MemoryContext old = MemoryContextSwitchTo(model->context);
	RecsysModelOptions resolved = *options;
	RecsysTraining training;
	Size		used;

	if (model->factors != NULL)
		RecsysFactorsFree(model->factors);
	model->factors = NULL;
	used = MemoryContextMemAllocated(model->context, true);
	return_freed_memory(model);
	RecsysModelOptionsResolve(&resolved);
	training.nworkers = model->nworkers;
	training.memory_left = model->memory_limit > used ? model->memory_limit - used : 0;
	training.max_history = model->folding.max_history;
	training.totals = &model->totals;
	training.options = &resolved;
	training.matrix = model->file == NULL ? &model->histories.matrix : NULL;
	training.file = model->file;
	training.factors = &model->factors;
	training.scored = &model->scored;
	model->statistics.passes = RecsysTrain(&training, report, arg);
	model->scored = &model->totals;
	MemoryContextSwitchTo(old);
}

void
RecsysModelWant(RecsysModel *model, const bool *wanted)
{
	Assert(model->nworkers == 0);
	model->totals.wanted = wanted;
}

const RecsysItemTotals *
RecsysModelScored(const RecsysModel *model)
{
	return model->scored;
}

const RecsysFactors *
RecsysModelFactors(RecsysModel *model)
{
	return model->factors;
}

const RecsysItemTotals *
RecsysModelTotals(const RecsysModel *model)
{
	return &model->totals;
}

const RecsysRhythm *
RecsysModelRhythms(const RecsysModel *model)
{
	return model->rhythms;
}

const RecsysModelStatistics *
RecsysModelGetStatistics(const RecsysModel *model)
{
	return &model->statistics;
}

void
RecsysModelFree(RecsysModel *model)
{
	if (model->file != NULL)
		RecsysHistoryFileClose(model->file);
	MemoryContextDelete(model->context);
}
