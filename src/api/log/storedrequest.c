/*
 * storedrequest.c
 *	  A request that is in the log.
 *
 * Each click looks for its request.  A prepared query would lock all partitions of the log to
 * read one; here the partition is found by the time in the id, as a row on its way into the log
 * finds it, and its primary key is asked.  Of a log that is one of all nodes the shard is asked
 * if it is here, else Citus.
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "am/entry/shells.h"
#include "api/keep/keeper.h"
#include "api/log/logpartition.h"
#include "api/log/logshard.h"
#include "api/log/requestinsert.h"
#include "api/log/storedrequest.h"
#include "api/log/wholelog.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* The columns of recsys.request_log, as they were made */
typedef enum Column
{
	REQUEST_ID = 1,
	TIME,
	USER_ID,
	SESSION_ID,
	RECOMMENDER,
	EXPERIMENT,
	VARIANT,
	BANDIT,
	ARM,
	POLICY,
	SEGMENT,
	LATENCY_MS,
	ITEM_IDS,
	SCORES,
	SOURCES,
	PROPENSITIES,
	ARMS,
	FEATURES
} Column;

static char *
text_of(Datum *values, const bool *isnull, Column column)
{
	return isnull[column - 1] ? NULL : TextDatumGetCString(values[column - 1]);
}

/* Elements of an array, which may be NULL, with the same caution */
static const char **
texts_of(Datum *values, const bool *isnull, Column column, int *count)
{
	Datum	   *elements;
	bool	   *nulls;
	const char **texts;
	int			n;

	if (isnull[column - 1])
		return NULL;
	deconstruct_array(DatumGetArrayTypeP(values[column - 1]), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	if (*count >= 0 && n != *count)
		return NULL;
	*count = n;
	texts = palloc(sizeof(char *) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		texts[i] = nulls[i] ? NULL : TextDatumGetCString(elements[i]);
	return texts;
}

/*
 * The numbers of an array, which are one behind the other.  NULL unless there are as many of them as
 * *count says, if that is not negative, and none is NULL: who may insert into the table may write what he
 * likes.
 */
static void *
numbers_of(Datum *values, const bool *isnull, Column column, Size width, int *count)
{
	ArrayType  *array;
	void	   *numbers;
	int			n;

	if (isnull[column - 1])
		return NULL;
	array = DatumGetArrayTypeP(values[column - 1]);
	n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (array_contains_nulls(array) || (*count >= 0 && n != *count))
		return NULL;
	*count = n;
	numbers = palloc(width * Max(*count, 1));
	memcpy(numbers, ARR_DATA_PTR(array), width * *count);
	return numbers;
}

static void
form_request(HeapTuple tuple, TupleDesc descriptor, RecsysRequest *request)
{
	Datum		values[FEATURES];
	bool		isnull[FEATURES];
	int		   *count = &request->count;

	for (int i = 0; i < FEATURES; i++)
		values[i] = heap_getattr(tuple, i + 1, descriptor, &isnull[i]);
	memset(request, 0, sizeof(*request));
	request->id = *DatumGetUUIDP(values[REQUEST_ID - 1]);
	request->time = DatumGetTimestampTz(values[TIME - 1]);
	request->user = text_of(values, isnull, USER_ID);
	request->session = text_of(values, isnull, SESSION_ID);
	request->recommender = text_of(values, isnull, RECOMMENDER);
	request->experiment = text_of(values, isnull, EXPERIMENT);
	request->variant = text_of(values, isnull, VARIANT);
	request->bandit = text_of(values, isnull, BANDIT);
	request->arm = text_of(values, isnull, ARM);
	request->policy = text_of(values, isnull, POLICY);
	request->segment = text_of(values, isnull, SEGMENT);
	request->latency_ms = isnull[LATENCY_MS - 1] ? NAN : DatumGetFloat4(values[LATENCY_MS - 1]);
	*count = -1;
	request->items = texts_of(values, isnull, ITEM_IDS, count);
	request->scores = numbers_of(values, isnull, SCORES, sizeof(float), count);
	request->sources = texts_of(values, isnull, SOURCES, count);
	request->propensities = numbers_of(values, isnull, PROPENSITIES, sizeof(double), count);
	request->arms = texts_of(values, isnull, ARMS, count);
	request->nfeatures = -1;
	request->features = numbers_of(values, isnull, FEATURES, sizeof(double), &request->nfeatures);
	request->nfeatures = Max(request->nfeatures, 0);
}

/* Is its primary key the one that recsys.maintain gives it? */
static bool
has_usual_key(Relation partition)
{
	Relation	index;
	bool		usual;

	if (!OidIsValid(partition->rd_pkindex))
		return false;
	index = index_open(partition->rd_pkindex, AccessShareLock);
	usual = index->rd_index->indnkeyatts == 2 && index->rd_index->indkey.values[0] == REQUEST_ID &&
		index->rd_index->indkey.values[1] == TIME;
	index_close(index, AccessShareLock);
	return usual;
}

static bool
find_in(Relation partition, const pg_uuid_t *id, TimestampTz time, RecsysRequest *request)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	if (!RecsysHasRequestColumns(RelationGetDescr(partition)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("table \"%s\" has other columns than recsys.request_log of the extension",
						RelationGetRelationName(partition))));

	/* this makes the relation know its primary key */
	list_free(RelationGetIndexList(partition));
	ScanKeyInit(&keys[0], REQUEST_ID, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(id));
	ScanKeyInit(&keys[1], TIME, BTEqualStrategyNumber, F_TIMESTAMPTZ_EQ, TimestampTzGetDatum(time));
	scan = systable_beginscan(partition, partition->rd_pkindex, has_usual_key(partition),
							  snapshot, lengthof(keys), keys);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
		form_request(tuple, RelationGetDescr(partition), request);
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	return found;
}

/* On whichever node it is */
static bool
find_elsewhere(const pg_uuid_t *id, TimestampTz time, RecsysRequest *request)
{
	static Oid	types[] = {UUIDOID, TIMESTAMPTZOID};
	Datum		values[] = {UUIDPGetDatum(id), TimestampTzGetDatum(time)};
	MemoryContext context = CurrentMemoryContext;
	RecsysRights before;
	bool		found;

	RecsysBeginAsKeeper(&before);
	RecsysWriteAlone();
	found = RecsysKeeperQuery("SELECT * FROM recsys.request_log WHERE request_id OPERATOR(pg_catalog.=) $1"
							  " AND time OPERATOR(pg_catalog.=) $2",
							  lengthof(types), types, values, NULL, false) > 0;
	if (found)
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		form_request(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, request);
		MemoryContextSwitchTo(old);
	}
	RecsysEndAsKeeper(&before);
	return found;
}

static bool
find_in_shards(Oid partition, const pg_uuid_t *id, TimestampTz time, RecsysRequest *request)
{
	Relation	shard = RecsysOpenLogShard(partition, id, AccessShareLock);
	bool		found;

	if (shard == NULL)
		return find_elsewhere(id, time, request);
	found = find_in(shard, id, time, request);
	table_close(shard, AccessShareLock);
	return found;
}

bool
RecsysFindStored(const pg_uuid_t *id, RecsysRequest *request)
{
	TimestampTz time = RecsysRequestIdTime(id);
	Oid			table = RecsysKeptTable("request_log");
	Relation	log;
	Oid			where;
	bool		found = false;

	if (!OidIsValid(table))
		return false;
	log = table_open(table, AccessShareLock);
	where = RecsysLogPartitionOf(log, time, NULL);
	if (OidIsValid(where))
	{
		Relation	partition = table_open(where, AccessShareLock);

		/* somebody may have partitions of another kind: nothing is known of what is in them */
		if (RecsysIsShell(where))
			found = find_in_shards(where, id, time, request);
		else if (partition->rd_rel->relkind == RELKIND_RELATION)
			found = find_in(partition, id, time, request);
		table_close(partition, AccessShareLock);
	}
	table_close(log, AccessShareLock);
	return found;
}
