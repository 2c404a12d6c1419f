/*
 * partitionsteps.c
 *	  Keeping the partitions of a table of somebody's: making those to come, dropping those that have
 *	  expired.
 *
 * As with the log, a partition is made as a table by itself and attached then, so that others write to
 * the table meanwhile; locks are waited for a moment only, and what does not get them is left for the next
 * time.  Unlike those of the log, rows of the default partition are never moved.  Triggers would take
 * that for deleting, foreign keys would delete what refers to them, and subscribers would lose
 * them.  A piece of time of which the default partition has rows gets no partition: it stays
 * there, and its rows are deleted when they have expired.
 *
 * Nothing here has rights of its own: each step runs as the owner of its table, in a security-restricted
 * operation.  A lock of the table that only such steps and other changes to it need keeps two of them from
 * making the same partition.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "api/call/commands.h"
#include "api/declare/names.h"
#include "api/upkeep/partitionsteps.h"
#include "api/upkeep/timepartitions.h"
#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "commands/tablespace.h"
#include "executor/spi.h"
#include "source/input/runas.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

/* So many rows of a default partition are deleted in one call. */
#define MOST_ROWS 100000

/* So many partitions of a table are made, and dropped, in one call: each takes locks until its end. */
#define MOST_PARTITIONS 100

/* A table at work */
typedef struct Keeping
{
	RecsysKeptPartitions *kept;
	RecsysUpkeep *upkeep;
	Oid			table;
	Oid			owner;
	char	   *name;			/* of the table, with schema and quotes */
	bool		begins;			/* it gets a default partition, too */
	TimestampTz before;			/* what ends before has expired */
	RecsysTimePartitions found;
	/* what a step works on, and has done */
	RecsysTimePartition *partition;
	uint64		rows;
} Keeping;

static TimestampTz
minus(TimestampTz time, const Interval *span)
{
	return DatumGetTimestampTz(DirectFunctionCall2(timestamp_mi_interval, TimestampTzGetDatum(time),
												   IntervalPGetDatum(span)));
}

static TimestampTz
plus(TimestampTz time, const Interval *span)
{
	return DatumGetTimestampTz(DirectFunctionCall2(timestamp_pl_interval, TimestampTzGetDatum(time),
												   IntervalPGetDatum(span)));
}

static char *
name_of(Oid relation)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)),
									  get_rel_name(relation));
}

/* Reads the table as it is, with a lock that one has at a time and that stops no reading and writing. */
static void
look_at_table(Keeping *keeping, LOCKMODE lock)
{
	Relation	table = relation_open(keeping->table, lock);

	if (!RecsysReadTimePartitions(table, &keeping->found))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not partitioned by range of a time", RelationGetRelationName(table))));
	relation_close(table, NoLock);
}

/*
 * Between the two, SPI is connected with the rights of the table's owner, and plain names.  An
 * error in between ends it, too.
 */
static void
begin_as_owner(const Keeping *keeping, RecsysRights *before)
{
	RecsysBeginQueriesAs(keeping->owner, before);
	(void) RecsysBeginPlainNames();
}

/* False, and *problem is why, if its partitions cannot be kept. */
static bool
begin_keeping(Keeping *keeping, RecsysUpkeep *upkeep, RecsysKeptPartitions *kept, char **problem)
{
	TimestampTz now = GetCurrentTimestamp();

	memset(keeping, 0, sizeof(*keeping));
	keeping->kept = kept;
	keeping->upkeep = upkeep;
	keeping->name = RecsysKeptPartitionsName(kept);
	keeping->before = kept->keep != NULL ? minus(now, kept->keep) : DT_NOBEGIN;
	keeping->table = RecsysKeptPartitionsTable(kept, &keeping->owner, problem);
	return *problem == NULL;
}

/* What has expired in the default partition */
static void
delete_expired(void *arg)
{
	Keeping    *keeping = arg;
	RecsysRights before;
	char	   *bound;
	char	   *partition;

	look_at_table(keeping, AccessShareLock);
	if (!OidIsValid(keeping->found.default_partition))
		return;
	partition = name_of(keeping->found.default_partition);
	bound = RecsysTimeBound(&keeping->found, keeping->before);
	begin_as_owner(keeping, &before);
	if (get_rel_relkind(keeping->found.default_partition) == RELKIND_RELATION)
		RecsysRunCommand(psprintf("DELETE FROM %s WHERE ctid = ANY (ARRAY("
								  "SELECT ctid FROM %s WHERE %s < %s LIMIT %d))",
								  partition, partition, keeping->found.column, bound, MOST_ROWS));
	else
		RecsysRunCommand(psprintf("DELETE FROM %s WHERE %s < %s", partition, keeping->found.column, bound));
	keeping->rows = SPI_processed;
	RecsysEndQueriesAs(&before);
}

void
RecsysDeleteExpired(RecsysUpkeep *upkeep, List *kept)
{
	int			nestlevel = RecsysBeginShortLocks();
	ListCell   *cell;

	foreach(cell, kept)
	{
		Keeping		keeping;
		char	   *problem;

		/* a problem is told once, when partitions are made */
		if (((RecsysKeptPartitions *) lfirst(cell))->keep == NULL ||
			!begin_keeping(&keeping, upkeep, lfirst(cell), &problem))
			continue;
		if (!RecsysUpkeepTry(upkeep, keeping.name, delete_expired, &keeping) || keeping.rows == 0)
			continue;
		RecsysUpkeepPut(upkeep, "rows deleted", name_of(keeping.found.default_partition),
						psprintf("%llu rows had expired", (unsigned long long) keeping.rows));
		if (keeping.rows == MOST_ROWS)
			RecsysUpkeepPut(upkeep, "postponed", name_of(keeping.found.default_partition),
							"it may have more rows that have expired");
	}
	AtEOXact_GUC(false, nestlevel);
}

/* A name that is free, in the schema of the table; quoted */
static char *
new_name(const Keeping *keeping, char *name)
{
	if (OidIsValid(get_relname_relid(name, get_rel_namespace(keeping->table))))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("something else has the name %s",
						quote_qualified_identifier(keeping->kept->schema, name))));
	return quote_qualified_identifier(keeping->kept->schema, name);
}

/* What a partition inherits when it is attached is left out: identity columns, since PostgreSQL 17. */
static void
create_table(const Keeping *keeping, const char *name)
{
	Relation	table = table_open(keeping->table, NoLock);
	Oid			tablespace = table->rd_rel->reltablespace;

	table_close(table, NoLock);
	RecsysRunCommand(psprintf("CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING COMMENTS EXCLUDING IDENTITY)%s%s",
							  name, keeping->name,
							  OidIsValid(tablespace) ? " TABLESPACE " : "",
							  OidIsValid(tablespace) ? quote_identifier(get_tablespace_name(tablespace)) : ""));
}

static bool
default_has_rows(const Keeping *keeping, const RecsysTimePartition *partition)
{
	if (!OidIsValid(keeping->found.default_partition))
		return false;
	RecsysRunCommand(psprintf("SELECT FROM %s WHERE %s >= %s AND %s < %s LIMIT 1",
							  name_of(keeping->found.default_partition),
							  keeping->found.column, RecsysTimeBound(&keeping->found, partition->low),
							  keeping->found.column, RecsysTimeBound(&keeping->found, partition->high)));
	return SPI_processed > 0;
}

static void
make_partition(void *arg)
{
	Keeping    *keeping = arg;
	RecsysTimePartition *partition = keeping->partition;
	RecsysRights before;
	char	   *name;

	begin_as_owner(keeping, &before);
	keeping->rows = default_has_rows(keeping, partition) ? 1 : 0;
	if (keeping->rows == 0)
	{
		name = new_name(keeping, RecsysTimePartitionName(keeping->kept->table, partition->low));
		create_table(keeping, name);
		RecsysRunCommand(psprintf("ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%s)",
								  keeping->name, name,
								  RecsysTimeBound(&keeping->found, partition->low),
								  RecsysTimeBound(&keeping->found, partition->high)));
	}
	RecsysEndQueriesAs(&before);
}

static void
make_default(void *arg)
{
	Keeping    *keeping = arg;
	RecsysRights before;
	char	   *name = new_name(keeping, makeObjectName(keeping->kept->table, NULL, "default"));

	begin_as_owner(keeping, &before);
	create_table(keeping, name);
	RecsysRunCommand(psprintf("ALTER TABLE %s ATTACH PARTITION %s DEFAULT", keeping->name, name));
	RecsysEndQueriesAs(&before);
	RecsysUpkeepPut(keeping->upkeep, "partition created", name, "for times that have no other one");
}

static void
lock_table(void *arg)
{
	look_at_table(arg, ShareUpdateExclusiveLock);
}

/* From now on until so much ahead, and at least for the next piece of time */
static List *
missing_partitions(const Keeping *keeping)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz next = RecsysPeriodEnd(keeping->kept->every, now) + 1;

	return RecsysMissingPartitions(&keeping->found, keeping->kept->every, now,
								   Max(next, plus(now, keeping->kept->ahead)));
}

/* One that fails, as somebody has the locks, ends it: those behind would wait for the same. */
static void
make_partitions(Keeping *keeping)
{
	ListCell   *cell;
	int			made = 0;

	if (keeping->begins && !OidIsValid(keeping->found.default_partition))
		make_default(keeping);
	foreach(cell, missing_partitions(keeping))
	{
		if (made++ == MOST_PARTITIONS)
		{
			RecsysUpkeepPut(keeping->upkeep, "postponed", keeping->name, "more partitions are to be made: call it again");
			break;
		}
		keeping->partition = lfirst(cell);
		if (!RecsysUpkeepTry(keeping->upkeep, keeping->name, make_partition, keeping))
			break;
		RecsysUpkeepPut(keeping->upkeep, keeping->rows == 0 ? "partition created" : "no partition",
						quote_qualified_identifier(keeping->kept->schema,
												   RecsysTimePartitionName(keeping->kept->table, keeping->partition->low)),
						keeping->rows == 0 ? NULL : "the default partition has rows of that time");
	}
}

/* It is detached first, or a foreign key to the table would not let go of it, even without rows that refer. */
static void
drop_partition(void *arg)
{
	Keeping    *keeping = arg;
	RecsysRights before;
	bool		foreign = get_rel_relkind(keeping->partition->oid) == RELKIND_FOREIGN_TABLE;
	char	   *name = name_of(keeping->partition->oid);

	begin_as_owner(keeping, &before);
	RecsysRunCommand(psprintf("ALTER TABLE %s DETACH PARTITION %s", keeping->name, name));
	RecsysRunCommand(psprintf("DROP %sTABLE %s", foreign ? "FOREIGN " : "", name));
	RecsysEndQueriesAs(&before);
}

/* Once, and before anything is dropped */
static void
lock_for_dropping(void *arg)
{
	Keeping    *keeping = arg;
	RecsysRights before;

	begin_as_owner(keeping, &before);
	RecsysRunCommand(psprintf("LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE", keeping->name));
	RecsysEndQueriesAs(&before);
}

/* One that cannot be dropped, as a view needs it, does not keep the others. */
static void
drop_partitions(Keeping *keeping)
{
	if (keeping->found.n == 0 || keeping->found.partitions[0].high > keeping->before ||
		!RecsysUpkeepTry(keeping->upkeep, keeping->name, lock_for_dropping, keeping))
		return;
	for (int i = 0; i < keeping->found.n; i++)
	{
		char	   *name;

		keeping->partition = &keeping->found.partitions[i];
		if (keeping->partition->high > keeping->before)
			break;
		if (i == MOST_PARTITIONS)
		{
			RecsysUpkeepPut(keeping->upkeep, "postponed", keeping->name, "more partitions have expired: call it again");
			break;
		}
		name = name_of(keeping->partition->oid);
		if (RecsysUpkeepTry(keeping->upkeep, name, drop_partition, keeping))
			RecsysUpkeepPut(keeping->upkeep, "partition dropped", name, NULL);
	}
}

void
RecsysKeepPartitions(RecsysUpkeep *upkeep, List *kept)
{
	int			nestlevel = RecsysBeginShortLocks();
	ListCell   *cell;

	foreach(cell, kept)
	{
		Keeping		keeping;
		char	   *problem;

		if (!begin_keeping(&keeping, upkeep, lfirst(cell), &problem))
		{
			RecsysUpkeepPut(upkeep, "postponed", keeping.name, problem);
			continue;
		}
		if (!RecsysUpkeepTry(upkeep, keeping.name, lock_table, &keeping))
			continue;
		make_partitions(&keeping);
		if (keeping.kept->keep != NULL)
			drop_partitions(&keeping);
	}
	AtEOXact_GUC(false, nestlevel);
}

void
RecsysBeginPartitions(RecsysUpkeep *upkeep, RecsysKeptPartitions *kept)
{
	Keeping		keeping;
	char	   *problem;

	if (!begin_keeping(&keeping, upkeep, kept, &problem))
		elog(ERROR, "partitions of %s cannot be kept: %s", keeping.name, problem);
	keeping.begins = true;
	lock_table(&keeping);
	make_partitions(&keeping);
	for (int i = 0; i < keeping.found.n; i++)
		if (keeping.found.partitions[i].high <= keeping.before)
			RecsysUpkeepPut(upkeep, "partition has expired", name_of(keeping.found.partitions[i].oid),
							"recsys.maintain will drop it");
}
