/*
 * recommend_all.c
 *	  recommend_all(): the lists of all users whom a recommender knows.
 *
 * Users are read by pieces (batchteam.h).  In FROM the server wants all rows at once: they go into
 * a tuplestore, which spills to disk beyond work_mem, and parallel workers help.  In a SELECT list
 * rows are wanted one by one, and whoever asks may stop, or write something, before the last of
 * them.  So pieces are worked through in rounds: each round's rows go into a tuplestore and are
 * handed out, and nothing is open, pinned or running meanwhile.  The first round is one piece, each
 * next one twice as many, so that LIMIT need not wait for what it does not want; rounds that take
 * long have workers.
 *
 * What lives from round to round are the packed graph, values of keys, and the locks, which the
 * transaction keeps.  The snapshot is that of the statement, which is the active one at each call.
 * The caller itself may rebuild an index between two rounds: its users are in another order then,
 * and its items have other numbers, so that is an error.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "am/parts/leaves.h"
#include "api/batch/allrows.h"
#include "api/batch/batchshop.h"
#include "api/batch/batchteam.h"
#include "api/batch/packedgraph.h"
#include "api/call/arguments.h"
#include "api/declare/servedname.h"
#include "compat.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "optimizer/paths.h"
#include "portability/instr_time.h"
#include "source/input/clock.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(recsys_recommend_all);

/* Workers help from an index of so many times min_parallel_index_scan_size on. */
#define MIN_SIZE 8

/* Milliseconds that a round has to take to get longer no more, and to be worth a worker's start */
#define LONG_ROUND 1000.0
#define WORTHWHILE 100.0

typedef struct AllLists
{
	MemoryContext context;
	char	   *name;			/* NULL: the only one */
	RecsysAllRows rows;
	RecsysBatchTerms terms;
	uint32		npieces;		/* of an index, or of all signals of a shop */
	uint32		next;

	/* an index */
	Oid			index;
	Oid			file;			/* of the index, when the graph was packed */
	RecsysBatchGraph *graph;

	/* a declared recommender */
	bool		by_shop;
	RecsysBatchSignal *signals;
	int			nsignals;

	/* rounds */
	uint32		round_pieces;
	double		per_piece;		/* milliseconds that a piece took in the last round */
	TupleTableSlot *slot;
	ExprContext *shutdown_context;
} AllLists;

/* How many workers may help where that many pieces are to be done. */
static int
plan_workers(const AllLists *lists, Relation index, bool worthwhile)
{
	if (IsParallelWorker() || !worthwhile ||
		RelationGetNumberOfBlocks(index) < (uint64) MIN_SIZE * min_parallel_index_scan_size)
		return 0;
	return max_parallel_workers_per_gather;
}

static void
changed_between_rounds(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the recommender has changed while its lists were made")));
}

static void
list_index(AllLists *lists, uint32 end, bool worthwhile)
{
	RecsysRecommender recommender;
	RecsysGraphReader reader;
	RecsysBatchPieces pieces = {&recommender, lists->graph, lists->terms, NULL, lists->npieces,
	lists->next, end, 0};

	RecsysOpenRecommenderIndex(lists->index, &recommender);
	if (RECSYS_FILE_NUMBER(recommender.index) != lists->file)
		changed_between_rounds();
	pieces.snapshot = RegisterSnapshot(GetActiveSnapshot());
	pieces.nworkers = plan_workers(lists, recommender.index, worthwhile);
	RecsysPredicateLockTable(recommender.heap, pieces.snapshot);
	RecsysGraphReaderInit(&reader, recommender.index);
	lists->rows.reader = &reader;
	RecsysBatchList(&pieces, RecsysAllRowsPutList, &lists->rows);
	RecsysGraphReaderDone(&reader);
	lists->rows.reader = NULL;
	UnregisterSnapshot(pieces.snapshot);
	RecsysCloseRecommender(&recommender);
}

/* Are the signals, and their indexes, what they were in the round before? */
static bool
has_same_signals(const AllLists *lists, RecsysShop *shop)
{
	int			nsignals;
	RecsysBatchSignal *signals = RecsysBatchShopSignals(shop, &nsignals);
	bool		same = nsignals == lists->nsignals;

	for (int i = 0; same && i < nsignals; i++)
		same = signals[i].file == lists->signals[i].file;
	pfree(signals);
	return same;
}

static void
list_shop(AllLists *lists, uint32 end)
{
	RecsysShop *shop = RecsysServedShop(lists->name);
	Snapshot	snapshot;

	if (shop == NULL || !has_same_signals(lists, shop))
		changed_between_rounds();
	snapshot = RegisterSnapshot(GetActiveSnapshot());
	RecsysUseShop(shop);
	for (uint32 next = lists->next; next < end; next++)
	{
		uint32		piece = next;
		int			signal = 0;

		while (piece >= lists->signals[signal].npieces)
			piece -= lists->signals[signal++].npieces;
		RecsysBatchShopList(shop, signal, piece, lists->signals[signal].npieces,
							lists->terms.k, snapshot, RecsysAllRowsPut, &lists->rows);
	}
	RecsysReleaseShop(shop);
	UnregisterSnapshot(snapshot);
}

/* Puts the lists of the next pieces, up to end. */
static void
list_pieces(AllLists *lists, uint32 end, bool worthwhile)
{
	instr_time	start;
	instr_time	now;

	if (end <= lists->next)
		return;
	INSTR_TIME_SET_CURRENT(start);
	if (lists->by_shop)
		list_shop(lists, end);
	else
		list_index(lists, end, worthwhile);
	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, start);
	lists->per_piece = INSTR_TIME_GET_MILLISEC(now) / (end - lists->next);
	lists->next = end;
}

static void
begin_shop(AllLists *lists, RecsysShop *shop)
{
	RecsysRecommender first;

	RecsysOpenRecommender(shop->definition->signals[0].events, &first);
	RecsysAllRowsCheckKinds(&lists->rows, first.columns.user_kind, first.columns.item_kind,
							shop->definition->name);
	RecsysCloseRecommender(&first);
	lists->by_shop = true;
	lists->signals = RecsysBatchShopSignals(shop, &lists->nsignals);
	for (int i = 0; i < lists->nsignals; i++)
		lists->npieces += lists->signals[i].npieces;
}

static void
begin_index(AllLists *lists)
{
	RecsysRecommender recommender;

	RecsysOpenRecommender(lists->name, &recommender);
	RecsysAllRowsCheckKinds(&lists->rows, recommender.columns.user_kind,
							recommender.columns.item_kind, RelationGetRelationName(recommender.definition));
	lists->index = RelationGetRelid(recommender.definition);
	lists->file = RECSYS_FILE_NUMBER(recommender.index);
	lists->npieces = RecsysBatchCountPieces(recommender.index);
	lists->terms.half_life = recommender.columns.time_column > 0 ?
		RecsysServingHalfLife(recommender.index) : 0;
	lists->terms.now = lists->terms.half_life > 0 ? RecsysNow(recommender.columns.time_type) :
		PG_INT64_MAX;

	/* another half is for the copy that workers see, and for sums */
	if (lists->terms.k > 0)
		lists->graph = RecsysPackGraph(&recommender, (Size) maintenance_work_mem * 1024 / 2);
	RecsysCloseRecommender(&recommender);
}

/* Arguments: recommender, k */
static AllLists *
begin(FunctionCallInfo fcinfo)
{
	AllLists   *lists = palloc0(sizeof(AllLists));
	RecsysShop *shop;

	lists->context = CurrentMemoryContext;
	lists->name = RecsysArgText(fcinfo, 0);
	lists->terms.k = RecsysArgK(fcinfo, 1);
	RecsysAllRowsInit(&lists->rows, fcinfo);
	shop = RecsysServedShop(lists->name);
	if (shop != NULL)
		begin_shop(lists, shop);
	else
		begin_index(lists);
	if (lists->terms.k == 0)
		lists->next = lists->npieces;
	return lists;
}

/* In FROM */
static void
list_all(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext context;
	MemoryContext old;
	AllLists   *lists;

	InitMaterializedSRF(fcinfo, 0);
	context = AllocSetContextCreate(CurrentMemoryContext, "recsys lists of all users",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	lists = begin(fcinfo);
	lists->rows.store = result->setResult;
	list_pieces(lists, lists->npieces, true);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

static void
shut_down(Datum arg)
{
	AllLists   *lists = (AllLists *) DatumGetPointer(arg);

	tuplestore_end(lists->rows.store);
}

static AllLists *
begin_rounds(FunctionCallInfo fcinfo)
{
	AllLists   *lists = begin(fcinfo);

	lists->round_pieces = 1;
	lists->slot = MakeSingleTupleTableSlot(lists->rows.desc, &TTSOpsMinimalTuple);
	lists->rows.store = tuplestore_begin_heap(false, false, work_mem);
	lists->shutdown_context = ((ReturnSetInfo *) fcinfo->resultinfo)->econtext;
	RegisterExprContextCallback(lists->shutdown_context, shut_down, PointerGetDatum(lists));
	return lists;
}

static void
list_round(AllLists *lists)
{
	uint32		left = lists->npieces - lists->next;
	uint32		round = Min(lists->round_pieces, left);
	double		estimate = lists->per_piece * round;
	MemoryContext old = MemoryContextSwitchTo(lists->context);

	tuplestore_clear(lists->rows.store);
	list_pieces(lists, lists->next + round, estimate >= WORTHWHILE);
	if (lists->per_piece * round < LONG_ROUND)
		lists->round_pieces *= 2;
	MemoryContextSwitchTo(old);
}

/* A row that comes from disk is the slot's until the next one, while the caller's memory is reset. */
static bool
fetch_row(AllLists *lists)
{
	MemoryContext old = MemoryContextSwitchTo(lists->context);
	bool		found = tuplestore_gettupleslot(lists->rows.store, true, false, lists->slot);

	MemoryContextSwitchTo(old);
	return found;
}

/* In a SELECT list: the next row; *done when there is none. */
static Datum
next_row(AllLists *lists, bool *done)
{
	while (!fetch_row(lists))
	{
		*done = lists->next == lists->npieces;
		if (*done)
			return (Datum) 0;
		list_round(lists);
	}
	*done = false;
	return ExecFetchSlotHeapTupleDatum(lists->slot);
}

Datum
recsys_recommend_all(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	FuncCallContext *call;
	AllLists   *lists;
	Datum		row;
	bool		done;

	if (result == NULL || !IsA(result, ReturnSetInfo) ||
		(result->allowedModes & SFRM_ValuePerCall) == 0 ||
		(result->allowedModes & SFRM_Materialize_Preferred) != 0)
	{
		list_all(fcinfo);
		return (Datum) 0;
	}
	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		call = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(call->multi_call_memory_ctx);
		call->user_fctx = begin_rounds(fcinfo);
		MemoryContextSwitchTo(old);
	}
	call = SRF_PERCALL_SETUP();
	lists = call->user_fctx;
	row = next_row(lists, &done);
	if (!done)
		SRF_RETURN_NEXT(call, row);
	UnregisterExprContextCallback(lists->shutdown_context, shut_down, PointerGetDatum(lists));
	tuplestore_end(lists->rows.store);
	SRF_RETURN_DONE(call);
}
