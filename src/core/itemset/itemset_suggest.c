/*
 * itemset_suggest.c
 *	  Which minimum support is the lowest that gives no more than a number of item sets?
 *
 * Mines with the threshold of the block and counts what is found by support.  Whenever
 * too many have been found, the threshold rises until enough of them fall below it.
 * All sets that reach the last threshold have been counted then, since it only rises.
 *
 * Supports are told apart by their twelve highest bits: exactly up to 4095, and to one
 * in 2,048 beyond.
 */
#include "core/itemset/itemset_miner.h"

#define EXACT_BITS 12
#define EXACT ((uint32) 1 << EXACT_BITS)
#define HALF (EXACT / 2)
#define NSTEPS (EXACT + (32 - EXACT_BITS) * HALF)

typedef struct Suggestion
{
	RecsysItemsetMiner *miner;
	RecsysItemsetKind kind;
	uint64		max_sets;
	uint64		nsets;			/* that reach the threshold */
	uint32		step;			/* the threshold's */
	uint64	   *counts;			/* sets by step of their support */
} Suggestion;

static uint32
step_of(uint32 support)
{
	uint32		shift;

	if (support < EXACT)
		return support;
	shift = 32 - EXACT_BITS - (uint32) __builtin_clz(support);
	return EXACT + (shift - 1) * HALF + (support >> shift) - HALF;
}

/* The lowest support of a step. */
static uint32
support_of(uint32 step)
{
	if (step < EXACT)
		return step;
	return (HALF + (step - EXACT) % HALF) << ((step - EXACT) / HALF + 1);
}

static bool
count_set(void *arg, const RecsysItemset *set)
{
	Suggestion *suggestion = arg;
	uint32		step = step_of(set->support);

	if (step < suggestion->step)
		return true;
	suggestion->counts[step]++;
	if (++suggestion->nsets > suggestion->max_sets)
	{
		while (suggestion->nsets > suggestion->max_sets)
			suggestion->nsets -= suggestion->counts[suggestion->step++];
		RecsysItemsetMinerChange(suggestion->miner, suggestion->kind,
								 suggestion->step < NSTEPS ? support_of(suggestion->step) :
								 PG_UINT32_MAX);
	}
	return true;
}

uint32
RecsysItemsetsSuggest(const RecsysItemsets *sets, uint64 max_sets, Size memory_limit,
					  uint64 *remaining)
{
	Suggestion	suggestion = {0};
	RecsysItemsetOutcome outcome = RECSYS_ITEMSETS_DONE;
	Size		memory = NSTEPS * sizeof(uint64);
	uint32		result;

	if (memory_limit < memory)
		return 0;
	suggestion.max_sets = max_sets;
	suggestion.kind = sets->kind == RECSYS_ITEMSETS_MAXIMAL ? RECSYS_ITEMSETS_CLOSED : sets->kind;
	suggestion.step = step_of(sets->min_support);
	suggestion.counts = palloc0(memory);
	suggestion.miner = RecsysItemsetMinerCreate(sets, memory_limit - memory, count_set,
												&suggestion);
	RecsysItemsetMinerChange(suggestion.miner, suggestion.kind, sets->min_support);
	for (uint32 task = 0; task < sets->ntasks && outcome == RECSYS_ITEMSETS_DONE; task++)
		outcome = RecsysItemsetMine(suggestion.miner, task);
	RecsysItemsetMinerFree(suggestion.miner);
	pfree(suggestion.counts);
	if (outcome != RECSYS_ITEMSETS_DONE)
		return 0;
	if (remaining != NULL)
		*remaining = suggestion.nsets;
	result = suggestion.step < NSTEPS ? support_of(suggestion.step) : PG_UINT32_MAX;
	return Max(result, sets->min_support);
}
