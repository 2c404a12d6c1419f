/*
 * items_like.c
 *	  items_like() and items_like_image(): search by content.
 */
#include "postgres.h"

#include "am/entry/asowner.h"
#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/recommender.h"
#include "api/content/probe.h"
#include "api/serve/contentsource.h"
#include "fmgr.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(recsys_items_like);
PG_FUNCTION_INFO_V1(recsys_items_like_image);

/* Opens the index and makes the answer ready. */
static RecsysItemsReader *
open_index(FunctionCallInfo fcinfo, RecsysAnswer *answer, RecsysRecommender *recommender)
{
	RecsysContentSource source;

	RecsysAnswerInit(answer, fcinfo);
	RecsysFindContentSource(RecsysArgText(fcinfo, 2), NULL, &source);
	RecsysOpenNamed(source.index, RECSYS_TAKES_ITEMS, recommender);
	RecsysAnswerCheckKind(answer, recommender->columns.item_kind,
						  RelationGetRelationName(recommender->definition));
	return RecsysItemsReaderCreate(recommender->heap, recommender->index, GetActiveSnapshot());
}

static void
put_likes(RecsysItemsReader *reader, RecsysAnswer *answer, const RecsysProbe *probe, int k)
{
	RecsysLike *likes;
	int			count;
	int			rank = 0;

	if (!probe->says_something)
		return;
	count = RecsysItemsLike(reader, &probe->model, probe->packed, RECSYS_NONE, k, &likes);
	for (int i = 0; i < count; i++)
	{
		Datum		values[3];
		bool		isnull[3] = {false, false, false};
		RecsysKey	key;

		if (!RecsysItemsKey(reader, likes[i].item, &key))
			continue;
		values[0] = RecsysAnswerKey(answer, &key);
		values[1] = Float4GetDatum(likes[i].score);
		values[2] = Int32GetDatum(++rank);
		RecsysAnswerPut(answer, values, isnull);
	}
}

/* Arguments: attributes, k, recommender, and perhaps one that only gives the type of the answer */
Datum
recsys_items_like(PG_FUNCTION_ARGS)
{
	RecsysAnswer answer;
	RecsysRecommender recommender;
	int			k = RecsysArgK(fcinfo, 1);
	RecsysItemsReader *reader = open_index(fcinfo, &answer, &recommender);
	RecsysProbe probe;

	if (!PG_ARGISNULL(0))
	{
		RecsysAsOwner before;

		/* Constraints of domains and casts are functions of whoever has made the index. */
		RecsysBeginAsOwner(recommender.heap, &before);
		RecsysProbeOfValues(recommender.index, reader, PG_GETARG_JSONB_P(0), &probe);
		RecsysEndAsOwner(&before);
		put_likes(reader, &answer, &probe, k);
	}
	RecsysItemsReaderFree(reader);
	RecsysCloseRecommender(&recommender);
	return (Datum) 0;
}

/* Arguments: image, k, recommender, and perhaps: what only gives the type of the answer, attribute */
Datum
recsys_items_like_image(PG_FUNCTION_ARGS)
{
	RecsysAnswer answer;
	RecsysRecommender recommender;
	int			k = RecsysArgK(fcinfo, 1);
	RecsysItemsReader *reader = open_index(fcinfo, &answer, &recommender);
	RecsysProbe probe;

	if (!PG_ARGISNULL(0))
	{
		RecsysProbeOfImage(recommender.index, reader, PG_GETARG_BYTEA_PP(0),
						   RecsysHasArgument(fcinfo, 4) ? RecsysArgText(fcinfo, 4) : NULL, &probe);
		put_likes(reader, &answer, &probe, k);
	}
	RecsysItemsReaderFree(reader);
	RecsysCloseRecommender(&recommender);
	return (Datum) 0;
}
