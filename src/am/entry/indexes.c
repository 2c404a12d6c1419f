/*
 * indexes.c
 *	  All recsys indexes of a database: those over interactions, over items, and over item graphs.
 *
 * pg_class has no index by access method.  But every index depends on the operator
 * classes of its columns, and pg_depend is indexed by what is depended on.  So all
 * recsys indexes are found there quickly, however many relations there are.
 *
 * Of the indexes over interactions of a partitioned table only the one at the top is listed: those of
 * partitions are parts of it, and what has its pages is nobody's business (am/parts/whole.h).
 *
 * The result is remembered.  Invalidation messages name the relations that have
 * changed, among them new indexes of any session.  The next call looks only at those.
 * If there are too many, or the server does not say which, it searches anew.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "am/entry/indexes.h"
#include "am/entry/shells.h"
#include "am/parts/whole.h"
#include "am/store/relchanges.h"
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_opclass.h"
#include "commands/defrem.h"
#include "utils/catcache.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* By the kind of their indexes */
static const char *const access_methods[] = {
	[RECSYS_INTERACTIONS_INDEX] = "recsys",
	[RECSYS_ITEMS_INDEX] = "recsys_items",
	[RECSYS_GRAPH_INDEX] = "recsys_graph",
};

#define FIRST_KIND RECSYS_INTERACTIONS_INDEX
#define LAST_KIND RECSYS_GRAPH_INDEX

/* All indexes of these, as of the last look */
static bool known_valid = false;
static Oid	known_ams[LAST_KIND + 1];
static Oid *known = NULL;
static int	nknown = 0;
static int	maxknown = 0;

/* Relations that have changed since, unless it is not known which; a callback allocates no memory */
#define MAX_CHANGED 256
static Oid	changed[MAX_CHANGED];
static int	nchanged = 0;
static bool any_changed = false;

static void
note_changed(Datum arg, Oid relation)
{
	for (int i = 0; i < nchanged; i++)
		if (changed[i] == relation)
			return;
	if (OidIsValid(relation) && nchanged < MAX_CHANGED)
		changed[nchanged++] = relation;
	else
		any_changed = true;
}

Oid
RecsysAccessMethod(void)
{
	return get_am_oid(access_methods[RECSYS_INTERACTIONS_INDEX], true);
}

/* The kind of the indexes of an access method */
static RecsysIndexKind
kind_of_method(Oid am)
{
	for (RecsysIndexKind kind = FIRST_KIND; OidIsValid(am) && kind <= LAST_KIND; kind++)
		if (am == get_am_oid(access_methods[kind], true))
			return kind;
	return RECSYS_NO_INDEX;
}

static int
find_in_known(Oid index)
{
	for (int i = 0; i < nknown; i++)
		if (known[i] == index)
			return i;
	return -1;
}

static void
add_to_known(Oid index)
{
	if (nknown == maxknown)
	{
		int			more = Max(16, maxknown * 2);

		known = known == NULL ? MemoryContextAlloc(TopMemoryContext, sizeof(Oid) * more) :
			repalloc(known, sizeof(Oid) * more);
		maxknown = more;
	}
	known[nknown++] = index;
}

/*
 * Does it stand for itself?  Over interactions the topmost of partitioned indexes does, and none of
 * those below it; over items and item graphs those of partitions do, and no partitioned one.
 */
static bool
stands_for_itself(Form_pg_class form)
{
	switch (kind_of_method(form->relam))
	{
		case RECSYS_INTERACTIONS_INDEX:
			return (form->relkind == RELKIND_INDEX || form->relkind == RELKIND_PARTITIONED_INDEX) &&
				!form->relispartition;
		case RECSYS_ITEMS_INDEX:
		case RECSYS_GRAPH_INDEX:
			return form->relkind == RELKIND_INDEX;
		default:
			return false;
	}
}

/* Is the relation, as of now, an index to be listed? */
static bool
is_index(Oid relation)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	bool		found;

	if (!HeapTupleIsValid(tuple))
		return false;
	found = stands_for_itself((Form_pg_class) GETSTRUCT(tuple));
	ReleaseSysCache(tuple);
	return found && !OidIsValid(RecsysRootOfWholeOid(relation));
}

/* Adds the relations that depend on an operator class. */
static List *
dependents(Relation depend, Oid opclass, List *found)
{
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(OperatorClassRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(opclass));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, lengthof(keys), keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

		if (form->classid == RelationRelationId)
			found = lappend_oid(found, form->objid);
	}
	systable_endscan(scan);
	return found;
}

/* The relations that depend on the operator classes of an access method */
static List *
dependents_of_method(Relation depend, Oid am, List *found)
{
	CatCList   *opclasses = SearchSysCacheList1(CLAAMNAMENSP, ObjectIdGetDatum(am));

	for (int i = 0; i < opclasses->n_members; i++)
		found = dependents(depend,
						   ((Form_pg_opclass) GETSTRUCT(&opclasses->members[i]->tuple))->oid, found);
	ReleaseSysCacheList(opclasses);
	return found;
}

static void
find_known(const Oid *ams)
{
	static bool registered = false;
	Relation	depend;
	List	   *found = NIL;
	ListCell   *cell;

	if (!registered)
	{
		RecsysOnRelationChange(note_changed);
		registered = true;
	}

	/* what changes from now on is looked at the next time */
	nchanged = 0;
	any_changed = false;
	known_valid = false;
	nknown = 0;

	depend = table_open(DependRelationId, AccessShareLock);
	for (int kind = FIRST_KIND; kind <= LAST_KIND; kind++)
		if (OidIsValid(ams[kind]))
			found = dependents_of_method(depend, ams[kind], found);
	table_close(depend, AccessShareLock);

	/* an index depends on the classes of all its columns */
	list_sort(found, list_oid_cmp);
	list_deduplicate_oid(found);
	foreach(cell, found)
		if (is_index(lfirst_oid(cell)))
			add_to_known(lfirst_oid(cell));
	list_free(found);
	memcpy(known_ams, ams, sizeof(known_ams));
	known_valid = true;
}

/* Look at what has changed since the last time. */
static void
update_known(void)
{
	while (nchanged > 0)
	{
		Oid			relation = changed[--nchanged];
		bool		now = is_index(relation);
		int			place = find_in_known(relation);

		if (now && place < 0)
			add_to_known(relation);
		else if (!now && place >= 0)
			known[place] = known[--nknown];
	}
}

static List *
all_indexes(bool with_shells)
{
	Oid			ams[LAST_KIND + 1] = {InvalidOid};
	List	   *indexes = NIL;

	for (int kind = FIRST_KIND; kind <= LAST_KIND; kind++)
		ams[kind] = get_am_oid(access_methods[kind], true);
	if (!OidIsValid(ams[RECSYS_INTERACTIONS_INDEX]))
		return NIL;
	if (!known_valid || any_changed || memcmp(ams, known_ams, sizeof(ams)) != 0)
		find_known(ams);
	update_known();
	for (int i = 0; i < nknown; i++)
		if (with_shells || !RecsysCitusIsThere() || !RecsysIsShell(IndexGetRelation(known[i], true)))
			indexes = lappend_oid(indexes, known[i]);
	return indexes;
}

List *
RecsysAllIndexes(void)
{
	return all_indexes(false);
}

List *
RecsysAllIndexesAndShells(void)
{
	return all_indexes(true);
}

RecsysIndexKind
RecsysKindOfIndex(Oid relation)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid			am = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		am = ((Form_pg_class) GETSTRUCT(tuple))->relam;
		ReleaseSysCache(tuple);
	}
	return kind_of_method(am);
}

bool
RecsysIsIndex(Oid relation)
{
	return RecsysKindOfIndex(relation) != RECSYS_NO_INDEX;
}
