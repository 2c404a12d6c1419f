/*
 * recommender.c
 *	  From the recommender argument of a SQL function to an open index that the
 *	  caller may read.
 *
 * Privileges.  The item graph is computed from all rows of the table, so a
 * caller needs SELECT on the table or on every column of the index.  Where
 * row-level security would hide rows from the caller, the functions refuse:
 * even sums over rows that the caller must not see would leak.
 *
 * Recommenders that are not named, or not on the search path, are looked for
 * among all indexes of the access method.
 */
#include "postgres.h"

#include <ctype.h>

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xlog.h"
#include "am/indexes.h"
#include "api/recommender.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_index.h"
#include "compat.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

/* So many candidates are named when there is more than one. */
#define LISTED_NAMES 5

static Oid
access_method(void)
{
	Oid			am = RecsysAccessMethod();

	if (!OidIsValid(am))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("access method \"recsys\" does not exist"),
				 errhint("CREATE EXTENSION recsys in this database.")));
	return am;
}

/* May the current user read every indexed column? */
static bool
may_read(Oid table, Oid index)
{
	Oid			user = GetUserId();
	HeapTuple	tuple;
	Form_pg_index form;
	bool		allowed = true;

	if (pg_class_aclcheck(table, user, ACL_SELECT) == ACLCHECK_OK)
		return true;

	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_index) GETSTRUCT(tuple);

	/* an expression may read any column */
	for (int i = 0; i < form->indnatts; i++)
	{
		AttrNumber	column = form->indkey.values[i];

		if (column == InvalidAttrNumber ||
			pg_attribute_aclcheck(table, column, user, ACL_SELECT) != ACLCHECK_OK)
			allowed = false;
	}
	if (!heap_attisnull(tuple, Anum_pg_index_indpred, NULL))
		allowed = false;
	ReleaseSysCache(tuple);
	return allowed;
}

/* Is this a valid index of the caller's own world? */
static bool
is_candidate(Oid index)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Oid			table;
	bool		usable;

	if (!HeapTupleIsValid(tuple))
		return false;
	table = ((Form_pg_index) GETSTRUCT(tuple))->indrelid;
	usable = ((Form_pg_index) GETSTRUCT(tuple))->indisvalid;
	ReleaseSysCache(tuple);

	return usable && !isOtherTempNamespace(get_rel_namespace(index)) && may_read(table, index);
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/* "a, b and 3 more": the first few names in alphabetical order */
static char *
list_names(List *indexes)
{
	List	   *names = NIL;
	StringInfoData result;
	ListCell   *cell;

	foreach(cell, indexes)
	{
		Oid			index = lfirst_oid(cell);
		char	   *name = get_rel_name(index);

		if (name != NULL)
			names = lappend(names,
							quote_qualified_identifier(get_namespace_name(get_rel_namespace(index)),
													   name));
	}
	list_sort(names, compare_names);

	initStringInfo(&result);
	foreach(cell, names)
	{
		int			place = foreach_current_index(cell);

		if (place == LISTED_NAMES)
			appendStringInfo(&result, " and %d more", list_length(names) - LISTED_NAMES);
		if (place < LISTED_NAMES)
			appendStringInfo(&result, "%s%s", place > 0 ? ", " : "", (char *) lfirst(cell));
	}
	return result.data;
}

static Oid
only_recommender(void)
{
	List	   *known;
	List	   *candidates = NIL;
	ListCell   *cell;
	Oid			only;

	(void) access_method();
	known = RecsysAllIndexes();
	foreach(cell, known)
		if (is_candidate(lfirst_oid(cell)))
			candidates = lappend_oid(candidates, lfirst_oid(cell));
	list_free(known);

	if (candidates == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no recommender"),
				 errdetail("No valid recsys index exists in this database on a table that you may read."),
				 errhint("CREATE INDEX ... ON your_table USING recsys (user_id, item_id).")));
	if (list_length(candidates) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
				 errmsg("there is more than one recommender"),
				 errdetail("%d recsys indexes can be used: %s.", list_length(candidates),
						   list_names(candidates)),
				 errhint("Name the one you mean, as in recommender => 'purchases_recsys'.")));
	only = linitial_oid(candidates);
	list_free(candidates);
	return only;
}

/*
 * The index of that name which is found without the search path.  REFRESH
 * MATERIALIZED VIEW and restoring a dump run with an empty one, and a view's
 * query must mean the same index there as where it was written.
 */
static Oid
recommender_off_path(const char *name)
{
	Oid			found = InvalidOid;
	List	   *known;
	ListCell   *cell;

	(void) access_method();
	known = RecsysAllIndexes();
	foreach(cell, known)
	{
		Oid			index = lfirst_oid(cell);
		char	   *this = get_rel_name(index);

		if (this == NULL || strcmp(this, name) != 0 || !is_candidate(index))
			continue;
		if (OidIsValid(found))
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
					 errmsg("there is more than one recommender \"%s\"", name),
					 errhint("Name its schema as well.")));
		found = index;
	}
	list_free(known);
	return found;
}

static Oid
named_recommender(const char *name)
{
	RangeVar   *range = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name)));
	Oid			relation = RangeVarGetRelid(range, NoLock, true);

	if (!OidIsValid(relation) && range->schemaname == NULL)
		relation = recommender_off_path(range->relname);
	if (!OidIsValid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("recommender \"%s\" does not exist", name),
				 errhint("A recommender is the name of a recsys index: CREATE INDEX ... USING recsys (user_id, item_id).")));
	return relation;
}

static void
check_kind(Oid relation)
{
	char		kind = get_rel_relkind(relation);
	HeapTuple	tuple;
	Oid			am = InvalidOid;

	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	if (HeapTupleIsValid(tuple))
	{
		am = ((Form_pg_class) GETSTRUCT(tuple))->relam;
		ReleaseSysCache(tuple);
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("index with OID %u does not exist", relation)));

	if (kind == RELKIND_PARTITIONED_INDEX && am == access_method())
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is a partitioned index", get_rel_name(relation)),
				 errdetail("Each partition has a recommender of its own."),
				 errhint("Name the index of a partition, or compute similarities over all with query_item_similarity().")));
	if (kind != RELKIND_INDEX || am != access_method())
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a recsys index", get_rel_name(relation)),
				 errhint("CREATE INDEX ... USING recsys (user_id, item_id) and name that index.")));
}

static void
check_access(Relation heap, Relation index)
{
	if (!may_read(RelationGetRelid(heap), RelationGetRelid(index)))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(heap));

	if (check_enable_rls(RelationGetRelid(heap), InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("recsys index \"%s\" cannot be used under row-level security",
						RelationGetRelationName(index)),
				 errdetail("The recommender knows all rows of table \"%s\", policies hide some of them from you.",
						   RelationGetRelationName(heap)),
				 errhint("Use query_item_similarity(), which sees what you may see, or have the table's owner provide a SECURITY DEFINER function.")));
}

bool
RecsysMayRead(Oid table, Oid index)
{
	return may_read(table, index) && check_enable_rls(table, InvalidOid, true) != RLS_ENABLED;
}

/* Errors out unless this session can get at the index's pages. */
static void
check_reachable(Relation index)
{
	if (RELATION_IS_OTHER_TEMP(index))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot access temporary indexes of other sessions")));
	if (!RelationIsPermanent(index) && RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot access temporary or unlogged relations during recovery")));
}

/*
 * Is it one of those that REINDEX CONCURRENTLY makes, and drops when it has not failed: name_ccnew,
 * name_ccold, with a number if that was taken?
 */
static bool
is_from_reindex(Relation index)
{
	const char *name = RelationGetRelationName(index);
	Size		length = strlen(name);

	while (length > 0 && isdigit((unsigned char) name[length - 1]))
		length--;
	return length > 6 && (strncmp(name + length - 6, "_ccnew", 6) == 0 ||
						  strncmp(name + length - 6, "_ccold", 6) == 0);
}

/* Does somebody hold the lock on the table that builds an index concurrently? */
static bool
may_be_under_way(Relation index)
{
	LOCKTAG		tag;
	int			count;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, index->rd_index->indrelid);
	(void) GetLockConflicts(&tag, ShareUpdateExclusiveLock, &count);
	return count > 0;
}

static char *
qualified_name(Relation relation)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
									  RelationGetRelationName(relation));
}

char *
RecsysWhyNotValid(Relation index)
{
	char	   *name = qualified_name(index);

	if (may_be_under_way(index))
		return psprintf("not valid: it may still be under construction, as its table is locked for that or for maintenance");
	if (is_from_reindex(index))
		return psprintf("not valid: left by a REINDEX CONCURRENTLY that failed, remove it with DROP INDEX %s", name);
	return psprintf("not valid: building it has failed, remove it with DROP INDEX %s or build it with REINDEX INDEX CONCURRENTLY %s",
					name, name);
}

static void
refuse_invalid(Relation index)
{
	char	   *name = qualified_name(index);

	if (may_be_under_way(index))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 index->rd_index->indisready ?
				 errmsg("recsys index \"%s\" is not valid", RelationGetRelationName(index)) :
				 errmsg("recsys index \"%s\" is still being built", RelationGetRelationName(index)),
				 errdetail("Its table is locked for CREATE INDEX CONCURRENTLY or REINDEX CONCURRENTLY, or for maintenance."),
				 errhint("Wait for that to finish.")));
	if (is_from_reindex(index))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recsys index \"%s\" is not valid", RelationGetRelationName(index)),
				 errdetail("It was left by a REINDEX CONCURRENTLY that failed; the index that was to be rebuilt is still there."),
				 errhint("DROP INDEX %s;", name)));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("recsys index \"%s\" is not valid", RelationGetRelationName(index)),
			 errdetail("Building it has failed."),
			 errhint("REINDEX INDEX CONCURRENTLY %s;", name)));
}

static void
check_state(Relation index)
{
	check_reachable(index);
	if (!index->rd_index->indisready || !index->rd_index->indisvalid)
		refuse_invalid(index);
}

/* The table before the index, as everywhere in the server. */
static void
open_both(Oid relation, LOCKMODE lockmode, Relation *heap, Relation *index)
{
	Oid			table = IndexGetRelation(relation, true);

	*heap = OidIsValid(table) ? try_relation_open(table, lockmode) : NULL;
	*index = *heap != NULL ? try_relation_open(relation, lockmode) : NULL;
	if (*index == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the recommender has been dropped")));
}

void
RecsysOpenRecommenderIndex(Oid relation, RecsysRecommender *recommender)
{
	check_kind(relation);
	open_both(relation, AccessShareLock, &recommender->heap, &recommender->index);
	check_access(recommender->heap, recommender->index);
	check_state(recommender->index);
	recommender->columns = RecsysGetCache(recommender->index)->columns;
}

void
RecsysOpenOwnIndex(Oid relation, LOCKMODE lockmode, bool valid, Relation *heap, Relation *index)
{
	Oid			table;

	check_kind(relation);

	/* before the locks: strangers must not even queue for them */
	table = IndexGetRelation(relation, true);
	if (!RECSYS_OWNS_RELATION(relation) && !(OidIsValid(table) && RECSYS_MAY_MAINTAIN(table)))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_INDEX, get_rel_name(relation));

	open_both(relation, lockmode, heap, index);
	if (valid)
		check_state(*index);
	else
		check_reachable(*index);
}

void
RecsysOpenRecommender(const char *name, RecsysRecommender *recommender)
{
	RecsysOpenRecommenderIndex(name == NULL ? only_recommender() : named_recommender(name),
							   recommender);
}

void
RecsysCloseRecommender(RecsysRecommender *recommender)
{
	/* locks are kept to the end of the transaction, as for any query */
	relation_close(recommender->index, NoLock);
	relation_close(recommender->heap, NoLock);
}
