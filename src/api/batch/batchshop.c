/*
 * batchshop.c
 *	  The lists of a declared recommender for all users whom its signals know.
 *
 * Each list is made by the funnel, as recommend() makes it: with the shop's own queries, and so
 * by this process alone.  The users of one piece are read before the first of their lists is made,
 * since these queries may do anything.  A user whom several signals know is listed with the first
 * of them.
 */
#include "postgres.h"

#include "am/parts/leaves.h"
#include "am/read/userreader.h"
#include "am/read/visible.h"
#include "api/batch/batchshop.h"
#include "api/batch/batchteam.h"
#include "api/profile/catalogue.h"
#include "api/serve/funnel.h"
#include "compat.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* The users of a piece */
typedef struct UserList
{
	RecsysKeyKind kind;
	uint32		high;
	MemoryContext context;
	RecsysKey  *keys;
	uint32		count;
	uint32		size;
} UserList;

RecsysBatchSignal *
RecsysBatchShopSignals(RecsysShop *shop, int *nsignals)
{
	RecsysBatchSignal *signals = palloc(sizeof(RecsysBatchSignal) * shop->definition->nsignals);

	*nsignals = shop->definition->nsignals;
	for (int i = 0; i < *nsignals; i++)
	{
		RecsysRecommender events;

		RecsysOpenRecommender(shop->definition->signals[i].events, &events);
		signals[i].npieces = RecsysBatchCountPieces(events.index);
		signals[i].file = RECSYS_FILE_NUMBER(events.index);
		RecsysCloseRecommender(&events);
	}
	return signals;
}

static void
note_user(void *arg, RecsysUserView *user)
{
	UserList   *list = arg;
	MemoryContext old;
	char	   *stored;

	CHECK_FOR_INTERRUPTS();
	if (user->hash > list->high || user->ninteractions == 0)
		return;
	old = MemoryContextSwitchTo(list->context);
	if (list->count == list->size)
	{
		list->size = Max(64, list->size * 2);
		list->keys = list->keys == NULL ? palloc(sizeof(RecsysKey) * list->size) :
			repalloc_huge(list->keys, sizeof(RecsysKey) * (Size) list->size);
	}
	stored = palloc(user->keylen + 1);
	memcpy(stored, user->key, user->keylen);
	RecsysKeyLoad(list->kind, stored, user->keylen, &list->keys[list->count++]);
	MemoryContextSwitchTo(old);
}

static void
read_users(const RecsysSignal *signal, uint32 piece, uint32 npieces, Snapshot snapshot, UserList *list)
{
	RecsysRecommender events;
	RecsysUserReader *reader;
	uint32		low;
	uint64		next;

	RecsysOpenRecommender(signal->events, &events);
	RecsysPredicateLockTable(events.heap, snapshot);
	list->kind = events.columns.user_kind;
	reader = RecsysUserReaderCreate(events.heap, events.index, snapshot);
	RecsysBatchPieceRange(piece, npieces, &low, &list->high);
	for (next = low; next <= list->high;)
		next = RecsysUserReaderReadBucket(reader, (uint32) next, note_user, list);
	RecsysUserReaderFree(reader);
	RecsysCloseRecommender(&events);
}

/* Leaves out users whom one of the signals before knows. */
static void
drop_known(const RecsysDefinition *definition, int signal, Snapshot snapshot, UserList *list)
{
	for (int before = 0; before < signal && list->count > 0; before++)
	{
		RecsysRecommender events;
		uint32		kept = 0;

		RecsysOpenRecommender(definition->signals[before].events, &events);
		for (uint32 i = 0; i < list->count; i++)
		{
			RecsysInteraction *rows = NULL;
			bool		known = events.columns.user_kind == list->kind &&
				RecsysReadVisible(events.heap, events.index, &list->keys[i], snapshot, &rows) > 0;

			CHECK_FOR_INTERRUPTS();
			if (rows != NULL)
				pfree(rows);
			if (!known)
				list->keys[kept++] = list->keys[i];
		}
		list->count = kept;
		RecsysCloseRecommender(&events);
	}
}

static void
put_list(RecsysShop *shop, const RecsysKey *user, int k, RecsysBatchShopSink sink, void *arg)
{
	RecsysFunnel *funnel = RecsysFunnelOpen(shop, user, NULL, true, NULL);
	const RecsysListed *rows;
	int			count = RecsysFunnelList(funnel, k, &rows);

	for (int i = 0; i < count; i++)
	{
		RecsysKey	item;

		RecsysCatalogueKey(RecsysFunnelProfile(funnel)->catalogue, rows[i].slot, &item);
		sink(arg, user, &item, (float) rows[i].score, i + 1);
	}
	RecsysFunnelClose(funnel);
}

void
RecsysBatchShopList(RecsysShop *shop, int signal, uint32 piece, uint32 npieces, int k,
					Snapshot snapshot, RecsysBatchShopSink sink, void *arg)
{
	const RecsysDefinition *definition = shop->definition;
	UserList	list = {0};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys batch users",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext user_context = AllocSetContextCreate(context, "recsys batch user",
													   ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	list.context = context;
	read_users(&definition->signals[signal], piece, npieces, snapshot, &list);
	drop_known(definition, signal, snapshot, &list);
	for (uint32 i = 0; i < list.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(user_context);
		put_list(shop, &list.keys[i], k, sink, arg);
		MemoryContextReset(user_context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
