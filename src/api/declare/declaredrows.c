/*
 * declaredrows.c
 *	  The rows of recsys.recommender.
 *
 * Each call of a function that serves looks at one row, so that is read by its index without
 * a query.  Writing is rare and goes by queries, with the rights of the table's owner: nobody
 * else has any.  Names are compared as bytes: the column's collation is "C".
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "api/call/distributed.h"
#include "api/declare/declaredrows.h"
#include "api/here/sharedtable.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Its columns */
#define NAME_COLUMN 1
#define OWNER_COLUMN 2
#define DEFINITION_COLUMN 3

static Oid
find_table(const char *name)
{
	Oid			schema = get_namespace_oid("recsys", true);

	return OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
}

Oid
RecsysShopTable(const char *name)
{
	Oid			table = find_table(name);

	if (!OidIsValid(table))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"recsys.%s\" does not exist", name),
				 errhint("ALTER EXTENSION recsys UPDATE;")));
	return table;
}

bool
RecsysSameVersion(const RecsysRowVersion *a, const RecsysRowVersion *b)
{
	return a->table == b->table && ItemPointerEquals(unconstify(ItemPointerData *, &a->place),
													 unconstify(ItemPointerData *, &b->place)) &&
		a->creator == b->creator && a->command == b->command;
}

Relation
RecsysOpenShopTable(const char *name)
{
	Oid			table = find_table(name);

	/* of a reference table of Citus it is this node's copy that has the rows */
	if (OidIsValid(table))
		table = RecsysLocalCopy(table);
	return OidIsValid(table) ? try_table_open(table, AccessShareLock) : NULL;
}

SysScanDesc
RecsysScanNamed(Relation table, const char *name, HeapTuple *tuple, RecsysRowVersion *version)
{
	ScanKeyData key;
	SysScanDesc scan;

	list_free(RelationGetIndexList(table));
	ScanKeyInit(&key, NAME_COLUMN, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));
	scan = systable_beginscan(table, table->rd_pkindex, OidIsValid(table->rd_pkindex),
							  GetActiveSnapshot(), 1, &key);
	*tuple = systable_getnext(scan);
	if (HeapTupleIsValid(*tuple))
	{
		version->table = RelationGetRelid(table);
		version->place = (*tuple)->t_self;
		version->creator = HeapTupleHeaderGetRawXmin((*tuple)->t_data);
		version->command = HeapTupleHeaderGetRawCommandId((*tuple)->t_data);
	}
	return scan;
}

static Relation
open_declared(void)
{
	return RecsysOpenShopTable("recommender");
}

static void
form_row(HeapTuple tuple, TupleDesc descriptor, RecsysDeclaredRow *row)
{
	Datum		values[DEFINITION_COLUMN];
	bool		isnull[DEFINITION_COLUMN];

	for (int i = 0; i < DEFINITION_COLUMN; i++)
	{
		values[i] = heap_getattr(tuple, i + 1, descriptor, &isnull[i]);
		if (isnull[i])
			elog(ERROR, "column %d of recsys.recommender is null", i + 1);
	}
	row->name = TextDatumGetCString(values[NAME_COLUMN - 1]);
	row->owner = TextDatumGetCString(values[OWNER_COLUMN - 1]);
	row->definition = DatumGetJsonbPCopy(values[DEFINITION_COLUMN - 1]);
}

/* The row of that name in a table with these columns, which is closed */
static bool
find_in(Relation table, const char *name, RecsysDeclaredRow *row, RecsysRowVersion *version)
{
	RecsysRowVersion seen;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	if (table == NULL)
		return false;
	scan = RecsysScanNamed(table, name, &tuple, &seen);
	found = HeapTupleIsValid(tuple);
	if (found && !RecsysSameVersion(&seen, version))
	{
		form_row(tuple, RelationGetDescr(table), row);
		*version = seen;
	}
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return found;
}

/* What the coordinator has shared comes first: nobody takes its name on another node. */
bool
RecsysFindDeclared(const char *name, RecsysDeclaredRow *row, RecsysRowVersion *version)
{
	return find_in(RecsysOpenSharedOfOthers("distributed_shop"), name, row, version) ||
		find_in(open_declared(), name, row, version);
}

bool
RecsysIsShared(const char *name)
{
	Relation	table = RecsysOpenShared("distributed_shop");
	RecsysRowVersion version;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	if (table == NULL)
		return false;
	scan = RecsysScanNamed(table, name, &tuple, &version);
	found = HeapTupleIsValid(tuple);
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return found;
}

bool
RecsysIsSharedNow(const char *name)
{
	bool		shared;

	PushActiveSnapshot(GetLatestSnapshot());
	shared = RecsysIsShared(name);
	PopActiveSnapshot();
	return shared;
}

static bool
has_name(List *rows, const char *name)
{
	ListCell   *cell;

	foreach(cell, rows)
		if (strcmp(((RecsysDeclaredRow *) lfirst(cell))->name, name) == 0)
			return true;
	return false;
}

/* The rows of a table with these columns, which is closed, behind those that are there */
static List *
add_rows(List *rows, Relation table)
{
	SysScanDesc scan;
	HeapTuple	tuple;

	if (table == NULL)
		return rows;

	/* nothing to be seen, as in most shops with one index; a serializable transaction notes that it has looked */
	if (!IsolationIsSerializable() && RelationGetNumberOfBlocks(table) == 0)
	{
		table_close(table, AccessShareLock);
		return rows;
	}
	scan = systable_beginscan(table, InvalidOid, false, GetActiveSnapshot(), 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		RecsysDeclaredRow *row = palloc(sizeof(RecsysDeclaredRow));

		form_row(tuple, RelationGetDescr(table), row);
		if (!has_name(rows, row->name))
			rows = lappend(rows, row);
	}
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return rows;
}

List *
RecsysAllDeclared(void)
{
	return add_rows(add_rows(NIL, RecsysOpenSharedOfOthers("distributed_shop")), open_declared());
}

/*
 * Runs a command with parameters $1, $2 and $3 for name, owner, or another name, and definition;
 * returns how many rows it has found, the first of them in *row if that is not NULL.
 */
static uint64
run(const char *command, const char *name, const char *second, Jsonb *definition,
	RecsysDeclaredRow *row)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[] = {TEXTOID, TEXTOID, JSONBOID};
	Datum		values[] = {
		CStringGetTextDatum(name),
		second != NULL ? CStringGetTextDatum(second) : (Datum) 0,
		definition != NULL ? JsonbPGetDatum(definition) : (Datum) 0
	};
	char		nulls[] = {' ', second != NULL ? ' ' : 'n', definition != NULL ? ' ' : 'n', '\0'};
	Relation	table = open_declared();
	Oid			caller;
	int			security;
	uint64		count;

	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table recsys.recommender does not exist"),
				 errhint("ALTER EXTENSION recsys UPDATE;")));
	GetUserIdAndSecContext(&caller, &security);
	SetUserIdAndSecContext(table->rd_rel->relowner, security | SECURITY_LOCAL_USERID_CHANGE);
	table_close(table, AccessShareLock);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args(command, lengthof(types), types, values, nulls, false, 0) < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(SPI_result));
	count = SPI_processed;
	if (count > 0 && row != NULL)
	{
		MemoryContext spi = MemoryContextSwitchTo(context);

		form_row(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, row);
		MemoryContextSwitchTo(spi);
	}
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	SetUserIdAndSecContext(caller, security);
	return count;
}

bool
RecsysLockDeclared(const char *name, RecsysDeclaredRow *row)
{
	return run("SELECT name, owner, definition FROM recsys.recommender"
			   " WHERE name OPERATOR(pg_catalog.=) $1 FOR UPDATE", name, NULL, NULL, row) > 0;
}

bool
RecsysInsertDeclared(const RecsysDeclaredRow *row)
{
	return run("INSERT INTO recsys.recommender (name, owner, definition)"
			   " VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
			   row->name, row->owner, row->definition, NULL) > 0;
}

void
RecsysUpdateDeclared(const RecsysDeclaredRow *row)
{
	(void) run("UPDATE recsys.recommender SET owner = $2, definition = $3, changed_at = pg_catalog.now()"
			   " WHERE name OPERATOR(pg_catalog.=) $1", row->name, row->owner, row->definition, NULL);
}

/* Variants go on being served by what they have been served by. */
static void
rename_in_experiments(const char *name, const char *new_name)
{
	Relation	experiments;

	/* an older version of the extension has none */
	if (!OidIsValid(find_table("experiment")) ||
		(experiments = try_table_open(find_table("experiment"), RowExclusiveLock)) == NULL)
		return;
	(void) run("UPDATE recsys.experiment SET changed_at = pg_catalog.now(),"
			   " definition = pg_catalog.jsonb_set(definition, '{variants}',"
			   "  (SELECT pg_catalog.jsonb_agg(CASE"
			   "    WHEN (v.variant OPERATOR(pg_catalog.->>) 'recommender') OPERATOR(pg_catalog.=) $1"
			   "    THEN pg_catalog.jsonb_set(v.variant, '{recommender}', pg_catalog.to_jsonb($2))"
			   "    ELSE v.variant END ORDER BY v.place)"
			   "   FROM pg_catalog.jsonb_array_elements(definition OPERATOR(pg_catalog.->) 'variants')"
			   "    WITH ORDINALITY AS v (variant, place)))"
			   " WHERE (definition OPERATOR(pg_catalog.->) 'variants') OPERATOR(pg_catalog.@>)"
			   "  pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('recommender', $1))",
			   name, new_name, NULL, NULL);
	table_close(experiments, NoLock);
}

/* By a new row, since only INSERT can be told to go on when there is one of that name. */
bool
RecsysRenameDeclared(const char *name, const char *new_name)
{
	if (run("INSERT INTO recsys.recommender (name, owner, definition, created_at)"
			" SELECT $2, owner, definition, created_at FROM recsys.recommender"
			" WHERE name OPERATOR(pg_catalog.=) $1 ON CONFLICT DO NOTHING",
			name, new_name, NULL, NULL) == 0)
		return false;
	(void) run("UPDATE recsys.popularity SET recommender = $2 WHERE recommender OPERATOR(pg_catalog.=) $1",
			   name, new_name, NULL, NULL);
	(void) run("UPDATE recsys.excluded_pairs SET recommender = $2 WHERE recommender OPERATOR(pg_catalog.=) $1",
			   name, new_name, NULL, NULL);
	(void) run("UPDATE recsys.content_weight SET recommender = $2 WHERE recommender OPERATOR(pg_catalog.=) $1",
			   name, new_name, NULL, NULL);
	(void) run("UPDATE recsys.basket_mix SET recommender = $2 WHERE recommender OPERATOR(pg_catalog.=) $1",
			   name, new_name, NULL, NULL);
	rename_in_experiments(name, new_name);
	RecsysDeleteDeclared(name);
	return true;
}

void
RecsysDeleteDeclared(const char *name)
{
	(void) run("DELETE FROM recsys.recommender WHERE name OPERATOR(pg_catalog.=) $1",
			   name, NULL, NULL, NULL);

	/* nothing else refers to it, as there are rows of indexes, too */
	(void) run("DELETE FROM recsys.basket_mix WHERE recommender OPERATOR(pg_catalog.=) $1",
			   name, NULL, NULL, NULL);
}
