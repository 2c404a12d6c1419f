/*
 * scheduledindexes.c
 *	  What belongs to a recommender that is kept up to date: its indexes, and relations that it reads.
 *
 * Of a declared one these are the indexes of its signals, those that they predict, the one that
 * goes_with reads and the one over the items; then the tables under them and what is declared
 * of items, sellers, users, promotions and prices.  What has gone meanwhile is left out: a
 * job is to see to the rest.
 */
#include "postgres.h"

#include "am/entry/indexes.h"
#include "api/call/arguments.h"
#include "api/call/indexstate.h"
#include "api/call/recommender.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "api/schedule/scheduledindexes.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "storage/lockdefs.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(recsys_recommender_relations);

/* An index with its table, or another relation; InvalidOid is none. */
static void
add_oid(RecsysScheduled *scheduled, Oid relation)
{
	Oid			table;

	if (!OidIsValid(relation))
		return;
	if (!RecsysIsIndex(relation))
	{
		scheduled->relations = list_append_unique_oid(scheduled->relations, relation);
		return;
	}
	scheduled->indexes = list_append_unique_oid(scheduled->indexes, relation);
	table = IndexGetRelation(relation, true);
	if (OidIsValid(table))
		scheduled->relations = list_append_unique_oid(scheduled->relations, table);
}

static void
add(RecsysScheduled *scheduled, const char *name)
{
	add_oid(scheduled, RecsysKeptRelation(name));
}

void
RecsysScheduledOfShop(const RecsysDefinition *definition, RecsysScheduled *scheduled)
{
	memset(scheduled, 0, sizeof(*scheduled));
	scheduled->name = pstrdup(definition->name);
	scheduled->declared = true;
	for (int i = 0; i < definition->nsignals; i++)
	{
		add(scheduled, definition->signals[i].events);
		add(scheduled, definition->signals[i].graph);
		add(scheduled, definition->signals[i].predicts);
	}
	add(scheduled, definition->complements);
	add(scheduled, definition->content);
	add(scheduled, definition->items);
	add(scheduled, definition->sellers);
	add(scheduled, definition->profiles);
	add(scheduled, definition->promotions);
	add(scheduled, definition->price_history);
}

void
RecsysScheduledOfIndex(Oid index, RecsysScheduled *scheduled)
{
	memset(scheduled, 0, sizeof(*scheduled));
	scheduled->name = RecsysKeptName(index);
	add_oid(scheduled, index);
}

/* An index by its own name: whoever may maintain it. */
static void
find_named_index(const char *name, RecsysScheduled *scheduled)
{
	Oid			index = RecsysNamedRecommender(name);
	RecsysRecommender own;

	RecsysOpenOwnIndex(index, AccessShareLock, RECSYS_OWN_DEFINED, &own);
	RecsysScheduledOfIndex(index, scheduled);
	RecsysCloseRecommender(&own);
}

void
RecsysFindScheduled(const char *name, RecsysScheduled *scheduled)
{
	RecsysShop *shop = RecsysServedShop(name);

	if (shop == NULL)
	{
		find_named_index(name, scheduled);
		return;
	}
	(void) RecsysNeedShopOwner(shop->definition);
	RecsysScheduledOfShop(shop->definition, scheduled);
}

List *
RecsysOwnIndexes(const List *indexes)
{
	List	   *own = NIL;
	ListCell   *cell;

	foreach(cell, indexes)
	{
		Oid			table = IndexGetRelation(lfirst_oid(cell), true);

		if (OidIsValid(table) && get_index_isvalid(lfirst_oid(cell)) &&
			!isOtherTempNamespace(get_rel_namespace(lfirst_oid(cell))) && !RecsysIsKnownEmpty(lfirst_oid(cell)) &&
			(RECSYS_OWNS_RELATION(lfirst_oid(cell)) || RECSYS_MAY_MAINTAIN(table)))
			own = lappend_oid(own, lfirst_oid(cell));
	}
	return own;
}

Datum
recsys_recommender_relations(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "recommender");
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RecsysScheduled scheduled;
	List	   *all;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	RecsysFindScheduled(name, &scheduled);
	all = list_concat_copy(scheduled.indexes, scheduled.relations);
	foreach(cell, all)
	{
		Datum		values[2];
		bool		isnull[2] = {false, false};

		values[0] = ObjectIdGetDatum(lfirst_oid(cell));
		values[1] = BoolGetDatum(foreach_current_index(cell) < list_length(scheduled.indexes));
		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	}
	return (Datum) 0;
}
