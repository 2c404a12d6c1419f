/*
 * definition.c
 *	  What a shop has declared of a recommender.
 */
#include "postgres.h"

#include <math.h>

#include "api/declare/definition.h"
#include "api/declare/jsonfields.h"
#include "api/declare/names.h"
#include "api/declare/parameters.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static int64
half_life(const char *text)
{
	Interval   *interval;

	if (text == NULL)
		return RECSYS_OWN_HALF_LIFE;
	interval = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(text),
													 ObjectIdGetDatum(InvalidOid),
													 Int32GetDatum(-1)));
	return (int64) RecsysIntervalMicroseconds(interval);
}

static void
read_signal(JsonbContainer *object, int place, RecsysSignal *signal)
{
	JsonbValue	neutral;

	RecsysJsonCheckKeys(object, RecsysSignalKeys, RecsysSignalKeyCount);
	signal->events = RecsysJsonText(object, "events");
	if (signal->events == NULL)
		elog(ERROR, "a signal has no events");
	signal->label = RecsysJsonText(object, "name");
	if (signal->label == NULL)
		signal->label = RecsysUnqualifiedName(signal->events);
	signal->weight = RecsysJsonNumber(object, "weight", 1);
	signal->half_life = half_life(RecsysJsonText(object, "half_life"));
	signal->graph = RecsysJsonText(object, "graph");
	signal->predicts = RecsysJsonText(object, "predicts");
	signal->similarity = RecsysJsonText(object, "similarity");
	signal->options = RecsysJsonText(object, "options");
	signal->neighbors = RecsysJsonInteger(object, "neighbors", 0);
	signal->min_support = RecsysJsonInteger(object, "min_support", 0);
	signal->min_likelihood = RecsysJsonNumber(object, "min_likelihood", NAN);
	signal->self_pairs = RecsysJsonFlag(object, "self_pairs", true);
	signal->other_items = RecsysJsonFlag(object, "other_items", false);
	signal->exclude = RecsysJsonFlag(object, "exclude", !signal->other_items &&
									 (place == 0 || signal->weight < 0));
	signal->is_centered = RecsysJsonGet(object, "neutral", &neutral);
	if (signal->is_centered)
		signal->neutral = RecsysJsonValueNumber(&neutral, "neutral");
	signal->price = RecsysJsonText(object, "price");
	signal->reason = RecsysJsonText(object, "reason");
}

static void
read_signals(RecsysDefinition *definition, JsonbContainer *object)
{
	JsonbValue	value;
	JsonbContainer *array;

	if (!RecsysJsonGet(object, "signals", &value))
		elog(ERROR, "recommender \"%s\" has no signals", definition->name);
	array = RecsysJsonArray(&value, "signals");
	definition->nsignals = JsonContainerSize(array);
	definition->signals = palloc0(sizeof(RecsysSignal) * Max(definition->nsignals, 1));
	if (definition->nsignals == 0)
		elog(ERROR, "recommender \"%s\" has no signals", definition->name);
	for (int i = 0; i < definition->nsignals; i++)
		read_signal(RecsysJsonObject(getIthJsonbValueFromContainer(array, i), "signals"), i,
					&definition->signals[i]);
}

static void
add_cap(RecsysDefinition *definition, const char *label, const char *expression, int most)
{
	RecsysCap  *cap = &definition->caps[definition->ncaps++];

	cap->label = pstrdup(label);
	cap->expression = pstrdup(expression);
	cap->most = most;
}

/* "items.category" is called as the column is. */
static const char *
cap_label(const char *expression)
{
	const char *prefix = RecsysAliases[RECSYS_ITEMS];
	const char *rest = expression + strlen(prefix) + 1;

	if (strncmp(expression, prefix, strlen(prefix)) != 0 || expression[strlen(prefix)] != '.' ||
		!RecsysIsPlainName(rest))
		return expression;
	return rest;
}

static void
read_caps(RecsysDefinition *definition, JsonbContainer *object)
{
	JsonbValue	value;
	JsonbContainer *caps = NULL;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	char	   *expression = NULL;
	int			declared = 0;

	if (RecsysJsonGet(object, "caps", &value))
	{
		caps = RecsysJsonObject(&value, "caps");
		declared = JsonContainerSize(caps);
	}
	definition->caps = palloc0(sizeof(RecsysCap) * (declared + 1));
	if (definition->max_per_seller > 0 && definition->seller != NULL)
		add_cap(definition, "seller", definition->seller, definition->max_per_seller);
	if (caps == NULL)
		return;
	iterator = JsonbIteratorInit(caps);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			expression = RecsysJsonValueText(&value, "caps");
		else if (token == WJB_VALUE)
			add_cap(definition, cap_label(expression), expression,
					RecsysJsonValueInteger(&value, "caps"));
	}
}

static void
read_formats(RecsysDefinition *definition, JsonbContainer *object)
{
	JsonbValue	value;
	JsonbContainer *formats;
	JsonbIterator *iterator;
	JsonbIteratorToken token;

	if (!RecsysJsonGet(object, "reason_formats", &value))
		return;
	formats = RecsysJsonObject(&value, "reason_formats");
	definition->formats = palloc0(sizeof(RecsysReasonFormat) * Max(JsonContainerSize(formats), 1));
	iterator = JsonbIteratorInit(formats);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		RecsysReasonFormat *format = &definition->formats[definition->nformats];

		if (token == WJB_KEY)
			format->kind = RecsysJsonValueText(&value, "reason_formats");
		else if (token == WJB_VALUE)
		{
			format->format = RecsysJsonValueText(&value, "reason_formats");
			definition->nformats++;
		}
	}
}

static void
read_sellers(RecsysDefinition *definition, JsonbContainer *object)
{
	JsonbValue	value;
	JsonbContainer *quality;

	definition->seller = RecsysJsonText(object, "seller");
	definition->sellers = RecsysJsonText(object, "sellers");
	definition->sellers_alias = pstrdup(RecsysAliases[RECSYS_SELLERS]);
	definition->seller_key = RecsysJsonText(object, "seller_key");
	definition->max_per_seller = RecsysJsonInteger(object, "max_per_seller", 0);
	if (!RecsysJsonGet(object, "seller_quality", &value))
		return;
	quality = RecsysJsonObject(&value, "seller_quality");
	definition->seller_rating_sum = RecsysJsonText(quality, "rating");
	definition->seller_ratings = RecsysJsonText(quality, "ratings");
	definition->seller_prior = RecsysJsonNumber(quality, "prior", RECSYS_SELLER_PRIOR);
}

static void
read_profiles(RecsysDefinition *definition, JsonbContainer *object)
{
	JsonbValue	value;
	JsonbContainer *larger = NULL;
	char	   *segment = RecsysJsonText(object, "segment");
	int			nlarger = 0;

	definition->profiles = RecsysJsonText(object, "profiles");
	definition->profiles_alias = pstrdup(RecsysAliases[RECSYS_PROFILES]);
	definition->profile_key = RecsysJsonText(object, "profile_key");
	definition->exclude_users = RecsysJsonText(object, "exclude_users");
	definition->consent = RecsysJsonText(object, "consent");
	definition->min_users = RecsysJsonInteger(object, "min_users", RECSYS_MIN_USERS);

	if (segment == NULL)
		return;
	if (RecsysJsonGet(object, "larger_segments", &value))
	{
		larger = RecsysJsonArray(&value, "larger_segments");
		nlarger = JsonContainerSize(larger);
	}
	definition->segments = palloc(sizeof(char *) * (nlarger + 1));
	definition->segments[definition->nsegments++] = segment;
	for (int i = 0; i < nlarger; i++)
		definition->segments[definition->nsegments++] =
			RecsysJsonValueText(getIthJsonbValueFromContainer(larger, i), "larger_segments");
}

static void
read_promotions(RecsysDefinition *definition, JsonbContainer *object)
{
	JsonbValue	value;
	JsonbContainer *promotions;

	definition->promotions_alias = pstrdup(RecsysAliases[RECSYS_PROMOTIONS]);
	definition->promotion_limit = RECSYS_PROMOTION_LIMIT;
	if (!RecsysJsonGet(object, "promotions", &value))
		return;
	promotions = RecsysJsonObject(&value, "promotions");
	definition->promotions = RecsysJsonText(promotions, "table");
	definition->promotion_item = RecsysJsonText(promotions, "item");
	definition->promotion_boost = RecsysJsonText(promotions, "boost");
	definition->promotion_when = RecsysJsonText(promotions, "when");
	definition->promotion_limit = RecsysJsonNumber(promotions, "limit", RECSYS_PROMOTION_LIMIT);
}

static void
read_price_history(RecsysDefinition *definition, JsonbContainer *object)
{
	JsonbValue	value;
	JsonbContainer *history;

	definition->price_history_alias = pstrdup(RecsysAliases[RECSYS_PRICE_HISTORY]);
	if (!RecsysJsonGet(object, "price_history", &value))
		return;
	history = RecsysJsonObject(&value, "price_history");
	definition->price_history = RecsysJsonText(history, "table");
	definition->history_item = RecsysJsonText(history, "item");
	definition->history_price = RecsysJsonText(history, "price");
	definition->history_time = RecsysJsonText(history, "time");
	definition->history_window = RecsysJsonText(history, "window");
	if (definition->history_window == NULL)
		definition->history_window = pstrdup(RECSYS_PRICE_WINDOW);
}

RecsysDefinition *
RecsysDefinitionRead(const char *name, const char *owner, Jsonb *json)
{
	RecsysDefinition *definition = palloc0(sizeof(RecsysDefinition));
	JsonbContainer *object = &json->root;

	if (!JsonContainerIsObject(object))
		elog(ERROR, "the definition of recommender \"%s\" is not an object", name);
	definition->name = pstrdup(name);
	definition->owner = pstrdup(owner);
	read_signals(definition, object);

	definition->items = RecsysJsonText(object, "items");
	definition->items_alias = pstrdup(RecsysAliases[RECSYS_ITEMS]);
	definition->item_key = RecsysJsonText(object, "item_key");
	definition->item_filter = RecsysJsonText(object, "item_filter");
	definition->title = RecsysJsonText(object, "title");
	definition->category = RecsysJsonText(object, "category");
	definition->price = RecsysJsonText(object, "price");
	definition->group_by = RecsysJsonText(object, "group_by");
	definition->offer_order = RecsysJsonText(object, "offer_order");
	definition->repeatable = RecsysJsonText(object, "repeatable");
	read_sellers(definition, object);
	read_caps(definition, object);
	read_profiles(definition, object);

	definition->diversity = RecsysJsonNumber(object, "diversity", 0);
	definition->category_mix = RecsysJsonNumber(object, "category_mix", 0);
	definition->price_affinity = RecsysJsonNumber(object, "price_affinity", 0);
	definition->new_item_share = RecsysJsonNumber(object, "new_item_share", 0);
	definition->new_item_since = RecsysJsonText(object, "new_item_since");
	definition->new_seller_share = RecsysJsonNumber(object, "new_seller_share", 0);
	definition->new_seller_since = RecsysJsonText(object, "new_seller_since");
	read_promotions(definition, object);
	read_price_history(definition, object);
	definition->fatigue = RecsysJsonNumber(object, "fatigue", 0);
	definition->fatigue_window = RecsysJsonText(object, "fatigue_window");
	if (definition->fatigue_window == NULL)
		definition->fatigue_window = pstrdup(RECSYS_FATIGUE_WINDOW);

	definition->complements = RecsysJsonText(object, "complements");
	definition->content = RecsysJsonText(object, "content");
	read_formats(definition, object);
	definition->seed = RecsysJsonInteger(object, "seed", 0);
	return definition;
}
