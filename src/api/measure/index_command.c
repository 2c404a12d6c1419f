/*
 * index_command.c
 *	  From a query to the command that makes an index of it, and back.
 */
#include "postgres.h"

#include "am/entry/asowner.h"
#include "am/store/indexname.h"
#include "am/store/options.h"
#include "api/call/recommender.h"
#include "api/measure/index_command.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_opclass.h"
#include "commands/defrem.h"
#include "commands/tablespace.h"
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

/* Are the rows that a query takes from it those that an index on it has? */
static bool
is_indexed_whole(const RangeTblEntry *table)
{
	switch (table->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_MATVIEW:
			return !(table->inh && has_subclass(table->relid));
		case RELKIND_PARTITIONED_TABLE:
			return table->inh;
		default:
			return false;
	}
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
		is_indexed_whole(table) &&
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

	command->definition = psprintf("CREATE INDEX ON %s USING recsys (%s)",
								   RecsysQualifiedName(table->relid), keys.data);
	command->options = pstrdup("");
	command->rest = query->jointree->quals == NULL ? pstrdup("") :
		psprintf(" WHERE %s", deparse_expression(query->jointree->quals, context, false, false));
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

/* The keys' own collations: of columns, or of expressions, which are not evaluated. */
static Oid *
key_collations(const RecsysRecommender *recommender)
{
	Relation	index = recommender->definition;
	int			ncolumns = IndexRelationGetNumberOfKeyAttributes(index);
	Oid		   *collations = palloc0(sizeof(Oid) * ncolumns);
	List	   *expressions = NIL;
	ListCell   *next;
	bool		isnull;
	Datum		stored = SysCacheGetAttr(INDEXRELID, index->rd_indextuple, Anum_pg_index_indexprs, &isnull);

	if (!isnull)
		expressions = (List *) stringToNode(TextDatumGetCString(stored));
	next = list_head(expressions);
	for (int i = 0; i < ncolumns; i++)
	{
		AttrNumber	column = index->rd_index->indkey.values[i];

		if (column != InvalidAttrNumber)
			collations[i] = TupleDescAttr(RelationGetDescr(recommender->heap), column - 1)->attcollation;
		else if (next != NULL)
		{
			collations[i] = exprCollation((Node *) lfirst(next));
			next = lnext(expressions, next);
		}
	}
	return collations;
}

/* "a, lower(b) COLLATE "C" my_ops": the keys as CREATE INDEX wants them, or a query */
static char *
index_keys(const RecsysRecommender *recommender, bool opclasses_too)
{
	Relation	index = recommender->definition;
	Oid		   *collations = key_collations(recommender);
	bool		isnull;
	oidvector  *opclasses = (oidvector *)
		DatumGetPointer(SysCacheGetAttr(INDEXRELID, index->rd_indextuple, Anum_pg_index_indclass, &isnull));
	StringInfoData keys;

	initStringInfo(&keys);
	for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); i++)
	{
		Oid			collation = index->rd_indcollation[i];
		Oid			type = TupleDescAttr(RelationGetDescr(index), i)->atttypid;

		appendStringInfo(&keys, "%s%s", i > 0 ? ", " : "",
						 TextDatumGetCString(DirectFunctionCall3(pg_get_indexdef_ext,
																 ObjectIdGetDatum(RelationGetRelid(index)),
																 Int32GetDatum(i + 1),
																 BoolGetDatum(false))));
		if (OidIsValid(collation) && collation != collations[i])
			appendStringInfo(&keys, " COLLATE %s", generate_collation_name(collation));
		if (opclasses_too &&
			opclasses->values[i] != GetDefaultOpClass(type, index->rd_rel->relam))
			appendStringInfo(&keys, " %s", generate_opclass_name(opclasses->values[i]));
	}
	return keys.data;
}

/* Options that no model has: as far as they are not the default */
static char *
index_options(Relation index)
{
	StringInfoData options;

	initStringInfo(&options);
	if (RecsysGetFillfactor(index) != RECSYS_DEFAULT_FILLFACTOR)
		appendStringInfo(&options, "fillfactor = %d", RecsysGetFillfactor(index));
	if (RecsysGetPendingLimit(index) != RECSYS_DEFAULT_PENDING_LIMIT)
		appendStringInfo(&options, "%spending_limit = %d", options.len > 0 ? ", " : "",
						 RecsysGetPendingLimit(index));
	return options.data;
}

/* " WHERE …", or nothing */
static char *
index_condition(const RecsysRecommender *recommender)
{
	bool		isnull;
	Datum		predicate = SysCacheGetAttr(INDEXRELID, recommender->definition->rd_indextuple,
											Anum_pg_index_indpred, &isnull);

	if (isnull)
		return pstrdup("");
	return psprintf(" WHERE %s",
					TextDatumGetCString(DirectFunctionCall2(pg_get_expr, predicate,
															ObjectIdGetDatum(RelationGetRelid(recommender->heap)))));
}

char *
RecsysQueryOfIndex(Oid index, Oid *owner, RecsysIndexCommand *command)
{
	RecsysRecommender recommender;
	RecsysAsOwner before;
	Oid			tablespace;
	char	   *query;

	/* checks kind, validity and privileges */
	RecsysOpenRecommenderIndex(index, &recommender);
	*owner = recommender.heap->rd_rel->relowner;
	tablespace = recommender.definition->rd_rel->reltablespace;
	command->definition = psprintf("CREATE INDEX ON %s USING recsys (%s)",
								   RecsysQualifiedName(RelationGetRelid(recommender.heap)),
								   index_keys(&recommender, true));
	command->options = index_options(recommender.definition);
	command->rest = psprintf("%s%s%s", OidIsValid(tablespace) ? " TABLESPACE " : "",
							 OidIsValid(tablespace) ?
							 quote_identifier(get_tablespace_name(tablespace)) : "",
							 index_condition(&recommender));

	/* names as the search path has them that the query will run with */
	RecsysBeginAsOwner(recommender.heap, &before);
	query = psprintf("SELECT %s FROM %s%s%s", index_keys(&recommender, false),
					 recommender.heap->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? "" : "ONLY ",
					 RecsysQualifiedName(RelationGetRelid(recommender.heap)),
					 index_condition(&recommender));
	RecsysEndAsOwner(&before);
	RecsysCloseRecommender(&recommender);
	return query;
}

char *
RecsysIndexCommandWith(const RecsysIndexCommand *command, const char *model)
{
	bool		has_model = strspn(model, " \t\r\n") < strlen(model);
	bool		has_options = *command->options != '\0';

	if (!has_model && !has_options)
		return psprintf("%s%s", command->definition, command->rest);
	return psprintf("%s WITH (%s%s%s)%s", command->definition, has_model ? model : "",
					has_model && has_options ? ", " : "", command->options, command->rest);
}
