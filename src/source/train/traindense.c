/*
 * traindense.c
 *	  Training the models that need linear algebra over the whole matrix.
 *
 * - ease, spectral: the item graph from the matrix.  ease makes do with less memory by
 *	 solving for the most popular items only.
 * - als: factors by rounds over the matrix and its transpose; the item graph from the
 *	 factors.
 *
 * The matrix must be in memory.
 */
#include "postgres.h"

#include "core/dense/als.h"
#include "core/dense/ease.h"
#include "core/dense/spectral.h"
#include "miscadmin.h"
#include "source/train/parallel_team.h"
#include "source/train/trainkernels.h"
#include "source/train/trainmemory.h"
#include "utils/memutils.h"

/* Where only a part of the items is solved exactly, who trains should know. */
static void
tell_of_head(const RecsysTraining *training, uint32 exact, Size missing)
{
	uint32		nitems = training->totals->nitems;
	int64		megabytes = (int64) ((Size) maintenance_work_mem * 1024 + missing) / (1024 * 1024) + 1;

	if (exact == nitems)
		return;
	ereport(NOTICE,
			(errmsg("similarity \"%s\" is exact for the most popular items only",
					RecsysSimilarityName(training->options->similarity)),
			 errdetail("They are %u of %u; all do not fit maintenance_work_mem.", exact, nitems),
			 errhint("Set maintenance_work_mem to at least %lld MB.", (long long) megabytes)));
}

static RecsysDenseTask
dense_task(const RecsysTraining *training)
{
	RecsysDenseTask task = {.options = *training->options, .nrows = (uint32) training->totals->nusers,
		.nitems = training->totals->nitems, .nusers = training->totals->nusers,
		.nentries = RecsysTrainingEntries(training), .weighted = RecsysTrainingIsWeighted(training)};

	if (training->matrix != NULL)
		task.nrows = training->matrix->nrows;
	return task;
}

int
RecsysTrainEase(const RecsysTraining *given, RecsysRowReporter report, void *arg)
{
	RecsysTraining training = *given;
	RecsysDenseTask task = dense_task(&training);
	Size		exact_memory = RecsysEaseExactMemory(&task);
	uint32		exact;

	RecsysTrainingNeedMatrix(&training, RecsysEaseLeastMemory(&task));
	exact = RecsysEasePlan(&task, training.memory_left);
	RecsysTeamTrain(&training, &task, report, arg, NULL, NULL);
	tell_of_head(&training, exact,
				 exact_memory > training.memory_left ? exact_memory - training.memory_left : 0);
	return 1;
}

int
RecsysTrainSpectral(const RecsysTraining *given, RecsysRowReporter report, void *arg)
{
	RecsysTraining training = *given;
	RecsysDenseTask task = dense_task(&training);

	RecsysTrainingNeedMatrix(&training, RecsysSpectral.shared(&task) + RecsysSpectral.memory(&task, true));
	RecsysTeamTrain(&training, &task, report, arg, NULL, NULL);
	return 1;
}

/* The factors, if they are wanted, live in the context result. */
typedef struct KeepFactors
{
	MemoryContext result;
	RecsysFactors **factors;
} KeepFactors;

static void
keep_factors(void *arg, const RecsysDenseTask *task, void *shared)
{
	KeepFactors *keep = arg;
	MemoryContext old = MemoryContextSwitchTo(keep->result);

	*keep->factors = RecsysAlsFactors(task, shared);
	MemoryContextSwitchTo(old);
}

int
RecsysTrainAls(const RecsysTraining *given, MemoryContext result, RecsysRowReporter report, void *arg)
{
	RecsysTraining training = *given;
	RecsysDenseTask task = dense_task(&training);
	KeepFactors keep = {result, training.factors};
	Size		factors = training.factors != NULL ? RecsysAlsFactorsMemory(&task) : 0;

	RecsysTrainingNeedMatrix(&training, RecsysAls.shared(&task) + RecsysAls.memory(&task, true) + factors);
	RecsysTrainingUseMemory(&training, factors);
	RecsysTeamTrain(&training, &task, report, arg, training.factors != NULL ? keep_factors : NULL, &keep);
	return 1;
}
