/*
 * recommender.c
 *	  From the recommender argument of a SQL function to an open index that the
 *	  caller may read.
 *
 * Privileges.  The item graph is computed from all rows of the table, so a
 * caller needs SELECT on the table or on every column that the index is made of.
 * Where row-level security would hide rows from the caller, the functions refuse:
 * even sums over rows that the caller must not see would leak.
 *
 * Recommenders that are not named are looked for among all indexes over interactions: an index
 * over items stands for itself only where nothing else can be meant.  A name is one as a
 * regclass has it.
 *
 * Until an index is locked it may be dropped or renamed at any time.  So the first
 * look-up only tells what to lock, and whether the caller may.  With the lock, the name
 * is looked up again if anything has changed meanwhile, as RangeVarGetRelid does.
 *
 * A partitioned index is a recommender over all partitions (wholes.c).  All that is named and all
 * rights are of that index and its table.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "am/entry/indexes.h"
#include "am/entry/shells.h"
#include "api/call/distributed.h"
#include "api/call/indexstate.h"
#include "api/call/recommender.h"
#include "api/call/recommendernames.h"
#include "api/call/rights.h"
#include "api/call/wholes.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_index.h"
#include "compat.h"
#include "fault.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/sinval.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

static Oid
access_method(void)
{
	Oid			am = RecsysAccessMethod();

	if (!OidIsValid(am))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("access method \"recsys\" does not exist"),
				 errhint("Run CREATE EXTENSION recsys in this database.")));
	return am;
}

/*
 * Is this a valid index of the caller's own world?  Sets *denied when all that is missing
 * is a right.
 */
static bool
is_candidate(Oid index, bool *denied)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Oid			table;
	bool		usable;

	if (!HeapTupleIsValid(tuple))
		return false;
	table = ((Form_pg_index) GETSTRUCT(tuple))->indrelid;
	usable = ((Form_pg_index) GETSTRUCT(tuple))->indisvalid;
	ReleaseSysCache(tuple);

	if (!usable || isOtherTempNamespace(get_rel_namespace(index)))
		return false;
	if (RecsysMayUseSchema(index) && RecsysMayReadColumns(table, index))
		return true;
	*denied = true;
	return false;
}

static void
there_is_none(RecsysIndexKind kind)
{
	if (kind == RECSYS_ITEMS_INDEX)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no index over items"),
				 errdetail("No valid recsys_items index exists in this database on a table that you may read."),
				 errhint("Create one on the table with your items, as in CREATE INDEX ON products USING recsys_items (product_id, category, title).")));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("there is no recommender"),
			 errdetail("No valid recsys index exists in this database on a table that you may read."),
			 errhint("Create one on the table with your interactions, as in CREATE INDEX ON purchases USING recsys (user_id, product_id).")));
}

static void
there_are_several(RecsysIndexKind kind, List *candidates)
{
	if (kind == RECSYS_ITEMS_INDEX)
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
				 errmsg("there is more than one index over items"),
				 errdetail("%d recsys_items indexes can be used: %s.", list_length(candidates),
						   RecsysListNames(candidates)),
				 errhint("Name the one you mean, as in recommender => %s.",
						 RecsysFirstNameLiteral(candidates))));
	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
			 errmsg("there is more than one recommender"),
			 errdetail("%d recsys indexes can be used: %s.", list_length(candidates),
					   RecsysListNames(candidates)),
			 errhint("Name the one you mean, as in recommender => %s.",
					 RecsysFirstNameLiteral(candidates))));
}

/* The indexes of partitions that have been detached are no recommenders before they are rebuilt. */
static List *
leave_out_empty(List *candidates)
{
	List	   *full = NIL;
	ListCell   *cell;

	foreach(cell, candidates)
		if (!RecsysIsKnownEmpty(lfirst_oid(cell)))
			full = lappend_oid(full, lfirst_oid(cell));
	return full != NIL ? full : candidates;
}

/* The only index of that kind */
static Oid
only_recommender(RecsysIndexKind kind)
{
	List	   *known;
	List	   *candidates = NIL;
	ListCell   *cell;
	bool		denied = false;
	Oid			only;

	(void) access_method();
	known = RecsysAllIndexesAndShells();
	foreach(cell, known)
		if (RecsysKindOfIndex(lfirst_oid(cell)) == kind && is_candidate(lfirst_oid(cell), &denied) &&
			RecsysMayBeMeant(lfirst_oid(cell), IndexGetRelation(lfirst_oid(cell), true)))
			candidates = lappend_oid(candidates, lfirst_oid(cell));
	list_free(known);
	if (list_length(candidates) > 1)
		candidates = leave_out_empty(candidates);

	if (candidates == NIL && denied)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for every recommender of this database"),
				 errdetail("A recommender is for those who may use its schema, and read its table or the columns that it is made of.")));
	if (candidates == NIL)
		there_is_none(kind);
	if (list_length(candidates) > 1)
		there_are_several(kind, candidates);
	only = linitial_oid(candidates);
	list_free(candidates);
	return only;
}

/*
 * The index of that name, wherever it is.  REFRESH MATERIALIZED VIEW and restoring a
 * dump run with a search path that leads nowhere, and a view's query must mean the same
 * index there as where it was written.
 */
static Oid
recommender_off_path(const char *name)
{
	Oid			found = InvalidOid;
	List	   *known;
	ListCell   *cell;
	bool		denied;

	(void) access_method();
	known = RecsysAllIndexesAndShells();
	foreach(cell, known)
	{
		Oid			index = lfirst_oid(cell);
		char	   *this = get_rel_name(index);

		if (this == NULL || strcmp(this, name) != 0 || !is_candidate(index, &denied))
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

/* As a regclass, but for what recommender_off_path is for. */
Oid
RecsysNamedRecommender(const char *name)
{
	RangeVar   *range;
	Oid			relation;

	RecsysRefuseQueryAsName(name);
	range = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name)));
	relation = RangeVarGetRelid(range, NoLock, true);
	if (!OidIsValid(relation) && range->schemaname == NULL && RecsysSearchPathIsBare())
		relation = recommender_off_path(range->relname);
	if (!OidIsValid(relation))
		RecsysNameNotFound(range, name);
	return relation;
}

char *
RecsysNameForMessage(Oid relation)
{
	char	   *name = get_rel_name(relation);

	return name != NULL ? name : psprintf("%u", relation);
}

static void
has_been_dropped(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("the recommender has been dropped")));
}

/* The kind of index that stands for a recommender that is not named */
static RecsysIndexKind
main_kind(RecsysTakes takes)
{
	return takes == RECSYS_TAKES_ITEMS ? RECSYS_ITEMS_INDEX : RECSYS_INTERACTIONS_INDEX;
}

/* A table is named where its index is meant. */
static void
refuse_table(Oid relation, RecsysTakes takes)
{
	List	   *indexes = RecsysUsableIndexesOfTable(relation, main_kind(takes));

	if (indexes == NIL && takes == RECSYS_TAKES_BOTH)
	{
		indexes = RecsysUsableIndexesOfTable(relation, RECSYS_ITEMS_INDEX);
		takes = indexes != NIL ? RECSYS_TAKES_ITEMS : takes;
	}
	if (takes == RECSYS_TAKES_ITEMS)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a recsys_items index", RecsysNameForMessage(relation)),
				 indexes == NIL ?
				 errhint("Name an index of the kind that is made by CREATE INDEX ON products USING recsys_items (product_id, category, title).") :
				 errhint("Name its recsys_items index, %s.",
						 RecsysFirstNameLiteral(indexes))));
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is not a recsys index", RecsysNameForMessage(relation)),
			 indexes == NIL ?
			 errhint("Name an index of the kind that is made by CREATE INDEX ON purchases USING recsys (user_id, product_id).") :
			 errhint("Name its recsys index, %s.",
					 RecsysFirstNameLiteral(indexes))));
}

void
RecsysNeedsIndex(Oid relation)
{
	if (!RecsysIsIndex(relation))
		refuse_table(relation, RECSYS_TAKES_BOTH);
}

/* An index over items is named to a function that needs users. */
static void
refuse_items(Oid relation)
{
	List	   *indexes = RecsysUsableIndexes(RECSYS_INTERACTIONS_INDEX);

	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is an index over items, which knows no users", RecsysNameForMessage(relation)),
			 errdetail("It is of access method recsys_items, for similar_items, recommend_for_items, item_similarity, items_like and items_like_image."),
			 indexes == NIL ?
			 errhint("Name an index of the kind that is made by CREATE INDEX ON purchases USING recsys (user_id, product_id).") :
			 errhint("Name an index over interactions, as in recommender => %s.",
					 RecsysFirstNameLiteral(indexes))));
}

/* ... and the other way round. */
static void
refuse_interactions(Oid relation)
{
	List	   *indexes = RecsysUsableIndexes(RECSYS_ITEMS_INDEX);

	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is an index over interactions, which does not know what items are like", RecsysNameForMessage(relation)),
			 errdetail("What items are like is known to indexes of access method recsys_items."),
			 indexes == NIL ?
			 errhint("Name an index of the kind that is made by CREATE INDEX ON products USING recsys_items (product_id, category, title).") :
			 errhint("Name an index over items, as in recommender => %s.",
					 RecsysFirstNameLiteral(indexes))));
}

/*
 * An index over an item graph is named to a function that needs another one, or another one in
 * place of it.
 */
static void
refuse_graph(Oid relation)
{
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is an index over an item graph, which knows no users", RecsysNameForMessage(relation)),
			 errdetail("It is of access method recsys_graph, for recsys.recommend_from, recsys.popular_from, similar_items, recommend_for_items and item_similarity."),
			 errhint("Name an index over interactions; recsys.recommend_from takes one, and this beside it.")));
}

static void
refuse_other_than_graph(Oid relation)
{
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is no index over an item graph", RecsysNameForMessage(relation)),
			 errhint("Name an index of the kind that is made by CREATE INDEX ON graph USING recsys_graph (item_id, users, similar_ids, scores, supports), or its table.")));
}

/* Errors out unless the relation, which need not be locked, is an index of a kind that is taken. */
static void
check_kind(Oid relation, RecsysTakes takes)
{
	char		relkind = get_rel_relkind(relation);
	RecsysIndexKind kind = RecsysKindOfIndex(relation);

	(void) access_method();
	if (relkind == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("index with OID %u does not exist", relation)));
	if (takes == RECSYS_TAKES_GRAPH && kind != RECSYS_GRAPH_INDEX)
		refuse_other_than_graph(relation);
	if ((relkind != RELKIND_INDEX && relkind != RELKIND_PARTITIONED_INDEX) || kind == RECSYS_NO_INDEX)
		refuse_table(relation, takes);
	if (relkind == RELKIND_PARTITIONED_INDEX && kind != RECSYS_INTERACTIONS_INDEX)
		RecsysRefusePartitionedItems(relation);
	if (kind == RECSYS_INTERACTIONS_INDEX)
		RecsysRefusePart(relation);
	if (kind == RECSYS_GRAPH_INDEX && takes != RECSYS_TAKES_GRAPH && takes != RECSYS_TAKES_BOTH)
		refuse_graph(relation);
	if (kind == RECSYS_ITEMS_INDEX && takes == RECSYS_TAKES_INTERACTIONS)
		refuse_items(relation);
	if (kind == RECSYS_INTERACTIONS_INDEX && takes == RECSYS_TAKES_ITEMS)
		refuse_interactions(relation);
}

void
RecsysNeedsUsers(Oid relation)
{
	check_kind(relation, RECSYS_TAKES_INTERACTIONS);
}

static void
check_access(Relation heap, Relation index)
{
	if (!RecsysMayReadColumns(RelationGetRelid(heap), RelationGetRelid(index)))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(heap));

	if (check_enable_rls(RelationGetRelid(heap), InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("recsys index \"%s\" cannot be used under row-level security",
						RelationGetRelationName(index)),
				 errdetail("The recommender knows all rows of table \"%s\", policies hide some of them from you.",
						   RelationGetRelationName(heap)),
				 RecsysIndexIsItems(index) ?
				 errhint("Have the table's owner provide a SECURITY DEFINER function.") :
				 errhint("Use query_item_similarity('SELECT user_id, product_id FROM purchases') or the like, which sees what you may see, or have the table's owner provide a SECURITY DEFINER function.")));
}

bool
RecsysMayRead(Oid table, Oid index)
{
	return RecsysMayReadColumns(table, index) && check_enable_rls(table, InvalidOid, true) != RLS_ENABLED;
}

/*
 * Checks privileges before the locks are taken: whoever has none must not even queue for
 * them.  Returns the table, or InvalidOid when the index has just been dropped.
 */
static Oid
table_to_read(Oid relation, RecsysTakes takes)
{
	Oid			table;

	check_kind(relation, takes);
	table = IndexGetRelation(relation, true);
	if (OidIsValid(table) && !RecsysMayReadColumns(table, relation) &&
		SearchSysCacheExists1(RELOID, ObjectIdGetDatum(table)))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RecsysNameForMessage(table));
	return table;
}

/* Locks the table before the index, as everywhere in the server. */
static void
lock_both(Oid table, Oid relation, LOCKMODE lockmode)
{
	if (OidIsValid(table))
		LockRelationOid(table, lockmode);
	LockRelationOid(relation, lockmode);
}

static void
unlock_both(Oid table, Oid relation, LOCKMODE lockmode)
{
	UnlockRelationOid(relation, lockmode);
	if (OidIsValid(table))
		UnlockRelationOid(table, lockmode);
}

/* Opens both, which are locked; errors out if they are gone. */
static void
open_both(Oid table, Oid relation, Relation *heap, Relation *index)
{
	*heap = OidIsValid(table) ? try_relation_open(table, NoLock) : NULL;
	*index = *heap != NULL ? try_relation_open(relation, NoLock) : NULL;
	if (*index == NULL)
		has_been_dropped();
}

/* Of a partitioned index the pages are those of its whole. */
static void
open_pages(RecsysRecommender *recommender)
{
	if (recommender->definition->rd_rel->relkind == RELKIND_PARTITIONED_INDEX)
		recommender->index = RecsysOpenWhole(recommender->definition, AccessShareLock, false);
	RecsysCheckState(recommender->index);
	recommender->columns = RecsysGetCache(recommender->index)->columns;
}

/*
 * Of a shell nobody reads pages, but for what those of a plain index say of its columns.  A
 * partitioned one need not have a whole.
 */
static void
open_shell(RecsysRecommender *shell)
{
	shell->index = shell->definition;
	if (shell->definition->rd_rel->relkind == RELKIND_PARTITIONED_INDEX)
		RecsysGetColumns(shell->definition, &shell->columns);
	else
		open_pages(shell);
}

/* What has been locked may have become another since it was looked at. */
static void
open_locked(Oid table, Oid relation, RecsysTakes takes, RecsysRecommender *recommender)
{
	open_both(table, relation, &recommender->heap, &recommender->definition);
	check_access(recommender->heap, recommender->definition);
	recommender->index = recommender->definition;
	if (takes == RECSYS_TAKES_BOTH && RecsysOpenGraphInstead(recommender))
		return;
	RecsysRefuseShell(recommender->heap, recommender->definition);
	open_pages(recommender);
}

void
RecsysOpenIndexOf(Oid relation, RecsysTakes takes, RecsysRecommender *recommender)
{
	Oid			table = table_to_read(relation, takes);

	lock_both(table, relation, AccessShareLock);
	open_locked(table, relation, takes, recommender);
}

void
RecsysOpenRecommenderIndex(Oid relation, RecsysRecommender *recommender)
{
	RecsysOpenIndexOf(relation, RECSYS_TAKES_INTERACTIONS, recommender);
}

static Relation
open_own_pages(const RecsysRecommender *recommender, LOCKMODE lockmode, RecsysOwnState state)
{
	if (recommender->definition->rd_rel->relkind != RELKIND_PARTITIONED_INDEX)
		return recommender->definition;
	return state == RECSYS_OWN_MADE ? RecsysOpenOrMakeWhole(recommender->definition) :
		RecsysOpenWhole(recommender->definition, lockmode, state == RECSYS_OWN_DEFINED);
}

void
RecsysOpenOwnIndex(Oid relation, LOCKMODE lockmode, RecsysOwnState state, RecsysRecommender *recommender)
{
	Oid			table;

	check_kind(relation, RECSYS_TAKES_BOTH);

	/* before the locks, as above */
	table = IndexGetRelation(relation, true);
	if (!RECSYS_OWNS_RELATION(relation) && !(OidIsValid(table) && RECSYS_MAY_MAINTAIN(table)))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_INDEX, RecsysNameForMessage(relation));

	if (state == RECSYS_OWN_MADE && get_rel_relkind(relation) == RELKIND_PARTITIONED_INDEX)
		RecsysLockToMakeWhole(table, relation);
	lock_both(table, relation, lockmode);
	open_both(table, relation, &recommender->heap, &recommender->definition);
	RecsysRefuseShell(recommender->heap, recommender->definition);
	recommender->index = open_own_pages(recommender, lockmode, state);
	if (recommender->index == NULL)
		return;
	if (state == RECSYS_OWN_VALID || state == RECSYS_OWN_MADE)
		RecsysCheckState(recommender->index);
	else
		RecsysCheckReachable(recommender->index);
}

void
RecsysOpenNamed(const char *name, RecsysTakes takes, RecsysRecommender *recommender)
{
	Oid			relation = InvalidOid;
	Oid			table = InvalidOid;

	for (;;)
	{
		uint64		changes = SharedInvalidMessageCounter;
		Oid			found = name == NULL ? only_recommender(main_kind(takes)) :
			RecsysNamedRecommender(name);

		/* still the one that is locked */
		if (found == relation)
			break;
		if (OidIsValid(relation))
			unlock_both(table, relation, AccessShareLock);
		relation = found;
		table = table_to_read(relation, takes);
		RECSYS_FAULT("recommender-found");
		lock_both(table, relation, AccessShareLock);

		/* nothing can have changed what the name means */
		if (changes == SharedInvalidMessageCounter)
			break;
	}
	open_locked(table, relation, takes, recommender);
}

void
RecsysOpenShell(Oid relation, RecsysTakes takes, RecsysRecommender *shell)
{
	Oid			table = table_to_read(relation, takes);

	lock_both(table, relation, AccessShareLock);
	open_both(table, relation, &shell->heap, &shell->definition);
	check_access(shell->heap, shell->definition);
	open_shell(shell);
}

bool
RecsysOpenDistributed(const char *name, RecsysRecommender *shell, RecsysDistributed *distributed)
{
	Oid			relation;

	if (!RecsysCitusIsThere())
		return false;
	relation = name == NULL ? only_recommender(RECSYS_INTERACTIONS_INDEX) : RecsysNamedRecommender(name);
	if (!RecsysFindDistributed(relation, distributed))
		return false;
	RecsysOpenShell(relation, RECSYS_TAKES_INTERACTIONS, shell);
	return true;
}

void
RecsysOpenOfNode(Oid relation, RecsysRecommender *recommender)
{
	Oid			table = IndexGetRelation(relation, true);

	lock_both(table, relation, AccessShareLock);
	open_both(table, relation, &recommender->heap, &recommender->definition);
	recommender->index = recommender->definition;
	if (RecsysIsShell(table))
		open_shell(recommender);
	else
		open_pages(recommender);
}

void
RecsysOpenRecommender(const char *name, RecsysRecommender *recommender)
{
	RecsysOpenNamed(name, RECSYS_TAKES_INTERACTIONS, recommender);
}

void
RecsysCloseRecommender(RecsysRecommender *recommender)
{
	/* locks are kept to the end of the transaction, as for any query */
	if (recommender->index != NULL && recommender->index != recommender->definition)
		relation_close(recommender->index, NoLock);
	relation_close(recommender->definition, NoLock);
	relation_close(recommender->heap, NoLock);
}

char *
RecsysQualifiedRecommenderName(const RecsysRecommender *recommender)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(recommender->definition)),
									  RelationGetRelationName(recommender->definition));
}
