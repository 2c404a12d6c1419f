/*
 * servable.c
 *	  What of a definition can be served on several nodes.
 *
 * A node that serves a user has that user's rows, of the signals and of the profiles, and all of
 * every reference table.  It has nothing else: no rows of other users, and no table or view that
 * only one node has.  So what a definition reads of all users cannot be served, nor what is
 * computed from them beside the item graph.  Functions in expressions are not looked into: one
 * that reads tables must do so where it is called.
 */
#include "postgres.h"

#include "access/relation.h"
#include "am/entry/shells.h"
#include "am/store/options.h"
#include "api/declare/names.h"
#include "api/define/servable.h"
#include "api/here/localnames.h"
#include "api/here/nodeevents.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "compat.h"
#include "core/pairs/similarity.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static Oid
table_of_events(const char *events)
{
	Oid			index = RecsysKeptRelation(events);

	return OidIsValid(index) ? IndexGetRelation(index, true) : InvalidOid;
}

static bool
is_divided(Oid table)
{
	return OidIsValid(table) && RecsysIsShell(table) && RecsysShellMethod(table) != 'n';
}

bool
RecsysIsSpread(const RecsysDefinition *definition)
{
	return RecsysIsDivided(definition->signals[0].events);
}

pg_noreturn static void
refuse(const RecsysDefinition *definition, const char *part, const char *why, const char *way_out)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("\"%s\" of recommender \"%s\" cannot be served on several nodes", part, definition->name),
			 errdetail_internal("%s", why),
			 errhint("%s", way_out)));
}

/* Of an index's model it is the item graph that is on every node, and nothing beside it. */
static void
check_model(const RecsysDefinition *definition, const char *name)
{
	Oid			oid = RecsysKeptRelation(name);
	RecsysModelOptions options;
	Relation	index;

	if (!OidIsValid(oid) || !is_divided(IndexGetRelation(oid, true)))
		return;
	index = relation_open(oid, AccessShareLock);
	RecsysGetModelOptions(index, &options);
	relation_close(index, NoLock);
	if (options.similarity == RECSYS_ALS)
		refuse(definition, "signals", psprintf("Index %s serves users by factors.", name),
			   psprintf("ALTER INDEX %s SET (similarity = cosine);", name));
	if (options.popularity > 0 || options.item_max_age > 0)
		refuse(definition, "signals",
			   psprintf("Index %s has an option by which items of one server are told from others: popularity, or item_max_age.",
						name),
			   psprintf("ALTER INDEX %s RESET (popularity, item_max_age);", name));
}

static void
check_signal(const RecsysDefinition *definition, const RecsysSignal *signal)
{
	if (signal->predicts != NULL)
		refuse(definition, "signals",
			   psprintf("Signal \"%s\" predicts by a view, which the coordinator alone has.", signal->label),
			   "Compute the pairs by query_cross_similarity into a reference table, and name that as \"graph\".");
	check_model(definition, signal->events);
	if (signal->graph != NULL)
		check_model(definition, signal->graph);
}

void
RecsysCheckServable(const RecsysDefinition *definition)
{
	if (!RecsysIsSpread(definition))
		return;
	for (int x = 0; x < definition->nsignals; x++)
		check_signal(definition, &definition->signals[x]);
	if (definition->exclude_users != NULL)
		refuse(definition, "exclude_users",
			   "What excluded users have put into an item graph is found out from the rows of all users.",
			   "Leave their rows out of the index: CREATE INDEX … USING recsys (…) WHERE …");
	if (definition->content != NULL)
		refuse(definition, "content",
			   "How content and interactions are to be weighed is learned from the rows of all users.",
			   "Without it the items index still serves items_like and similar_items, by the name of its copy on the node.");
	if (definition->fatigue > 0)
		refuse(definition, "fatigue",
			   "What a user has been shown is in the log of the node that has been asked.",
			   "Leave out in the filter of a call what has been shown, as in context => '{\"exclude\": [1005]}'.");
}

/* Parts with tables, and how they are called */
typedef struct Check
{
	const RecsysDefinition *definition;
	List	   *to_share;
} Check;

/* How to write the name in a call */
static const char *
literal(Oid table)
{
	return quote_literal_cstr(RecsysKeptName(table));
}

/* A table that is named itself; may_share: recsys.distribute() may make a reference table of it */
static void
check_table(Check *check, const char *part, const char *name, bool may_share)
{
	Oid			table = name == NULL ? InvalidOid : RecsysKeptRelation(name);
	char		kind = get_rel_relkind(table);

	if (!OidIsValid(table) || RecsysIsOnAllNodes(table) || list_member_oid(check->to_share, table))
		return;
	if (is_divided(table))
		refuse(check->definition, part, psprintf("Table %s is distributed: no node has all of its rows.", name),
			   psprintf("SELECT undistribute_table(%s); SELECT create_reference_table(%s);", literal(table), literal(table)));
	if (kind == RELKIND_VIEW || kind == RELKIND_MATVIEW || kind == RELKIND_FOREIGN_TABLE)
		refuse(check->definition, part, psprintf("%s is no table, and other nodes do not have what it is made of at hand.", name),
			   "Name a reference table, with its expressions in the definition, or keep what the view has in such a table.");
	if (!may_share || !RECSYS_OWNS_RELATION(table))
		refuse(check->definition, part, psprintf("Table %s is on this node only.", name),
			   psprintf("SELECT create_reference_table(%s);", literal(table)));
	check->to_share = list_append_unique_oid(check->to_share, table);
}

static void
check_expression(Check *check, const char *part, const char *expression)
{
	ListCell   *cell;

	if (expression == NULL)
		return;
	foreach(cell, RecsysRelationsIn(psprintf("SELECT (%s)", expression)))
		if (get_rel_namespace(lfirst_oid(cell)) != PG_CATALOG_NAMESPACE)
			check_table(check, part, RecsysKeptName(lfirst_oid(cell)), false);
}

/* Profiles may be divided as users are. */
static void
check_profiles(Check *check)
{
	const RecsysDefinition *definition = check->definition;
	Oid			profiles = definition->profiles == NULL ? InvalidOid : RecsysKeptRelation(definition->profiles);
	Oid			events = table_of_events(definition->signals[0].events);

	if (!OidIsValid(profiles))
		return;
	if (!is_divided(profiles))
	{
		if (!RecsysIsOnAllNodes(profiles) && get_rel_relkind(profiles) == RELKIND_RELATION)
			refuse(definition, "profiles", psprintf("Table %s is on this node only.", definition->profiles),
				   psprintf("SELECT create_distributed_table(%s, %s, colocate_with => %s);", literal(profiles),
							quote_literal_cstr(definition->profile_key), literal(events)));
		check_table(check, "profiles", definition->profiles, false);
		return;
	}
	if (strcmp(quote_identifier(get_attname(profiles, RecsysShellColumn(profiles), false)),
			   definition->profile_key) != 0 ||
		RecsysShellGroup(profiles) != RecsysShellGroup(events))
		refuse(definition, "profiles",
			   psprintf("Table %s is not distributed by %s as table %s is by its users.", definition->profiles,
						definition->profile_key, RecsysKeptName(events)),
			   psprintf("SELECT alter_distributed_table(%s, distribution_column => %s, colocate_with => %s);",
						literal(profiles), quote_literal_cstr(definition->profile_key), literal(events)));
}

/* All signals are read on one node. */
static void
check_events(Check *check, const RecsysSignal *signal)
{
	const RecsysDefinition *definition = check->definition;
	Oid			first = table_of_events(definition->signals[0].events);
	Oid			table = table_of_events(signal->events);
	Oid			graph = signal->graph == NULL ? InvalidOid : RecsysKeptRelation(signal->graph);

	if (is_divided(table) && RecsysShellGroup(table) != RecsysShellGroup(first))
		refuse(definition, "signals",
			   psprintf("Table %s is not distributed as table %s is.", RecsysKeptName(table), RecsysKeptName(first)),
			   psprintf("SELECT alter_distributed_table(%s, colocate_with => %s);", literal(table), literal(first)));
	if (OidIsValid(table) && !is_divided(table))
		check_table(check, "signals", RecsysKeptName(table), false);
	if (OidIsValid(graph) && get_rel_relkind(graph) != RELKIND_INDEX && get_rel_relkind(graph) != RELKIND_PARTITIONED_INDEX)
		check_table(check, "signals", signal->graph, false);
	check_expression(check, "signals", signal->price);
}

static void
check_items(Check *check)
{
	const RecsysDefinition *definition = check->definition;
	const struct
	{
		const char *part;
		const char *expression;
	}			parts[] = {
		{"item_filter", definition->item_filter}, {"title", definition->title},
		{"category", definition->category}, {"price", definition->price},
		{"group_by", definition->group_by}, {"offer_order", definition->offer_order},
		{"repeatable", definition->repeatable}, {"seller", definition->seller},
		{"seller_quality", definition->seller_rating_sum}, {"seller_quality", definition->seller_ratings},
		{"new_item_since", definition->new_item_since}, {"new_seller_since", definition->new_seller_since},
		{"promotions", definition->promotion_boost}, {"promotions", definition->promotion_when},
	};

	check_table(check, "items", definition->items, true);
	check_table(check, "sellers", definition->sellers, true);
	check_table(check, "promotions", definition->promotions, true);
	for (int x = 0; x < (int) lengthof(parts); x++)
		check_expression(check, parts[x].part, parts[x].expression);
	for (int x = 0; x < definition->ncaps; x++)
		check_expression(check, "caps", definition->caps[x].expression);
}

List *
RecsysCheckServableTables(const RecsysDefinition *definition)
{
	Check		check = {definition, NIL};

	for (int x = 0; x < definition->nsignals; x++)
		check_events(&check, &definition->signals[x]);
	check_profiles(&check);
	for (int x = 0; x < definition->nsegments; x++)
		if (strcmp(definition->segments[x], "persona") != 0)
			check_expression(&check, "segment", definition->segments[x]);
	check_items(&check);
	return check.to_share;
}

static List *
add_index(List *names, const char *name)
{
	Oid			index = name == NULL ? InvalidOid : RecsysKeptRelation(name);
	ListCell   *cell;

	if (!OidIsValid(index) ||
		(get_rel_relkind(index) != RELKIND_INDEX && get_rel_relkind(index) != RELKIND_PARTITIONED_INDEX) ||
		!is_divided(IndexGetRelation(index, true)))
		return names;
	foreach(cell, names)
		if (strcmp(lfirst(cell), name) == 0)
			return names;
	return lappend(names, pstrdup(name));
}

List *
RecsysDividedIndexes(const RecsysDefinition *definition)
{
	List	   *names = NIL;

	for (int x = 0; x < definition->nsignals; x++)
		names = add_index(names, definition->signals[x].events);
	for (int x = 0; x < definition->nsignals; x++)
		names = add_index(names, definition->signals[x].graph);
	return add_index(names, definition->complements);
}

char *
RecsysServableProblem(const RecsysDeclaredRow *row)
{
	RecsysDefinition *definition = RecsysDefinitionRead(row->name, row->owner, row->definition);

	if (!RecsysIsSpread(definition) || RecsysIsShared(row->name))
		return NULL;
	return psprintf("signals: index %s is of a distributed table, and recsys.distribute() has not been to the recommender",
					definition->signals[0].events);
}
