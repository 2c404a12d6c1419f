/*
 * association_rules.c
 *	  association_rules(), association_rules_to_sets() and the same of a query.
 *
 * First all frequent item sets up to max_length are mined into a store, then rules are
 * made of them.  Filters by item apply only then: a rule's measures need the supports of
 * all its parts, with or without the wanted items.  Items that a rule must not contain
 * are left out from the start, since no part of any rule holds them.
 */
#include "postgres.h"

#include "api/basket/basket_mining.h"
#include "api/basket/basket_source.h"
#include "api/basket/mininglimits.h"
#include "api/basket/mining_request.h"
#include "api/basket/prepared_baskets.h"
#include "api/call/answer.h"
#include "core/rules/rules.h"

PG_FUNCTION_INFO_V1(recsys_association_rules);
PG_FUNCTION_INFO_V1(recsys_association_rules_typed);
PG_FUNCTION_INFO_V1(recsys_query_association_rules);
PG_FUNCTION_INFO_V1(recsys_query_association_rules_typed);
PG_FUNCTION_INFO_V1(recsys_association_rules_to_sets);
PG_FUNCTION_INFO_V1(recsys_association_rules_to_sets_typed);
PG_FUNCTION_INFO_V1(recsys_query_association_rules_to_sets);
PG_FUNCTION_INFO_V1(recsys_query_association_rules_to_sets_typed);

/* Columns of the answer after antecedent and consequent: the measures, then these */
#define FIRST_MEASURE 2
#define ANTECEDENT_SUPPORT (FIRST_MEASURE + RECSYS_RULE_MEASURES)
#define CONSEQUENT_SUPPORT (ANTECEDENT_SUPPORT + 1)
#define BASKETS (CONSEQUENT_SUPPORT + 1)
#define BASKET_WEIGHT (BASKETS + 1)
#define COLUMNS (BASKET_WEIGHT + 1)

typedef struct RuleState
{
	RecsysAnswer *answer;
	RecsysPreparedBaskets prepared;
	RecsysSetStore *sets;
	bool		to_sets;		/* the consequent is an array */
	bool		weights;
	bool		adjust;
	const RecsysRuleOptions *options;
	uint64		count;			/* rules put so far */
} RuleState;

static bool
take_set(void *arg, const uint32 *items, uint32 length, uint32 support, double weight)
{
	return RecsysSetStoreAdd(((RuleState *) arg)->sets, items, length, support, weight);
}

static void
too_many_rules(const RuleState *state)
{
	const RecsysPreparedBaskets *prepared = &state->prepared;

	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("more than %d rules have a support of " UINT64_FORMAT " baskets or more and a confidence of %g or more",
					RecsysMaxRules, prepared->min_support, state->options->min_confidence),
			 errdetail("The limit is the setting recsys.max_rules; they come from " UINT64_FORMAT " item sets in " UINT64_FORMAT " baskets.",
					   RecsysSetStoreCount(state->sets), prepared->baskets),
			 errhint("Use a higher min_support or min_confidence, a smaller max_length or max_basket, a filter, or k, or raise recsys.max_rules.")));
}

static void
put_rule(void *arg, const RecsysRule *rule)
{
	RuleState  *state = arg;
	Datum		values[COLUMNS];
	bool		isnull[COLUMNS] = {false};

	if (!state->options->best && ++state->count > (uint64) RecsysMaxRules)
		too_many_rules(state);
	values[0] = RecsysItemArraysForm(state->prepared.arrays, 0, rule->antecedent, rule->nantecedent);
	values[1] = state->to_sets ?
		RecsysItemArraysForm(state->prepared.arrays, 1, rule->consequent, rule->nconsequent) :
		RecsysItemArraysItem(state->prepared.arrays, rule->consequent[0]);
	values[FIRST_MEASURE] = Int64GetDatum((int64) rule->counts.both);
	for (int x = RECSYS_RULE_SUPPORT + 1; x < RECSYS_RULE_ADJUSTED_P; x++)
		values[FIRST_MEASURE + x] =
			Float8GetDatum(RecsysRuleMeasureValue((RecsysRuleMeasure) x, &rule->counts));
	values[FIRST_MEASURE + RECSYS_RULE_ADJUSTED_P] = Float8GetDatum(rule->adjusted_p);
	isnull[FIRST_MEASURE + RECSYS_RULE_ADJUSTED_P] = !state->adjust;
	values[ANTECEDENT_SUPPORT] = Int64GetDatum((int64) rule->counts.antecedent);
	values[CONSEQUENT_SUPPORT] = Int64GetDatum((int64) rule->counts.consequent);
	values[BASKETS] = Int64GetDatum((int64) rule->counts.baskets);
	values[BASKET_WEIGHT] = Float8GetDatum(rule->weight);
	isnull[BASKET_WEIGHT] = !state->weights;
	RecsysAnswerPut(state->answer, values, isnull);
}

/* The frequent items of a list, marked; those that are not frequent are passed over. */
static bool *
mark_items(const RecsysPreparedBaskets *prepared, const RecsysKeyList *list, uint32 *count)
{
	bool	   *marks = palloc0(Max(prepared->nitems, 1));

	*count = 0;
	for (int i = 0; i < list->count; i++)
	{
		uint32		item = RecsysPreparedItem(prepared, &list->keys[i]);

		if (item != RECSYS_NONE && !marks[item])
		{
			marks[item] = true;
			(*count)++;
		}
	}
	return marks;
}

/* The rules must have all items of must_contain; false if one of them is not frequent. */
static bool
require_items(const RecsysPreparedBaskets *prepared, const RecsysKeyList *list,
			  RecsysRuleOptions *options)
{
	for (int i = 0; i < list->count; i++)
		if (RecsysPreparedItem(prepared, &list->keys[i]) == RECSYS_NONE)
			return false;
	if (list->count > 0)
		options->required = mark_items(prepared, list, &options->nrequired);
	return true;
}

/* Item sets of the prepared baskets into a store */
static void
mine(RuleState *state)
{
	Size		half = state->prepared.memory_limit / 2;
	RecsysSetSink sink = {.report = take_set, .arg = state};

	state->sets = RecsysSetStoreCreate(state->prepared.nitems, state->weights, half);
	RecsysMine(&state->prepared, half, &sink);
	RecsysPreparedBasketsEnd(&state->prepared);
}

/* Rules of the item sets into the answer */
static void
generate(RuleState *state, RecsysRuleOptions *options)
{
	const RecsysPreparedBaskets *prepared = &state->prepared;

	options->baskets = prepared->baskets;
	options->memory_limit = prepared->memory_limit - Min(prepared->memory_limit,
														 RecsysSetStoreMemory(state->sets));
	if (!RecsysGenerateRules(state->sets, options, put_rule, state))
		RecsysMiningOutOfMemory(prepared, RECSYS_MINING_RULES);
}

static Datum
association_rules(FunctionCallInfo fcinfo, RecsysMiningVariant variant)
{
	RecsysAnswer answer;
	RecsysMiningRequest request;
	RecsysRuleOptions options;
	RecsysBasketSource source;
	RuleState	state = {0};
	Oid			item_type = RecsysAnswerInitArray(&answer, fcinfo);
	uint32		ignored;

	RecsysReadRuleRequest(fcinfo, &variant, answer.item_type, &request, &options);
	RecsysReadBaskets(&request, &answer, &source);
	RecsysRequestKeysAs(&request, source.kind, source.type);
	RecsysPrepareBaskets(&request, &source, item_type, answer.context, &state.prepared);
	RecsysBasketSourceClose(&source);

	state.answer = &answer;
	state.to_sets = variant.to_sets;
	state.weights = request.weights;
	state.adjust = options.adjust;
	state.options = &options;
	if (state.prepared.sets != NULL && require_items(&state.prepared, &request.must_contain, &options))
	{
		if (request.consequents.present)
			options.consequents = mark_items(&state.prepared, &request.consequents, &ignored);
		mine(&state);
		generate(&state, &options);
	}
	RecsysPreparedBasketsEnd(&state.prepared);
	return (Datum) 0;
}

Datum
recsys_association_rules(PG_FUNCTION_ARGS)
{
	return association_rules(fcinfo, (RecsysMiningVariant) {0});
}

/* The second argument of the typed functions only gives the type of the answer. */
Datum
recsys_association_rules_typed(PG_FUNCTION_ARGS)
{
	return association_rules(fcinfo, (RecsysMiningVariant) {.typed = true});
}

Datum
recsys_query_association_rules(PG_FUNCTION_ARGS)
{
	return association_rules(fcinfo, (RecsysMiningVariant) {.is_query = true});
}

Datum
recsys_query_association_rules_typed(PG_FUNCTION_ARGS)
{
	return association_rules(fcinfo, (RecsysMiningVariant) {.is_query = true, .typed = true});
}

Datum
recsys_association_rules_to_sets(PG_FUNCTION_ARGS)
{
	return association_rules(fcinfo, (RecsysMiningVariant) {.to_sets = true});
}

Datum
recsys_association_rules_to_sets_typed(PG_FUNCTION_ARGS)
{
	return association_rules(fcinfo, (RecsysMiningVariant) {.typed = true, .to_sets = true});
}

Datum
recsys_query_association_rules_to_sets(PG_FUNCTION_ARGS)
{
	return association_rules(fcinfo, (RecsysMiningVariant) {.is_query = true, .to_sets = true});
}

Datum
recsys_query_association_rules_to_sets_typed(PG_FUNCTION_ARGS)
{
	return association_rules(fcinfo, (RecsysMiningVariant) {.is_query = true, .typed = true, .to_sets = true});
}
