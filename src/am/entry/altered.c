/*
 * altered.c
 *	  ALTER INDEX … SET: refusing options that the index cannot have, and telling of
 *	  those that wait for a REINDEX.
 *
 * ALTER INDEX … SET changes what the next build will do; the graph stays as it was built.
 * The access method is called only to parse the options, and is not told for which
 * index.  But the server calls a hook for each altered relation, and this library has
 * been loaded by then, because ALTER opens the index.  When the hook is called, the old row of
 * pg_class is still the visible one.  The new row can be read with a snapshot that sees
 * everything our own transaction has done.  An error in the hook undoes the ALTER.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "am/entry/altered.h"
#include "am/entry/handler.h"
#include "am/entry/indexes.h"
#include "am/store/columns.h"
#include "am/store/inspect.h"
#include "am/store/meta.h"
#include "am/store/options.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "source/train/optiontext.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

static object_access_hook_type previous_hook = NULL;

/* An index whose options have been set, and to what */
typedef struct Altered
{
	bool		changed;
	bool		useless_before; /* had it a half-life that does nothing already? */
	const char *useless;		/* the option that does nothing without a time column, or NULL */
	RecsysModelOptions options;
} Altered;

/* The half-life among the options of a row of pg_class, which does nothing without a time column */
static const char *
useless_half_life(Datum options, bool isnull)
{
	RelationData fake = {0};

	if (isnull)
		return NULL;
	fake.rd_options = RecsysParseOptions(options, false);
	return RecsysUselessHalfLife(&fake);
}

static void
compare_rows(Relation pg_class, HeapTuple old, HeapTuple new, Altered *altered)
{
	bool		old_isnull;
	bool		new_isnull;
	Datum		old_options = heap_getattr(old, Anum_pg_class_reloptions,
										   RelationGetDescr(pg_class), &old_isnull);
	Datum		new_options = heap_getattr(new, Anum_pg_class_reloptions,
										   RelationGetDescr(pg_class), &new_isnull);

	altered->changed = old_isnull != new_isnull ||
		(!old_isnull && !datum_image_eq(old_options, new_options, false, -1));
	if (!altered->changed)
		return;
	altered->useless_before = useless_half_life(old_options, old_isnull) != NULL;
	altered->useless = useless_half_life(new_options, new_isnull);
	RecsysReadAskedOptions(new_isnull ? NULL :
						   (RecsysOptions *) RecsysParseOptions(new_options, false),
						   &altered->options);
}

/* False unless it is a recsys index with storage whose options have just been changed. */
static bool
find_altered(Oid relation, Altered *altered)
{
	HeapTuple	old = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Form_pg_class form;
	Relation	pg_class;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	new;

	altered->changed = false;
	if (!HeapTupleIsValid(old))
		return false;
	form = (Form_pg_class) GETSTRUCT(old);
	if (form->relkind == RELKIND_INDEX && RecsysIsIndex(relation) &&
		RecsysKindOfIndex(relation) != RECSYS_GRAPH_INDEX)
	{
		pg_class = table_open(RelationRelationId, AccessShareLock);
		ScanKeyInit(&key, Anum_pg_class_oid, BTEqualStrategyNumber, F_OIDEQ,
					ObjectIdGetDatum(relation));
		scan = systable_beginscan(pg_class, ClassOidIndexId, true, SnapshotSelf, 1, &key);
		new = systable_getnext(scan);
		if (HeapTupleIsValid(new))
			compare_rows(pg_class, old, new, altered);
		systable_endscan(scan);
		table_close(pg_class, AccessShareLock);
	}
	ReleaseSysCache(old);
	return altered->changed;
}

/* Options that the index has had can be set again, beside others. */
static void
refuse_useless(Oid relation, const Altered *altered)
{
	Relation	index;
	RecsysColumns columns;

	if (altered->useless == NULL || altered->useless_before)
		return;
	index = relation_open(relation, NoLock);
	RecsysGetColumns(index, &columns);
	if (columns.time_column == 0)
		RecsysRefuseHalfLife(altered->useless, RelationGetRelationName(index));
	relation_close(index, NoLock);
}

static void
tell_altered(Oid relation, RecsysModelOptions *set)
{
	/* who alters it has locked it */
	Relation	index = relation_open(relation, NoLock);
	RecsysMetaData meta;
	char	   *was;
	char	   *will;

	if (RecsysPeekMeta(index, &meta) && meta.version == RECSYS_FORMAT_VERSION)
	{
		if (RecsysIndexIsItems(index))
			RecsysAskedOfItems(&meta, set);
		if (RecsysOptionsWait(&meta, set, &was, &will))
			ereport(NOTICE,
					(errmsg("index \"%s\" goes on with the options that it was built with",
							RelationGetRelationName(index)),
					 errdetail("It was built with %s; it will be built with %s.", was, will),
					 errhint("REINDEX INDEX CONCURRENTLY %s;",
							 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(index)),
														RelationGetRelationName(index)))));
	}
	relation_close(index, NoLock);
}

static void
note_altered(ObjectAccessType access, Oid class, Oid object, int part, void *arg)
{
	Altered		altered;

	if (previous_hook != NULL)
		previous_hook(access, class, object, part, arg);
	if (access == OAT_POST_ALTER && class == RelationRelationId && part == 0 &&
		find_altered(object, &altered))
	{
		refuse_useless(object, &altered);
		tell_altered(object, &altered.options);
	}
}

void
RecsysInitAltered(void)
{
	previous_hook = object_access_hook;
	object_access_hook = note_altered;
}
