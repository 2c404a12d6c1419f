/*
 * popular_lists.c
 *	  recsys.popular_lists(): what is popular in each segment, as rows.
 *
 * They are those of the last recsys.refresh_recommender, as recommend has them: lists of what has
 * been declared in another way since are left out.  Who asks may read all that they are made of.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/call/recommender.h"
#include "api/declare/customersquery.h"
#include "api/declare/popularity.h"
#include "api/declare/queryrights.h"
#include "api/keep/keeper.h"
#include "api/operate/queryanswer.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/plancache.h"

PG_FUNCTION_INFO_V1(recsys_popular_lists);

/* Errors out unless the caller may run a query of what is declared. */
static void
check_query(RecsysShop *shop, const char *query)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		ListCell   *source;

		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		foreach(source, SPI_plan_get_plan_sources(RecsysPrepareShopQuery(query)))
		{
			ListCell   *cell;

			foreach(cell, ((CachedPlanSource *) lfirst(source))->query_list)
				RecsysCheckQueryRights(lfirst_node(Query, cell));
		}
		if (SPI_finish() != SPI_OK_FINISH)
			elog(ERROR, "SPI_finish failed");
	}
	PG_CATCH();
	{
		RecsysRethrowOfShop(shop, query, context);
	}
	PG_END_TRY();
}

/* Errors out unless the caller may read the signal, the profiles and the items. */
static void
check_rights(RecsysShop *shop)
{
	const RecsysDefinition *definition = shop->definition;
	RecsysRecommender first;
	RecsysKeyKind user_kind;
	RecsysKeyKind item_kind;
	StringInfoData query;

	RecsysOpenRecommender(definition->signals[0].events, &first);
	user_kind = first.columns.user_kind;
	item_kind = first.columns.item_kind;
	RecsysCloseRecommender(&first);
	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT FROM (");
	RecsysAppendCustomers(&query, definition, user_kind);
	appendStringInfoString(&query, ") AS c, (");
	RecsysAppendItems(&query, definition, item_kind);
	appendStringInfoString(&query, ") AS i");
	check_query(shop, query.data);
}

static void
put_list(ReturnSetInfo *result, HeapTuple tuple, TupleDesc desc)
{
	Datum		values[5];
	bool		isnull[5] = {false, false, false, false, false};
	bool		nothing;
	Datum	   *items;
	Datum	   *users;
	int			count;
	int			nusers;

	values[0] = SPI_getbinval(tuple, desc, 1, &nothing);
	values[1] = SPI_getbinval(tuple, desc, 2, &nothing);
	deconstruct_array(DatumGetArrayTypeP(SPI_getbinval(tuple, desc, 3, &nothing)), TEXTOID, -1, false,
					  TYPALIGN_INT, &items, NULL, &count);
	deconstruct_array(DatumGetArrayTypeP(SPI_getbinval(tuple, desc, 4, &nothing)), INT8OID,
					  sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &users, NULL, &nusers);
	for (int i = 0; i < Min(count, nusers); i++)
	{
		values[2] = items[i];
		values[3] = users[i];
		values[4] = Int32GetDatum(i + 1);
		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	}
}

static void
put_lists(ReturnSetInfo *result, const RecsysDefinition *definition)
{
	static Oid	types[] = {TEXTOID};
	static Oid	wanted[] = {TEXTOID, TEXTOID, TEXTARRAYOID, INT8ARRAYOID};
	Datum		name = CStringGetTextDatum(definition->name);
	uint64		count = RecsysKeeperQuery("SELECT kind, value, items, users FROM recsys.popularity WHERE recommender = $1 AND kind <> 'shop' ORDER BY kind, value",
										  lengthof(types), types, &name, NULL, true);
	SPITupleTable *rows = SPI_tuptable;
	char	   *last = "";
	bool		current = false;

	RecsysNeedTypes(wanted, lengthof(wanted));
	for (uint64 i = 0; i < count; i++)
	{
		char	   *kind = SPI_getvalue(rows->vals[i], rows->tupdesc, 1);

		CHECK_FOR_INTERRUPTS();
		if (strcmp(kind, last) != 0)
			current = RecsysPopularityIsCurrent(definition, kind);
		last = kind;
		if (current)
			put_list(result, rows->vals[i], rows->tupdesc);
	}
}

Datum
recsys_popular_lists(PG_FUNCTION_ARGS)
{
	RecsysShop *shop = RecsysNeedShop(RecsysArgText(fcinfo, 0));
	RecsysRights before;

	InitMaterializedSRF(fcinfo, 0);
	RecsysUseShop(shop);
	check_rights(shop);
	RecsysBeginAsOwnerOf("popularity", &before);
	put_lists((ReturnSetInfo *) fcinfo->resultinfo, shop->definition);
	RecsysEndAsKeeper(&before);
	RecsysReleaseShop(shop);
	return (Datum) 0;
}
