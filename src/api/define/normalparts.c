/*
 * normalparts.c
 *	  The parts of a definition that are JSON: caps, quality of sellers, promotions, prices, formats.
 */
#include "postgres.h"

#include "api/declare/definition.h"
#include "api/define/expression.h"
#include "api/declare/jsonfields.h"
#include "api/declare/names.h"
#include "api/declare/nearest.h"
#include "api/define/normaliser.h"
#include "catalog/pg_type.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* Beyond these, products would be infinite, and scores have no order any more. */
#define RECSYS_PRIOR_MAX		1e9
#define RECSYS_BOOST_MAX		1e6

/* What a reason can be of: the parts of a score, and what an item without one is from */
static const char *const reason_kinds[] = {
	"history", "context", "negative", "popularity", "promotion", "seller and price", "category",
	"seller", "segment", "price", "popular", "new", "any", "content", "fatigue"
};

static void
check_cap(const char *expression, int64 most)
{
	if (most < 1 || most > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the cap on \"%s\" must be between 1 and %d", expression, PG_INT32_MAX)));
}

/* "brand" and "items.brand" are one: of two caps on it one would be lost without a word. */
static void
check_not_capped(List **capped, char *kept)
{
	ListCell   *cell;

	foreach(cell, *capped)
		if (strcmp((char *) lfirst(cell), kept) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("there are two caps on %s", kept)));
	if (list_length(*capped) == RECSYS_EXPRESSIONS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a recommender can have at most %d caps", RECSYS_EXPRESSIONS_MAX)));
	*capped = lappend(*capped, kept);
}

void
RecsysPutCaps(RecsysNormaliser *n, JsonbValue *value)
{
	JsonbIterator *iterator = JsonbIteratorInit(RecsysJsonObject(value, "caps"));
	JsonbIteratorToken token;
	JsonbValue	element;
	List	   *capped = NIL;
	char	   *text = NULL;
	Oid			type;

	RecsysJsonPutKey(&n->state, "caps");
	pushJsonbValue(&n->state, WJB_BEGIN_OBJECT, NULL);
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			text = RecsysJsonValueText(&element, "caps");
		else if (token == WJB_VALUE)
		{
			int64		most = RecsysJsonValueInteger(&element, text);
			char	   *kept;

			check_cap(text, most);
			kept = RecsysKeptExpression(text, n->relations[RECSYS_ITEMS], RECSYS_ITEMS,
										RECSYS_ANY_RESULT, &type);
			check_not_capped(&capped, kept);
			RecsysJsonPutInteger(&n->state, kept, most);
		}
	}
	pushJsonbValue(&n->state, WJB_END_OBJECT, NULL);
}

/* Errors out if one of the first n keys is not there. */
static void
check_present(JsonbContainer *object, const char *part, const char *const *keys, int n)
{
	JsonbValue	value;

	for (int i = 0; i < n; i++)
		if (!RecsysJsonGet(object, keys[i], &value))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s needs \"%s\"", part, keys[i])));
}

static void
put_between(RecsysNormaliser *n, JsonbContainer *object, const char *key, double least, double most)
{
	JsonbValue	value;
	double		number;

	if (!RecsysJsonGet(object, key, &value))
		return;
	number = RecsysJsonValueNumber(&value, key);
	if (!(number >= least && number <= most))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" must be between %g and %g", key, least, most)));
	RecsysJsonPutNumber(&n->state, key, number);
}

void
RecsysPutSellerQuality(RecsysNormaliser *n, JsonbValue *value)
{
	static const char *const keys[] = {"rating", "ratings", "prior"};
	JsonbContainer *object = RecsysJsonObject(value, "seller_quality");

	RecsysJsonCheckKeys(object, keys, lengthof(keys));
	check_present(object, "seller_quality", keys, 2);
	RecsysJsonPutKey(&n->state, "seller_quality");
	pushJsonbValue(&n->state, WJB_BEGIN_OBJECT, NULL);
	(void) RecsysPutExpression(n, "rating", RecsysJsonText(object, "rating"), RECSYS_SELLERS,
							   RECSYS_NUMBER_RESULT);
	(void) RecsysPutExpression(n, "ratings", RecsysJsonText(object, "ratings"), RECSYS_SELLERS,
							   RECSYS_NUMBER_RESULT);
	put_between(n, object, "prior", 0, RECSYS_PRIOR_MAX);
	pushJsonbValue(&n->state, WJB_END_OBJECT, NULL);
}

void
RecsysPutPromotions(RecsysNormaliser *n, JsonbValue *value)
{
	static const char *const keys[] = {"table", "item", "boost", "when", "limit"};
	JsonbContainer *object = RecsysJsonObject(value, "promotions");
	Oid			relation;

	RecsysJsonCheckKeys(object, keys, lengthof(keys));
	check_present(object, "promotions", keys, 3);
	relation = n->relations[RECSYS_PROMOTIONS] = RecsysFindRelation(RecsysJsonText(object, "table"));
	RecsysJsonPutKey(&n->state, "promotions");
	pushJsonbValue(&n->state, WJB_BEGIN_OBJECT, NULL);
	RecsysJsonPutText(&n->state, "table", RecsysKeptName(relation));
	(void) RecsysPutKey(n, "item", RecsysJsonText(object, "item"), RECSYS_PROMOTIONS, "item");
	(void) RecsysPutExpression(n, "boost", RecsysJsonText(object, "boost"), RECSYS_PROMOTIONS,
							   RECSYS_NUMBER_RESULT);
	(void) RecsysPutExpression(n, "when", RecsysJsonText(object, "when"), RECSYS_PROMOTIONS,
							   RECSYS_BOOLEAN_RESULT);
	put_between(n, object, "limit", 1, RECSYS_BOOST_MAX);
	pushJsonbValue(&n->state, WJB_END_OBJECT, NULL);
}

double
RecsysPutInterval(RecsysNormaliser *n, JsonbContainer *object, const char *key, const char *hint)
{
	char	   *text = RecsysJsonText(object, key);
	Interval   *interval;
	double		microseconds;
	int			nestlevel;

	if (text == NULL)
		return 0;
	interval = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(text),
													 ObjectIdGetDatum(InvalidOid),
													 Int32GetDatum(-1)));
	microseconds = RecsysIntervalMicroseconds(interval);
	if (!(microseconds >= 0 && microseconds < 9e18))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a positive interval", key),
				 errhint("%s", hint)));
	nestlevel = RecsysBeginPlainNames();
	RecsysJsonPutText(&n->state, key,
					  DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(interval))));
	RecsysEndPlainNames(nestlevel);
	return microseconds;
}

/* Not so long that now() less the window is no time any more */
#define MOST_WINDOW (1000.0 * DAYS_PER_YEAR * USECS_PER_DAY)

void
RecsysPutWindow(RecsysNormaliser *n, JsonbContainer *object, const char *key, const char *what,
				const char *hint)
{
	double		window = RecsysPutInterval(n, object, key, hint);

	if (RecsysJsonText(object, key) != NULL && !(window > 0 && window <= MOST_WINDOW))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a positive interval of at most 1000 years", what),
				 errhint("%s", hint)));
}

void
RecsysPutPriceHistory(RecsysNormaliser *n, JsonbValue *value)
{
	static const char *const keys[] = {"table", "item", "price", "time", "window"};
	JsonbContainer *object = RecsysJsonObject(value, "price_history");
	Oid			type;

	RecsysJsonCheckKeys(object, keys, lengthof(keys));
	check_present(object, "price_history", keys, 4);
	n->relations[RECSYS_PRICE_HISTORY] = RecsysFindRelation(RecsysJsonText(object, "table"));
	RecsysJsonPutKey(&n->state, "price_history");
	pushJsonbValue(&n->state, WJB_BEGIN_OBJECT, NULL);
	RecsysJsonPutText(&n->state, "table", RecsysKeptName(n->relations[RECSYS_PRICE_HISTORY]));
	(void) RecsysPutKey(n, "item", RecsysJsonText(object, "item"), RECSYS_PRICE_HISTORY, "item");
	(void) RecsysPutExpression(n, "price", RecsysJsonText(object, "price"), RECSYS_PRICE_HISTORY,
							   RECSYS_NUMBER_RESULT);
	type = getBaseType(RecsysPutExpression(n, "time", RecsysJsonText(object, "time"),
										   RECSYS_PRICE_HISTORY, RECSYS_ANY_RESULT));
	if (type != TIMESTAMPTZOID && type != TIMESTAMPOID && type != DATEOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("\"time\" of price_history is no time"),
				 errdetail("It is of type %s.", format_type_be(type)),
				 errhint("Name a column of type timestamptz, timestamp or date that says since when a price holds.")));
	RecsysPutWindow(n, object, "window", "window of price_history", "Leave it out for 30 days.");
	pushJsonbValue(&n->state, WJB_END_OBJECT, NULL);
}

void
RecsysPutReasonFormats(RecsysNormaliser *n, JsonbValue *value)
{
	JsonbContainer *object = RecsysJsonObject(value, "reason_formats");

	RecsysJsonCheckKeys(object, reason_kinds, lengthof(reason_kinds));
	RecsysJsonPutKey(&n->state, "reason_formats");
	pushJsonbValue(&n->state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < (int) lengthof(reason_kinds); i++)
		RecsysJsonPutText(&n->state, reason_kinds[i], RecsysJsonText(object, reason_kinds[i]));
	pushJsonbValue(&n->state, WJB_END_OBJECT, NULL);
}
