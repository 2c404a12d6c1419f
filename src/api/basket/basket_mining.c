/*
 * basket_mining.c
 *	  From prepared baskets to item sets.
 */
#include "postgres.h"

#include "api/basket/basket_mining.h"
#include "api/basket/mininglimits.h"
#include "optimizer/cost.h"
#include "utils/guc.h"

int			RecsysMaxItemsets = 10000000;
int			RecsysMaxRules = 10000000;

void
RecsysInitMining(void)
{
	DefineCustomIntVariable("recsys.max_itemsets",
							"Most item sets that association_rules and frequent_itemsets may come upon.",
							"A statement that comes upon more ends in an error, which tells a min_support that suits.",
							&RecsysMaxItemsets, 10000000, 1, PG_INT32_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("recsys.max_rules",
							"Most rules that association_rules and its variants return, unless k says how many.",
							"A statement that would return more ends in an error.",
							&RecsysMaxRules, 10000000, 1, PG_INT32_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);
}

typedef struct MineState
{
	const RecsysSetSink *sink;
	RecsysSetFormat format;
	uint64		count;
	uint64		limit;
	bool		too_many;
	uint32	   *items;
	uint32		room;
} MineState;

static bool
count_sets(MineState *state, uint32 nsets)
{
	state->count += nsets;
	state->too_many = state->count > state->limit;
	return !state->too_many;
}

static void
make_room(MineState *state, uint32 length)
{
	if (length <= state->room)
		return;
	pfree(state->items);
	state->room = length * 2;
	state->items = palloc(sizeof(uint32) * (Size) state->room);
}

static bool
report_set(void *arg, const RecsysItemset *set)
{
	MineState  *state = arg;

	if (!count_sets(state, 1))
		return false;
	if (state->sink->stream != NULL)
	{
		RecsysSetStreamAdd(state->sink->stream, set);
		return true;
	}
	make_room(state, set->length);
	RecsysSortSet(state->format.nitems, set, state->items);
	return state->sink->report(state->sink->arg, state->items, set->length, set->support, set->weight);
}

static bool
report_packed(void *arg, const uint16 *units, uint32 nunits, uint32 nsets)
{
	MineState  *state = arg;

	if (!count_sets(state, nsets))
		return false;
	if (state->sink->stream != NULL)
	{
		RecsysSetStreamAddPacked(state->sink->stream, units, nunits);
		return true;
	}
	for (uint32 i = 0; i < nsets; i++)
	{
		RecsysItemset set;

		units = RecsysUnpackSet(&state->format, units, &set);
		make_room(state, set.length);
		units = RecsysUnpackItems(&state->format, units, &set, state->items);
		if (!state->sink->report(state->sink->arg, set.items, set.length, set.support, set.weight))
			return false;
	}
	return true;
}

bool
RecsysTryMine(RecsysPreparedBaskets *prepared, uint64 limit, Size memory_limit, const RecsysSetSink *sink)
{
	MineState	state = {0};
	RecsysMiningReport reporting;
	RecsysItemsetOutcome outcome;

	if (prepared->sets == NULL)
		return true;
	state.sink = sink;
	state.format = prepared->format;
	state.limit = limit;
	state.room = 64;
	state.items = palloc(sizeof(uint32) * state.room);
	reporting.format = prepared->format;
	reporting.set = report_set;
	reporting.packed = report_packed;
	reporting.arg = &state;
	outcome = RecsysMineItemsets(prepared->sets, memory_limit, max_parallel_workers_per_gather,
								 &prepared->team, &reporting);
	pfree(state.items);
	if (state.too_many)
		return false;
	if (outcome != RECSYS_ITEMSETS_DONE)
		RecsysMiningOutOfMemory(prepared, RECSYS_MINING_ITEMSETS);
	return true;
}

void
RecsysMine(RecsysPreparedBaskets *prepared, Size memory_limit, const RecsysSetSink *sink)
{
	if (!RecsysTryMine(prepared, RecsysMaxItemsets, memory_limit, sink))
		RecsysTooManyItemsets(prepared, memory_limit);
}

bool
RecsysMineBest(RecsysPreparedBaskets *prepared, uint64 k, Size memory_limit, RecsysRuleReporter report,
			   void *arg)
{
	if (prepared->sets->kind == RECSYS_ITEMSETS_MAXIMAL)
		return false;
	if (RecsysItemsetsBest(prepared->sets, k, memory_limit, report, arg) != RECSYS_ITEMSETS_DONE)
		RecsysMiningOutOfMemory(prepared, RECSYS_MINING_ITEMSETS);
	return true;
}
