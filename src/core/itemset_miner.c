/*
 * itemset_miner.c
 *	  Miners: their memory, what they report, their tasks.
 */
#include "core/itemset_miner.h"

#define CHUNK_SIZE ((Size) 256 * 1024)

/* A reported set is so much work, in words compared: the reporter does something too. */
#define REPORT_WORK 100

#define MAX_COLUMNS 64

void *
RecsysItemsetMinerAllocate(RecsysItemsetMiner *miner, Size size)
{
	void	   *result;

	size = (size + 63) & ~(Size) 63;
	while (miner->chunk->size - miner->chunk->used < size)
	{
		Chunk	   *next = miner->chunk->next;

		if (next == NULL || next->size < size)
		{
			Size		bytes = Max(size + 128, CHUNK_SIZE);
			Chunk	   *chunk;

			if (bytes > miner->memory_limit - miner->memory)
			{
				miner->outcome = RECSYS_ITEMSETS_NO_MEMORY;
				return NULL;
			}
			chunk = recsys_alloc_huge(bytes);
			miner->memory += bytes;
			chunk->size = bytes;
			chunk->next = next;
			chunk->previous = miner->chunk;
			if (next != NULL)
				next->previous = chunk;
			miner->chunk->next = chunk;
			next = chunk;
		}
		/* bits start at multiples of a cache line */
		next->used = 64 + (64 - ((uintptr_t) next + 64) % 64) % 64;
		miner->chunk = next;
	}
	result = (char *) miner->chunk + miner->chunk->used;
	miner->chunk->used += size;
	return result;
}

Mark
RecsysItemsetMinerMark(const RecsysItemsetMiner *miner)
{
	Mark		mark = {miner->chunk, miner->chunk->used};

	return mark;
}

void
RecsysItemsetMinerRelease(RecsysItemsetMiner *miner, Mark mark)
{
	miner->chunk = mark.chunk;
	miner->chunk->used = mark.used;
}

static bool
report_set(RecsysItemsetMiner *miner, uint32 support, double weight)
{
	RecsysItemset set = {miner->set, miner->length, support, weight};

	if (miner->length < miner->min_length || miner->length > miner->max_length)
		return true;
	add_work(miner, REPORT_WORK);
	if (!miner->report(miner->arg, &set))
	{
		miner->outcome = RECSYS_ITEMSETS_STOPPED;
		return false;
	}
	return true;
}

/* The current set with each subset of the first n perfect extensions. */
static bool
report_subsets(RecsysItemsetMiner *miner, uint32 n, uint32 support, double weight)
{
	/* the threshold may have risen since the first of them was reported */
	if (support < miner->min_support)
		return true;

	/* all that is entered leads to a report, so that it can be interrupted there */
	if (miner->length + n < miner->min_length)
		return true;
	if (!report_set(miner, support, weight))
		return false;
	if (miner->length >= miner->max_length)
		return true;
	for (uint32 x = 0; x < n; x++)
	{
		bool		go_on;

		miner->set[miner->length++] = miner->perfect[x];
		go_on = report_subsets(miner, x, support, weight);
		miner->length--;
		if (!go_on)
			return false;
	}
	return true;
}

bool
RecsysItemsetMinerReport(RecsysItemsetMiner *miner, uint32 n, uint32 support, double weight)
{
	if (miner->kind == RECSYS_ITEMSETS_ALL)
		return report_subsets(miner, miner->nperfect, support, weight);
	if (miner->kind == RECSYS_ITEMSETS_MAXIMAL && n > 0)
		return true;
	return report_set(miner, support, weight);
}

/*
 * Items above the task's.  A task's lists and columns have only items with lower ranks,
 * unless the whole block is columns.  That no further item is in all baskets of a set
 * is seen soon by looking at a few of the baskets themselves: hardly anything is left
 * of the first one's items after two or three others.
 */
static inline const uint32 *
upward(const RecsysItemsetMiner *miner, uint32 origin)
{
	return miner->lists.entries + miner->task_occurrences[origin] + 1;
}

void
RecsysItemsetMinerStartUpward(RecsysItemsetMiner *miner, uint32 origin, uint32 support)
{
	miner->ncandidates = 0;
	for (const uint32 *e = upward(miner, origin); !(*e & ITEMSET_HEAD); e++)
	{
		if (miner->supports[*e] >= support)
			miner->candidates[miner->ncandidates++] = *e;
	}
}

void
RecsysItemsetMinerNarrowUpward(RecsysItemsetMiner *miner, uint32 origin)
{
	const uint32 *e = upward(miner, origin);
	uint32		n = 0;

	for (uint32 x = 0; x < miner->ncandidates && !(*e & ITEMSET_HEAD);)
	{
		if (miner->candidates[x] < *e)
			x++;
		else if (miner->candidates[x] > *e)
			e++;
		else
		{
			miner->candidates[n++] = *e++;
			x++;
		}
	}
	miner->ncandidates = n;
}

bool
RecsysItemsetMinerCountUpward(RecsysItemsetMiner *miner, uint32 origin, uint32 count)
{
	bool		frequent = false;

	for (const uint32 *e = upward(miner, origin); !(*e & ITEMSET_HEAD); e++)
	{
		miner->counts[*e] += count;
		frequent = frequent || miner->counts[*e] >= miner->min_support;
	}
	return frequent;
}

void
RecsysItemsetMinerForgetUpward(RecsysItemsetMiner *miner, uint32 origin)
{
	for (const uint32 *e = upward(miner, origin); !(*e & ITEMSET_HEAD); e++)
		miner->counts[*e] = 0;
}

RecsysItemsetMiner *
RecsysItemsetMinerCreate(const RecsysItemsets *sets, Size memory_limit,
						 RecsysItemsetReporter report, void *arg)
{
	const ItemsetBlock *block = (const ItemsetBlock *) sets;
	RecsysItemsetMiner *miner = palloc0(sizeof(RecsysItemsetMiner));
	Size		nitems = (Size) block->nranks + block->ncommon + 1;

	miner->block = block;
	miner->report = report;
	miner->arg = arg;
	miner->kind = sets->kind;
	miner->min_support = sets->min_support;
	miner->min_length = block->min_length;
	miner->max_length = block->max_length;
	if (block->weighted)
		miner->basket_weights = ITEMSET_ARRAY(block, const double, basket_weights);
	miner->max_columns = MAX_COLUMNS;
	miner->outcome = RECSYS_ITEMSETS_DONE;
	miner->chunk = palloc0(sizeof(Chunk));
	miner->chunk->size = miner->chunk->used = sizeof(Chunk);
	miner->memory_limit = memory_limit;
	miner->memory = nitems * (6 * sizeof(uint32) + (block->weighted ? sizeof(double) : 0));
	if (miner->memory > memory_limit)
	{
		miner->outcome = RECSYS_ITEMSETS_NO_MEMORY;
		return miner;
	}
	miner->set = recsys_alloc_huge(nitems * sizeof(uint32));
	miner->perfect = recsys_alloc_huge(nitems * sizeof(uint32));
	miner->touched = recsys_alloc_huge(nitems * sizeof(uint32));
	miner->candidates = recsys_alloc_huge(nitems * sizeof(uint32));
	miner->counts = recsys_alloc_huge_zero(nitems * sizeof(uint32));
	miner->numbers = recsys_alloc_huge(nitems * sizeof(uint32));
	memset(miner->numbers, 0xFF, nitems * sizeof(uint32));
	if (block->weighted)
		miner->weights = recsys_alloc_huge_zero(nitems * sizeof(double));
	for (uint32 x = 0; x < block->ncommon; x++)
		miner->set[miner->length++] = ITEMSET_ARRAY(block, uint32, items)[block->nranks + x];

	miner->supports = ITEMSET_ARRAY(block, const uint32, supports);
	miner->lists.entries = ITEMSET_ARRAY(block, const uint32, entries);
	miner->lists.places = ITEMSET_ARRAY(block, const uint32, places);
	miner->lists.occurrences = ITEMSET_ARRAY(block, const uint32, occurrences);
	miner->lists.items = ITEMSET_ARRAY(block, const uint32, items);
	miner->lists.nitems = block->nranks;
	miner->lists.top = true;
	RecsysItemsetMinerConsiderColumns(miner);
	return miner;
}

void
RecsysItemsetMinerFree(RecsysItemsetMiner *miner)
{
	Chunk	   *chunk = miner->chunk;

	while (chunk->next != NULL)
		chunk = chunk->next;
	while (chunk != NULL)
	{
		Chunk	   *previous = chunk->previous;

		pfree(chunk);
		chunk = previous;
	}
	if (miner->set != NULL)
	{
		pfree(miner->set);
		pfree(miner->perfect);
		pfree(miner->touched);
		pfree(miner->candidates);
		pfree(miner->counts);
		pfree(miner->numbers);
	}
	if (miner->weights != NULL)
		pfree(miner->weights);
	pfree(miner);
}

void
RecsysItemsetMinerChange(RecsysItemsetMiner *miner, RecsysItemsetKind kind, uint32 min_support)
{
	miner->kind = kind;
	miner->min_support = Max(miner->min_support, min_support);
}

/* The set of just the items that every set must contain. */
static bool
mine_common(RecsysItemsetMiner *miner)
{
	const ItemsetBlock *block = miner->block;

	if (miner->kind == RECSYS_ITEMSETS_MAXIMAL && block->nranks > 0)
		return true;
	if (miner->kind == RECSYS_ITEMSETS_CLOSED && block->nranks > 0 &&
		miner->supports[0] == block->common_support)
		return true;
	return report_set(miner, block->common_support, block->common_weight);
}

RecsysItemsetOutcome
RecsysItemsetMine(RecsysItemsetMiner *miner, uint32 task)
{
	const ItemsetBlock *block = miner->block;
	uint32		rank = block->first_rank + task - block->report_common;
	uint32		length = miner->length;

	if (miner->outcome != RECSYS_ITEMSETS_DONE)
		return miner->outcome;
	if (block->report_common && task == 0)
	{
		mine_common(miner);
		return miner->outcome;
	}
	if (!may_grow(miner))
		return miner->outcome;
	if (miner->dense)
		RecsysItemsetMineColumns(miner, miner->columns, rank, rank + 1, block->nranks,
								 &miner->segments);
	else
	{
		miner->set[miner->length++] = miner->lists.items[rank];
		RecsysItemsetMineList(miner, &miner->lists, rank, miner->supports[rank],
							  block->weighted ?
							  ITEMSET_ARRAY(block, const double, weights)[rank] : 0.0);
	}
	miner->length = length;
	miner->nperfect = 0;
	return miner->outcome;
}
