/*
 * logshard.c
 *	  Requests in the shards of a log that is one of all nodes.
 *
 * A shared log is distributed by the id of the request.  Most of an id is random, so a node that
 * makes a list draws until the id belongs to a shard of its own: then the row is written right
 * there, as fast as to a log that is not shared, and with the customer, whose worker makes the
 * list.  A node without shards, as the coordinator is, writes by Citus: to the node that has
 * made the list, so that it need not be up for the log if it is not for the list.
 *
 * Citus must not move the shard meanwhile.  Its own writers take a lock that a move waits for,
 * by the function that it has for it, and so does this; where the shard is, is looked at before
 * and behind that.
 */
#include "postgres.h"

#include "access/table.h"
#include "am/entry/shards.h"
#include "am/entry/shells.h"
#include "api/keep/keeper.h"
#include "api/log/logshard.h"
#include "api/log/wholelog.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "parser/parse_func.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

/* So many ids are drawn at most; of two nodes with as many shards, every other one is right. */
#define MOST_DRAWS 100

/* So many shards of the log are known. */
#define MOST_SHARDS 256
#define NO_GROUP (-1)

/* Shards are taken to be where they were found for so long. */
#define LOOK_AGAIN USECS_PER_SEC

/* Its function is for the owner of the table. */
static void
lock_shard(int64 shard)
{
	static Oid	function = InvalidOid;
	Datum		element = Int64GetDatum(shard);
	ArrayType  *shards = construct_array(&element, 1, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
	Oid			caller;
	int			security;

	if (!OidIsValid(function) || !SearchSysCacheExists1(PROCOID, ObjectIdGetDatum(function)))
	{
		Oid			types[] = {INT4OID, INT8ARRAYOID};

		function = LookupFuncName(list_make2(makeString(pstrdup("pg_catalog")),
											 makeString(pstrdup("lock_shard_metadata"))), 2, types, false);
	}
	GetUserIdAndSecContext(&caller, &security);
	SetUserIdAndSecContext(RecsysKeeper(), security | SECURITY_LOCAL_USERID_CHANGE);
	(void) OidFunctionCall2(function, Int32GetDatum(ShareLock), PointerGetDatum(shards));
	SetUserIdAndSecContext(caller, security);
	pfree(shards);
}

/* The shards of the log and where they were a moment ago; whoever writes looks again. */
typedef struct KnownShard
{
	int64		shard;
	int32		group;
} KnownShard;

static KnownShard known[MOST_SHARDS];
static int	nknown = 0;

static void
look(Oid log)
{
	static Oid	looked_at = InvalidOid;
	static TimestampTz until = DT_NOBEGIN;
	TimestampTz now = GetCurrentTimestamp();
	List	   *shards;
	ListCell   *cell;

	if (looked_at == log && now < until && now >= until - LOOK_AGAIN)
		return;
	shards = RecsysShardsOf(log);
	nknown = 0;
	foreach(cell, shards)
	{
		int64		shard = *(int64 *) lfirst(cell);

		if (nknown < MOST_SHARDS)
			known[nknown++] = (KnownShard) {shard, RecsysGroupOfShard(shard)};
	}
	list_free_deep(shards);
	looked_at = log;
	until = now + LOOK_AGAIN;
}

static bool
has_shards(int32 group)
{
	for (int i = 0; i < nknown; i++)
		if (known[i].group == group)
			return true;
	return false;
}

static int32
group_of(int64 shard)
{
	for (int i = 0; i < nknown; i++)
		if (known[i].shard == shard)
			return known[i].group;
	return NO_GROUP;
}

Relation
RecsysOpenLogShard(Oid partition, const pg_uuid_t *id, LOCKMODE mode)
{
	int64		shard = RecsysShardOfValue(partition, UUIDOID, InvalidOid, UUIDPGetDatum(id));
	Oid			relation;

	if (shard == 0)
		return NULL;
	if (!RecsysShardIsHere(shard))
		return NULL;
	if (mode > AccessShareLock)
	{
		/* a move that has it may be what has just been waited for */
		lock_shard(shard);
		if (!RecsysShardIsHere(shard))
			return NULL;
	}
	relation = RecsysShardRelation(partition, shard);
	return OidIsValid(relation) ? try_table_open(relation, mode) : NULL;
}

/* Of 16 bytes the first six are the time; the version and the variant are bits of two others. */
static void
draw_again(pg_uuid_t *id)
{
	uint8		random[UUID_LEN];

	if (!pg_strong_random(random, UUID_LEN))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	id->data[6] = (id->data[6] & 0xf0) | (random[6] & 0x0f);
	id->data[7] = random[7];
	id->data[8] = (id->data[8] & 0xc0) | (random[8] & 0x3f);
	memcpy(id->data + 9, random + 9, UUID_LEN - 9);
}

void
RecsysKeepRequestHere(pg_uuid_t *id, int64 user_shard)
{
	Oid			log;
	int32		group;

	if (!RecsysLogIsShared())
		return;
	log = RecsysKeptTable("request_log");
	look(log);
	group = RecsysLocalGroup();
	if (!has_shards(group))
		group = user_shard == 0 ? NO_GROUP : RecsysGroupOfShard(user_shard);
	if (!has_shards(group))
		return;
	for (int draw = 0; draw < MOST_DRAWS; draw++)
	{
		int64		shard = RecsysShardOfValue(log, UUIDOID, InvalidOid, UUIDPGetDatum(id));

		if (shard == 0 || group_of(shard) == group)
			return;
		draw_again(id);
	}
}
