/*
 * statistics.c
 *	  Schema recsys: index_info() and the rows of the view index_stats.
 *
 * The view is for monitoring: it waits for nobody's lock and one index that
 * cannot be read does not hide the others.  Such an index has a row with what is
 * known of it, and the reason in column problem.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xlog.h"
#include "am/content/contentpage.h"
#include "am/content/itemcolumns.h"
#include "am/entry/indexes.h"
#include "am/entry/tryopen.h"
#include "am/lists/pending.h"
#include "am/parts/whole.h"
#include "am/store/indexname.h"
#include "am/store/inspect.h"
#include "am/store/meta.h"
#include "am/store/options.h"
#include "api/call/guard.h"
#include "api/call/indexstate.h"
#include "api/call/recommender.h"
#include "api/call/wholes.h"
#include "core/choice/choicerank.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "source/train/optiontext.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_index_info);
PG_FUNCTION_INFO_V1(recsys_index_statistics);

/* Where an index over items names the similarity of its graph */
#define CONTENT_SIMILARITY "content"

Datum
recsys_index_info(PG_FUNCTION_ARGS)
{
	RecsysRecommender recommender;
	RecsysMetaData meta;
	bool		of_items;
	bool		of_graph;
	TupleDesc	desc;
	Datum		values[9];
	bool		isnull[9] = {0};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	RecsysOpenIndexOf(PG_GETARG_OID(0), RECSYS_TAKES_BOTH, &recommender);
	meta = RecsysRefreshCache(recommender.index)->meta;
	of_items = RecsysIndexIsItems(recommender.index);
	of_graph = RecsysIndexIsGraph(recommender.index);
	RecsysCloseRecommender(&recommender);

	values[0] = Int32GetDatum((int32) meta.version);
	values[1] = CStringGetTextDatum(of_items ? CONTENT_SIMILARITY : RecsysSimilarityName(meta.similarity));
	values[2] = Int64GetDatum((int64) meta.users);
	values[3] = Int64GetDatum((int64) meta.items);
	values[4] = Int64GetDatum((int64) meta.interactions);
	values[5] = Int64GetDatum((int64) meta.pairs);
	values[6] = Int64GetDatum((int64) meta.capped_users);
	values[7] = Int64GetDatum((int64) meta.capped_interactions);
	values[8] = TimestampTzGetDatum(meta.built_at);

	/* what is of users */
	isnull[2] = isnull[4] = isnull[6] = isnull[7] = of_items || of_graph;

	/* how it was trained is not known to a graph */
	isnull[1] = of_graph;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, isnull)));
}

/* Columns of the view, in order */
typedef enum StatisticsColumn
{
	STATS_SCHEMA,
	STATS_TABLE,
	STATS_INDEX,
	STATS_SIMILARITY,
	STATS_USERS,
	STATS_ITEMS,
	STATS_INTERACTIONS,
	STATS_NEIGHBORS,
	STATS_PENDING,
	STATS_INEXACT,
	STATS_CAPPED_USERS,
	STATS_CAPPED_INTERACTIONS,
	STATS_SCORE_USERS,
	STATS_BUILT_AT,
	STATS_MERGE_AT,
	STATS_MERGE_MS,
	STATS_MERGE_ENTRIES,
	STATS_MERGE_ITEMS,
	STATS_FORMAT_VERSION,
	STATS_SIZE,
	STATS_PROBLEM,
	STATS_FUTURE,
	STATS_BUILT_OPTIONS,
	STATS_SET_OPTIONS,
	STATS_MODEL,
	STATS_QUALITY,
	STATS_KIND,
	STATS_CONTENTS,
	STATS_CHANGES,
	STATS_STALENESS,
	STATS_DRIFTS,
	STATS_COLUMNS
} StatisticsColumn;

typedef struct StatisticsRow
{
	Oid			index;
	Datum		values[STATS_COLUMNS];
	bool		isnull[STATS_COLUMNS];
} StatisticsRow;

static void
put(StatisticsRow *row, StatisticsColumn column, Datum value)
{
	row->values[column] = value;
	row->isnull[column] = false;
}

static void
put_count(StatisticsRow *row, StatisticsColumn column, uint64 count)
{
	put(row, column, Int64GetDatum((int64) count));
}

static void
put_text(StatisticsRow *row, StatisticsColumn column, const char *text)
{
	if (text != NULL)
		put(row, column, CStringGetTextDatum(text));
}

/* Of a smaller p-value nobody wants to read the zeros. */
#define SMALLEST_P 1e-6

/* What similarity = auto has measured: of the model, the runner-up and bestsellers. */
static void
put_quality(StatisticsRow *row, const RecsysMetaData *meta)
{
	StringInfoData json;

	if (meta->choice_users == 0)
		return;
	initStringInfo(&json);
	appendStringInfo(&json, "{\"metric\": \"ndcg\", \"k\": %d, \"value\": %.5f, \"popular\": %.5f, \"p_popular\": %.3g, ",
					 RECSYS_CHOICE_K, meta->choice_ndcg, meta->choice_popular,
					 meta->choice_p < SMALLEST_P ? 0 : meta->choice_p);
	if (meta->second_ndcg > 0)
	{
		appendStringInfo(&json, "\"runner_up\": %.5f, \"runner_up_model\": ", meta->second_ndcg);
		escape_json(&json, RecsysServedModelText(&meta->second, meta->second_half_life));
		appendStringInfoString(&json, ", ");
	}
	appendStringInfo(&json, "\"users\": %u, \"models\": %u}", meta->choice_users, meta->choice_models);
	put(row, STATS_QUALITY, DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data)));
}

/* What all kinds of indexes have */
static void
put_meta(StatisticsRow *row, const RecsysMetaData *meta)
{
	put_count(row, STATS_ITEMS, meta->items);
	put_count(row, STATS_NEIGHBORS, meta->pairs);
	put_count(row, STATS_INEXACT, RecsysInexactItems(meta));
	put(row, STATS_BUILT_AT, TimestampTzGetDatum(meta->built_at));
	if (meta->merged_at != 0)
	{
		put(row, STATS_MERGE_AT, TimestampTzGetDatum(meta->merged_at));
		put(row, STATS_MERGE_MS, Float8GetDatum((double) meta->merge_duration / 1000));
		put_count(row, STATS_MERGE_ENTRIES, meta->merge_entries);
		put_count(row, STATS_MERGE_ITEMS, meta->merge_items);
	}
}

/* What only those over interactions have */
static void
put_interactions(StatisticsRow *row, Relation index, const RecsysMetaData *meta)
{
	put_text(row, STATS_KIND, "interactions");
	put_text(row, STATS_SIMILARITY, RecsysSimilarityName(meta->similarity));
	put_count(row, STATS_USERS, meta->users);
	put_count(row, STATS_INTERACTIONS, meta->interactions);
	put_count(row, STATS_CAPPED_USERS, meta->capped_users);
	put_count(row, STATS_CAPPED_INTERACTIONS, meta->capped_interactions);
	put_count(row, STATS_SCORE_USERS, meta->score_users);
	if (meta->tells_future == 1)
		put_count(row, STATS_FUTURE, meta->future);
	put_text(row, STATS_MODEL, RecsysServedModelText(&meta->options, RecsysHalfLifeIsSet(index) ?
													 RecsysGetHalfLife(index) : meta->half_life));
	put_quality(row, meta);
}

/* The attributes with their weights, as they stand in CREATE INDEX */
static char *
attributes_text(Relation index, const RecsysContentModel *model)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < model->count; i++)
	{
		appendStringInfo(&text, "%s%s", i > 0 ? ", " : "", RecsysAttributeName(index, i));
		if (model->attributes[i].weight != 1)
			appendStringInfo(&text, " (weight = %g)", model->attributes[i].weight);
	}
	return text.data;
}

/* What only those over items have */
static void
put_items(StatisticsRow *row, Relation index)
{
	RecsysContentMeta content;

	RecsysReadContentMeta(index, &content);
	put_text(row, STATS_KIND, "items");
	put_text(row, STATS_SIMILARITY, CONTENT_SIMILARITY);
	put_text(row, STATS_MODEL, attributes_text(index, &content.model));
	put_count(row, STATS_CONTENTS, content.contents);
}

/* What waits for a REINDEX: options, if any do, and whether the model does. */
static void
put_options(StatisticsRow *row, Relation index, const RecsysMetaData *meta)
{
	RecsysModelOptions asked;
	char	   *built;
	char	   *set;

	/* what a graph was trained with is not known to it */
	if (RecsysIndexIsGraph(index))
	{
		put(row, STATS_DRIFTS, BoolGetDatum(false));
		return;
	}
	RecsysGetAskedOptions(index, &asked);
	if (RecsysIndexIsItems(index))
		RecsysAskedOfItems(meta, &asked);
	put(row, STATS_DRIFTS, BoolGetDatum(meta->learned || asked.similarity == RECSYS_AUTO));
	if (!RecsysOptionsWait(meta, &asked, &built, &set))
		return;
	put_text(row, STATS_BUILT_OPTIONS, built);
	put_text(row, STATS_SET_OPTIONS, set);
}

/* Changes that wait for a merge, and all that there were since the build */
static void
put_pending(StatisticsRow *row, Relation index, const RecsysMetaData *meta)
{
	uint64		pending = RecsysPendingCount(index);

	put_count(row, STATS_PENDING, pending);
	put_count(row, STATS_CHANGES, meta->changes + pending);
	put(row, STATS_STALENESS, Float8GetDatum(RecsysStaleness(meta, pending)));
}

/* What an open index knows of itself; may error out half way. */
static void
read_index(StatisticsRow *row, Relation index)
{
	RecsysMetaData meta;
	bool		is_meta;

	put_count(row, STATS_SIZE, (uint64) RelationGetNumberOfBlocks(index) * BLCKSZ);
	is_meta = RecsysPeekMeta(index, &meta);
	if (is_meta)
		put_count(row, STATS_FORMAT_VERSION, meta.version);
	if (!is_meta || meta.version != RECSYS_FORMAT_VERSION)
	{
		/* tells what is wrong with it */
		(void) RecsysRefreshCache(index);
		elog(ERROR, "index \"%s\" has changed meanwhile", RecsysIndexName(index));
	}
	put_meta(row, &meta);
	put_options(row, index, &meta);
	if (RecsysIndexIsItems(index))
		put_items(row, index);
	else if (RecsysIndexIsGraph(index))
		put_text(row, STATS_KIND, "graph");
	else
		put_interactions(row, index, &meta);
	put_pending(row, index, &meta);
}

static void
describe_index(void *arg)
{
	StatisticsRow *row = arg;
	RecsysTried tried;

	/* DROP or REINDEX may hold it for long, and the view would not answer */
	Relation	index = RecsysTryOpenPages(row->index, AccessShareLock, &tried);

	if (tried == RECSYS_TRIED_LOCKED)
		put_text(row, STATS_PROBLEM, "locked by another session");
	else if (tried == RECSYS_TRIED_DROPPED)
		put_text(row, STATS_PROBLEM, "dropped");
	else if (tried == RECSYS_TRIED_MISSING)
		put_text(row, STATS_PROBLEM, RecsysWhyNoWhole(row->index));
	else if (!RelationIsPermanent(index) && RecoveryInProgress())
		put_text(row, STATS_PROBLEM, "unlogged, not available during recovery");
	else if (!index->rd_index->indisvalid)
		put_text(row, STATS_PROBLEM, RecsysWhyNotValid(index));
	else if (RecsysKindOfIndex(row->index) == RECSYS_INTERACTIONS_INDEX && RecsysIsStub(index))
		put_text(row, STATS_PROBLEM, RecsysWhyEmpty(index));
	else
		read_index(row, index);
	if (index != NULL)
	{
		if (RelationGetRelid(index) != row->index)
			UnlockRelationOid(row->index, AccessShareLock);
		relation_close(index, AccessShareLock);
	}
}

/* Fills in the names; false when the row is none of the caller's business. */
static bool
start_row(StatisticsRow *row, Oid index)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Oid			schema = get_rel_namespace(index);
	Oid			table;

	memset(row->isnull, true, sizeof(row->isnull));
	memset(row->values, 0, sizeof(row->values));
	row->index = index;
	if (!HeapTupleIsValid(tuple))
		return false;
	table = ((Form_pg_index) GETSTRUCT(tuple))->indrelid;
	ReleaseSysCache(tuple);

	if (!OidIsValid(schema) || isOtherTempNamespace(schema))
		return false;
	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS) && !RecsysMayRead(table, index))
		return false;

	put_text(row, STATS_SCHEMA, get_namespace_name(schema));
	put_text(row, STATS_TABLE, get_rel_name(table));
	put_text(row, STATS_INDEX, get_rel_name(index));
	return true;
}

/*
 * All recsys indexes of the database that the caller may read.  Statistics are
 * for everybody who may read all statistics, too.
 */
Datum
recsys_index_statistics(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	List	   *indexes;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	indexes = RecsysAllIndexes();
	foreach(cell, indexes)
	{
		StatisticsRow row;
		char	   *problem;

		CHECK_FOR_INTERRUPTS();
		if (!start_row(&row, lfirst_oid(cell)))
			continue;
		problem = RecsysGuard(describe_index, &row);
		put_text(&row, STATS_PROBLEM, problem);
		tuplestore_putvalues(result->setResult, result->setDesc, row.values, row.isnull);
	}
	return (Datum) 0;
}
