/*
 * takennames.c
 *	  One name, one meaning.
 *
 * A name that is being taken is locked as an object of the table of recommenders, numbered by its
 * hash, so that of two sessions that take it for different things the second one sees the first one's
 * row.  Rows are looked at with a new snapshot, whatever the transaction's is.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "am/entry/indexes.h"
#include "api/declare/jsonfields.h"
#include "api/declare/names.h"
#include "api/declare/takennames.h"
#include "catalog/namespace.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#define KINDS (RECSYS_NAMED_BANDIT + 1)

/* In the order of RecsysNamedKind; a table's first three columns are name, owner, definition */
static const char *const words[KINDS] = {"recommender", "experiment", "bandit"};
static const char *const articles[KINDS] = {"a recommender", "an experiment", "a bandit"};

/* Columns of recsys.experiment */
#define NAME_COLUMN 1
#define OWNER_COLUMN 2
#define DEFINITION_COLUMN 3
#define STOPPED_COLUMN 5

static Oid
table_of(RecsysNamedKind kind)
{
	Oid			schema = get_namespace_oid("recsys", true);

	return OidIsValid(schema) ? get_relname_relid(words[kind], schema) : InvalidOid;
}

/* An older version of the extension has only some of the tables. */
static Relation
open_table(RecsysNamedKind kind)
{
	Oid			table = table_of(kind);

	return OidIsValid(table) ? try_table_open(table, AccessShareLock) : NULL;
}

bool
RecsysNameExists(const char *name, RecsysNamedKind kind)
{
	Relation	table = open_table(kind);
	Snapshot	snapshot;
	ScanKeyData key;
	SysScanDesc scan;
	bool		exists;

	if (table == NULL)
		return false;
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	list_free(RelationGetIndexList(table));
	ScanKeyInit(&key, NAME_COLUMN, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));
	scan = systable_beginscan(table, table->rd_pkindex, OidIsValid(table->rd_pkindex), snapshot, 1, &key);
	exists = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	return exists;
}

static void
lock_name(const char *name)
{
	Oid			table = table_of(RECSYS_NAMED_RECOMMENDER);
	uint32		hash = hash_bytes((const unsigned char *) name, strlen(name));

	if (OidIsValid(table))
		LockDatabaseObject(table, hash, 0, ExclusiveLock);
}

void
RecsysTakeName(const char *name, RecsysNamedKind kind)
{
	Oid			relation;

	if (!RecsysIsPlainName(name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("\"%s\" cannot be the name of %s", name, articles[kind]),
				 errdetail("Names are at most %d bytes of lower-case letters, digits and underscores, and begin with no digit.",
						   NAMEDATALEN - 1)));
	relation = RelnameGetRelid(name);
	if (OidIsValid(relation) && RecsysIsIndex(relation))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("there is a recsys index \"%s\"", name),
				 errdetail("Functions would take the name for that of the index."),
				 errhint("Choose another name for the %s.", words[kind])));
	lock_name(name);
	for (int other = 0; other < KINDS; other++)
		if (other != kind && RecsysNameExists(name, other))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("there is %s \"%s\"", articles[other], name),
					 errdetail("Functions could not tell the two from one another."),
					 errhint("Choose another name for the %s.", words[kind])));
}

/* Does the experiment serve it, as long as it runs or for good? */
static bool
serves(Jsonb *definition, bool is_stopped, const char *name)
{
	JsonbValue	value;
	JsonbContainer *variants;
	char	   *winner = RecsysJsonText(&definition->root, "winner");

	if (!RecsysJsonGet(&definition->root, "variants", &value))
		return false;
	variants = RecsysJsonArray(&value, "variants");
	for (uint32 i = 0; i < JsonContainerSize(variants); i++)
	{
		JsonbContainer *variant = RecsysJsonObject(getIthJsonbValueFromContainer(variants, i), "variants");
		char	   *recommender = RecsysJsonText(variant, "recommender");
		char	   *own = RecsysJsonText(variant, "name");

		if (recommender != NULL && strcmp(recommender, name) == 0 &&
			(!is_stopped || (winner == NULL ? i == 0 : own != NULL && strcmp(own, winner) == 0)))
			return true;
	}
	return false;
}

/* Is the experiment in a row one that serves it, and that the current user may change? */
static bool
hinders(HeapTuple tuple, TupleDesc descriptor, const char *name)
{
	bool		isnull;
	Oid			owner;
	bool		is_stopped;
	Datum		definition;

	owner = get_role_oid(TextDatumGetCString(heap_getattr(tuple, OWNER_COLUMN, descriptor, &isnull)), true);
	if (!OidIsValid(owner) || !has_privs_of_role(GetUserId(), owner))
		return false;
	(void) heap_getattr(tuple, STOPPED_COLUMN, descriptor, &is_stopped);
	is_stopped = !is_stopped;
	definition = heap_getattr(tuple, DEFINITION_COLUMN, descriptor, &isnull);
	return !isnull && serves(DatumGetJsonbP(definition), is_stopped, name);
}

void
RecsysRefuseIfUsed(const char *name, RecsysNamedKind kind)
{
	Relation	table = open_table(RECSYS_NAMED_EXPERIMENT);
	Snapshot	snapshot;
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *user = NULL;

	if (table == NULL)
		return;
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = systable_beginscan(table, InvalidOid, false, snapshot, 0, NULL);
	while (user == NULL && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;

		if (hinders(tuple, RelationGetDescr(table), name))
			user = TextDatumGetCString(heap_getattr(tuple, NAME_COLUMN, RelationGetDescr(table), &isnull));
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	if (user != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("%s \"%s\" serves a variant of experiment \"%s\"", words[kind], name, user),
				 errhint("Drop the experiment first: SELECT recsys.drop_experiment(%s);",
						 quote_literal_cstr(user))));
}
