/*
 * normalise.c
 *	  From what is declared to the definition that is kept.
 */
#include "postgres.h"

#include "api/declare/definition.h"
#include "api/define/expression.h"
#include "api/declare/jsonfields.h"
#include "api/declare/missing.h"
#include "api/declare/names.h"
#include "api/define/normaliser.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

static void
add_context(void *arg)
{
	RecsysNormaliser *n = arg;

	if (n->failing != NULL)
		*n->failing = n->part;
	if (n->part != NULL)
		errcontext("\"%s\" of recommender \"%s\"", n->part, n->name);
}

/* The value of a parameter; *is_given: it is declared now. */
static bool
get(RecsysNormaliser *n, const char *name, JsonbValue *value, bool *is_given)
{
	*is_given = RecsysJsonGet(n->given, name, value);
	return *is_given || (n->kept != NULL && RecsysJsonGet(n->kept, name, value));
}

static bool
is_declared(RecsysNormaliser *n, const char *name)
{
	JsonbValue	value;
	bool		is_given;

	return get(n, name, &value, &is_given);
}

static double
number(RecsysNormaliser *n, const char *name)
{
	JsonbValue	value;
	bool		is_given;

	return get(n, name, &value, &is_given) ? RecsysJsonValueNumber(&value, name) : 0;
}

Oid
RecsysPutExpression(RecsysNormaliser *n, const char *key, const char *text, RecsysPlace place,
					RecsysResult result)
{
	Oid			type = InvalidOid;

	if (text != NULL)
		RecsysJsonPutText(&n->state, key,
						  RecsysKeptExpression(text, n->relations[place], place, result, &type));
	return type;
}

static void
check_key(RecsysNormaliser *n, Oid relation, const char *column, Oid type, const char *role)
{
	const RecsysColumns *keys = RecsysFirstKeys(n);
	bool		is_user = strcmp(role, "user") == 0;
	RecsysKeyKind wanted = is_user ? keys->user_kind : keys->item_kind;
	RecsysKeyKind kind;

	if (!RecsysKeyKindOfType(type, &kind) || kind != wanted)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column %s of \"%s\" has type %s", column, get_rel_name(relation),
						format_type_be(type)),
				 errdetail("The first signal's %s keys are of type %s.", role,
						   format_type_be(is_user ? keys->user_type : keys->item_type)),
				 errhint("Declare a view in which the column is cast to %s.",
						 RecsysKeyKindTypeName(wanted))));
}

Oid
RecsysPutKey(RecsysNormaliser *n, const char *key, const char *column, RecsysPlace place,
			 const char *role)
{
	Oid			relation = n->relations[place];
	Oid			type;
	char	   *kept = RecsysFindColumn(relation, column, &type);

	/* looks at the right to read it, too */
	(void) RecsysKeptExpression(kept, relation, place, RECSYS_ANY_RESULT, &type);
	if (role != NULL)
		check_key(n, relation, kept, type, role);
	RecsysJsonPutText(&n->state, key, kept);
	return type;
}

static void
put_number(RecsysNormaliser *n, const RecsysParameter *parameter, JsonbValue *value)
{
	double		number = RecsysJsonValueNumber(value, parameter->name);

	if (!(number >= parameter->low && number <= parameter->high))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between %g and %g", parameter->name, parameter->low,
						parameter->high)));
	RecsysJsonPutNumber(&n->state, parameter->name, number);
}

static void
put_integer(RecsysNormaliser *n, const RecsysParameter *parameter, JsonbValue *value)
{
	int64		number = RecsysJsonValueInteger(value, parameter->name);

	if (number < parameter->low || number > parameter->high)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between %.0f and %.0f", parameter->name, parameter->low,
						parameter->high)));
	RecsysJsonPutInteger(&n->state, parameter->name, number);
}

/* "persona" by itself is the life cycle of customers, which is no expression. */
static char *
kept_segment(RecsysNormaliser *n, const char *text)
{
	Oid			type;

	if (strcmp(text, "persona") == 0)
		return pstrdup(text);
	return RecsysKeptExpression(text, n->relations[RECSYS_PROFILES], RECSYS_PROFILES,
								RECSYS_ANY_RESULT, &type);
}

static void
put_segments(RecsysNormaliser *n, const RecsysParameter *parameter, JsonbValue *value)
{
	JsonbContainer *array = RecsysJsonArray(value, parameter->name);

	if (JsonContainerSize(array) > RECSYS_EXPRESSIONS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a recommender can have at most %d larger segments", RECSYS_EXPRESSIONS_MAX)));
	RecsysJsonPutKey(&n->state, parameter->name);
	pushJsonbValue(&n->state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < JsonContainerSize(array); i++)
		RecsysJsonPutElement(&n->state,
							 kept_segment(n, RecsysJsonValueText(getIthJsonbValueFromContainer(array, i),
																 parameter->name)));
	pushJsonbValue(&n->state, WJB_END_ARRAY, NULL);
}

/* The least of them is wanted. */
static void
check_order(Oid type)
{
	if (!OidIsValid(lookup_type_cache(type, TYPECACHE_LT_OPR)->lt_opr))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("values of type %s have no order", format_type_be(type))));
}

static void
put_expression(RecsysNormaliser *n, const RecsysParameter *parameter, JsonbValue *value)
{
	char	   *text = RecsysJsonValueText(value, parameter->name);
	Oid			type;

	if (strcmp(parameter->name, "segment") == 0)
	{
		RecsysJsonPutText(&n->state, "segment", kept_segment(n, text));
		return;
	}
	type = RecsysPutExpression(n, parameter->name, text, parameter->place, parameter->result);
	if (strcmp(parameter->name, "offer_order") == 0)
		check_order(type);
	else if (strcmp(parameter->name, "seller") == 0)
		n->seller_type = type;
}

static void
put_key(RecsysNormaliser *n, const RecsysParameter *parameter, JsonbValue *value)
{
	char	   *column = RecsysJsonValueText(value, parameter->name);
	Oid			type;

	if (parameter->place != RECSYS_SELLERS)
		(void) RecsysPutKey(n, parameter->name, column, parameter->place,
							parameter->place == RECSYS_PROFILES ? "user" : "item");
	else
	{
		type = RecsysPutKey(n, parameter->name, column, parameter->place, NULL);
		if (OidIsValid(n->seller_type) && !RecsysTypesCompare(type, n->seller_type))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column %s of \"%s\" has type %s, but \"seller\" has type %s", column,
							get_rel_name(n->relations[parameter->place]), format_type_be(type),
							format_type_be(n->seller_type))));
	}
	if (parameter->place == RECSYS_ITEMS)
		RecsysCheckUnique(n->relations[RECSYS_ITEMS], column);
}

static void
put_index(RecsysNormaliser *n, const RecsysParameter *parameter, JsonbValue *value)
{
	RecsysColumns columns;
	Oid			index = RecsysFindIndex(RecsysJsonValueText(value, parameter->name), &columns);

	RecsysCheckItemKind(index, columns.item_kind, RecsysFirstKeys(n)->item_kind);
	RecsysJsonPutText(&n->state, parameter->name, RecsysKeptName(index));
}

/*
 * Items are found by one key, whoever asks for them.  Of a view over the items' table the index
 * cannot be, so the keys are all that can be looked at.
 */
static void
check_content(RecsysNormaliser *n, Oid index)
{
	Oid			items = n->relations[RECSYS_ITEMS];
	Oid			table = IndexGetRelation(index, false);
	char		kind = OidIsValid(items) ? get_rel_relkind(items) : '\0';
	JsonbValue	value;
	bool		is_given;
	Oid			type;
	char	   *key;

	if (kind != RELKIND_RELATION && kind != RELKIND_MATVIEW)
		return;
	if (table != items)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("index \"%s\" is not over the items", get_rel_name(index)),
				 errdetail("It is over \"%s\", and \"items\" is \"%s\".", get_rel_name(table),
						   get_rel_name(items))));
	if (!get(n, "item_key", &value, &is_given))
		return;
	key = RecsysFindColumn(items, RecsysJsonValueText(&value, "item_key"), &type);
	if (!RecsysIndexHasKey(index, items, key))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the first column of index \"%s\" is not %s", get_rel_name(index), key),
				 errdetail("That is the \"item_key\" of the recommender.")));
}

static void
put_content(RecsysNormaliser *n, const RecsysParameter *parameter, JsonbValue *value)
{
	RecsysColumns columns;
	char	   *name = RecsysJsonValueText(value, parameter->name);
	Oid			index;

	if (!RecsysRelationExists(name))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation %s does not exist", name),
				 errhint("Name an index over the items, as made by CREATE INDEX products_recsys ON products USING recsys_items (product_id, category, title).")));
	index = RecsysFindItemsIndex(name, &columns);
	RecsysCheckItemKind(index, columns.item_kind, RecsysFirstKeys(n)->item_kind);
	check_content(n, index);
	RecsysJsonPutText(&n->state, parameter->name, RecsysKeptName(index));
}

static void
put_json(RecsysNormaliser *n, const RecsysParameter *parameter, JsonbValue *value)
{
	if (strcmp(parameter->name, "signals") == 0)
		RecsysPutSignals(n, value);
	else if (strcmp(parameter->name, "caps") == 0)
		RecsysPutCaps(n, value);
	else if (strcmp(parameter->name, "seller_quality") == 0)
		RecsysPutSellerQuality(n, value);
	else if (strcmp(parameter->name, "promotions") == 0)
		RecsysPutPromotions(n, value);
	else if (strcmp(parameter->name, "price_history") == 0)
		RecsysPutPriceHistory(n, value);
	else
		RecsysPutReasonFormats(n, value);
}

static void
put_parameter(RecsysNormaliser *n, const RecsysParameter *parameter, JsonbValue *value)
{
	switch (parameter->kind)
	{
		case RECSYS_RELATION_PARAMETER:
			RecsysJsonPutText(&n->state, parameter->name,
							  RecsysKeptName(n->relations[parameter->place]));
			break;
		case RECSYS_KEY_PARAMETER:
			put_key(n, parameter, value);
			break;
		case RECSYS_EXPRESSION_PARAMETER:
			put_expression(n, parameter, value);
			break;
		case RECSYS_EXPRESSIONS_PARAMETER:
			put_segments(n, parameter, value);
			break;
		case RECSYS_INDEX_PARAMETER:
			if (parameter->place == RECSYS_ITEMS)
				put_content(n, parameter, value);
			else
				put_index(n, parameter, value);
			break;
		case RECSYS_NUMBER_PARAMETER:
			put_number(n, parameter, value);
			break;
		case RECSYS_INTEGER_PARAMETER:
			put_integer(n, parameter, value);
			break;
		case RECSYS_JSON_PARAMETER:
			put_json(n, parameter, value);
			break;
		case RECSYS_INTERVAL_PARAMETER:
			RecsysPutWindow(n, n->given, parameter->name, parameter->name, "Leave it out for 7 days.");
			break;
	}
}

/* What keeps keys has to fit the first signal's. */
static bool
holds_keys(const RecsysParameter *parameter)
{
	return parameter->kind == RECSYS_KEY_PARAMETER || parameter->kind == RECSYS_INDEX_PARAMETER ||
		parameter->place == RECSYS_PROMOTIONS || parameter->place == RECSYS_PRICE_HISTORY;
}

/* Is what it depends on as it was, or gone, so that there is nothing to look at? */
static bool
stays(RecsysNormaliser *n, const RecsysParameter *parameter)
{
	if (n->anew[parameter->place])
		return false;
	if (parameter->kind == RECSYS_KEY_PARAMETER && !OidIsValid(n->relations[parameter->place]))
		return true;
	if (n->anew[RECSYS_EVENTS] && holds_keys(parameter))
		return false;
	/* sellers are found by what items say of them */
	return !(parameter->place == RECSYS_SELLERS && parameter->kind == RECSYS_KEY_PARAMETER &&
			 OidIsValid(n->seller_type));
}

/* Is something declared now that is over the relation? */
static bool
is_wanted(RecsysNormaliser *n, RecsysPlace place)
{
	for (int i = 0; i < RecsysParameterCount; i++)
	{
		JsonbValue	value;

		if (RecsysParameters[i].place == place &&
			RecsysJsonGet(n->given, RecsysParameters[i].name, &value))
			return true;
	}
	return false;
}

static void
find_relation(RecsysNormaliser *n, const RecsysParameter *parameter)
{
	JsonbValue	value;
	bool		is_given;
	char	   *name;

	if (!get(n, parameter->name, &value, &is_given))
		return;
	n->part = parameter->name;
	name = RecsysJsonValueText(&value, parameter->name);
	if (is_wanted(n, parameter->place) || RecsysRelationExists(name))
		n->relations[parameter->place] = RecsysFindRelation(name);
	n->anew[parameter->place] = is_given;
	n->part = NULL;
}

/* The relations come first, since all else is over them. */
static void
find_relations(RecsysNormaliser *n)
{
	for (int i = 0; i < RecsysParameterCount; i++)
		if (RecsysParameters[i].kind == RECSYS_RELATION_PARAMETER)
			find_relation(n, &RecsysParameters[i]);
	n->anew[RECSYS_EVENTS] = is_wanted(n, RECSYS_EVENTS);
}

const RecsysColumns *
RecsysFirstKeys(RecsysNormaliser *n)
{
	JsonbValue	signals;
	JsonbContainer *first;
	bool		is_given;

	if (n->has_keys)
		return &n->keys;
	(void) get(n, "signals", &signals, &is_given);
	first = RecsysJsonObject(getIthJsonbValueFromContainer(RecsysJsonArray(&signals, "signals"), 0),
							 "signals");
	(void) RecsysFindIndex(RecsysJsonText(first, "events"), &n->keys);
	n->has_keys = true;
	return &n->keys;
}

static void
check_needs(RecsysNormaliser *n, const RecsysParameter *parameter, JsonbValue *value, bool is_given)
{
	for (int i = 0; i < RecsysParameterCount; i++)
	{
		const char *other = RecsysParameters[i].name;

		if (!RecsysParameterNeeds(parameter, value, other) || is_declared(n, other))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s needs %s", parameter->name, other),
				 is_given ? errhint("Declare %s, too.", other) :
				 errhint("Do without both: %s;",
						 RecsysCallWithout(n->name, n->kept_whole, other, NIL))));
	}
}

/* What parameters must not be together */
static void
check_together(RecsysNormaliser *n)
{
	if (number(n, "diversity") + number(n, "category_mix") > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("diversity and category_mix must not add up to more than 1"),
				 errdetail("What is left is the weight of the scores.")));
	if (number(n, "new_item_share") + number(n, "new_seller_share") > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("new_item_share and new_seller_share must not add up to more than 1")));
}

static void
check_all(RecsysNormaliser *n)
{
	if (!is_declared(n, "signals"))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("signals must not be NULL"),
				 errhint("Name a recsys index, as in signals => '[{\"events\": \"purchases_recsys\"}]'.")));
	for (int i = 0; i < RecsysParameterCount; i++)
	{
		JsonbValue	value;
		bool		is_given;

		if (get(n, RecsysParameters[i].name, &value, &is_given))
			check_needs(n, &RecsysParameters[i], &value, is_given);
	}
}

static void
put_all(RecsysNormaliser *n)
{
	for (int i = 0; i < RecsysParameterCount; i++)
	{
		const RecsysParameter *parameter = &RecsysParameters[i];
		JsonbValue	value;
		bool		is_given;

		if (!get(n, parameter->name, &value, &is_given))
			continue;
		n->part = parameter->name;
		if (is_given || !stays(n, parameter))
			put_parameter(n, parameter, &value);
		else
		{
			RecsysJsonPutKey(&n->state, parameter->name);
			pushJsonbValue(&n->state, WJB_VALUE, &value);
		}
	}
	n->part = NULL;
}

Jsonb *
RecsysNormalise(const char *name, Jsonb *given, Jsonb *kept, const char **failing)
{
	RecsysNormaliser n = {.name = name, .given = &given->root, .failing = failing};
	ErrorContextCallback callback = {.callback = add_context, .arg = &n};
	JsonbValue *result;

	n.kept = kept != NULL ? &kept->root : NULL;
	n.kept_whole = kept;
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	check_all(&n);
	find_relations(&n);
	pushJsonbValue(&n.state, WJB_BEGIN_OBJECT, NULL);
	put_all(&n);
	result = pushJsonbValue(&n.state, WJB_END_OBJECT, NULL);
	check_together(&n);
	error_context_stack = callback.previous;
	return JsonbValueToJsonb(result);
}
