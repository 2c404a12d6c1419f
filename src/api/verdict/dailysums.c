/*
 * dailysums.c
 *	  The sums of experiments that are kept day by day: reading and writing them.
 */
#include "postgres.h"

#include "api/keep/keeper.h"
#include "api/verdict/dailysums.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* Sums of columns, then of products of columns i <= j */
#define KEPT_SUMS (RECSYS_UNIT_COLUMNS + RECSYS_UNIT_COLUMNS * (RECSYS_UNIT_COLUMNS + 1) / 2)

DateADT
RecsysDayOf(TimestampTz time)
{
	int64		day = time / USECS_PER_DAY;

	return (DateADT) (time % USECS_PER_DAY < 0 ? day - 1 : day);
}

TimestampTz
RecsysDayStart(DateADT day)
{
	return (TimestampTz) day * USECS_PER_DAY;
}

/* A query leaves the current context at that of SPI, which ends with it. */
static uint64
query_in(MemoryContext context, const char *query, int nargs, Oid *types, Datum *values, bool read_only)
{
	uint64		rows = RecsysKeeperQuery(query, nargs, types, values, NULL, read_only);

	MemoryContextSwitchTo(context);
	return rows;
}

static Datum
column(int row, int number, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, isnull);
}

static TimestampTz
time_column(int number, TimestampTz otherwise)
{
	bool		isnull;
	Datum		value = column(0, number, &isnull);

	return isnull ? otherwise : DatumGetTimestampTz(value);
}

static char *
text_column(int row, int number)
{
	bool		isnull;
	Datum		value = column(row, number, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Days that one of the same name has left, which was dropped and may have been somebody else's, are not */
#define OF_THIS_EXPERIMENT \
	" AND EXISTS (SELECT FROM recsys.experiment_state AS s WHERE s.experiment = $1 AND s.signature <> '')"

static const Oid state_types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID};
static const Oid day_types[] = {DATEOID, TIMESTAMPTZOID, INT8OID, BOOLOID};
static const Oid sums_types[] = {TEXTOID, TEXTOID, TEXTOID, INT8OID, INT8OID, FLOAT8ARRAYOID};

RecsysExperimentState *
RecsysReadExperimentState(const char *experiment, bool lock)
{
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(experiment);
	RecsysExperimentState *state;

	if (query_in(CurrentMemoryContext, lock ?
				 "SELECT closed_until, refreshed_until, stale_since, signature, failure"
				 " FROM recsys.experiment_state WHERE experiment = $1 FOR UPDATE" :
				 "SELECT closed_until, refreshed_until, stale_since, signature, failure"
				 " FROM recsys.experiment_state WHERE experiment = $1",
				 1, &type, &value, !lock) == 0)
		return NULL;
	RecsysNeedTypes(state_types, lengthof(state_types));
	state = palloc(sizeof(RecsysExperimentState));
	state->closed_until = time_column(1, DT_NOBEGIN);
	state->refreshed_until = time_column(2, DT_NOBEGIN);
	state->stale_since = time_column(3, DT_NOEND);
	state->signature = text_column(0, 4);
	if (state->signature == NULL)
		state->signature = pstrdup("");
	state->failure = text_column(0, 5);
	return state;
}

static void
read_sums(ArrayType *array, double units, RecsysArmSums *sums)
{
	Datum	   *values;
	int			count;
	int			place = RECSYS_UNIT_COLUMNS;

	count = ARR_HASNULL(array) ? 0 : ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (count != KEPT_SUMS)
		elog(ERROR, "sums of an experiment have %d numbers, not %d", count, KEPT_SUMS);
	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, NULL, &count);
	sums->units = units;
	for (int i = 0; i < RECSYS_UNIT_COLUMNS; i++)
	{
		sums->sum[i] = DatumGetFloat8(values[i]);
		for (int j = i; j < RECSYS_UNIT_COLUMNS; j++)
			sums->product[i][j] = sums->product[j][i] = DatumGetFloat8(values[place++]);
	}
	pfree(values);
}

static RecsysSegmentFigures *
add_segment(RecsysExperimentFigures *figures, char *name)
{
	RecsysSegmentFigures *segment = &figures->segments[figures->nsegments++];

	segment->name = name;
	segment->arms = palloc0(sizeof(RecsysArmFigures) * figures->nvariants);
	for (int v = 0; v < figures->nvariants; v++)
		segment->arms[v].sums = palloc0(sizeof(RecsysArmSums) * RecsysMetricNameCount);
	return segment;
}

static int
metric_number(const char *name)
{
	for (int m = 0; m < RecsysMetricNameCount; m++)
		if (strcmp(RecsysMetricNames[m].name, name) == 0)
			return m;
	return -1;
}

/* From rows in the order of segments: segment, variant, metric, units, fresh, sums */
static void
read_rows(const RecsysExperiment *experiment, RecsysExperimentFigures *figures)
{
	RecsysNeedTypes(sums_types, lengthof(sums_types));
	figures->segments = palloc(sizeof(RecsysSegmentFigures) * (RECSYS_SEGMENTS_MAX + 2));
	(void) add_segment(figures, pstrdup(""));
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		char	   *name = text_column(row, 1);
		int			variant = RecsysVariantNumber(experiment, text_column(row, 2));
		int			metric = metric_number(text_column(row, 3));
		RecsysSegmentFigures *segment = &figures->segments[figures->nsegments - 1];
		RecsysArmFigures *arm;
		bool		isnull;

		if (strcmp(segment->name, name) != 0)
		{
			if (figures->nsegments > RECSYS_SEGMENTS_MAX + 1)
				elog(ERROR, "experiment \"%s\" has too many segments", experiment->name);
			segment = add_segment(figures, name);
		}
		if (variant < 0 || metric < 0)
			continue;
		arm = &segment->arms[variant];
		arm->units = DatumGetInt64(column(row, 4, &isnull));
		/* shares of another time are not those that units are compared with now */
		arm->fresh = figures->until <= experiment->shares_since ? 0 : DatumGetInt64(column(row, 5, &isnull));
		read_sums(DatumGetArrayTypeP(column(row, 6, &isnull)), arm->units, &arm->sums[metric]);
	}
}

RecsysExperimentFigures *
RecsysReadDay(const RecsysExperiment *experiment, TimestampTz at)
{
	RecsysExperimentFigures *figures = palloc0(sizeof(RecsysExperimentFigures));
	Oid			types[] = {TEXTOID, TIMESTAMPTZOID};
	Datum		values[2];
	bool		isnull;

	values[0] = CStringGetTextDatum(experiment->name);
	values[1] = TimestampTzGetDatum(at);
	if (query_in(CurrentMemoryContext, "SELECT day, until, mixed, lacks_segments FROM recsys.experiment_day"
				 " WHERE experiment = $1 AND until <= $2" OF_THIS_EXPERIMENT " ORDER BY day DESC LIMIT 1",
				 2, types, values, true) == 0)
		return NULL;
	RecsysNeedTypes(day_types, lengthof(day_types));
	figures->until = time_column(2, DT_NOBEGIN);
	figures->mixed = DatumGetInt64(column(0, 3, &isnull));
	figures->lacks_segments = DatumGetBool(column(0, 4, &isnull));
	figures->is_daily = true;
	figures->nvariants = experiment->nvariants;
	types[1] = DATEOID;
	values[1] = column(0, 1, &isnull);
	(void) query_in(CurrentMemoryContext, "SELECT segment, variant, metric, units, fresh, sums FROM recsys.experiment_sums"
					" WHERE experiment = $1 AND day = $2 AND (segment, variant, metric, sums) IS NOT NULL ORDER BY segment", 2, types, values, true);
	read_rows(experiment, figures);
	return figures;
}

TimestampTz *
RecsysDayEnds(const RecsysExperiment *experiment, int *count)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(experiment->name);
	TimestampTz *ends;
	RecsysRights before;
	bool		isnull;

	RecsysBeginAsKeeper(&before);
	*count = (int) RecsysKeeperQuery("SELECT until FROM recsys.experiment_day WHERE experiment = $1"
									 OF_THIS_EXPERIMENT " ORDER BY day",
									 1, &type, &value, NULL, true);
	ends = MemoryContextAlloc(context, sizeof(TimestampTz) * Max(*count, 1));
	for (int d = 0; d < *count; d++)
		ends[d] = DatumGetTimestampTz(column(d, 1, &isnull));
	RecsysEndAsKeeper(&before);
	return ends;
}

static Datum
kept_sums(const RecsysArmSums *sums)
{
	Datum		values[KEPT_SUMS];
	int			place = RECSYS_UNIT_COLUMNS;

	for (int i = 0; i < RECSYS_UNIT_COLUMNS; i++)
	{
		values[i] = Float8GetDatum(sums->sum[i]);
		for (int j = i; j < RECSYS_UNIT_COLUMNS; j++)
			values[place++] = Float8GetDatum(sums->product[i][j]);
	}
	return PointerGetDatum(construct_array(values, KEPT_SUMS, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

static void
write_arm(SPIPlanPtr plan, Datum *values, const RecsysArmFigures *arm)
{
	for (int m = 0; m < RecsysMetricNameCount; m++)
	{
		values[4] = CStringGetTextDatum(RecsysMetricNames[m].name);
		values[5] = Int64GetDatum((int64) arm->units);
		values[6] = Int64GetDatum((int64) arm->fresh);
		values[7] = kept_sums(&arm->sums[m]);
		(void) RecsysKeeperRun(plan, values, NULL, false);
	}
}

static void
write_sums(const RecsysExperiment *experiment, Datum *values, const RecsysExperimentFigures *figures)
{
	static SPIPlanPtr kept = NULL;
	Oid			types[] = {TEXTOID, DATEOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, INT8OID, FLOAT8ARRAYOID};
	Datum		row[lengthof(types)];
	SPIPlanPtr	plan = RecsysKeeperPlan(&kept, "INSERT INTO recsys.experiment_sums"
										" (experiment, day, segment, variant, metric, units, fresh, sums)"
										" VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", lengthof(types), types);

	row[0] = values[0];
	row[1] = values[1];
	for (int s = 0; s < figures->nsegments; s++)
		for (int v = 0; v < figures->nvariants; v++)
		{
			row[2] = CStringGetTextDatum(figures->segments[s].name);
			row[3] = CStringGetTextDatum(experiment->variants[v].name);
			write_arm(plan, row, &figures->segments[s].arms[v]);
		}
}

void
RecsysWriteDay(const RecsysExperiment *experiment, DateADT day, bool closed,
			   const RecsysExperimentFigures *figures)
{
	Oid			types[] = {TEXTOID, DATEOID, TIMESTAMPTZOID, BOOLOID, INT8OID, BOOLOID};
	Datum		values[lengthof(types)];

	values[0] = CStringGetTextDatum(experiment->name);
	values[1] = DateADTGetDatum(day);
	values[2] = TimestampTzGetDatum(figures->until);
	values[3] = BoolGetDatum(closed);
	values[4] = Int64GetDatum((int64) figures->mixed);
	values[5] = BoolGetDatum(figures->lacks_segments);
	(void) RecsysKeeperQuery("DELETE FROM recsys.experiment_sums WHERE experiment = $1 AND day = $2",
							 2, types, values, NULL, false);
	(void) RecsysKeeperQuery("INSERT INTO recsys.experiment_day (experiment, day, until, closed, mixed, lacks_segments)"
							 " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (experiment, day) DO UPDATE"
							 " SET until = EXCLUDED.until, closed = EXCLUDED.closed, mixed = EXCLUDED.mixed,"
							 " lacks_segments = EXCLUDED.lacks_segments",
							 lengthof(types), types, values, NULL, false);
	write_sums(experiment, values, figures);
}
