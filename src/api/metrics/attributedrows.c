/*
 * attributedrows.c
 *	  What has been bought because of requests, as a relation for the queries of a refresh.
 */
#include "postgres.h"

#include "api/declare/jsonfields.h"
#include "api/keep/experimentrow.h"
#include "api/log/logsettings.h"
#include "api/log/purchases.h"
#include "api/log/wholelog.h"
#include "api/metrics/attributedrows.h"
#include "api/metrics/dayqueries.h"
#include "api/keep/namedrows.h"
#include "api/metrics/ephemeral.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* Purchases that are known, and how they are attributed */
typedef struct OrderSource
{
	const char *experiment;		/* NULL: all requests of the log */
	const char *owner;			/* name of the role that reads them, of an experiment */
	const RecsysLogSettings *settings;	/* of the log */
	Jsonb	   *purchases;
	int64		window;
	const char *credit;
	bool		pseudonymous;

	/* where they are read */
	TimestampTz from;
	TimestampTz now;
	Snapshot	snapshot;
	TupleDesc	descriptor;
} OrderSource;

struct RecsysOrderSources
{
	List	   *sources;		/* of OrderSource */
	int64		window;
};

static OrderSource *
of_log(const RecsysLogSettings *settings)
{
	OrderSource *source = palloc0(sizeof(OrderSource));

	source->settings = settings;
	source->purchases = settings->purchases;
	source->window = settings->window;
	source->credit = settings->attribution;
	source->pseudonymous = settings->pseudonymous;
	return source;
}

static OrderSource *
of_experiment(const RecsysExperiment *experiment, const RecsysLogSettings *settings)
{
	OrderSource *source = palloc0(sizeof(OrderSource));

	source->experiment = experiment->name;
	source->owner = experiment->owner;
	source->purchases = experiment->purchases;
	source->window = experiment->window;
	source->credit = experiment->attribution;
	source->pseudonymous = settings->pseudonymous;
	return source;
}

RecsysOrderSources *
RecsysFindOrderSources(Snapshot snapshot)
{
	RecsysOrderSources *found = palloc0(sizeof(RecsysOrderSources));
	RecsysLogSettings *settings = palloc(sizeof(RecsysLogSettings));
	ListCell   *cell;

	RecsysReadLogSettings(settings);
	found->window = settings->window;
	if (settings->purchases != NULL)
	{
		found->sources = list_make1(of_log(settings));
		return found;
	}
	foreach(cell, RecsysAllExperiments(snapshot))
	{
		const RecsysExperiment *experiment = lfirst(cell);

		if (experiment->purchases == NULL)
			continue;
		found->sources = lappend(found->sources, of_experiment(experiment, settings));
		found->window = Max(found->window, experiment->window);
	}
	return found;
}

int64
RecsysOrderWindow(const RecsysOrderSources *sources)
{
	return sources->window;
}

static Oid
need_role(const OrderSource *source)
{
	Oid			role;

	if (source->experiment == NULL)
		return RecsysPurchasesReader(source->settings);
	role = get_role_oid(source->owner, true);
	if (!OidIsValid(role))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\", with whose rights purchases are read, does not exist", source->owner)));
	return role;
}

/* The query for the rows; its parameters are those below. */
static SPIPlanPtr
prepare(const OrderSource *source)
{
	Oid			types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID, INTERVALOID, TEXTOID};
	StringInfoData query;
	SPIPlanPtr	plan;

	initStringInfo(&query);
	RecsysAppendAttributed(&query, "purchases", source->credit, source->experiment != NULL);
	plan = SPI_prepare(RecsysHere(query.data), lengthof(types), types);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	return plan;
}

/* A RecsysRowsSource */
static void
read_rows(void *arg, Tuplestorestate *rows)
{
	OrderSource *source = arg;
	Interval	window = {.time = source->window};
	Datum		values[] = {TimestampTzGetDatum(source->from), TimestampTzGetDatum(source->now),
		IntervalPGetDatum(&window), (Datum) 0};
	char		nulls[] = "   n";
	SPIPlanPtr	plan;

	if (source->experiment != NULL)
	{
		values[3] = CStringGetTextDatum(source->experiment);
		nulls[3] = ' ';
	}
	(void) RecsysRegisterPurchases(source->purchases,
								   source->purchases != NULL ? need_role(source) : InvalidOid,
								   source->from, source->now, source->pseudonymous, "purchases");
	plan = prepare(source);
	source->descriptor = RecsysPlanDescriptor(plan);
	RecsysAddRows(rows, plan, values, nulls, source->snapshot);
	SPI_freeplan(plan);
	RecsysReleasePurchases("purchases");
}

static void
warn(const OrderSource *source, const ErrorData *error)
{
	ereport(WARNING,
			(errmsg("metrics cannot read the purchases of experiment \"%s\"", source->experiment),
			 errdetail("%s", error->message)));
}

static bool
has_amount(const OrderSource *source)
{
	JsonbValue	amount;

	return RecsysJsonGet(&source->purchases->root, "amount", &amount);
}

static Datum
name_array(List *names)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(names), 1));
	ListCell   *cell;

	foreach(cell, names)
		elements[foreach_current_index(cell)] = CStringGetTextDatum((char *) lfirst(cell));
	return PointerGetDatum(construct_array(elements, list_length(names), TEXTOID, -1, false,
										   TYPALIGN_INT));
}

Tuplestorestate *
RecsysNameAttributed(const RecsysOrderSources *sources, TimestampTz from, TimestampTz now,
					 Snapshot snapshot, Datum *with_orders, bool *all_orders,
					 Datum *with_amounts, bool *all_amounts)
{
	Tuplestorestate *rows = RecsysBeginRows();
	OrderSource nothing = {.credit = "last",.from = from,.now = now,.snapshot = snapshot};
	List	   *orders = NIL;
	List	   *amounts = NIL;
	ListCell   *cell;

	/* what the rows look like; there are none of this */
	read_rows(&nothing, rows);
	*all_orders = *all_amounts = false;
	foreach(cell, sources->sources)
	{
		OrderSource *source = lfirst(cell);
		ErrorData  *error;

		source->from = from;
		source->now = now;
		source->snapshot = snapshot;
		if (source->experiment == NULL)
		{
			read_rows(source, rows);
			*all_orders = true;
			*all_amounts = has_amount(source);
			continue;
		}
		error = RecsysTryRows(read_rows, source, rows, nothing.descriptor);
		if (error != NULL)
		{
			(void) SPI_unregister_relation("purchases");
			warn(source, error);
			continue;
		}
		orders = lappend(orders, unconstify(char *, source->experiment));
		if (has_amount(source))
			amounts = lappend(amounts, unconstify(char *, source->experiment));
	}
	*with_orders = name_array(orders);
	*with_amounts = name_array(amounts);
	RecsysNameRows("attributed", rows, nothing.descriptor, (double) tuplestore_tuple_count(rows));
	return rows;
}
