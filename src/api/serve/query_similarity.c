/*
 * query_similarity.c
 *	  query_item_similarity(): the item graph of any query.
 */
#include "postgres.h"

#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/suggestion.h"
#include "core/pairs/modeloptions.h"
#include "miscadmin.h"
#include "source/input/query.h"
#include "source/input/values.h"
#include "source/train/historystore.h"
#include "source/train/optiontext.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(recsys_query_item_similarity);
PG_FUNCTION_INFO_V1(recsys_query_item_similarity_typed);

#define MAX_NEIGHBORS 1000000

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

/* first: the argument that similarity is; the other options follow it */
static void
read_options(FunctionCallInfo fcinfo, int first, RecsysModelOptions *options)
{
	char	   *similarity = RecsysArgText(fcinfo, first);
	char	   *others = RecsysArgText(fcinfo, first + 6);

	/* a typed NULL of type text, meant for item_type, arrives here */
	if (similarity == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("similarity must not be NULL"),
				 errhint("To tell that item keys are text, name the argument: %s.",
						 RecsysSuggestCall(fcinfo, RECSYS_KEY_TEXT, NULL))));
	RecsysModelOptionsInit(options);
	RecsysSetOption(options, "similarity", similarity);
	if (!PG_ARGISNULL(first + 1))
		options->neighbors = RecsysArgInteger(fcinfo, first + 1, "neighbors", 1, MAX_NEIGHBORS);
	if (!PG_ARGISNULL(first + 2))
		options->min_support = RecsysArgInteger(fcinfo, first + 2, "min_support", 1, PG_INT32_MAX);
	if (!PG_ARGISNULL(first + 3))
		options->shrinkage = RecsysArgDouble(fcinfo, first + 3, "shrinkage", 0, 1e9);
	if (!PG_ARGISNULL(first + 4))
		options->alpha = RecsysArgDouble(fcinfo, first + 4, "alpha", 0, 2);
	options->max_history = RecsysArgInteger(fcinfo, first + 5, "max_history", 1, 100000);
	if (others != NULL)
		RecsysParseOptionText(options, others);
}

/* similarity = auto: pairs as an index would have them; nobody is served with them here. */
static void
ask_choice(RecsysCollector *collector, const RecsysModelOptions *asked, RecsysModel *model)
{
	RecsysChoosingOptions choosing = {.asked = asked, .half_life = -1};

	choosing.span = RecsysCollectorSpan(collector);
	choosing.now = RecsysCollectorLatest(collector);
	RecsysModelChoose(model, &choosing, RecsysCollectorTimed(collector));
}

/* options become those that are trained with */
static RecsysModel *
train(RecsysCollector *collector, bool weighted, RecsysModelOptions *options, Size limit)
{
	Size		kept = RecsysCollectorMemory(collector);
	RecsysModelOptions asked = *options;
	int64		latest = RecsysCollectorLatest(collector);
	RecsysModel *model;
	bool		decays;
	RecsysKey	key;
	uint32		hash;

	RecsysModelOptionsResolve(options);
	decays = RecsysModelDecays(options, latest);
	model = RecsysModelCreate(RecsysCollectorItems(collector),
							  (weighted && RecsysModelHasWeights(options)) || decays,
							  options->max_history, limit > kept ? limit - kept : 0,
							  RecsysCollectorSpilled(collector), 0);
	RecsysModelSetTransform(model, options->weight_transform);
	if (decays)
		RecsysModelSetDecay(model, options->training_half_life, latest);
	if (RecsysModelUsesOrder(options))
		RecsysModelKeepOrder(model);
	if (asked.similarity == RECSYS_AUTO)
		ask_choice(collector, &asked, model);
	while (RecsysCollectorNextUser(collector, &key, &hash))
	{
		RecsysUserRow row;

		while (RecsysCollectorNextOfUser(collector, &row))
			RecsysModelAdd(model, &row.interaction);
		RecsysModelEndUser(model);
		RecsysModelSampleUser(model, RecsysKeyHash(RecsysCollectorUserKind(collector), &key, RECSYS_SAMPLE_SEED));
		CHECK_FOR_INTERRUPTS();
	}
	RecsysCollectorRelease(collector);
	RecsysModelFinish(model);
	if (RecsysModelGetChoice(model) != NULL)
		*options = RecsysModelGetChoice(model)->best.options;
	return model;
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

	read_options(fcinfo, first_option, &options);

	RecsysAnswerInit(&answer, fcinfo);
	collector = RecsysCollectQuery(query, limit, &item_type, &weighted);
	(void) RecsysKeyKindOfType(item_type, &kind);
	RecsysAnswerCheckKind(&answer, kind, NULL);
	RecsysCheckQueryHalfLives(RecsysCollectorTimed(collector), 0, &options);
	model = train(collector, weighted, &options, limit);

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
