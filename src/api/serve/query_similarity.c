/*
 * query_similarity.c
 *	  query_item_similarity(): the item graph of any query.
 */
#include "postgres.h"

#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/modelarguments.h"
#include "miscadmin.h"
#include "source/input/query.h"
#include "source/input/values.h"
#include "source/train/optiontext.h"
#include "source/train/querytraining.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(recsys_query_item_similarity);
PG_FUNCTION_INFO_V1(recsys_query_item_similarity_typed);

typedef struct PairState
{
	RecsysAnswer *answer;
	RecsysCollector *collector;
	MemoryContext context;
} PairState;

static void
put_pairs(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	PairState  *state = arg;
	MemoryContext old = MemoryContextSwitchTo(state->context);
	RecsysKey	key;
	Datum		values[5];
	bool		isnull[5] = {false, false, false, false, false};

	CHECK_FOR_INTERRUPTS();
	if (count > 0)
	{
		RecsysCollectorItemKey(state->collector, item, &key);
		values[0] = RecsysAnswerKey(state->answer, &key);
	}
	for (int i = 0; i < count; i++)
	{
		RecsysCollectorItemKey(state->collector, neighbors[i].item, &key);
		values[1] = RecsysAnswerKey(state->answer, &key);
		values[2] = Float4GetDatum(neighbors[i].score);
		values[3] = Int64GetDatum((int64) neighbors[i].support);
		values[4] = Int32GetDatum(i + 1);
		RecsysAnswerPut(state->answer, values, isnull);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(state->context);
}

/* Arguments: query, then the options from the given place on */
static void
query_item_similarity(FunctionCallInfo fcinfo, int first_option)
{
	RecsysAnswer answer;
	RecsysModelOptions options;
	RecsysCollector *collector;
	RecsysModel *model;
	Oid			item_type;
	RecsysKeyKind kind;
	PairState	state;
	bool		weighted;
	Size		limit = (Size) maintenance_work_mem * 1024;
	char	   *query = RecsysArgQuery(fcinfo, 0, "query");

	RecsysArgModelOptions(fcinfo, first_option, &options);

	RecsysAnswerInit(&answer, fcinfo);
	collector = RecsysCollectQuery(query, limit, &item_type, &weighted);
	(void) RecsysKeyKindOfType(item_type, &kind);
	RecsysAnswerCheckKind(&answer, kind, NULL);
	RecsysCheckQueryHalfLives(RecsysCollectorTimed(collector), 0, &options);
	model = RecsysTrainCollected(collector, weighted, &options, limit);

	state.answer = &answer;
	state.collector = collector;
	state.context = AllocSetContextCreate(CurrentMemoryContext, "recsys pairs",
										  ALLOCSET_DEFAULT_SIZES);
	RecsysModelRun(model, &options, put_pairs, &state);
	RecsysModelFree(model);
	RecsysCollectorFree(collector);
	MemoryContextDelete(state.context);
}

Datum
recsys_query_item_similarity(PG_FUNCTION_ARGS)
{
	query_item_similarity(fcinfo, 1);
	return (Datum) 0;
}

/* The second argument only gives the type of the answer. */
Datum
recsys_query_item_similarity_typed(PG_FUNCTION_ARGS)
{
	query_item_similarity(fcinfo, 2);
	return (Datum) 0;
}
