/*
 * index_command.c
 *	  From a query to the command that makes an index of it, and back.
 */
#include "postgres.h"

#include "api/index_command.h"
#include "api/recommender.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

static char *
qualified_name(Oid relation)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)),
									  get_rel_name(relation));
}

/* Is it a plain SELECT of one table's rows? */
static bool
is_plain(const Query *query)
{
	RangeTblEntry *table;

	if (query->commandType != CMD_SELECT || query->hasAggs || query->hasWindowFuncs ||
		query->hasTargetSRFs || query->hasSubLinks || query->cteList != NIL ||
		query->groupClause != NIL || query->groupingSets != NIL || query->havingQual != NULL ||
		query->distinctClause != NIL || query->limitOffset != NULL || query->limitCount != NULL ||
		query->setOperations != NULL || list_length(query->rtable) != 1 ||
		list_length(query->jointree->fromlist) != 1)
		return false;
	table = linitial_node(RangeTblEntry, query->rtable);
	return table->rtekind == RTE_RELATION && table->tablesample == NULL && table->securityQuals == NIL &&
		(table->relkind == RELKIND_RELATION || table->relkind == RELKIND_MATVIEW) &&
		IsA(linitial(query->jointree->fromlist), RangeTblRef);
}

/* An index's key: a column as it is, an expression in parentheses. */
static void
append_key(StringInfo keys, Node *expression, List *context)
{
	char	   *text = deparse_expression(expression, context, false, false);

	appendStringInfo(keys, IsA(expression, Var) ? "%s%s" : "%s(%s)", keys->len > 0 ? ", " : "", text);
}

static bool
describe(const Query *query, RecsysIndexCommand *command)
{
	RangeTblEntry *table;
	List	   *context;
	StringInfoData keys;
	ListCell   *cell;

	if (!is_plain(query))
		return false;
	table = linitial_node(RangeTblEntry, query->rtable);
	context = deparse_context_for(get_rel_name(table->relid), table->relid);
	initStringInfo(&keys);
	foreach(cell, query->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);

		if (entry->resjunk)
			continue;
		if (contain_mutable_functions((Node *) entry->expr) ||
			(IsA(entry->expr, Var) && ((Var *) entry->expr)->varattno <= 0))
			return false;
		append_key(&keys, (Node *) entry->expr, context);
	}
	if (query->jointree->quals != NULL && contain_mutable_functions(query->jointree->quals))
		return false;

	command->before = psprintf("CREATE INDEX ON %s USING recsys (%s) WITH (",
							   qualified_name(table->relid), keys.data);
	command->after = query->jointree->quals == NULL ? pstrdup(")") :
		psprintf(") WHERE %s", deparse_expression(query->jointree->quals, context, false, false));
	return true;
}

bool
RecsysCommandOfQuery(const char *query, RecsysIndexCommand *command)
{
	MemoryContext caller = CurrentMemoryContext;
	bool		found = false;
	SPIPlanPtr	plan;
	List	   *sources;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	plan = SPI_prepare(query, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	sources = SPI_plan_get_plan_sources(plan);
	if (list_length(sources) == 1)
	{
		CachedPlanSource *source = linitial(sources);

		if (list_length(source->query_list) == 1)
		{
			MemoryContext old = MemoryContextSwitchTo(caller);

			found = describe(linitial_node(Query, source->query_list), command);
			MemoryContextSwitchTo(old);
		}
	}
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	MemoryContextSwitchTo(caller);
	return found;
}

char *
RecsysQueryOfIndex(Oid index, RecsysIndexCommand *command)
{
	RecsysRecommender recommender;
	char	   *table;
	char	   *keys;
	char	   *condition = "";
	Datum		predicate;
	bool		isnull;

	/* checks kind, validity and privileges */
	RecsysOpenRecommenderIndex(index, &recommender);
	table = qualified_name(RelationGetRelid(recommender.heap));
	keys = pg_get_indexdef_columns(index, false);
	predicate = SysCacheGetAttr(INDEXRELID, recommender.index->rd_indextuple, Anum_pg_index_indpred,
								&isnull);
	if (!isnull)
		condition = psprintf(" WHERE %s",
							 TextDatumGetCString(DirectFunctionCall2(pg_get_expr, predicate,
																	 ObjectIdGetDatum(RelationGetRelid(recommender.heap)))));
	RecsysCloseRecommender(&recommender);
	command->before = psprintf("CREATE INDEX ON %s USING recsys (%s) WITH (", table, keys);
	command->after = psprintf(")%s", condition);
	return psprintf("SELECT %s FROM %s%s", keys, table, condition);
}
