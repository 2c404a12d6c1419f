/*
 * query_cross.c
 *	  query_cross_similarity(): what the events of one query say about those of another.
 *
 * Each query gets a quarter of maintenance_work_mem for its rows, which beyond that go to disk.
 * The rest is for the histories: those of the predicted query are taken first, and its rows let go.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/cross/crosscall.h"
#include "miscadmin.h"
#include "source/input/keytext.h"
#include "source/input/query.h"
#include "source/input/values.h"
#include "source/train/crossmodel.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(recsys_query_cross_similarity);
PG_FUNCTION_INFO_V1(recsys_query_cross_similarity_typed);

/* As a query's histories are folded everywhere */
#define MAX_HISTORY 2000

typedef void (*AddUser) (RecsysCrossModel *model, const RecsysKey *user,
						 const RecsysHistoryItem *items, int count);

typedef struct UserRows
{
	RecsysInteraction *interactions;
	RecsysHistoryItem *items;
	int			room;
} UserRows;

/* The rows of the user at hand; returns how many. */
static int
read_rows(RecsysCollector *collector, UserRows *rows)
{
	RecsysUserRow row;
	int			count = 0;

	while (RecsysCollectorNextOfUser(collector, &row))
	{
		if (count % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (count == rows->room)
		{
			rows->room *= 2;
			rows->interactions = repalloc_huge(rows->interactions, sizeof(RecsysInteraction) * (Size) rows->room);
			pfree(rows->items);
			rows->items = palloc_extended(sizeof(RecsysHistoryItem) * (Size) rows->room, MCXT_ALLOC_HUGE);
		}
		if (row.interaction.item != RECSYS_NONE)
			rows->interactions[count++] = row.interaction;
	}
	return count;
}

static void
add_users(RecsysCollector *collector, RecsysCrossModel *model, AddUser add)
{
	RecsysFolding folding = {.max_history = MAX_HISTORY, .transform = RECSYS_TRANSFORM_NONE};
	UserRows	rows = {.room = 1024};
	RecsysKey	key;
	uint32		hash;

	rows.interactions = palloc(sizeof(RecsysInteraction) * rows.room);
	rows.items = palloc(sizeof(RecsysHistoryItem) * rows.room);
	while (RecsysCollectorNextUser(collector, &key, &hash))
	{
		/* reading rows may go on to the memory that the key stands in */
		char		stored[RECSYS_MAX_KEY_LEN];
		RecsysKeyKind kind = RecsysCollectorUserKind(collector);
		RecsysKey	user;
		int			count;

		RecsysKeyStore(kind, &key, stored);
		RecsysKeyLoad(kind, stored, key.len, &user);
		count = read_rows(collector, &rows);
		count = RecsysHistoryFold(rows.interactions, count, &folding, rows.items, NULL);
		add(model, &user, rows.items, count);
		CHECK_FOR_INTERRUPTS();
	}
	RecsysCollectorRelease(collector);
	pfree(rows.interactions);
	pfree(rows.items);
}

static Datum *
read_keys(const RecsysCollector *collector, Oid type, RecsysKeyKind kind)
{
	uint32		nitems = RecsysCollectorItems(collector);
	Datum	   *keys = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * Max((Size) nitems, 1));

	for (uint32 item = 0; item < nitems; item++)
	{
		RecsysKey	key;

		CHECK_FOR_INTERRUPTS();
		RecsysCollectorItemKey(collector, item, &key);
		keys[item] = RecsysKeyToValue(type, kind, &key);
	}
	return keys;
}

static void
check_users(RecsysCollector *const *collectors)
{
	RecsysKeyKind events = RecsysCollectorUserKind(collectors[RECSYS_CROSS_EVENTS]);
	RecsysKeyKind predicts = RecsysCollectorUserKind(collectors[RECSYS_CROSS_PREDICTS]);

	if (events == predicts)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("the query of the events returns %s user keys, that of what they predict %s ones",
					RecsysKeyKindName(events), RecsysKeyKindName(predicts)),
			 errdetail("Users of both are known by their keys."),
			 errhint("Cast one of them, as in 'SELECT user_id::text, product_id FROM purchases'.")));
}

/* first: the argument that similarity is */
static void
query_cross_similarity(FunctionCallInfo fcinfo, int first)
{
	static const char *const names[] = {"events", "predicts"};
	Size		limit = (Size) maintenance_work_mem * 1024;
	RecsysCrossAnswer answer;
	RecsysCrossOptions options;
	RecsysCollector *collectors[RECSYS_CROSS_SIDES];
	RecsysKeyKind kinds[RECSYS_CROSS_SIDES];
	bool		weighted[RECSYS_CROSS_SIDES];
	RecsysCrossShape shape = {.max_history = MAX_HISTORY};
	RecsysCrossModel *model;
	Size		kept = 0;

	RecsysReadCrossOptions(fcinfo, first, &options);
	RecsysCrossAnswerInit(&answer, fcinfo);
	for (int side = 0; side < RECSYS_CROSS_SIDES; side++)
	{
		Oid			type;

		collectors[side] = RecsysCollectQuery(RecsysArgQuery(fcinfo, side, names[side]), limit / 4,
											  &type, &weighted[side]);
		(void) RecsysKeyKindOfType(type, &kinds[side]);
		kept += RecsysCollectorMemory(collectors[side]);
	}
	RecsysCrossCheckKinds(&answer, kinds);
	check_users(collectors);
	for (int side = 0; side < RECSYS_CROSS_SIDES; side++)
		answer.keys[side] = read_keys(collectors[side], answer.types[side], kinds[side]);

	shape.user_kind = RecsysCollectorUserKind(collectors[RECSYS_CROSS_EVENTS]);
	shape.nevents = RecsysCollectorItems(collectors[RECSYS_CROSS_EVENTS]);
	shape.npredicts = RecsysCollectorItems(collectors[RECSYS_CROSS_PREDICTS]);
	shape.events_weighted = weighted[RECSYS_CROSS_EVENTS];
	shape.predicts_weighted = weighted[RECSYS_CROSS_PREDICTS];
	shape.memory_limit = limit > kept ? limit - kept : 0;
	model = RecsysCrossModelCreate(&shape);
	add_users(collectors[RECSYS_CROSS_PREDICTS], model, RecsysCrossAddPredicted);
	add_users(collectors[RECSYS_CROSS_EVENTS], model, RecsysCrossAddEvents);
	RecsysCrossModelRun(model, &options.model, options.min_likelihood, RecsysPutCrossRow, &answer);
	RecsysCrossModelFree(model);
	for (int side = 0; side < RECSYS_CROSS_SIDES; side++)
		RecsysCollectorFree(collectors[side]);
}

Datum
recsys_query_cross_similarity(PG_FUNCTION_ARGS)
{
	query_cross_similarity(fcinfo, 2);
	return (Datum) 0;
}

/* The third and fourth argument only give the types of the answer. */
Datum
recsys_query_cross_similarity_typed(PG_FUNCTION_ARGS)
{
	query_cross_similarity(fcinfo, 4);
	return (Datum) 0;
}
