/*
 * logpartition.h
 *	  The partitions of a table of the log: one a day, by Greenwich, and the default partition.
 */
#ifndef RECSYS_LOGPARTITION_H
#define RECSYS_LOGPARTITION_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/rel.h"

typedef struct RecsysLogPartition
{
	Oid			oid;
	TimestampTz low;			/* of its rows: low <= time < high */
	TimestampTz high;
} RecsysLogPartition;

/* Where rows of that time are; InvalidOid: nowhere.  *is_default, unless NULL: in the default partition */
extern Oid	RecsysLogPartitionOf(Relation log, TimestampTz time, bool *is_default);

/*
 * The same, opened for writing and locked until the end of the transaction; NULL: there is none.  A
 * partition that others attach meanwhile is not missed.
 */
extern Relation RecsysOpenLogPartition(Relation log, TimestampTz time);

/* All but the default partition, oldest first, palloc'd; returns how many. */
extern int	RecsysLogPartitions(Relation log, RecsysLogPartition **partitions);

#endif							/* RECSYS_LOGPARTITION_H */
