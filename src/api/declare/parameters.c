/*
 * parameters.c
 *	  What can be declared of a recommender: the parameters of recsys.create_recommender.
 */
#include "postgres.h"

#include "api/declare/parameters.h"

const char *const RecsysAliases[RECSYS_PLACES] = {
	NULL, "events", "items", "sellers", "profiles", "promotions", "price_history"
};

#define RELATION RECSYS_RELATION_PARAMETER
#define KEY RECSYS_KEY_PARAMETER
#define EXPRESSION RECSYS_EXPRESSION_PARAMETER
#define ANY RECSYS_ANY_RESULT
#define BOOLEAN RECSYS_BOOLEAN_RESULT
#define NUMBER RECSYS_NUMBER_RESULT

/* as many as fit */
#define MOST PG_INT32_MAX

const RecsysParameter RecsysParameters[] = {
	{"signals", RECSYS_JSON_PARAMETER, .place = RECSYS_EVENTS},
	{"items", RELATION, RECSYS_ITEMS, .needs = {"item_key"}},
	{"item_key", KEY, RECSYS_ITEMS, .needs = {"items"}},
	{"item_filter", EXPRESSION, RECSYS_ITEMS, BOOLEAN, .needs = {"items"}},
	{"title", EXPRESSION, RECSYS_ITEMS, ANY, .needs = {"items"}},
	{"category", EXPRESSION, RECSYS_ITEMS, ANY, .needs = {"items"}},
	{"price", EXPRESSION, RECSYS_ITEMS, NUMBER, .needs = {"items"}},
	{"group_by", EXPRESSION, RECSYS_ITEMS, ANY, .needs = {"items"}},
	{"offer_order", EXPRESSION, RECSYS_ITEMS, ANY, .needs = {"items", "group_by"}},
	{"repeatable", EXPRESSION, RECSYS_ITEMS, BOOLEAN, .needs = {"items"}},
	{"seller", EXPRESSION, RECSYS_ITEMS, ANY, .needs = {"items"}},
	{"sellers", RELATION, RECSYS_SELLERS, .needs = {"seller", "seller_key"}},
	{"seller_key", KEY, RECSYS_SELLERS, .needs = {"sellers"}},
	{"seller_quality", RECSYS_JSON_PARAMETER, RECSYS_SELLERS, .needs = {"sellers"}},
	{"max_per_seller", RECSYS_INTEGER_PARAMETER, .low = 1, .high = MOST, .needs = {"seller"}},
	{"profiles", RELATION, RECSYS_PROFILES, .needs = {"profile_key"}},
	{"profile_key", KEY, RECSYS_PROFILES, .needs = {"profiles"}},
	{"segment", EXPRESSION, RECSYS_PROFILES, .result = ANY},
	{"larger_segments", RECSYS_EXPRESSIONS_PARAMETER, RECSYS_PROFILES, ANY, .needs = {"segment"}},
	{"exclude_users", EXPRESSION, RECSYS_PROFILES, BOOLEAN, .needs = {"profiles"}},
	{"consent", EXPRESSION, RECSYS_PROFILES, BOOLEAN, .needs = {"profiles"}},
	{"min_users", RECSYS_INTEGER_PARAMETER, .low = 1, .high = MOST},
	{"caps", RECSYS_JSON_PARAMETER, RECSYS_ITEMS, .needs = {"items"}},
	{"diversity", RECSYS_NUMBER_PARAMETER, .low = 0, .high = 1},
	{"category_mix", RECSYS_NUMBER_PARAMETER, .low = 0, .high = 1, .needs = {"category"}},
	{"price_affinity", RECSYS_NUMBER_PARAMETER, .low = 0, .high = 1, .needs = {"price"}},
	{"new_item_share", RECSYS_NUMBER_PARAMETER, .low = 0, .high = 1, .needs = {"new_item_since"}},
	{"new_item_since", EXPRESSION, RECSYS_ITEMS, BOOLEAN, .needs = {"items"}},
	{"new_seller_share", RECSYS_NUMBER_PARAMETER, .low = 0, .high = 1, .needs = {"new_seller_since"}},
	{"new_seller_since", EXPRESSION, RECSYS_SELLERS, BOOLEAN, .needs = {"sellers"}},
	{"promotions", RECSYS_JSON_PARAMETER, .place = RECSYS_PROMOTIONS},
	{"complements", .kind = RECSYS_INDEX_PARAMETER},
	{"reason_formats", .kind = RECSYS_JSON_PARAMETER},
	{"seed", RECSYS_INTEGER_PARAMETER, .low = -9223372036854775808.0, .high = 9223372036854775808.0},
	{"content", RECSYS_INDEX_PARAMETER, RECSYS_ITEMS, .needs = {"items"}},
	{"price_history", RECSYS_JSON_PARAMETER, RECSYS_PRICE_HISTORY, .needs = {"price"}},
	{"fatigue", RECSYS_NUMBER_PARAMETER, .low = 0, .high = 1},
	{"fatigue_window", RECSYS_INTERVAL_PARAMETER, .needs = {"fatigue"}},
};

const int	RecsysParameterCount = lengthof(RecsysParameters);

const char *const RecsysSignalKeys[] = {
	"events", "name", "weight", "half_life", "graph", "predicts", "similarity", "neighbors",
	"min_support", "min_likelihood", "options", "self_pairs", "other_items", "exclude", "neutral", "price", "reason"
};
const int	RecsysSignalKeyCount = lengthof(RecsysSignalKeys);

/* "persona" by itself is the life cycle of customers, which needs no table of them. */
static bool
is_expression(const JsonbValue *value)
{
	return value->type == jbvString &&
		!(value->val.string.len == strlen("persona") &&
		  strncmp(value->val.string.val, "persona", strlen("persona")) == 0);
}

/* Is there a segment that is an expression over the profiles? */
static bool
has_expression(JsonbValue *value)
{
	if (value->type != jbvBinary)
		return is_expression(value);
	for (int i = 0; i < JsonContainerSize(value->val.binary.data); i++)
		if (is_expression(getIthJsonbValueFromContainer(value->val.binary.data, i)))
			return true;
	return false;
}

bool
RecsysParameterNeeds(const RecsysParameter *parameter, JsonbValue *value, const char *other)
{
	for (int i = 0; i < (int) lengthof(parameter->needs) && parameter->needs[i] != NULL; i++)
		if (strcmp(parameter->needs[i], other) == 0)
			return true;
	return strcmp(other, "profiles") == 0 && parameter->place == RECSYS_PROFILES &&
		(strcmp(parameter->name, "segment") == 0 ||
		 strcmp(parameter->name, "larger_segments") == 0) && has_expression(value);
}
