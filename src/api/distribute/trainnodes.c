/*
 * trainnodes.c
 *	  Training the item graph of a distributed recommender: each node a part of the items.
 *
 * Histories move far less than counts of pairs do.  So every node reads the histories of all, as an
 * array of items for each user, and computes the rows of its part of the items; parts are
 * such that all count as many pairs.  Which they are is settled once, by the coordinator.  The rows
 * go into a reference table, which has a copy on every node, and an index over it serves.
 *
 * All of it happens in sessions of its own, since nodes must see the table before the caller's
 * transaction ends.  What a training that fails leaves behind is a table that nothing names; the
 * next one drops it.  There is no snapshot of several nodes in Citus: rows that come or go while
 * the nodes read may be in one part and not in another.
 */
#include "postgres.h"

#include "access/relation.h"
#include "am/store/options.h"
#include "api/declare/eventsquery.h"
#include "api/declare/names.h"
#include "api/distribute/trainnodes.h"
#include "api/shards/forgotten.h"
#include "api/shards/nodes.h"
#include "core/pairs/similarity.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "source/input/keytext.h"
#include "source/train/optiontext.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define PLAIN_NAMES "pg_catalog, pg_temp"

/* Room for "_graph_", a version, "_index" and what Citus adds */
#define NAME_ROOM 40

/* Names of graphs, without the version */
static char *
graph_prefix(const RecsysDistributed *distributed)
{
	char	   *name = get_rel_name(distributed->index);

	return psprintf("%.*s_graph_", pg_mbcliplen(name, strlen(name), NAMEDATALEN - NAME_ROOM), name);
}

static char *
in_schema(const RecsysDistributed *distributed, const char *name)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(distributed->index)), name);
}

/* Tables of trainings, whichever has made them: of the owner's, with such a name and such a comment */
static List *
find_graphs(const RecsysDistributed *distributed)
{
	MemoryContext context = CurrentMemoryContext;
	char	   *prefix = graph_prefix(distributed);
	List	   *names = NIL;
	char	   *query = psprintf("SELECT c.relname FROM pg_catalog.pg_class c"
								 " WHERE c.relnamespace OPERATOR(pg_catalog.=) %u AND c.relkind OPERATOR(pg_catalog.=) 'r'"
								 " AND pg_catalog.left(c.relname::pg_catalog.text, %d) OPERATOR(pg_catalog.=) %s"
								 " AND pg_catalog.substr(c.relname::pg_catalog.text, %d) OPERATOR(pg_catalog.~) '^[0-9]+$'"
								 " AND pg_catalog.obj_description(c.oid, 'pg_class') OPERATOR(pg_catalog.=) %s"
								 " ORDER BY c.oid",
								 get_rel_namespace(distributed->index), pg_mbstrlen(prefix),
								 quote_literal_cstr(prefix), pg_mbstrlen(prefix) + 1,
								 quote_literal_cstr(psprintf("item graph of %s", distributed->name)));

	if (SPI_execute(query, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(SPI_result));
	for (uint64 i = 0; i < SPI_processed; i++)
		names = lappend(names, MemoryContextStrdup(context, SPI_getvalue(SPI_tuptable->vals[i],
																		 SPI_tuptable->tupdesc, 1)));
	return names;
}

static void
drop_graph(RecsysNode *coordinator, const char *table)
{
	char	   *body = psprintf("BEGIN"
								" SET LOCAL citus.propagate_set_commands TO 'local';"
								" SET LOCAL lock_timeout TO '3s';"
								" DROP TABLE IF EXISTS %s;"
								" EXCEPTION WHEN lock_not_available THEN NULL; END", table);

	(void) RecsysRunOnNode(coordinator, psprintf("DO %s", quote_literal_cstr(body)),
						   "removing an old item graph");
}

/* All but that of the index kept; NULL: all */
static void
drop_graphs(const RecsysDistributed *distributed, const char *kept)
{
	RecsysNode *coordinator = RecsysCoordinator();
	ListCell   *cell;

	foreach(cell, find_graphs(distributed))
	{
		char	   *index = in_schema(distributed, psprintf("%s_index", (char *) lfirst(cell)));

		if (kept == NULL || strcmp(index, kept) != 0)
			drop_graph(coordinator, in_schema(distributed, lfirst(cell)));
	}
}

void
RecsysDropGraphs(const RecsysDistributed *distributed)
{
	drop_graphs(distributed, NULL);
}

/* Histories as arrays, without what users were forgotten for */
static char *
histories_query(const RecsysDistributed *distributed, const RecsysRecommender *shell)
{
	Relation	index = shell->definition;
	const RecsysColumns *columns = &shell->columns;
	int			nestlevel = RecsysBeginPlainNames();
	bool		weighted = columns->weight_column > 0;
	bool		timed = columns->time_column > 0;
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT u, pg_catalog.array_agg(i)%s%s FROM (SELECT %s AS u, %s AS i",
					 weighted ? ", pg_catalog.array_agg(w)" : "", timed ? ", pg_catalog.array_agg(t)" : "",
					 RecsysIndexColumnInSql(index, RECSYS_USER_COLUMN),
					 RecsysIndexColumnInSql(index, RECSYS_ITEM_COLUMN));
	if (weighted)
		appendStringInfo(&query, ", %s AS w", RecsysIndexColumnInSql(index, columns->weight_column));
	if (timed)
		appendStringInfo(&query, ", %s AS t", RecsysIndexColumnInSql(index, columns->time_column));
	appendStringInfo(&query, " FROM %s AS events WHERE %s) AS e WHERE u IS NOT NULL AND i IS NOT NULL",
					 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(shell->heap)),
												RelationGetRelationName(shell->heap)),
					 RecsysIndexConditionInSql(index));
	if (RecsysSomebodyForgotten())
		appendStringInfo(&query, " AND recsys.counts_for(%s, u, %s)", quote_literal_cstr(distributed->name),
						 timed ? "t::pg_catalog.timestamptz" : "NULL");
	appendStringInfoString(&query, " GROUP BY u");
	RecsysEndPlainNames(nestlevel);
	return query.data;
}

/*
 * similarity = auto is a choice by the rows of one table; there is none for the rows of several
 * nodes yet.
 */
static void
find_model(Relation index, RecsysModelOptions *options)
{
	RecsysModelOptions asked;

	RecsysGetAskedOptions(index, &asked);
	RecsysGetModelOptions(index, options);
	if (asked.similarity == RECSYS_AUTO)
		ereport(NOTICE,
				(errmsg("the model of recommender \"%s\" is not chosen but %s", RelationGetRelationName(index),
						RecsysSimilarityName(options->similarity)),
				 errdetail("similarity = auto compares models on the rows of one server."),
				 errhint("recsys.tune compares models on a query; then ALTER INDEX %s SET (similarity = …).",
						 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(index)),
													RelationGetRelationName(index)))));
}

/* Arguments of recsys.train_part that say which model it is */
static char *
model_arguments(const RecsysModelOptions *options)
{
	RecsysModelOptions plain;

	RecsysModelOptionsInit(&plain);
	plain.similarity = options->similarity;
	RecsysModelOptionsResolve(&plain);
	return psprintf("similarity => %s, options => %s",
					quote_literal_cstr(RecsysSimilarityName(options->similarity)),
					quote_literal_cstr(RecsysOptionsUnlike(options, &plain)));
}

static void
create_table(RecsysNode *coordinator, const RecsysDistributed *distributed, const char *table, Oid item)
{
	const char *type = format_type_be_qualified(item);
	char	   *body = psprintf("BEGIN"
								" CREATE TABLE %s (item_id %s NOT NULL, users integer NOT NULL, similar_ids %s[],"
								" scores real[], supports integer[]);"
								" COMMENT ON TABLE %s IS %s; END",
								table, type, type, table,
								quote_literal_cstr(psprintf("item graph of %s", distributed->name)));

	/* it has its comment, or is not there */
	(void) RecsysRunOnNode(coordinator, psprintf("DO %s", quote_literal_cstr(body)),
						   "making a table for the item graph");
	(void) RecsysRunOnNode(coordinator, psprintf("SELECT pg_catalog.create_reference_table(%s)", quote_literal_cstr(table)),
						   "making a reference table for the item graph");
}

/*
 * A statement for another session.  What an index has as expressions is written with names as they
 * are in pg_catalog, and the search path of that session may find others for them.
 */
static char *
with_plain_names(const char *statement)
{
	return psprintf("DO %s", quote_literal_cstr(psprintf("BEGIN SET LOCAL search_path TO " PLAIN_NAMES "; %s; END",
														 statement)));
}

/* Which items each part has, as a literal */
static char *
find_plan(RecsysNode *coordinator, const char *query, int parts, int max_history)
{
	char	   *plan = RecsysRunOnNode(coordinator,
									   psprintf("SELECT (recsys.train_plan(%s, %d, %d)).plan FROM (SELECT"
												" pg_catalog.set_config('search_path', '" PLAIN_NAMES "', true)) AS s",
												quote_literal_cstr(query), parts, max_history),
									   "planning the training");

	return plan == NULL ? pstrdup("NULL") : quote_literal_cstr(plan);
}

void
RecsysTrainOnNodes(const RecsysDistributed *distributed, const RecsysRecommender *shell,
				   RecsysTrainedGraph *trained)
{
	RecsysNode *coordinator = RecsysCoordinator();
	List	   *nodes = RecsysNodesWithShards();
	Oid			item = RecsysKeyKindType(shell->columns.item_kind);
	RecsysModelOptions options;
	char	   *query;
	char	   *name;
	char	   *table;
	char	   *plan;
	ListCell   *cell;

	find_model(shell->definition, &options);
	/* a model that is learned as a whole is learned on one node */
	if (RecsysSimilarityIsLearned(options.similarity))
		nodes = list_make1(linitial(nodes));
	drop_graphs(distributed, distributed->graph);
	trained->nodes = list_length(nodes);

	/* a name may be taken: by a graph that could not be dropped, or by somebody's table */
	trained->version = distributed->version;
	do
		name = psprintf("%s%d", graph_prefix(distributed), ++trained->version);
	while (OidIsValid(get_relname_relid(name, get_rel_namespace(distributed->index))));
	table = in_schema(distributed, name);
	trained->index = in_schema(distributed, psprintf("%s_index", name));
	query = histories_query(distributed, shell);

	create_table(coordinator, distributed, table, item);
	plan = find_plan(coordinator, query, list_length(nodes), options.max_history);
	foreach(cell, nodes)
		((RecsysNode *) lfirst(cell))->command =
			with_plain_names(psprintf("INSERT INTO %s SELECT * FROM recsys.train_part(%s, %d, %d, NULL::%s, %s, plan => %s)",
									  table, quote_literal_cstr(query), foreach_current_index(cell), list_length(nodes),
									  format_type_be_qualified(item), model_arguments(&options), plan));
	RecsysRunOnNodes(nodes, "training");
	(void) RecsysRunOnNode(coordinator,
						   psprintf("CREATE INDEX %s ON %s USING recsys_graph (item_id, users, similar_ids, scores, supports)",
									quote_identifier(psprintf("%s_index", name)), table),
						   "building an index over the item graph");
	trained->items = strtoi64(RecsysRunOnNode(coordinator, psprintf("SELECT pg_catalog.count(*) FROM %s", table),
											  "counting items"), NULL, 10);
}
