/*
 * normalfeatures.c
 *	  What a policy is to look at, as it is declared and as it is kept.
 */
#include "postgres.h"

#include "api/bandit/normalfeatures.h"
#include "api/declare/jsonfields.h"
#include "api/declare/names.h"
#include "api/declare/nearest.h"
#include "api/define/expression.h"
#include "api/route/banditrow.h"
#include "catalog/pg_type.h"
#include "source/input/values.h"
#include "utils/lsyscache.h"

#define MOST_BUCKETS 32

typedef struct Features
{
	JsonbParseState **state;
	RecsysShop *shop;			/* whose profiles expressions are over; NULL: it is an index */
	const char *of;				/* its name */
	int			dimension;		/* numbers so far, the constant included */
} Features;

/* The expression of a feature as it is kept; *type gets "number", "boolean" or "label". */
static char *
kept_feature(RecsysShop *shop, const char *of, const char *text, const char **type)
{
	const RecsysDefinition *definition;
	char	   *kept;
	Oid			result;

	if (shop == NULL || shop->definition->profiles == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recommender \"%s\" has no profiles", of),
				 errdetail("Features are expressions over the profiles of the first arm, or fields of the context."),
				 errhint("Declare profiles and profile_key by recsys.alter_recommender, or take features from the context, as {\"device\": {\"context\": \"label\"}}.")));
	definition = shop->definition;
	kept = RecsysKeptExpression(text, RecsysFindRelation(definition->profiles), RECSYS_PROFILES,
								RECSYS_ANY_RESULT, &result);
	*type = getBaseType(result) == BOOLOID ? "boolean" : RecsysTypeIsWeight(result) ? "number" : "label";
	return kept;
}

static void
put_feature(Features *features, const char *name, JsonbValue *value)
{
	static const char *const keys[] = {"expression", "context", "type", "buckets"};
	static const char *const types[] = {"number", "boolean", "label"};
	char	   *expression = NULL;
	const char *type = NULL;
	int64		buckets = 0;

	if (value->type == jbvString)
		expression = RecsysJsonValueText(value, name);
	else
	{
		JsonbContainer *fields = RecsysJsonObject(value, name);

		RecsysJsonCheckKeys(fields, keys, lengthof(keys));
		expression = RecsysJsonText(fields, "expression");
		type = RecsysJsonText(fields, "context");
		if (type == NULL)
			type = RecsysJsonText(fields, "type");
		buckets = RecsysJsonInteger(fields, "buckets", 0);
	}
	if (expression == NULL && type == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("feature \"%s\" is neither an expression nor of the context", name),
				 errhint("Features look like {\"age\": \"age / 100.0\", \"device\": {\"context\": \"label\"}}.")));
	if (expression != NULL)
		expression = kept_feature(features->shop, features->of, expression, &type);
	RecsysCheckWord(type, "type of a feature", types, lengthof(types));
	if (buckets == 0)
		buckets = strcmp(type, "label") == 0 ? RECSYS_FEATURE_BUCKETS : 1;
	if (buckets < 1 || buckets > MOST_BUCKETS || (buckets > 1 && strcmp(type, "label") != 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("buckets of feature \"%s\" must be between 1 and %d", name,
						strcmp(type, "label") == 0 ? MOST_BUCKETS : 1)));
	features->dimension += (int) buckets;
	RecsysJsonPutKey(features->state, name);
	pushJsonbValue(features->state, WJB_BEGIN_OBJECT, NULL);
	RecsysJsonPutText(features->state, "expression", expression);
	RecsysJsonPutText(features->state, "type", type);
	RecsysJsonPutInteger(features->state, "buckets", buckets);
	pushJsonbValue(features->state, WJB_END_OBJECT, NULL);
}

void
RecsysPutBanditFeatures(JsonbParseState **state, JsonbValue *value, RecsysShop *shop,
						const char *of)
{
	Features	features = {.state = state,.shop = shop,.of = of,.dimension = 1};
	JsonbValue	element;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	char	   *name = NULL;

	if (value->type != jbvBinary || JsonContainerIsScalar(value->val.binary.data))
		(void) RecsysJsonObject(value, "features");
	RecsysJsonPutKey(state, "features");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = pnstrdup(element.val.string.val, element.val.string.len);
		else if (token == WJB_ELEM)
			put_feature(&features, RecsysJsonValueText(&element, "features"), &element);
		else if (token == WJB_VALUE)
			put_feature(&features, name, &element);
	}
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
	if (features.dimension == 1 || features.dimension > RECSYS_MOST_FEATURES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("features must be 1 to %d numbers, not %d", RECSYS_MOST_FEATURES - 1,
						features.dimension - 1),
				 errdetail("A label is as many numbers as it has buckets, %d unless declared.",
						   RECSYS_FEATURE_BUCKETS)));
}
