/*
 * itemfacts.c
 *	  Who sells each item of an items index, and at what price: by a query over the items'
 *	  table, with the caller's rights.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "api/offers/itemfacts.h"
#include "api/declare/customersquery.h"
#include "api/declare/eventsquery.h"
#include "api/declare/indexfunctions.h"
#include "api/declare/names.h"
#include "api/operate/queryanswer.h"
#include "api/scoring/serving.h"
#include "catalog/pg_type.h"
#include "parser/parse_coerce.h"
#include "source/input/keytext.h"
#include "source/input/query.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Columns of the query: key, seller, price, offered, new seller */
#define COLUMNS 5

typedef struct Reading
{
	RecsysOffers *offers;
	RecsysItemFacts *facts;
	MemoryContext context;
} Reading;

static void
start_facts(void *arg, TupleDesc desc)
{
}

static void
add_fact(void *arg, HeapTuple tuple, TupleDesc desc)
{
	Reading    *reading = arg;
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];
	RecsysKey	key;
	uint32		item;
	RecsysItemFact *fact;

	heap_deform_tuple(tuple, desc, values, nulls);
	RecsysKeyFromDatum(TupleDescAttr(desc, 0)->atttypid, values[0], &key);
	if (key.len > RECSYS_MAX_KEY_LEN || !RecsysFindItem(&reading->offers->index, &key, &item) ||
		item >= reading->offers->nitems)
		return;
	fact = &reading->facts->items[item];
	if (!nulls[1])
	{
		text	   *name = DatumGetTextPP(values[1]);
		RecsysKey	seller = {.data = VARDATA_ANY(name), .len = VARSIZE_ANY_EXHDR(name)};
		MemoryContext old = MemoryContextSwitchTo(reading->context);

		fact->seller = RecsysDictionaryIntern(reading->facts->sellers, &seller);
		MemoryContextSwitchTo(old);
	}
	if (!nulls[2] && DatumGetFloat8(values[2]) > 0 && isfinite(DatumGetFloat8(values[2])))
		fact->price = DatumGetFloat8(values[2]);
	fact->offered = DatumGetBool(values[3]);
	fact->of_new_seller = !nulls[4] && DatumGetBool(values[4]);
}

static bool
knows_new_sellers(const RecsysDefinition *definition)
{
	return definition->sellers != NULL && definition->new_seller_since != NULL;
}

static char *
query_of_shop(const RecsysDefinition *definition, RecsysKeyKind kind)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "SELECT i, seller, price, offered, ");
	if (knows_new_sellers(definition))
		appendStringInfo(&out, "seller IN (SELECT (%s.%s)::pg_catalog.text COLLATE pg_catalog.\"C\" FROM %s AS %s WHERE (%s))",
						 definition->sellers_alias, definition->seller_key, definition->sellers,
						 definition->sellers_alias, definition->new_seller_since);
	else
		appendStringInfoString(&out, "NULL::pg_catalog.bool");
	appendStringInfoString(&out, " FROM (");
	RecsysAppendItems(&out, definition, kind);
	appendStringInfoString(&out, ") AS offers");
	return out.data;
}

static char *
query_of_index(const RecsysOffers *offers, const char *seller, const char *price)
{
	Relation	index = offers->index.index;
	Oid			table = RelationGetRelid(offers->index.heap);
	Oid			seller_type;
	Oid			price_type;
	char	   *seller_column = RecsysFindColumn(table, seller, &seller_type);
	char	   *price_column = RecsysFindColumn(table, price, &price_type);
	char	   *query;
	int			nestlevel;

	if (!can_coerce_type(1, &price_type, (Oid[]) {FLOAT8OID}, COERCION_IMPLICIT))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column %s is no number but of type %s", price_column,
						format_type_be(price_type))));
	RecsysCheckIndexFunctions(index);
	nestlevel = RecsysBeginPlainNames();
	query = psprintf("SELECT i, seller, price, true, NULL::pg_catalog.bool FROM (SELECT %s AS i, %s::pg_catalog.text COLLATE pg_catalog.\"C\" AS seller, %s::pg_catalog.float8 AS price FROM ONLY %s WHERE %s) AS offers WHERE i IS NOT NULL",
					 RecsysKeyInSql(RecsysIndexColumnInSql(index, 1), offers->index.columns.item_kind),
					 seller_column, price_column, RecsysKeptName(table),
					 RecsysIndexConditionInSql(index));
	RecsysEndPlainNames(nestlevel);
	return query;
}

void
RecsysReadItemFacts(RecsysOffers *offers, RecsysShop *shop, const char *seller, const char *price,
					RecsysItemFacts *facts)
{
	Reading		reading = {offers, facts, CurrentMemoryContext};

	facts->items = MemoryContextAllocHuge(CurrentMemoryContext,
										  sizeof(RecsysItemFact) * (Size) Max(offers->nitems, 1));
	for (uint32 item = 0; item < offers->nitems; item++)
		facts->items[item] = (RecsysItemFact) {RECSYS_NONE, NAN, false, false};
	facts->sellers = RecsysDictionaryCreate(RECSYS_KEY_TEXT, 0);
	facts->knows_new_sellers = shop != NULL && knows_new_sellers(shop->definition);
	if (shop != NULL)
		RecsysRunShopQuery(shop, query_of_shop(shop->definition, offers->index.columns.item_kind),
						   start_facts, add_fact, &reading);
	else
		RecsysRunDefinedQuery(query_of_index(offers, seller, price), start_facts, add_fact, &reading);
}

Datum
RecsysSellerName(const RecsysItemFacts *facts, uint32 seller)
{
	RecsysKey	key;

	RecsysDictionaryKey(facts->sellers, seller, &key);
	return RecsysKeyToValue(TEXTOID, RECSYS_KEY_TEXT, &key);
}
