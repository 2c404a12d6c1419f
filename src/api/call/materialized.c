/*
 * materialized.c
 *	  Refreshing materialized views.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "api/call/commands.h"
#include "api/call/materialized.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"

/* As the server asks for it: a unique index over plain columns and all rows. */
static bool
is_for_merging(Relation index)
{
	return index->rd_index->indisunique && index->rd_index->indisvalid && index->rd_index->indimmediate &&
		RelationGetIndexPredicate(index) == NIL && RelationGetIndexExpressions(index) == NIL;
}

/* Can others read it while it is refreshed? */
static bool
stays_readable(Oid view)
{
	Relation	open = table_open(view, AccessShareLock);
	ListCell   *cell;
	bool		result = false;

	foreach(cell, RelationIsPopulated(open) ? RelationGetIndexList(open) : NIL)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		result = result || is_for_merging(index);
		index_close(index, AccessShareLock);
	}
	/* kept, it would be in the way of another session's REFRESH, and that one's in the way of ours */
	table_close(open, AccessShareLock);
	return result;
}

void
RecsysRefreshMaterialized(Oid view)
{
	RecsysRunCommand(psprintf("REFRESH MATERIALIZED VIEW %s%s", stays_readable(view) ? "CONCURRENTLY " : "",
							  quote_qualified_identifier(get_namespace_name(get_rel_namespace(view)),
														 get_rel_name(view))));
}
