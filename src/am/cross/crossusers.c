/*
 * crossusers.c
 *	  The users of two indexes, as a snapshot sees them, with what they have in both.
 *
 * Two indexes have different seeds, so their users stand in different orders.  Those of the
 * predicted index are read first and remembered by their keys, those of the other one are looked up among
 * them.  Each index folds histories as it was built to: max_history and weight_transform are
 * its own.
 */
#include "postgres.h"

#include "am/cross/crossusers.h"
#include "am/graph/itemorder.h"
#include "am/read/userreader.h"
#include "miscadmin.h"
#include "utils/memutils.h"

void
RecsysCrossSideInit(RecsysCrossSide *side, Relation heap, Relation index)
{
	RecsysItemOrder *order;
	RecsysKeyOrder keys;

	side->heap = heap;
	side->index = index;
	side->nitems = RecsysItemCount(index);
	side->ranks = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * Max((Size) side->nitems, 1));
	side->items = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * Max((Size) side->nitems, 1));
	for (uint32 x = 0; x < side->nitems; x++)
		side->items[x] = x;
	order = RecsysItemOrderCreate(index, side->nitems);
	keys = RecsysItemOrderForCore(order);
	if (side->nitems > keys.nsorted)
		RecsysKeyOrderSort(&keys, side->items, (int) side->nitems);
	RecsysItemOrderFree(order);
	for (uint32 x = 0; x < side->nitems; x++)
		side->ranks[side->items[x]] = x;
}

/* The users of one index, on their way into the model */
typedef struct UserScan
{
	const RecsysCrossSide *side;
	RecsysCrossModel *model;
	RecsysKeyKind kind;			/* of the users' keys */
	RecsysFolding folding;
	RecsysHistoryItem *items;
	int			room;
	void		(*add) (RecsysCrossModel *model, const RecsysKey *user,
						const RecsysHistoryItem *items, int count);
} UserScan;

static void
add_user(void *arg, RecsysUserView *view)
{
	UserScan   *scan = arg;
	RecsysInteraction *interactions = view->interactions;
	RecsysKey	key;
	int			n = 0;
	int			count;

	CHECK_FOR_INTERRUPTS();
	for (int x = 0; x < view->ninteractions; x++)
	{
		if (interactions[x].item >= scan->side->nitems)
			continue;
		interactions[n] = interactions[x];
		interactions[n].item = scan->side->ranks[interactions[x].item];
		n++;
	}
	if (n == 0)
		return;
	if (n > scan->room)
	{
		if (scan->items != NULL)
			pfree(scan->items);
		scan->room = Max(n, 2 * scan->room);
		scan->items = palloc_extended(sizeof(RecsysHistoryItem) * (Size) scan->room, MCXT_ALLOC_HUGE);
	}
	count = RecsysHistoryFold(interactions, n, &scan->folding, scan->items, NULL);
	RecsysKeyLoad(scan->kind, view->key, view->keylen, &key);
	scan->add(scan->model, &key, scan->items, count);
}

static void
read_users(UserScan *scan, Snapshot snapshot)
{
	RecsysUserReader *reader = RecsysUserReaderCreate(scan->side->heap, scan->side->index, snapshot);
	RecsysMetaData *meta = &RecsysGetCache(scan->side->index)->meta;
	uint64		next = 0;

	scan->kind = meta->user_kind;
	RecsysMetaFolding(meta, NULL, &scan->folding);
	while (next <= PG_UINT32_MAX)
	{
		next = RecsysUserReaderReadBucket(reader, (uint32) next, add_user, scan);
		CHECK_FOR_INTERRUPTS();
	}
	RecsysUserReaderFree(reader);
	if (scan->items != NULL)
		pfree(scan->items);
	scan->items = NULL;
	scan->room = 0;
}

RecsysCrossModel *
RecsysReadCrossUsers(const RecsysCrossSide *events, const RecsysCrossSide *predicts,
					 Snapshot snapshot, Size memory_limit)
{
	RecsysMetaData *meta = &RecsysGetCache(events->index)->meta;
	RecsysCrossShape shape = {
		.user_kind = meta->user_kind,
		.nevents = events->nitems,
		.events_weighted = meta->weighted,
		.max_history = meta->max_history,
		.npredicts = predicts->nitems,
		.predicts_weighted = RecsysGetCache(predicts->index)->meta.weighted,
		.memory_limit = memory_limit
	};
	UserScan	scan = {.model = RecsysCrossModelCreate(&shape)};

	scan.side = predicts;
	scan.add = RecsysCrossAddPredicted;
	read_users(&scan, snapshot);
	scan.side = events;
	scan.add = RecsysCrossAddEvents;
	read_users(&scan, snapshot);
	return scan.model;
}
