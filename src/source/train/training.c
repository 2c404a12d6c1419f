/*
 * training.c
 *	  Training a model: from folded histories to the item graph.
 *
 * First the weights are made that the model sees (core/pairs/weighting.c), as a copy
 * beside those given.  Then the model's kernel runs:
 *
 * - Measures of pairs: in memory when matrix, transpose and accumulators fit the
 *	 limit, otherwise as a stream.
 * - slim: columns of the item graph, each for itself, gathered into rows.  Needs
 *	 matrix and transpose in memory.
 * - itemknn: rows of cosine, which are symmetric, taken for columns and gathered
 *	 likewise.
 * - ease, spectral: by linear algebra over the whole matrix, which must be in
 *	 memory.  ease makes do with less by solving for the most popular items only.
 * - als: factors by rounds over the whole matrix and its transpose, which must be in memory; the item
 *	 graph from the factors.
 *
 * The result does not depend on which way is taken, nor on whether parallel
 * workers help (parallel_model.c, parallel_team.c).
 */
#include "postgres.h"

#include "core/dense/als.h"
#include "core/dense/ease.h"
#include "core/dense/spectral.h"
#include "core/pairs/rowgather.h"
#include "core/pairs/slim.h"
#include "core/pairs/weighting.h"
#include "miscadmin.h"
#include "source/train/parallel_model.h"
#include "source/train/parallel_team.h"
#include "source/train/training.h"
#include "utils/memutils.h"

/* The streaming kernel gets at least this much. */
#define MIN_STREAM_MEMORY ((Size) 1024 * 1024)

/* A matrix as a stream */
typedef struct MatrixStream
{
	const RecsysMatrix *matrix;
	uint32		position;
} MatrixStream;

static void
rewind_matrix(void *arg)
{
	((MatrixStream *) arg)->position = 0;
}

static bool
next_from_matrix(void *arg, const uint32 **items, const float **weights, int *count)
{
	MatrixStream *stream = arg;
	const RecsysMatrix *matrix = stream->matrix;
	uint64		first;

	if (stream->position == matrix->nrows)
		return false;
	first = matrix->offsets[stream->position];
	*items = matrix->columns + first;
	*weights = matrix->weights ? matrix->weights + first : NULL;
	*count = (int) (matrix->offsets[stream->position + 1] - first);
	stream->position++;
	return true;
}

static void
open_stream(const RecsysTraining *training, RecsysUserStream *stream, MatrixStream *from_matrix)
{
	if (training->file != NULL)
	{
		RecsysHistoryFileStream(training->file, stream);
		return;
	}
	from_matrix->matrix = training->matrix;
	from_matrix->position = 0;
	stream->rewind = rewind_matrix;
	stream->next = next_from_matrix;
	stream->arg = from_matrix;
}

static bool
is_weighted(const RecsysTraining *training)
{
	return training->totals->norm2 != NULL;
}

/* Interactions in all histories */
static uint64
entries_of(const RecsysTraining *training)
{
	uint64		entries = 0;

	if (training->matrix != NULL)
		return training->matrix->offsets[training->matrix->nrows];
	for (uint32 item = 0; item < training->totals->nitems; item++)
		entries += training->totals->users[item];
	return entries;
}

static void
use_memory(RecsysTraining *training, Size bytes)
{
	training->memory_left -= Min(bytes, training->memory_left);
}

/* Measures of pairs */
static int
train_pairs(const RecsysTraining *training, RecsysRowReporter report, void *arg)
{
	const RecsysItemTotals *totals = training->totals;
	uint64		entries = entries_of(training);
	bool		weighted = is_weighted(training);
	Size		left = training->memory_left;
	Size		needed = RecsysMatrixMemory(totals->nitems, entries, weighted) +
		RecsysCooccurrenceMemory(totals->nitems, weighted);
	MatrixStream from_matrix;
	RecsysUserStream stream;
	int			passes = 0;

	if (training->nworkers > 0)
		passes = RecsysParallelModelRun(training, report, arg);
	if (passes > 0)
		return passes;

	if (training->file == NULL && needed <= left)
	{
		RecsysMatrix *transpose = RecsysMatrixTranspose(training->matrix);
		RecsysMatrix matrix = *training->matrix;
		RecsysKernel *kernel;

		/* a smaller copy to read makes the kernel faster */
		if (needed + RecsysMatrixCompactMemory(entries, weighted) <= left)
			(void) RecsysMatrixCompact(&matrix);
		kernel = RecsysKernelCreate(&matrix, transpose, totals, training->options);
		RecsysKernelRows(kernel, 0, totals->nitems, report, arg);
		RecsysKernelFree(kernel);
		RecsysMatrixFree(transpose);
		return 1;
	}

	open_stream(training, &stream, &from_matrix);
	passes = RecsysCooccurrenceStream(&stream, totals, training->options,
									  Max(left, MIN_STREAM_MEMORY), report, arg);
	ereport(DEBUG1,
			(errmsg_internal("recsys: item graph computed in %d passes over %llu histories",
							 passes, (unsigned long long) totals->nusers)));
	return passes;
}

static void
needs_memory(const RecsysTraining *training, Size missing)
{
	/* what the limit is now and what is missing, in whole megabytes */
	int64		megabytes = (int64) ((Size) maintenance_work_mem * 1024 + missing) / (1024 * 1024) + 1;

	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("maintenance_work_mem is too small for similarity \"%s\"",
					RecsysSimilarityName(training->options->similarity)),
			 errdetail("%u items with %llu interactions do not fit.", training->totals->nitems,
					   (unsigned long long) entries_of(training)),
			 training->options->similarity == RECSYS_SPECTRAL ||
			 training->options->similarity == RECSYS_ALS ?
			 errhint("Set maintenance_work_mem to at least %lld MB, or lower \"rank\".",
					 (long long) megabytes) :
			 errhint("Set maintenance_work_mem to at least %lld MB.", (long long) megabytes)));
}

static void
require_memory(const RecsysTraining *training, Size needed)
{
	if (needed > training->memory_left)
		needs_memory(training, needed - training->memory_left);
}

/* Histories that were on disk, in memory. */
static RecsysMatrix *
load_matrix(const RecsysTraining *training)
{
	const RecsysItemTotals *totals = training->totals;
	uint64		entries = entries_of(training);
	RecsysMatrix *matrix = palloc0(sizeof(RecsysMatrix));
	RecsysUserStream stream;
	const uint32 *items;
	const float *weights;
	int			count;

	matrix->ncolumns = totals->nitems;
	matrix->offsets = MemoryContextAllocHuge(CurrentMemoryContext,
											 sizeof(uint64) * (totals->nusers + 1));
	matrix->columns = MemoryContextAllocHuge(CurrentMemoryContext,
											 sizeof(uint32) * Max(entries, 1));
	if (is_weighted(training))
		matrix->weights = MemoryContextAllocHuge(CurrentMemoryContext,
												 sizeof(float) * Max(entries, 1));
	matrix->offsets[0] = 0;
	RecsysHistoryFileStream(training->file, &stream);
	stream.rewind(stream.arg);
	while (stream.next(stream.arg, &items, &weights, &count))
	{
		uint64		first = matrix->offsets[matrix->nrows];

		CHECK_FOR_INTERRUPTS();
		if (matrix->nrows == totals->nusers || first + count > entries)
			elog(ERROR, "more histories than were counted");
		memcpy(matrix->columns + first, items, sizeof(uint32) * count);
		if (matrix->weights != NULL)
			memcpy(matrix->weights + first, weights, sizeof(float) * count);
		matrix->offsets[++matrix->nrows] = first + count;
	}
	return matrix;
}

/* See to it that the histories are in memory, if they and so much more fit. */
static void
need_matrix(RecsysTraining *training, Size more)
{
	Size		size = RecsysMatrixMemory(training->totals->nusers, entries_of(training),
										  is_weighted(training));

	if (training->file == NULL)
	{
		require_memory(training, more);
		return;
	}
	require_memory(training, size + more);
	training->matrix = load_matrix(training);
	training->file = NULL;
	use_memory(training, size);
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
		needs_memory(state->training,
					 RecsysRowGatherMemory(state->training->totals->nitems,
										   state->training->options->neighbors) - state->limit);
}

static int
train_slim(const RecsysTraining *given, RecsysRowReporter report, void *arg)
{
	RecsysTraining training = *given;
	const RecsysItemTotals *totals = training.totals;
	const RecsysModelOptions *options = training.options;
	GatherState state;
	Size		kernel_memory;
	Size		gather_memory;
	int			passes = 0;

	kernel_memory = RecsysMatrixMemory(totals->nitems, entries_of(&training), is_weighted(&training)) +
		RecsysSlimMemory(totals->nusers, totals->nitems, is_weighted(&training), options);
	need_matrix(&training, kernel_memory);

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

static int
train_itemknn(const RecsysTraining *given, RecsysRowReporter report, void *arg)
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
	passes = train_pairs(&training, gather_shares, &state);
	RecsysRowGatherReport(state.gather, report, arg);
	RecsysRowGatherFree(state.gather);
	return passes;
}

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
		.nentries = entries_of(training), .weighted = is_weighted(training)};

	if (training->matrix != NULL)
		task.nrows = training->matrix->nrows;
	return task;
}

static int
train_ease(const RecsysTraining *given, RecsysRowReporter report, void *arg)
{
	RecsysTraining training = *given;
	RecsysDenseTask task = dense_task(&training);
	Size		exact_memory = RecsysEaseExactMemory(&task);
	uint32		exact;

	need_matrix(&training, RecsysEaseLeastMemory(&task));
	exact = RecsysEasePlan(&task, training.memory_left);
	RecsysTeamTrain(&training, &task, report, arg, NULL, NULL);
	tell_of_head(&training, exact,
				 exact_memory > training.memory_left ? exact_memory - training.memory_left : 0);
	return 1;
}

static int
train_spectral(const RecsysTraining *given, RecsysRowReporter report, void *arg)
{
	RecsysTraining training = *given;
	RecsysDenseTask task = dense_task(&training);

	need_matrix(&training, RecsysSpectral.shared(&task) + RecsysSpectral.memory(&task, true));
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

static int
train_als(const RecsysTraining *given, MemoryContext result, RecsysRowReporter report, void *arg)
{
	RecsysTraining training = *given;
	RecsysDenseTask task = dense_task(&training);
	KeepFactors keep = {result, training.factors};
	Size		factors = training.factors != NULL ? RecsysAlsFactorsMemory(&task) : 0;

	need_matrix(&training, RecsysAls.shared(&task) + RecsysAls.memory(&task, true) + factors);
	use_memory(&training, factors);
	RecsysTeamTrain(&training, &task, report, arg, training.factors != NULL ? keep_factors : NULL, &keep);
	return 1;
}

/* A history as the file takes it */
static void
append_history(RecsysHistoryFile *file, const uint32 *items, const float *weights, int count,
			   RecsysHistoryItem *buffer)
{
	memset(buffer, 0, sizeof(RecsysHistoryItem) * count);
	for (int x = 0; x < count; x++)
	{
		buffer[x].item = items[x];
		buffer[x].weight = weights[x];
	}
	RecsysHistoryFileAppend(file, buffer, count);
}

/* The histories in another file, with other weights. */
static RecsysHistoryFile *
weigh_file(const RecsysTraining *training, RecsysWeigher *weigher)
{
	RecsysHistoryFile *file = RecsysHistoryFileCreate(true, training->max_history,
													  training->nworkers > 0);
	float	   *weighed = palloc(sizeof(float) * training->max_history);
	RecsysHistoryItem *buffer = palloc(sizeof(RecsysHistoryItem) * training->max_history);
	RecsysUserStream stream;
	const uint32 *items;
	const float *weights;
	int			count;

	RecsysHistoryFileStream(training->file, &stream);
	stream.rewind(stream.arg);
	while (stream.next(stream.arg, &items, &weights, &count))
	{
		CHECK_FOR_INTERRUPTS();
		RecsysWeigh(weigher, items, weights, count, weighed);
		append_history(file, items, weighed, count, buffer);
	}
	RecsysHistoryFileFinish(file);
	pfree(weighed);
	pfree(buffer);
	return file;
}

/* The matrix with other weights; all but these it shares with the one given. */
static RecsysMatrix *
weigh_matrix(const RecsysTraining *training, RecsysWeigher *weigher)
{
	RecsysMatrix *given = training->matrix;
	RecsysMatrix *matrix = palloc(sizeof(RecsysMatrix));

	*matrix = *given;
	matrix->narrow = NULL;
	matrix->packed = NULL;
	matrix->weights = MemoryContextAllocHuge(CurrentMemoryContext,
											 sizeof(float) * Max(given->offsets[given->nrows], 1));
	for (uint32 user = 0; user < given->nrows; user++)
	{
		uint64		first = given->offsets[user];

		if (user % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		RecsysWeigh(weigher, given->columns + first,
					given->weights != NULL ? given->weights + first : NULL,
					(int) (given->offsets[user + 1] - first), matrix->weights + first);
	}
	return matrix;
}

int
RecsysTrain(const RecsysTraining *given, RecsysRowReporter report, void *arg)
{
	RecsysTraining training = *given;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys training",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysHistoryFile *weighed_file = NULL;
	int			passes;

	if (RecsysWeighsAnew(given->options))
	{
		RecsysWeigher *weigher = RecsysWeigherCreate(given->totals, given->options);

		if (given->file != NULL)
			training.file = weighed_file = weigh_file(given, weigher);
		else
			training.matrix = weigh_matrix(given, weigher);
		training.totals = RecsysWeigherTotals(weigher);
		use_memory(&training, MemoryContextMemAllocated(context, true));
	}

	switch (training.options->similarity)
	{
		case RECSYS_SLIM:
			passes = train_slim(&training, report, arg);
			break;
		case RECSYS_ITEMKNN:
			passes = train_itemknn(&training, report, arg);
			break;
		case RECSYS_EASE:
			passes = train_ease(&training, report, arg);
			break;
		case RECSYS_SPECTRAL:
			passes = train_spectral(&training, report, arg);
			break;
		case RECSYS_ALS:
			passes = train_als(&training, old, report, arg);
			break;
		default:
			passes = train_pairs(&training, report, arg);
			break;
	}

	if (weighed_file != NULL)
		RecsysHistoryFileClose(weighed_file);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return passes;
}
