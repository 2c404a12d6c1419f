/*
 * graphopen.c
 *	  From a regclass to an open index over an item graph.
 *
 * The table of a graph has one index over it as a rule, and then its name will do.  While another is
 * being built beside it, the valid one is meant.
 */
#include "postgres.h"

#include "am/entry/indexes.h"
#include "api/call/recommendernames.h"
#include "api/graph/graphopen.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "utils/lsyscache.h"

Oid
RecsysArgRelation(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", name)));
	return PG_GETARG_OID(argument);
}

/*
 * The valid index over the graph of a table; the table itself if there is none.  Whether the caller
 * may read it, is for who opens it to say.
 */
static Oid
index_of_table(Oid table)
{
	List	   *known = RecsysAllIndexes();
	List	   *found = NIL;
	ListCell   *cell;

	foreach(cell, known)
		if (RecsysKindOfIndex(lfirst_oid(cell)) == RECSYS_GRAPH_INDEX &&
			IndexGetRelation(lfirst_oid(cell), true) == table && get_index_isvalid(lfirst_oid(cell)))
			found = lappend_oid(found, lfirst_oid(cell));
	if (list_length(found) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
				 errmsg("table \"%s\" has more than one index over its item graph", RecsysNameForMessage(table)),
				 errdetail("They are %s.", RecsysListNames(found)),
				 errhint("Name the index.")));
	return found != NIL ? linitial_oid(found) : table;
}

void
RecsysOpenGraphArgument(FunctionCallInfo fcinfo, int argument, RecsysRecommender *graph)
{
	Oid			relation = RecsysArgRelation(fcinfo, argument, "graph");
	char		kind = get_rel_relkind(relation);

	if (kind == RELKIND_RELATION || kind == RELKIND_MATVIEW)
		relation = index_of_table(relation);
	RecsysOpenIndexOf(relation, RECSYS_TAKES_GRAPH, graph);
}
