/*
 * shardwork.c
 *	  What is done to all indexes of a distributed recommender, on all nodes in one call.
 *
 * recsys.on_shards() runs on every node, in a session of its own there, and does its work to the
 * indexes of that node's shards by the functions that anybody would call for them.  The caller's
 * rights are those of his role on the node, which Citus keeps the same.
 *
 * A merge also has users forgotten again whom a moved shard has brought back (forgotten.c), and
 * to forget a user is first to note that, if rows of the user are there that a move would copy.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "am/entry/asowner.h"
#include "am/entry/shards.h"
#include "am/entry/shells.h"
#include "am/read/userreader.h"
#include "am/whole/attached.h"
#include "am/write/forget.h"
#include "api/call/arguments.h"
#include "api/call/commands.h"
#include "api/call/guard.h"
#include "api/keep/keeper.h"
#include "api/scoring/serving.h"
#include "api/shards/forgotten.h"
#include "api/shards/nodes.h"
#include "api/shards/shardwork.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "source/input/clock.h"
#include "source/input/keytext.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_on_shards);

static const char *const action_names[] = {
	[RECSYS_SHARDS_MERGE] = "merge",
	[RECSYS_SHARDS_CHECK] = "check",
	[RECSYS_SHARDS_FORGET] = "forget",
	[RECSYS_SHARDS_ASSEMBLE] = "assemble",
};

static const char *const action_texts[] = {
	[RECSYS_SHARDS_MERGE] = "merging",
	[RECSYS_SHARDS_CHECK] = "checking",
	[RECSYS_SHARDS_FORGET] = "forgetting a user",
	[RECSYS_SHARDS_ASSEMBLE] = "putting shards together",
};

/* A user whom an index has to forget once more */
typedef struct ForgottenUser
{
	RecsysKey	key;
	TimestampTz until;
} ForgottenUser;

/* What a session on a node has at hand */
typedef struct ShardWork
{
	RecsysDistributed distributed;
	RecsysShardAction action;
	const char *argument;
	Oid			index;			/* at work */
	int64		sums[RECSYS_SHARD_SUMS];
} ShardWork;

static RecsysShardAction
parse_action(const char *name)
{
	for (int i = 0; i < (int) lengthof(action_names); i++)
		if (strcmp(action_names[i], name) == 0)
			return (RecsysShardAction) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown action \"%s\"", name),
			 errhint("Actions are merge, check, forget and assemble.")));
}

/* Runs a function of the extension on the index at work, between SPI_connect and SPI_finish. */
static void
call_function(ShardWork *work, const char *call, int columns)
{
	Oid			types[] = {REGCLASSOID, TEXTOID};
	Datum		values[] = {ObjectIdGetDatum(work->index),
		work->argument == NULL ? (Datum) 0 : CStringGetTextDatum(work->argument)};

	if (SPI_execute_with_args(call, lengthof(types), types, values, work->argument == NULL ? " n" : NULL,
							  false, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(SPI_result));
	for (int i = 0; i < columns && SPI_processed > 0; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &isnull);

		if (!isnull)
			work->sums[i] += DatumGetInt64(value);
	}
}

/* Notes that a user is forgotten whose rows are there. */
static void
note_forgotten(const ShardWork *work, RecsysKeyKind kind, const RecsysKey *user)
{
	Oid			types[] = {UUIDOID, TEXTOID, TIMESTAMPTZOID};
	pg_uuid_t	hash;
	Datum		values[] = {UUIDPGetDatum(&hash), CStringGetTextDatum(work->distributed.name),
		TimestampTzGetDatum(GetCurrentTimestamp())};
	RecsysRights before;

	RecsysForgottenHash(&work->distributed, kind, user, &hash);
	RecsysBeginAsOwnerOf("forgotten", &before);
	(void) RecsysKeeperQuery("INSERT INTO recsys.forgotten (user_hash, recommender, forgotten_at) VALUES ($1, $2, $3)"
							 " ON CONFLICT (user_hash, recommender) DO UPDATE SET forgotten_at = excluded.forgotten_at",
							 lengthof(types), types, values, NULL, false);
	RecsysEndAsKeeper(&before);
}

static void
forget(ShardWork *work)
{
	RecsysRecommender own;
	RecsysKey	user;
	RecsysInteraction *rows;
	int			count;

	RecsysOpenOfNode(work->index, &own);
	RecsysKeyFromText(own.columns.user_type, work->argument, &user);
	count = RecsysReadUserRows(&own, &user, PG_INT64_MAX, &rows);
	if (count > 0)
		note_forgotten(work, own.columns.user_kind, &user);
	RecsysCloseRecommender(&own);
	call_function(work, "SELECT recsys.forget_user($1, $2)", 1);
}

/* Users of an index whom the recommender has forgotten, and the index has not */
typedef struct Search
{
	const RecsysDistributed *distributed;
	RecsysKeyKind kind;
	bool		timed;
	Oid			time_type;
	List	   *found;
} Search;

/* Has the view rows, which nothing marks, of no later time? */
static bool
has_until(const RecsysUserView *view, int64 until)
{
	for (int i = 0; i < view->ninteractions; i++)
		if (view->interactions[i].time <= until)
			return true;
	return false;
}

static void
look_at_user(void *arg, RecsysUserView *view)
{
	Search	   *search = arg;
	ForgottenUser user;
	ForgottenUser *copy;

	/* without times, what came after the forgetting cannot be told from the rest */
	if ((view->flags & RECSYS_OWNER_FORGOTTEN) != 0 && !search->timed)
		return;
	RecsysKeyLoad(search->kind, view->key, view->keylen, &user.key);
	if (!RecsysWasForgotten(search->distributed, search->kind, &user.key, &user.until))
		return;
	if ((view->flags & RECSYS_OWNER_FORGOTTEN) != 0 &&
		!has_until(view, RecsysTimeOfColumn(search->time_type, user.until)))
		return;
	copy = palloc(sizeof(ForgottenUser));
	*copy = user;
	if (search->kind != RECSYS_KEY_INT)
	{
		char	   *data = palloc(user.key.len);

		memcpy(data, user.key.data, user.key.len);
		copy->key.data = data;
	}
	search->found = lappend(search->found, copy);
}

/*
 * A shard that has been moved has an index that was built from rows, whose users are marked by
 * nobody; so have partitions that are attached again.  To look for them takes a pass over all
 * users, if anybody has ever been forgotten.
 */
static void
forget_again(ShardWork *work)
{
	Search		search = {.distributed = &work->distributed};
	RecsysRecommender own;
	Relation	index;
	RecsysUserReader *reader;
	Snapshot	snapshot;
	RecsysAsOwner before;
	uint64		hash = 0;
	ListCell   *cell;

	if (!RecsysSomebodyForgotten())
		return;
	RecsysOpenOwnIndex(work->index, RowExclusiveLock, RECSYS_OWN_MADE, &own);
	index = own.index;
	search.kind = RecsysGetCache(index)->columns.user_kind;
	search.timed = RecsysGetCache(index)->columns.time_column > 0;
	search.time_type = RecsysGetCache(index)->columns.time_type;
	RecsysBeginAsOwner(own.heap, &before);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	reader = RecsysUserReaderCreate(own.heap, index, snapshot);
	while (hash <= PG_UINT32_MAX)
	{
		CHECK_FOR_INTERRUPTS();
		hash = RecsysUserReaderReadBucket(reader, (uint32) hash, look_at_user, &search);
	}
	RecsysUserReaderFree(reader);
	UnregisterSnapshot(snapshot);
	foreach(cell, search.found)
	{
		ForgottenUser *user = lfirst(cell);

		(void) RecsysForgetUserUntil(own.heap, index, &user->key,
									 RecsysTimeOfColumn(RecsysGetCache(index)->columns.time_type, user->until));
	}
	RecsysEndAsOwner(&before);
	RecsysCloseRecommender(&own);
}

/* Of a plain table each shard has its index, as it is. */
static void
assemble(const ShardWork *work)
{
	RecsysRecommender own;

	if (get_rel_relkind(work->index) != RELKIND_PARTITIONED_INDEX)
		return;
	RecsysOpenOwnIndex(work->index, RowExclusiveLock, RECSYS_OWN_MADE, &own);
	RecsysCloseRecommender(&own);
	RecsysEmptyParts(work->index);
}

static void
act(void *arg)
{
	ShardWork  *work = arg;

	switch (work->action)
	{
		case RECSYS_SHARDS_MERGE:
			assemble(work);
			forget_again(work);
			call_function(work, "SELECT merged, recomputed, inexact FROM recsys.merge($1, $2 OPERATOR(pg_catalog.=) 'exact')",
						  RECSYS_SHARD_SUMS);
			break;
		case RECSYS_SHARDS_CHECK:
			call_function(work, "SELECT recsys.check_index($1) WHERE $2 IS NULL", 0);
			break;
		case RECSYS_SHARDS_FORGET:
			forget(work);
			break;
		case RECSYS_SHARDS_ASSEMBLE:
			assemble(work);
			break;
	}
}

/* Goes on with the others after an error, and ends with the first one. */
static void
act_on_all(ShardWork *work, List *indexes)
{
	char	   *error = NULL;
	ListCell   *cell;

	foreach(cell, indexes)
	{
		char	   *message;
		char	   *name;

		work->index = lfirst_oid(cell);
		name = get_rel_name(work->index);
		message = RecsysGuard(act, work);
		if (message != NULL && error == NULL)
			error = psprintf("index \"%s\": %s", name == NULL ? "?" : name, message);
	}
	if (error != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("%s", error)));
}

/* The indexes of this node's shards; a check is one of the item graph, too. */
static List *
indexes_here(const ShardWork *work)
{
	List	   *indexes = NIL;
	ListCell   *cell;

	foreach(cell, RecsysShardsHere(work->distributed.table))
	{
		Oid			index = RecsysShardRelation(work->distributed.index, *(int64 *) lfirst(cell));

		if (OidIsValid(index))
			indexes = lappend_oid(indexes, index);
	}
	if (work->action == RECSYS_SHARDS_CHECK)
	{
		RecsysRecommender graph;

		RecsysOpenGraphOf(&work->distributed, &graph);
		indexes = lappend_oid(indexes, RelationGetRelid(graph.index));
		RecsysCloseRecommender(&graph);
	}
	return indexes;
}

static void
need_owner(Oid index)
{
	if (!RECSYS_OWNS_RELATION(index))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_INDEX, get_rel_name(index));
}

/* Arguments: recommender, action, argument */
Datum
recsys_on_shards(PG_FUNCTION_ARGS)
{
	ShardWork	work = {.action = parse_action(RecsysArgQuery(fcinfo, 1, "action"))};
	Oid			index = RecsysNamedRecommender(RecsysArgQuery(fcinfo, 0, "recommender"));
	Datum		sums[RECSYS_SHARD_SUMS];

	PreventCommandIfParallelMode("recsys.on_shards()");
	RecsysRefuseInRecovery("recsys.on_shards()");
	work.argument = RecsysArgText(fcinfo, 2);
	if (!RecsysFindDistributed(index, &work.distributed) && work.action != RECSYS_SHARDS_ASSEMBLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is no distributed recommender on this node", get_rel_name(index))));
	work.distributed.index = index;
	work.distributed.table = IndexGetRelation(index, false);
	need_owner(index);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	act_on_all(&work, indexes_here(&work));
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	for (int i = 0; i < RECSYS_SHARD_SUMS; i++)
		sums[i] = Int64GetDatum(work.sums[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(sums, RECSYS_SHARD_SUMS, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Adds "{1,2,3}" up. */
static void
add_sums(const char *text, int64 *sums)
{
	const char *place = text;

	for (int i = 0; place != NULL && i < RECSYS_SHARD_SUMS; i++)
	{
		char	   *end;

		sums[i] += strtoi64(place + 1, &end, 10);
		place = *end == ',' ? end : NULL;
	}
}

/*
 * Has all nodes take an action, at the same time; between SPI_connect and SPI_finish.  What they
 * wait for may be locked by the caller's own transaction, and nobody would see that: if it has
 * done other things before, they do not wait for ever.
 */
static List *
ask_nodes(const RecsysDistributed *distributed, RecsysShardAction action, const char *argument)
{
	const char *limit = IsTransactionBlock() || IsSubTransaction() ?
		" FROM (SELECT pg_catalog.set_config('lock_timeout', '20s', true)) AS s" : "";
	List	   *nodes = RecsysAllNodes();
	ListCell   *cell;

	foreach(cell, nodes)
		((RecsysNode *) lfirst(cell))->command =
			psprintf("SELECT recsys.on_shards(%s, %s, %s)%s", quote_literal_cstr(distributed->name),
					 quote_literal_cstr(action_names[action]),
					 argument == NULL ? "NULL" : quote_literal_cstr(argument), limit);
	RecsysRunOnNodes(nodes, action_texts[action]);
	return nodes;
}

void
RecsysAssembleShards(const RecsysDistributed *distributed)
{
	if (get_rel_relkind(distributed->index) == RELKIND_PARTITIONED_INDEX)
		(void) ask_nodes(distributed, RECSYS_SHARDS_ASSEMBLE, NULL);
}

bool
RecsysOnShards(Oid index, RecsysShardAction action, const char *argument, int64 *sums)
{
	RecsysDistributed distributed;
	List	   *nodes;
	ListCell   *cell;

	memset(sums, 0, sizeof(int64) * RECSYS_SHARD_SUMS);
	if (!RecsysCitusIsThere() || !RecsysFindDistributed(index, &distributed))
		return false;
	need_owner(index);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	nodes = ask_nodes(&distributed, action, argument);
	foreach(cell, nodes)
		if (((RecsysNode *) lfirst(cell))->result != NULL)
			add_sums(((RecsysNode *) lfirst(cell))->result, sums);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	return true;
}
