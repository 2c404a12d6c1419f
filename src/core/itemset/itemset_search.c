/*
 * itemset_search.c
 *	  What the search for item sets is made of, whatever baskets look like: the miner's
 *	  memory, what it reports, and the items above those that a task has in its baskets.
 *
 * The search takes memory when it goes down and gives it back when it comes up, so there
 * is no list of free pieces: memory comes from chunks that are filled one after the
 * other, and going back is going back to a mark.
 */
#include "core/itemset/itemset_search.h"

#define CHUNK_SIZE ((Size) 256 * 1024)

/* What a reported set costs, in words compared: the reporter has work to do as well. */
#define REPORT_WORK 100

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
report_set(RecsysItemsetMiner *miner, uint32 support, ItemsetWeight weight)
{
	RecsysItemset set = {miner->set, miner->length, support, 0};

	if (miner->length < miner->min_length || miner->length > miner->max_length)
		return true;
	add_work(miner, REPORT_WORK);
	if (miner->block->weighted)
		set.weight = itemset_weight_get(weight, miner->block->weight_unit);
	if (!miner->report(miner->arg, &set))
	{
		miner->outcome = RECSYS_ITEMSETS_STOPPED;
		return false;
	}
	return true;
}

/* The current set with each subset of the first n perfect extensions. */
static bool
report_subsets(RecsysItemsetMiner *miner, uint32 n, uint32 support, ItemsetWeight weight)
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
RecsysItemsetMinerReport(RecsysItemsetMiner *miner, uint32 n, uint32 support, ItemsetWeight weight)
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
