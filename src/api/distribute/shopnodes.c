/*
 * shopnodes.c
 *	  Declared recommenders over tables that Citus has distributed.
 *
 * Each index that is named, over a table that is divided, gets what it would get by itself
 * (distribute.c).  Beside that there are: reference tables of the tables of items, sellers and
 * promotions; functions that go to the user's node; and the definition, on all nodes, which is
 * written at the very end and in the caller's transaction, as it is then.
 */
#include "postgres.h"

#include "am/entry/shells.h"
#include "api/call/distributed.h"
#include "api/call/extensionschema.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "api/define/servable.h"
#include "api/define/sharedchange.h"
#include "api/distribute/distribute.h"
#include "api/distribute/shopnodes.h"
#include "api/shards/dispatch.h"
#include "api/shards/nodes.h"
#include "api/shards/sharedshop.h"
#include "api/shards/shopdispatch.h"
#include "catalog/index.h"
#include "compat.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "source/input/keytext.h"
#include "source/input/runas.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

/* A declared recommender, as it is now, of whose owner the caller has the rights */
typedef struct DeclaredShop
{
	RecsysDeclaredRow row;
	RecsysDefinition *definition;
	Oid			owner;
	RecsysRecommender first;	/* columns alone are of use, once it is closed */
	Oid			table;			/* of the first signal */
} DeclaredShop;

static bool
find_shop(const char *name, DeclaredShop *shop)
{
	RecsysRowVersion version;

	memset(shop, 0, sizeof(*shop));
	memset(&version, 0, sizeof(version));
	if (name == NULL || OidIsValid(RecsysIndexNamed(name)) || !RecsysFindDeclared(name, &shop->row, &version))
		return false;
	shop->definition = RecsysDefinitionRead(shop->row.name, shop->row.owner, shop->row.definition);
	shop->owner = RecsysNeedShopOwner(shop->definition);
	return true;
}

/* The types of its keys, once its indexes are known to be distributed */
static void
read_columns(DeclaredShop *shop)
{
	Oid			index = RecsysKeptRelation(shop->definition->signals[0].events);

	RecsysOpenShell(index, RECSYS_TAKES_INTERACTIONS, &shop->first);
	RecsysCloseRecommender(&shop->first);
	shop->table = IndexGetRelation(index, false);
}

static void
check_spread(const DeclaredShop *shop)
{
	Oid			index = RecsysKeptRelation(shop->definition->signals[0].events);

	if (!OidIsValid(index))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation %s does not exist", shop->definition->signals[0].events)));
	if (!RecsysIsSpread(shop->definition))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("the table of the first signal of recommender \"%s\" is not distributed", shop->row.name),
				 errhint("Distribute it by the user, as in SELECT create_distributed_table(%s, 'user_id').",
						 quote_literal_cstr(RecsysKeptName(IndexGetRelation(index, false))))));
}

static void
make_reference_tables(List *tables)
{
	ListCell   *cell;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	foreach(cell, tables)
	{
		char	   *name = RecsysKeptName(lfirst_oid(cell));

		ereport(NOTICE,
				(errmsg("table %s becomes a reference table", name),
				 errdetail("So each node has a copy of it.")));
		(void) RecsysRunOnNode(RecsysCoordinator(),
							   psprintf("SELECT pg_catalog.create_reference_table(%s)", quote_literal_cstr(name)),
							   "making a reference table");
	}
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}

/* An index that is another's is left as it is if it is distributed. */
static void
distribute_indexes(const DeclaredShop *shop, RecsysTrainedGraph *trained)
{
	ListCell   *cell;

	foreach(cell, RecsysDividedIndexes(shop->definition))
	{
		Oid			index = RecsysKeptRelation(lfirst(cell));
		RecsysTrainedGraph other;
		RecsysDistributed distributed;

		if (!RECSYS_OWNS_RELATION(index) && RecsysFindDistributed(index, &distributed))
			continue;
		RecsysDistributeIndex(lfirst(cell), foreach_current_index(cell) == 0 ? trained : &other);
	}
}

static void
create_functions(const DeclaredShop *shop)
{
	Oid			item_type = RecsysKeyKindType(shop->first.columns.item_kind);
	const char *user = format_type_be_qualified(shop->first.columns.user_type);
	const char *item = format_type_be_qualified(item_type);
	const char *schema = quote_identifier(RecsysExtensionSchema());
	char	   *name = quote_literal_cstr(quote_identifier(shop->row.name));

	RecsysCreateForced(RecsysShopFunction(shop->definition, "list"),
					   psprintf("user_id %s, k bigint, exclude_seen boolean, half_life interval, context jsonb", user),
					   psprintf("%s, bigint, boolean, interval, jsonb", user),
					   RecsysListColumns(item_type),
					   psprintf("%s.recommend(user_id, k, %s, NULL::%s, exclude_seen, half_life, context)", schema, name, item),
					   shop->table);
	RecsysCreateForced(RecsysShopFunction(shop->definition, "reasons"),
					   psprintf("user_id %s, k bigint, context jsonb", user),
					   psprintf("%s, bigint, jsonb", user),
					   RecsysShopReasonedColumns(item_type),
					   psprintf("%s.recommend_with_reasons(user_id, k, %s, NULL::%s, context)", schema, name, item),
					   shop->table);
	RecsysCreateForced(RecsysShopFunction(shop->definition, "because"),
					   psprintf("user_id %s, item_id %s, half_life interval", user, item),
					   psprintf("%s, %s, interval", user, item),
					   RecsysReasonColumns(item_type),
					   psprintf("%s.explain_recommendation(user_id, item_id, %s, half_life)", schema, name),
					   shop->table);
}

bool
RecsysDistributeShop(const char *name, RecsysTrainedGraph *trained)
{
	DeclaredShop shop;
	RecsysRights before;
	List	   *tables;

	if (!find_shop(name, &shop))
		return false;
	check_spread(&shop);
	RecsysCheckServable(shop.definition);
	tables = RecsysCheckServableTables(shop.definition);
	memset(trained, 0, sizeof(*trained));
	RecsysShareTables();
	make_reference_tables(tables);
	distribute_indexes(&shop, trained);
	read_columns(&shop);
	RecsysBeginQueriesAs(shop.owner, &before);
	create_functions(&shop);
	RecsysEndQueriesAs(&before);
	RecsysShareAsItIs(&shop.row);
	return true;
}

static void
need_shared(const DeclaredShop *shop)
{
	if (!RecsysIsSharedNow(shop->row.name))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommender \"%s\" is not distributed", shop->row.name),
				 errhint("SELECT recsys.distribute(%s);", quote_literal_cstr(shop->row.name))));
}

bool
RecsysRetrainShop(const char *name, RecsysTrainedGraph *trained)
{
	DeclaredShop shop;
	ListCell   *cell;

	if (!find_shop(name, &shop))
		return false;
	need_shared(&shop);
	memset(trained, 0, sizeof(*trained));
	foreach(cell, RecsysDividedIndexes(shop.definition))
	{
		RecsysTrainedGraph other;

		RecsysRetrainIndex(lfirst(cell), foreach_current_index(cell) == 0 ? trained : &other);
	}
	return true;
}

/* Of a function; "" if the types are not known any more, and then there is but one of its name. */
static const char *
argument_types(const DeclaredShop *shop, const char *word)
{
	const char *user;

	if (!OidIsValid(shop->table))
		return "";
	user = format_type_be_qualified(shop->first.columns.user_type);
	if (strcmp(word, "list") == 0)
		return psprintf("(%s, bigint, boolean, interval, jsonb)", user);
	if (strcmp(word, "reasons") == 0)
		return psprintf("(%s, bigint, jsonb)", user);
	return psprintf("(%s, %s, interval)", user,
					format_type_be_qualified(RecsysKeyKindType(shop->first.columns.item_kind)));
}

static void
drop_functions(const DeclaredShop *shop)
{
	static const char *const words[] = {"list", "reasons", "because"};

	for (int x = 0; x < (int) lengthof(words); x++)
		(void) RecsysRunOnNode(RecsysCoordinator(),
							   psprintf("DROP FUNCTION IF EXISTS %s%s",
										RecsysShopFunction(shop->definition, words[x]),
										argument_types(shop, words[x])),
							   "dropping functions");
}

bool
RecsysUndistributeShop(const char *name)
{
	DeclaredShop shop;
	RecsysRights before;

	if (!find_shop(name, &shop))
		return false;
	RecsysLockLists(shop.row.name);
	(void) RecsysLockDeclared(shop.row.name, &shop.row);
	need_shared(&shop);
	if (OidIsValid(RecsysKeptRelation(shop.definition->signals[0].events)))
		read_columns(&shop);
	RecsysUnshareShop(shop.row.name);
	RecsysBeginQueriesAs(shop.owner, &before);
	drop_functions(&shop);
	RecsysEndQueriesAs(&before);
	return true;
}
