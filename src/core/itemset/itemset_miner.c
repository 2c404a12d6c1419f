/*
 * itemset_miner.c
 *	  Miners: made from a block, set to work on its tasks, freed.
 *
 * A task is one frequent item: its sets are those whose highest rank is that item's.
 * Whether the search goes along lists or along columns is chosen for the whole block
 * when the miner is made; lists turn into columns further down by themselves.
 */
#include "core/itemset/itemset_miner.h"

#include "core/itemset/itemset_columns.h"
#include "core/itemset/itemset_lists.h"

#define MAX_COLUMNS 64

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
		miner->basket_weights = ITEMSET_ARRAY(block, const ItemsetWeight, basket_weights);
	miner->max_columns = MAX_COLUMNS;
	miner->outcome = RECSYS_ITEMSETS_DONE;
	miner->chunk = palloc0(sizeof(Chunk));
	miner->chunk->size = miner->chunk->used = sizeof(Chunk);
	miner->memory_limit = memory_limit;
	miner->memory = nitems * (6 * sizeof(uint32) + (block->weighted ? sizeof(ItemsetWeight) : 0));
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
		miner->weights = recsys_alloc_huge_zero(nitems * sizeof(ItemsetWeight));
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

	if (miner->kind == RECSYS_ITEMSETS_CLOSED && block->nranks > 0 &&
		miner->supports[0] == block->common_support)
		return true;
	return RecsysItemsetMinerReport(miner, block->nranks, block->common_support,
									block->common_weight);
}

RecsysItemsetOutcome
RecsysItemsetMine(RecsysItemsetMiner *miner, uint32 task)
{
	const ItemsetBlock *block = miner->block;
	uint32		rank = block->first_rank + task - block->report_common;
	uint32		length = miner->length;
	ItemsetWeight weight = {0, 0};

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
		if (block->weighted)
			weight = ITEMSET_ARRAY(block, const ItemsetWeight, weights)[rank];
		RecsysItemsetMineList(miner, &miner->lists, rank, miner->supports[rank], weight);
	}
	miner->length = length;
	miner->nperfect = 0;
	return miner->outcome;
}
