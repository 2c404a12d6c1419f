/*
 * contentweight.c
 *	  How a declared recommender weighs content and interactions: the row of recsys.content_weight.
 *
 * A row says of which indexes it was learned, by their names: when others are declared it
 * does not count any more.
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "api/content/contentlearning.h"
#include "api/declare/contentindex.h"
#include "api/declare/contentweight.h"
#include "api/declare/declaredrows.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/spi.h"
#include "source/input/runas.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Columns of recsys.content_weight */
enum
{
	WEIGHT_RECOMMENDER = 1,
	WEIGHT_EVENTS,
	WEIGHT_CONTENT,
	WEIGHT_SCALE,
	WEIGHT_USERS,
	WEIGHT_PAIRS,
	WEIGHT_HELD_OUT,
	WEIGHT_NDCG_WITHOUT,
	WEIGHT_NDCG_WITH,
	WEIGHT_P_VALUE,
	WEIGHT_NDCG_ALL
};

const char *
RecsysContentEvents(const RecsysDefinition *definition)
{
	return definition->signals[0].graph == NULL ? definition->signals[0].events : NULL;
}

static bool
is_text(HeapTuple tuple, TupleDesc desc, int column, const char *wanted)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, column, desc, &isnull);

	return !isnull && wanted != NULL && strcmp(TextDatumGetCString(value), wanted) == 0;
}

/* What the columns have that serving needs */
static bool
form_weight(HeapTuple tuple, TupleDesc desc, const RecsysDefinition *definition,
			RecsysContentWeight *weight)
{
	bool		noscale;
	bool		nousers;
	Datum		scale = heap_getattr(tuple, WEIGHT_SCALE, desc, &noscale);
	Datum		users = heap_getattr(tuple, WEIGHT_USERS, desc, &nousers);

	if (noscale || nousers || !is_text(tuple, desc, WEIGHT_EVENTS, RecsysContentEvents(definition)) ||
		!is_text(tuple, desc, WEIGHT_CONTENT, definition->content))
		return false;
	weight->scale = DatumGetFloat8(scale);
	weight->users = DatumGetFloat8(users);
	return weight->scale > 0 && isfinite(weight->scale) && weight->users >= 0 &&
		isfinite(weight->users);
}

/* Is there a row?  *weight is set if it is for what is declared now, which *current says. */
static bool
read_row(const RecsysDefinition *definition, RecsysContentWeight *weight, bool *current)
{
	Relation	table = table_open(RecsysShopTable("content_weight"), AccessShareLock);
	Oid			index = RECSYS_PRIMARY_KEY_INDEX(table);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	memset(weight, 0, sizeof(*weight));
	ScanKeyInit(&key, WEIGHT_RECOMMENDER, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(definition->name));
	scan = systable_beginscan(table, index, OidIsValid(index), GetActiveSnapshot(), 1, &key);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	*current = found && form_weight(tuple, RelationGetDescr(table), definition, weight);
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return found;
}

bool
RecsysReadContentWeight(const RecsysDefinition *definition, RecsysContentWeight *weight)
{
	bool		current;

	(void) read_row(definition, weight, &current);
	return current;
}

/* Runs a statement that writes to the table, with the rights of its owner. */
static void
run_as_keeper(const char *statement, int nargs, Oid *types, Datum *values, const char *nulls)
{
	Relation	table = table_open(RecsysShopTable("content_weight"), AccessShareLock);
	Oid			keeper = table->rd_rel->relowner;
	RecsysRights before;
	int			result;

	table_close(table, AccessShareLock);
	RecsysBeginAs(keeper, &before);
	result = SPI_execute_with_args(statement, nargs, types, values, nulls, false, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
	RecsysEndAs(&before);
}

static Datum
figure(double value, char *null)
{
	if (isnan(value))
		*null = 'n';
	return Float8GetDatum(value);
}

/* weight NULL: none */
static void
write_weight(const RecsysDefinition *definition, const RecsysContentWeight *weight)
{
	Oid			types[WEIGHT_NDCG_ALL] = {TEXTOID, TEXTOID, TEXTOID, FLOAT8OID, FLOAT8OID, INT8OID,
	INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID};
	Datum		values[WEIGHT_NDCG_ALL];
	char		nulls[] = "           ";

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	values[0] = CStringGetTextDatum(definition->name);
	run_as_keeper("DELETE FROM recsys.content_weight WHERE recommender OPERATOR(pg_catalog.=) $1",
				  1, types, values, NULL);
	if (weight != NULL)
	{
		values[WEIGHT_EVENTS - 1] = CStringGetTextDatum(RecsysContentEvents(definition));
		values[WEIGHT_CONTENT - 1] = CStringGetTextDatum(definition->content);
		values[WEIGHT_SCALE - 1] = Float8GetDatum(weight->scale);
		values[WEIGHT_USERS - 1] = Float8GetDatum(weight->users);
		values[WEIGHT_PAIRS - 1] = Int64GetDatum(weight->pairs);
		values[WEIGHT_HELD_OUT - 1] = Int64GetDatum(weight->held_out);
		values[WEIGHT_NDCG_WITHOUT - 1] = figure(weight->ndcg_without, &nulls[WEIGHT_NDCG_WITHOUT - 1]);
		values[WEIGHT_NDCG_WITH - 1] = figure(weight->ndcg_with, &nulls[WEIGHT_NDCG_WITH - 1]);
		values[WEIGHT_P_VALUE - 1] = figure(weight->p_value, &nulls[WEIGHT_P_VALUE - 1]);
		values[WEIGHT_NDCG_ALL - 1] = figure(weight->all_ndcg, &nulls[WEIGHT_NDCG_ALL - 1]);
		run_as_keeper("INSERT INTO recsys.content_weight (recommender, events, content, scale, users, pairs, held_out, ndcg_without, ndcg_with, p_value, ndcg_all) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
					  WEIGHT_NDCG_ALL, types, values, nulls);
	}
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}

static bool
learn(const RecsysDefinition *definition, int users, RecsysContentWeight *weight)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys content weight",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysRecommender events;
	RecsysRecommender items;
	bool		learned;

	RecsysOpenRecommender(RecsysContentEvents(definition), &events);
	RecsysOpenContent(definition, &items);
	learned = RecsysLearnContentWeight(&events, &items, users, weight);
	RecsysCloseRecommender(&items);
	RecsysCloseRecommender(&events);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return learned;
}

void
RecsysRenewContentWeight(const RecsysDefinition *definition, int users)
{
	RecsysContentWeight weight;
	bool		learned = false;

	if (definition->content != NULL && RecsysContentEvents(definition) != NULL)
		learned = learn(definition, users, &weight);
	write_weight(definition, learned ? &weight : NULL);
}

void
RecsysNeedContentWeight(const RecsysDefinition *definition)
{
	RecsysContentWeight weight;

	if (!RecsysReadContentWeight(definition, &weight))
		RecsysRenewContentWeight(definition, RECSYS_LEARNING_FEW);
}

void
RecsysForgetContentWeight(const RecsysDefinition *definition)
{
	RecsysContentWeight weight;
	bool		current;

	if (read_row(definition, &weight, &current))
		write_weight(definition, NULL);
}
