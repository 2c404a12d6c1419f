/*
 * train_part.c
 *	  recsys.train_plan() and recsys.train_part(): an item graph trained in parts, by servers or sessions
 *	  that know nothing of each other.
 *
 * Each part reads all histories, and computes the rows of its items as query_item_similarity would:
 * supports, norms and numbers of users are those of all.  So nothing has to be added up afterwards,
 * top k and min_support are cut where all users are known, and the parts together are the whole.
 * What is divided is the counting of pairs, which is nearly all of the work.
 */
#include "postgres.h"

#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/modelarguments.h"
#include "api/graph/partplan.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "source/input/query.h"
#include "source/input/values.h"
#include "source/train/optiontext.h"
#include "source/train/querytraining.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(recsys_train_plan);
PG_FUNCTION_INFO_V1(recsys_train_part);
PG_FUNCTION_INFO_V1(recsys_train_part_typed);

typedef struct PartState
{
	RecsysAnswer *answer;
	RecsysCollector *collector;
	const RecsysModel *model;
	const bool *wanted;			/* by item */
	Oid			key_type;		/* of the arrays' elements */
	int16		key_length;
	bool		key_by_value;
	char		key_align;
	MemoryContext context;		/* for a row */
} PartState;

static void
fill_arrays(PartState *state, const RecsysNeighbor *neighbors, int count, Datum *values)
{
	Datum	   *keys = palloc(sizeof(Datum) * Max(count, 1));
	Datum	   *scores = palloc(sizeof(Datum) * Max(count, 1));
	Datum	   *supports = palloc(sizeof(Datum) * Max(count, 1));

	for (int i = 0; i < count; i++)
	{
		RecsysKey	key;

		RecsysCollectorItemKey(state->collector, neighbors[i].item, &key);
		keys[i] = RecsysAnswerKey(state->answer, &key);
		scores[i] = Float4GetDatum(neighbors[i].score);
		supports[i] = Int32GetDatum((int32) neighbors[i].support);
	}
	values[2] = PointerGetDatum(construct_array(keys, count, state->key_type, state->key_length,
												state->key_by_value, state->key_align));
	values[3] = PointerGetDatum(construct_array(scores, count, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT));
	values[4] = PointerGetDatum(construct_array(supports, count, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

static void
put_row(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	PartState  *state = arg;
	MemoryContext old;
	RecsysKey	key;
	Datum		values[5];
	bool		isnull[5] = {false, false, false, false, false};

	if (!state->wanted[item])
		return;
	CHECK_FOR_INTERRUPTS();
	old = MemoryContextSwitchTo(state->context);
	RecsysCollectorItemKey(state->collector, item, &key);
	values[0] = RecsysAnswerKey(state->answer, &key);
	values[1] = Int32GetDatum((int32) RecsysModelTotals(state->model)->users[item]);
	fill_arrays(state, neighbors, count, values);
	RecsysAnswerPut(state->answer, values, isnull);
	MemoryContextSwitchTo(old);
	MemoryContextReset(state->context);
}

/*
 * Which model it is must be known, as parts may see different interactions; and rows must be
 * divisible.
 */
static void
check_model(const RecsysModelOptions *options, int parts)
{
	if (options->similarity == RECSYS_AUTO)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a part cannot choose the similarity of the whole"),
				 errhint("Name one, such as that of recsys.index_stats for an index with similarity = auto, or the best of recsys.tune.")));
	if (parts > 1 && RecsysSimilarityIsLearned(options->similarity))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("similarity \"%s\" cannot be trained in parts", RecsysSimilarityName(options->similarity)),
				 errdetail("Its rows are not computed each for itself."),
				 errhint("Train it in one part, or take another similarity, such as rp3beta.")));
}

/* Flags of the part's items */
static bool *
find_wanted(PartState *state, const RecsysTrainParts *plan, RecsysKeyKind kind, int part)
{
	uint32		nitems = RecsysCollectorItems(state->collector);
	bool	   *wanted = MemoryContextAllocHuge(CurrentMemoryContext, Max(nitems, 1));

	for (uint32 item = 0; item < nitems; item++)
	{
		RecsysKey	key;

		if (item % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		RecsysCollectorItemKey(state->collector, item, &key);
		wanted[item] = RecsysTrainPartOf(plan, RecsysPlannedHash(kind, &key)) == (uint32) part;
	}
	return wanted;
}

static void
init_state(PartState *state, RecsysAnswer *answer, RecsysCollector *collector)
{
	state->answer = answer;
	state->collector = collector;
	state->key_type = get_element_type(TupleDescAttr(answer->result->setDesc, 2)->atttypid);
	get_typlenbyvalalign(state->key_type, &state->key_length, &state->key_by_value, &state->key_align);
	state->context = AllocSetContextCreate(CurrentMemoryContext, "recsys train part", ALLOCSET_DEFAULT_SIZES);
}

/* Arguments: query, part, parts, then the options from the given place on, and the plan behind them */
static void
train_part(FunctionCallInfo fcinfo, int first_option)
{
	RecsysAnswer answer;
	RecsysModelOptions options;
	RecsysCollector *collector;
	RecsysModel *model;
	RecsysTrainParts *plan;
	PartState	state;
	Oid			item_type;
	RecsysKeyKind kind;
	bool		weighted;
	bool	   *wanted;
	Size		limit = (Size) maintenance_work_mem * 1024;
	char	   *query = RecsysArgQuery(fcinfo, 0, "query");
	int			parts = RecsysArgInteger(fcinfo, 2, "parts", 1, RECSYS_MAX_TRAIN_PARTS);
	int			part = RecsysArgInteger(fcinfo, 1, "part", 0, parts - 1);
	bool		planned = !PG_ARGISNULL(first_option + 7);

	RecsysArgModelOptions(fcinfo, first_option, &options);
	check_model(&options, parts);
	RecsysAnswerInit(&answer, fcinfo);
	collector = RecsysCollectQuery(query, limit, &item_type, &weighted);
	(void) RecsysKeyKindOfType(item_type, &kind);
	RecsysAnswerCheckKind(&answer, kind, NULL);
	RecsysCheckQueryHalfLives(RecsysCollectorTimed(collector), 0, &options);
	plan = planned ? RecsysPlanFromBytes(PG_GETARG_BYTEA_PP(first_option + 7), kind, (uint32) parts) : NULL;
	model = RecsysTrainCollected(collector, weighted, &options, limit);
	if (plan == NULL)
		plan = RecsysPlanParts(collector, kind, model, (uint32) parts);

	init_state(&state, &answer, collector);
	state.model = model;
	state.wanted = wanted = find_wanted(&state, plan, kind, part);
	RecsysTrainPartsFree(plan);
	if (!RecsysSimilarityIsLearned(options.similarity))
		RecsysModelWant(model, wanted);
	RecsysModelRun(model, &options, put_row, &state);
	RecsysModelFree(model);
	RecsysCollectorFree(collector);
	MemoryContextDelete(state.context);
}

Datum
recsys_train_part(PG_FUNCTION_ARGS)
{
	train_part(fcinfo, 3);
	return (Datum) 0;
}

/* The fourth argument only gives the type of the answer. */
Datum
recsys_train_part_typed(PG_FUNCTION_ARGS)
{
	train_part(fcinfo, 4);
	return (Datum) 0;
}

static Datum
counts_array(const int64 *counts, int n)
{
	Datum	   *values = palloc(sizeof(Datum) * n);

	for (int i = 0; i < n; i++)
		values[i] = Int64GetDatum(counts[i]);
	return PointerGetDatum(construct_array(values, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* What each part will have to do, by the items that there are now */
static void
count_parts(RecsysCollector *collector, RecsysKeyKind kind, const RecsysModel *model,
			const RecsysTrainParts *plan, int64 *items, int64 *updates)
{
	const RecsysItemTotals *totals = RecsysModelTotals(model);

	for (uint32 item = 0; item < totals->nitems; item++)
	{
		RecsysKey	key;
		uint32		part;

		RecsysCollectorItemKey(collector, item, &key);
		part = RecsysTrainPartOf(plan, RecsysPlannedHash(kind, &key));
		items[part]++;
		updates[part] += (int64) totals->work[item];
	}
}

/* Arguments: query, parts, max_history */
Datum
recsys_train_plan(PG_FUNCTION_ARGS)
{
	RecsysModelOptions options;
	RecsysCollector *collector;
	RecsysModel *model;
	RecsysTrainParts *plan;
	TupleDesc	desc;
	Oid			item_type;
	RecsysKeyKind kind;
	bool		weighted;
	int64	   *items;
	int64	   *updates;
	Datum		values[3];
	bool		isnull[3] = {false, false, false};
	Size		limit = (Size) maintenance_work_mem * 1024;
	char	   *query = RecsysArgQuery(fcinfo, 0, "query");
	int			parts = RecsysArgInteger(fcinfo, 1, "parts", 1, RECSYS_MAX_TRAIN_PARTS);

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	RecsysModelOptionsInit(&options);
	RecsysSetOption(&options, "similarity", "cosine");
	options.max_history = RecsysArgInteger(fcinfo, 2, "max_history", 1, 100000);
	collector = RecsysCollectQuery(query, limit, &item_type, &weighted);
	(void) RecsysKeyKindOfType(item_type, &kind);
	model = RecsysTrainCollected(collector, false, &options, limit);
	plan = RecsysPlanParts(collector, kind, model, (uint32) parts);
	items = palloc0(sizeof(int64) * parts);
	updates = palloc0(sizeof(int64) * parts);
	count_parts(collector, kind, model, plan, items, updates);

	values[0] = PointerGetDatum(RecsysPlanToBytes(plan, kind));
	values[1] = counts_array(items, parts);
	values[2] = counts_array(updates, parts);
	RecsysModelFree(model);
	RecsysCollectorFree(collector);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, isnull)));
}
