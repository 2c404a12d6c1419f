/*
 * usualprices.c
 *	  What items usually cost, by the price history that a shop has declared.
 *
 * A price holds from its time on until the next one of its item.  The usual price is the median
 * over time, not over rows: the price below which the item was for half of the window.  A sale
 * that began a week ago does not move it, however often the price was changed meanwhile.
 */
#include "postgres.h"

#include <math.h>

#include "api/declare/plan.h"
#include "api/profile/keyparameter.h"
#include "api/ready/usualprices.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

/* Kept with the shop */
typedef struct RecsysUsualPrices
{
	RecsysKeyParameter key;
	RecsysPlan *plan;			/* NULL: not made yet */
} RecsysUsualPrices;

/*
 * Parameter 1: keys of items.  Gives the place of each that has prices, and its usual one.  Prices
 * of the future do not hold yet.
 */
static char *
usual_query(const RecsysDefinition *definition, const RecsysKeyParameter *key)
{
	StringInfoData query;
	char	   *column = psprintf("%s.%s", definition->price_history_alias, definition->history_item);

	/* what holds since ever, -infinity, is cut off at the window before anything is subtracted */
	initStringInfo(&query);
	appendStringInfo(&query,
					 "SELECT n, pg_catalog.min(price) FROM (SELECT n, price, pg_catalog.sum(held) OVER (PARTITION BY n ORDER BY price) AS below,"
					 " pg_catalog.sum(held) OVER (PARTITION BY n) AS whole"
					 " FROM (SELECT n, price, EXTRACT(epoch FROM GREATEST(COALESCE(pg_catalog.lead(since) OVER (PARTITION BY n ORDER BY since, price), pg_catalog.now()), begins)"
					 " - GREATEST(since, begins))::pg_catalog.float8 AS held"
					 " FROM (SELECT k.n, (%s)::pg_catalog.float8 AS price, (%s)::pg_catalog.timestamptz AS since,"
					 " pg_catalog.now() - %s::pg_catalog.interval AS begins"
					 " FROM pg_catalog.unnest($1) WITH ORDINALITY AS k (key, n) JOIN %s AS %s ON %s = k.key) AS r"
					 " WHERE since <= pg_catalog.now() AND price > 0 AND price < 'infinity') AS h WHERE held > 0) AS w"
					 " WHERE below >= whole / 2 GROUP BY n",
					 definition->history_price, definition->history_time,
					 quote_literal_cstr(definition->history_window), definition->price_history,
					 definition->price_history_alias, RecsysKeyColumn(key, column));
	return query.data;
}

/* A plan that is of no use any more goes with the shop: another call may be running it. */
static const RecsysUsualPrices *
get_prices(const RecsysShopProfile *profile)
{
	RecsysShop *shop = profile->shop;
	const RecsysDefinition *definition = shop->definition;
	RecsysUsualPrices *prices;
	RecsysKeyParameter key;
	Oid			type;

	if (shop->usual_prices == NULL)
		shop->usual_prices = MemoryContextAllocZero(shop->context, sizeof(RecsysUsualPrices));
	prices = shop->usual_prices;
	if (prices->plan != NULL && RecsysPlanIsSettled(prices->plan))
		return prices;
	type = RecsysTypeOfColumn(definition->price_history, definition->history_item);
	if (!OidIsValid(type) || !RecsysGetKeyParameter(type, RecsysCatalogueKind(profile->catalogue), &key))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("price_history of recommender \"%s\" is not as it was declared", definition->name),
				 errhint("Run SELECT recsys.recommender_problem(%s).", quote_literal_cstr(definition->name))));
	if (prices->plan == NULL || key.type != prices->key.type || key.as_text != prices->key.as_text)
	{
		prices->plan = RecsysPlanPrepare(shop, "price_history", usual_query(definition, &key), 1, &key.array);
		prices->key = key;
	}
	return prices;
}

void
RecsysUsualPricesOf(const RecsysShopProfile *profile, const uint32 *slots, int n, double *usual)
{
	const RecsysUsualPrices *prices = get_prices(profile);
	RecsysKey  *keys = palloc(sizeof(RecsysKey) * Max(n, 1));
	Datum		array;

	for (int i = 0; i < n; i++)
	{
		usual[i] = NAN;
		RecsysCatalogueKey(profile->catalogue, slots[i], &keys[i]);
	}
	array = RecsysKeyArray(&prices->key, keys, n);
	RecsysPlanRun(prices->plan, &array, NULL, 0);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		isnull;
		int64		place = DatumGetInt64(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));

		if (place >= 1 && place <= n)
			usual[place - 1] = DatumGetFloat8(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	pfree(DatumGetPointer(array));
	pfree(keys);
}
