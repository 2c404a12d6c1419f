/*
 * item_titles.c
 *	  recsys.item_titles(): items by name, as a recommender declares it.
 *
 * For whoever shows keys to people and has only the name of the recommender, as the pictures of
 * sql/plots.sql.  One query of the items' table, with the caller's rights:
 *
 *		SELECT DISTINCT ON (1) item."product_id"::text, (name)::text
 *		FROM products AS item WHERE item."product_id" = ANY (…) ORDER BY 1, 2
 *
 * Keys come as text.  Those that are numbers or UUIDs are compared as such, so that an index serves;
 * a text that is none is the key of no item, which is no error here.
 */
#include "postgres.h"

#include "access/relation.h"
#include "api/call/arguments.h"
#include "api/eligible/itemplans.h"
#include "api/operate/queryanswer.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(recsys_item_titles);

#define DIGITS "'^-?[0-9]{1,19}$'"
#define HEXADECIMAL "'^([0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}$'"

/* Is the item's key one of the array's texts? */
static void
append_condition(StringInfo query, Oid type, const char *key, const char *keys)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			/* of 19 digits, only some are bigints */
			appendStringInfo(query, "%s OPERATOR(pg_catalog.=) ANY (ARRAY("
							 "SELECT CASE WHEN x OPERATOR(pg_catalog.~) " DIGITS " THEN"
							 " CASE WHEN x::pg_catalog.numeric OPERATOR(pg_catalog.>=) -9223372036854775808"
							 " AND x::pg_catalog.numeric OPERATOR(pg_catalog.<=) 9223372036854775807"
							 " THEN x::pg_catalog.int8 END END FROM pg_catalog.unnest(%s) AS x))",
							 key, keys);
			break;
		case UUIDOID:
			appendStringInfo(query, "%s OPERATOR(pg_catalog.=) ANY (ARRAY("
							 "SELECT CASE WHEN x OPERATOR(pg_catalog.~) " HEXADECIMAL
							 " THEN x::pg_catalog.uuid END FROM pg_catalog.unnest(%s) AS x))",
							 key, keys);
			break;
		default:
			appendStringInfo(query, "%s::pg_catalog.text OPERATOR(pg_catalog.=) ANY (%s)", key, keys);
	}
}

static char *
titles_query(RecsysShop *shop, const char *keys)
{
	const RecsysDefinition *definition = shop->definition;
	Relation	items = RecsysOpenItems(shop);
	char	   *key = psprintf("%s.%s", definition->items_alias, definition->item_key);
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT DISTINCT ON (1) %s::pg_catalog.text, (%s)::pg_catalog.text"
					 " FROM %s AS %s WHERE ", key, definition->title, definition->items,
					 definition->items_alias);
	append_condition(&query, RecsysItemKeyColumnType(shop, items), key, keys);
	appendStringInfoString(&query, " ORDER BY 1, 2");
	relation_close(items, NoLock);
	return query.data;
}

Datum
recsys_item_titles(PG_FUNCTION_ARGS)
{
	RecsysShop *shop = RecsysFindShop(RecsysArgText(fcinfo, 1));
	char	   *keys;

	if (shop == NULL || shop->definition->items == NULL || shop->definition->title == NULL ||
		PG_ARGISNULL(0))
	{
		InitMaterializedSRF(fcinfo, 0);
		return (Datum) 0;
	}
	keys = OidOutputFunctionCall(F_ARRAY_OUT, PG_GETARG_DATUM(0));
	keys = psprintf("%s::pg_catalog.text[]", quote_literal_cstr(keys));
	RecsysUseShop(shop);
	RecsysAnswerByQuery(fcinfo, shop, titles_query(shop, keys));
	RecsysReleaseShop(shop);
	return (Datum) 0;
}
