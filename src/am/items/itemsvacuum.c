/*
 * itemsvacuum.c
 *	  VACUUM of an items index: the callbacks.
 *
 * The walk over all blocks is that of am/write/vacuum.c.  Of content pages it takes the tuples
 * of dead rows; current content it marks dead, because the next merge needs it to find the rows
 * of the graph that have the item.  The entries of items say by events, before they go, that
 * the item has changed.
 *
 * The tuple may go before the entry that leads to it, or after it.  Neither does harm: nobody
 * reads the content of a row that no snapshot sees.
 */
#include "postgres.h"

#include "am/content/contentchange.h"
#include "am/items/itemshandler.h"
#include "am/items/itemsmerge.h"
#include "am/write/vacuum.h"
#include "miscadmin.h"

static void
vacuum_page(RecsysPruning *state, Buffer buffer, RecsysPageKind kind)
{
	if (kind == RECSYS_PAGE_CONTENT)
		RecsysContentPrune(state->index, buffer, state->callback, state->callback_state);
}

IndexBulkDeleteResult *
recsys_items_bulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
						IndexBulkDeleteCallback callback, void *callback_state)
{
	return RecsysBulkDelete(info, stats, callback, callback_state, vacuum_page);
}

IndexBulkDeleteResult *
recsys_items_vacuumcleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	return RecsysVacuumCleanup(info, stats, RecsysMergeItems);
}
