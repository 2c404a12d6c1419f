/*
 * partitions.c
 *	  The partitions of the log: made ahead of time, and dropped when they are too old.
 *
 * A partition is made as a table by itself and attached then, because that lets others write to the
 * log meanwhile, where CREATE TABLE … PARTITION OF would not.  Attaching needs the default partition
 * for itself, and whoever writes to a day that has no partition yet waits for that until the end of
 * the transaction.  So everything that takes long comes before: rows that the default partition has of
 * such days, which is so when recsys.maintain has not run for long, are moved without a lock, and
 * what has come meanwhile with it.  Days of the past are few in a call, as each attached partition costs
 * a look at all rows of the default one.
 *
 * Whoever logs must not stand behind this: locks are waited for a moment only, and what does not get
 * them is left for the next time.
 *
 * Of a log that is one of all nodes of Citus the statements are the same, and Citus takes them to the
 * shards.  But it moves no rows from one distributed table to another in one statement: days that the
 * default partition has rows of stay there.
 */
#include "postgres.h"

#include "access/table.h"
#include "api/keep/keeper.h"
#include "api/log/logpartition.h"
#include "api/log/wholelog.h"
#include "api/upkeep/partitions.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* So many days of the past get partitions in one call. */
#define MOST_PAST_DAYS 10

/* The tables of the log, and the columns by which they are partitioned */
typedef struct LogTable
{
	const char *name;
	const char *time;
} LogTable;

static const LogTable tables[] = {{"request_log", "time"}, {"event_log", "request_time"}};

static void
run(const char *command)
{
	(void) RecsysKeeperQuery(command, 0, NULL, NULL, NULL, false);
}

/* Days are counted from 2000-01-01 on, by Greenwich. */
static int64
day_of(TimestampTz time)
{
	int64		day = time / USECS_PER_DAY;

	return time % USECS_PER_DAY < 0 ? day - 1 : day;
}

static void
date_of(int64 day, int *year, int *month, int *of_month)
{
	j2date((int) day + POSTGRES_EPOCH_JDATE, year, month, of_month);
}

static char *
bound_of(int64 day)
{
	int			year;
	int			month;
	int			of_month;

	date_of(day, &year, &month, &of_month);
	return psprintf("'%04d-%02d-%02d 00:00:00+00'", year, month, of_month);
}

static char *
partition_name(const LogTable *table, int64 day)
{
	int			year;
	int			month;
	int			of_month;

	date_of(day, &year, &month, &of_month);
	return psprintf("recsys.%s_%04d%02d%02d", table->name, year, month, of_month);
}

/* A partition that is to be */
typedef struct Making
{
	const LogTable *table;
	int64		day;
	char	   *name;
	uint64		moved;			/* rows from the default partition */
} Making;

static void
move_rows(Making *making)
{
	making->moved += RecsysKeeperQuery(psprintf("WITH moved AS (DELETE FROM recsys.%s_default"
												" WHERE %s >= %s AND %s < %s RETURNING *)"
												" INSERT INTO %s SELECT * FROM moved",
												making->table->name,
												making->table->time, bound_of(making->day),
												making->table->time, bound_of(making->day + 1),
												making->name),
									   0, NULL, NULL, NULL, false);
}

/* Days of which the default partition has rows, latest first */
static int
days_in_default(const LogTable *table, int64 **days)
{
	MemoryContext context = CurrentMemoryContext;
	int			count = (int) RecsysKeeperQuery(psprintf("SELECT DISTINCT floor(extract(epoch FROM %s) / 86400)::bigint"
														 " FROM recsys.%s_default ORDER BY 1 DESC",
														 table->time, table->name),
												0, NULL, NULL, NULL, false);

	*days = MemoryContextAlloc(context, sizeof(int64) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		bool		isnull;

		(*days)[i] = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull)) -
			(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE);
	}
	return count;
}

/* Moves what the default partitions have of days that get partitions. */
static void
move_all(List *makings)
{
	for (int t = 0; t < lengthof(tables); t++)
	{
		int64	   *days;
		int			count = days_in_default(&tables[t], &days);
		ListCell   *cell;

		foreach(cell, makings)
		{
			Making	   *making = lfirst(cell);

			for (int i = 0; i < count; i++)
				if (making->table == &tables[t] && making->day == days[i])
					move_rows(making);
		}
	}
}

static void
make_partitions(void *arg)
{
	List	   *makings = arg;
	ListCell   *cell;

	foreach(cell, makings)
	{
		Making	   *making = lfirst(cell);

		run(psprintf("CREATE TABLE %s (LIKE recsys.%s_default INCLUDING ALL EXCLUDING COMMENTS)",
					 making->name, making->table->name));
	}
	if (!RecsysLogIsShared())
		move_all(makings);
	run("LOCK TABLE recsys.request_log_default, recsys.event_log_default IN ACCESS EXCLUSIVE MODE");
	if (!RecsysLogIsShared())
		move_all(makings);
	foreach(cell, makings)
	{
		Making	   *making = lfirst(cell);

		run(psprintf("ALTER TABLE recsys.%s ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%s)",
					 making->table->name, making->name, bound_of(making->day), bound_of(making->day + 1)));
	}
}

static bool
has_partition(const LogTable *table, int64 day)
{
	Relation	log = table_open(RecsysKeptTable(table->name), AccessShareLock);
	bool		is_default;
	Oid			partition = RecsysLogPartitionOf(log, day * USECS_PER_DAY, &is_default);

	table_close(log, AccessShareLock);
	return OidIsValid(partition) && !is_default;
}

/* Adds a day to the partitions that are to be; false if there is one, or there can be none. */
static bool
want_day(RecsysUpkeep *upkeep, List **makings, const LogTable *table, int64 day)
{
	Making	   *making;
	ListCell   *cell;
	char	   *name = partition_name(table, day);

	if (has_partition(table, day))
		return false;
	foreach(cell, *makings)
		if (((Making *) lfirst(cell))->table == table && ((Making *) lfirst(cell))->day == day)
			return false;
	if (OidIsValid(RecsysKeptTable(name + strlen("recsys."))))
	{
		RecsysUpkeepPut(upkeep, "postponed", name, "something else has that name");
		return false;
	}
	making = palloc0(sizeof(Making));
	making->table = table;
	making->day = day;
	making->name = name;
	*makings = lappend(*makings, making);
	return true;
}

static bool
has_day(const int64 *days, int count, int64 day)
{
	for (int i = 0; i < count; i++)
		if (days[i] == day)
			return true;
	return false;
}

static List *
wanted_partitions(RecsysUpkeep *upkeep)
{
	int64		today = day_of(GetCurrentTimestamp());
	List	   *makings = NIL;
	bool		shared = RecsysLogIsShared();

	for (int t = 0; t < lengthof(tables); t++)
	{
		int64	   *days;
		int			count = days_in_default(&tables[t], &days);
		int			past = 0;
		int			left = 0;

		for (int64 day = today; day <= today + RECSYS_PARTITIONS_AHEAD; day++)
			if (!shared || !has_day(days, count, day))
				(void) want_day(upkeep, &makings, &tables[t], day);
		for (int i = 0; i < count && !shared; i++)
		{
			if (past == MOST_PAST_DAYS)
				left++;
			else
				past += want_day(upkeep, &makings, &tables[t], days[i]);
		}
		if (left > 0)
			RecsysUpkeepPut(upkeep, "postponed", psprintf("recsys.%s_default", tables[t].name),
							psprintf("it has rows of %d more days: call recsys.maintain again", left));
	}
	return makings;
}

void
RecsysMakePartitions(RecsysUpkeep *upkeep)
{
	List	   *makings = wanted_partitions(upkeep);
	int			nestlevel = RecsysBeginShortLocks();
	ListCell   *cell;

	if (makings != NIL && RecsysUpkeepTry(upkeep, "partitions of the log", make_partitions, makings))
		foreach(cell, makings)
		{
			Making	   *making = lfirst(cell);

			RecsysUpkeepPut(upkeep, "partition created", making->name, making->moved == 0 ? NULL :
							psprintf("%llu rows moved from the default partition",
									 (unsigned long long) making->moved));
		}
	AtEOXact_GUC(false, nestlevel);
}

/* What is too old */
typedef struct Expired
{
	TimestampTz before;
	List	   *partitions;		/* names, with their schemas */
	uint64		rows[lengthof(tables)]; /* in the default partitions */
} Expired;

static void
find_expired(Expired *expired)
{
	for (int t = 0; t < lengthof(tables); t++)
	{
		Relation	log = table_open(RecsysKeptTable(tables[t].name), AccessShareLock);
		RecsysLogPartition *partitions;
		int			count = RecsysLogPartitions(log, &partitions);

		for (int i = 0; i < count; i++)
			if (partitions[i].high <= expired->before)
				expired->partitions = lappend(expired->partitions,
											  quote_qualified_identifier(get_namespace_name(get_rel_namespace(partitions[i].oid)),
																		 get_rel_name(partitions[i].oid)));
		table_close(log, AccessShareLock);
	}
}

/* Both at once, and before anything is done */
static void
lock_log(void *arg)
{
	run("LOCK TABLE ONLY recsys.request_log, ONLY recsys.event_log IN ACCESS EXCLUSIVE MODE");
}

static void
drop_partition(void *arg)
{
	run(psprintf("DROP TABLE %s", (const char *) arg));
}

/* One that cannot be dropped, as a view needs it, does not keep the others. */
static void
drop_expired(RecsysUpkeep *upkeep, List *partitions)
{
	ListCell   *cell;

	if (partitions == NIL || !RecsysUpkeepTry(upkeep, "partitions that have expired", lock_log, NULL))
		return;
	foreach(cell, partitions)
		if (RecsysUpkeepTry(upkeep, lfirst(cell), drop_partition, lfirst(cell)))
			RecsysUpkeepPut(upkeep, "partition dropped", lfirst(cell), NULL);
}

static void
delete_expired(void *arg)
{
	static Oid	types[] = {TIMESTAMPTZOID};
	Expired    *expired = arg;
	Datum		before = TimestampTzGetDatum(expired->before);

	for (int t = 0; t < lengthof(tables); t++)
		expired->rows[t] = RecsysKeeperQuery(psprintf("DELETE FROM recsys.%s_default WHERE %s < $1",
													  tables[t].name, tables[t].time),
											 lengthof(types), types, &before, NULL, false);
}

void
RecsysDropPartitions(RecsysUpkeep *upkeep, TimestampTz before)
{
	Expired		expired = {.before = day_of(before) * USECS_PER_DAY};
	int			nestlevel = RecsysBeginShortLocks();

	if (RecsysUpkeepTry(upkeep, "rows that have expired", delete_expired, &expired))
		for (int t = 0; t < lengthof(tables); t++)
			if (expired.rows[t] > 0)
				RecsysUpkeepPut(upkeep, "rows deleted", psprintf("recsys.%s_default", tables[t].name),
								psprintf("%llu rows had expired", (unsigned long long) expired.rows[t]));
	find_expired(&expired);
	drop_expired(upkeep, expired.partitions);
	AtEOXact_GUC(false, nestlevel);
}
