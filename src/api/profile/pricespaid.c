/*
 * pricespaid.c
 *	  How dear is what a user buys: the mean of the logarithms of the latest prices.
 *
 * Where the shop keeps what was paid, it is that, by the rows of the first signal that
 * says where it stands.  Otherwise it is what the items cost now.
 */
#include "postgres.h"

#include <math.h>

#include "am/store/columns.h"
#include "api/declare/indexfunctions.h"
#include "api/declare/names.h"
#include "api/profile/profilequery.h"
#include "catalog/pg_index.h"
#include "common/hashfn.h"
#include "compat.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

static char *
index_column(Relation index, int column)
{
	return TextDatumGetCString(DirectFunctionCall3(pg_get_indexdef_ext,
												   ObjectIdGetDatum(RelationGetRelid(index)),
												   Int32GetDatum(column), BoolGetDatum(false)));
}

/* The index's condition, so that rows are found by it; NULL if it has none. */
static char *
index_condition(Relation heap, Relation index)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(RelationGetRelid(index)));
	char	   *condition = NULL;
	bool		isnull;
	Datum		tree;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for index %u", RelationGetRelid(index));
	tree = SysCacheGetAttr(INDEXRELID, tuple, Anum_pg_index_indpred, &isnull);
	if (!isnull)
		condition = TextDatumGetCString(DirectFunctionCall2(pg_get_expr, tree,
															ObjectIdGetDatum(RelationGetRelid(heap))));
	ReleaseSysCache(tuple);
	return condition;
}

static char *
qualified_table(Relation table)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(table)),
									  RelationGetRelationName(table));
}

/* "ORDER BY bought_at DESC NULLS LAST", if the index has times. */
static char *
latest_first(const RecsysRecommender *events)
{
	if (events->columns.time_column == 0)
		return "";
	return psprintf(" ORDER BY %s DESC NULLS LAST",
					index_column(events->definition, events->columns.time_column));
}

static RecsysPlan *
prepare_paid(RecsysShopProfile *profile, const RecsysEvidence *evidence)
{
	const RecsysRecommender *events = &evidence->events;
	Oid			type = events->columns.user_type;
	int			level = RecsysBeginPlainNames();
	char	   *condition = index_condition(events->heap, events->definition);
	char	   *query = psprintf("SELECT (%s)::pg_catalog.float8 FROM %s AS events WHERE %s = $1%s%s%s%s LIMIT %d",
								 evidence->signal->price, qualified_table(events->heap),
								 index_column(events->definition, RECSYS_USER_COLUMN),
								 condition != NULL ? " AND (" : "",
								 condition != NULL ? condition : "",
								 condition != NULL ? ")" : "",
								 latest_first(events), RECSYS_PRICES);

	RecsysEndPlainNames(level);
	return RecsysPlanPrepareByUser(profile->shop, "price", query, 1, &type);
}

static RecsysPlan *
prepare_prices(RecsysShopProfile *profile, RecsysProfilePlans *plans)
{
	const RecsysDefinition *definition = profile->shop->definition;
	char	   *column = psprintf("%s.%s", definition->items_alias, definition->item_key);

	return RecsysPlanPrepare(profile->shop, "price",
							 psprintf("SELECT (%s)::pg_catalog.float8 FROM %s AS %s WHERE %s = ANY ($1)",
									  definition->price, definition->items,
									  definition->items_alias,
									  RecsysKeyColumn(&plans->item, column)),
							 1, &plans->item.array);
}

/* From the rows that have just been read. */
static void
take_prices(RecsysShopProfile *profile)
{
	double		sum = 0;
	double		squares = 0;
	int			n = 0;

	for (int pass = 0; pass < 2; pass++)
	{
		for (uint64 x = 0; x < SPI_processed; x++)
		{
			bool		isnull;
			Datum		value = SPI_getbinval(SPI_tuptable->vals[x], SPI_tuptable->tupdesc, 1, &isnull);
			double		price = isnull ? 0 : DatumGetFloat8(value);

			if (!(price > 0) || isinf(price))
				continue;
			if (pass == 0)
			{
				sum += log(price);
				n++;
			}
			else
				squares += (log(price) - sum / n) * (log(price) - sum / n);
		}
	}
	SPI_freetuptable(SPI_tuptable);
	if (n == 0)
		return;
	profile->price_level = sum / n;
	if (n > 1)
		profile->price_spread = Max(sqrt(squares / (n - 1)), RECSYS_LEAST_SPREAD);
}

/*
 * Of the names that the query has got from the catalogs: an index follows when its table or
 * columns of it get other names, and so must the query.
 */
static uint64
fingerprint_of(const RecsysRecommender *events)
{
	TupleDesc	columns = RelationGetDescr(events->heap);
	const char *name = RelationGetRelationName(events->heap);
	uint64		hash = hash_bytes_extended((const unsigned char *) name, (int) strlen(name),
										   RelationGetRelid(events->definition));

	for (int i = 0; i < columns->natts; i++)
	{
		name = NameStr(TupleDescAttr(columns, i)->attname);
		hash = hash_bytes_extended((const unsigned char *) name, (int) strlen(name), hash);
	}
	return hash;
}

/* False if no signal says what was paid. */
static bool
read_paid(RecsysShopProfile *profile, const RecsysKey *user)
{
	RecsysProfilePlans *plans = RecsysGetProfilePlans(profile->shop);

	for (int x = 0; x < profile->nevidence; x++)
	{
		const RecsysEvidence *evidence = &profile->evidence[x];
		uint64		fingerprint;
		Datum		value;

		if (evidence->signal->price == NULL)
			continue;
		if (evidence->count == 0)
			return true;
		fingerprint = fingerprint_of(&evidence->events);
		if (plans->paid == NULL || plans->paid_names != fingerprint)
		{
			plans->paid = prepare_paid(profile, evidence);
			plans->paid_names = fingerprint;
		}
		/* each time: the plan may have been made for somebody else, who trusts others */
		RecsysCheckIndexFunctions(evidence->events.definition);
		value = RecsysKeyToDatum(plans->paid->types[0], user);
		RecsysPlanRun(plans->paid, &value, NULL, RECSYS_PRICES);
		take_prices(profile);
		return true;
	}
	return false;
}

static void
read_prices(RecsysShopProfile *profile, const uint32 *latest, int n)
{
	RecsysProfilePlans *plans = RecsysGetProfilePlans(profile->shop);
	RecsysKey	keys[RECSYS_PRICES];
	Datum		value;

	RecsysPrepareItemKey(profile);
	if (plans->prices == NULL)
		plans->prices = prepare_prices(profile, plans);
	for (int x = 0; x < n; x++)
		RecsysCatalogueKey(profile->catalogue, latest[x], &keys[x]);
	value = RecsysKeyArray(&plans->item, keys, n);
	RecsysPlanRun(plans->prices, &value, NULL, 0);
	take_prices(profile);
}

void
RecsysReadPriceLevel(RecsysShopProfile *profile, const RecsysKey *user, const uint32 *latest,
					 int n)
{
	if (profile->shop->definition->price == NULL)
		return;
	if (!read_paid(profile, user) && n > 0)
		read_prices(profile, latest, n);
}
