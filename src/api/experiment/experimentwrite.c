/*
 * experimentwrite.c
 *	  Writing the rows of recsys.experiment.
 *
 * With the rights of the table's owner, a superuser: nobody else may say who owns an experiment, as its
 * purchases are read with the rights of that role.  So nothing of anybody else's may run meanwhile; a
 * table of the keeper's with a foreign key to this one would bring its triggers along.
 */
#include "postgres.h"

#include "api/experiment/experimentwrite.h"
#include "api/keep/keeper.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define PARAMETERS 5

static Oid
need_table(void)
{
	Oid			schema = get_namespace_oid("recsys", true);
	Oid			table = OidIsValid(schema) ? get_relname_relid("experiment", schema) : InvalidOid;

	if (!OidIsValid(table))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table recsys.experiment does not exist"),
				 errhint("ALTER EXTENSION recsys UPDATE;")));
	return table;
}

void
RecsysLockExperiments(void)
{
	LockRelationOid(need_table(), ShareRowExclusiveLock);
}

static Datum
time_or_null(TimestampTz time, char *null)
{
	*null = TIMESTAMP_IS_NOEND(time) ? 'n' : ' ';
	return TimestampTzGetDatum(time);
}

static TimestampTz
time_of(HeapTuple tuple, TupleDesc descriptor, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(tuple, descriptor, column, &isnull);

	return isnull ? DT_NOEND : DatumGetTimestampTz(value);
}

static void
read_row(MemoryContext context, RecsysExperimentRow *row)
{
	HeapTuple	tuple = SPI_tuptable->vals[0];
	TupleDesc	descriptor = SPI_tuptable->tupdesc;
	MemoryContext old = MemoryContextSwitchTo(context);
	bool		isnull;

	row->name = pstrdup(SPI_getvalue(tuple, descriptor, 1));
	row->owner = pstrdup(SPI_getvalue(tuple, descriptor, 2));
	row->definition = DatumGetJsonbPCopy(SPI_getbinval(tuple, descriptor, 3, &isnull));
	row->started_at = time_of(tuple, descriptor, 4);
	row->stopped_at = time_of(tuple, descriptor, 5);
	MemoryContextSwitchTo(old);
}

/*
 * Runs a command with the row's columns as parameters; returns how many rows it has found, and if it
 * is a query the first of them in *found.
 */
static uint64
run(const char *command, const RecsysExperimentRow *row, RecsysExperimentRow *found)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[PARAMETERS] = {TEXTOID, TEXTOID, JSONBOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[PARAMETERS] = {0};
	char		nulls[PARAMETERS + 1] = "nnnnn";
	RecsysRights before;
	uint64		count;

	values[0] = CStringGetTextDatum(row->name);
	nulls[0] = ' ';
	if (row->owner != NULL)
	{
		values[1] = CStringGetTextDatum(row->owner);
		values[2] = JsonbPGetDatum(row->definition);
		nulls[1] = nulls[2] = ' ';
		values[3] = time_or_null(row->started_at, &nulls[3]);
		values[4] = time_or_null(row->stopped_at, &nulls[4]);
	}
	RecsysBeginAsOwnerOf("experiment", &before);
	count = RecsysKeeperQuery(command, PARAMETERS, types, values, nulls, false);
	if (count > 0 && found != NULL)
		read_row(context, found);
	RecsysEndAsKeeper(&before);
	return count;
}

bool
RecsysReadExperimentRow(const char *name, RecsysExperimentRow *row)
{
	RecsysExperimentRow wanted = {.name = unconstify(char *, name)};

	return run("SELECT name, owner, definition, started_at, stopped_at FROM recsys.experiment"
			   " WHERE name OPERATOR(pg_catalog.=) $1 FOR UPDATE", &wanted, row) > 0;
}

bool
RecsysInsertExperiment(const RecsysExperimentRow *row)
{
	return run("INSERT INTO recsys.experiment (name, owner, definition, started_at, stopped_at)"
			   " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING", row, NULL) > 0;
}

void
RecsysUpdateExperiment(const RecsysExperimentRow *row)
{
	(void) run("UPDATE recsys.experiment SET owner = $2, definition = $3, started_at = $4, stopped_at = $5,"
			   " changed_at = pg_catalog.now() WHERE name OPERATOR(pg_catalog.=) $1", row, NULL);
}

void
RecsysDeleteExperiment(const char *name)
{
	RecsysExperimentRow row = {.name = unconstify(char *, name)};
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(name);
	RecsysRights before;

	(void) run("DELETE FROM recsys.experiment WHERE name OPERATOR(pg_catalog.=) $1", &row, NULL);

	/* one of the same name that is made later begins anew; its sums go at the next refresh */
	RecsysBeginAsKeeper(&before);
	(void) RecsysKeeperQuery("DELETE FROM recsys.experiment_state WHERE experiment OPERATOR(pg_catalog.=) $1",
							 1, &type, &value, NULL, false);
	RecsysEndAsKeeper(&before);
}
