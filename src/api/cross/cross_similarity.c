/*
 * cross_similarity.c
 *	  cross_similarity(): what the events of one index say about those of another.
 *
 * Both are read under the caller's snapshot: nothing of it is kept, so what is asked for often
 * belongs into a materialized view, or a signal that "predicts" (create_recommender).
 */
#include "postgres.h"

#include "am/cross/crossusers.h"
#include "am/graph/graph.h"
#include "am/parts/leaves.h"
#include "api/call/arguments.h"
#include "api/call/recommender.h"
#include "api/cross/crosscall.h"
#include "miscadmin.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(recsys_cross_similarity);
PG_FUNCTION_INFO_V1(recsys_cross_similarity_typed);

/* Users are the same where their keys are. */
static void
check_users(const RecsysRecommender *recommenders)
{
	const RecsysRecommender *events = &recommenders[RECSYS_CROSS_EVENTS];
	const RecsysRecommender *predicts = &recommenders[RECSYS_CROSS_PREDICTS];

	if (events->columns.user_kind == predicts->columns.user_kind)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("recommender \"%s\" has %s user keys, \"%s\" has %s ones",
					RelationGetRelationName(events->definition), RecsysKeyKindName(events->columns.user_kind),
					RelationGetRelationName(predicts->definition), RecsysKeyKindName(predicts->columns.user_kind)),
			 errdetail("Users of both are known by their keys."),
			 errhint("Create one of the indexes with the user as the other one has it, as in CREATE INDEX ON purchases USING recsys ((user_id::text), product_id).")));
}

/* Every key occurs in many rows: each is read once. */
static Datum *
read_keys(const RecsysCrossSide *side, Oid type, RecsysKeyKind kind)
{
	Datum	   *keys = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * Max((Size) side->nitems, 1));
	RecsysGraphReader reader;

	/* by number, which is how they stand */
	RecsysGraphReaderInit(&reader, side->index);
	for (uint32 item = 0; item < side->nitems; item++)
	{
		RecsysKey	key;

		CHECK_FOR_INTERRUPTS();
		RecsysGraphNeedKey(&reader, item, &key);
		keys[side->ranks[item]] = RecsysKeyToValue(type, kind, &key);
	}
	RecsysGraphReaderDone(&reader);
	return keys;
}

static void
open_sides(FunctionCallInfo fcinfo, RecsysRecommender *recommenders)
{
	static const char *const names[] = {"events", "predicts"};

	for (int side = 0; side < RECSYS_CROSS_SIDES; side++)
		RecsysOpenRecommender(RecsysArgQuery(fcinfo, side, names[side]), &recommenders[side]);
	check_users(recommenders);
}

/* first: the argument that similarity is */
static void
cross_similarity(FunctionCallInfo fcinfo, int first)
{
	Snapshot	snapshot = GetActiveSnapshot();
	Size		limit = (Size) maintenance_work_mem * 1024;
	RecsysCrossAnswer answer;
	RecsysCrossOptions options;
	RecsysRecommender recommenders[RECSYS_CROSS_SIDES];
	RecsysCrossSide sides[RECSYS_CROSS_SIDES];
	RecsysKeyKind kinds[RECSYS_CROSS_SIDES];
	RecsysCrossModel *model;
	MemoryContext context;
	MemoryContext old;

	RecsysReadCrossOptions(fcinfo, first, &options);
	RecsysCrossAnswerInit(&answer, fcinfo);
	open_sides(fcinfo, recommenders);
	for (int side = 0; side < RECSYS_CROSS_SIDES; side++)
		kinds[side] = recommenders[side].columns.item_kind;
	RecsysCrossCheckKinds(&answer, kinds);

	context = AllocSetContextCreate(CurrentMemoryContext, "recsys cross similarity", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	for (int side = 0; side < RECSYS_CROSS_SIDES; side++)
	{
		RecsysPredicateLockTable(recommenders[side].heap, snapshot);
		RecsysCrossSideInit(&sides[side], recommenders[side].heap, recommenders[side].index);
		answer.keys[side] = read_keys(&sides[side], answer.types[side], kinds[side]);
	}
	model = RecsysReadCrossUsers(&sides[RECSYS_CROSS_EVENTS], &sides[RECSYS_CROSS_PREDICTS], snapshot, limit);
	RecsysCrossModelRun(model, &options.model, options.min_likelihood, RecsysPutCrossRow, &answer);
	RecsysCrossModelFree(model);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	for (int side = 0; side < RECSYS_CROSS_SIDES; side++)
		RecsysCloseRecommender(&recommenders[side]);
}

Datum
recsys_cross_similarity(PG_FUNCTION_ARGS)
{
	cross_similarity(fcinfo, 2);
	return (Datum) 0;
}

/* The third and fourth argument only give the types of the answer. */
Datum
recsys_cross_similarity_typed(PG_FUNCTION_ARGS)
{
	cross_similarity(fcinfo, 4);
	return (Datum) 0;
}
