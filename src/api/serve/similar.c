/*
 * similar.c
 *	  similar_items(), goes_with() and item_similarity(): the item graph, one row and all.
 */
#include "postgres.h"

#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/recommender.h"
#include "api/content/contentserving.h"
#include "api/declare/servedname.h"
#include "api/scoring/itemlists.h"
#include "api/serve/shoplist.h"
#include "miscadmin.h"
#include "source/input/values.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(recsys_similar_items);
PG_FUNCTION_INFO_V1(recsys_goes_with);
PG_FUNCTION_INFO_V1(recsys_item_similarity);
PG_FUNCTION_INFO_V1(recsys_item_similarity_typed);

/* Arguments: item, k, recommender */
static void
neighbors(FunctionCallInfo fcinfo, bool beside)
{
	RecsysAnswer answer;
	RecsysShop *shop = RecsysServedShop(RecsysArgText(fcinfo, 2));
	RecsysRecommender recommender;
	RecsysKey	key;
	int			k = RecsysArgK(fcinfo, 1);

	RecsysAnswerInit(&answer, fcinfo);
	if (shop != NULL)
	{
		RecsysShopNeighbors(fcinfo, &answer, shop, beside);
		return;
	}
	/* what goes with an item is known by interactions alone */
	RecsysOpenNamed(RecsysArgText(fcinfo, 2), beside ? RECSYS_TAKES_INTERACTIONS : RECSYS_TAKES_BOTH,
					&recommender);
	RecsysAnswerCheckKind(&answer, recommender.columns.item_kind,
						  RelationGetRelationName(recommender.definition));
	if (!PG_ARGISNULL(0))
	{
		RecsysArgKey(fcinfo, 0, recommender.columns.item_type, "item",
					 RelationGetRelationName(recommender.definition), &key);
		if (RecsysIndexIsItems(recommender.index))
			RecsysPutLikeItem(&recommender, &answer, &key, k);
		else
			RecsysPutNeighbors(&recommender, &answer, &key, k);
	}
	RecsysCloseRecommender(&recommender);
}

Datum
recsys_similar_items(PG_FUNCTION_ARGS)
{
	neighbors(fcinfo, false);
	return (Datum) 0;
}

/* An index has one graph: what is like an item and what goes with it are the same there. */
Datum
recsys_goes_with(PG_FUNCTION_ARGS)
{
	neighbors(fcinfo, true);
	return (Datum) 0;
}

/* All pairs that the item graph of an index over interactions has */
static void
put_pairs(RecsysRecommender *recommender, RecsysAnswer *answer)
{
	RecsysGraphReader reader;
	PGAlignedBlock copy;
	Datum	   *keys;
	uint32		nitems;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys item keys",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;

	/* every key occurs in many rows: read each once */
	old = MemoryContextSwitchTo(context);
	nitems = RecsysItemCount(recommender->index);
	keys = MemoryContextAllocHuge(context, sizeof(Datum) * (Size) Max(nitems, 1));
	RecsysGraphReaderInit(&reader, recommender->index);
	for (uint32 item = 0; item < nitems; item++)
	{
		keys[item] = RecsysAnswerItem(answer, &reader, item);
		CHECK_FOR_INTERRUPTS();
	}

	for (uint32 item = 0; item < nitems; item++)
	{
		RecsysGraphRow row = RecsysCopyGraphRow(&reader, item, &copy);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; row != NULL && i < row->nneighbors; i++)
		{
			Datum		values[5];
			bool		isnull[5] = {false, false, false, false, false};

			if (row->peers[i] >= nitems)
				continue;
			values[0] = keys[item];
			values[1] = keys[row->peers[i]];
			values[2] = Float4GetDatum(RecsysRowScores(row)[i]);
			values[3] = Int64GetDatum((int64) RecsysRowSupports(row)[i]);
			values[4] = Int32GetDatum(i + 1);
			RecsysAnswerPut(answer, values, isnull);
		}
	}
	RecsysGraphReaderDone(&reader);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

static void
item_similarity(FunctionCallInfo fcinfo)
{
	RecsysAnswer answer;
	RecsysRecommender recommender;

	RecsysAnswerInit(&answer, fcinfo);
	RecsysOpenNamed(RecsysArgText(fcinfo, 0), RECSYS_TAKES_BOTH, &recommender);
	RecsysAnswerCheckKind(&answer, recommender.columns.item_kind,
						  RelationGetRelationName(recommender.definition));
	if (RecsysIndexIsItems(recommender.index))
		RecsysPutAllLikes(&recommender, &answer);
	else
		put_pairs(&recommender, &answer);
	RecsysCloseRecommender(&recommender);
}

Datum
recsys_item_similarity(PG_FUNCTION_ARGS)
{
	item_similarity(fcinfo);
	return (Datum) 0;
}

/* The second argument only gives the type of the answer. */
Datum
recsys_item_similarity_typed(PG_FUNCTION_ARGS)
{
	item_similarity(fcinfo);
	return (Datum) 0;
}
