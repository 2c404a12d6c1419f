/*
 * itemsets.c
 *	  frequent_itemsets() and query_frequent_itemsets().
 *
 * Item sets go into the answer as they are found, unless only the k most frequent
 * ones are wanted, which wait in a heap.  A call that itemset_scan.c makes has them in a
 * stream, any other one as rows.
 */
#include "postgres.h"

#include "api/basket/arrayrows.h"
#include "api/basket/basket_mining.h"
#include "api/basket/itemset_scan.h"
#include "api/basket/rule_conflicts.h"
#include "api/call/arguments.h"
#include "core/rules/rules.h"
#include "miscadmin.h"
#include "source/input/values.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(recsys_frequent_itemsets);
PG_FUNCTION_INFO_V1(recsys_frequent_itemsets_typed);
PG_FUNCTION_INFO_V1(recsys_query_frequent_itemsets);
PG_FUNCTION_INFO_V1(recsys_query_frequent_itemsets_typed);

/* Arguments after the source and, in the typed functions, the item type */
enum
{
	MIN_SUPPORT, KIND, MIN_LENGTH, MAX_LENGTH, MUST_CONTAIN, MUST_NOT_CONTAIN, K, MAX_BASKET,
	WEIGHTS
};

/*
 * With k, so many sets are mined, by workers too, before those that are not frequent enough
 * for the k best are left out.
 */
#define MAX_BEFORE_CHOICE 1000000
#define SETS_FOR_EACH_CHOSEN 10

typedef struct SetState
{
	RecsysArrayRows *rows;
	RecsysSetStream *stream;	/* instead of rows */
	RecsysMinedBaskets mined;
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
	set.counts.baskets = state->mined.baskets;
	set.weight = weight;
	if (state->best != NULL)
		return RecsysBestRulesOffer(state->best, -(double) support, &set);
	put_set(state, &set);
	return true;
}

/*
 * All of them together first: that can be done in parallel.  Only where they are too many is
 * there more to gain by leaving out what is not frequent enough.
 */
static void
mine_best(SetState *state, int k, Size memory_limit)
{
	uint64		most = RecsysMaxItemsets;
	bool		done;

	/* what is maximal cannot be told without all the others */
	if (state->kind != RECSYS_ITEMSETS_MAXIMAL)
		most = Min(most, MAX_BEFORE_CHOICE + (uint64) k * SETS_FOR_EACH_CHOSEN);
	memory_limit /= 2;
	state->best = RecsysBestRulesCreate(k, memory_limit);
	done = RecsysTryMine(&state->mined, most, memory_limit, NULL, take_set, state);
	if (done)
		RecsysBestRulesReport(state->best, put_set, state);
	RecsysBestRulesFree(state->best);
	if (!done && !RecsysMineBest(&state->mined, k, memory_limit * 2, put_set, state))
		RecsysTooManyItemsets(&state->mined, memory_limit);
}

static Datum
frequent_itemsets(FunctionCallInfo fcinfo, bool is_query, bool typed)
{
	RecsysMiningRequest request = {0};
	RecsysAnswer answer;
	SetState	state = {0};
	Oid			item_type;
	int			first = typed ? 2 : 1;
	bool		all = PG_ARGISNULL(first + K);
	int			k = RecsysArgK(fcinfo, first + K);
	Size		miners;

	request.is_query = is_query;
	request.min_support = RecsysArgMinSupport(fcinfo, first + MIN_SUPPORT);
	request.kind = RecsysArgItemsetKind(fcinfo, first + KIND);
	request.min_length = RecsysArgIntegerOr(fcinfo, first + MIN_LENGTH, "min_length", 1, PG_INT32_MAX, 1);
	request.max_length = RecsysArgIntegerOr(fcinfo, first + MAX_LENGTH, "max_length", 1, PG_INT32_MAX, 0);
	request.max_basket = RecsysArgIntegerOr(fcinfo, first + MAX_BASKET, "max_basket", 1,
											RECSYS_MAX_BASKET, 0);
	request.weights = RecsysArgFlag(fcinfo, first + WEIGHTS, "weights");
	request.source = RecsysArgSource(fcinfo, is_query);
	item_type = RecsysAnswerInitArray(&answer, fcinfo);
	RecsysArgKeys(fcinfo, first + MUST_CONTAIN, "must_contain", answer.item_type,
				  &request.must_contain);
	RecsysArgKeys(fcinfo, first + MUST_NOT_CONTAIN, "must_not_contain", answer.item_type,
				  &request.must_not_contain);

	RecsysCheckLengths(&request, request.min_length);

	state.stream = RecsysItemsetScanStream(fcinfo);
	if (state.stream != NULL)
		answer.context = RecsysSetStreamContext(state.stream);

	RecsysPrepareMining(&request, &answer, item_type, &state.mined);
	state.weights = request.weights;
	state.kind = request.kind;
	miners = state.mined.memory_limit;
	if (state.mined.sets != NULL && state.stream == NULL)
		state.rows = RecsysArrayRowsCreate(&answer, state.mined.arrays);
	else if (state.mined.sets != NULL)
	{
		miners /= 2;
		RecsysSetStreamBegin(state.stream, &state.mined.format, state.mined.arrays,
							 state.mined.baskets, miners);
	}
	if (all)
		RecsysMine(&state.mined, miners, state.stream, take_set, &state);
	else
		mine_best(&state, k, miners);
	RecsysMiningEnd(&state.mined);
	return (Datum) 0;
}

Datum
recsys_frequent_itemsets(PG_FUNCTION_ARGS)
{
	return frequent_itemsets(fcinfo, false, false);
}

/* The second argument only gives the type of the answer. */
Datum
recsys_frequent_itemsets_typed(PG_FUNCTION_ARGS)
{
	return frequent_itemsets(fcinfo, false, true);
}

Datum
recsys_query_frequent_itemsets(PG_FUNCTION_ARGS)
{
	return frequent_itemsets(fcinfo, true, false);
}

Datum
recsys_query_frequent_itemsets_typed(PG_FUNCTION_ARGS)
{
	return frequent_itemsets(fcinfo, true, true);
}
