/*
 * model.c
 *	  From users' histories to the item graph, within a memory limit.
 *
 * Each user's interactions are folded as they arrive; the folded histories form
 * the user-major matrix.  It is either held in memory or written to a temporary
 * file.  When matrix, transpose and accumulators fit the limit, the in-memory
 * kernel runs; otherwise the streaming kernel reads the histories as often as
 * it needs to.  Both give the same result.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "source/model.h"
#include "storage/buffile.h"
#include "utils/memutils.h"

/* A user with more interactions than this has them merged on the way. */
#define COMPACT_THRESHOLD 65536

/* The streaming kernel gets at least this much. */
#define MIN_STREAM_MEMORY ((Size) 1024 * 1024)

struct RecsysModel
{
	MemoryContext context;
	bool		weighted;
	int			max_history;
	Size		memory_limit;
	RecsysModelStatistics statistics;
	RecsysItemTotals totals;

	/* the user at hand */
	RecsysInteraction *current;
	int			ncurrent;
	int			maxcurrent;
	RecsysHistoryItem *folded;
	int			maxfolded;

	/* histories in memory: a growing matrix */
	RecsysMatrix matrix;
	uint64		maxentries;
	uint32		maxusers;

	/* histories on disk: count, items, weights of each user */
	BufFile    *file;
	uint32	   *items;
	float	   *weights;
	uint32		position;		/* next user of the in-memory stream */
};

RecsysModel *
RecsysModelCreate(uint32 nitems, bool weighted, int max_history, Size memory_limit, bool on_disk)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys model",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysModel *model = palloc0(sizeof(RecsysModel));
	Size		slots = Max(nitems, 1);

	model->context = context;
	model->weighted = weighted;
	model->max_history = max_history;
	model->memory_limit = memory_limit;

	model->totals.nitems = nitems;
	model->totals.users = recsys_alloc_huge_zero(sizeof(uint32) * slots);
	model->totals.work = recsys_alloc_huge_zero(sizeof(uint64) * slots);
	if (weighted)
		model->totals.norm2 = recsys_alloc_huge_zero(sizeof(double) * slots);

	model->maxcurrent = 1024;
	model->current = palloc(sizeof(RecsysInteraction) * model->maxcurrent);
	model->maxfolded = 1024;
	model->folded = palloc(sizeof(RecsysHistoryItem) * model->maxfolded);
	model->items = palloc(sizeof(uint32) * Max(max_history, 1));
	model->weights = palloc(sizeof(float) * Max(max_history, 1));

	if (on_disk)
		model->file = BufFileCreateTemp(false);
	else
	{
		model->maxusers = 1024;
		model->maxentries = 16384;
		model->matrix.offsets = palloc(sizeof(uint64) * (model->maxusers + 1));
		model->matrix.offsets[0] = 0;
		model->matrix.columns = palloc(sizeof(uint32) * model->maxentries);
		if (weighted)
			model->matrix.weights = palloc(sizeof(float) * model->maxentries);
		model->matrix.ncolumns = nitems;
	}
	MemoryContextSwitchTo(old);
	return model;
}

static int
compare_interactions(const void *a, const void *b)
{
	const RecsysInteraction *left = a;
	const RecsysInteraction *right = b;

	if (left->item != right->item)
		return left->item < right->item ? -1 : 1;
	return left->position < right->position ? -1 : left->position > right->position ? 1 : 0;
}

/*
 * Merge interactions with the same item, so that a giant user needs memory for
 * distinct items only.  Nothing is dropped: a later one may turn a sum positive.
 */
static void
compact(RecsysModel *model)
{
	RecsysInteraction *all = model->current;
	int			kept = 0;

	qsort(all, model->ncurrent, sizeof(RecsysInteraction), compare_interactions);
	for (int i = 0; i < model->ncurrent;)
	{
		RecsysInteraction merged = all[i];
		double		weight = all[i].weight;

		for (i++; i < model->ncurrent && all[i].item == merged.item; i++)
		{
			weight += all[i].weight;
			if (all[i].time > merged.time ||
				(all[i].time == merged.time && all[i].position > merged.position))
			{
				merged.time = all[i].time;
				merged.position = all[i].position;
			}
		}
		merged.weight = (float) weight;
		all[kept++] = merged;
	}
	model->ncurrent = kept;
}

void
RecsysModelAdd(RecsysModel *model, const RecsysInteraction *interaction)
{
	Assert(interaction->item < model->totals.nitems);

	if (model->ncurrent == model->maxcurrent)
	{
		if (model->ncurrent >= COMPACT_THRESHOLD)
			compact(model);

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

static void
append_to_matrix(RecsysModel *model, const RecsysHistoryItem *items, int count)
{
	RecsysMatrix *matrix = &model->matrix;
	uint64		entries = matrix->offsets[matrix->nrows];

	if (matrix->nrows == model->maxusers)
	{
		model->maxusers *= 2;
		matrix->offsets = repalloc_huge(matrix->offsets,
										sizeof(uint64) * ((Size) model->maxusers + 1));
	}
	if (entries + count > model->maxentries)
	{
		model->maxentries = Max(model->maxentries + model->maxentries / 2, entries + count);
		matrix->columns = repalloc_huge(matrix->columns, sizeof(uint32) * model->maxentries);
		if (model->weighted)
			matrix->weights = repalloc_huge(matrix->weights, sizeof(float) * model->maxentries);
	}
	for (int i = 0; i < count; i++)
		matrix->columns[entries + i] = items[i].item;
	for (int i = 0; model->weighted && i < count; i++)
		matrix->weights[entries + i] = items[i].weight;
	matrix->offsets[++matrix->nrows] = entries + count;
}

static void
append_to_file(RecsysModel *model, const RecsysHistoryItem *items, int count)
{
	uint32		header = count;

	for (int i = 0; i < count; i++)
	{
		model->items[i] = items[i].item;
		model->weights[i] = items[i].weight;
	}
	BufFileWrite(model->file, &header, sizeof(header));
	BufFileWrite(model->file, model->items, sizeof(uint32) * count);
	if (model->weighted)
		BufFileWrite(model->file, model->weights, sizeof(float) * count);
}

bool
RecsysModelEndUser(RecsysModel *model)
{
	RecsysModelStatistics *statistics = &model->statistics;
	int			dropped = 0;
	int			count;

	if (model->ncurrent == 0)
		return false;

	if (model->ncurrent > model->maxfolded)
	{
		model->maxfolded = model->maxcurrent;
		model->folded = repalloc_huge(model->folded,
									  sizeof(RecsysHistoryItem) * (Size) model->maxfolded);
	}
	count = RecsysHistoryFold(model->current, model->ncurrent, model->max_history,
							  model->folded, &dropped);
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
	for (int i = 0; i < count; i++)
	{
		uint32		item = model->folded[i].item;

		if (model->totals.users[item]++ == 0)
			statistics->items++;
		model->totals.work[item] += count;
		if (model->weighted)
			model->totals.norm2[item] += (double) model->folded[i].weight * model->folded[i].weight;
	}

	if (model->file != NULL)
		append_to_file(model, model->folded, count);
	else
		append_to_matrix(model, model->folded, count);
	return true;
}

const RecsysItemTotals *
RecsysModelFinish(RecsysModel *model)
{
	model->totals.nusers = model->statistics.users;
	pfree(model->current);
	pfree(model->folded);
	model->current = NULL;
	model->folded = NULL;
	return &model->totals;
}

static void
rewind_file(void *arg)
{
	RecsysModel *model = arg;

	if (BufFileSeek(model->file, 0, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not rewind recsys temporary file")));
}

static void
read_exactly(BufFile *file, void *dest, size_t size)
{
	if (BufFileRead(file, dest, size) != size)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read from recsys temporary file")));
}

static bool
next_from_file(void *arg, const uint32 **items, const float **weights, int *count)
{
	RecsysModel *model = arg;
	uint32		header;
	size_t		got = BufFileRead(model->file, &header, sizeof(header));

	if (got == 0)
		return false;
	if (got != sizeof(header) || header > (uint32) model->max_history)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read from recsys temporary file")));
	read_exactly(model->file, model->items, sizeof(uint32) * header);
	if (model->weighted)
		read_exactly(model->file, model->weights, sizeof(float) * header);
	*items = model->items;
	*weights = model->weighted ? model->weights : NULL;
	*count = header;
	return true;
}

static void
rewind_matrix(void *arg)
{
	((RecsysModel *) arg)->position = 0;
}

static bool
next_from_matrix(void *arg, const uint32 **items, const float **weights, int *count)
{
	RecsysModel *model = arg;
	RecsysMatrix *matrix = &model->matrix;
	uint64		first;

	if (model->position == matrix->nrows)
		return false;
	first = matrix->offsets[model->position];
	*items = matrix->columns + first;
	*weights = matrix->weights ? matrix->weights + first : NULL;
	*count = (int) (matrix->offsets[model->position + 1] - first);
	model->position++;
	return true;
}

void
RecsysModelRun(RecsysModel *model, const RecsysModelOptions *options,
			   RecsysRowReporter report, void *arg)
{
	MemoryContext old = MemoryContextSwitchTo(model->context);
	uint32		nitems = model->totals.nitems;
	Size		used = MemoryContextMemAllocated(model->context, true);
	Size		left = model->memory_limit > used ? model->memory_limit - used : 0;
	uint64		entries = model->statistics.interactions;
	Size		needed = RecsysMatrixMemory(nitems, entries, model->weighted) +
		RecsysCooccurrenceMemory(nitems, model->weighted);

	if (model->file == NULL && needed <= left)
	{
		RecsysMatrix *transpose = RecsysMatrixTranspose(&model->matrix);

		/* a smaller copy to read makes the kernel faster */
		if (needed + RecsysMatrixCompactMemory(entries, model->weighted) <= left)
			(void) RecsysMatrixCompact(&model->matrix);
		RecsysCooccurrence(&model->matrix, transpose, &model->totals, options,
						   0, nitems, report, arg);
		RecsysMatrixFree(transpose);
		model->statistics.passes = 1;
	}
	else
	{
		RecsysUserStream stream;

		stream.rewind = model->file ? rewind_file : rewind_matrix;
		stream.next = model->file ? next_from_file : next_from_matrix;
		stream.arg = model;
		model->statistics.passes =
			RecsysCooccurrenceStream(&stream, &model->totals, options,
									 Max(left, MIN_STREAM_MEMORY), report, arg);
		ereport(DEBUG1,
				(errmsg_internal("recsys: item graph computed in %d passes over %llu histories",
								 model->statistics.passes,
								 (unsigned long long) model->statistics.users)));
	}
	MemoryContextSwitchTo(old);
}

const RecsysModelStatistics *
RecsysModelGetStatistics(RecsysModel *model)
{
	return &model->statistics;
}

void
RecsysModelFree(RecsysModel *model)
{
	if (model->file != NULL)
		BufFileClose(model->file);
	MemoryContextDelete(model->context);
}
