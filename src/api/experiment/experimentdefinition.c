/*
 * experimentdefinition.c
 *	  From what is declared of an experiment to what is kept.
 *
 * A parameter is what is given, else what was kept, else its default.  What was kept has its final
 * form and is not looked at again: an experiment can be changed though one of its parts is broken.
 */
#include "postgres.h"

#include <math.h>

#include "api/declare/jsonfields.h"
#include "api/declare/missing.h"
#include "api/declare/names.h"
#include "api/declare/nearest.h"
#include "api/declare/servedname.h"
#include "api/declare/takennames.h"
#include "api/define/expression.h"
#include "api/experiment/decisionparts.h"
#include "api/experiment/experimentdefinition.h"
#include "api/experiment/layerparts.h"
#include "api/experiment/making.h"
#include "api/experiment/variantlist.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

const RecsysExperimentParameter RecsysExperimentParameters[] = {
	{"variants", JSONBOID, false},
	{"segment", TEXTOID, false},
	{"metrics", TEXTARRAYOID, false},
	{"primary_metric", TEXTOID, false},
	{"purchases", TEXTOID, false},
	{"attribution_window", INTERVALOID, false},
	{"attribution", TEXTOID, false},
	{"guardrails", TEXTARRAYOID, false},
	{"unit", TEXTOID, true},
	{"eligible", TEXTOID, false},
	{"layer", TEXTOID, true},
	{"layer_share", FLOAT8OID, false},
	{"holdout", FLOAT8OID, true},
	{"interleave", BOOLOID, true},
	{"method", TEXTOID, false},
	{"correction", TEXTOID, false},
	{"alpha", FLOAT8OID, false},
	{"winsorise", FLOAT8OID, false},
	{"pre_period", INTERVALOID, false},
	{"expected_users", INT8OID, false},
	{"salt", TEXTOID, true},
};
const int	RecsysExperimentParameterCount = lengthof(RecsysExperimentParameters);

bool
RecsysMakingGet(const RecsysMaking *making, const char *key, JsonbValue *value)
{
	ListCell   *cell;

	if (RecsysJsonGet(&making->given->root, key, value))
		return true;
	foreach(cell, making->reset)
		if (strcmp(lfirst(cell), key) == 0)
			return false;
	return making->kept != NULL && RecsysJsonGet(&making->kept->root, key, value);
}

bool
RecsysMakingIsGiven(const RecsysMaking *making, const char *key)
{
	JsonbValue	value;

	return RecsysJsonGet(&making->given->root, key, &value);
}

void
RecsysMakingKeep(RecsysMaking *making, const char *key, JsonbValue *value)
{
	RecsysJsonPutKey(&making->state, key);
	pushJsonbValue(&making->state, WJB_VALUE, value);
}

char *
RecsysMakingWord(RecsysMaking *making, const char *key, const char *const *known, int n)
{
	JsonbValue	value;
	char	   *word = pstrdup(known[0]);

	if (RecsysMakingGet(making, key, &value))
		word = RecsysJsonValueText(&value, key);
	RecsysCheckWord(word, key, known, n);
	RecsysJsonPutText(&making->state, key, word);
	return word;
}

double
RecsysMakingNumber(RecsysMaking *making, const char *key, double low, double high, double otherwise)
{
	JsonbValue	value;
	double		number = otherwise;

	if (RecsysMakingGet(making, key, &value))
		number = RecsysJsonValueNumber(&value, key);
	if (!(number >= low && number <= high))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between %g and %g", key, low, high)));
	RecsysJsonPutNumber(&making->state, key, number);
	return number;
}

/* A change of what decides who gets what would deal all units anew. */
static void
check_fixed(const RecsysMaking *making)
{
	for (int i = 0; i < RecsysExperimentParameterCount; i++)
	{
		const char *name = RecsysExperimentParameters[i].name;
		ListCell   *cell;
		bool		is_reset = false;

		foreach(cell, making->reset)
			is_reset = is_reset || strcmp(lfirst(cell), name) == 0;
		if (making->is_started && RecsysExperimentParameters[i].is_fixed &&
			(is_reset || RecsysMakingIsGiven(making, name)))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("%s of experiment \"%s\" cannot be changed any more", name, making->name),
					 errdetail("It has been started, and its users would get other variants, or count otherwise."),
					 errhint("Stop it and create another one: SELECT recsys.stop_experiment(%s);",
							 quote_literal_cstr(making->name))));
	}
}

/* Who has been started with a recommender must not be told to have had another one. */
static void
check_same_recommenders(const RecsysMaking *making, const RecsysVariantList *before,
						const RecsysVariantList *after)
{
	for (int i = 0; i < after->count; i++)
	{
		int			known = RecsysFindVariant(before, after->variants[i].name);

		if (making->is_started && known >= 0 &&
			strcmp(before->variants[known].recommender, after->variants[i].recommender) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("variant \"%s\" of experiment \"%s\" cannot have another recommender",
							after->variants[i].name, making->name),
					 errdetail("The experiment has been started, and results would be those of both."),
					 errhint("Add a variant of another name.")));
	}
}

static void
put_ranges(RecsysMaking *making, const RecsysVariantList *list, const RecsysVariantRange *ranges, int n)
{
	RecsysJsonPutKey(&making->state, "ranges");
	pushJsonbValue(&making->state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < n; i++)
	{
		pushJsonbValue(&making->state, WJB_BEGIN_OBJECT, NULL);
		RecsysJsonPutNumber(&making->state, "high", ranges[i].high);
		RecsysJsonPutText(&making->state, "variant", list->variants[ranges[i].variant].name);
		pushJsonbValue(&making->state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(&making->state, WJB_END_ARRAY, NULL);
}

/* The ranges that are kept, with the numbers that variants have now, -1 for those that are gone */
static int
kept_ranges(const RecsysMaking *making, const RecsysVariantList *list, RecsysVariantRange **ranges)
{
	JsonbValue	value;
	JsonbContainer *array;

	if (!making->is_started || !RecsysJsonGet(&making->kept->root, "ranges", &value))
		return 0;
	array = RecsysJsonArray(&value, "ranges");
	*ranges = palloc(sizeof(RecsysVariantRange) * Max(JsonContainerSize(array), 1));
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		JsonbContainer *range = RecsysJsonObject(getIthJsonbValueFromContainer(array, i), "ranges");

		(*ranges)[i].high = RecsysJsonNumber(range, "high", 1);
		(*ranges)[i].variant = RecsysFindVariant(list, RecsysJsonText(range, "variant"));
	}
	return JsonContainerSize(array);
}

static void
make_ranges(RecsysMaking *making, const RecsysVariantList *list)
{
	double	   *shares = palloc(sizeof(double) * list->count);
	RecsysVariantRange *before = NULL;
	RecsysVariantRange *after;
	int			nbefore = kept_ranges(making, list, &before);
	int			n;

	for (int i = 0; i < list->count; i++)
		shares[i] = list->variants[i].share;
	n = RecsysShareRanges(before, nbefore, shares, list->count, &after);
	put_ranges(making, list, after, n);
	if (making->is_started)
		RecsysJsonPutText(&making->state, "shares_since",
						  timestamptz_to_str(GetCurrentTransactionStartTimestamp()));
}

static void
put_variants(RecsysMaking *making, RecsysVariantList *list)
{
	RecsysVariantList before;
	JsonbValue	value;
	static const char *const rest[] = {"ranges", "shares_since"};

	if (making->kept != NULL && RecsysJsonGet(&making->kept->root, "variants", &value))
		RecsysReadKeptVariants(&value, &before);
	if (RecsysJsonGet(&making->given->root, "variants", &value))
	{
		RecsysReadVariants(&value, making->kept == NULL ? NULL : &before, list);
		if (making->kept != NULL)
			check_same_recommenders(making, &before, list);
		RecsysPutVariants(&making->state, list);
		make_ranges(making, list);
		return;
	}
	if (making->kept == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("variants must not be NULL")));
	*list = before;
	RecsysPutVariants(&making->state, list);
	for (int i = 0; i < lengthof(rest); i++)
		if (RecsysJsonGet(&making->kept->root, rest[i], &value))
			RecsysMakingKeep(making, rest[i], &value);
}

static bool
put_unit(RecsysMaking *making)
{
	static const char *const units[] = {"user", "session"};

	return strcmp(RecsysMakingWord(making, "unit", units, lengthof(units)), "session") == 0;
}

static bool
is_bandit(const char *recommender)
{
	return RecsysIsPlainName(recommender) && RecsysNameExists(recommender, RECSYS_NAMED_BANDIT);
}

static void
put_interleave(RecsysMaking *making, const RecsysVariantList *list)
{
	JsonbValue	value;

	if (!RecsysMakingGet(making, "interleave", &value) || !value.val.boolean)
		return;
	if (list->count != 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("two variants can be interleaved, not %d", list->count)));
	for (int i = 0; i < list->count; i++)
		if (is_bandit(list->variants[i].recommender))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("variant \"%s\" is a bandit, which cannot be interleaved", list->variants[i].name),
					 errdetail("What its arms are worth would not be known from clicks on a part of its list.")));
	RecsysJsonPutFlag(&making->state, "interleave", true);
}

static void
add_part_context(void *arg)
{
	errcontext("\"%s\" of the experiment", (const char *) arg);
}

/* The profiles that expressions are over */
static Oid
profiles_of(const RecsysVariantList *list, const char *part)
{
	const char *name = list->variants[0].recommender;
	RecsysShop *shop = RecsysServedShop(name);

	if (shop == NULL || shop->definition->profiles == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is about the profiles of the first variant's recommender, and \"%s\" has none",
						part, name),
				 errhint("Declare them by recsys.alter_recommender, with the parameters profiles and profile_key.")));
	return RecsysShopRelation(shop, "profiles", shop->definition->profiles);
}

static void
put_expression(RecsysMaking *making, const char *part, const RecsysVariantList *list, RecsysResult result)
{
	ErrorContextCallback callback = {error_context_stack, add_part_context, unconstify(char *, part)};
	JsonbValue	value;
	Oid			type;

	if (!RecsysMakingGet(making, part, &value))
		return;
	if (RecsysMakingIsGiven(making, part))
	{
		error_context_stack = &callback;
		RecsysJsonPutText(&making->state, part,
						  RecsysKeptExpression(RecsysJsonValueText(&value, part), profiles_of(list, part),
											   RECSYS_PROFILES, result, &type));
		error_context_stack = callback.previous;
	}
	else
		RecsysMakingKeep(making, part, &value);
}

static double
kept_number(const RecsysMaking *making, const char *key, double otherwise)
{
	return making->kept == NULL ? otherwise : RecsysJsonNumber(&making->kept->root, key, otherwise);
}

/* Of an experiment that is over: others may have its part by now. */
static void
keep_layer(RecsysMaking *making)
{
	static const char *const parts[] = {"layer", "layer_share", "holdout", "layer_low", "layer_high"};
	JsonbValue	value;

	for (int i = 0; i < lengthof(parts); i++)
		if (RecsysJsonGet(&making->kept->root, parts[i], &value))
			RecsysMakingKeep(making, parts[i], &value);
}

static void
put_layer(RecsysMaking *making, bool by_session)
{
	RecsysLayerPart part = {.experiment = making->name,.by_session = by_session};
	const char *before = making->kept == NULL ? NULL : RecsysJsonText(&making->kept->root, "layer");
	JsonbValue	value;

	if (RecsysMakingGet(making, "layer", &value))
		part.layer = RecsysJsonValueText(&value, "layer");
	if (part.layer != NULL && (part.layer[0] == '\0' || strlen(part.layer) >= NAMEDATALEN))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("the name of a layer has 1 to %d bytes", NAMEDATALEN - 1)));
	RecsysJsonPutText(&making->state, "layer", part.layer);
	part.share = RecsysMakingNumber(making, "layer_share", 1e-6, 1, 1);
	part.holdout = NAN;
	if (RecsysMakingGet(making, "holdout", &value))
	{
		part.holdout = RecsysJsonValueNumber(&value, "holdout");
		if (!(part.holdout >= 0 && part.holdout <= 0.99))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("holdout must be between 0 and 0.99")));
	}

	/* the part that it has had in the same layer */
	part.has_part = making->kept != NULL && (part.layer == NULL) == (before == NULL) &&
		(before == NULL || strcmp(before, part.layer) == 0);
	part.is_kept = part.has_part && making->is_started;
	part.low = kept_number(making, "layer_low", 0);
	part.high = kept_number(making, "layer_high", 1);
	RecsysTakeLayerPart(&part);
	RecsysJsonPutNumber(&making->state, "holdout", part.holdout);
	RecsysJsonPutNumber(&making->state, "layer_low", part.low);
	RecsysJsonPutNumber(&making->state, "layer_high", part.high);
}

static void
put_salt(RecsysMaking *making)
{
	JsonbValue	value;

	if (!RecsysMakingGet(making, "salt", &value))
		return;
	if (RecsysJsonValueText(&value, "salt")[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("salt must not be empty")));
	RecsysMakingKeep(making, "salt", &value);
}

Jsonb *
RecsysMakeExperiment(const char *name, Jsonb *given, Jsonb *kept, List *reset, bool is_started,
					 bool is_stopped)
{
	RecsysMaking making = {.name = name,.given = given,.kept = kept,.reset = reset,
	.is_started = is_started,.is_stopped = is_stopped};
	RecsysVariantList list;
	bool		by_session;

	check_fixed(&making);
	pushJsonbValue(&making.state, WJB_BEGIN_OBJECT, NULL);
	put_variants(&making, &list);
	put_interleave(&making, &list);
	by_session = put_unit(&making);
	if (is_stopped)
		keep_layer(&making);
	else
		put_layer(&making, by_session);
	put_salt(&making);
	put_expression(&making, "eligible", &list, RECSYS_BOOLEAN_RESULT);
	put_expression(&making, "segment", &list, RECSYS_ANY_RESULT);
	RecsysPutDecision(&making);
	return JsonbValueToJsonb(pushJsonbValue(&making.state, WJB_END_OBJECT, NULL));
}

Jsonb *
RecsysWithWinner(Jsonb *definition, const char *winner)
{
	JsonbParseState *state = NULL;
	JsonbIterator *iterator = JsonbIteratorInit(&definition->root);
	JsonbValue	value;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	(void) JsonbIteratorNext(&iterator, &value, true);
	while (JsonbIteratorNext(&iterator, &value, true) == WJB_KEY)
	{
		char	   *key = pnstrdup(value.val.string.val, value.val.string.len);

		(void) JsonbIteratorNext(&iterator, &value, true);
		if (strcmp(key, "winner") == 0)
			continue;
		RecsysJsonPutKey(&state, key);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	RecsysJsonPutText(&state, "winner", winner);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}
