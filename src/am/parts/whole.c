/*
 * whole.c
 *	  Finding the whole of a root or of a part, and the root of a whole.
 *
 * They find each other by name (am/store/wholename.h).  What a part leads to is remembered, as it is
 * asked for with each row that is inserted; that there is no whole is not.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "am/parts/whole.h"
#include "am/store/meta.h"
#include "am/store/relchanges.h"
#include "am/store/wholename.h"
#include "catalog/catalog.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

bool
RecsysIsPart(Relation index)
{
	return index->rd_rel->relispartition && index->rd_rel->relkind == RELKIND_INDEX &&
		!RecsysIndexIsItems(index);
}

bool
RecsysIsStub(Relation index)
{
	return !RecsysIsPart(index) && !RecsysIndexIsItems(index) && RecsysGetCache(index)->meta.part != 0;
}

Oid
RecsysRootOf(Oid index)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
	char		kind;
	bool		below;
	List	   *ancestors;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	kind = ((Form_pg_class) GETSTRUCT(tuple))->relkind;
	below = ((Form_pg_class) GETSTRUCT(tuple))->relispartition;
	ReleaseSysCache(tuple);
	if (!below)
		return kind == RELKIND_PARTITIONED_INDEX ? index : InvalidOid;
	ancestors = get_partition_ancestors(index);
	return ancestors == NIL ? InvalidOid : llast_oid(ancestors);
}

Oid
RecsysPartOfLeaf(Relation leaf, Oid root)
{
	List	   *indexes = RelationGetIndexList(leaf);
	Oid			part = InvalidOid;
	ListCell   *cell;

	foreach(cell, indexes)
		if (get_rel_relispartition(lfirst_oid(cell)) && RecsysRootOf(lfirst_oid(cell)) == root)
			part = lfirst_oid(cell);
	list_free(indexes);
	return part;
}

/* The schema that the whole of a relation is in */
static Oid
namespace_of_whole(Oid root)
{
	return isTempNamespace(get_rel_namespace(root)) ? GetTempToastNamespace() : PG_TOAST_NAMESPACE;
}

Oid
RecsysWholeOf(Oid root)
{
	char		name[NAMEDATALEN];

	RecsysNameWhole(root, name);
	return get_relname_relid(name, namespace_of_whole(root));
}

Oid
RecsysRootOfWhole(Relation index)
{
	if (index->rd_rel->relkind != RELKIND_INDEX || RecsysIndexIsItems(index))
		return InvalidOid;
	return RecsysRootByName(RelationGetRelationName(index), index->rd_rel->relnamespace);
}

Oid
RecsysRootOfWholeOid(Oid index)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
	Oid			root = InvalidOid;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	if (((Form_pg_class) GETSTRUCT(tuple))->relkind == RELKIND_INDEX)
		root = RecsysRootByName(NameStr(((Form_pg_class) GETSTRUCT(tuple))->relname),
								((Form_pg_class) GETSTRUCT(tuple))->relnamespace);
	ReleaseSysCache(tuple);
	return root;
}

Oid
RecsysIndexedTable(Oid index)
{
	Oid			root = RecsysRootOfWholeOid(index);

	return IndexGetRelation(OidIsValid(root) ? root : index, true);
}

/*
 * What parts lead to, as of the last look.
 */
#define REMEMBERED_PARTS 64
#define MAX_ANCESTORS 4

typedef struct KnownPart
{
	Oid			part;			/* InvalidOid: nothing is remembered here */
	Oid			root;			/* InvalidOid: it is no part any more */
	Oid			ancestors[MAX_ANCESTORS];	/* that there are, then InvalidOid */
	Oid			table;			/* of the whole */
	Oid			whole;			/* InvalidOid: there is none yet */
	Oid			others[MAX_ANCESTORS];	/* of ancestors that have been roots, then InvalidOid */
} KnownPart;

static KnownPart known[REMEMBERED_PARTS];
static uint64 invalidations = 0;

static void
forget_changed(Datum arg, Oid relation)
{
	invalidations++;
	for (int i = 0; i < REMEMBERED_PARTS; i++)
	{
		bool		changed = !OidIsValid(relation) || known[i].part == relation ||
			known[i].whole == relation;

		for (int a = 0; a < MAX_ANCESTORS; a++)
			changed |= known[i].ancestors[a] == relation;
		if (changed)
			known[i].part = InvalidOid;
	}
}

static void
find_whole(Oid part, KnownPart *found)
{
	static bool registered = false;
	uint64		before;
	List	   *ancestors;
	KnownPart  *place = &known[part % REMEMBERED_PARTS];
	int			nothers = 0;

	if (!registered)
	{
		RecsysOnRelationChange(forget_changed);
		registered = true;
	}
	before = invalidations;
	memset(found, 0, sizeof(*found));
	found->part = part;
	ancestors = get_partition_ancestors(part);
	if (ancestors == NIL)
		return;
	found->root = llast_oid(ancestors);
	found->whole = RecsysWholeOf(found->root);
	if (OidIsValid(found->whole))
		found->table = IndexGetRelation(found->whole, false);
	for (int i = 0; i < list_length(ancestors) && i < MAX_ANCESTORS; i++)
	{
		found->ancestors[i] = list_nth_oid(ancestors, i);
		if (i + 1 < list_length(ancestors))
			found->others[nothers] = RecsysWholeOf(found->ancestors[i]);
		nothers += OidIsValid(found->others[nothers]);
	}
	if (OidIsValid(found->whole) && list_length(ancestors) <= MAX_ANCESTORS && before == invalidations)
		*place = *found;
	list_free(ancestors);
}

static void
get_part(Relation part, KnownPart *found)
{
	Oid			oid = RelationGetRelid(part);

	*found = known[oid % REMEMBERED_PARTS];
	if (found->part != oid)
		find_whole(oid, found);
}

Oid
RecsysRootOfPart(Relation part)
{
	KnownPart	found;

	get_part(part, &found);
	return found.root;
}

/*
 * When a part is replaced by another one (twin.h), the catalog may say so before the relation's own
 * entry does, and while the other one is not known to be a part yet.
 */
static void
find_whole_of_replaced(Relation part, KnownPart *found)
{
	found->root = RecsysGetCache(part)->meta.passes_to;
	found->whole = OidIsValid(found->root) ? RecsysWholeOf(found->root) : InvalidOid;
	found->table = OidIsValid(found->whole) ? IndexGetRelation(found->whole, true) : InvalidOid;
}

Relation
RecsysOpenWholeOfPart(Relation part, LOCKMODE table_lock, LOCKMODE index_lock)
{
	KnownPart	found;

	get_part(part, &found);
	if (!OidIsValid(found.root))
		find_whole_of_replaced(part, &found);
	if (!OidIsValid(found.whole) || !OidIsValid(found.table))
		return NULL;
	if (table_lock != NoLock)
		LockRelationOid(found.table, table_lock);
	return index_open(found.whole, index_lock);
}

Oid
RecsysOtherWholeOfPart(Relation part, int number)
{
	KnownPart	found;

	if (number >= MAX_ANCESTORS)
		return InvalidOid;
	get_part(part, &found);
	return found.others[number];
}

void
RecsysCloseWholeOfPart(Relation whole, LOCKMODE table_lock, LOCKMODE index_lock)
{
	Oid			table = whole->rd_index->indrelid;

	index_close(whole, index_lock);
	if (table_lock != NoLock)
		UnlockRelationOid(table, table_lock);
}
