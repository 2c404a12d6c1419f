/*
 * wholecreate.c
 *	  Creating a whole: an empty table and its index, as the server makes TOAST tables.
 *
 * Both belong to the bootstrap superuser and stand in pg_toast, so that nobody else reads or
 * changes them and pg_dump leaves them out.  The table depends on the root, and goes with it.  Its
 * columns are those of the root, expressions being columns like any other.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tupdesc.h"
#include "access/xact.h"
#include "am/parts/leaves.h"
#include "am/parts/whole.h"
#include "am/store/indexname.h"
#include "am/store/wholename.h"
#include "catalog/dependency.h"
#include "catalog/heap.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_am.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "compat.h"
#include "nodes/makefuncs.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* A whole persists as its leaves do, all of them alike. */
static char
persistence_of_whole(Relation root)
{
	List	   *leaves = RecsysLeafTables(root->rd_index->indrelid);
	char		persistence = root->rd_rel->relpersistence;
	ListCell   *cell;

	if (leaves != NIL)
		persistence = get_rel_persistence(linitial_oid(leaves));
	foreach(cell, leaves)
	{
		if (get_rel_persistence(lfirst_oid(cell)) == persistence)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("partitions \"%s\" and \"%s\" cannot have a recommender together",
						get_rel_name(linitial_oid(leaves)), get_rel_name(lfirst_oid(cell))),
				 errdetail("One of them is unlogged and the other is not."),
				 errhint("ALTER TABLE %s SET %s;", RecsysQualifiedName(lfirst_oid(cell)),
						 persistence == RELPERSISTENCE_UNLOGGED ? "UNLOGGED" : "LOGGED")));
	}
	list_free(leaves);
	return persistence;
}

static TupleDesc
columns_of_root(Relation root)
{
	int			n = IndexRelationGetNumberOfKeyAttributes(root);
	TupleDesc	columns = CreateTemplateTupleDesc(n);

	for (int i = 0; i < n; i++)
	{
		Form_pg_attribute from = TupleDescAttr(RelationGetDescr(root), i);

		TupleDescInitEntry(columns, i + 1, NameStr(from->attname), from->atttypid, from->atttypmod,
						   from->attndims);
		TupleDescInitEntryCollation(columns, i + 1, from->attcollation);

		/* no TOAST table for a table without rows */
		TupleDescAttr(columns, i)->attstorage = TYPSTORAGE_PLAIN;
	}
	return columns;
}

static Oid
create_table(Relation root, const char *name, Oid namespace, char persistence)
{
	Oid			table = heap_create_with_catalog(name, namespace, root->rd_rel->reltablespace,
												 InvalidOid, InvalidOid, InvalidOid,
												 BOOTSTRAP_SUPERUSERID, HEAP_TABLE_AM_OID,
												 columns_of_root(root), NIL, RELKIND_RELATION,
												 persistence, false, false, ONCOMMIT_NOOP, (Datum) 0,
												 false, true, true, InvalidOid, NULL);
	ObjectAddress whole;
	ObjectAddress owner;

	ObjectAddressSet(whole, RelationRelationId, table);
	ObjectAddressSet(owner, RelationRelationId, RelationGetRelid(root));
	/* like an internal one, but pg_dump, which would see a loop from data to indexes, passes over it */
	recordDependencyOn(&whole, &owner, DEPENDENCY_EXTENSION);
	CommandCounterIncrement();
	return table;
}

static IndexInfo *
info_of_whole(Relation root)
{
	IndexInfo  *info = makeNode(IndexInfo);

	info->ii_NumIndexAttrs = info->ii_NumIndexKeyAttrs = IndexRelationGetNumberOfKeyAttributes(root);
	for (int i = 0; i < info->ii_NumIndexAttrs; i++)
		info->ii_IndexAttrNumbers[i] = i + 1;
	info->ii_ReadyForInserts = true;
	info->ii_Am = root->rd_rel->relam;
	info->ii_Context = CurrentMemoryContext;
	return info;
}

/* WITH (…) as the root has it */
static Datum
options_of_root(Relation root)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(RelationGetRelid(root)));
	bool		isnull;
	Datum		options;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", RelationGetRelid(root));
	options = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_reloptions, &isnull);
	if (!isnull)
		options = PointerGetDatum(PG_DETOAST_DATUM_COPY(options));
	ReleaseSysCache(tuple);
	return isnull ? (Datum) 0 : options;
}

static oidvector *
classes_of_root(Relation root)
{
	bool		isnull;
	Datum		classes = SysCacheGetAttr(INDEXRELID, root->rd_indextuple, Anum_pg_index_indclass, &isnull);

	Assert(!isnull);
	return (oidvector *) DatumGetPointer(classes);
}

static Oid
create_index(Relation root, Oid table, const char *name)
{
	Relation	heap = table_open(table, ShareLock);
	List	   *names = NIL;
	Oid			index;

	for (int i = 0; i < RelationGetDescr(heap)->natts; i++)
		names = lappend(names, pstrdup(NameStr(TupleDescAttr(RelationGetDescr(heap), i)->attname)));
	index = RECSYS_INDEX_CREATE(heap, name, info_of_whole(root), names, root->rd_rel->relam,
								root->rd_rel->reltablespace, root->rd_indcollation,
								classes_of_root(root)->values, root->rd_indoption,
								options_of_root(root));
	table_close(heap, NoLock);
	CommandCounterIncrement();
	return index;
}

Oid
RecsysCreateWhole(Oid rootid)
{
	Relation	root = index_open(rootid, AccessShareLock);
	bool		temporary = root->rd_rel->relpersistence == RELPERSISTENCE_TEMP;
	Oid			namespace = temporary ? GetTempToastNamespace() : PG_TOAST_NAMESPACE;
	char		persistence = persistence_of_whole(root);
	char		name[NAMEDATALEN];
	Oid			table;
	Oid			index;

	RecsysNameWholeTable(rootid, name);
	table = create_table(root, name, namespace, persistence);
	RecsysNameWhole(rootid, name);
	index = create_index(root, table, name);
	index_close(root, NoLock);
	return index;
}
