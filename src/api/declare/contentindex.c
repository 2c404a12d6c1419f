/*
 * contentindex.c
 *	  The items index that a declared recommender names as "content".
 *
 * It is kept by its name, and what has the name may have become another index since.  Content of other items
 * under the same keys would give lists that look right.
 */
#include "postgres.h"

#include "api/declare/contentindex.h"
#include "api/declare/missing.h"
#include "api/declare/names.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/varlena.h"

static char *
hint(const RecsysDefinition *definition)
{
	return psprintf(RECSYS_WITHOUT_HINT,
					psprintf("SELECT recsys.alter_recommender(%s, reset => '{content}')",
							 quote_literal_cstr(definition->name)));
}

/* The table of the items; InvalidOid: it is gone, or a view, of which the index cannot be. */
static Oid
items_table(const RecsysDefinition *definition)
{
	List	   *names;
	Oid			items;
	char		kind;

	if (definition->items == NULL)
		return InvalidOid;
	names = textToQualifiedNameList(cstring_to_text(definition->items));
	items = RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, true);
	kind = OidIsValid(items) ? get_rel_relkind(items) : '\0';
	return kind == RELKIND_RELATION || kind == RELKIND_MATVIEW ? items : InvalidOid;
}

static void
check_items(const RecsysDefinition *definition, const RecsysRecommender *items)
{
	Oid			table = items_table(definition);

	if (!OidIsValid(table))
		return;
	if (table != RelationGetRelid(items->heap))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("index \"%s\" is not over the items", RelationGetRelationName(items->definition)),
				 errdetail("It is over \"%s\", and \"items\" is \"%s\".",
						   RelationGetRelationName(items->heap), get_rel_name(table)),
				 errhint("%s", hint(definition))));
	if (definition->item_key != NULL &&
		!RecsysIndexHasKey(RelationGetRelid(items->definition), table, definition->item_key))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the first column of index \"%s\" is not %s",
						RelationGetRelationName(items->definition), definition->item_key),
				 errdetail("That is the \"item_key\" of the recommender."),
				 errhint("%s", hint(definition))));
}

void
RecsysOpenContent(const RecsysDefinition *definition, RecsysRecommender *items)
{
	if (!RecsysRelationExists(definition->content))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation %s does not exist", definition->content),
				 errhint("%s", hint(definition))));
	RecsysOpenNamed(definition->content, RECSYS_TAKES_ITEMS, items);
	check_items(definition, items);
}
