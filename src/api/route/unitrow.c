/*
 * unitrow.c
 *	  What the profile of a user says to an experiment: whether it is for this user, and the segment.
 *
 * The query is prepared once and kept with the recommender, by its text: several experiments may
 * ask alike, and one that has been changed asks something else.
 */
#include "postgres.h"

#include "api/call/distributed.h"
#include "api/call/recommender.h"
#include "api/declare/missing.h"
#include "api/declare/plan.h"
#include "api/declare/servedname.h"
#include "api/profile/keyparameter.h"
#include "api/route/unitrow.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Queries kept at a time with a recommender; one more than these starts anew. */
#define MAX_QUERIES 32

typedef struct KnownQuery
{
	char	   *text;
	RecsysPlan *plan;
	RecsysKeyParameter user;
	int			runs;			/* calls that are running it */
} KnownQuery;

/* For the context of errors */
typedef struct Reading
{
	const RecsysExperiment *experiment;
	const char *query;
} Reading;

/* Which part of the experiment stands at a place of the query, as errors have it */
static const char *
part_at(const Reading *reading, int position)
{
	const char *place = reading->query;
	const char *eligible;
	const char *segment;

	if (reading->query == NULL || position <= 0)
		return NULL;
	while (--position > 0 && *place != '\0')
		place += pg_mblen(place);
	eligible = reading->experiment->eligible;
	segment = reading->experiment->segment;
	if (eligible != NULL && place - reading->query < (int) (strlen("SELECT (") + strlen(eligible)))
		return "eligible";
	return segment == NULL ? NULL : "segment";
}

static void
add_context(void *arg)
{
	const Reading *reading = arg;
	const char *name = reading->experiment->name;
	const char *part = part_at(reading, getinternalerrposition());

	if (part == NULL)
		part = reading->experiment->segment == NULL ? "eligible" :
			reading->experiment->eligible == NULL ? "segment" : NULL;
	if (part == NULL)
		errcontext("\"eligible\" or \"segment\" of experiment \"%s\"", name);
	else
		errcontext("\"%s\" of experiment \"%s\"", part, name);
	if (RecsysIsMissing(geterrcode()))
		errhint("Declare it anew by recsys.alter_experiment, or do without: SELECT recsys.alter_experiment(%s, reset => '{%s}');",
				quote_literal_cstr(name), part == NULL ? "eligible,segment" : part);
}

static char *
query_of(const RecsysExperiment *experiment, const RecsysDefinition *definition,
		 const RecsysKeyParameter *user)
{
	StringInfoData query;
	char	   *column = psprintf("%s.%s", definition->profiles_alias, definition->profile_key);

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT (%s) IS TRUE, (%s)::pg_catalog.text FROM %s AS %s WHERE %s = $1 LIMIT 1",
					 experiment->eligible == NULL ? "true" : experiment->eligible,
					 experiment->segment == NULL ? "NULL" : experiment->segment,
					 definition->profiles, definition->profiles_alias, RecsysKeyColumn(user, column));
	return query.data;
}

static void
forget_queries(RecsysShop *shop)
{
	List	   *kept = NIL;
	ListCell   *cell;

	foreach(cell, shop->unit_queries)
	{
		KnownQuery *known = lfirst(cell);

		if (known->runs > 0)
			kept = lappend(kept, known);
		else
		{
			RecsysPlanFree(shop, known->plan);
			pfree(known->text);
			pfree(known);
		}
	}
	list_free(shop->unit_queries);
	shop->unit_queries = kept;
}

static KnownQuery *
get_query(RecsysShop *shop, const char *text, const RecsysKeyParameter *user)
{
	KnownQuery *known;
	RecsysPlan *plan;
	Oid			type = user->type;
	MemoryContext old;
	ListCell   *cell;

	foreach(cell, shop->unit_queries)
	{
		known = lfirst(cell);
		if (strcmp(known->text, text) == 0 && known->user.type == user->type)
			return known;
	}
	plan = RecsysPlanPrepare(shop, "profiles", text, 1, &type);
	old = MemoryContextSwitchTo(shop->context);
	if (list_length(shop->unit_queries) >= MAX_QUERIES)
		forget_queries(shop);
	known = palloc(sizeof(KnownQuery));
	known->text = pstrdup(text);
	known->plan = plan;
	known->plan->by_first = true;
	known->user = *user;
	known->runs = 0;
	shop->unit_queries = lappend(shop->unit_queries, known);
	MemoryContextSwitchTo(old);
	return known;
}

/* The recommender whose profiles are read */
static RecsysShop *
shop_of(const RecsysExperiment *experiment)
{
	const char *name = experiment->variants[0].recommender;
	RecsysShop *shop = RecsysServedShop(name);

	if (shop == NULL || shop->definition->profiles == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommender \"%s\", the first variant's, has no profiles", name),
				 errhint("Declare them by recsys.alter_recommender, or do without: SELECT recsys.alter_experiment(%s, reset => '{%s}');",
						 quote_literal_cstr(experiment->name),
						 experiment->segment == NULL ? "eligible" :
						 experiment->eligible == NULL ? "segment" : "eligible,segment")));
	return shop;
}

static void
read_key(const RecsysShop *shop, const char *user, RecsysKeyParameter *parameter, RecsysKey *key)
{
	const RecsysDefinition *definition = shop->definition;
	RecsysRecommender first;
	RecsysKeyKind kind;
	Oid			type = RecsysTypeOfColumn(definition->profiles, definition->profile_key);

	RecsysOpenUndivided(definition->signals[0].events, &first);
	RecsysKeyFromText(first.columns.user_type, user, key);
	kind = first.columns.user_kind;
	RecsysCloseRecommender(&first);

	/* what does not exist is said by the server, with its place in the query */
	if (!RecsysGetKeyParameter(OidIsValid(type) ? type : RecsysKeyKindType(kind), kind, parameter))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column %s of %s is of type %s", definition->profile_key,
						definition->profiles, format_type_be(type)),
				 errdetail("Keys of recommender \"%s\" are %s there.", definition->name,
						   RecsysKeyKindName(kind))));
}

static void
run_query(KnownQuery *known, const RecsysKey *key, MemoryContext context, RecsysUnitRow *row)
{
	Datum		value = RecsysKeyValue(&known->user, key);
	bool		isnull;
	char	   *segment;

	known->runs++;
	PG_TRY();
	{
		RecsysPlanRun(known->plan, &value, NULL, 1);
	}
	PG_FINALLY();
	{
		known->runs--;
	}
	PG_END_TRY();
	if (SPI_processed == 0)
		return;
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	row->eligible = !isnull && DatumGetBool(value);
	segment = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	row->segment = segment == NULL ? NULL : MemoryContextStrdup(context, segment);
}

void
RecsysReadUnitRow(const RecsysExperiment *experiment, const char *user, RecsysUnitRow *row)
{
	MemoryContext context = CurrentMemoryContext;
	Reading		reading = {.experiment = experiment};
	ErrorContextCallback callback = {error_context_stack, add_context, &reading};
	RecsysShop *shop = shop_of(experiment);
	RecsysKeyParameter parameter;
	RecsysKey	key;

	row->eligible = experiment->eligible == NULL;
	row->segment = NULL;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	RecsysUseShop(shop);
	read_key(shop, user, &parameter, &key);
	error_context_stack = &callback;
	reading.query = query_of(experiment, shop->definition, &parameter);
	run_query(get_query(shop, reading.query, &parameter), &key, context, row);
	error_context_stack = callback.previous;
	RecsysReleaseShop(shop);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}
