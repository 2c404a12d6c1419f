/*
 * timepartitions.c
 *	  Partitions of a table of somebody's by time: what is there, and which ones are missing.
 *
 * Times are by Greenwich, as those of the log are: a timestamp without time zone and a date are taken
 * for such.  Then a partition has the same bounds whoever makes it, and no day is missing or
 * there twice when clocks are changed.
 *
 * Pieces of days and hours are counted from 2000-01-01, those of whole weeks from the Monday
 * after it; pieces of months are counted from January 2000.
 */
#include "postgres.h"

#include "api/upkeep/timepartitions.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"

#define USECS_OF_WEEK (7 * USECS_PER_DAY)

/* The first Monday of 2000, in microseconds from 2000-01-01 */
#define FIRST_MONDAY (2 * USECS_PER_DAY)

/* Days, beyond which there are dates but no times */
#define LAST_DAY (TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE)

static bool
is_time(Oid type)
{
	return type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID;
}

static TimestampTz
time_of(Datum value, Oid type)
{
	DateADT		date;

	if (type != DATEOID)
		return DatumGetTimestampTz(value);
	date = DatumGetDateADT(value);
	if (DATE_IS_NOBEGIN(date))
		return DT_NOBEGIN;
	if (date >= LAST_DAY)
		return DT_NOEND;
	return date * USECS_PER_DAY;
}

static TimestampTz
bound_at(PartitionBoundInfo bounds, int i, Oid type)
{
	switch (bounds->kind[i][0])
	{
		case PARTITION_RANGE_DATUM_MINVALUE:
			return DT_NOBEGIN;
		case PARTITION_RANGE_DATUM_MAXVALUE:
			return DT_NOEND;
		default:
			return time_of(bounds->datums[i][0], type);
	}
}

/* A bound is followed by the partition that ends there. */
static void
read_bounds(PartitionDesc descriptor, RecsysTimePartitions *found)
{
	PartitionBoundInfo bounds = descriptor->boundinfo;

	found->partitions = palloc(sizeof(RecsysTimePartition) * Max(descriptor->nparts, 1));
	if (bounds == NULL)
		return;
	if (bounds->default_index >= 0)
		found->default_partition = descriptor->oids[bounds->default_index];
	for (int i = 1; i < bounds->ndatums; i++)
	{
		RecsysTimePartition *partition = &found->partitions[found->n];

		if (bounds->indexes[i] < 0)
			continue;
		partition->oid = descriptor->oids[bounds->indexes[i]];
		partition->low = bound_at(bounds, i - 1, found->type);
		partition->high = bound_at(bounds, i, found->type);
		found->n++;
	}
}

bool
RecsysReadTimePartitions(Relation table, RecsysTimePartitions *found)
{
	PartitionKey key;

	memset(found, 0, sizeof(*found));
	if (table->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return false;
	key = RelationGetPartitionKey(table);
	if (key->strategy != PARTITION_STRATEGY_RANGE || key->partnatts != 1 || key->partattrs[0] == 0 ||
		!is_time(key->parttypid[0]) ||
		key->partopfamily[0] != get_opclass_family(GetDefaultOpClass(key->parttypid[0], BTREE_AM_OID)))
		return false;
	found->type = key->parttypid[0];
	found->column = pstrdup(quote_identifier(get_attname(RelationGetRelid(table), key->partattrs[0], false)));
	read_bounds(RelationGetPartitionDesc(table, true), found);
	return true;
}

static int64
length_of(const Interval *every)
{
	return every->day * USECS_PER_DAY + every->time;
}

bool
RecsysIsPeriod(const Interval *every, Oid type)
{
	if (every->month != 0)
		return every->month > 0 && every->month <= 120 && every->day == 0 && every->time == 0;
	return every->day >= 0 && every->day <= 3660 &&
		every->time >= 0 && every->time <= 3660 * USECS_PER_DAY &&
		length_of(every) >= USECS_PER_HOUR &&
		(type != DATEOID || length_of(every) % USECS_PER_DAY == 0);
}

/* Division that rounds down, whatever the sign */
static int64
floor_division(int64 a, int64 b)
{
	return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* months: since January 2000 */
static TimestampTz
month_begin(int64 months)
{
	int			year = 2000 + (int) floor_division(months, MONTHS_PER_YEAR);
	int			month = (int) (months - floor_division(months, MONTHS_PER_YEAR) * MONTHS_PER_YEAR) + 1;

	return (date2j(year, month, 1) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY;
}

static int64
months_since_2000(TimestampTz time)
{
	int			year;
	int			month;
	int			day;

	j2date((int) floor_division(time, USECS_PER_DAY) + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	return (int64) (year - 2000) * MONTHS_PER_YEAR + month - 1;
}

static void
find_period(const Interval *every, TimestampTz time, TimestampTz *begin, TimestampTz *end)
{
	if (every->month > 0)
	{
		int64		piece = floor_division(months_since_2000(time), every->month);

		*begin = month_begin(piece * every->month);
		*end = month_begin((piece + 1) * every->month);
	}
	else
	{
		int64		length = length_of(every);
		TimestampTz origin = length % USECS_OF_WEEK == 0 ? FIRST_MONDAY : 0;

		*begin = origin + floor_division(time - origin, length) * length;
		*end = *begin + length;
	}
}

TimestampTz
RecsysPeriodEnd(const Interval *every, TimestampTz time)
{
	TimestampTz begin;
	TimestampTz end;

	find_period(every, time, &begin, &end);
	return end;
}

/*
 * Partitions that are there may be of other lengths: a missing one begins no earlier than the one
 * before it ends, and ends no later than the one after it begins.
 */
List *
RecsysMissingPartitions(const RecsysTimePartitions *found, const Interval *every, TimestampTz begin,
						TimestampTz end)
{
	List	   *missing = NIL;
	TimestampTz free_from = DT_NOBEGIN; /* where the partitions before time have ended */
	TimestampTz time = begin;
	int			next = 0;

	while (time < end)
	{
		RecsysTimePartition *partition;
		TimestampTz low;
		TimestampTz high;

		while (next < found->n && found->partitions[next].high <= time)
			free_from = found->partitions[next++].high;
		if (next < found->n && found->partitions[next].low <= time)
		{
			time = found->partitions[next].high;
			if (TIMESTAMP_NOT_FINITE(time))
				break;
			continue;
		}
		find_period(every, time, &low, &high);
		partition = palloc0(sizeof(RecsysTimePartition));
		partition->low = Max(low, free_from);
		partition->high = next < found->n ? Min(high, found->partitions[next].low) : high;
		missing = lappend(missing, partition);
		time = partition->high;
	}
	return missing;
}

char *
RecsysTimeBound(const RecsysTimePartitions *found, TimestampTz time)
{
	struct pg_tm tm;
	fsec_t		fraction;

	if (timestamp2tm(time, NULL, &tm, &fraction, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	if (found->type == DATEOID)
		return psprintf("'%04d-%02d-%02d'", tm.tm_year, tm.tm_mon, tm.tm_mday);
	return psprintf("'%04d-%02d-%02d %02d:%02d:%02d.%06d%s'", tm.tm_year, tm.tm_mon, tm.tm_mday,
					tm.tm_hour, tm.tm_min, tm.tm_sec, (int) fraction,
					found->type == TIMESTAMPTZOID ? "+00" : "");
}

/* The time of day is there if it is not midnight. */
char *
RecsysTimePartitionName(const char *table, TimestampTz low)
{
	struct pg_tm tm;
	fsec_t		fraction;
	char	   *label;

	if (timestamp2tm(low, NULL, &tm, &fraction, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	label = psprintf("%04d%02d%02d", tm.tm_year, tm.tm_mon, tm.tm_mday);
	if (low % USECS_PER_DAY != 0)
		label = psprintf("%s_%02d%02d", label, tm.tm_hour, tm.tm_min);
	return makeObjectName(table, NULL, label);
}
