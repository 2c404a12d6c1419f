/*
 * mining_request.c
 *	  What a call of the functions that mine baskets asks for.
 */
#include "postgres.h"

#include <math.h>

#include "api/basket/mining_request.h"
#include "api/basket/rule_conflicts.h"
#include "api/call/arguments.h"

/* Arguments for item sets; ITEM_TYPE is that of the typed variants only. */
typedef enum ItemsetArgument
{
	ITEMSET_SOURCE,
	ITEMSET_ITEM_TYPE,
	ITEMSET_MIN_SUPPORT,
	ITEMSET_KIND,
	ITEMSET_MIN_LENGTH,
	ITEMSET_MAX_LENGTH,
	ITEMSET_MUST_CONTAIN,
	ITEMSET_MUST_NOT_CONTAIN,
	ITEMSET_K,
	ITEMSET_MAX_BASKET,
	ITEMSET_WEIGHTS
} ItemsetArgument;

/* Arguments for rules; MAX_CONSEQUENT is that of the variants to_sets only. */
typedef enum RuleArgument
{
	RULE_SOURCE,
	RULE_ITEM_TYPE,
	RULE_MIN_SUPPORT,
	RULE_MIN_CONFIDENCE,
	RULE_MIN_LENGTH,
	RULE_MAX_LENGTH,
	RULE_MAX_CONSEQUENT,
	RULE_MUST_CONTAIN,
	RULE_MUST_NOT_CONTAIN,
	RULE_CONSEQUENTS,
	RULE_MIN_LIFT,
	RULE_FILTER,
	RULE_K,
	RULE_ORDER_BY,
	RULE_MAX_BASKET,
	RULE_WEIGHTS,
	RULE_ADJUST
} RuleArgument;

/* Where an argument stands in a variant's list */
static int
itemset_place(const RecsysMiningVariant *variant, ItemsetArgument argument)
{
	return argument - (argument > ITEMSET_ITEM_TYPE && !variant->typed);
}

static int
rule_place(const RecsysMiningVariant *variant, RuleArgument argument)
{
	return argument - (argument > RULE_ITEM_TYPE && !variant->typed) -
		(argument > RULE_MAX_CONSEQUENT && !variant->to_sets);
}

void
RecsysReadItemsetRequest(FunctionCallInfo fcinfo, const RecsysMiningVariant *variant, Oid item_type,
						 RecsysMiningRequest *request)
{
#define AT(argument) itemset_place(variant, ITEMSET_##argument)
	memset(request, 0, sizeof(*request));
	request->is_query = variant->is_query;
	request->best = !PG_ARGISNULL(AT(K));
	request->k = RecsysArgK(fcinfo, AT(K));
	request->min_support = RecsysArgMinSupport(fcinfo, AT(MIN_SUPPORT));
	request->kind = RecsysArgItemsetKind(fcinfo, AT(KIND));
	request->min_length = RecsysArgIntegerOr(fcinfo, AT(MIN_LENGTH), "min_length", 1, PG_INT32_MAX, 1);
	request->max_length = RecsysArgIntegerOr(fcinfo, AT(MAX_LENGTH), "max_length", 1, PG_INT32_MAX, 0);
	request->max_basket = RecsysArgIntegerOr(fcinfo, AT(MAX_BASKET), "max_basket", 1, RECSYS_MAX_BASKET, 0);
	request->weights = RecsysArgFlag(fcinfo, AT(WEIGHTS), "weights");
	request->source = RecsysArgSource(fcinfo, variant->is_query);
	RecsysArgKeys(fcinfo, AT(MUST_CONTAIN), "must_contain", item_type, &request->must_contain);
	RecsysArgKeys(fcinfo, AT(MUST_NOT_CONTAIN), "must_not_contain", item_type,
				  &request->must_not_contain);
	RecsysCheckLengths(request, request->min_length);
#undef AT
}

void
RecsysReadRuleRequest(FunctionCallInfo fcinfo, const RecsysMiningVariant *variant, Oid item_type,
					  RecsysMiningRequest *request, RecsysRuleOptions *rules)
{
#define AT(argument) rule_place(variant, RULE_##argument)
	RecsysRuleCondition *conditions;
	double		min_lift;

	memset(request, 0, sizeof(*request));
	memset(rules, 0, sizeof(*rules));
	request->is_query = variant->is_query;
	request->kind = RECSYS_ITEMSETS_ALL;
	request->subsets = true;
	request->min_support = RecsysArgMinSupport(fcinfo, AT(MIN_SUPPORT));
	rules->min_confidence = RecsysArgDouble(fcinfo, AT(MIN_CONFIDENCE), "min_confidence", 0, 1);
	rules->min_length = RecsysArgIntegerOr(fcinfo, AT(MIN_LENGTH), "min_length", 1, PG_INT32_MAX, 2);
	rules->max_length = RecsysArgIntegerOr(fcinfo, AT(MAX_LENGTH), "max_length", 1, PG_INT32_MAX, 0);
	request->max_length = rules->max_length;
	rules->max_consequent = variant->to_sets ?
		RecsysArgInteger(fcinfo, AT(MAX_CONSEQUENT), "max_consequent", 1, PG_INT32_MAX) : 1;
	min_lift = RecsysArgDouble(fcinfo, AT(MIN_LIFT), "min_lift", 0, INFINITY);
	conditions = RecsysArgConditions(RecsysArgText(fcinfo, AT(FILTER)), &rules->nconditions);
	if (min_lift > 0)
		conditions = RecsysAddCondition(conditions, &rules->nconditions, RECSYS_RULE_LIFT,
										RECSYS_RULE_AT_LEAST, min_lift);
	rules->conditions = conditions;
	rules->best = !PG_ARGISNULL(AT(K));
	rules->k = RecsysArgK(fcinfo, AT(K));
	if (rules->best)
		rules->order_by = RecsysArgMeasure(RecsysArgText(fcinfo, AT(ORDER_BY)), "order_by");
	request->max_basket = RecsysArgIntegerOr(fcinfo, AT(MAX_BASKET), "max_basket", 1, RECSYS_MAX_BASKET, 0);
	request->weights = RecsysArgFlag(fcinfo, AT(WEIGHTS), "weights");
	rules->adjust = RecsysArgFlag(fcinfo, AT(ADJUST), "adjust");
	request->source = RecsysArgSource(fcinfo, variant->is_query);
	RecsysArgKeys(fcinfo, AT(MUST_CONTAIN), "must_contain", item_type, &request->must_contain);
	RecsysArgKeys(fcinfo, AT(MUST_NOT_CONTAIN), "must_not_contain", item_type,
				  &request->must_not_contain);
	RecsysArgKeys(fcinfo, AT(CONSEQUENTS), "consequents", item_type, &request->consequents);
	RecsysCheckConditions(rules);
	RecsysCheckLengths(request, rules->min_length);
#undef AT
}

void
RecsysRequestKeysAs(RecsysMiningRequest *request, RecsysKeyKind kind, Oid type)
{
	RecsysKeyListAs(&request->must_contain, type);
	RecsysKeyListAs(&request->must_not_contain, type);
	RecsysKeyListAs(&request->consequents, type);
	RecsysCheckItemLists(request, kind);
}
