/*
 * variantlist.c
 *	  The variants of an experiment, as they are declared and as they are kept.
 *
 * jsonb has an order of its own for the keys of an object, so the control is known by its name
 * there; an array has the order in which it was written.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/distributed.h"
#include "api/call/guard.h"
#include "api/call/recommender.h"
#include "api/declare/jsonfields.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "api/declare/takennames.h"
#include "api/experiment/variantlist.h"
#include "source/input/values.h"
#include "utils/builtins.h"

#define CONTROL "control"

/* Most variants: a list of a length that somebody may look through */
#define MOST_VARIANTS 100

/* Shares that are written with two digits need not sum up to 1 exactly. */
#define SHARES_TOLERANCE 0.0101

extern Datum recsys_recommender_problem(PG_FUNCTION_ARGS);

int
RecsysFindVariant(const RecsysVariantList *list, const char *name)
{
	for (int i = 0; i < list->count; i++)
		if (strcmp(list->variants[i].name, name) == 0)
			return i;
	return -1;
}

static void
check_variant_name(const char *name)
{
	if (name[0] == '\0' || strlen(name) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("\"%s\" cannot be the name of a variant", name),
				 errdetail("Names of variants have 1 to %d bytes.", NAMEDATALEN - 1)));
}

/* share is NaN where nothing is said of it */
static void
read_variant(JsonbValue *value, char *name, const RecsysVariantList *before, RecsysVariant *variant)
{
	static const char *const keys[] = {"name", "recommender", "share"};
	JsonbContainer *object;
	int			known;

	variant->name = name;
	variant->recommender = NULL;
	variant->share = NAN;
	if (value->type == jbvString)
		variant->recommender = RecsysJsonValueText(value, "variants");
	else
	{
		object = RecsysJsonObject(value, "a variant");
		RecsysJsonCheckKeys(object, keys, lengthof(keys));
		if (name == NULL)
			variant->name = RecsysJsonText(object, "name");
		variant->recommender = RecsysJsonText(object, "recommender");
		variant->share = RecsysJsonNumber(object, "share", NAN);
	}
	if (variant->name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a variant has no name")));
	check_variant_name(variant->name);
	known = before == NULL ? -1 : RecsysFindVariant(before, variant->name);
	if (known >= 0 && variant->recommender == NULL)
		variant->recommender = before->variants[known].recommender;
	if (variant->recommender == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("variant \"%s\" has no recommender", variant->name),
				 errhint("A variant looks like {\"recommender\": \"home\", \"share\": 0.5}.")));
	if (!isnan(variant->share) && !(variant->share > 0 && variant->share <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the share of variant \"%s\" must be above 0 and at most 1", variant->name),
				 errhint("Leave out a variant that nobody is to get.")));
}

/* The variants of an object, in the order that jsonb has */
static void
read_object(JsonbContainer *object, const RecsysVariantList *before, RecsysVariantList *list)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		char	   *name;

		if (token != WJB_KEY)
			continue;
		name = pnstrdup(value.val.string.val, value.val.string.len);
		(void) JsonbIteratorNext(&iterator, &value, true);
		read_variant(&value, name, before, &list->variants[list->count++]);
	}
}

/* Brings the control to the front; the others keep their order. */
static void
put_control_first(RecsysVariantList *list, const RecsysVariantList *before)
{
	const char *control = before != NULL ? before->variants[0].name : CONTROL;
	int			number = RecsysFindVariant(list, control);
	RecsysVariant first;

	if (number < 0 && before != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("variant \"%s\" is missing", control),
				 errdetail("It is what the others are compared with.")));
	if (number < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no variant is called \"%s\"", CONTROL),
				 errdetail("The others are compared with that one, and the fields of a JSON object have no order."),
				 errhint("Call one of them \"%s\", or write an array with that one first, as in "
						 "'[{\"name\": \"old\", \"recommender\": \"home\", \"share\": 0.5}, …]'.", CONTROL)));
	first = list->variants[number];
	memmove(&list->variants[1], &list->variants[0], sizeof(RecsysVariant) * number);
	list->variants[0] = first;
}

static void
check_count(uint32 count)
{
	if (count < 2 || count > MOST_VARIANTS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an experiment has 2 to %d variants, not %u", MOST_VARIANTS, count)));
}

static void
read_list(JsonbValue *declared, const RecsysVariantList *before, RecsysVariantList *list)
{
	bool		is_object = declared->type == jbvBinary &&
		JsonContainerIsObject(declared->val.binary.data);
	JsonbContainer *container = is_object ? declared->val.binary.data :
		RecsysJsonArray(declared, "variants");

	check_count(JsonContainerSize(container));
	list->variants = palloc0(sizeof(RecsysVariant) * JsonContainerSize(container));
	list->count = 0;
	if (is_object)
		read_object(container, before, list);
	else
		for (uint32 i = 0; i < JsonContainerSize(container); i++)
			read_variant(getIthJsonbValueFromContainer(container, i), NULL, before,
						 &list->variants[list->count++]);
	for (int i = 0; i < list->count; i++)
		if (RecsysFindVariant(list, list->variants[i].name) != i)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("there are two variants \"%s\"", list->variants[i].name)));
	if (is_object || before != NULL)
		put_control_first(list, before);
}

/* Those of which no share is said divide what the others leave. */
static void
complete_shares(RecsysVariantList *list)
{
	double		sum = 0;
	int			unsaid = 0;

	for (int i = 0; i < list->count; i++)
	{
		if (isnan(list->variants[i].share))
			unsaid++;
		else
			sum += list->variants[i].share;
	}
	for (int i = 0; i < list->count && sum < 1; i++)
		if (isnan(list->variants[i].share))
			list->variants[i].share = (1 - sum) / unsaid;
	if (unsaid > 0 && sum >= 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("shares leave nothing for variants of which none is said"),
				 errdetail("Those that are said sum up to %g.", sum)));
	if (unsaid == 0 && fabs(sum - 1) > SHARES_TOLERANCE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("shares of variants sum up to %g, not 1", sum),
				 errdetail("They are shares of those who take part."),
				 errhint("To let only some of all users take part set layer_share.")));
	for (int i = 0; i < list->count && unsaid == 0; i++)
		list->variants[i].share /= sum;
	for (int i = 0; i < list->count; i++)
		if (list->variants[i].share < 1e-6)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the share of variant \"%s\" is too small", list->variants[i].name),
					 errdetail("Shares are at least 0.000001.")));
}

typedef struct Kinds
{
	const char *recommender;	/* whose they are; NULL: not known yet */
	RecsysKeyKind user;
	RecsysKeyKind item;
} Kinds;

static void
check_kinds(const char *recommender, const RecsysColumns *columns, Kinds *kinds)
{
	if (kinds->recommender == NULL)
	{
		kinds->recommender = recommender;
		kinds->user = columns->user_kind;
		kinds->item = columns->item_kind;
	}
	if (columns->user_kind != kinds->user)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("\"%s\" has %s user keys, but \"%s\" has %s ones", recommender,
						RecsysKeyKindName(columns->user_kind), kinds->recommender,
						RecsysKeyKindName(kinds->user))));
	if (columns->item_kind != kinds->item)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("\"%s\" has %s item keys, but \"%s\" has %s ones", recommender,
						RecsysKeyKindName(columns->item_kind), kinds->recommender,
						RecsysKeyKindName(kinds->item))));
}

/* What is wrong with a declared recommender for the current user, or NULL */
static char *
shop_problem(const char *name)
{
	LOCAL_FCINFO(fcinfo, 1);
	Datum		result;

	InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = CStringGetTextDatum(name);
	fcinfo->args[0].isnull = false;
	result = recsys_recommender_problem(fcinfo);
	return fcinfo->isnull ? NULL : TextDatumGetCString(result);
}

static void
check_shop(RecsysShop *shop, Kinds *kinds)
{
	const RecsysDefinition *definition = shop->definition;
	char	   *problem = shop_problem(definition->name);
	RecsysRecommender first;
	RecsysColumns columns;

	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommender \"%s\" cannot be used as it is", definition->name),
				 errdetail_internal("%s", problem)));
	(void) RecsysOpenForColumns(definition->signals[0].events, &first);
	columns = first.columns;
	RecsysCloseRecommender(&first);
	check_kinds(definition->name, &columns, kinds);
}

/* What is distributed may be a variant, too. */
static Oid
find_index(const char *name, RecsysColumns *columns)
{
	RecsysDistributed distributed;
	RecsysRecommender shell;

	if (!RecsysOpenDistributed(name, &shell, &distributed))
		return RecsysFindIndex(name, columns);
	*columns = shell.columns;
	RecsysCloseRecommender(&shell);
	return distributed.index;
}

/* The name as it is kept; looked up as functions look up their recommender argument. */
static char *
kept_recommender(const char *name, Kinds *kinds)
{
	RecsysShop *shop = RecsysServedShop(name);
	RecsysColumns columns;
	Oid			index;
	char	   *kept;

	if (shop != NULL)
	{
		kept = pstrdup(shop->definition->name);
		check_shop(shop, kinds);
		return kept;
	}
	if (RecsysNameExists(name, RECSYS_NAMED_BANDIT))
		return pstrdup(name);
	if (RecsysNameExists(name, RECSYS_NAMED_EXPERIMENT))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is an experiment", name),
				 errdetail("A variant is a recommender or a bandit.")));
	index = find_index(name, &columns);
	kept = RecsysKeptName(index);
	check_kinds(kept, &columns, kinds);
	return kept;
}

static void
add_context(void *arg)
{
	errcontext("variant \"%s\"", ((RecsysVariant *) arg)->name);
}

void
RecsysReadVariants(JsonbValue *declared, const RecsysVariantList *before, RecsysVariantList *list)
{
	Kinds		kinds = {NULL, 0, 0};

	read_list(declared, before, list);
	complete_shares(list);
	for (int i = 0; i < list->count; i++)
	{
		RecsysVariant *variant = &list->variants[i];
		ErrorContextCallback callback = {error_context_stack, add_context, variant};

		error_context_stack = &callback;
		variant->recommender = kept_recommender(variant->recommender, &kinds);
		error_context_stack = callback.previous;
	}
}

void
RecsysReadKeptVariants(JsonbValue *kept, RecsysVariantList *list)
{
	JsonbContainer *array = RecsysJsonArray(kept, "variants");

	check_count(JsonContainerSize(array));
	list->variants = palloc0(sizeof(RecsysVariant) * JsonContainerSize(array));
	list->count = 0;
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
		read_variant(getIthJsonbValueFromContainer(array, i), NULL, NULL,
					 &list->variants[list->count++]);
}

void
RecsysPutVariants(JsonbParseState **state, const RecsysVariantList *list)
{
	RecsysJsonPutKey(state, "variants");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < list->count; i++)
	{
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		RecsysJsonPutText(state, "name", list->variants[i].name);
		RecsysJsonPutText(state, "recommender", list->variants[i].recommender);
		RecsysJsonPutNumber(state, "share", list->variants[i].share);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* For RecsysGuard */
static void
look_at(void *arg)
{
	Kinds		kinds = {NULL, 0, 0};

	(void) kept_recommender(arg, &kinds);
}

char *
RecsysVariantProblem(const char *recommender)
{
	return RecsysGuard(look_at, unconstify(char *, recommender));
}
