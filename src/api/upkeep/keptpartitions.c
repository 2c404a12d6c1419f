/*
 * keptpartitions.c
 *	  Tables whose partitions recsys.maintain keeps: the rows of recsys.kept_partition.
 *
 * Tables and roles stand there by their names, as all that is declared: so a dump brings them along.
 * The rows belong to a superuser, since they say with whose rights tables are dropped; see keeper.h.
 */
#include "postgres.h"

#include "am/entry/shells.h"
#include "api/call/rights.h"
#include "api/keep/keeper.h"
#include "api/upkeep/keptpartitions.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#define KEPT "kept_partition"

static Datum
column(int row, int number, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, isnull);
}

static char *
text_column(int row, int number)
{
	bool		isnull;

	return TextDatumGetCString(column(row, number, &isnull));
}

static Interval *
interval_column(int row, int number)
{
	bool		isnull;
	Datum		value = column(row, number, &isnull);
	Interval   *interval;

	if (isnull)
		return NULL;
	interval = palloc(sizeof(Interval));
	*interval = *DatumGetIntervalP(value);
	return interval;
}

static RecsysKeptPartitions *
read_row(int row)
{
	RecsysKeptPartitions *kept = palloc(sizeof(RecsysKeptPartitions));

	kept->schema = text_column(row, 1);
	kept->table = text_column(row, 2);
	kept->role = text_column(row, 3);
	kept->every = interval_column(row, 4);
	kept->keep = interval_column(row, 5);
	kept->ahead = interval_column(row, 6);
	return kept;
}

List *
RecsysReadKeptPartitions(void)
{
	MemoryContext context = CurrentMemoryContext;
	MemoryContext old;
	RecsysRights before;
	List	   *all = NIL;
	int			n;

	RecsysBeginAsOwnerOf(KEPT, &before);
	n = (int) RecsysKeeperQuery("SELECT schema_name, table_name, owner, every, keep, ahead"
								" FROM recsys." KEPT " ORDER BY schema_name, table_name",
								0, NULL, NULL, NULL, false);
	old = MemoryContextSwitchTo(context);
	for (int i = 0; i < n; i++)
		all = lappend(all, read_row(i));
	MemoryContextSwitchTo(old);
	RecsysEndAsKeeper(&before);
	return all;
}

RecsysKeptPartitions *
RecsysFindKeptPartitions(const char *schema, const char *table)
{
	ListCell   *cell;

	foreach(cell, RecsysReadKeptPartitions())
	{
		RecsysKeptPartitions *kept = lfirst(cell);

		if (strcmp(kept->schema, schema) == 0 && strcmp(kept->table, table) == 0)
			return kept;
	}
	return NULL;
}

void
RecsysWriteKeptPartitions(const RecsysKeptPartitions *kept)
{
	static Oid	types[] = {TEXTOID, TEXTOID, TEXTOID, INTERVALOID, INTERVALOID, INTERVALOID};
	Datum		values[6];
	char		nulls[] = "      ";
	RecsysRights before;

	values[0] = CStringGetTextDatum(kept->schema);
	values[1] = CStringGetTextDatum(kept->table);
	values[2] = CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
	values[3] = IntervalPGetDatum(kept->every);
	values[4] = IntervalPGetDatum(kept->keep);
	values[5] = IntervalPGetDatum(kept->ahead);
	if (kept->keep == NULL)
		nulls[4] = 'n';
	RecsysBeginAsOwnerOf(KEPT, &before);
	(void) RecsysKeeperQuery("INSERT INTO recsys." KEPT " (schema_name, table_name, owner, every, keep, ahead)"
							 " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (schema_name, table_name) DO UPDATE"
							 " SET owner = excluded.owner, every = excluded.every, keep = excluded.keep,"
							 " ahead = excluded.ahead, changed_at = now()",
							 lengthof(types), types, values, nulls, false);
	RecsysEndAsKeeper(&before);
}

void
RecsysDeleteKeptPartitions(const RecsysKeptPartitions *kept)
{
	static Oid	types[] = {TEXTOID, TEXTOID};
	Datum		values[2];
	RecsysRights before;

	values[0] = CStringGetTextDatum(kept->schema);
	values[1] = CStringGetTextDatum(kept->table);
	RecsysBeginAsOwnerOf(KEPT, &before);
	(void) RecsysKeeperQuery("DELETE FROM recsys." KEPT " WHERE schema_name = $1 AND table_name = $2",
							 lengthof(types), types, values, NULL, false);
	RecsysEndAsKeeper(&before);
}

char *
RecsysKeptPartitionsName(const RecsysKeptPartitions *kept)
{
	return quote_qualified_identifier(kept->schema, kept->table);
}

Oid
RecsysKeptPartitionsTable(const RecsysKeptPartitions *kept, Oid *owner, char **problem)
{
	Oid			schema = get_namespace_oid(kept->schema, true);
	Oid			table = OidIsValid(schema) ? get_relname_relid(kept->table, schema) : InvalidOid;
	Oid			role = get_role_oid(kept->role, true);

	*owner = OidIsValid(table) ? RecsysRelationOwner(table) : InvalidOid;
	*problem = NULL;
	if (!OidIsValid(*owner))
		*problem = psprintf("the table does not exist: SELECT recsys.leave_partitions(%s);",
							quote_literal_cstr(RecsysKeptPartitionsName(kept)));
	else if (!OidIsValid(role))
		*problem = psprintf("role \"%s\", which has declared it, does not exist: declare it again by recsys.keep_partitions",
							kept->role);
	else if (!has_privs_of_role(role, *owner))
		*problem = psprintf("the table is not that of role \"%s\", which has declared it: declare it again by recsys.keep_partitions",
							kept->role);
	else if (RecsysIsShell(table))
		*problem = psprintf("Citus has distributed the table, and keeps its partitions by create_time_partitions: SELECT recsys.leave_partitions(%s);",
							quote_literal_cstr(RecsysKeptPartitionsName(kept)));
	return *problem == NULL ? table : InvalidOid;
}
