/*
 * refresh_views.c
 *	  recsys.refresh(): all that is computed ahead for a recommender, brought up to date.
 *
 * First what it is made of, as far as that is materialized, and what its indexes have not merged
 * yet; then its lists, then the materialized views that are made of it.  Outside of a transaction
 * block each is committed by itself, as the steps of a schedule should be: none stops the others,
 * and what has been refreshed stays so.  Within one, and in functions, all is undone if one fails.
 */
#include "postgres.h"

#include "access/xact.h"
#include "api/call/arguments.h"
#include "api/call/commands.h"
#include "api/call/guard.h"
#include "api/call/materialized.h"
#include "api/call/recommender.h"
#include "api/call/rights.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "api/schedule/scheduledindexes.h"
#include "api/views/viewqueue.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(recsys_refresh);

typedef struct Refreshing
{
	RecsysViewNames names;
	bool		commits;		/* after each step */
	int			steps;
	int			failures;
	StringInfoData failed;		/* their names */
} Refreshing;

static void
refresh_lists(void *arg)
{
	static Oid	types[] = {TEXTOID};
	Datum		name = CStringGetTextDatum(arg);
	int			result = SPI_execute_with_args("SELECT recsys.refresh_recommender($1)", lengthof(types),
											   types, &name, NULL, false, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
}

/* Under the caller's search path, as a REFRESH of his: a query may have names of indexes. */
static void
refresh_view(void *arg)
{
	RecsysRefreshMaterialized(*(Oid *) arg);
}

static void
merge_index(void *arg)
{
	static Oid	types[] = {OIDOID};
	Datum		index = ObjectIdGetDatum(*(Oid *) arg);
	int			result = SPI_execute_with_args("SELECT recsys.merge($1::pg_catalog.regclass)",
											   lengthof(types), types, &index, NULL, false, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
}

/* Runs a step, and says what has come in its way.  A commit leaves strings and lists, see below. */
static void
take_step(Refreshing *refreshing, const char *object, void (*step) (void *arg), void *arg)
{
	ErrorData  *error;

	CHECK_FOR_INTERRUPTS();
	EnsurePortalSnapshotExists();
	refreshing->steps++;
	error = RecsysGuardCatch(step, arg, RecsysIsOfStep);
	if (error != NULL)
	{
		refreshing->failures++;
		appendStringInfo(&refreshing->failed, "%s%s", refreshing->failed.len == 0 ? "" : ", ", object);
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("could not refresh %s: %s", object, error->message),
				 error->detail != NULL ? errdetail_internal("%s", error->detail) : 0,
				 error->hint != NULL ? errhint("%s", error->hint) : 0));
		FreeErrorData(error);
	}
	if (refreshing->commits)
	{
		SPI_commit();
		EnsurePortalSnapshotExists();
	}
}

/* May the current user act as the owner?  Others' lists are refreshed by others. */
static bool
owns_lists(const RecsysDefinition *definition)
{
	Oid			owner = get_role_oid(definition->owner, true);

	return !OidIsValid(owner) ? superuser() : has_privs_of_role(GetUserId(), owner);
}

/* Those that recsys has made itself are refreshed with the lists, and none is a source. */
static void
find_graphs(const RecsysDefinition *definition, RecsysViewNames *names)
{
	for (int i = 0; i < definition->nsignals; i++)
	{
		const RecsysSignal *signal = &definition->signals[i];
		Oid			graph = RecsysKeptRelation(signal->graph);

		if (!OidIsValid(graph) || get_rel_relkind(graph) != RELKIND_MATVIEW)
			continue;
		names->sources = list_delete_oid(names->sources, graph);
		if (signal->predicts == NULL)
			names->graphs = list_append_unique_oid(names->graphs, graph);
	}
}

static Oid
find_index(const char *name)
{
	Oid			index = RecsysNamedRecommender(name);

	RecsysNeedsIndex(index);
	return index;
}

/* Fills in what the name means; true if there are lists that the caller refreshes. */
static bool
find_names(const char *name, RecsysViewNames *names)
{
	RecsysShop *shop = RecsysServedShop(name);
	const RecsysDefinition *definition = shop != NULL ? shop->definition : NULL;
	RecsysScheduled all;
	ListCell   *cell;

	if (definition != NULL)
		RecsysScheduledOfShop(definition, &all);
	else
		RecsysScheduledOfIndex(find_index(name), &all);
	memset(names, 0, sizeof(*names));
	names->name = all.name;
	names->is_declared = all.declared;
	names->indexes = all.indexes;
	names->sources = all.relations;
	if (definition != NULL)
	{
		find_graphs(definition, names);
		names->owners = list_make1_oid(get_role_oid(definition->owner, true));
	}
	foreach(cell, names->sources)
		names->owners = list_append_unique_oid(names->owners, RecsysRelationOwner(lfirst_oid(cell)));
	return definition != NULL && owns_lists(definition);
}

static void
refresh_all(Refreshing *refreshing, List *queue)
{
	ListCell   *cell;

	foreach(cell, queue)
	{
		Oid			view = lfirst_oid(cell);

		/* others may have dropped it meanwhile */
		if (get_rel_relkind(view) == RELKIND_MATVIEW)
			take_step(refreshing, RecsysKeptName(view), refresh_view, &view);
	}
}

/* Pairs of items are as of the last merge: after this they are as of now. */
static void
merge_all(Refreshing *refreshing)
{
	ListCell   *cell;

	foreach(cell, refreshing->names.indexes)
	{
		Oid			index = lfirst_oid(cell);
		Oid			table = IndexGetRelation(index, true);

		if (OidIsValid(table) &&
			(RECSYS_OWNS_RELATION(index) || RECSYS_MAY_MAINTAIN(table)))
			take_step(refreshing, psprintf("index %s", RecsysKeptName(index)), merge_index, &index);
	}
}

static void
report(const Refreshing *refreshing)
{
	if (refreshing->steps == 0)
		ereport(NOTICE,
				(errmsg("nothing of recommender \"%s\" is to be refreshed by you", refreshing->names.name),
				 errdetail("Lists are refreshed by the owner of a declared recommender, and materialized views by theirs.")));
	if (refreshing->failures > 0)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
				 errmsg("%d of %d could not be refreshed: %s", refreshing->failures, refreshing->steps,
						refreshing->failed.data),
				 refreshing->commits ? errdetail("The others have been refreshed.") :
				 errdetail("Within a transaction all of it is undone."),
				 errhint("The warnings say why. When that is mended: CALL recsys.refresh(%s);",
						 quote_literal_cstr(refreshing->names.name))));
}

/* A procedure; argument: recommender */
Datum
recsys_refresh(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "recommender");
	bool		is_call = fcinfo->context != NULL && IsA(fcinfo->context, CallContext);
	Refreshing	refreshing = {0};
	bool		has_lists;

	RecsysRefuseInRecovery("recsys.refresh()");
	PreventCommandIfReadOnly("recsys.refresh()");
	refreshing.commits = is_call && !castNode(CallContext, fcinfo->context)->atomic;

	/* from here on memory is SPI's for the call, which outlives commits */
	if (SPI_connect_ext(refreshing.commits ? SPI_OPT_NONATOMIC : 0) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect_ext failed");
	initStringInfo(&refreshing.failed);
	has_lists = find_names(name, &refreshing.names);
	refresh_all(&refreshing, RecsysQueueSources(&refreshing.names));
	merge_all(&refreshing);
	if (has_lists)
		take_step(&refreshing, psprintf("the lists of recommender \"%s\"", refreshing.names.name),
				  refresh_lists, unconstify(char *, refreshing.names.name));
	refresh_all(&refreshing, RecsysQueueViews(&refreshing.names));
	report(&refreshing);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	return (Datum) 0;
}
