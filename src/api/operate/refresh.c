/*
 * refresh.c
 *	  recsys.refresh_recommender(): the lists of a declared recommender, brought up to date.
 *
 * As REFRESH MATERIALIZED VIEW: it runs with the rights of the recommender's owner, one at a
 * time, and everybody sees the old lists until it commits.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "am/graph/prior_page.h"
#include "am/store/options.h"
#include "api/call/arguments.h"
#include "api/call/distributed.h"
#include "api/call/recommender.h"
#include "api/declare/contentweight.h"
#include "api/declare/declaredrows.h"
#include "api/declare/names.h"
#include "api/declare/shop.h"
#include "api/define/predictions.h"
#include "api/here/nodeevents.h"
#include "api/operate/excludedcount.h"
#include "api/operate/popularlists.h"
#include "api/operate/queryanswer.h"
#include "api/shards/sharedshop.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fault.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "source/input/runas.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(recsys_refresh_recommender);

/* Lists that are fetched and written at once */
#define BATCH_LISTS 500

/* The role that owns a table of the extension: only it may write there. */
static Oid
keeper_of(const char *table)
{
	Relation	opened = relation_open(RecsysShopTable(table), AccessShareLock);
	Oid			owner;

	owner = opened->rd_rel->relowner;
	relation_close(opened, NoLock);
	return owner;
}

/* Runs a statement that writes to a table of the extension. */
static void
run_as_keeper(Oid keeper, const char *statement, int nargs, Oid *types, Datum *values,
			  const char *nulls)
{
	RecsysRights before;
	int			result;

	RecsysBeginAs(keeper, &before);
	result = SPI_execute_with_args(statement, nargs, types, values, nulls, false, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
	RecsysEndAs(&before);
}

static void
forget_lists(Oid keeper, const char *name)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(name)};

	run_as_keeper(keeper, "DELETE FROM recsys.popularity WHERE recommender OPERATOR(pg_catalog.=) $1", 1, types, values, NULL);
	run_as_keeper(keeper, "DELETE FROM recsys.excluded_pairs WHERE recommender OPERATOR(pg_catalog.=) $1", 1, types, values, NULL);
}

/* Writes one row that the query has found. */
static void
write_list(Oid keeper, const char *name, HeapTuple tuple, TupleDesc desc)
{
	Oid			types[5] = {TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, INT8ARRAYOID};
	Datum		values[5];
	char		nulls[5] = {' ', ' ', ' ', ' ', ' '};

	values[0] = CStringGetTextDatum(name);
	for (int i = 1; i < 5; i++)
	{
		bool		isnull;

		values[i] = SPI_getbinval(tuple, desc, i, &isnull);
		if (isnull)
			nulls[i] = 'n';
	}
	run_as_keeper(keeper, "INSERT INTO recsys.popularity (recommender, kind, value, items, users, refreshed_at) VALUES ($1, $2, $3, $4, $5, pg_catalog.now())",
				  5, types, values, nulls);
}

/* With the rights of the recommender's owner, who has to be able to read all that is declared. */
static Portal
open_lists(const RecsysDefinition *definition, MemoryContext context, char **query)
{
	RecsysRecommender recommender;
	RecsysEventsQuery events;
	RecsysListCounting counting = {0};
	const RecsysMetaData *meta;
	RecsysModelOptions options;
	bool		divided = RecsysIsDivided(definition->signals[0].events);

	/* checks its rights, and that no policies hide rows of the index from it */
	if (divided)
		RecsysOpenShell(RecsysKeptRelation(definition->signals[0].events), RECSYS_TAKES_INTERACTIONS, &recommender);
	else
		(void) RecsysOpenEvents(definition->signals[0].events, &recommender, NULL, NULL);
	if (divided)
	{
		/* what stands for shards need not have pages, and does not know how long their histories are */
		RecsysGetModelOptions(recommender.definition, &options);
		counting.max_history = options.max_history;
	}
	else
	{
		meta = &RecsysGetCache(recommender.index)->meta;
		options = meta->options;
		counting.max_history = meta->capped_users > 0 ? meta->max_history : 0;
	}
	counting.half_life = RecsysRecentHalfLife(&options) / 1e6;
	RecsysGetEventsQuery(definition->signals[0].events, &events);
	RecsysCloseRecommender(&recommender);

	*query = MemoryContextStrdup(context, RecsysPopularListsQuery(definition, &events, &counting));
	return SPI_cursor_open(NULL, RecsysPrepareShopQuery(*query), NULL, NULL, false);
}

/* Returns how many lists there are, figures not counted. */
static int64
write_lists(const RecsysDefinition *definition, Oid owner, Oid keeper, MemoryContext context,
			char **query)
{
	RecsysRights before;
	Portal		portal;
	int64		written = 0;

	RecsysBeginAs(owner, &before);
	portal = open_lists(definition, context, query);
	RecsysEndAs(&before);
	for (;;)
	{
		SPITupleTable *lists;
		uint64		count;

		RecsysBeginAs(owner, &before);
		SPI_cursor_fetch(portal, true, BATCH_LISTS);
		RecsysEndAs(&before);
		lists = SPI_tuptable;
		count = SPI_processed;
		if (count == 0)
			break;
		for (uint64 i = 0; i < count; i++)
		{
			CHECK_FOR_INTERRUPTS();
			write_list(keeper, definition->name, lists->vals[i], lists->tupdesc);
			RECSYS_FAULT("refresh-list");
			written += strcmp(SPI_getvalue(lists->vals[i], lists->tupdesc, 1), "shop") != 0;
		}
		SPI_freetuptable(lists);
	}
	SPI_cursor_close(portal);
	return written;
}

/* Where excluded users are written, and how many rows there are */
typedef struct ExcludedWriter
{
	const char *name;
	Oid			keeper;
	int64		count;
} ExcludedWriter;

static void
write_excluded(void *arg, const RecsysExcludedItem *item)
{
	ExcludedWriter *writer = arg;
	Oid			types[6] = {TEXTOID, TEXTOID, TEXTOID, FLOAT4OID, TEXTARRAYOID, FLOAT4ARRAYOID};
	Datum		values[6];
	Datum	   *similar = palloc(sizeof(Datum) * Max(item->npairs, 1));
	Datum	   *shares = palloc(sizeof(Datum) * Max(item->npairs, 1));

	for (int x = 0; x < item->npairs; x++)
	{
		similar[x] = CStringGetTextDatum(item->similar[x]);
		shares[x] = Float4GetDatum(item->shares[x]);
	}
	values[0] = CStringGetTextDatum(writer->name);
	values[1] = CStringGetTextDatum(item->graph);
	values[2] = CStringGetTextDatum(item->item);
	values[3] = Float4GetDatum(item->item_share);
	values[4] = PointerGetDatum(construct_array(similar, item->npairs, TEXTOID, -1, false,
												TYPALIGN_INT));
	values[5] = PointerGetDatum(construct_array(shares, item->npairs, FLOAT4OID, sizeof(float4),
												true, TYPALIGN_INT));
	run_as_keeper(writer->keeper, "INSERT INTO recsys.excluded_pairs (recommender, graph, item, item_share, similar_items, shares) VALUES ($1, $2, $3, $4, $5, $6)",
				  6, types, values, NULL);
	writer->count++;
}

/* The stamp tells sessions that what they keep is of an earlier refresh. */
static void
write_all_excluded(RecsysShop *shop, Oid owner, Oid keeper)
{
	const RecsysDefinition *definition = shop->definition;
	ExcludedWriter writer = {.name = definition->name, .keeper = keeper};
	RecsysRights before;
	Oid			types[2] = {TEXTOID, INT8OID};
	Datum		values[2];

	if (definition->exclude_users == NULL)
		return;
	RecsysBeginAs(owner, &before);
	RecsysCountExcluded(shop, write_excluded, &writer);
	RecsysEndAs(&before);
	values[0] = CStringGetTextDatum(definition->name);
	values[1] = Int64GetDatum(writer.count);
	run_as_keeper(keeper, "INSERT INTO recsys.popularity (recommender, kind, value, items, users) VALUES ($1, 'shop', 'excluded_pairs', ARRAY[$2::pg_catalog.text, EXTRACT(epoch FROM pg_catalog.clock_timestamp())::pg_catalog.text], '{}')",
				  2, types, values, NULL);
}

static void
learn_content(const RecsysDefinition *definition, Oid owner)
{
	RecsysRights before;

	if (definition->content == NULL)
		return;
	RecsysBeginAs(owner, &before);
	RecsysRenewContentWeight(definition, RECSYS_LEARNING_MANY);
	RecsysEndAs(&before);
}

Datum
recsys_refresh_recommender(PG_FUNCTION_ARGS)
{
	const char *name = RecsysArgText(fcinfo, 0);
	RecsysShop *shop;
	Oid			owner;
	Oid			keeper;
	MemoryContext context = CurrentMemoryContext;
	volatile int64 written = 0;
	char	  **query = palloc0(sizeof(char *));

	PreventCommandDuringRecovery("recsys.refresh_recommender()");
	PreventCommandIfReadOnly("recsys.refresh_recommender()");
	PreventCommandIfParallelMode("recsys.refresh_recommender()");
	shop = RecsysNeedShop(name);
	owner = RecsysNeedShopOwner(shop->definition);
	keeper = keeper_of("popularity");
	RecsysLockLists(shop->definition->name);

	/* while this has waited, the recommender may have become another, or none */
	PushActiveSnapshot(GetTransactionSnapshot());
	shop = RecsysNeedShop(name);
	owner = RecsysNeedShopOwner(shop->definition);
	RecsysUseShop(shop);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	PG_TRY();
	{
		forget_lists(keeper, shop->definition->name);
		written = write_lists(shop->definition, owner, keeper, context, query);
		write_all_excluded(shop, owner, keeper);
		RecsysRefreshPredictions(shop->definition);
		if (RecsysIsShared(shop->definition->name))
			RecsysShareLists(shop->definition->name);
		learn_content(shop->definition, owner);
	}
	PG_CATCH();
	{
		RecsysRethrowOfShop(shop, *query, context);
	}
	PG_END_TRY();
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	RecsysReleaseShop(shop);
	PopActiveSnapshot();
	PG_RETURN_INT64(written);
}
