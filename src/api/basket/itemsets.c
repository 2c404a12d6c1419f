/*
 * itemsets.c
 *	  frequent_itemsets() and query_frequent_itemsets().
 *
 * Item sets go into the answer as they are found.  With k, the most frequent ones wait in
 * a heap.  For a call from itemset_scan.c they go to a stream, for any other they become
 * rows.
 */
#include "postgres.h"

#include "api/basket/arrayrows.h"
#include "api/basket/basket_mining.h"
#include "api/basket/basket_source.h"
#include "api/basket/itemset_scan.h"
#include "api/basket/mininglimits.h"
#include "api/basket/mining_request.h"
#include "api/basket/prepared_baskets.h"
#include "api/call/answer.h"
#include "core/rules/rules.h"

PG_FUNCTION_INFO_V1(recsys_frequent_itemsets);
PG_FUNCTION_INFO_V1(recsys_frequent_itemsets_typed);
PG_FUNCTION_INFO_V1(recsys_query_frequent_itemsets);
PG_FUNCTION_INFO_V1(recsys_query_frequent_itemsets_typed);

/*
 * With k: up to so many sets, all are mined, with workers.  Beyond that, only those that
 * can be among the k best are looked for.
 */
#define MAX_BEFORE_CHOICE 1000000
#define SETS_FOR_EACH_CHOSEN 10

typedef struct SetState
{
	RecsysArrayRows *rows;
	RecsysSetStream *stream;	/* instead of rows */
	RecsysPreparedBaskets prepared;
	bool		weights;
	RecsysItemsetKind kind;
	RecsysBestRules *best;		/* with k */
} SetState;

static void
put_set(void *arg, const RecsysRule *set)
{
	SetState   *state = arg;
	Datum		values[4];		/* behind the items */
	bool		isnull[4] = {false, false, false, false};

	if (state->stream != NULL)
	{
		RecsysItemset packed = {set->antecedent, set->nantecedent, (uint32) set->counts.both, set->weight};

		RecsysSetStreamAdd(state->stream, &packed);
		return;
	}
	values[0] = Int64GetDatum((int64) set->counts.both);
	values[1] = Float8GetDatum((double) set->counts.both / (double) set->counts.baskets);
	values[2] = Int32GetDatum((int32) set->nantecedent);
	values[3] = Float8GetDatum(set->weight);
	isnull[3] = !state->weights;
	RecsysArrayRowsPut(state->rows, set->antecedent, set->nantecedent, values, isnull);
}

static bool
take_set(void *arg, const uint32 *items, uint32 length, uint32 support, double weight)
{
	SetState   *state = arg;
	RecsysRule	set = {0};

	set.antecedent = items;
	set.nantecedent = length;
	set.counts.both = support;
	set.counts.baskets = state->prepared.baskets;
	set.weight = weight;
	if (state->best != NULL)
		return RecsysBestRulesOffer(state->best, -(double) support, &set);
	put_set(state, &set);
	return true;
}

/*
 * First try to mine all sets, since that can be done in parallel.  If they are too many,
 * look only for those that can be among the k best.
 */
static void
mine_best(SetState *state, int k, Size memory_limit)
{
	uint64		limit = RecsysMaxItemsets;
	RecsysSetSink sink = {.report = take_set, .arg = state};
	bool		done;

	/* what is maximal cannot be told without all the others */
	if (state->kind != RECSYS_ITEMSETS_MAXIMAL)
		limit = Min(limit, MAX_BEFORE_CHOICE + (uint64) k * SETS_FOR_EACH_CHOSEN);
	memory_limit /= 2;
	state->best = RecsysBestRulesCreate(k, memory_limit);
	done = RecsysTryMine(&state->prepared, limit, memory_limit, &sink);
	if (done)
		RecsysBestRulesReport(state->best, put_set, state);
	RecsysBestRulesFree(state->best);
	if (!done && !RecsysMineBest(&state->prepared, k, memory_limit * 2, put_set, state))
		RecsysTooManyItemsets(&state->prepared, memory_limit);
}

static Datum
frequent_itemsets(FunctionCallInfo fcinfo, RecsysMiningVariant variant)
{
	RecsysAnswer answer;
	RecsysMiningRequest request;
	RecsysBasketSource source;
	SetState	state = {0};
	RecsysSetSink sink = {.report = take_set, .arg = &state};
	Oid			item_type = RecsysAnswerInitArray(&answer, fcinfo);
	Size		miners;

	sink.stream = state.stream = RecsysItemsetScanStream(fcinfo);
	if (state.stream != NULL)
		answer.context = RecsysSetStreamContext(state.stream);
	RecsysReadItemsetRequest(fcinfo, &variant, answer.item_type, &request);
	RecsysReadBaskets(&request, &answer, &source);
	RecsysRequestKeysAs(&request, source.kind, source.type);
	RecsysPrepareBaskets(&request, &source, item_type, answer.context, &state.prepared);
	RecsysBasketSourceClose(&source);

	state.weights = request.weights;
	state.kind = request.kind;
	miners = state.prepared.memory_limit;
	if (state.prepared.sets != NULL && state.stream == NULL)
		state.rows = RecsysArrayRowsCreate(&answer, state.prepared.arrays);
	else if (state.prepared.sets != NULL)
	{
		miners /= 2;
		RecsysSetStreamBegin(state.stream, &state.prepared.format, state.prepared.arrays,
							 state.prepared.baskets, miners);
	}
	if (request.best)
		mine_best(&state, request.k, miners);
	else
		RecsysMine(&state.prepared, miners, &sink);
	RecsysPreparedBasketsEnd(&state.prepared);
	return (Datum) 0;
}

Datum
recsys_frequent_itemsets(PG_FUNCTION_ARGS)
{
	return frequent_itemsets(fcinfo, (RecsysMiningVariant) {0});
}

/* The second argument only gives the type of the answer. */
Datum
recsys_frequent_itemsets_typed(PG_FUNCTION_ARGS)
{
	return frequent_itemsets(fcinfo, (RecsysMiningVariant) {.typed = true});
}

Datum
recsys_query_frequent_itemsets(PG_FUNCTION_ARGS)
{
	return frequent_itemsets(fcinfo, (RecsysMiningVariant) {.is_query = true});
}

Datum
recsys_query_frequent_itemsets_typed(PG_FUNCTION_ARGS)
{
	return frequent_itemsets(fcinfo, (RecsysMiningVariant) {.is_query = true, .typed = true});
}
