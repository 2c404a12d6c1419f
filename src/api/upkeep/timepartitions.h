/*
 * timepartitions.h
 *	  Partitions of a table of somebody's by time: what is there, and which ones are missing.
 */
#ifndef RECSYS_TIMEPARTITIONS_H
#define RECSYS_TIMEPARTITIONS_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* low <= time < high, as timestamptz whatever the column's type; without a bound they are infinite */
typedef struct RecsysTimePartition
{
	Oid			oid;
	TimestampTz low;
	TimestampTz high;
} RecsysTimePartition;

typedef struct RecsysTimePartitions
{
	char	   *column;			/* quoted */
	Oid			type;			/* of it: timestamptz, timestamp or date */
	Oid			default_partition;	/* InvalidOid: there is none */
	int			n;
	RecsysTimePartition *partitions;	/* earliest first, palloc'd */
} RecsysTimePartitions;

/* False if the table is not partitioned by range of one column of such a type. */
extern bool RecsysReadTimePartitions(Relation table, RecsysTimePartitions *found);

/*
 * May partitions be as long as that?  Months, or days and hours, but not both: then the time line has
 * the same pieces whoever counts them.  At least an hour, or a day if the column is a date.
 */
extern bool RecsysIsPeriod(const Interval *every, Oid type);

/*
 * Partitions without oid that the table needs, so that there is one for every time from begin to end:
 * pieces of the length of every, by Greenwich, less what other partitions have of them.
 */
extern List *RecsysMissingPartitions(const RecsysTimePartitions *found, const Interval *every,
									 TimestampTz begin, TimestampTz end);

/* The end of the piece that time is in. */
extern TimestampTz RecsysPeriodEnd(const Interval *every, TimestampTz time);

/* A time as a value of the column's type, quoted. */
extern char *RecsysTimeBound(const RecsysTimePartitions *found, TimestampTz time);

/* The name of the partition from that time on, palloc'd; not quoted. */
extern char *RecsysTimePartitionName(const char *table, TimestampTz low);

#endif							/* RECSYS_TIMEPARTITIONS_H */
