/*
 * association_rules.c
 *	  association_rules(), association_rules_to_sets() and the same of a query.
 *
 * First all frequent item sets up to max_length are mined into a store, then
 * rules are made of them.  Filters by item choose among the sets only then: a
 * rule's measures need the supports of all its parts, whatever is in those.
 * Items that a rule must not contain are different: they can be left out from
 * the start, since no part of any rule holds them.
 */
#include "postgres.h"

#include <math.h>

#include "api/basket/basket_mining.h"
#include "api/basket/rule_conflicts.h"
#include "api/call/arguments.h"
#include "core/rules/rules.h"
#include "miscadmin.h"
#include "source/input/values.h"
#include "utils/lsyscache.h"

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
	RecsysMinedBaskets mined;
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
	const RecsysMinedBaskets *mined = &state->mined;

	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("more than %d rules have a support of " UINT64_FORMAT " baskets or more and a confidence of %g or more",
					RecsysMaxRules, mined->min_support, state->options->min_confidence),
			 errdetail("The limit is the setting recsys.max_rules; they come from " UINT64_FORMAT " item sets in " UINT64_FORMAT " baskets.",
					   RecsysSetStoreCount(state->sets), mined->baskets),
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
	values[0] = RecsysItemArraysForm(state->mined.arrays, 0, rule->antecedent, rule->nantecedent);
	values[1] = state->to_sets ?
		RecsysItemArraysForm(state->mined.arrays, 1, rule->consequent, rule->nconsequent) :
		RecsysItemArraysItem(state->mined.arrays, rule->consequent[0]);
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
mark_items(const RecsysMinedBaskets *mined, const RecsysKeyList *list, uint32 *count)
{
	bool	   *marks = palloc0(Max(mined->nitems, 1));

	*count = 0;
	for (int i = 0; i < list->count; i++)
	{
		uint32		item = RecsysMinedItem(mined, &list->keys[i]);

		if (item != RECSYS_NONE && !marks[item])
		{
			marks[item] = true;
			(*count)++;
		}
	}
	return marks;
}

/* Number of the frequent items of must_contain; false if one of them is not frequent. */
static bool
require_items(const RecsysMinedBaskets *mined, const RecsysKeyList *list,
			  RecsysRuleOptions *options)
{
	for (int i = 0; i < list->count; i++)
		if (RecsysMinedItem(mined, &list->keys[i]) == RECSYS_NONE)
			return false;
	if (list->count > 0)
		options->required = mark_items(mined, list, &options->nrequired);
	return true;
}

static void
generate(RuleState *state, const RecsysMiningRequest *request, RecsysRuleOptions *options)
{
	RecsysMinedBaskets *mined = &state->mined;
	Size		half = mined->memory_limit / 2;
	uint32		ignored;

	if (mined->sets == NULL || !require_items(mined, &request->must_contain, options))
		return;
	if (request->consequents.present)
		options->consequents = mark_items(mined, &request->consequents, &ignored);
	state->sets = RecsysSetStoreCreate(mined->nitems, request->weights, half);
	RecsysMine(mined, half, NULL, take_set, state);
	RecsysMiningEnd(mined);

	options->baskets = mined->baskets;
	options->memory_limit = mined->memory_limit - Min(mined->memory_limit,
													  RecsysSetStoreMemory(state->sets));
	if (!RecsysGenerateRules(state->sets, options, put_rule, state))
		RecsysMiningOutOfMemory(mined, RECSYS_MINING_RULES);
}

/* Arguments: source, [item_type,] and then in this order */
static Datum
association_rules(FunctionCallInfo fcinfo, bool is_query, bool typed, bool to_sets)
{
	RecsysMiningRequest request = {0};
	RecsysRuleOptions options = {0};
	RecsysAnswer answer;
	RuleState	state = {0};
	RecsysRuleCondition *conditions;
	double		min_lift;
	Oid			item_type;
	int			next = typed ? 2 : 1;
	int			must_contain;

	request.is_query = is_query;
	request.kind = RECSYS_ITEMSETS_ALL;
	request.subsets = true;
	request.min_support = RecsysArgMinSupport(fcinfo, next++);
	options.min_confidence = RecsysArgDouble(fcinfo, next++, "min_confidence", 0, 1);
	options.min_length = RecsysArgIntegerOr(fcinfo, next++, "min_length", 1, PG_INT32_MAX, 2);
	options.max_length = RecsysArgIntegerOr(fcinfo, next++, "max_length", 1, PG_INT32_MAX, 0);
	request.max_length = options.max_length;
	options.max_consequent = to_sets ?
		RecsysArgInteger(fcinfo, next++, "max_consequent", 1, PG_INT32_MAX) : 1;
	must_contain = next;
	next += 3;
	min_lift = RecsysArgDouble(fcinfo, next++, "min_lift", 0, INFINITY);
	conditions = RecsysArgConditions(RecsysArgText(fcinfo, next++), &options.nconditions);
	if (min_lift > 0)
		conditions = RecsysAddCondition(conditions, &options.nconditions, RECSYS_RULE_LIFT,
										RECSYS_RULE_AT_LEAST, min_lift);
	options.conditions = conditions;
	options.best = !PG_ARGISNULL(next);
	options.k = RecsysArgK(fcinfo, next++);
	if (options.best)
		options.order_by = RecsysArgMeasure(RecsysArgText(fcinfo, next), "order_by");
	next++;
	request.max_basket = RecsysArgIntegerOr(fcinfo, next++, "max_basket", 1, RECSYS_MAX_BASKET, 0);
	request.weights = RecsysArgFlag(fcinfo, next++, "weights");
	options.adjust = RecsysArgFlag(fcinfo, next++, "adjust");
	request.source = RecsysArgSource(fcinfo, is_query);

	item_type = RecsysAnswerInitArray(&answer, fcinfo);
	RecsysArgKeys(fcinfo, must_contain, "must_contain", answer.item_type, &request.must_contain);
	RecsysArgKeys(fcinfo, must_contain + 1, "must_not_contain", answer.item_type,
				  &request.must_not_contain);
	RecsysArgKeys(fcinfo, must_contain + 2, "consequents", answer.item_type,
				  &request.consequents);

	RecsysCheckConditions(&options);
	RecsysCheckLengths(&request, options.min_length);

	state.answer = &answer;
	state.to_sets = to_sets;
	state.weights = request.weights;
	state.adjust = options.adjust;
	state.options = &options;
	RecsysPrepareMining(&request, &answer, item_type, &state.mined);
	generate(&state, &request, &options);
	RecsysMiningEnd(&state.mined);
	return (Datum) 0;
}

Datum
recsys_association_rules(PG_FUNCTION_ARGS)
{
	return association_rules(fcinfo, false, false, false);
}

/* The second argument of the typed functions only gives the type of the answer. */
Datum
recsys_association_rules_typed(PG_FUNCTION_ARGS)
{
	return association_rules(fcinfo, false, true, false);
}

Datum
recsys_query_association_rules(PG_FUNCTION_ARGS)
{
	return association_rules(fcinfo, true, false, false);
}

Datum
recsys_query_association_rules_typed(PG_FUNCTION_ARGS)
{
	return association_rules(fcinfo, true, true, false);
}

Datum
recsys_association_rules_to_sets(PG_FUNCTION_ARGS)
{
	return association_rules(fcinfo, false, false, true);
}

Datum
recsys_association_rules_to_sets_typed(PG_FUNCTION_ARGS)
{
	return association_rules(fcinfo, false, true, true);
}

Datum
recsys_query_association_rules_to_sets(PG_FUNCTION_ARGS)
{
	return association_rules(fcinfo, true, false, true);
}

Datum
recsys_query_association_rules_to_sets_typed(PG_FUNCTION_ARGS)
{
	return association_rules(fcinfo, true, true, true);
}
