/*
 * popularity.c
 *	  What recsys.refresh_recommender has found out about a shop: rows of recsys.popularity.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "api/declare/declaredrows.h"
#include "api/declare/popularity.h"
#include "api/here/sharedtable.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "common/hashfn.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"

/* Columns of recsys.popularity */
enum
{
	POPULARITY_RECOMMENDER = 1,
	POPULARITY_KIND,
	POPULARITY_VALUE,
	POPULARITY_ITEMS,
	POPULARITY_USERS
};

static void
read_items(HeapTuple tuple, TupleDesc desc, RecsysPopularList *list)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, POPULARITY_ITEMS, desc, &isnull);
	Datum	   *elements;
	bool	   *nulls;
	int			count = 0;

	if (!isnull)
		deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &elements,
						  &nulls, &count);
	list->items = palloc(sizeof(char *) * Max(count, 1));
	for (int i = 0; i < count; i++)
		if (!nulls[i])
			list->items[list->count++] = TextDatumGetCString(elements[i]);
}

static void
read_users(HeapTuple tuple, TupleDesc desc, RecsysPopularList *list)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, POPULARITY_USERS, desc, &isnull);
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	if (isnull)
		return;
	deconstruct_array(DatumGetArrayTypeP(value), INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &elements, &nulls, &count);
	if (count != list->count)
		return;
	list->users = palloc(sizeof(int64) * Max(count, 1));
	for (int i = 0; i < count; i++)
		list->users[i] = nulls[i] ? 0 : DatumGetInt64(elements[i]);
}

/* The list in a table with these columns, which is closed */
static bool
read_from(Relation table, const char *recommender, const char *kind, const char *value,
		  RecsysPopularList *list)
{
	Oid			index;
	const char *key[] = {recommender, kind, value};
	ScanKeyData keys[3];
	SysScanDesc scan;
	HeapTuple	tuple;

	memset(list, 0, sizeof(*list));
	if (table == NULL)
		return false;
	index = RECSYS_PRIMARY_KEY_INDEX(table);
	if (!OidIsValid(index))
		elog(ERROR, "table \"%s\" has no primary key", RelationGetRelationName(table));
	for (int i = 0; i < 3; i++)
		ScanKeyInit(&keys[i], POPULARITY_RECOMMENDER + i, BTEqualStrategyNumber, F_TEXTEQ,
					CStringGetTextDatum(key[i]));
	scan = systable_beginscan(table, index, true, GetActiveSnapshot(), 3, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		read_items(tuple, RelationGetDescr(table), list);
		read_users(tuple, RelationGetDescr(table), list);
	}
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

/* Other nodes have the lists that the coordinator has shared. */
bool
RecsysReadPopularList(const char *recommender, const char *kind, const char *value,
					  RecsysPopularList *list)
{
	return read_from(RecsysOpenSharedOfOthers("distributed_popularity"), recommender, kind, value, list) ||
		read_from(table_open(RecsysShopTable("popularity"), AccessShareLock), recommender, kind, value,
				  list);
}

int
RecsysReadFigure(const char *recommender, const char *figure, double *numbers, int n)
{
	RecsysPopularList list;

	if (!RecsysReadPopularList(recommender, "shop", figure, &list))
		return 0;
	n = Min(n, list.count);
	for (int i = 0; i < n; i++)
		numbers[i] = strtod(list.items[i], NULL);
	return n;
}

char *
RecsysSellerMeanQuery(const RecsysDefinition *definition)
{
	return psprintf("SELECT pg_catalog.sum(rating) / NULLIF(pg_catalog.sum(ratings), 0) AS mean FROM (SELECT (%s)::pg_catalog.float8 AS rating, (%s)::pg_catalog.float8 AS ratings FROM %s AS %s) AS rated WHERE rating BETWEEN -1e100 AND 1e100 AND ratings > 0 AND ratings <= 1e100",
					definition->seller_rating_sum, definition->seller_ratings,
					definition->sellers, definition->sellers_alias);
}

char *
RecsysSegmentKind(const RecsysDefinition *definition, int segment)
{
	if (strcmp(definition->segments[segment], "persona") == 0)
		return pstrdup("persona");
	return psprintf("segment%d", segment + 1);
}

/* The expression that the values come from, and over what */
static const char *
expression_of(const RecsysDefinition *definition, const char *kind)
{
	if (strcmp(kind, "category") == 0)
		return definition->category;
	if (strcmp(kind, "seller") == 0)
		return definition->seller;
	if (strcmp(kind, "price") == 0)
		return definition->price != NULL ? definition->price : definition->signals[0].price;
	for (int i = 0; i < definition->nsegments; i++)
		if (strcmp(kind, RecsysSegmentKind(definition, i)) == 0)
			return definition->segments[i];
	return NULL;
}

char *
RecsysPopularityMeaning(const RecsysDefinition *definition, const char *kind)
{
	const char *expression = expression_of(definition, kind);
	const char *events = definition->signals[0].events;
	const char *all = psprintf("%s %s %s %s", events, expression != NULL ? expression : "",
							   strncmp(kind, "segment", 7) == 0 && definition->profiles != NULL ?
							   definition->profiles : "",
							   definition->exclude_users != NULL ? definition->exclude_users : "");

	return psprintf("%s=%08x", kind,
					DatumGetUInt32(hash_any((const unsigned char *) all, (int) strlen(all))));
}

bool
RecsysPopularityIsCurrent(const RecsysDefinition *definition, const char *kind)
{
	const char *meaning = RecsysPopularityMeaning(definition, kind);
	RecsysPopularList list;

	if (!RecsysReadPopularList(definition->name, "shop", "meanings", &list))
		return false;
	for (int i = 0; i < list.count; i++)
		if (strcmp(list.items[i], meaning) == 0)
			return true;
	return false;
}
