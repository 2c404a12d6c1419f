/*
 * wholelog.c
 *	  The log as queries of the keeper's read it: of this server, or of all nodes of Citus.
 *
 * A shared log is two tables that Citus has distributed by the id of the request, so that an
 * event is where its request is.  What reports ask of it (lateral joins, windows, purchases
 * under a name) is more than Citus takes apart.  So the rows are fetched first, by queries that
 * every shard can answer, and stand under the names below for the queries proper, as purchases
 * do.  Columns that no report reads are not fetched.
 *
 * Tables of which every node has a copy are read from that.
 */
#include "postgres.h"

#include "access/xact.h"
#include "am/entry/shells.h"
#include "api/call/distributed.h"
#include "api/keep/keeper.h"
#include "api/keep/namedrows.h"
#include "api/log/wholelog.h"
#include "catalog/pg_type.h"
#include "executor/tstoreReceiver.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"

#define REQUESTS "whole_request_log"
#define EVENTS "whole_event_log"

/* Tables of the extension that may be copied to all nodes */
static const char *const copied[] = {"recommender", "experiment", "bandit", "log_setting", "log_key"};

static Tuplestorestate *requests = NULL;
static Tuplestorestate *events = NULL;

bool
RecsysLogIsShared(void)
{
	return RecsysCitusIsThere() && RecsysIsShell(RecsysKeptTable("request_log"));
}

bool
RecsysLogIsKeptHere(void)
{
	return !RecsysLogIsShared() || RecsysLocalGroup() == 0;
}

void
RecsysNeedLogHere(const char *function)
{
	if (!RecsysLogIsKeptHere())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s is for the coordinator", function),
				 errdetail("The log is one of all nodes, and what is summed up of it is kept there."),
				 errhint("Connect to the coordinator of the cluster.")));
}

static const char requests_query[] =
"SELECT request_id, time, user_id, session_id, recommender, experiment, variant, bandit, arm, policy, segment,"
" latency_ms, item_ids, NULL::real[] AS scores, NULL::text[] AS sources, propensities, arms,"
" NULL::double precision[] AS features FROM recsys.request_log AS r";

static const char events_query[] =
"SELECT e.request_id, e.request_time, e.kind, e.item_id, e.event_key, e.time, e.value FROM recsys.event_log AS e";

static const char events_of_some[] =
" JOIN recsys.request_log AS r ON r.request_id = e.request_id AND r.time = e.request_time";

static ParamListInfo
make_params(const RecsysLogExtent *extent)
{
	ParamListInfo params = makeParamList(4);
	Datum		values[] = {TimestampTzGetDatum(extent->from), TimestampTzGetDatum(extent->until),
		extent->experiment == NULL ? (Datum) 0 : CStringGetTextDatum(extent->experiment),
		extent->user == NULL ? (Datum) 0 : CStringGetTextDatum(extent->user)};

	for (int i = 0; i < 4; i++)
		params->params[i] = (ParamExternData)
	{
		.value = values[i],.isnull = i >= 2 && values[i] == (Datum) 0,
		.pflags = PARAM_FLAG_CONST,.ptype = i < 2 ? TIMESTAMPTZOID : TEXTOID
	};
	return params;
}

/* Which of the requests, as r */
static void
append_condition(StringInfo query, const RecsysLogExtent *extent)
{
	if (extent->experiment != NULL)
		appendStringInfoString(query, " AND r.experiment = $3");
	if (extent->user != NULL)
		appendStringInfoString(query, " AND r.user_id = $4");
}

/* The rows of a query, as a relation of that name */
static Tuplestorestate *
fetch(const char *query, const RecsysLogExtent *extent, const char *name)
{
	Oid			types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID};
	Tuplestorestate *rows = tuplestore_begin_heap(true, false, work_mem);
	SPIPlanPtr	plan = SPI_prepare(query, lengthof(types), types);
	SPIExecuteOptions options = {0};
	TupleDesc	descriptor;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	options.params = make_params(extent);
	options.read_only = true;
	options.dest = CreateTuplestoreDestReceiver();
	SetTuplestoreDestReceiverParams(options.dest, rows, CurrentMemoryContext, true, NULL, NULL);
	if (SPI_execute_plan_extended(plan, &options) < 0)
		elog(ERROR, "SPI_execute_plan_extended failed: %s", SPI_result_code_string(SPI_result));
	options.dest->rDestroy(options.dest);
	descriptor = CreateTupleDescCopy(((CachedPlanSource *) linitial(SPI_plan_get_plan_sources(plan)))->resultDesc);
	SPI_freeplan(plan);
	RecsysNameRows(name, rows, descriptor, (double) tuplestore_tuple_count(rows));
	return rows;
}

void
RecsysBeginWholeLog(const RecsysLogExtent *extent)
{
	bool		some = extent->experiment != NULL || extent->user != NULL;
	StringInfoData query;

	requests = events = NULL;
	if (!RecsysLogIsShared())
		return;
	initStringInfo(&query);
	appendStringInfo(&query, "%s WHERE r.time >= $1 AND r.time < $2", requests_query);
	append_condition(&query, extent);
	if (extent->most > 0)
		appendStringInfo(&query, " ORDER BY r.time DESC LIMIT %d", extent->most);
	requests = fetch(query.data, extent, REQUESTS);

	resetStringInfo(&query);
	appendStringInfo(&query, "%s%s WHERE e.request_time >= $1 AND e.request_time < $2", events_query,
					 some ? events_of_some : "");
	if (some)
		appendStringInfoString(&query, " AND r.time >= $1 AND r.time < $2");
	append_condition(&query, extent);
	events = fetch(query.data, extent, EVENTS);
}

void
RecsysEndWholeLog(void)
{
	if (requests == NULL)
		return;
	RecsysForgetRows(REQUESTS, requests);
	RecsysForgetRows(EVENTS, events);
	requests = events = NULL;
}

/* What stands for a table of the extension on this node; NULL: its own name does. */
static const char *
name_here(const char *table, int length, bool shared)
{
	if (shared && length == 11 && strncmp(table, "request_log", 11) == 0)
		return REQUESTS;
	if (shared && length == 9 && strncmp(table, "event_log", 9) == 0)
		return EVENTS;
	for (int i = 0; i < (int) lengthof(copied); i++)
	{
		Oid			relation;
		Oid			copy;

		if (strlen(copied[i]) != length || strncmp(table, copied[i], length) != 0)
			continue;
		relation = RecsysKeptTable(copied[i]);
		copy = OidIsValid(relation) ? RecsysLocalCopy(relation) : InvalidOid;
		return !OidIsValid(copy) || copy == relation ? NULL :
			quote_qualified_identifier("recsys", get_rel_name(copy));
	}
	return NULL;
}

const char *
RecsysHere(const char *query)
{
	static const char schema[] = "recsys.";
	bool		shared;
	const char *place = query;
	const char *next;
	StringInfoData text;

	if (!RecsysCitusIsThere())
		return query;
	shared = RecsysLogIsShared();
	initStringInfo(&text);
	while ((next = strstr(place, schema)) != NULL)
	{
		const char *table = next + strlen(schema);
		int			length = (int) strspn(table, "abcdefghijklmnopqrstuvwxyz_");
		const char *here = name_here(table, length, shared);

		appendBinaryStringInfo(&text, place, next - place);
		if (here == NULL)
			appendBinaryStringInfo(&text, next, strlen(schema) + length);
		else
			appendStringInfoString(&text, here);
		place = table + length;
	}
	appendStringInfoString(&text, place);
	return text.data;
}

/*
 * On the coordinator, that is: DDL locks a table there before it does on any worker.  A worker
 * has a lock on its own shell meanwhile, and only of transactions that Citus knows on both nodes
 * it finds out that they wait for one another.
 */
void
RecsysWriteAlone(void)
{
	if (!RecsysLogIsShared() || RecsysLocalGroup() != 0 || IsTransactionBlock() || IsSubTransaction() ||
		GetConfigOption("citus.function_opens_transaction_block", true, false) == NULL)
		return;
	(void) set_config_option("citus.function_opens_transaction_block", "off", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}
