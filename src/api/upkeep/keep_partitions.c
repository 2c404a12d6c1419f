/*
 * keep_partitions.c
 *	  SQL functions that keep the partitions of tables by time: recsys.keep_partitions and its kin.
 *
 * Whoever owns a table declares it once; recsys.maintain then sees to the table each time, and who
 * does not own the extension calls recsys.maintain_partitions instead.
 */
#include "postgres.h"

#include "access/relation.h"
#include "am/entry/shells.h"
#include "am/store/indexname.h"
#include "api/call/arguments.h"
#include "api/call/commands.h"
#include "api/call/rights.h"
#include "api/upkeep/partitionsteps.h"
#include "api/upkeep/timepartitions.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "source/input/values.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(recsys_keep_partitions);
PG_FUNCTION_INFO_V1(recsys_leave_partitions);
PG_FUNCTION_INFO_V1(recsys_maintain_partitions);
PG_FUNCTION_INFO_V1(recsys_table_partitions);

/* Of what is kept: a time of today less so much is one that there is */
#define MOST_YEARS 100

/* Partitions that are made ahead */
#define MOST_AHEAD 1000

static void
begin_command(const char *command)
{
	RecsysRefuseInRecovery(command);
	PreventCommandIfReadOnly(command);
	PreventCommandIfParallelMode(command);
}

static RangeVar *
range_of(const char *name)
{
	return makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name)));
}

/* A table of the caller's; *found gets its partitions. */
static Oid
find_table(const char *name, RecsysTimePartitions *found)
{
	Oid			oid = RangeVarGetRelid(range_of(name), AccessShareLock, false);
	Relation	table;

	if (!RECSYS_OWNS_RELATION(oid))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(get_rel_relkind(oid)), get_rel_name(oid));
	table = relation_open(oid, NoLock);
	if (RELATION_IS_OTHER_TEMP(table) || table->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("partitions of a temporary table cannot be kept"),
				 errdetail("\"%s\" is one, and the definition outlives it.", get_rel_name(oid))));
	if (OidIsValid(getExtensionOfObject(RelationRelationId, oid)))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" belongs to an extension, which keeps its partitions itself", get_rel_name(oid)),
				 errhint("How long the log is kept is set so: SELECT recsys.configure_log(retention => '400 days');")));
	if (RecsysIsShell(oid))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("partitions of table \"%s\" are kept by Citus, which has distributed it", get_rel_name(oid)),
				 errhint("Call its functions by a schedule: SELECT create_time_partitions(%s, '1 month', now() + interval '3 months'); CALL drop_old_time_partitions(%s, now() - interval '3 years');",
						 quote_literal_cstr(RecsysQualifiedName(oid)), quote_literal_cstr(RecsysQualifiedName(oid)))));
	if (!RecsysReadTimePartitions(table, found))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not partitioned by range of a time", get_rel_name(oid)),
				 errdetail("Partitions are kept of a table that is partitioned by range of one column of type timestamptz, timestamp or date."),
				 errhint("Create it anew with PARTITION BY RANGE and that column.")));
	relation_close(table, NoLock);
	return oid;
}

static Interval *
interval_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : PG_GETARG_INTERVAL_P(argument);
}

static void
check_span(const Interval *span, const char *name, double least, const char *least_text)
{
	double		length;

	if (span == NULL)
		return;
	length = RecsysIntervalMicroseconds(span);
	if (!(length >= least && length <= MOST_YEARS * DAYS_PER_YEAR * (double) USECS_PER_DAY))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between %s and %d years", name, least_text, MOST_YEARS)));
}

static void
check_lengths(const RecsysKeptPartitions *kept, Oid type)
{
	if (kept->every == NULL || !RecsysIsPeriod(kept->every, type))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("every must be whole months, or days and hours, between an hour and ten years"),
				 type == DATEOID ? errdetail("Partitions of a column of type date are of whole days.") : 0,
				 errhint("Pass, for example, interval '1 day' or interval '1 month'.")));
	check_span(kept->keep, "keep", USECS_PER_HOUR, "an hour");
	if (kept->ahead == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("ahead must not be NULL")));
	check_span(kept->ahead, "ahead", 0, "0");
	if (RecsysIntervalMicroseconds(kept->ahead) / RecsysIntervalMicroseconds(kept->every) > MOST_AHEAD)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ahead is more than %d partitions", MOST_AHEAD)));
}

/* Arguments: target, every, keep, ahead */
Datum
recsys_keep_partitions(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "target");
	RecsysKeptPartitions kept;
	RecsysTimePartitions found;
	RecsysUpkeep upkeep;
	Oid			table;

	begin_command("recsys.keep_partitions()");
	InitMaterializedSRF(fcinfo, 0);
	upkeep.result = (ReturnSetInfo *) fcinfo->resultinfo;
	table = find_table(name, &found);
	kept.schema = get_namespace_name(get_rel_namespace(table));
	kept.table = get_rel_name(table);
	kept.role = GetUserNameFromId(GetUserId(), false);
	kept.every = interval_argument(fcinfo, 1);
	kept.keep = interval_argument(fcinfo, 2);
	kept.ahead = interval_argument(fcinfo, 3);
	check_lengths(&kept, found.type);
	RecsysWriteKeptPartitions(&kept);
	RecsysBeginPartitions(&upkeep, &kept);
	return (Datum) 0;
}

/* By the owner of the table, or where it has gone, by who has declared it */
static bool
may_leave(const RecsysKeptPartitions *kept)
{
	Oid			schema = get_namespace_oid(kept->schema, true);
	Oid			table = OidIsValid(schema) ? get_relname_relid(kept->table, schema) : InvalidOid;
	Oid			role = get_role_oid(kept->role, true);

	if (superuser() || (OidIsValid(role) && has_privs_of_role(GetUserId(), role)))
		return true;
	return OidIsValid(table) && RECSYS_OWNS_RELATION(table);
}

/*
 * What is declared of a table by that name, which need not be there any more.  Without a schema it is
 * looked for along the search path, and among those of which there is no table.
 */
static RecsysKeptPartitions *
find_kept(const char *name)
{
	RangeVar   *range = range_of(name);
	ListCell   *cell;

	if (range->schemaname != NULL)
		return RecsysFindKeptPartitions(range->schemaname, range->relname);
	foreach(cell, fetch_search_path(false))
	{
		char	   *schema = get_namespace_name(lfirst_oid(cell));
		RecsysKeptPartitions *kept = schema == NULL ? NULL : RecsysFindKeptPartitions(schema, range->relname);

		if (kept != NULL)
			return kept;
	}
	return NULL;
}

Datum
recsys_leave_partitions(PG_FUNCTION_ARGS)
{
	RecsysKeptPartitions *kept;

	begin_command("recsys.leave_partitions()");
	kept = find_kept(RecsysArgQuery(fcinfo, 0, "target"));
	if (kept == NULL)
		PG_RETURN_BOOL(false);
	if (!may_leave(kept))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of table %s", kept->table)));
	RecsysDeleteKeptPartitions(kept);
	PG_RETURN_BOOL(true);
}

/* Those of the caller's, of one table or all */
static List *
kept_of_caller(const char *name)
{
	List	   *mine = NIL;
	ListCell   *cell;

	if (name != NULL)
	{
		RecsysKeptPartitions *kept = find_kept(name);

		if (kept == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("partitions of \"%s\" are not kept", name),
					 errhint("SELECT * FROM recsys.keep_partitions(%s);", quote_literal_cstr(name))));
		if (!may_leave(kept))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("must be owner of table %s", kept->table)));
		return list_make1(kept);
	}
	foreach(cell, RecsysReadKeptPartitions())
		if (may_leave(lfirst(cell)))
			mine = lappend(mine, lfirst(cell));
	return mine;
}

Datum
recsys_maintain_partitions(PG_FUNCTION_ARGS)
{
	RecsysUpkeep upkeep;
	List	   *kept;

	begin_command("recsys.maintain_partitions()");
	InitMaterializedSRF(fcinfo, 0);
	upkeep.result = (ReturnSetInfo *) fcinfo->resultinfo;
	kept = kept_of_caller(RecsysArgText(fcinfo, 0));
	RecsysDeleteExpired(&upkeep, kept);
	RecsysKeepPartitions(&upkeep, kept);
	return (Datum) 0;
}

static void
put_partition(ReturnSetInfo *result, Oid partition, TimestampTz low, TimestampTz high, bool is_default)
{
	Datum		values[4];
	bool		isnull[4] = {false, is_default, is_default, false};

	values[0] = ObjectIdGetDatum(partition);
	values[1] = TimestampTzGetDatum(low);
	values[2] = TimestampTzGetDatum(high);
	values[3] = BoolGetDatum(is_default);
	tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
}

/*
 * No rows for what is no such table, and one without anything for what somebody has locked: views call it,
 * for all tables that are kept, and are not to wait for any.
 */
Datum
recsys_table_partitions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RecsysTimePartitions found;
	Relation	table;

	InitMaterializedSRF(fcinfo, 0);
	if (get_rel_relkind(PG_GETARG_OID(0)) != RELKIND_PARTITIONED_TABLE)
		return (Datum) 0;
	if (!ConditionalLockRelationOid(PG_GETARG_OID(0), AccessShareLock))
	{
		Datum		values[4] = {0};
		bool		isnull[4] = {true, true, true, true};

		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
		return (Datum) 0;
	}
	table = try_relation_open(PG_GETARG_OID(0), NoLock);
	if (table == NULL)
	{
		UnlockRelationOid(PG_GETARG_OID(0), AccessShareLock);
		return (Datum) 0;
	}
	if (RecsysReadTimePartitions(table, &found))
	{
		for (int i = 0; i < found.n; i++)
			put_partition(result, found.partitions[i].oid, found.partitions[i].low, found.partitions[i].high, false);
		if (OidIsValid(found.default_partition))
			put_partition(result, found.default_partition, 0, 0, true);
	}
	relation_close(table, AccessShareLock);
	return (Datum) 0;
}
