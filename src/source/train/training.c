/*
 * training.c
 *	  Training a model: from folded histories to the item graph.
 *
 * First the weights are made that the model sees (core/pairs/weighting.c), as a copy
 * beside those given.  Then the model's kernel runs (trainpairs.c, traindense.c).
 *
 * The result does not depend on which way is taken, nor on whether parallel
 * workers help (parallel_model.c, parallel_team.c).
 */
#include "postgres.h"

#include "core/pairs/modeloptions.h"
#include "core/pairs/weighting.h"
#include "miscadmin.h"
#include "source/train/trainkernels.h"
#include "source/train/training.h"
#include "source/train/trainmemory.h"
#include "utils/memutils.h"

/* A history as the file takes it */
static void
append_history(RecsysHistoryFile *file, const uint32 *items, const float *weights,
			   const RecsysOrdinal *places, int count, RecsysHistoryItem *buffer)
{
	memset(buffer, 0, sizeof(RecsysHistoryItem) * count);
	for (int x = 0; x < count; x++)
	{
		buffer[x].item = items[x];
		buffer[x].weight = weights[x];

		/* has the same place again */
		if (places != NULL)
			buffer[x].time = places[x] == RECSYS_NO_ORDINAL ? RECSYS_NO_TIME : places[x];
	}
	RecsysHistoryFileAppend(file, buffer, count);
}

/* The histories in another file, with other weights. */
static RecsysHistoryFile *
weigh_file(const RecsysTraining *training, RecsysWeigher *weigher)
{
	RecsysHistoryFile *file = RecsysHistoryFileCreate(training->totals->nitems, true,
													  training->max_history, training->nworkers > 0);
	float	   *weighed = palloc(sizeof(float) * training->max_history);
	RecsysHistoryItem *buffer = palloc(sizeof(RecsysHistoryItem) * training->max_history);
	RecsysUserStream stream;
	const uint32 *items;
	const float *weights;
	int			count;

	if (RecsysModelUsesOrder(training->options))
		RecsysHistoryFileKeepPlaces(file);
	RecsysHistoryFileStream(training->file, &stream);
	stream.rewind(stream.arg);
	while (stream.next(stream.arg, &items, &weights, &count))
	{
		CHECK_FOR_INTERRUPTS();
		RecsysWeigh(weigher, items, weights, count, weighed);
		append_history(file, items, weighed, stream.places(stream.arg), count, buffer);
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
		RecsysTrainingUseMemory(&training, MemoryContextMemAllocated(context, true));
	}

	*training.scored = training.totals;

	switch (training.options->similarity)
	{
		case RECSYS_POPULAR:
			for (uint32 item = 0; item < training.totals->nitems; item++)
				report(arg, item, NULL, 0);
			passes = 1;
			break;
		case RECSYS_SLIM:
			passes = RecsysTrainSlim(&training, report, arg);
			break;
		case RECSYS_ITEMKNN:
			passes = RecsysTrainItemknn(&training, report, arg);
			break;
		case RECSYS_EASE:
			passes = RecsysTrainEase(&training, report, arg);
			break;
		case RECSYS_SPECTRAL:
			passes = RecsysTrainSpectral(&training, report, arg);
			break;
		case RECSYS_ALS:
			passes = RecsysTrainAls(&training, old, report, arg);
			break;
		default:
			passes = RecsysTrainPairs(&training, report, arg);
			break;
	}

	if (weighed_file != NULL)
		RecsysHistoryFileClose(weighed_file);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return passes;
}
