/*
 * nodeevents.c
 *	  The index of a signal as this node has it.
 *
 * What a declared recommender reads of a signal comes from one index as a rule.  Where Citus has
 * distributed the table there are two: histories are in the shards, each on one node, and the item
 * graph of all of them, with popular items, is on every node.  Most of what a list is made of is in
 * the graph.  So that is what is opened here, under the names, the rights and the columns of the
 * index that the definition names; api/profile/shardhistory opens the other one where there is a
 * user.
 */
#include "postgres.h"

#include "access/relation.h"
#include "am/entry/shells.h"
#include "am/store/options.h"
#include "api/here/nodeevents.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/varlena.h"

static void
get_options(const RecsysRecommender *recommender, RecsysHistoryOptions *options)
{
	RecsysModelOptions asked;

	if (options == NULL)
		return;
	options->half_life = RecsysServingHalfLife(recommender->index);

	/* a partitioned index that stands for shards has no pages */
	RecsysGetModelOptions(recommender->definition, &asked);
	options->max_history = recommender->index->rd_rel->relkind == RELKIND_PARTITIONED_INDEX ?
		asked.max_history : RecsysGetCache(recommender->index)->meta.max_history;
}

/* The graph in the place of the shell's pages */
static void
open_graph(const RecsysDistributed *distributed, RecsysRecommender *events)
{
	RecsysRecommender graph;

	RecsysOpenGraphOf(distributed, &graph);
	if (events->index != events->definition)
		relation_close(events->index, NoLock);
	events->index = graph.index;
	relation_close(graph.heap, NoLock);
}

bool
RecsysOpenEvents(const char *name, RecsysRecommender *events, RecsysDistributed *distributed,
				 RecsysHistoryOptions *options)
{
	RecsysDistributed found;
	bool		is_distributed = RecsysOpenSpread(name, events, &found);

	get_options(events, options);
	if (!is_distributed)
		return false;
	open_graph(&found, events);
	if (distributed != NULL)
		*distributed = found;
	return true;
}

bool
RecsysIsDivided(const char *name)
{
	RangeVar   *range;
	Oid			schema;
	Oid			index;
	Oid			table;

	if (!RecsysCitusIsThere())
		return false;
	range = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name)));
	schema = range->schemaname == NULL ? InvalidOid : get_namespace_oid(range->schemaname, true);
	index = OidIsValid(schema) ? get_relname_relid(range->relname, schema) : InvalidOid;
	table = OidIsValid(index) ? IndexGetRelation(index, true) : InvalidOid;
	return OidIsValid(table) && RecsysIsShell(table) && RecsysShellMethod(table) != 'n';
}
