/*
 * requestinsert.c
 *	  A row of recsys.request_log put where it belongs, without a query.
 *
 * Making a list takes some ten microseconds, and a query that routes a row to a partition takes more
 * than that before it has written anything.  A row with a new id conflicts with no other, and
 * partitions as recsys.maintain makes them have plain indexes and nothing else; so the row can be
 * given to the table as the server gives rows to its catalogues.  Nothing of anybody's runs on the way:
 * a partition that has triggers, checks, expressions or other columns is left to a query, which
 * runs as the keeper.  Of a log that is one of all nodes the row goes to a shard, if that is here.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "am/entry/shells.h"
#include "am/store/relchanges.h"
#include "api/keep/keeper.h"
#include "api/log/logpartition.h"
#include "api/log/logshard.h"
#include "api/log/requestinsert.h"
#include "catalog/indexing.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "utils/rel.h"
#include "utils/uuid.h"

/* What the values of a row are, whatever the owner of the table has made of its columns */
static const Oid types[RECSYS_REQUEST_COLUMNS] = {
	UUIDOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
	FLOAT4OID, TEXTARRAYOID, FLOAT4ARRAYOID, TEXTARRAYOID, FLOAT8ARRAYOID, TEXTARRAYOID, FLOAT8ARRAYOID
};

bool
RecsysHasRequestColumns(TupleDesc descriptor)
{
	for (int i = 0; i < RECSYS_REQUEST_COLUMNS; i++)
		if (i >= descriptor->natts || TupleDescAttr(descriptor, i)->attisdropped ||
			TupleDescAttr(descriptor, i)->atttypid != types[i])
			return false;
	return true;
}

/* Are a partition's columns those of the whole table, one by one, and as they should be? */
static bool
has_columns_of(TupleDesc partition, TupleDesc log)
{
	if (partition->natts != log->natts || log->natts != RECSYS_REQUEST_COLUMNS ||
		!RecsysHasRequestColumns(log) || !RecsysHasRequestColumns(partition))
		return false;
	for (int i = 0; i < log->natts; i++)
	{
		Form_pg_attribute mine = TupleDescAttr(partition, i);
		Form_pg_attribute whole = TupleDescAttr(log, i);

		if (strcmp(NameStr(mine->attname), NameStr(whole->attname)) != 0)
			return false;
	}
	return true;
}

static bool
is_plain_index(Oid oid)
{
	Relation	index = index_open(oid, RowExclusiveLock);
	Form_pg_index form = index->rd_index;
	bool		plain = form->indimmediate && !form->indisexclusion &&
		heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, NULL) &&
		heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL);

	index_close(index, NoLock);
	return plain;
}

/* Citus lets nobody put a trigger on what it has distributed, and has one, for TRUNCATE. */
static bool
is_plain(Relation partition, Relation log)
{
	TupleConstr *constraints = RelationGetDescr(partition)->constr;
	List	   *indexes;
	ListCell   *cell;
	bool		plain = true;

	if (partition->rd_rel->relkind != RELKIND_RELATION || partition->rd_rel->relam != HEAP_TABLE_AM_OID ||
		partition->trigdesc != NULL || (log->trigdesc != NULL && !RecsysIsShell(RelationGetRelid(log))) ||
		partition->rd_rel->relrowsecurity ||
		log->rd_rel->relrowsecurity || log->rd_rel->relhasrules ||
		(constraints != NULL && (constraints->num_check > 0 || constraints->has_generated_stored)) ||
		!has_columns_of(RelationGetDescr(partition), RelationGetDescr(log)))
		return false;
	indexes = RelationGetIndexList(partition);
	foreach(cell, indexes)
		plain = plain && is_plain_index(lfirst_oid(cell));
	list_free(indexes);
	return plain;
}

/*
 * Partitions of that log which have been looked at and are plain; forgotten when one of them
 * changes.  There is one of a day, or as many as this node has shards of it.
 */
#define MOST_PLAIN 16

static Oid	plain_partitions[MOST_PLAIN];
static int	next_plain = 0;
static Oid	plain_log = InvalidOid;

static void
forget_plain(Datum arg, Oid relation)
{
	for (int i = 0; i < MOST_PLAIN; i++)
		if (!OidIsValid(relation) || relation == plain_partitions[i] || relation == plain_log)
			plain_partitions[i] = InvalidOid;
}

/* Looked at once a session and partition: it takes a part of what the row takes. */
static bool
is_known_as_plain(Relation partition, Relation log)
{
	static bool registered = false;

	for (int i = 0; i < MOST_PLAIN && plain_log == RelationGetRelid(log); i++)
		if (plain_partitions[i] == RelationGetRelid(partition))
			return true;
	if (!registered)
		RecsysOnRelationChange(forget_plain);
	registered = true;
	if (!is_plain(partition, log))
		return false;
	if (plain_log != RelationGetRelid(log))
		forget_plain((Datum) 0, InvalidOid);
	plain_log = RelationGetRelid(log);
	plain_partitions[next_plain++ % MOST_PLAIN] = RelationGetRelid(partition);
	return true;
}

static bool
insert_into(Relation partition, Relation log, Datum *values, const bool *isnull)
{
	HeapTuple	tuple;

	if (!is_known_as_plain(partition, log))
		return false;
	tuple = heap_form_tuple(RelationGetDescr(partition), values, unconstify(bool *, isnull));
	CatalogTupleInsert(partition, tuple);
	heap_freetuple(tuple);

	/* what comes later in the same statement may look for it */
	CommandCounterIncrement();
	return true;
}

/* Of a partition that is in shards; false if that of the row is on another node. */
static bool
insert_into_shard(Relation partition, Relation log, Datum *values, const bool *isnull)
{
	Relation	shard = RecsysOpenLogShard(RelationGetRelid(partition), DatumGetUUIDP(values[0]), RowExclusiveLock);
	bool		done;

	if (shard == NULL)
		return false;
	done = insert_into(shard, log, values, isnull);
	table_close(shard, NoLock);
	return done;
}

bool
RecsysInsertNewRequest(TimestampTz time, Datum *values, const bool *isnull)
{
	Oid			table = RecsysKeptTable("request_log");
	Relation	log;
	Relation	partition;
	bool		done = false;

	if (!OidIsValid(table))
		return false;
	log = table_open(table, RowExclusiveLock);
	partition = RecsysOpenLogPartition(log, time);
	if (partition != NULL)
	{
		done = RecsysIsShell(RelationGetRelid(partition)) ?
			insert_into_shard(partition, log, values, isnull) :
			insert_into(partition, log, values, isnull);
		table_close(partition, NoLock);
	}
	table_close(log, NoLock);
	return done;
}
