/*
 * recommendernames.c
 *	  Names of recommenders: lists of them, and names that lead to none.
 *
 * A name is found as a regclass is.  When it is not, all recsys indexes are looked
 * through for one of the same name, since "does not exist" helps nobody who only left
 * out the schema, wrote without quotes, or lacks a right.
 */
#include "postgres.h"

#include "am/entry/indexes.h"
#include "api/call/recommendernames.h"
#include "api/call/rights.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "lib/stringinfo.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* So many are named when there are more. */
#define LISTED_NAMES 5

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

static char *
qualified_name(Oid index)
{
	char	   *name = get_rel_name(index);

	return name == NULL ? NULL :
		quote_qualified_identifier(get_namespace_name(get_rel_namespace(index)), name);
}

char *
RecsysListNames(List *indexes)
{
	List	   *names = NIL;
	StringInfoData result;
	ListCell   *cell;

	foreach(cell, indexes)
	{
		char	   *name = qualified_name(lfirst_oid(cell));

		if (name != NULL)
			names = lappend(names, name);
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

char *
RecsysFirstNameLiteral(List *indexes)
{
	const char *first = NULL;
	ListCell   *cell;

	foreach(cell, indexes)
	{
		char	   *name = qualified_name(lfirst_oid(cell));

		if (name != NULL && (first == NULL || strcmp(name, first) < 0))
			first = name;
	}
	return quote_literal_cstr(first == NULL ? "" : first);
}

bool
RecsysSearchPathIsBare(void)
{
	List	   *path = fetch_search_path(false);
	bool		bare = true;
	ListCell   *cell;

	foreach(cell, path)
		bare = bare && (lfirst_oid(cell) == PG_CATALOG_NAMESPACE || isTempNamespace(lfirst_oid(cell)));
	list_free(path);
	return bare;
}

void
RecsysRefuseQueryAsName(const char *name)
{
	static const char *const beginnings[] = {"select", "with", "values", "table"};
	const char *word = name + strspn(name, " \t\r\n(");

	for (int i = 0; i < (int) lengthof(beginnings); i++)
	{
		Size		length = strlen(beginnings[i]);

		/* a name has nothing behind it, or else a dot */
		if (pg_strncasecmp(word, beginnings[i], length) == 0 && word[length] != '\0' &&
			strchr(" \t\r\n(*", word[length]) != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_NAME),
					 errmsg("a query is given for the name of a recommender"),
					 errhint("Functions that take a query are query_item_similarity, query_association_rules, query_association_rules_to_sets, query_frequent_itemsets, recsys.evaluate and recsys.tune.")));
	}
}

/* Those of a kind, of one table unless that is InvalidOid */
static List *
usable_indexes(Oid table, RecsysIndexKind kind)
{
	List	   *known = RecsysAllIndexes();
	List	   *found = NIL;
	ListCell   *cell;

	foreach(cell, known)
	{
		Oid			index = lfirst_oid(cell);
		Oid			indexed = IndexGetRelation(index, true);

		if (OidIsValid(indexed) && (!OidIsValid(table) || indexed == table) &&
			RecsysKindOfIndex(index) == kind && !isOtherTempNamespace(get_rel_namespace(index)) &&
			RecsysMayUseSchema(index) && RecsysMayReadColumns(indexed, index))
			found = lappend_oid(found, index);
	}
	list_free(known);
	return found;
}

List *
RecsysUsableIndexesOfTable(Oid table, RecsysIndexKind kind)
{
	return usable_indexes(table, kind);
}

List *
RecsysUsableIndexes(RecsysIndexKind kind)
{
	return usable_indexes(InvalidOid, kind);
}

/* Is that the relation that was meant?  Without quotes, case tells nothing. */
static bool
is_meant(Oid index, const char *index_name, const char *name)
{
	return pg_strcasecmp(index_name, name) == 0 && !isOtherTempNamespace(get_rel_namespace(index));
}

void
RecsysNameNotFound(const RangeVar *range, const char *name)
{
	List	   *usable = NIL;
	char	   *denied_schema = NULL;
	char	   *denied_table = NULL;
	List	   *known = RecsysAllIndexes();
	ListCell   *cell;

	foreach(cell, known)
	{
		Oid			index = lfirst_oid(cell);
		Oid			table = IndexGetRelation(index, true);
		char	   *this = get_rel_name(index);

		/* nothing is locked, so that any of it may have been dropped */
		if (this == NULL || !OidIsValid(table) || !is_meant(index, this, range->relname))
			continue;
		if (!RecsysMayUseSchema(index))
		{
			if (range->schemaname == NULL && strcmp(this, range->relname) == 0)
				denied_schema = get_namespace_name(get_rel_namespace(index));
		}
		else if (RecsysMayReadColumns(table, index))
			usable = lappend_oid(usable, index);
		else if (range->schemaname == NULL && strcmp(this, range->relname) == 0)
			denied_table = get_rel_name(table);
	}

	if (usable == NIL && denied_table != NULL)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, denied_table);
	if (usable == NIL && denied_schema != NULL)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_SCHEMA, denied_schema);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("recommender \"%s\" does not exist", name),
			 list_length(usable) > 1 ?
			 errdetail("Recommenders of that name elsewhere are %s.", RecsysListNames(usable)) : 0,
			 usable != NIL ?
			 errhint("Write the name as it is, with its schema: recommender => %s.",
					 RecsysFirstNameLiteral(usable)) :
			 errhint("A recommender is the name of a recsys index, as in CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id).")));
}
