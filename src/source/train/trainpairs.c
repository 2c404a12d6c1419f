/*
 * trainpairs.c
 *	  Training the models whose rows or columns are computed each for itself.
 *
 * - Measures of pairs: in memory when matrix, transpose and accumulators fit the
 *	 limit, otherwise by ranges or as a stream (trainstream.c).
 * - slim: columns of the item graph, each for itself, gathered into rows.  Needs
 *	 matrix and transpose in memory.
 * - itemknn: rows of cosine, which are symmetric, taken for columns and gathered
 *	 likewise.
 */
#include "postgres.h"

#include "core/pairs/headmatrix.h"
#include "core/pairs/rowgather.h"
#include "core/pairs/scorebounds.h"
#include "core/pairs/slim.h"
#include "source/train/parallel_lists.h"
#include "source/train/parallel_model.h"
#include "source/train/parallel_stream.h"
#include "source/train/trainkernels.h"
#include "source/train/trainmemory.h"
#include "source/train/trainstream.h"
#include "utils/memutils.h"

/* A smaller copy to read makes the kernel faster, if there are that many bytes for it. */
static void
make_compact(RecsysMatrix *matrix, const RecsysTraining *training, Size bytes)
{
	const RecsysItemTotals *totals = training->totals;

	if (!RecsysMeasureUsesDots(totals, training->options))
	{
		matrix->split = RecsysHeadCreateWithin(matrix, totals, bytes);
		if (matrix->split != NULL)
			return;
	}
	if (RecsysMatrixCompactMemory(matrix->offsets[matrix->nrows], matrix->weights != NULL) <= bytes)
		(void) RecsysMatrixCompact(matrix);
}

/* With workers, the fastest way that memory has room for; 0 or less when there is none */
static int
run_parallel(const RecsysTraining *training, RecsysRowReporter report, void *arg)
{
	int			passes = 0;

	if (training->file == NULL)
		passes = RecsysParallelListsRun(training, report, arg);
	if (training->file == NULL && passes == 0)
		passes = RecsysParallelModelRun(training, report, arg);
	if (passes == 0)
		passes = RecsysParallelStreamRun(training, report, arg);
	return passes;
}

/* Measures of pairs */
int
RecsysTrainPairs(const RecsysTraining *training, RecsysRowReporter report, void *arg)
{
	const RecsysItemTotals *totals = training->totals;
	uint64		entries = RecsysTrainingEntries(training);
	bool		weighted = RecsysTrainingIsWeighted(training);
	Size		left = training->memory_left;
	Size		needed = RecsysMatrixMemory(totals->nitems, entries, weighted) +
		RecsysCooccurrenceMemory(totals->nitems, weighted);
	int			passes = 0;

	if (training->nworkers > 0)
		passes = run_parallel(training, report, arg);
	if (passes > 0)
		return passes;

	if (training->file == NULL && needed <= left)
	{
		RecsysMatrix *transpose = RecsysMatrixTranspose(training->matrix);
		RecsysMatrix matrix = *training->matrix;
		RecsysKernel *kernel;

		make_compact(&matrix, training, left - needed);
		kernel = RecsysKernelCreate(&matrix, transpose, totals, training->options);
		RecsysKernelRows(kernel, 0, totals->nitems, report, arg);
		RecsysKernelFree(kernel);
		RecsysMatrixFree(transpose);
		return 1;
	}

	return RecsysTrainStream(training, report, arg);
}

typedef struct GatherState
{
	const RecsysTraining *training;
	RecsysRowGather *gather;
	Size		limit;
	RecsysNeighbor *shares;		/* itemknn: of the item at hand */
} GatherState;

static void
gather_column(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	GatherState *state = arg;

	RecsysRowGatherAdd(state->gather, item, neighbors, count);
	if (RecsysRowGatherUsed(state->gather) > state->limit)
		RecsysTrainingLacksMemory(state->training,
					 RecsysRowGatherMemory(state->training->totals->nitems,
										   state->training->options->neighbors) - state->limit);
}

int
RecsysTrainSlim(const RecsysTraining *given, RecsysRowReporter report, void *arg)
{
	RecsysTraining training = *given;
	const RecsysItemTotals *totals = training.totals;
	const RecsysModelOptions *options = training.options;
	bool		weighted = RecsysTrainingIsWeighted(&training);
	GatherState state;
	Size		kernel_memory;
	Size		gather_memory;
	int			passes = 0;

	kernel_memory = RecsysMatrixMemory(totals->nitems, RecsysTrainingEntries(&training), weighted) +
		RecsysSlimMemory(totals->nusers, totals->nitems, weighted, options);
	RecsysTrainingNeedMatrix(&training, kernel_memory);

	/* the rows that come together take what they need of what the kernels leave */
	gather_memory = RecsysRowGatherMemory(totals->nitems, Min(options->neighbors, options->candidates));
	state.training = &training;
	state.gather = RecsysRowGatherCreate(totals->nitems, options->neighbors);
	state.limit = training.memory_left - kernel_memory;
	if (training.nworkers > 0)
	{
		RecsysTraining parallel = training;

		parallel.memory_left -= Min(gather_memory, training.memory_left / 2);
		passes = RecsysParallelModelRun(&parallel, gather_column, &state);
	}
	if (passes == 0)
	{
		RecsysMatrix *transpose = RecsysMatrixTranspose(training.matrix);
		RecsysSlimKernel *kernel = RecsysSlimKernelCreate(training.matrix, transpose, totals, options);

		RecsysSlimKernelColumns(kernel, 0, totals->nitems, gather_column, &state);
		RecsysSlimKernelFree(kernel);
		RecsysMatrixFree(transpose);
	}
	RecsysRowGatherReport(state.gather, report, arg);
	RecsysRowGatherFree(state.gather);
	return 1;
}

/* Of an item's most similar ones, what share each has of all their similarity */
static void
gather_shares(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	GatherState *state = arg;
	RecsysNeighbor *shares = state->shares;
	double		sum = 0;

	for (int x = 0; x < count; x++)
		sum += neighbors[x].score;
	for (int x = 0; x < count; x++)
	{
		shares[x] = neighbors[x];
		shares[x].score = (float) (neighbors[x].score / sum);
	}
	gather_column(arg, item, shares, count);
}

int
RecsysTrainItemknn(const RecsysTraining *given, RecsysRowReporter report, void *arg)
{
	RecsysTraining training = *given;
	const RecsysModelOptions *options = training.options;
	uint32		nitems = training.totals->nitems;
	RecsysModelOptions selection = {.similarity = RECSYS_COSINE,
		.neighbors = (int) Min((uint32) options->candidates, Max(nitems, 1)),
		.min_support = options->min_support};
	GatherState state;
	int			passes;

	/* the rows that come together have half of it at most */
	state.training = given;
	state.limit = training.memory_left / 2;
	state.gather = RecsysRowGatherCreate(nitems, options->neighbors);
	state.shares = palloc(sizeof(RecsysNeighbor) * selection.neighbors);
	training.options = &selection;
	training.memory_left -= Min(state.limit, RecsysRowGatherMemory(nitems,
																   Min(options->neighbors, options->candidates)));
	passes = RecsysTrainPairs(&training, gather_shares, &state);
	RecsysRowGatherReport(state.gather, report, arg);
	RecsysRowGatherFree(state.gather);
	return passes;
}
