/*
 * crosscall.c
 *	  What cross_similarity() and query_cross_similarity() share: options, and rows whose two
 *	  keys have types of their own.
 *
 * The defaults were chosen on purchases held out of the training part of the Taobao data, carts
 * being the events: see test/bench/quality/cross.sh.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/cross/crosscall.h"
#include "core/pairs/modeloptions.h"
#include "miscadmin.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "source/train/optiontext.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define DEFAULT_SIMILARITY RECSYS_RP3BETA
#define DEFAULT_ALPHA 0.4
#define DEFAULT_BETA 0.0

#define MAX_NEIGHBORS 1000000

static void
read_similarity(RecsysModelOptions *options, const char *name)
{
	RecsysSetOption(options, "similarity", name);
	if (options->similarity > RECSYS_RP3BETA)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("similarity \"%s\" does not compare events of two kinds",
						RecsysSimilarityName(options->similarity)),
				 errhint("Use \"rp3beta\", \"log_likelihood\", \"cosine\", \"jaccard\", \"dice\", \"confidence\", \"lift\" or \"pmi\".")));
}

/* Options that say how a pair is scored; others would have no effect. */
static void
read_others(RecsysModelOptions *options, const char *text)
{
	static const char *const taken[] = {"alpha", "beta", "shrinkage"};
	RecsysModelOptions others;

	RecsysModelOptionsInit(&others);
	RecsysParseOptionText(&others, text);
	for (int x = 0; x < (int) lengthof(taken); x++)
	{
		const RecsysModelOption *option = RecsysModelOptionFind(taken[x]);

		if (RecsysModelOptionIsOpen(option, &others))
			continue;
		RecsysModelOptionCopy(option, options, &others);
		RecsysModelOptionSet(option, &others, option->least);
	}
	for (int x = 0; x < RecsysModelOptionCount; x++)
	{
		const RecsysModelOption *option = &RecsysModelOptionTable[x];
		RecsysModelOptions initial;
		bool		is_taken = false;

		for (int y = 0; y < (int) lengthof(taken); y++)
			is_taken |= strcmp(option->name, taken[y]) == 0;
		RecsysModelOptionsInit(&initial);
		if (!is_taken && !RecsysModelOptionsAgree(option, &others, &initial))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"%s\" is none of events of two kinds", option->name),
					 errhint("Options are alpha, beta and shrinkage; similarity, neighbors, min_support and min_likelihood are arguments of their own.")));
	}
}

void
RecsysReadCrossOptions(FunctionCallInfo fcinfo, int first, RecsysCrossOptions *options)
{
	RecsysModelOptions *model = &options->model;
	char	   *similarity = RecsysArgText(fcinfo, first);
	char	   *others = RecsysArgText(fcinfo, first + 4);

	RecsysModelOptionsInit(model);
	model->similarity = DEFAULT_SIMILARITY;
	if (similarity != NULL)
		read_similarity(model, similarity);
	if (!PG_ARGISNULL(first + 1))
		model->neighbors = RecsysArgInteger(fcinfo, first + 1, "neighbors", 1, MAX_NEIGHBORS);
	if (!PG_ARGISNULL(first + 2))
		model->min_support = RecsysArgInteger(fcinfo, first + 2, "min_support", 1, PG_INT32_MAX);
	options->min_likelihood = PG_ARGISNULL(first + 3) ? 0 :
		RecsysArgDouble(fcinfo, first + 3, "min_likelihood", 0, 1e9);
	if (others != NULL)
		read_others(model, others);
	if (model->similarity == RECSYS_RP3BETA && model->alpha == RECSYS_MODEL_DEFAULT)
		model->alpha = DEFAULT_ALPHA;
	if (model->beta == RECSYS_MODEL_DEFAULT)
		model->beta = DEFAULT_BETA;
	RecsysModelOptionsResolve(model);
}

/* The running call, answered with item keys of these kinds */
static char *
suggest_call(const RecsysCrossAnswer *answer, const RecsysKeyKind *kinds)
{
	char	   *sources[RECSYS_CROSS_SIDES];

	for (int side = 0; side < RECSYS_CROSS_SIDES; side++)
	{
		char	   *source = RecsysArgText(answer->call, side);

		sources[side] = source != NULL ? quote_literal_cstr(source) : "NULL";
	}
	return psprintf("%s(%s, %s, item_type => NULL::%s, similar_item_type => NULL::%s)",
					get_func_name(answer->call->flinfo->fn_oid),
					sources[RECSYS_CROSS_EVENTS], sources[RECSYS_CROSS_PREDICTS],
					RecsysKeyKindTypeName(kinds[RECSYS_CROSS_EVENTS]),
					RecsysKeyKindTypeName(kinds[RECSYS_CROSS_PREDICTS]));
}

void
RecsysCrossAnswerInit(RecsysCrossAnswer *answer, FunctionCallInfo fcinfo)
{
	static const RecsysKeyKind texts[RECSYS_CROSS_SIDES] = {RECSYS_KEY_TEXT, RECSYS_KEY_TEXT};

	memset(answer, 0, sizeof(*answer));
	InitMaterializedSRF(fcinfo, 0);
	answer->result = (ReturnSetInfo *) fcinfo->resultinfo;
	answer->call = fcinfo;
	for (int side = 0; side < RECSYS_CROSS_SIDES; side++)
	{
		RecsysKeyKind kind;

		answer->types[side] = getBaseType(TupleDescAttr(answer->result->setDesc, side)->atttypid);
		if (!RecsysKeyKindOfType(answer->types[side], &kind))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("item keys cannot be returned as %s", format_type_be(answer->types[side])),
					 errhint("Ask for text, which holds keys of every type: %s.", suggest_call(answer, texts))));
	}
}

void
RecsysCrossCheckKinds(RecsysCrossAnswer *answer, const RecsysKeyKind *kinds)
{
	memcpy(answer->kinds, kinds, sizeof(answer->kinds));
	for (int side = 0; side < RECSYS_CROSS_SIDES; side++)
	{
		if (RecsysKeyFitsType(answer->types[side], kinds[side]))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("item keys of \"%s\" are of kind %s, but %s was asked for",
						side == RECSYS_CROSS_EVENTS ? "events" : "predicts",
						RecsysKeyKindTypeName(kinds[side]), format_type_be(answer->types[side])),
				 errhint("Use %s.", suggest_call(answer, kinds))));
	}
}

void
RecsysPutCrossRow(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	RecsysCrossAnswer *answer = arg;
	Datum		values[5];
	bool		isnull[5] = {false, false, false, false, false};

	CHECK_FOR_INTERRUPTS();
	for (int x = 0; x < count; x++)
	{
		values[0] = answer->keys[RECSYS_CROSS_EVENTS][item];
		values[1] = answer->keys[RECSYS_CROSS_PREDICTS][neighbors[x].item];
		values[2] = Float4GetDatum(neighbors[x].score);
		values[3] = Int64GetDatum((int64) neighbors[x].support);
		values[4] = Int32GetDatum(x + 1);
		tuplestore_putvalues(answer->result->setResult, answer->result->setDesc, values, isnull);
	}
}
