/*
 * item_factors.c
 *	  Schema recsys: item_factors(), what a model of factors has learned.
 */
#include "postgres.h"

#include "am/graph/factor.h"
#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/recommender.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(recsys_item_factors);
PG_FUNCTION_INFO_V1(recsys_item_factors_typed);

/* The array of an item's factor; false when it has none. */
static bool
factor_array(RecsysFactorReader *reader, uint32 item, Datum *array)
{
	int			rank = reader->shape.rank;
	const float *factor = RecsysFactorRead(reader, item);
	Datum	   *numbers;

	if (factor == NULL)
		return false;
	numbers = palloc(sizeof(Datum) * rank);
	for (int x = 0; x < rank; x++)
		numbers[x] = Float4GetDatum(factor[x]);
	RecsysFactorRelease(reader);
	*array = PointerGetDatum(construct_array(numbers, rank, FLOAT4OID, sizeof(float4), true,
											 TYPALIGN_INT));
	return true;
}

/* No rows are for an index that has seen nothing to learn from. */
static void
check_model(RecsysRecommender *recommender)
{
	RecsysSimilarity similarity = RecsysGetCache(recommender->index)->meta.similarity;

	if (similarity != RECSYS_ALS)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommender \"%s\" has no factors",
						RelationGetRelationName(recommender->definition)),
				 errdetail("It is built with similarity \"%s\".", RecsysSimilarityName(similarity)),
				 errhint("Create an index that learns factors, as in CREATE INDEX ON purchases USING recsys (user_id, product_id) WITH (similarity = als).")));
}

static void
item_factors(FunctionCallInfo fcinfo)
{
	RecsysAnswer answer;
	RecsysRecommender recommender;
	RecsysFactorReader reader;

	RecsysAnswerInit(&answer, fcinfo);
	RecsysOpenRecommender(RecsysArgText(fcinfo, 0), &recommender);
	RecsysAnswerCheckKind(&answer, recommender.columns.item_kind,
						  RelationGetRelationName(recommender.definition));
	check_model(&recommender);
	if (RecsysFactorReaderInit(&reader, recommender.index))
	{
		MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys item factor",
													  ALLOCSET_DEFAULT_SIZES);
		MemoryContext old = MemoryContextSwitchTo(context);
		RecsysGraphReader keys;

		RecsysGraphReaderInit(&keys, recommender.index);
		for (uint32 item = 0; item < reader.shape.nitems; item++)
		{
			Datum		values[2];
			bool		isnull[2] = {false, false};

			CHECK_FOR_INTERRUPTS();
			if (factor_array(&reader, item, &values[1]))
			{
				values[0] = RecsysAnswerItem(&answer, &keys, item);
				RecsysAnswerPut(&answer, values, isnull);
			}
			MemoryContextReset(context);
		}
		RecsysGraphReaderDone(&keys);
		MemoryContextSwitchTo(old);
		MemoryContextDelete(context);
	}
	RecsysCloseRecommender(&recommender);
}

Datum
recsys_item_factors(PG_FUNCTION_ARGS)
{
	item_factors(fcinfo);
	return (Datum) 0;
}

/* The second argument only gives the type of the answer. */
Datum
recsys_item_factors_typed(PG_FUNCTION_ARGS)
{
	item_factors(fcinfo);
	return (Datum) 0;
}
