/*
 * learn_next_basket.c
 *	  recsys.learn_next_basket(): how next baskets of a recommender are mixed, learned from what
 *	  users had in their last baskets.
 *
 * The index knows those baskets, so a model that does not is trained beside it, in
 * maintenance_work_mem: that of the index, on all rows but those of the last baskets.  Rows are read
 * with the rights of the table's owner, as recsys.tune reads them.
 */
#include "postgres.h"

#include <math.h>

#include "am/store/meta.h"
#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/recommender.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "api/measure/index_command.h"
#include "api/next/basketmix.h"
#include "api/nextmeasure/basketlearning.h"
#include "compat.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "source/input/splitbasket.h"
#include "source/train/split_train.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_learn_next_basket);

/* Whose mix is learned, and from what */
typedef struct Subject
{
	char	   *recommender;	/* as the row has it */
	char	   *name;			/* for messages */
	Oid			index;
	RecsysModelOptions model;
	int			max_history;
} Subject;

static void
read_index(const RecsysRecommender *opened, Subject *subject)
{
	subject->index = RelationGetRelid(opened->definition);
	RecsysGraphOptions(&RecsysGetCache(opened->index)->meta, &subject->model);
	subject->max_history = subject->model.max_history;
	if (opened->columns.time_column == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recommender \"%s\" has no time column to tell baskets apart", subject->name),
				 errhint("Create an index with a time, as in CREATE INDEX ON purchases USING recsys (user_id, product_id, quantity, purchased_at).")));
}

/* Errors out unless the caller may have its mix learned. */
static void
find_subject(const char *name, Subject *subject)
{
	RecsysShop *shop = RecsysServedShop(name);
	RecsysRecommender opened;

	if (shop != NULL)
	{
		const RecsysDefinition *definition = shop->definition;

		(void) RecsysNeedShopOwner(definition);
		subject->recommender = subject->name = pstrdup(definition->name);
		RecsysOpenRecommender(definition->signals[0].events, &opened);
	}
	else
	{
		RecsysOpenRecommender(name, &opened);
		subject->recommender = RecsysKeptName(RelationGetRelid(opened.definition));
		subject->name = pstrdup(RelationGetRelationName(opened.definition));
		if (!RECSYS_OWNS_RELATION(RelationGetRelid(opened.definition)))
			aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_INDEX, subject->name);
	}
	read_index(&opened, subject);
	RecsysCloseRecommender(&opened);
}

static void
learn(const Subject *subject, RecsysBasketMix *mix)
{
	RecsysSplitOptions options = {.holdout = RECSYS_HOLDOUT_BASKET,
		.memory_limit = (Size) maintenance_work_mem * 1024};
	RecsysIndexCommand command;
	RecsysEvaluation evaluation = {0};
	RecsysSplit *split;

	options.query = RecsysQueryOfIndex(subject->index, &options.role, &command);
	split = RecsysSplitCreate(&options);
	if (RecsysSplitUsers(split) < RECSYS_LEARNING_BASKETS)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there are too few baskets in recommender \"%s\" to learn from", subject->name),
				 errdetail("%u users have %d baskets or more, and %d are needed.",
						   RecsysSplitUsers(split), RECSYS_LEAST_BASKETS, RECSYS_LEARNING_BASKETS),
				 errhint("Until there are more, next_basket uses a mix that has proved itself elsewhere.")));
	RecsysSplitTrain(split, &subject->model, subject->max_history, 0,
					 max_parallel_maintenance_workers, &evaluation);
	(void) RecsysLearnBasketMix(&evaluation, RecsysSplitSpan(split), mix);
}

static void
put_row(FunctionCallInfo fcinfo, const Subject *subject, const RecsysBasketMix *mix)
{
	RecsysAnswer answer;
	Datum		values[14];
	bool		isnull[14] = {false};
	Interval   *half_life = palloc0(sizeof(Interval));

	half_life->time = mix->options.half_life;
	RecsysAnswerInit(&answer, fcinfo);
	values[0] = CStringGetTextDatum(subject->recommender);
	values[1] = Float8GetDatum(mix->options.basket_decay);
	values[2] = DirectFunctionCall1(interval_justify_interval, IntervalPGetDatum(half_life));
	values[3] = Float8GetDatum(mix->options.due);
	values[4] = Float8GetDatum(mix->options.neighbors);
	values[5] = Float8GetDatum(mix->options.discover);
	values[6] = Float8GetDatum(mix->options.popular);
	values[7] = Int64GetDatum(mix->users);
	values[8] = Int64GetDatum(mix->judged_by);
	values[9] = Float8GetDatum(mix->recall);
	values[10] = Float8GetDatum(mix->ndcg);
	values[11] = Float8GetDatum(mix->recall_frequency);
	values[12] = Float8GetDatum(mix->ndcg_frequency);
	values[13] = Float8GetDatum(mix->p_value);
	isnull[13] = isnan(mix->p_value);
	RecsysAnswerPut(&answer, values, isnull);
}

Datum
recsys_learn_next_basket(PG_FUNCTION_ARGS)
{
	Subject		subject = {0};
	RecsysBasketMix mix = {0};
	MemoryContext context;
	MemoryContext old;

	PreventCommandIfReadOnly("recsys.learn_next_basket()");
	PreventCommandIfParallelMode("recsys.learn_next_basket()");
	context = AllocSetContextCreate(CurrentMemoryContext, "recsys basket learning",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	find_subject(RecsysArgText(fcinfo, 0), &subject);
	learn(&subject, &mix);
	RecsysWriteBasketMix(subject.recommender, &mix);
	MemoryContextSwitchTo(old);
	put_row(fcinfo, &subject, &mix);
	MemoryContextDelete(context);
	return (Datum) 0;
}
