/*
 * maintenance.c
 *	  Schema recsys: merge(), forget_user() and check_index().
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "am/arrays/arrayscheck.h"
#include "am/check/check.h"
#include "am/entry/asowner.h"
#include "am/items/itemscheck.h"
#include "am/items/itemsmerge.h"
#include "am/read/visible.h"
#include "am/write/forget.h"
#include "api/call/arguments.h"
#include "api/call/commands.h"
#include "api/call/recommender.h"
#include "api/operate/forgetin.h"
#include "api/operate/forgetlog.h"
#include "api/shards/shardwork.h"
#include "catalog/index.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_merge);
PG_FUNCTION_INFO_V1(recsys_forget_user);
PG_FUNCTION_INFO_V1(recsys_check_index);

/* As everywhere in the server, temporary relations may change in a read-only transaction. */
static void
refuse_read_only(const char *function, Relation index)
{
	if (!index->rd_islocaltemp)
		PreventCommandIfReadOnly(function);
}

/* The command that builds a recommender anew */
static char *
rebuild_command(const RecsysRecommender *own)
{
	return psprintf(own->index == own->definition ? "REINDEX INDEX CONCURRENTLY %s" : "REINDEX INDEX %s",
					RecsysQualifiedRecommenderName(own));
}

static void
tell_of_training(const RecsysRecommender *own, uint64 inexact)
{
	ereport(NOTICE,
			(errmsg_plural("%llu item has changed since similarity \"%s\" was trained",
						   "%llu items have changed since similarity \"%s\" was trained",
						   (unsigned long) inexact, (unsigned long long) inexact,
						   RecsysSimilarityName(RecsysGetCache(own->index)->meta.similarity)),
			 errdetail("Users and supports of all pairs are exact; scores and new pairs wait for the next training."),
			 errhint("Train anew with %s.", rebuild_command(own))));
}

/* Of an index that is in shards: the sums over all of them */
static Datum
merged_on_shards(TupleDesc desc, const int64 *sums)
{
	Datum		values[3] = {Int64GetDatum(sums[0]), Int64GetDatum(sums[1]), Int64GetDatum(sums[2])};
	bool		isnull[3] = {false, false, false};

	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, isnull)));
}

/*
 * Merges what is pending into the item graph, see am/merge/merge.c.  Another merge of
 * the same index does not wait for the first: it returns NULLs.
 */
Datum
recsys_merge(PG_FUNCTION_ARGS)
{
	RecsysMergeMode mode = PG_GETARG_BOOL(1) ? RECSYS_MERGE_EXACT : RECSYS_MERGE_BOUNDED;
	RecsysMergeResult merged;
	RecsysRecommender own;
	RecsysAsOwner before;
	bool		done;
	TupleDesc	desc;
	Datum		values[3];
	bool		isnull[3];
	int64		sums[RECSYS_SHARD_SUMS];

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	PreventCommandIfParallelMode("recsys.merge()");
	RecsysRefuseInRecovery("recsys.merge()");
	if (RecsysOnShards(PG_GETARG_OID(0), RECSYS_SHARDS_MERGE,
					   mode == RECSYS_MERGE_EXACT ? "exact" : "bounded", sums))
		return merged_on_shards(desc, sums);
	RecsysOpenOwnIndex(PG_GETARG_OID(0), RowExclusiveLock, RECSYS_OWN_MADE, &own);
	refuse_read_only("recsys.merge()", own.index);

	RecsysBeginAsOwner(own.heap, &before);
	done = RecsysMergeAny(own.heap, own.index, mode, &merged);
	RecsysEndAsOwner(&before);
	if (done && mode == RECSYS_MERGE_EXACT && merged.inexact > 0 && RecsysGetCache(own.index)->meta.learned)
		tell_of_training(&own, merged.inexact);

	/* locks are kept to the end of the transaction */
	RecsysCloseRecommender(&own);

	memset(isnull, !done, sizeof(isnull));
	values[0] = done ? Int64GetDatum((int64) merged.merged) : (Datum) 0;
	values[1] = done ? Int64GetDatum((int64) merged.recomputed) : (Datum) 0;
	values[2] = done ? Int64GetDatum((int64) merged.inexact) : (Datum) 0;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, isnull)));
}

/*
 * Rows that are still there will be learned from again.  To be called before they are
 * forgotten.
 */
static void
tell_of_rows(Relation heap, Relation index, const RecsysKey *user)
{
	RecsysInteraction *rows;
	int			count = RecsysReadVisible(heap, index, user, GetActiveSnapshot(), &rows);

	if (count > 0)
		ereport(NOTICE,
				(errmsg_plural("%d row of the user is still in table \"%s\"",
							   "%d rows of the user are still in table \"%s\"",
							   count, count, RelationGetRelationName(heap)),
				 errdetail("A REINDEX, a new index or a restored dump learns from rows that are there."),
				 errhint("To erase the user for good, delete the rows first; to keep them, leave them out by the index's WHERE.")));
	if (rows != NULL)
		pfree(rows);
}

static char *
key_as_text(Oid type, const RecsysKey *key)
{
	RecsysKeyKind kind;

	if (!RecsysKeyKindOfType(type, &kind))
		elog(ERROR, "type %u is not a key type", type);
	return TextDatumGetCString(RecsysKeyToValue(TEXTOID, kind, key));
}

/* What stays, and when */
static void
tell_of_forgetting(const RecsysRecommender *own)
{
	if (IsTransactionBlock() || IsSubTransaction())
		ereport(NOTICE,
				(errmsg("index \"%s\" forgets the user even if this transaction is rolled back",
						RelationGetRelationName(own->definition)),
				 errdetail("The index is changed at once, outside of the transaction."),
				 errhint("REINDEX INDEX %s; lets it learn again from the rows that are there.",
						 RecsysQualifiedRecommenderName(own))));
	if (RecsysGetCache(own->index)->meta.learned)
		ereport(NOTICE,
				(errmsg("the scores of index \"%s\" were learned with the user's interactions",
						RelationGetRelationName(own->definition)),
				 errdetail("They count in no history and in no support any more, but scores stay until the next training."),
				 errhint("Delete the rows and REINDEX the index to train without them.")));
}

/* *user gets the user's key as text, as the log has it. */
static int64
forget_in_index(FunctionCallInfo fcinfo, Oid relation, Oid *last_heap, char **user)
{
	RecsysRecommender own;
	RecsysKey	key;
	RecsysAsOwner before;
	int64		forgotten;

	PreventCommandIfParallelMode("recsys.forget_user()");
	RecsysRefuseInRecovery("recsys.forget_user()");
	RecsysOpenOwnIndex(relation, RowExclusiveLock, RECSYS_OWN_VALID, &own);
	RecsysNeedsUsers(relation);
	refuse_read_only("recsys.forget_user()", own.index);
	RecsysArgKey(fcinfo, 1, RecsysGetCache(own.index)->columns.user_type, "user",
				 RelationGetRelationName(own.definition), &key);
	*user = key_as_text(RecsysGetCache(own.index)->columns.user_type, &key);
	if (*last_heap != RelationGetRelid(own.heap))
		tell_of_rows(own.heap, own.index, &key);
	*last_heap = RelationGetRelid(own.heap);
	RecsysBeginAsOwner(own.heap, &before);
	forgotten = RecsysForgetUser(own.heap, own.index, &key);
	RecsysEndAsOwner(&before);
	if (forgotten > 0)
		tell_of_forgetting(&own);
	RecsysCloseRecommender(&own);
	return forgotten;
}

/* Of an index that is in shards: the node that has the user knows him. */
static bool
forget_on_shards(FunctionCallInfo fcinfo, Oid relation, int64 *forgotten, char **user)
{
	RecsysDistributed distributed;
	RecsysColumns columns;
	Relation	index;
	RecsysKey	key;
	int64		sums[RECSYS_SHARD_SUMS];

	if (!RecsysFindDistributed(relation, &distributed))
		return false;
	PreventCommandIfParallelMode("recsys.forget_user()");
	PreventCommandIfReadOnly("recsys.forget_user()");
	index = relation_open(relation, AccessShareLock);
	RecsysGetColumns(index, &columns);
	RecsysArgKey(fcinfo, 1, columns.user_type, "user", RelationGetRelationName(index), &key);
	*user = key_as_text(columns.user_type, &key);
	relation_close(index, NoLock);
	if (!RecsysOnShards(relation, RECSYS_SHARDS_FORGET, *user, sums))
		elog(ERROR, "recommender \"%s\" is not distributed any more", distributed.name);
	*forgotten += sums[0];
	return true;
}

/* Arguments: index or table, user; returns the number of interactions forgotten, without what the log has. */
Datum
recsys_forget_user(PG_FUNCTION_ARGS)
{
	Oid			last_heap = InvalidOid;
	int64		forgotten = 0;
	char	   *user = NULL;
	List	   *indexes;
	ListCell   *cell;

	RecsysRefuseInRecovery("recsys.forget_user()");
	indexes = RecsysIndexesToForgetIn(PG_GETARG_OID(0));
	foreach(cell, indexes)
		if (!forget_on_shards(fcinfo, lfirst_oid(cell), &forgotten, &user))
			forgotten += forget_in_index(fcinfo, lfirst_oid(cell), &last_heap, &user);
	if (user != NULL && !XactReadOnly)
		RecsysForgetInLog(indexes, user);
	PG_RETURN_INT64(forgotten);
}

/*
 * Keeps writers out while it looks, so only the index's owner may call it.  On
 * a standby, where no such lock can be had, replay goes on meanwhile.
 */
Datum
recsys_check_index(PG_FUNCTION_ARGS)
{
	Oid			relation = PG_GETARG_OID(0);
	Oid			table = IndexGetRelation(relation, true);
	RecsysRecommender recommender;
	RecsysAsOwner before;
	int64		sums[RECSYS_SHARD_SUMS];

	PreventCommandIfParallelMode("recsys.check_index()");
	if (!RecoveryInProgress() && RecsysOnShards(relation, RECSYS_SHARDS_CHECK, NULL, sums))
		PG_RETURN_VOID();
	if (OidIsValid(table) && !RECSYS_OWNS_RELATION(relation))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_INDEX, RecsysNameForMessage(relation));
	if (OidIsValid(table) && !RecoveryInProgress())
		LockRelationOid(table, ShareLock);

	RecsysOpenIndexOf(relation, RECSYS_TAKES_BOTH, &recommender);

	/* it evaluates the index's expressions and predicate */
	RecsysBeginAsOwner(recommender.heap, &before);
	if (RecsysIndexIsItems(recommender.index))
		RecsysCheckItems(recommender.heap, recommender.index);
	else if (RecsysIndexIsGraph(recommender.index))
		RecsysCheckArrays(recommender.heap, recommender.index);
	else
		RecsysCheckIndex(recommender.heap, recommender.index);
	RecsysEndAsOwner(&before);

	RecsysCloseRecommender(&recommender);
	PG_RETURN_VOID();
}
