/*
 * crossmodel.c
 *	  From the histories of two kinds of events to the graph between them, within a memory
 *	  limit.
 *
 * What is predicted, purchases as a rule, is kept in memory: the kernel looks at these
 * histories in any order.  An error tells when they do not fit.  The events may be many more:
 * once they take half of what is left they go on to a temporary file, and the rows are computed
 * range by range of items, with a pass over the file for each.
 */
#include "postgres.h"

#include "core/rows/dictionary.h"
#include "core/rows/histories.h"
#include "miscadmin.h"
#include "source/train/crossmodel.h"
#include "source/train/historyfile.h"
#include "utils/memutils.h"

struct RecsysCrossModel
{
	RecsysCrossShape shape;
	MemoryContext context;
	MemoryContext all_context;	/* of the next two, until all users are known */
	RecsysDictionary *users;	/* who has predicted items, */
	RecsysHistories all;		/* and which */

	/* users of both sides, in the same order */
	RecsysHistories predicts;
	RecsysHistories events;		/* until there is a file */
	RecsysHistoryFile *file;
	uint64	   *counts;			/* users of each item of the events */

	RecsysHistoryItem *items;	/* one history */
	int			room;			/* for so many */
};

RecsysCrossModel *
RecsysCrossModelCreate(const RecsysCrossShape *shape)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys cross events",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysCrossModel *model = palloc0(sizeof(RecsysCrossModel));

	model->shape = *shape;
	model->context = context;
	model->all_context = AllocSetContextCreate(context, "recsys predicted events",
											   ALLOCSET_DEFAULT_SIZES);
	RecsysHistoriesInit(&model->predicts, shape->npredicts, shape->predicts_weighted);
	RecsysHistoriesInit(&model->events, shape->nevents, shape->events_weighted);
	model->counts = MemoryContextAllocExtended(context, sizeof(uint64) * Max((Size) shape->nevents, 1),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	MemoryContextSwitchTo(model->all_context);
	model->users = RecsysDictionaryCreate(shape->user_kind, 0);
	RecsysHistoriesInit(&model->all, shape->npredicts, shape->predicts_weighted);
	MemoryContextSwitchTo(old);
	return model;
}

void
RecsysCrossModelFree(RecsysCrossModel *model)
{
	if (model->file != NULL)
		RecsysHistoryFileClose(model->file);
	MemoryContextDelete(model->context);
}

static Size
histories_memory(const RecsysHistories *histories)
{
	return sizeof(uint64) * ((Size) histories->maxrows + 1) +
		histories->maxentries * (sizeof(uint32) + (histories->matrix.weights != NULL ? sizeof(float) : 0));
}

static Size
memory_used(const RecsysCrossModel *model)
{
	Size		used = sizeof(uint64) * (Size) model->shape.nevents + histories_memory(&model->predicts);

	if (model->all_context != NULL)
		used += histories_memory(&model->all) + RecsysDictionaryMemory(model->users);
	return used;
}

static void
need_memory(const RecsysCrossModel *model, Size needed)
{
	int64		megabytes;

	if (needed <= model->shape.memory_limit)
		return;
	megabytes = (int64) ((Size) maintenance_work_mem * 1024 + needed - model->shape.memory_limit) / (1024 * 1024) + 1;
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("maintenance_work_mem is too small for what is to be predicted"),
			 errdetail("The histories that events are compared with have to be in memory."),
			 errhint("Set maintenance_work_mem to at least %lld MB.", (long long) megabytes)));
}

void
RecsysCrossAddPredicted(RecsysCrossModel *model, const RecsysKey *user,
						const RecsysHistoryItem *items, int count)
{
	MemoryContext old;

	if (count == 0)
		return;
	old = MemoryContextSwitchTo(model->all_context);
	if (RecsysDictionaryIntern(model->users, user) != model->all.matrix.nrows)
		elog(ERROR, "user comes twice");
	(void) RecsysHistoriesAdd(&model->all, items, count);
	MemoryContextSwitchTo(old);
	if (model->all.matrix.nrows % 1024 == 0)
		need_memory(model, memory_used(model));
}

/* A history as it was given, in memory that the next call reuses; *count gets its length. */
static const RecsysHistoryItem *
row_items(RecsysCrossModel *model, const RecsysMatrix *matrix, uint32 row, int *count)
{
	uint64		first = matrix->offsets[row];

	*count = (int) (matrix->offsets[row + 1] - first);
	if (*count > model->room)
	{
		if (model->items != NULL)
			pfree(model->items);
		model->room = Max(*count, 2 * model->room);
		model->items = MemoryContextAllocHuge(model->context, sizeof(RecsysHistoryItem) * (Size) model->room);
	}
	for (int x = 0; x < *count; x++)
		model->items[x] = (RecsysHistoryItem)
	{
		.item = matrix->columns[first + x],
		.weight = matrix->weights != NULL ? matrix->weights[first + x] : 1.0,
		.time = RECSYS_NO_TIME
	};
	return model->items;
}

/* The events go on to a file. */
static void
spill(RecsysCrossModel *model)
{
	RecsysMatrix *matrix = &model->events.matrix;

	model->file = RecsysHistoryFileCreate(model->shape.nevents, model->shape.events_weighted,
										  model->shape.max_history, false);
	for (uint32 row = 0; row < matrix->nrows; row++)
	{
		int			count;
		const RecsysHistoryItem *items = row_items(model, matrix, row, &count);

		CHECK_FOR_INTERRUPTS();
		RecsysHistoryFileAppend(model->file, items, count);
	}
	pfree(matrix->offsets);
	pfree(matrix->columns);
	if (matrix->weights != NULL)
		pfree(matrix->weights);
	memset(&model->events, 0, sizeof(model->events));
}

void
RecsysCrossAddEvents(RecsysCrossModel *model, const RecsysKey *user, const RecsysHistoryItem *items,
					 int count)
{
	MemoryContext old;
	const RecsysHistoryItem *predicted;
	int			npredicted;
	uint32		number = count > 0 ? RecsysDictionaryFind(model->users, user) : RECSYS_NONE;

	if (number == RECSYS_NONE)
		return;
	old = MemoryContextSwitchTo(model->context);
	predicted = row_items(model, &model->all.matrix, number, &npredicted);
	(void) RecsysHistoriesAdd(&model->predicts, predicted, npredicted);
	for (int x = 0; x < count; x++)
		model->counts[items[x].item]++;
	if (model->file == NULL)
		(void) RecsysHistoriesAdd(&model->events, items, count);
	else
		RecsysHistoryFileAppend(model->file, items, count);
	if (model->predicts.matrix.nrows % 1024 == 0)
	{
		Size		used = memory_used(model);

		need_memory(model, used);
		if (model->file == NULL &&
			histories_memory(&model->events) > (model->shape.memory_limit - used) / 2)
			spill(model);
	}
	MemoryContextSwitchTo(old);
}

/* The end of the items whose rows fit into memory together, from the first one on */
static uint32
range_end(const RecsysCrossModel *model, uint32 first, bool weighted, Size limit)
{
	uint64		entries = 0;
	uint32		last = first;

	while (last < model->shape.nevents)
	{
		uint64		more = entries + model->counts[last];

		/* the entries by user, which grow by a half, and what the rows take */
		if (last > first &&
			2 * RecsysMatrixMemory(model->predicts.matrix.nrows, more, model->shape.events_weighted) +
			RecsysCrossRowsMemory(model->shape.npredicts, last - first + 1, more, weighted) > limit)
			break;
		entries = more;
		last++;
	}
	return last;
}

/* The events with the items of a range, read back */
static void
read_range(RecsysCrossModel *model, uint32 first, uint32 last, RecsysHistories *range)
{
	RecsysHistoryItem *kept = palloc_extended(sizeof(RecsysHistoryItem) * (Size) Max(model->shape.max_history, 1),
											  MCXT_ALLOC_HUGE);
	RecsysUserStream stream;
	const uint32 *items;
	const float *weights;
	int			count;

	RecsysHistoriesInit(range, last - first, model->shape.events_weighted);
	RecsysHistoryFileStream(model->file, &stream);
	stream.rewind(stream.arg);
	while (stream.next(stream.arg, &items, &weights, &count))
	{
		int			n = 0;

		CHECK_FOR_INTERRUPTS();
		for (int x = 0; x < count; x++)
			if (items[x] >= first && items[x] < last)
				kept[n++] = (RecsysHistoryItem)
			{
				.item = items[x] - first, .weight = weights != NULL ? weights[x] : 1.0, .time = RECSYS_NO_TIME
			};
		(void) RecsysHistoriesAdd(range, kept, n);
	}
	pfree(kept);
}

/* Range by range of items, each with a pass over the file */
static void
run_ranges(RecsysCrossModel *model, RecsysCrossGraph *graph, bool weighted, RecsysRowReporter report,
		   void *arg)
{
	Size		used = memory_used(model) + RecsysCrossGraphMemory(&model->predicts.matrix, weighted);
	Size		limit = model->shape.memory_limit > used ? model->shape.memory_limit - used : 0;
	uint32		last;

	RecsysHistoryFileFinish(model->file);
	for (uint32 first = 0; first < model->shape.nevents; first = last)
	{
		MemoryContext context = AllocSetContextCreate(model->context, "recsys range of items",
													  ALLOCSET_DEFAULT_SIZES);
		MemoryContext old = MemoryContextSwitchTo(context);
		RecsysHistories range;

		last = range_end(model, first, weighted, limit);
		read_range(model, first, last, &range);
		RecsysCrossGraphRows(graph, &range.matrix, first, report, arg);
		MemoryContextSwitchTo(old);
		MemoryContextDelete(context);
	}
}

void
RecsysCrossModelRun(RecsysCrossModel *model, const RecsysModelOptions *options, double min_likelihood,
					RecsysRowReporter report, void *arg)
{
	MemoryContext old = MemoryContextSwitchTo(model->context);
	bool		given = model->shape.events_weighted || model->shape.predicts_weighted;
	bool		weighted = RecsysCrossUsesWeights(options, given);
	RecsysCrossGraph *graph;

	MemoryContextDelete(model->all_context);
	model->all_context = NULL;
	need_memory(model, memory_used(model) + RecsysCrossGraphMemory(&model->predicts.matrix, weighted));
	graph = RecsysCrossGraphCreate(&model->predicts.matrix, given, options, min_likelihood);
	if (model->file == NULL)
		RecsysCrossGraphRows(graph, &model->events.matrix, 0, report, arg);
	else
		run_ranges(model, graph, weighted, report, arg);
	RecsysCrossGraphFree(graph);
	MemoryContextSwitchTo(old);
}
