/*
 * keeper.c
 *	  Queries on the extension's own tables, run with the rights of their owner, the keeper.
 *
 * The keeper is the owner of the extension, who need not be a superuser: what stands in these
 * tables, or is done to them, lends nobody more rights than that one has.  The operation is
 * security-restricted: a trigger of the keeper's that is deferred would run when the caller, who may be
 * a superuser, has his own rights back.
 */
#include "postgres.h"

#include "api/call/rights.h"
#include "api/keep/keeper.h"
#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

Oid
RecsysKeptTable(const char *name)
{
	Oid			schema = get_namespace_oid("recsys", true);

	return OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
}

/* InvalidOid where there is no such table: the extension is of an older version. */
static Oid
owner_of(const char *name)
{
	Oid			table = RecsysKeptTable(name);

	return OidIsValid(table) ? RecsysRelationOwner(table) : InvalidOid;
}

Oid
RecsysKeeper(void)
{
	return owner_of("request_log");
}

void
RecsysBeginAsKeeper(RecsysRights *before)
{
	RecsysBeginAsOwnerOf("request_log", before);
}

void
RecsysBeginAsOwnerOf(const char *table, RecsysRights *before)
{
	Oid			role = owner_of(table);

	if (!OidIsValid(role))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table recsys.%s does not exist", table),
				 errhint("ALTER EXTENSION recsys UPDATE;")));
	GetUserIdAndSecContext(&before->caller, &before->security);
	SetUserIdAndSecContext(role, before->security | SECURITY_RESTRICTED_OPERATION);
	before->nestlevel = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

void
RecsysEndAsKeeper(const RecsysRights *before)
{
	RecsysEndQueriesAs(before);
}

bool
RecsysIsKeeper(void)
{
	Oid			role = RecsysKeeper();

	return OidIsValid(role) && has_privs_of_role(GetUserId(), role);
}

void
RecsysNeedKeeper(const char *function)
{
	if (!RecsysIsKeeper())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for %s", function),
				 errdetail("It is for the owner of the extension and for members of that role.")));
}

SPIPlanPtr
RecsysKeeperPlan(SPIPlanPtr *kept, const char *query, int nargs, Oid *types)
{
	if (*kept == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare(query, nargs, types);

		if (plan == NULL)
			elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
		if (SPI_keepplan(plan) != 0)
			elog(ERROR, "SPI_keepplan failed");
		*kept = plan;
	}
	return *kept;
}

uint64
RecsysKeeperRun(SPIPlanPtr plan, Datum *values, const char *nulls, bool read_only)
{
	int			result = SPI_execute_plan(plan, values, nulls, read_only, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

uint64
RecsysKeeperQuery(const char *query, int nargs, Oid *types, Datum *values, const char *nulls,
				  bool read_only)
{
	int			result = SPI_execute_with_args(query, nargs, types, values, nulls, read_only, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

void
RecsysNeedTypes(const Oid *types, int n)
{
	for (int i = 0; i < n; i++)
	{
		Oid			type = SPI_gettypeid(SPI_tuptable->tupdesc, i + 1);

		if (type != types[i])
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column %s of a table of the extension is of type %s, and not %s",
							SPI_fname(SPI_tuptable->tupdesc, i + 1), format_type_be(type),
							format_type_be(types[i]))));
	}
}
