/*
 * experimentstretch.c
 *	  Which rows an experiment is decided by, and what they add up to.
 *
 * The units are set aside in a tuplestore, which goes to disk beyond work_mem: those that are
 * in several variants are left out, what is capped needs a quantile of all first, and then
 * everything is added up in one pass.
 */
#include "postgres.h"

#include "api/declare/nearest.h"
#include "api/keep/keeper.h"
#include "api/keep/namedrows.h"
#include "api/log/logsettings.h"
#include "api/log/pseudonym.h"
#include "api/log/purchases.h"
#include "api/log/wholelog.h"
#include "api/verdict/experimentstretch.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "executor/tstoreReceiver.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/snapmgr.h"

/* Columns of the units before their figures */
#define UNIT_COLUMN 0
#define FIRST_COLUMN 1
#define VARIANT_COLUMN 2
#define MIXED_COLUMN 3
#define SEGMENT_COLUMN 4
#define FIGURE_COLUMN 5
#define UNIT_COLUMNS (FIGURE_COLUMN + RECSYS_UNIT_FIGURES)

static void
no_such_experiment(const char *name)
{
	List	   *experiments = RecsysAllExperiments(GetActiveSnapshot());
	const char **names = palloc(sizeof(char *) * Max(list_length(experiments), 1));
	const char *nearest;
	int			n = 0;
	ListCell   *cell;

	foreach(cell, experiments)
		names[n++] = ((RecsysExperiment *) lfirst(cell))->name;
	nearest = RecsysNearestWord(name, names, n);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("experiment \"%s\" does not exist", name),
			 nearest == NULL ? 0 : errhint("Perhaps you meant \"%s\".", nearest)));
}

RecsysExperiment *
RecsysNeedExperiment(const char *name)
{
	RecsysExperiment *experiment = RecsysFindExperiment(name);

	if (experiment == NULL)
		no_such_experiment(name);
	if (experiment->interleaved)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the lists of experiment \"%s\" are interleaved", name),
				 errdetail("Every user gets items of both variants, so that users say nothing of one of them."),
				 errhint("SELECT * FROM recsys.interleaving_results(%s);", quote_literal_cstr(name))));
	return experiment;
}

void
RecsysNeedExperimentReader(const RecsysExperiment *experiment)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_DATA))
		(void) RecsysNeedExperimentOwner(experiment);
}

static bool
needs_purchases(const RecsysExperiment *experiment)
{
	bool		needs = RecsysFindMetric(experiment->primary_metric)->needs_purchases;

	for (int i = 0; i < experiment->nmetrics; i++)
		needs |= RecsysFindMetric(experiment->metrics[i])->needs_purchases;
	for (int i = 0; i < experiment->nguardrails; i++)
		needs |= RecsysFindMetric(experiment->guardrails[i])->needs_purchases;
	return needs;
}

static char *
signature_of(const RecsysExperiment *experiment, const RecsysExperimentSources *sources, bool needs)
{
	Jsonb	   *purchases = sources->purchases;

	return psprintf("%lld %d %d %lld %s %lld %.17g %s", (long long) experiment->started_at, needs,
					experiment->by_session, (long long) experiment->window, experiment->attribution,
					(long long) experiment->pre_period, experiment->winsorise,
					purchases == NULL ? "" : JsonbToCString(NULL, &purchases->root, VARSIZE(purchases)));
}

/* The log's settings had them when the experiment was declared */
static void
no_purchases(const RecsysExperiment *experiment)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("it is no longer known what users of experiment \"%s\" have bought", experiment->name),
			 errhint("SELECT recsys.alter_experiment(%s, purchases => 'sales');", quote_literal_cstr(experiment->name))));
}

void
RecsysGetSources(const RecsysExperiment *experiment, RecsysExperimentSources *sources)
{
	RecsysLogSettings settings;
	bool		needs = needs_purchases(experiment);

	RecsysReadLogSettings(&settings);
	memset(sources, 0, sizeof(*sources));
	sources->experiment = experiment;
	if (needs && experiment->purchases != NULL)
	{
		sources->purchases = experiment->purchases;
		sources->reader = get_role_oid(experiment->owner, false);
	}
	else if (needs && settings.purchases != NULL)
	{
		sources->purchases = settings.purchases;
		sources->reader = RecsysPurchasesReader(&settings);
	}
	else if (needs)
		no_purchases(experiment);
	sources->pseudonyms = settings.pseudonymous;
	sources->signature = signature_of(experiment, sources, needs);
}

TimestampTz
RecsysExperimentHorizon(const RecsysExperiment *experiment)
{
	TimestampTz horizon;

	if (experiment->stopped_at == DT_NOEND ||
		pg_add_s64_overflow(experiment->stopped_at, experiment->window, &horizon) || !IS_VALID_TIMESTAMP(horizon))
		return DT_NOEND;
	return horizon;
}

void
RecsysSetStretch(const RecsysExperimentSources *sources, TimestampTz from, TimestampTz until,
				 RecsysStretch *stretch)
{
	const RecsysExperiment *experiment = sources->experiment;

	stretch->experiment = experiment;
	stretch->start = experiment->started_at;
	stretch->from = Max(from, experiment->started_at);
	stretch->until = Min(until, RecsysExperimentHorizon(experiment));
	stretch->requests_until = experiment->stopped_at;
	stretch->window = experiment->window;
	stretch->attribution = experiment->attribution;
	/* a session begins with its first request */
	stretch->pre_period = experiment->by_session ? 0 : experiment->pre_period;
	stretch->has_purchases = sources->purchases != NULL;
}

void
RecsysRegisterSources(const RecsysExperimentSources *sources, const RecsysStretch *stretch)
{
	RecsysLogExtent extent = {0};
	TimestampTz from = stretch->from;

	if (TIMESTAMP_NOT_FINITE(from) || pg_sub_s64_overflow(from, stretch->pre_period, &from))
		from = stretch->from;
	if (stretch->has_purchases)
		(void) RecsysRegisterPurchases(sources->purchases, sources->reader, from, stretch->until,
									   sources->pseudonyms, "purchases");

	/* what is looked at before is of any recommender; an event may be of the very first requests */
	extent.from = stretch->pre_period > 0 ? Min(from, stretch->start) : stretch->start;
	extent.until = stretch->until;
	extent.experiment = stretch->pre_period > 0 ? NULL : stretch->experiment->name;
	RecsysBeginWholeLog(&extent);
}

void
RecsysReleaseSources(const RecsysStretch *stretch)
{
	RecsysEndWholeLog();
	if (stretch->has_purchases)
		RecsysReleasePurchases("purchases");
}

static TupleDesc
describe_units(void)
{
	TupleDesc	descriptor = CreateTemplateTupleDesc(UNIT_COLUMNS);

	TupleDescInitEntry(descriptor, UNIT_COLUMN + 1, "unit", TEXTOID, -1, 0);
	TupleDescInitEntry(descriptor, FIRST_COLUMN + 1, "first_time", TIMESTAMPTZOID, -1, 0);
	TupleDescInitEntry(descriptor, VARIANT_COLUMN + 1, "variant", TEXTOID, -1, 0);
	TupleDescInitEntry(descriptor, MIXED_COLUMN + 1, "mixed", BOOLOID, -1, 0);
	TupleDescInitEntry(descriptor, SEGMENT_COLUMN + 1, "segment", TEXTOID, -1, 0);
	for (int f = 0; f < RECSYS_UNIT_FIGURES; f++)
		TupleDescInitEntry(descriptor, FIGURE_COLUMN + f + 1, RecsysFigureNames[f].name, FLOAT8OID, -1, 0);
	return descriptor;
}

/* All units at the end of the stretch */
static Tuplestorestate *
read_units(const RecsysStretch *stretch, bool read_only)
{
	Tuplestorestate *store = tuplestore_begin_heap(true, false, work_mem);
	SPIExecuteOptions options = {0};
	ParamListInfo params = makeParamList(RECSYS_STRETCH_PARAMETERS);
	Oid			types[RECSYS_STRETCH_PARAMETERS];
	Datum		values[RECSYS_STRETCH_PARAMETERS];
	StringInfoData query;

	RecsysStretchParameters(stretch, types, values);
	for (int i = 0; i < RECSYS_STRETCH_PARAMETERS; i++)
	{
		params->params[i].value = values[i];
		params->params[i].isnull = false;
		params->params[i].pflags = PARAM_FLAG_CONST;
		params->params[i].ptype = types[i];
	}
	initStringInfo(&query);
	RecsysAppendUnits(&query, stretch);
	options.params = params;
	options.read_only = read_only;
	options.dest = CreateTuplestoreDestReceiver();
	SetTuplestoreDestReceiverParams(options.dest, store, CurrentMemoryContext, false, NULL, NULL);
	if (SPI_execute_extended(RecsysHere(query.data), &options) < 0)
		elog(ERROR, "SPI_execute_extended failed: %s", SPI_result_code_string(SPI_result));
	return store;
}

/*
 * The least of the positive values that so many of them do not exceed, of all variants together: a
 * cap of their own would take away from the better one.
 */
static void
find_caps(Tuplestorestate *store, TupleDesc descriptor, double quantile, double *caps)
{
	Oid			type = FLOAT8OID;
	Datum		value = Float8GetDatum(quantile);
	StringInfoData query;
	int			column = 0;

	RecsysNameRows("units", store, descriptor, tuplestore_tuple_count(store));
	initStringInfo(&query);
	for (int f = 0; f < RECSYS_UNIT_FIGURES; f++)
		if (RecsysIsCapped(f))
			appendStringInfo(&query, "%s percentile_disc($1) WITHIN GROUP (ORDER BY %s) FILTER (WHERE %s > 0)",
							 query.len == 0 ? "SELECT" : ",", RecsysFigureNames[f].name, RecsysFigureNames[f].name);
	appendStringInfoString(&query, " FROM units WHERE NOT mixed");
	(void) RecsysKeeperQuery(query.data, 1, &type, &value, NULL, true);
	for (int f = 0; f < RECSYS_UNIT_FIGURES; f++)
	{
		bool		isnull;

		if (!RecsysIsCapped(f))
			continue;
		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, ++column, &isnull);
		if (!isnull)
			caps[f] = DatumGetFloat8(value);
	}
	(void) SPI_unregister_relation("units");
}

static int
variant_number(const RecsysExperiment *experiment, Datum name)
{
	text	   *packed = DatumGetTextPP(name);
	int			length = VARSIZE_ANY_EXHDR(packed);

	for (int v = 0; v < experiment->nvariants; v++)
		if (strlen(experiment->variants[v].name) == length &&
			memcmp(experiment->variants[v].name, VARDATA_ANY(packed), length) == 0)
			return v;
	return -1;
}

static void
add_unit(RecsysUnitSums *sums, const RecsysExperiment *experiment, TupleTableSlot *slot,
		 const double *caps, RecsysExperimentFigures *result)
{
	double		figures[RECSYS_UNIT_FIGURES];
	int			variant = variant_number(experiment, slot->tts_values[VARIANT_COLUMN]);
	char	   *segment;
	TimestampTz first = DatumGetTimestampTz(slot->tts_values[FIRST_COLUMN]);

	if (DatumGetBool(slot->tts_values[MIXED_COLUMN]))
	{
		result->mixed++;
		return;
	}
	/* a variant that has been taken away since */
	if (variant < 0)
		return;
	for (int f = 0; f < RECSYS_UNIT_FIGURES; f++)
		figures[f] = Min(DatumGetFloat8(slot->tts_values[FIGURE_COLUMN + f]), caps[f]);
	segment = slot->tts_isnull[SEGMENT_COLUMN] ? pstrdup("") :
		TextDatumGetCString(slot->tts_values[SEGMENT_COLUMN]);
	RecsysUnitSumsAdd(sums, segment, variant, first >= experiment->shares_since, figures);
	pfree(segment);
}

void
RecsysSumStretch(const RecsysStretch *stretch, bool read_only, RecsysExperimentFigures *figures)
{
	MemoryContext context = CurrentMemoryContext;
	TupleDesc	descriptor = describe_units();
	Tuplestorestate *store = read_units(stretch, read_only);
	TupleTableSlot *slot;
	RecsysUnitSums *sums;
	double		caps[RECSYS_UNIT_FIGURES];

	for (int f = 0; f < RECSYS_UNIT_FIGURES; f++)
		caps[f] = get_float8_infinity();
	if (stretch->experiment->winsorise < 1)
		find_caps(store, descriptor, stretch->experiment->winsorise, caps);

	/* queries leave the current context at that of SPI */
	MemoryContextSwitchTo(context);
	sums = RecsysUnitSumsCreate(stretch->experiment->nvariants);
	slot = MakeSingleTupleTableSlot(descriptor, &TTSOpsMinimalTuple);
	memset(figures, 0, sizeof(*figures));
	tuplestore_rescan(store);
	while (tuplestore_gettupleslot(store, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(slot);
		add_unit(sums, stretch->experiment, slot, caps, figures);
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(store);
	figures->until = stretch->until;
	RecsysUnitSumsGet(sums, figures);
}

RecsysExperimentFigures *
RecsysRawFigures(const RecsysExperiment *experiment, TimestampTz at)
{
	RecsysExperimentFigures *figures = palloc(sizeof(RecsysExperimentFigures));
	MemoryContext context = CurrentMemoryContext;
	MemoryContext old;
	RecsysExperimentSources sources;
	RecsysStretch stretch;
	RecsysExperimentFigures found;
	RecsysRights before;

	RecsysGetSources(experiment, &sources);
	RecsysSetStretch(&sources, experiment->started_at, at, &stretch);
	RecsysBeginAsKeeper(&before);
	RecsysRegisterSources(&sources, &stretch);
	/* what is found outlives SPI */
	old = MemoryContextSwitchTo(context);
	RecsysSumStretch(&stretch, true, &found);
	MemoryContextSwitchTo(old);
	RecsysReleaseSources(&stretch);
	RecsysEndAsKeeper(&before);
	*figures = found;
	return figures;
}
