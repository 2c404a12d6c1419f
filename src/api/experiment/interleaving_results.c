/*
 * interleaving_results.c
 *	  recsys.interleaving_results(): which of two interleaved recommenders users prefer.
 *
 * The log is read once and folded to numbers of units by their clicks on either team, of which
 * there are few different pairs.  An item that was clicked twice in one list counts once.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "api/call/arguments.h"
#include "api/keep/experimentrow.h"
#include "api/keep/keeper.h"
#include "api/log/wholelog.h"
#include "catalog/pg_type.h"
#include "core/decide/preference.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_interleaving_results);

/* Columns of the answer */
#define COLUMNS 15

/* %s: the column of units */
static const char *const query =
	"SELECT u.one, u.two, pg_catalog.count(*), pg_catalog.sum(u.requests)::pg_catalog.int8 FROM ("
	" SELECT pg_catalog.count(*) AS requests, pg_catalog.sum(r.one)::pg_catalog.int8 AS one,"
	"  pg_catalog.sum(r.two)::pg_catalog.int8 AS two FROM ("
	"  SELECT q.%s AS unit,"
	"   pg_catalog.count(DISTINCT e.item_id) FILTER (WHERE q.arms[pg_catalog.array_position(q.item_ids, e.item_id)]"
	"    OPERATOR(pg_catalog.=) $2) AS one,"
	"   pg_catalog.count(DISTINCT e.item_id) FILTER (WHERE q.arms[pg_catalog.array_position(q.item_ids, e.item_id)]"
	"    OPERATOR(pg_catalog.=) $3) AS two"
	"  FROM recsys.request_log q LEFT JOIN recsys.event_log e ON e.request_id OPERATOR(pg_catalog.=) q.request_id"
	"   AND e.request_time OPERATOR(pg_catalog.=) q.time AND e.kind OPERATOR(pg_catalog.=) 'click'"
	"  WHERE q.experiment OPERATOR(pg_catalog.=) $1 AND q.policy OPERATOR(pg_catalog.=) 'interleaving'"
	"   AND q.time OPERATOR(pg_catalog.>=) $4 AND q.%s IS NOT NULL"
	"  GROUP BY q.request_id, q.time, q.%s) r"
	" GROUP BY r.unit) u GROUP BY u.one, u.two ORDER BY u.one, u.two";

typedef struct Totals
{
	RecsysPreferenceSums sums;
	int64		requests;
	int64		clicks[2];
} Totals;

static int64
number_at(int row, int column)
{
	bool		isnull;

	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull));
}

static void
read_totals(const RecsysExperiment *experiment, Totals *totals)
{
	const char *unit = experiment->by_session ? "session_id" : "user_id";
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID};
	Datum		values[] = {
		CStringGetTextDatum(experiment->name),
		CStringGetTextDatum(experiment->variants[0].name),
		CStringGetTextDatum(experiment->variants[1].name),
		TimestampTzGetDatum(experiment->started_at)
	};
	char	   *text = psprintf(query, unit, unit, unit);
	RecsysRights before;
	uint64		rows;

	memset(totals, 0, sizeof(*totals));
	RecsysBeginAsKeeper(&before);
	RecsysBeginWholeLog(&(RecsysLogExtent) {.from = experiment->started_at,.until = DT_NOEND,
						.experiment = experiment->name});
	rows = RecsysKeeperQuery(RecsysHere(text), lengthof(types), types, values, NULL, true);
	for (uint64 i = 0; i < rows; i++)
	{
		int64		one = number_at(i, 1);
		int64		two = number_at(i, 2);
		int64		units = number_at(i, 3);

		RecsysAddPreference(&totals->sums, (double) one, (double) two, units);
		totals->clicks[0] += one * units;
		totals->clicks[1] += two * units;
		totals->requests += number_at(i, 4);
	}
	RecsysEndWholeLog();
	RecsysEndAsKeeper(&before);
}

static void
put_double(Datum *value, bool *isnull, double number)
{
	*isnull = isnan(number);
	*value = Float8GetDatum(number);
}

static HeapTuple
form_answer(const RecsysExperiment *experiment, const Totals *totals, TupleDesc descriptor)
{
	const RecsysPreferenceSums *sums = &totals->sums;
	RecsysPreference result;
	Datum		values[COLUMNS];
	bool		isnull[COLUMNS] = {false};
	int			preferred;

	RecsysMeasurePreference(sums, experiment->alpha, (double) experiment->expected_users, &result);
	values[0] = CStringGetTextDatum(experiment->variants[0].name);
	values[1] = CStringGetTextDatum(experiment->variants[1].name);
	values[2] = Int64GetDatum(sums->units);
	values[3] = Int64GetDatum(totals->requests);
	values[4] = Int64GetDatum(totals->clicks[0]);
	values[5] = Int64GetDatum(totals->clicks[1]);
	values[6] = Int64GetDatum(sums->first);
	values[7] = Int64GetDatum(sums->second);
	values[8] = Int64GetDatum(sums->ties);
	put_double(&values[9], &isnull[9], result.preference);
	put_double(&values[10], &isnull[10], result.low);
	put_double(&values[11], &isnull[11], result.high);
	put_double(&values[12], &isnull[12], result.p_value);
	put_double(&values[13], &isnull[13], result.sign_p_value);
	preferred = result.p_value <= experiment->alpha ? result.preference > 0 : -1;
	isnull[14] = preferred < 0;
	values[14] = isnull[14] ? (Datum) 0 : CStringGetTextDatum(experiment->variants[preferred].name);
	return heap_form_tuple(descriptor, values, isnull);
}

Datum
recsys_interleaving_results(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "experiment");
	RecsysExperiment *experiment = RecsysFindExperiment(name);
	TupleDesc	descriptor;
	Totals		totals;

	if (experiment == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("experiment \"%s\" does not exist", name)));
	(void) RecsysNeedExperimentOwner(experiment);
	if (!experiment->interleaved)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("experiment \"%s\" is not interleaved", name),
				 errhint("SELECT * FROM recsys.experiment_results(%s);", quote_literal_cstr(name))));
	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE ||
		descriptor->natts != COLUMNS)
		elog(ERROR, "recsys.interleaving_results returns another type");
	read_totals(experiment, &totals);
	PG_RETURN_DATUM(HeapTupleGetDatum(form_answer(experiment, &totals, BlessTupleDesc(descriptor))));
}
