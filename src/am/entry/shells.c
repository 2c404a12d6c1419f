/*
 * shells.c
 *	  Tables that Citus has taken apart: shells, which stand for the whole, and shards.
 *
 * A distributed table has a shell of its name on every node, with all its indexes and without rows;
 * or with those that it had before it was distributed.  The rows are in shards, which are tables of
 * names with numbers, each with indexes of such names.  Citus's catalog tells which is which:
 * pg_dist_partition has the shells, pg_dist_shard the numbers of their shards.
 *
 * No header of Citus is used, and nothing of it need be installed: its tables and functions are
 * found by their names in pg_catalog, where only a superuser can have put them.
 *
 * What has been found is kept until the server says that one of the relations has changed, which
 * Citus lets it say when it takes one apart or puts it together again.  Placements of shards are not
 * kept: of these nobody hears.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "am/entry/shells.h"
#include "am/store/relchanges.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/primnodes.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

typedef struct KnownTable
{
	Oid			table;
	bool		shell;
} KnownTable;

static HTAB *known = NULL;

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

/* The number of this node's group, and the relation that says so */
static bool group_known = false;
static int32 local_group;
static Oid	group_relation = InvalidOid;

/* pg_dist_placement.shardstate of a placement that is in use */
#define ACTIVE_PLACEMENT 1

/* A table of Citus's catalog; InvalidOid where there is no Citus. */
static Oid
citus_catalog(const char *name)
{
	return get_relname_relid(name, PG_CATALOG_NAMESPACE);
}

bool
RecsysCitusIsThere(void)
{
	return OidIsValid(citus_catalog("pg_dist_partition"));
}

static void
remove_all(HTAB *table)
{
	HASH_SEQ_STATUS status;
	void	   *entry;

	hash_seq_init(&status, table);
	while ((entry = hash_seq_search(&status)) != NULL)
		(void) hash_search(table, entry, HASH_REMOVE, NULL);
}

/* A copy that is not there any more, or has become another's; seldom, so that all are looked through */
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
forget_table(Datum arg, Oid relation)
{
	if (!OidIsValid(relation) || relation == group_relation)
		group_known = false;
	if (!OidIsValid(relation))
	{
		remove_all(known);
		remove_all(known_copies);
		remove_all(known_shards);
		return;
	}
	(void) hash_search(known, &relation, HASH_REMOVE, NULL);
	(void) hash_search(known_shards, &relation, HASH_REMOVE, NULL);
	remove_copy(relation);
}

static HTAB *
create_table(const char *name, Size key_size, Size entry_size)
{
	HASHCTL		control = {.keysize = key_size,.entrysize = entry_size,.hcxt = TopMemoryContext};

	return hash_create(name, 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
create_known(void)
{
	if (known != NULL)
		return;
	known_copies = create_table("recsys copies of Citus", sizeof(CopyKey), sizeof(KnownCopy));
	known_shards = create_table("recsys shards of Citus", sizeof(Oid), sizeof(KnownShard));
	known = create_table("recsys tables of Citus", sizeof(Oid), sizeof(KnownTable));
	RecsysOnRelationChange(forget_table);
}

/* The row of a table of Citus's catalog whose first column, or that of the name, has the value */
typedef struct CatalogRow
{
	Relation	relation;
	SysScanDesc scan;
	HeapTuple	tuple;
} CatalogRow;

static bool
begin_row(CatalogRow *row, const char *catalog, const char *index, const char *column,
		  RegProcedure equal, Datum value)
{
	Oid			index_oid = citus_catalog(index);
	ScanKeyData key;

	row->relation = table_open(citus_catalog(catalog), AccessShareLock);
	ScanKeyInit(&key, get_attnum(RelationGetRelid(row->relation), column), BTEqualStrategyNumber,
				equal, value);
	row->scan = systable_beginscan(row->relation, index_oid, OidIsValid(index_oid), NULL, 1, &key);
	row->tuple = systable_getnext(row->scan);
	return HeapTupleIsValid(row->tuple);
}

static bool
begin_partition(CatalogRow *row, Oid table)
{
	return begin_row(row, "pg_dist_partition", "pg_dist_partition_logical_relid_index", "logicalrelid",
					 F_OIDEQ, ObjectIdGetDatum(table));
}

static Datum
get_value(const CatalogRow *row, const char *column, bool *isnull)
{
	return heap_getattr(row->tuple, get_attnum(RelationGetRelid(row->relation), column),
						RelationGetDescr(row->relation), isnull);
}

static void
end_row(CatalogRow *row)
{
	systable_endscan(row->scan);
	table_close(row->relation, AccessShareLock);
}

bool
RecsysIsShell(Oid table)
{
	KnownTable *entry;
	CatalogRow	row;
	bool		found;
	bool		shell;

	if (!OidIsValid(table) || !RecsysCitusIsThere())
		return false;
	create_known();
	entry = hash_search(known, &table, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->shell;

	/* messages that come in while it is looked up have come before the entry */
	shell = begin_partition(&row, table);
	end_row(&row);
	entry = hash_search(known, &table, HASH_ENTER, &found);
	entry->shell = shell;
	return shell;
}

char
RecsysShellMethod(Oid table)
{
	CatalogRow	row;
	char		method = 'n';
	bool		isnull;

	if (begin_partition(&row, table))
		method = DatumGetChar(get_value(&row, "partmethod", &isnull));
	end_row(&row);
	return method;
}

AttrNumber
RecsysShellColumn(Oid table)
{
	CatalogRow	row;
	AttrNumber	column = InvalidAttrNumber;
	bool		isnull = true;
	Datum		value = (Datum) 0;

	if (begin_partition(&row, table))
		value = get_value(&row, "partkey", &isnull);
	if (!isnull)
	{
		Node	   *node = stringToNode(TextDatumGetCString(value));

		if (node != NULL && IsA(node, Var))
			column = ((Var *) node)->varattno;
	}
	end_row(&row);
	return column;
}

int
RecsysShellGroup(Oid table)
{
	CatalogRow	row;
	int			group = 0;
	bool		isnull;

	if (begin_partition(&row, table))
		group = DatumGetInt32(get_value(&row, "colocationid", &isnull));
	end_row(&row);
	return group;
}

/* pg_dist_partition.repmodel of reference tables */
#define TWO_PHASE 't'

bool
RecsysIsOnAllNodes(Oid table)
{
	CatalogRow	row;
	bool		everywhere = false;
	bool		isnull;

	if (!RecsysIsShell(table))
		return false;
	if (begin_partition(&row, table))
		everywhere = DatumGetChar(get_value(&row, "partmethod", &isnull)) == 'n' &&
			DatumGetChar(get_value(&row, "repmodel", &isnull)) == TWO_PHASE;
	end_row(&row);
	return everywhere;
}

int64
RecsysOnlyShard(Oid table)
{
	CatalogRow	row;
	KnownShard *entry;
	int64		shard = 0;
	bool		isnull;

	create_known();
	entry = hash_search(known_shards, &table, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->shard;
	if (begin_row(&row, "pg_dist_shard", "pg_dist_shard_logical_relid_index", "logicalrelid", F_OIDEQ,
				  ObjectIdGetDatum(table)))
		shard = DatumGetInt64(get_value(&row, "shardid", &isnull));
	end_row(&row);
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

Oid
RecsysShardRelation(Oid relation, int64 shard)
{
	CopyKey		key;
	KnownCopy  *entry;
	List	   *names;
	Oid			copy;

	create_known();
	memset(&key, 0, sizeof(key));
	key.relation = relation;
	key.shard = shard;
	entry = hash_search(known_copies, &key, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->copy;
	names = textToQualifiedNameList(call_shard_name(relation, shard));
	copy = get_relname_relid(strVal(llast(names)), get_rel_namespace(relation));
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
	CatalogRow	row;
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
	if (begin_row(&row, "pg_dist_shard", "pg_dist_shard_shardid_index", "shardid", F_INT8EQ,
				  Int64GetDatum(number)))
		shell = DatumGetObjectId(get_value(&row, "logicalrelid", &isnull));
	end_row(&row);

	/* a table of the user's may have such a name as well */
	if (OidIsValid(shell) && RecsysShardRelation(shell, number) != table)
		shell = InvalidOid;
	if (shard != NULL)
		*shard = number;
	return shell;
}

int32
RecsysLocalGroup(void)
{
	Relation	relation;
	SysScanDesc scan;
	HeapTuple	tuple;
	int32		group = 0;
	bool		isnull;

	create_known();
	if (group_known)
		return local_group;
	relation = table_open(citus_catalog("pg_dist_local_group"), AccessShareLock);
	scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	tuple = systable_getnext(scan);
	group_relation = RelationGetRelid(relation);
	if (HeapTupleIsValid(tuple))
		group = DatumGetInt32(heap_getattr(tuple, get_attnum(RelationGetRelid(relation), "groupid"),
										   RelationGetDescr(relation), &isnull));
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	local_group = group;
	group_known = true;
	return group;
}

/*
 * A placement that a move has left behind is gone from there, or has another state, before its
 * table is dropped.
 */
bool
RecsysShardIsHere(int64 shard)
{
	int32		group = RecsysLocalGroup();
	CatalogRow	row;
	bool		here = false;
	bool		isnull;

	(void) begin_row(&row, "pg_dist_placement", "pg_dist_placement_shardid_index", "shardid", F_INT8EQ,
					 Int64GetDatum(shard));
	while (HeapTupleIsValid(row.tuple) && !here)
	{
		here = DatumGetInt32(get_value(&row, "groupid", &isnull)) == group &&
			DatumGetInt32(get_value(&row, "shardstate", &isnull)) == ACTIVE_PLACEMENT;
		row.tuple = systable_getnext(row.scan);
	}
	end_row(&row);
	return here;
}

int32
RecsysGroupOfShard(int64 shard)
{
	CatalogRow	row;
	int32		group = -1;
	bool		isnull;

	(void) begin_row(&row, "pg_dist_placement", "pg_dist_placement_shardid_index", "shardid", F_INT8EQ,
					 Int64GetDatum(shard));
	while (HeapTupleIsValid(row.tuple) && group < 0)
	{
		if (DatumGetInt32(get_value(&row, "shardstate", &isnull)) == ACTIVE_PLACEMENT)
			group = DatumGetInt32(get_value(&row, "groupid", &isnull));
		row.tuple = systable_getnext(row.scan);
	}
	end_row(&row);
	return group;
}

List *
RecsysShardsOf(Oid table)
{
	List	   *shards = NIL;
	CatalogRow	row;
	bool		isnull;

	(void) begin_row(&row, "pg_dist_shard", "pg_dist_shard_logical_relid_index", "logicalrelid", F_OIDEQ,
					 ObjectIdGetDatum(table));
	while (HeapTupleIsValid(row.tuple))
	{
		int64	   *shard = palloc(sizeof(int64));

		*shard = DatumGetInt64(get_value(&row, "shardid", &isnull));
		shards = lappend(shards, shard);
		row.tuple = systable_getnext(row.scan);
	}
	end_row(&row);
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

/* As the owner: the function is for who may read all of the table, and a caller may have columns of it. */
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
