/*
 * basketmix.c
 *	  How next baskets are mixed: the rows of recsys.basket_mix.
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "api/declare/declaredrows.h"
#include "api/declare/names.h"
#include "api/next/basketmix.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/spi.h"
#include "source/input/runas.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* Columns of recsys.basket_mix */
enum
{
	MIX_RECOMMENDER = 1,
	MIX_BASKET_DECAY,
	MIX_BASKET_HALF_LIFE,
	MIX_DUE_WEIGHT,
	MIX_NEIGHBOR_WEIGHT,
	MIX_DISCOVER_WEIGHT,
	MIX_POPULAR_WEIGHT,
	MIX_USERS,
	MIX_JUDGED_BY,
	MIX_RECALL,
	MIX_NDCG,
	MIX_RECALL_FREQUENCY,
	MIX_NDCG_FREQUENCY,
	MIX_P_VALUE
};

/* A number of a row, within 0 to 1 whatever somebody has written there */
static double
weight_of(HeapTuple tuple, TupleDesc desc, int column, double otherwise)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, column, desc, &isnull);

	if (isnull || isnan(DatumGetFloat8(value)))
		return otherwise;
	return Min(Max(DatumGetFloat8(value), 0.0), 1.0);
}

static int64
half_life_of(HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, MIX_BASKET_HALF_LIFE, desc, &isnull);
	double		half_life = isnull ? 0.0 : RecsysIntervalMicroseconds(DatumGetIntervalP(value));

	return half_life > 0.0 && half_life < (double) PG_INT64_MAX ? (int64) half_life : 0;
}

static void
form_options(HeapTuple tuple, TupleDesc desc, RecsysNextBasketOptions *options)
{
	options->basket_decay = weight_of(tuple, desc, MIX_BASKET_DECAY, options->basket_decay);
	options->half_life = half_life_of(tuple, desc);
	options->due = weight_of(tuple, desc, MIX_DUE_WEIGHT, options->due);
	options->neighbors = weight_of(tuple, desc, MIX_NEIGHBOR_WEIGHT, options->neighbors);
	options->discover = weight_of(tuple, desc, MIX_DISCOVER_WEIGHT, options->discover);
	options->popular = weight_of(tuple, desc, MIX_POPULAR_WEIGHT, options->popular);
}

static bool
read_row(Relation table, const char *recommender, RecsysNextBasketOptions *options)
{
	Oid			index = RECSYS_PRIMARY_KEY_INDEX(table);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	ScanKeyInit(&key, MIX_RECOMMENDER, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(recommender));
	scan = systable_beginscan(table, index, OidIsValid(index), GetActiveSnapshot(), 1, &key);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
		form_options(tuple, RelationGetDescr(table), options);
	systable_endscan(scan);
	return found;
}

void
RecsysGetBasketMix(const char *declared, Oid index, RecsysNextBasketOptions *options)
{
	Relation	table = table_open(RecsysShopTable("basket_mix"), AccessShareLock);

	*options = RecsysNextBasketDefaults;
	if (declared == NULL || !read_row(table, declared, options))
		(void) read_row(table, RecsysKeptName(index), options);
	table_close(table, AccessShareLock);
}

static Datum
half_life_interval(int64 half_life)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->time = half_life;
	return DirectFunctionCall1(interval_justify_interval, IntervalPGetDatum(interval));
}

static void
set_figure(Datum *values, char *nulls, int column, double value)
{
	values[column - 1] = Float8GetDatum(value);
	if (isnan(value))
		nulls[column - 1] = 'n';
}

static void
execute(const char *statement, int nargs, Oid *types, Datum *values, const char *nulls)
{
	int			result = SPI_execute_with_args(statement, nargs, types, values, nulls, false, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
}

void
RecsysWriteBasketMix(const char *recommender, const RecsysBasketMix *mix)
{
	Oid			types[MIX_P_VALUE] = {TEXTOID, FLOAT8OID, INTERVALOID, FLOAT8OID, FLOAT8OID, FLOAT8OID,
	FLOAT8OID, INT8OID, INT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID};
	Datum		values[MIX_P_VALUE];
	char		nulls[] = "              ";
	Relation	table = table_open(RecsysShopTable("basket_mix"), AccessShareLock);
	Oid			keeper = table->rd_rel->relowner;
	RecsysRights before;

	table_close(table, AccessShareLock);
	values[MIX_RECOMMENDER - 1] = CStringGetTextDatum(recommender);
	values[MIX_BASKET_HALF_LIFE - 1] = half_life_interval(mix->options.half_life);
	values[MIX_USERS - 1] = Int64GetDatum(mix->users);
	values[MIX_JUDGED_BY - 1] = Int64GetDatum(mix->judged_by);
	set_figure(values, nulls, MIX_BASKET_DECAY, mix->options.basket_decay);
	set_figure(values, nulls, MIX_DUE_WEIGHT, mix->options.due);
	set_figure(values, nulls, MIX_NEIGHBOR_WEIGHT, mix->options.neighbors);
	set_figure(values, nulls, MIX_DISCOVER_WEIGHT, mix->options.discover);
	set_figure(values, nulls, MIX_POPULAR_WEIGHT, mix->options.popular);
	set_figure(values, nulls, MIX_RECALL, mix->recall);
	set_figure(values, nulls, MIX_NDCG, mix->ndcg);
	set_figure(values, nulls, MIX_RECALL_FREQUENCY, mix->recall_frequency);
	set_figure(values, nulls, MIX_NDCG_FREQUENCY, mix->ndcg_frequency);
	set_figure(values, nulls, MIX_P_VALUE, mix->p_value);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	RecsysBeginAs(keeper, &before);
	execute("INSERT INTO recsys.basket_mix (recommender, basket_decay, basket_half_life, due_weight, neighbor_weight, discover_weight, popular_weight, users, judged_by, recall, ndcg, recall_frequency, ndcg_frequency, p_value) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) "
			"ON CONFLICT (recommender) DO UPDATE SET basket_decay = excluded.basket_decay, basket_half_life = excluded.basket_half_life, due_weight = excluded.due_weight, neighbor_weight = excluded.neighbor_weight, discover_weight = excluded.discover_weight, popular_weight = excluded.popular_weight, users = excluded.users, judged_by = excluded.judged_by, recall = excluded.recall, ndcg = excluded.ndcg, recall_frequency = excluded.recall_frequency, ndcg_frequency = excluded.ndcg_frequency, p_value = excluded.p_value, learned_at = excluded.learned_at",
			MIX_P_VALUE, types, values, nulls);
	RecsysEndAs(&before);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}
