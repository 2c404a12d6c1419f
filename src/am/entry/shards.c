/*
 * shards.c
 *	  Shards of tables that Citus has taken apart, and which relations of this node they are.
 *
 * What has been found is kept until the server says that one of the relations has changed.
 * Placements of shards are not kept: of these nobody hears.
 */
#include "postgres.h"

#include "am/entry/citusrows.h"
#include "am/entry/shards.h"
#include "am/entry/shells.h"
#include "am/store/relchanges.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

/* What relation of this node is to a shard what a shell's relation is to the shell: its copy */
typedef struct CopyKey
{
	Oid			relation;
	int64		shard;
} CopyKey;

typedef struct KnownCopy
{
	CopyKey		key;
	Oid			copy;
} KnownCopy;

static HTAB *known_copies = NULL;

/* The only shard of a shell that has one */
typedef struct KnownShard
{
	Oid			table;
	int64		shard;
} KnownShard;

static HTAB *known_shards = NULL;

/* pg_dist_placement.shardstate of a placement that is in use */
#define ACTIVE_PLACEMENT 1

/*
 * A copy that is not there any more, or has become another's; seldom, so that all are looked
 * through
 */
static void
remove_copy(Oid relation)
{
	HASH_SEQ_STATUS status;
	KnownCopy  *entry;

	hash_seq_init(&status, known_copies);
	while ((entry = hash_seq_search(&status)) != NULL)
		if (entry->copy == relation || entry->key.relation == relation)
			(void) hash_search(known_copies, &entry->key, HASH_REMOVE, NULL);
}

/* A callback allocates no memory, and removing does not either. */
static void
forget_relation(Datum arg, Oid relation)
{
	if (!OidIsValid(relation))
	{
		RecsysForgetKept(known_copies);
		RecsysForgetKept(known_shards);
		return;
	}
	(void) hash_search(known_shards, &relation, HASH_REMOVE, NULL);
	remove_copy(relation);
}

static void
create_known(void)
{
	if (known_copies != NULL)
		return;
	known_shards = RecsysKeepOfCitus("recsys shards of Citus", sizeof(Oid), sizeof(KnownShard));
	known_copies = RecsysKeepOfCitus("recsys copies of Citus", sizeof(CopyKey), sizeof(KnownCopy));
	RecsysOnRelationChange(forget_relation);
}

int64
RecsysOnlyShard(Oid table)
{
	RecsysCitusRow row;
	KnownShard *entry;
	int64		shard = 0;
	bool		isnull;

	create_known();
	entry = hash_search(known_shards, &table, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->shard;
	if (RecsysBeginCitusRow(&row, "pg_dist_shard", "pg_dist_shard_logical_relid_index", "logicalrelid", F_OIDEQ,
							ObjectIdGetDatum(table)))
		shard = DatumGetInt64(RecsysCitusValue(&row, "shardid", &isnull));
	RecsysEndCitusRow(&row);
	if (shard != 0)
	{
		entry = hash_search(known_shards, &table, HASH_ENTER, NULL);
		entry->shard = shard;
	}
	return shard;
}

/* The function shard_name(regclass, bigint [, boolean]) of the version of Citus that is there */
static text *
call_shard_name(Oid relation, int64 shard)
{
	List	   *name = list_make2(makeString(pstrdup("pg_catalog")), makeString(pstrdup("shard_name")));
	Oid			types[] = {REGCLASSOID, INT8OID, BOOLOID};
	Oid			function = LookupFuncName(name, 3, types, true);

	if (OidIsValid(function))
		return DatumGetTextPP(OidFunctionCall3(function, ObjectIdGetDatum(relation),
											   Int64GetDatum(shard), BoolGetDatum(false)));
	function = LookupFuncName(name, 2, types, false);
	return DatumGetTextPP(OidFunctionCall2(function, ObjectIdGetDatum(relation), Int64GetDatum(shard)));
}

/* Without its schema */
static char *
shard_name(Oid relation, int64 shard)
{
	return strVal(llast(textToQualifiedNameList(call_shard_name(relation, shard))));
}

char *
RecsysShardName(Oid relation, int64 shard)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)),
									  shard_name(relation, shard));
}

Oid
RecsysShardRelation(Oid relation, int64 shard)
{
	CopyKey		key;
	KnownCopy  *entry;
	Oid			copy;

	create_known();
	memset(&key, 0, sizeof(key));
	key.relation = relation;
	key.shard = shard;
	entry = hash_search(known_copies, &key, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->copy;
	copy = get_relname_relid(shard_name(relation, shard), get_rel_namespace(relation));
	if (OidIsValid(copy))
	{
		entry = hash_search(known_copies, &key, HASH_ENTER, NULL);
		entry->copy = copy;
	}
	return copy;
}

/* The number at the end of a name such as purchases_102008; 0 if there is none */
static int64
number_in_name(const char *name)
{
	const char *place = strrchr(name, '_');
	int64		number;
	char	   *end;

	if (place == NULL || place[1] < '1' || place[1] > '9')
		return 0;
	errno = 0;
	number = strtoi64(place + 1, &end, 10);
	return *end == '\0' && errno == 0 ? number : 0;
}

Oid
RecsysShellOfShard(Oid table, int64 *shard)
{
	RecsysCitusRow row;
	Oid			shell = InvalidOid;
	int64		number = 0;
	char	   *name;
	bool		isnull;

	if (!OidIsValid(table) || !RecsysCitusIsThere())
		return InvalidOid;
	name = get_rel_name(table);
	if (name != NULL)
		number = number_in_name(name);
	if (number == 0)
		return InvalidOid;
	if (RecsysBeginCitusRow(&row, "pg_dist_shard", "pg_dist_shard_shardid_index", "shardid", F_INT8EQ,
							Int64GetDatum(number)))
		shell = DatumGetObjectId(RecsysCitusValue(&row, "logicalrelid", &isnull));
	RecsysEndCitusRow(&row);

	/* a table of the user's may have such a name as well */
	if (OidIsValid(shell) && RecsysShardRelation(shell, number) != table)
		shell = InvalidOid;
	if (shard != NULL)
		*shard = number;
	return shell;
}

/*
 * A placement that a move has left behind is gone from there, or has another state, before its
 * table is dropped.
 */
bool
RecsysShardIsHere(int64 shard)
{
	int32		group = RecsysLocalGroup();
	RecsysCitusRow row;
	bool		here = false;
	bool		isnull;

	(void) RecsysBeginCitusRow(&row, "pg_dist_placement", "pg_dist_placement_shardid_index", "shardid", F_INT8EQ,
							   Int64GetDatum(shard));
	while (HeapTupleIsValid(row.tuple) && !here)
	{
		here = DatumGetInt32(RecsysCitusValue(&row, "groupid", &isnull)) == group &&
			DatumGetInt32(RecsysCitusValue(&row, "shardstate", &isnull)) == ACTIVE_PLACEMENT;
		RecsysNextCitusRow(&row);
	}
	RecsysEndCitusRow(&row);
	return here;
}

int32
RecsysGroupOfShard(int64 shard)
{
	RecsysCitusRow row;
	int32		group = -1;
	bool		isnull;

	(void) RecsysBeginCitusRow(&row, "pg_dist_placement", "pg_dist_placement_shardid_index", "shardid", F_INT8EQ,
							   Int64GetDatum(shard));
	while (HeapTupleIsValid(row.tuple) && group < 0)
	{
		if (DatumGetInt32(RecsysCitusValue(&row, "shardstate", &isnull)) == ACTIVE_PLACEMENT)
			group = DatumGetInt32(RecsysCitusValue(&row, "groupid", &isnull));
		RecsysNextCitusRow(&row);
	}
	RecsysEndCitusRow(&row);
	return group;
}

List *
RecsysShardsOf(Oid table)
{
	List	   *shards = NIL;
	RecsysCitusRow row;
	bool		isnull;

	(void) RecsysBeginCitusRow(&row, "pg_dist_shard", "pg_dist_shard_logical_relid_index", "logicalrelid", F_OIDEQ,
							   ObjectIdGetDatum(table));
	while (HeapTupleIsValid(row.tuple))
	{
		int64	   *shard = palloc(sizeof(int64));

		*shard = DatumGetInt64(RecsysCitusValue(&row, "shardid", &isnull));
		shards = lappend(shards, shard);
		RecsysNextCitusRow(&row);
	}
	RecsysEndCitusRow(&row);
	return shards;
}

List *
RecsysShardsHere(Oid table)
{
	List	   *here = NIL;
	ListCell   *cell;

	foreach(cell, RecsysShardsOf(table))
		if (RecsysShardIsHere(*(int64 *) lfirst(cell)))
			here = lappend(here, lfirst(cell));
	return here;
}

/* Calls of one function, which takes "any": what type it is called with is said by the call. */
typedef struct TypedCall
{
	Oid			type;
	Oid			collation;
	FmgrInfo	flinfo;
} TypedCall;

#define MOST_CALLS 8

static FmgrInfo *
find_call(Oid type, Oid collation)
{
	static TypedCall calls[MOST_CALLS];
	static int	next = 0;
	Oid			types[] = {REGCLASSOID, ANYOID};
	TypedCall  *call;
	MemoryContext old;

	for (int i = 0; i < MOST_CALLS; i++)
		if (calls[i].type == type && calls[i].collation == collation &&
			SearchSysCacheExists1(PROCOID, ObjectIdGetDatum(calls[i].flinfo.fn_oid)))
			return &calls[i].flinfo;
	call = &calls[next++ % MOST_CALLS];
	call->type = InvalidOid;
	old = MemoryContextSwitchTo(TopMemoryContext);
	fmgr_info(LookupFuncName(list_make2(makeString(pstrdup("pg_catalog")),
										makeString(pstrdup("get_shard_id_for_distribution_column"))),
							 2, types, false), &call->flinfo);
	fmgr_info_set_expr((Node *) makeFuncExpr(call->flinfo.fn_oid, INT8OID,
											 list_make2(makeNullConst(REGCLASSOID, -1, InvalidOid),
														makeNullConst(type, -1, collation)),
											 InvalidOid, collation, COERCE_EXPLICIT_CALL), &call->flinfo);
	MemoryContextSwitchTo(old);
	call->type = type;
	call->collation = collation;
	return &call->flinfo;
}

static Oid
owner_of(Oid table)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return GetUserId();
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * As the owner: the function is for who may read all of the table, and a caller may have columns of
 * it.
 */
int64
RecsysShardOfValue(Oid table, Oid type, Oid collation, Datum value)
{
	FmgrInfo   *flinfo = find_call(type, collation);
	LOCAL_FCINFO(fcinfo, 2);
	Datum		result;
	Oid			caller;
	int			security;

	InitFunctionCallInfoData(*fcinfo, flinfo, 2, collation, NULL, NULL);
	fcinfo->args[0].value = ObjectIdGetDatum(table);
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = value;
	fcinfo->args[1].isnull = false;
	GetUserIdAndSecContext(&caller, &security);
	SetUserIdAndSecContext(owner_of(table), security | SECURITY_LOCAL_USERID_CHANGE);
	result = FunctionCallInvoke(fcinfo);
	SetUserIdAndSecContext(caller, security);
	return fcinfo->isnull ? 0 : DatumGetInt64(result);
}
