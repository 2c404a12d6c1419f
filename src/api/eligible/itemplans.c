/*
 * itemplans.c
 *	  The prepared queries that a shop's table of items is asked.
 *
 * A call holds the plans that it has got: a function in a filter may call recommend() with a
 * context of its own, or change the table.  So they are freed only when no call is under way.
 */
#include "postgres.h"

#include "access/relation.h"
#include "api/declare/missing.h"
#include "api/eligible/itemkeys.h"
#include "api/eligible/itemplans.h"
#include "api/eligible/typeoperator.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

/* So many shapes are kept. */
#define MOST_SHAPES 16

static int	calls_under_way = 0;

static void
end_call(void *arg)
{
	calls_under_way--;
}

/* An error ends a call by its memory alone. */
void
RecsysHoldItemPlans(MemoryContext context)
{
	MemoryContextCallback *callback;

	callback = MemoryContextAllocZero(context, sizeof(MemoryContextCallback));
	callback->func = end_call;
	MemoryContextRegisterResetCallback(context, callback);
	calls_under_way++;
}

int
RecsysItemLimitRows(RecsysItemLimit limit)
{
	switch (limit)
	{
		case RECSYS_LIMIT_LOW:
			return 1000;
		case RECSYS_LIMIT_HIGH:
			return 32000;
		default:
			return 0;
	}
}

Relation
RecsysOpenItems(RecsysShop *shop)
{
	return relation_open(RecsysShopRelation(shop, "items", shop->definition->items), NoLock);
}

/* Of names and types of the columns: while it is the same, prepared queries have the right types. */
static uint64
fingerprint_of(Relation items)
{
	TupleDesc	columns = RelationGetDescr(items);
	uint64		hash = RelationGetRelid(items);

	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);

		if (column->attisdropped)
			continue;
		hash = hash_combine64(hash, hash_bytes_extended((unsigned char *) NameStr(column->attname),
														strlen(NameStr(column->attname)),
														column->atttypid));
	}
	return hash;
}

static RecsysItemShape *
new_shape(RecsysItemPlans *plans, const char *text)
{
	RecsysItemShape *shape = MemoryContextAllocZero(plans->context, sizeof(RecsysItemShape));

	shape->shape = MemoryContextStrdup(plans->context, text);
	return shape;
}

static void
free_shape(RecsysItemPlans *plans, RecsysItemShape *shape)
{
	for (int query = 0; query < RECSYS_ITEM_QUERIES; query++)
		for (int limit = 0; limit < RECSYS_ITEM_LIMITS; limit++)
			if (shape->plans[query][limit] != NULL)
				RecsysPlanFree(plans->shop, shape->plans[query][limit]);
	pfree(shape->shape);
	pfree(shape);
}

static void
free_plans(RecsysItemPlans *plans)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &plans->shapes)
		free_shape(plans, dlist_container(RecsysItemShape, node, iter.cur));
	free_shape(plans, plans->bare);
	MemoryContextDelete(plans->context);
}

/* Frees what no call needs any more. */
static void
trim(RecsysItemPlans *plans)
{
	if (calls_under_way > 0)
		return;
	while (plans->retired != NULL)
	{
		RecsysItemPlans *retired = plans->retired;

		plans->retired = retired->retired;
		free_plans(retired);
	}
	while (plans->nshapes > MOST_SHAPES)
	{
		RecsysItemShape *last = dlist_tail_element(RecsysItemShape, node, &plans->shapes);

		dlist_delete(&last->node);
		plans->nshapes--;
		free_shape(plans, last);
	}
}

Oid
RecsysItemKeyColumnType(RecsysShop *shop, Relation items)
{
	const RecsysDefinition *definition = shop->definition;
	TupleDesc	columns = RelationGetDescr(items);

	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);

		if (!column->attisdropped &&
			strcmp(quote_identifier(NameStr(column->attname)), definition->item_key) == 0)
			return getBaseType(column->atttypid);
	}
	RecsysColumnIsMissing(shop, "item_key", definition->items, definition->item_key);
}

static void
check_key_type(const RecsysDefinition *definition, Oid type, RecsysKeyKind kind)
{
	RecsysKeyKind found;

	if (!RecsysKeyKindOfType(type, &found) || found != kind)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("item keys of recommender \"%s\" are of type %s in %s, but %s in \"%s\"",
						definition->name, format_type_be(type), definition->items,
						RecsysKeyKindName(kind), definition->signals[0].events),
				 errhint("Declare a view in which the column is cast to %s.",
						 RecsysKeyKindTypeName(kind)),
				 errcontext("\"item_key\" of recommender \"%s\"", definition->name)));
}

/* A row with all that is declared, as the server understands it now */
static TupleDesc
declared_row(RecsysItemPlans *plans)
{
	RecsysPlan *plan = RecsysItemPlanOf(plans, plans->bare, NULL, RECSYS_QUERY_KNOWN,
										RECSYS_LIMIT_NONE);
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan->plan));

	if (!source->is_valid)
		(void) RecsysPlanRows(plan);
	return source->resultDesc;
}

static Oid
type_of(TupleDesc row, int column)
{
	return column < 0 ? InvalidOid : getBaseType(TupleDescAttr(row, column)->atttypid);
}

/* The types that are known once the table has been asked for all that is declared. */
static void
learn_types(RecsysItemPlans *plans)
{
	RecsysItemColumns *columns = plans->columns;
	TupleDesc	row = declared_row(plans);
	char	   *equals;

	plans->category_type = type_of(row, columns->category);
	plans->seller_type = type_of(row, columns->seller);
	plans->declared_group_type = type_of(row, columns->group);
	if (columns->group < 0)
		return;

	/* what has no equality is compared as text */
	plans->group_type = TEXTOID;
	equals = RecsysTypeOperator(plans->declared_group_type, BTEqualStrategyNumber);
	if (equals != NULL && OidIsValid(get_array_type(plans->declared_group_type)))
	{
		plans->group_type = plans->declared_group_type;
		plans->group_equals = MemoryContextStrdup(plans->context, equals);
	}
}

/* Functions and other tables may have come to be of other types, while the items' table is the same. */
static bool
has_learned_types(RecsysItemPlans *plans)
{
	RecsysItemColumns *columns = plans->columns;
	TupleDesc	row;

	if (columns->category < 0 && columns->seller < 0 && columns->group < 0)
		return true;
	row = declared_row(plans);
	return plans->category_type == type_of(row, columns->category) &&
		plans->seller_type == type_of(row, columns->seller) &&
		plans->declared_group_type == type_of(row, columns->group);
}

static RecsysItemPlans *
make_plans(RecsysShop *shop, Relation items, RecsysKeyKind kind)
{
	Oid			key_type = RecsysItemKeyColumnType(shop, items);
	MemoryContext context;
	MemoryContext old;
	RecsysItemPlans *plans;

	check_key_type(shop->definition, key_type, kind);
	context = AllocSetContextCreate(CurrentMemoryContext, "recsys item plans",
									ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	plans = palloc0(sizeof(RecsysItemPlans));
	plans->shop = shop;
	plans->context = context;
	plans->fingerprint = fingerprint_of(items);
	plans->key_type = RecsysItemKeyType(key_type);
	plans->columns = RecsysItemColumnsOf(shop->definition);
	dlist_init(&plans->shapes);
	plans->bare = new_shape(plans, "");
	MemoryContextSwitchTo(old);
	learn_types(plans);
	return plans;
}

RecsysItemPlans *
RecsysItemPlansOf(RecsysShop *shop, Relation items, RecsysKeyKind kind)
{
	RecsysItemPlans *plans = shop->item_plans;

	if (plans == NULL || plans->fingerprint != fingerprint_of(items) || !has_learned_types(plans))
	{
		RecsysItemPlans *made = make_plans(shop, items, kind);

		made->retired = plans;
		MemoryContextSetParent(made->context, shop->context);
		shop->item_plans = plans = made;
	}
	trim(plans);
	return plans;
}

RecsysItemShape *
RecsysItemShapeOf(RecsysItemPlans *plans, const RecsysContextConditions *conditions)
{
	const char *text = conditions != NULL ? conditions->shape : "";
	RecsysItemShape *shape;
	dlist_iter	iter;

	dlist_foreach(iter, &plans->shapes)
	{
		shape = dlist_container(RecsysItemShape, node, iter.cur);
		if (strcmp(shape->shape, text) == 0)
		{
			dlist_move_head(&plans->shapes, &shape->node);
			return shape;
		}
	}
	shape = new_shape(plans, text);
	dlist_push_head(&plans->shapes, &shape->node);
	plans->nshapes++;
	return shape;
}

/* What the messages call the query */
static const char *
part_of(const RecsysDefinition *definition, RecsysItemQuery query)
{
	switch (query)
	{
		case RECSYS_QUERY_PROMOTIONS:
			return "promotions";
		case RECSYS_QUERY_TITLES:
			return "title";
		case RECSYS_QUERY_GROUPS:
			return "group_by";
		default:
			return RecsysItemQueryIsFiltered(query) && definition->item_filter != NULL ?
				"item_filter" : "items";
	}
}

static RecsysPlan *
prepare(RecsysItemPlans *plans, const RecsysContextConditions *conditions, RecsysItemQuery query,
		RecsysItemLimit limit)
{
	const RecsysDefinition *definition = plans->shop->definition;
	int			nvalues = RecsysItemQueryIsFiltered(query) && conditions != NULL ?
		conditions->nvalues : 0;
	Oid		   *types = palloc(sizeof(Oid) * (nvalues + 1));
	int			n = 0;
	char	   *text = RecsysItemQueryText(definition, query, conditions,
										   RecsysItemLimitRows(limit), plans->group_equals);
	RecsysPlan *plan = NULL;

	if (RecsysItemQueryHasArray(query))
		types[n++] = get_array_type(query == RECSYS_QUERY_OFFERS ? plans->group_type :
									plans->key_type);
	for (int i = 0; i < nvalues; i++)
		types[n++] = conditions->types[i];
	plan = RecsysPlanPrepare(plans->shop, part_of(definition, query), text, n, types);
	plan->by_first = RecsysItemQueryHasArray(query);
	pfree(text);
	pfree(types);
	return plan;
}

RecsysPlan *
RecsysItemPlanOf(RecsysItemPlans *plans, RecsysItemShape *shape,
				 const RecsysContextConditions *conditions, RecsysItemQuery query,
				 RecsysItemLimit limit)
{
	RecsysPlan **plan;

	if (!RecsysItemQueryIsFiltered(query))
		shape = plans->bare;
	plan = &shape->plans[query][limit];
	if (*plan == NULL)
		*plan = prepare(plans, conditions, query, limit);
	return *plan;
}
