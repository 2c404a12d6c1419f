/*
 * leaves.c
 *	  The partitions of a table that have rows, and since when they are partitions.
 *
 * To ask the catalog for them takes a search for each partitioned table, and a recommendation is
 * made in less time.  So a session remembers them, and forgets them when an invalidation names
 * one of the tables: attaching, detaching, and dropping do, in the session that does it at the
 * end of the command, and again when it is rolled back.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "am/parts/leaves.h"
#include "am/store/indexname.h"
#include "am/store/relchanges.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/predicate.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* Tables whose leaves are remembered; what else a session reads is looked up each time */
#define REMEMBERED_TABLES 8

typedef struct KnownLeaves
{
	RecsysLeaves found;			/* table InvalidOid: nothing is remembered here */
	bool		valid;
	MemoryContext context;
	Oid		   *tables;			/* all: the table, partitioned ones below it, leaves; ascending */
	int			ntables;
	int			maxtables;
	int			maxleaves;
	uint64		used;
} KnownLeaves;

static KnownLeaves known[REMEMBERED_TABLES];
static uint64 last_number = 0;
static uint64 clock_hand = 0;
static uint64 invalidations = 0;

static int
compare_oids(const void *a, const void *b)
{
	Oid			x = *(const Oid *) a;
	Oid			y = *(const Oid *) b;

	return x < y ? -1 : x > y;
}

/* A callback allocates no memory, and looks at no catalog. */
static void
forget_changed(Datum arg, Oid relation)
{
	invalidations++;
	for (int i = 0; i < REMEMBERED_TABLES; i++)
		if (known[i].valid &&
			(!OidIsValid(relation) ||
			 bsearch(&relation, known[i].tables, known[i].ntables, sizeof(Oid), compare_oids) != NULL))
			known[i].valid = false;
}

static void
add_table(KnownLeaves *leaves, Oid table)
{
	if (leaves->ntables == leaves->maxtables)
	{
		leaves->maxtables = Max(64, leaves->maxtables * 2);
		leaves->tables = leaves->tables == NULL ?
			MemoryContextAlloc(leaves->context, sizeof(Oid) * leaves->maxtables) :
			repalloc(leaves->tables, sizeof(Oid) * leaves->maxtables);
	}
	leaves->tables[leaves->ntables++] = table;
}

static void
add_leaf(KnownLeaves *leaves, Oid table, uint32 attached, uint32 row)
{
	RecsysLeaf *leaf;

	if (leaves->found.n == leaves->maxleaves)
	{
		leaves->maxleaves = Max(64, leaves->maxleaves * 2);
		leaves->found.leaves = leaves->found.leaves == NULL ?
			MemoryContextAlloc(leaves->context, sizeof(RecsysLeaf) * leaves->maxleaves) :
			repalloc(leaves->found.leaves, sizeof(RecsysLeaf) * leaves->maxleaves);
	}
	leaf = &leaves->found.leaves[leaves->found.n++];
	leaf->table = table;
	leaf->attached = attached;
	leaf->row = row;
}

/*
 * A child of a partitioned table or index, the transaction that has made it one, and where that is
 * said.  It is told by xmin as it is stored, which freezing leaves alone.
 */
typedef struct Child
{
	Oid			relation;
	uint32		xmin;
	uint32		row;
} Child;

static Child *
read_children(Oid parent, int *n)
{
	Relation	inherits = table_open(InheritsRelationId, AccessShareLock);
	Child	   *children = NULL;
	int			size = 0;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	*n = 0;
	ScanKeyInit(&key, Anum_pg_inherits_inhparent, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(parent));
	scan = systable_beginscan(inherits, InheritsParentIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_inherits form = (Form_pg_inherits) GETSTRUCT(tuple);

		/* once begun, detaching is not taken back */
		if (form->inhdetachpending)
			continue;
		if (*n == size)
		{
			size = Max(32, size * 2);
			children = children == NULL ? palloc(sizeof(Child) * size) :
				repalloc(children, sizeof(Child) * size);
		}
		children[*n].relation = form->inhrelid;
		children[*n].xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
		children[*n].row = hash_combine(ItemPointerGetBlockNumber(&tuple->t_self),
										ItemPointerGetOffsetNumber(&tuple->t_self));
		(*n)++;
	}
	systable_endscan(scan);
	table_close(inherits, AccessShareLock);
	return children;
}

static void
collect_leaves(KnownLeaves *leaves, Oid parent, uint32 attached, uint32 row)
{
	int			n;
	Child	   *children = read_children(parent, &n);

	check_stack_depth();
	add_table(leaves, parent);
	for (int i = 0; i < n; i++)
	{
		uint32		since = attached == 0 ? children[i].xmin : hash_combine(attached, children[i].xmin);
		uint32		said = hash_combine(row, children[i].row);

		switch (get_rel_relkind(children[i].relation))
		{
			case RELKIND_RELATION:
				add_table(leaves, children[i].relation);
				add_leaf(leaves, children[i].relation, since, said);
				break;
			case RELKIND_PARTITIONED_TABLE:
				collect_leaves(leaves, children[i].relation, since, said);
				break;
			case RELKIND_FOREIGN_TABLE:
				add_table(leaves, children[i].relation);
				leaves->found.foreign = children[i].relation;
				break;
			default:
				break;			/* it has just been dropped */
		}
	}
	if (children != NULL)
		pfree(children);
}

static int
compare_leaves(const void *a, const void *b)
{
	return compare_oids(&((const RecsysLeaf *) a)->table, &((const RecsysLeaf *) b)->table);
}

static void
look_up(KnownLeaves *leaves, Oid table)
{
	static bool registered = false;
	uint64		before;

	if (!registered)
	{
		RecsysOnRelationChange(forget_changed);
		registered = true;
	}
	if (leaves->context == NULL)
		leaves->context = AllocSetContextCreate(TopMemoryContext, "recsys leaves", ALLOCSET_SMALL_SIZES);
	MemoryContextReset(leaves->context);
	leaves->valid = false;
	leaves->tables = NULL;
	leaves->ntables = leaves->maxtables = leaves->maxleaves = 0;
	memset(&leaves->found, 0, sizeof(leaves->found));
	leaves->found.table = table;

	/* what has changed meanwhile may have been overlooked: then it is looked up the next time, too */
	before = invalidations;
	collect_leaves(leaves, table, 0, 0);
	qsort(leaves->tables, leaves->ntables, sizeof(Oid), compare_oids);
	if (leaves->found.n > 0)
		qsort(leaves->found.leaves, leaves->found.n, sizeof(RecsysLeaf), compare_leaves);
	leaves->found.number = ++last_number;
	leaves->valid = before == invalidations;
}

const RecsysLeaves *
RecsysGetLeaves(Oid table)
{
	KnownLeaves *place = &known[0];

	for (int i = 0; i < REMEMBERED_TABLES; i++)
	{
		if (known[i].found.table == table)
		{
			place = &known[i];
			break;
		}
		if (known[i].used < place->used)
			place = &known[i];
	}
	place->used = ++clock_hand;
	if (place->found.table != table || !place->valid)
		look_up(place, table);
	return &place->found;
}

void
RecsysRefuseForeign(const RecsysLeaves *leaves)
{
	Oid			partition = leaves->foreign;
	Oid			parent;

	if (!OidIsValid(partition))
		return;
	parent = get_partition_parent(partition, true);
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("partition \"%s\" of table \"%s\" is a foreign table",
					get_rel_name(partition), get_rel_name(leaves->table)),
			 errdetail("A recommender has the rows of all partitions, and foreign ones have no indexes."),
			 errhint("ALTER TABLE %s DETACH PARTITION %s;",
					 RecsysQualifiedName(parent), RecsysQualifiedName(partition))));
}

List *
RecsysLeafTables(Oid table)
{
	const RecsysLeaves *leaves = RecsysGetLeaves(table);
	List	   *tables = NIL;

	RecsysRefuseForeign(leaves);
	for (int i = 0; i < leaves->n; i++)
		tables = lappend_oid(tables, leaves->leaves[i].table);
	return tables;
}

const RecsysLeaf *
RecsysFindLeaf(const RecsysLeaves *leaves, Oid table)
{
	RecsysLeaf	key = {table, 0, 0};

	return leaves->n == 0 ? NULL :
		bsearch(&key, leaves->leaves, leaves->n, sizeof(RecsysLeaf), compare_leaves);
}

/* The tables of all indexes without partitions below an index */
static List *
indexed_tables(Oid index, List *tables)
{
	int			n;
	Child	   *children = read_children(index, &n);

	check_stack_depth();
	for (int i = 0; i < n; i++)
	{
		if (get_rel_relkind(children[i].relation) == RELKIND_PARTITIONED_INDEX)
			tables = indexed_tables(children[i].relation, tables);
		else
			tables = lappend_oid(tables, IndexGetRelation(children[i].relation, true));
	}
	return tables;
}

bool
RecsysAllLeavesHaveParts(Oid root)
{
	Oid			table = IndexGetRelation(root, true);
	List	   *indexed = indexed_tables(root, NIL);
	List	   *leaves = OidIsValid(table) ? RecsysLeafTables(table) : NIL;
	ListCell   *cell;
	int			next = 0;
	bool		all = OidIsValid(table);

	/* both ascending */
	list_sort(indexed, list_oid_cmp);
	foreach(cell, leaves)
	{
		while (next < list_length(indexed) && list_nth_oid(indexed, next) < lfirst_oid(cell))
			next++;
		all &= next < list_length(indexed) && list_nth_oid(indexed, next) == lfirst_oid(cell);
	}
	list_free(leaves);
	list_free(indexed);
	return all;
}

void
RecsysPredicateLockTable(Relation table, Snapshot snapshot)
{
	List	   *leaves;
	ListCell   *cell;

	if (!IsolationIsSerializable())
		return;
	if (table->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
	{
		PredicateLockRelation(table, snapshot);
		return;
	}
	leaves = RecsysLeafTables(RelationGetRelid(table));
	foreach(cell, leaves)
	{
		Relation	leaf = try_table_open(lfirst_oid(cell), AccessShareLock);

		if (leaf == NULL)
			continue;
		PredicateLockRelation(leaf, snapshot);
		table_close(leaf, AccessShareLock);
	}
	list_free(leaves);
}
