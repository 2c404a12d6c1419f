/*
 * partplan.c
 *	  Plans of training by parts, as functions get and return them.
 *
 * Servers that train together may see different interactions, as no snapshot spans them.  If each
 * divided the items by what it sees, an item could be in two parts, or in none.  So one of them
 * plans, and the plan goes to all.
 *
 * The bytes: version, kind of keys, parts, numbers of buckets and of heavy items; the part of each
 * bucket; hash and part of each heavy item.  Integers have the highest byte first.
 */
#include "postgres.h"

#include "api/graph/partplan.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define PLAN_VERSION 1

/* Always the same: plans are for other servers. */
#define PLAN_SEED UINT64CONST(0x7265637379737061)

#define HEADER_BYTES 12
#define BUCKET_BYTES 2
#define HEAVY_BYTES 10

uint64
RecsysPlannedHash(RecsysKeyKind kind, const RecsysKey *key)
{
	return RecsysKeyHash(kind, key, PLAN_SEED);
}

RecsysTrainParts *
RecsysPlanParts(RecsysCollector *collector, RecsysKeyKind kind, const RecsysModel *model, uint32 parts)
{
	const RecsysItemTotals *totals = RecsysModelTotals(model);
	uint64	   *hashes = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * Max((Size) totals->nitems, 1));
	uint64	   *costs = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * Max((Size) totals->nitems, 1));
	RecsysTrainParts *plan;

	for (uint32 item = 0; item < totals->nitems; item++)
	{
		RecsysKey	key;

		if (item % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		RecsysCollectorItemKey(collector, item, &key);
		hashes[item] = RecsysPlannedHash(kind, &key);

		/* counting is what takes the time; a row has to be reported, too */
		costs[item] = totals->work[item] + 1;
	}
	plan = RecsysTrainPartsPlan(hashes, costs, totals->nitems, parts);
	pfree(hashes);
	pfree(costs);
	return plan;
}

bytea *
RecsysPlanToBytes(const RecsysTrainParts *plan, RecsysKeyKind kind)
{
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	pq_sendint8(&buffer, PLAN_VERSION);
	pq_sendint8(&buffer, (uint8) kind);
	pq_sendint16(&buffer, (uint16) plan->parts);
	pq_sendint32(&buffer, plan->nbuckets);
	pq_sendint32(&buffer, plan->nheavy);
	for (uint32 i = 0; i < plan->nbuckets; i++)
		pq_sendint16(&buffer, plan->buckets[i]);
	for (uint32 i = 0; i < plan->nheavy; i++)
	{
		pq_sendint64(&buffer, plan->heavy[i].hash);
		pq_sendint16(&buffer, plan->heavy[i].part);
	}
	return pq_endtypsend(&buffer);
}

static void
refuse_plan(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the plan is none of this training"),
			 errhint("Pass what recsys.train_plan returns for the same query and as many parts.")));
}

static uint16
read_part(StringInfo buffer, uint32 parts)
{
	uint16		part = (uint16) pq_getmsgint(buffer, 2);

	if (part >= parts)
		refuse_plan();
	return part;
}

RecsysTrainParts *
RecsysPlanFromBytes(bytea *bytes, RecsysKeyKind kind, uint32 parts)
{
	RecsysTrainParts *plan = palloc0(sizeof(RecsysTrainParts));
	StringInfoData buffer = {0};

	buffer.data = VARDATA_ANY(bytes);
	buffer.len = buffer.maxlen = (int) VARSIZE_ANY_EXHDR(bytes);
	if (buffer.len < HEADER_BYTES || pq_getmsgbyte(&buffer) != PLAN_VERSION ||
		pq_getmsgbyte(&buffer) != (int) kind || pq_getmsgint(&buffer, 2) != parts)
		refuse_plan();
	plan->parts = parts;
	plan->nbuckets = pq_getmsgint(&buffer, 4);
	plan->nheavy = pq_getmsgint(&buffer, 4);
	if (plan->nbuckets == 0 ||
		(uint64) plan->nbuckets * BUCKET_BYTES + (uint64) plan->nheavy * HEAVY_BYTES != (uint64) (buffer.len - HEADER_BYTES))
		refuse_plan();
	plan->buckets = palloc(sizeof(uint16) * (Size) plan->nbuckets);
	plan->heavy = palloc(sizeof(RecsysHeavyItem) * Max((Size) plan->nheavy, 1));
	for (uint32 i = 0; i < plan->nbuckets; i++)
		plan->buckets[i] = read_part(&buffer, parts);
	for (uint32 i = 0; i < plan->nheavy; i++)
	{
		plan->heavy[i].hash = (uint64) pq_getmsgint64(&buffer);
		plan->heavy[i].part = read_part(&buffer, parts);
		if (i > 0 && plan->heavy[i].hash <= plan->heavy[i - 1].hash)
			refuse_plan();
	}
	return plan;
}
