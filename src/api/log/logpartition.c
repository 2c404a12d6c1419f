/*
 * logpartition.c
 *	  The partitions of a table of the log: one a day, by Greenwich, and the default partition.
 *
 * As the server has them in its cache: a bound is followed by the partition that ends there.
 */
#include "postgres.h"

#include "access/table.h"
#include "api/log/logpartition.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/partcache.h"
#include "utils/timestamp.h"

Oid
RecsysLogPartitionOf(Relation log, TimestampTz time, bool *is_default)
{
	PartitionKey key = RelationGetPartitionKey(log);
	PartitionDesc partitions = RelationGetPartitionDesc(log, true);
	PartitionBoundInfo bounds = partitions->boundinfo;
	Datum		value = TimestampTzGetDatum(time);
	bool		equal;
	int			index = -1;

	if (is_default != NULL)
		*is_default = false;
	if (partitions->nparts == 0)
		return InvalidOid;
	if (bounds->ndatums > 0)
		index = bounds->indexes[partition_range_datum_bsearch(key->partsupfunc, key->partcollation,
															  bounds, 1, &value, &equal) + 1];
	if (index < 0)
	{
		index = bounds->default_index;
		if (is_default != NULL)
			*is_default = index >= 0;
	}
	return index < 0 ? InvalidOid : partitions->oids[index];
}

/*
 * While one waits for the lock of the default partition, somebody may attach one that the row
 * belongs to; the default partition must not have it then.  With the lock, nobody can.
 */
Relation
RecsysOpenLogPartition(Relation log, TimestampTz time)
{
	for (;;)
	{
		Oid			where = RecsysLogPartitionOf(log, time, NULL);
		Relation	partition;

		if (!OidIsValid(where))
			return NULL;
		partition = table_open(where, RowExclusiveLock);
		if (RecsysLogPartitionOf(log, time, NULL) == where)
			return partition;
		table_close(partition, RowExclusiveLock);
	}
}

static TimestampTz
bound_at(PartitionBoundInfo bounds, int i)
{
	switch (bounds->kind[i][0])
	{
		case PARTITION_RANGE_DATUM_MINVALUE:
			return DT_NOBEGIN;
		case PARTITION_RANGE_DATUM_MAXVALUE:
			return DT_NOEND;
		default:
			return DatumGetTimestampTz(bounds->datums[i][0]);
	}
}

int
RecsysLogPartitions(Relation log, RecsysLogPartition **partitions)
{
	PartitionDesc descriptor = RelationGetPartitionDesc(log, true);
	PartitionBoundInfo bounds = descriptor->boundinfo;
	int			count = 0;

	*partitions = palloc(sizeof(RecsysLogPartition) * Max(descriptor->nparts, 1));
	for (int i = 1; bounds != NULL && i < bounds->ndatums; i++)
	{
		RecsysLogPartition *partition = &(*partitions)[count];

		if (bounds->indexes[i] < 0)
			continue;
		partition->oid = descriptor->oids[bounds->indexes[i]];
		partition->low = bound_at(bounds, i - 1);
		partition->high = bound_at(bounds, i);
		count++;
	}
	return count;
}
