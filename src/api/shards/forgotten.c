/*
 * forgotten.c
 *	  Who was forgotten by distributed recommenders.
 *
 * An index marks the entries of a user that it has forgotten, and rows that are not deleted stay in
 * the table.  When Citus moves a shard it copies the rows and builds the index anew, from rows:
 * the marks would be lost.  So there is a reference table beside them, recsys.forgotten, with a copy
 * on every node, which serving and training look at.
 *
 * It names nobody: it has the first half of HMAC-SHA256 of the user's key as text, by a random
 * secret of the recommender's, and the time of the forgetting.  What has happened before that time
 * stays forgotten.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "am/entry/shells.h"
#include "api/call/rights.h"
#include "api/keep/keeper.h"
#include "api/shards/forgotten.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "funcapi.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_counts_for);

/* Columns of recsys.forgotten; the primary key is (user_hash, recommender) */
#define FORGOTTEN_HASH 1
#define FORGOTTEN_RECOMMENDER 2
#define FORGOTTEN_AT 3

void
RecsysForgottenHash(const RecsysDistributed *distributed, RecsysKeyKind kind, const RecsysKey *user,
					pg_uuid_t *hash)
{
	const char *key = TextDatumGetCString(RecsysKeyToValue(TEXTOID, kind, user));
	pg_hmac_ctx *hmac = pg_hmac_create(PG_SHA256);
	uint8		digest[PG_SHA256_DIGEST_LENGTH];

	if (hmac == NULL ||
		pg_hmac_init(hmac, distributed->secret, distributed->secret_length) < 0 ||
		pg_hmac_update(hmac, (const uint8 *) key, strlen(key)) < 0 ||
		pg_hmac_final(hmac, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute a hash: %s", hmac == NULL ? "out of memory" : pg_hmac_error(hmac));
	pg_hmac_free(hmac);
	memcpy(hash->data, digest, UUID_LEN);
}

/* This node's copy; NULL: nobody has been forgotten, or the recommenders are not of several nodes. */
static Relation
open_forgotten(void)
{
	Oid			table = RecsysKeptTable("forgotten");
	Oid			copy = OidIsValid(table) && RecsysIsShell(table) ? RecsysLocalCopy(table) : InvalidOid;
	Relation	relation;

	if (!OidIsValid(copy))
		return NULL;
	relation = table_open(copy, AccessShareLock);
	if (RelationGetNumberOfBlocks(relation) > 0)
		return relation;
	table_close(relation, AccessShareLock);
	return NULL;
}

bool
RecsysSomebodyForgotten(void)
{
	Relation	relation = open_forgotten();

	if (relation != NULL)
		table_close(relation, AccessShareLock);
	return relation != NULL;
}

static bool
is_of(HeapTuple tuple, TupleDesc descriptor, const char *recommender)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, FORGOTTEN_RECOMMENDER, descriptor, &isnull);

	return !isnull && strcmp(TextDatumGetCString(value), recommender) == 0;
}

bool
RecsysWasForgotten(const RecsysDistributed *distributed, RecsysKeyKind kind, const RecsysKey *user,
				   TimestampTz *until)
{
	Relation	relation = open_forgotten();
	bool		found = false;
	pg_uuid_t	hash;
	ScanKeyData key;
	Snapshot	snapshot;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (relation == NULL)
		return false;
	RecsysForgottenHash(distributed, kind, user, &hash);
	(void) RelationGetIndexList(relation);
	ScanKeyInit(&key, FORGOTTEN_HASH, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(&hash));
	snapshot = RegisterSnapshot(RecsysSnapshotOfNow());
	scan = systable_beginscan(relation, relation->rd_pkindex, OidIsValid(relation->rd_pkindex), snapshot,
							  1, &key);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;

		if (!is_of(tuple, RelationGetDescr(relation), distributed->name))
			continue;
		*until = DatumGetTimestampTz(heap_getattr(tuple, FORGOTTEN_AT, RelationGetDescr(relation), &isnull));
		found = true;
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(relation, AccessShareLock);
	return found;
}

/*
 * For training, which asks for each row: what is known of users, by a hash of 64 bits with a random
 * seed, for as long as a query runs.
 */
#define MOST_KNOWN (1 << 20)

typedef struct KnownUser
{
	uint64		hash;
	bool		forgotten;
	TimestampTz until;
} KnownUser;

typedef struct Asking
{
	RecsysDistributed distributed;
	bool		somebody;
	RecsysKeyKind kind;
	Oid			type;
	uint64		seed;
	HTAB	   *known;
	MemoryContext context;
} Asking;

static HTAB *
create_known(MemoryContext context)
{
	HASHCTL		control = {.keysize = sizeof(uint64),.entrysize = sizeof(KnownUser),.hcxt = context};

	return hash_create("recsys users known", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static Asking *
begin_asking(FunctionCallInfo fcinfo)
{
	Asking	   *asking = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Asking));
	MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Oid			index = RecsysNamedRecommender(name);

	asking->context = fcinfo->flinfo->fn_mcxt;
	asking->type = getBaseType(get_fn_expr_argtype(fcinfo->flinfo, 1));
	if (!RecsysKeyKindOfType(asking->type, &asking->kind))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("values of type %s are no keys", format_type_be(asking->type))));
	asking->somebody = RecsysFindDistributed(index, &asking->distributed) && RecsysSomebodyForgotten();

	/* who may not read the rows must not ask about their users */
	if (OidIsValid(asking->distributed.table) && !RecsysMayReadColumns(asking->distributed.table, index))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(asking->distributed.table));
	asking->known = create_known(asking->context);
	if (!pg_strong_random(&asking->seed, sizeof(asking->seed)))
		asking->seed = (uint64) GetCurrentTimestamp();
	MemoryContextSwitchTo(old);
	fcinfo->flinfo->fn_extra = asking;
	return asking;
}

static KnownUser *
find_user(Asking *asking, const RecsysKey *user)
{
	uint64		hash = RecsysKeyHash(asking->kind, user, asking->seed);
	KnownUser  *known = hash_search(asking->known, &hash, HASH_FIND, NULL);
	TimestampTz until = 0;
	bool		forgotten;
	bool		found;

	if (known != NULL)
		return known;
	forgotten = RecsysWasForgotten(&asking->distributed, asking->kind, user, &until);
	if (hash_get_num_entries(asking->known) >= MOST_KNOWN)
	{
		hash_destroy(asking->known);
		asking->known = create_known(asking->context);
	}
	known = hash_search(asking->known, &hash, HASH_ENTER, &found);
	known->forgotten = forgotten;
	known->until = until;
	return known;
}

/*
 * Does a row of that user and time count for a recommender?  Not if the user was forgotten, unless
 * it is known to be later.  Arguments: recommender, user, time
 */
Datum
recsys_counts_for(PG_FUNCTION_ARGS)
{
	Asking	   *asking = fcinfo->flinfo->fn_extra;
	RecsysKey	user;
	KnownUser  *known;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_BOOL(false);
	if (asking == NULL)
		asking = begin_asking(fcinfo);
	if (!asking->somebody)
		PG_RETURN_BOOL(true);
	RecsysKeyFromDatum(asking->type, PG_GETARG_DATUM(1), &user);
	known = find_user(asking, &user);
	PG_RETURN_BOOL(!known->forgotten || (!PG_ARGISNULL(2) && PG_GETARG_TIMESTAMPTZ(2) > known->until));
}
