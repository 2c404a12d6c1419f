/*
 * viewsource.c
 *	  What ready views are made of: a declared recommender or an index, with the types of its keys.
 */
#include "postgres.h"

#include "am/entry/indexes.h"
#include "api/call/recommender.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "api/call/extensionschema.h"
#include "api/views/viewsource.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "source/input/keytext.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* An index over items has them in its first column. */
#define ITEMS_ITEM_COLUMN 1

/*
 * A column's type as SQL, with its length.  In place of a domain it is the type beneath: what a
 * domain checks is code of its owner, and would run with the rights of who has the views.
 */
static const char *
column_type(TupleDesc descriptor, int column)
{
	Form_pg_attribute attribute = TupleDescAttr(descriptor, column - 1);
	int32		length = attribute->atttypmod;
	Oid			type = getBaseTypeAndTypmod(attribute->atttypid, &length);

	return RecsysTypeInSql(type, length);
}

static void
find_types(RecsysViewSource *source, Oid index)
{
	RecsysRecommender recommender;
	TupleDesc	descriptor;
	bool		of_items;

	RecsysOpenIndexOf(index, RECSYS_TAKES_BOTH, &recommender);
	descriptor = RelationGetDescr(recommender.definition);
	of_items = RecsysKindOfIndex(index) == RECSYS_ITEMS_INDEX;
	if (!of_items)
		RecsysNeedsUsers(index);
	source->item_kind = recommender.columns.item_kind;
	source->item_type = column_type(descriptor, of_items ? ITEMS_ITEM_COLUMN : RECSYS_ITEM_COLUMN);
	source->call_type = RecsysTypeInSql(RecsysKeyKindType(source->item_kind), -1);
	source->user_type = of_items ? NULL : column_type(descriptor, RECSYS_USER_COLUMN);
	RecsysCloseRecommender(&recommender);
}

/*
 * Expressions of a definition are in the queries of the views and of what these call, with the
 * rights of the views' owner: in each refresh, whatever has become of the functions meanwhile.
 */
static void
check_owner(const RecsysDefinition *definition)
{
	Oid			owner = get_role_oid(definition->owner, true);

	if (!superuser() || (OidIsValid(owner) && superuser_arg(owner)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("recommender \"%s\" belongs to role \"%s\"", definition->name, definition->owner),
			 errdetail("What that role has declared would run with the rights of a superuser each time the views are refreshed."),
			 errhint("Let that role have them: SET ROLE %s;", quote_identifier(definition->owner))));
}

static void
find_declared(RecsysViewSource *source)
{
	const RecsysDefinition *definition = source->shop->definition;
	const RecsysSignal *first = &definition->signals[0];
	Oid			index;

	check_owner(definition);
	source->name = pstrdup(definition->name);
	source->events = first->events;
	source->baskets = definition->complements != NULL ? definition->complements : first->events;
	source->graph = first->graph != NULL ? first->graph : first->events;
	index = RecsysNamedRecommender(source->graph);
	source->graph_is_index = RecsysIsIndex(index);
	find_types(source, RecsysNamedRecommender(source->events));
}

static void
find_index(RecsysViewSource *source, const char *name)
{
	Oid			index = RecsysNamedRecommender(name);

	if (get_rel_persistence(index) == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("views cannot be made of a temporary index"),
				 errdetail("\"%s\" is one, and they outlive it.", get_rel_name(index))));
	find_types(source, index);
	source->name = RecsysKeptName(index);
	source->graph = source->name;
	source->graph_is_index = true;
	if (source->user_type != NULL)
		source->events = source->baskets = source->name;
}

void
RecsysFindViewSource(const char *name, RecsysViewSource *source)
{
	memset(source, 0, sizeof(*source));
	source->shop = RecsysServedShop(name);
	if (source->shop != NULL)
	{
		RecsysUseShop(source->shop);
		find_declared(source);
	}
	else
		find_index(source, name);
	source->literal = quote_literal_cstr(source->name);
	source->verbs = pstrdup(quote_identifier(RecsysExtensionSchema()));
}
