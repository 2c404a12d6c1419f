/*
 * create_views.c
 *	  recsys.create_views(): the materialized views that a shop wants, and views over them.
 *
 * They are plain objects of who has them made, so a dump brings them along.  All is made in one
 * transaction.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/call/commands.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "api/operate/queryanswer.h"
#include "api/views/viewmaking.h"
#include "api/views/viewsource.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(recsys_create_views);
PG_FUNCTION_INFO_V1(recsys_drop_views);

/*
 * Locked against others that make views in it, and against being dropped, if the caller may use it:
 * else anybody could keep its owner waiting.
 */
static Oid
find_schema(const char *name)
{
	Oid			schema = RecsysSchemaNamed(name);
	AclResult	allowed = RECSYS_SCHEMA_ACLCHECK(schema, ACL_USAGE);

	if (allowed != ACLCHECK_OK)
		aclcheck_error(allowed, OBJECT_SCHEMA, name);
	LockDatabaseObject(NamespaceRelationId, schema, 0, ShareUpdateExclusiveLock);
	return RecsysSchemaNamed(name);
}

/* Roles as SQL: the name public is everybody. */
static List *
find_readers(FunctionCallInfo fcinfo, int argument)
{
	List	   *readers = NIL;
	Datum	   *values;
	bool	   *nulls;
	int			count;

	if (!RecsysHasArgument(fcinfo, argument))
		return NIL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls,
					  &count);
	for (int i = 0; i < count; i++)
	{
		char	   *name;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("readers must not contain NULL")));
		name = TextDatumGetCString(values[i]);
		if (pg_strcasecmp(name, "public") == 0 && !OidIsValid(get_role_oid(name, true)))
			readers = lappend(readers, "PUBLIC");
		else
		{
			(void) get_role_oid(name, false);
			readers = lappend(readers, pstrdup(quote_identifier(name)));
		}
	}
	return readers;
}

/* Who may use the schema already is granted nothing: who makes views in it may not own it. */
static void
grant_schema(const RecsysViewMaking *making)
{
	ListCell   *cell;

	foreach(cell, making->readers)
	{
		const char *reader = lfirst(cell);
		bool		everybody = strcmp(reader, "PUBLIC") == 0;
		static Oid	types[] = {OIDOID, TEXTOID};
		Datum		values[] = {ObjectIdGetDatum(making->schema_oid), CStringGetTextDatum(reader)};
		bool		isnull;

		if (SPI_execute_with_args(psprintf("SELECT EXISTS (SELECT FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(n.nspacl) AS a"
										   " WHERE n.oid = $1 AND a.privilege_type = 'USAGE' AND (a.grantee = 0%s))",
										   everybody ? " AND $2 IS NOT NULL" :
										   " OR pg_has_role($2::regrole::oid, a.grantee, 'USAGE')"),
								  2, types, values, NULL, false, 1) != SPI_OK_SELECT)
			elog(ERROR, "could not read the rights of schema %s", making->schema);
		if (!DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull)))
			RecsysRunCommand(psprintf("GRANT USAGE ON SCHEMA %s TO %s", making->schema, reader));
	}
}

/* Without them lists of segments would be empty until the first recsys.refresh. */
static void
refresh_first(const RecsysViewMaking *making)
{
	const RecsysViewSource *source = making->source;
	Oid			owner;

	if (source->shop == NULL || !making->with_data)
		return;
	owner = get_role_oid(source->shop->definition->owner, true);
	if (!OidIsValid(owner) || !has_privs_of_role(GetUserId(), owner))
		return;
	RecsysRunCommand(psprintf("SELECT recsys.refresh_recommender(r.name) FROM recsys.recommender AS r WHERE r.name = %s AND NOT EXISTS (SELECT FROM recsys.popular_lists(r.name))",
				 source->literal));
}

static void
put(ReturnSetInfo *result, const char *schema, const char *view, const char *action)
{
	Datum		values[3];
	bool		isnull[3] = {false, false, false};

	values[0] = CStringGetTextDatum(psprintf("%s.%s", schema, view));
	values[1] = CStringGetTextDatum(RecsysMaterializedName(schema, view));
	values[2] = CStringGetTextDatum(action);
	tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
}

static void
make_all(const RecsysViewMaking *making, ReturnSetInfo *result, char **query)
{
	RecsysViewPair **pairs = palloc(sizeof(RecsysViewPair *) * RecsysReadyViewCount);

	grant_schema(making);
	refresh_first(making);
	for (int i = 0; i < RecsysReadyViewCount; i++)
		pairs[i] = RecsysPrepareView(making, &RecsysReadyViews[i], query);
	*query = NULL;
	for (int i = 0; i < RecsysReadyViewCount; i++)
	{
		const char *action = RecsysFinishView(pairs[i]);

		if (action != NULL)
			put(result, making->schema, RecsysReadyViews[i].name, action);
	}
}

/* An error in what is declared tells the part that it is in, instead of a query of a page. */
static void
make_of_shop(const RecsysViewMaking *making, ReturnSetInfo *result, MemoryContext context)
{
	char	  **query = MemoryContextAllocZero(context, sizeof(char *));

	PG_TRY();
	{
		make_all(making, result, query);
	}
	PG_CATCH();
	{
		RecsysRethrowOfShop(making->source->shop, *query, context);
	}
	PG_END_TRY();
}

static void
refuse_read_only(const char *function)
{
	RecsysRefuseInRecovery(function);
	PreventCommandIfReadOnly(function);
	PreventCommandIfParallelMode(function);
}

static void
read_rule_arguments(FunctionCallInfo fcinfo, RecsysViewSource *source)
{
	if (!PG_ARGISNULL(3))
	{
		source->min_support = RecsysArgDouble(fcinfo, 3, "min_support", 0, PG_INT32_MAX);
		if (source->min_support == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("min_support must be more than 0"),
					 errhint("Pass NULL for one that suits the data.")));
	}
	source->min_confidence = RecsysArgDouble(fcinfo, 4, "min_confidence", 0, 1);
	source->max_length = RecsysArgInteger(fcinfo, 5, "max_length", 2, 10);
}

Datum
recsys_create_views(PG_FUNCTION_ARGS)
{
	char	   *recommender = RecsysArgQuery(fcinfo, 0, "recommender");
	char	   *schema = RecsysArgQuery(fcinfo, 1, "schema");
	RecsysViewSource source;
	RecsysViewMaking making = {.source = &source};
	MemoryContext context = CurrentMemoryContext;
	ReturnSetInfo *result;
	char	   *query = NULL;
	int			nestlevel;

	refuse_read_only("recsys.create_views()");
	InitMaterializedSRF(fcinfo, 0);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	making.readers = find_readers(fcinfo, 2);
	making.with_data = RecsysArgFlag(fcinfo, 6, "with_data");
	making.schema_oid = find_schema(schema);
	making.schema = pstrdup(quote_identifier(schema));
	RecsysFindViewSource(recommender, &source);
	read_rule_arguments(fcinfo, &source);

	nestlevel = RecsysBeginPlainNames();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (source.shop != NULL)
		make_of_shop(&making, result, context);
	else
		make_all(&making, result, &query);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	RecsysEndPlainNames(nestlevel);
	if (source.shop != NULL)
		RecsysReleaseShop(source.shop);
	return (Datum) 0;
}

/* Arguments: recommender, which may be gone already, and schema */
Datum
recsys_drop_views(PG_FUNCTION_ARGS)
{
	const char *recommender = RecsysMarkedName(RecsysArgQuery(fcinfo, 0, "recommender"));
	char	   *schema = RecsysArgQuery(fcinfo, 1, "schema");
	Oid			schema_oid;
	const char *quoted = pstrdup(quote_identifier(schema));
	ReturnSetInfo *result;
	int			nestlevel;
	bool		any = false;

	refuse_read_only("recsys.drop_views()");
	schema_oid = find_schema(schema);
	InitMaterializedSRF(fcinfo, 0);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	nestlevel = RecsysBeginPlainNames();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	for (int i = 0; i < RecsysReadyViewCount; i++)
		if (RecsysDropMadeView(quoted, schema_oid, RecsysReadyViews[i].name, recommender))
		{
			put(result, quoted, RecsysReadyViews[i].name, "dropped");
			any = true;
		}
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	RecsysEndPlainNames(nestlevel);
	if (!any)
		ereport(NOTICE,
				(errmsg("schema \"%s\" has no views of recommender \"%s\"", schema, recommender)));
	return (Datum) 0;
}
