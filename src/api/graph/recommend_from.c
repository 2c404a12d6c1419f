/*
 * recommend_from.c
 *	  recsys.recommend_from(), recsys.similar_from() and recsys.popular_from(): lists by an item graph
 *	  that an index of its own has.
 *
 * A user's history is read from an index over interactions, as recommend() does it: what the caller's
 * snapshot sees, folded and decayed as that index does.  Neighbors and popular items come from the
 * graph.  Where the graph is that of the same index, the answer is that of recommend(), to the
 * last bit: the same floats are added up in the same order.
 *
 * So a graph that was trained of the histories of many servers serves on each of them.
 */
#include "postgres.h"

#include "am/store/options.h"
#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/graph/graphopen.h"
#include "api/scoring/itemnumbers.h"
#include "api/scoring/itemlists.h"
#include "api/scoring/serving.h"
#include "source/input/values.h"

PG_FUNCTION_INFO_V1(recsys_recommend_from);
PG_FUNCTION_INFO_V1(recsys_recommend_from_typed);
PG_FUNCTION_INFO_V1(recsys_similar_from);
PG_FUNCTION_INFO_V1(recsys_popular_from);

#define RECOMMENDER_NAME(recommender) RelationGetRelationName((recommender).index)

static void
check_kinds(const RecsysRecommender *history, const RecsysRecommender *graph)
{
	if (history->columns.item_kind != graph->columns.item_kind)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the items of index \"%s\" are not those of item graph \"%s\"",
						RelationGetRelationName(history->index), RelationGetRelationName(graph->index)),
				 errdetail("Keys of the one are %s, of the other %s.",
						   RecsysKeyKindName(history->columns.item_kind),
						   RecsysKeyKindName(graph->columns.item_kind))));
}

/* Arguments: user, k, history, graph, and others at the given places */
static void
recommend_from(FunctionCallInfo fcinfo, int exclude_seen, int half_life)
{
	RecsysAnswer answer;
	RecsysRecommender history;
	RecsysRecommender graph;
	RecsysProfile profile = {0};
	RecsysKey	user;
	int			k = RecsysArgK(fcinfo, 1);
	bool		exclude = PG_ARGISNULL(exclude_seen) || PG_GETARG_BOOL(exclude_seen);
	int64		decay;

	RecsysAnswerInit(&answer, fcinfo);
	RecsysOpenIndexOf(RecsysArgRelation(fcinfo, 2, "history"), RECSYS_TAKES_INTERACTIONS, &history);
	RecsysOpenGraphArgument(fcinfo, 3, &graph);
	check_kinds(&history, &graph);
	if (!PG_ARGISNULL(0))
		RecsysArgKey(fcinfo, 0, history.columns.user_type, "user", RECOMMENDER_NAME(history), &user);
	RecsysAnswerCheckKind(&answer, graph.columns.item_kind, RECOMMENDER_NAME(graph));
	decay = RecsysArgHalfLife(fcinfo, half_life, history.columns.time_column > 0, RECOMMENDER_NAME(history),
							  RecsysServingHalfLife(history.index));
	if (k > 0)
	{
		if (!PG_ARGISNULL(0))
		{
			RecsysReadProfile(&history, &user, decay, &profile);
			RecsysTranslateProfile(&history, &graph, &profile);
		}
		RecsysPutRecommendations(&graph, &answer, &profile, k, exclude);
	}
	RecsysCloseRecommender(&graph);
	RecsysCloseRecommender(&history);
}

Datum
recsys_recommend_from(PG_FUNCTION_ARGS)
{
	recommend_from(fcinfo, 4, 5);
	return (Datum) 0;
}

/* The fifth argument only gives the type of the answer. */
Datum
recsys_recommend_from_typed(PG_FUNCTION_ARGS)
{
	recommend_from(fcinfo, 5, 6);
	return (Datum) 0;
}

/* Arguments: item, k, graph */
Datum
recsys_similar_from(PG_FUNCTION_ARGS)
{
	RecsysAnswer answer;
	RecsysRecommender graph;
	RecsysKey	key;
	int			k = RecsysArgK(fcinfo, 1);

	RecsysAnswerInit(&answer, fcinfo);
	RecsysOpenGraphArgument(fcinfo, 2, &graph);
	RecsysAnswerCheckKind(&answer, graph.columns.item_kind, RECOMMENDER_NAME(graph));
	if (!PG_ARGISNULL(0))
	{
		RecsysArgKey(fcinfo, 0, graph.columns.item_type, "item", RECOMMENDER_NAME(graph), &key);
		RecsysPutNeighbors(&graph, &answer, &key, k);
	}
	RecsysCloseRecommender(&graph);
	return (Datum) 0;
}

/* Arguments: k, graph, and perhaps one that only gives the type of the answer */
Datum
recsys_popular_from(PG_FUNCTION_ARGS)
{
	RecsysAnswer answer;
	RecsysRecommender graph;
	RecsysGraphReader reader;
	int			k = RecsysArgK(fcinfo, 0);

	RecsysAnswerInit(&answer, fcinfo);
	RecsysOpenGraphArgument(fcinfo, 1, &graph);
	RecsysAnswerCheckKind(&answer, graph.columns.item_kind, RECOMMENDER_NAME(graph));
	RecsysGraphReaderInit(&reader, graph.index);
	if (k > 0)
		RecsysPutPopular(&graph, &answer, &reader, k);
	RecsysGraphReaderDone(&reader);
	RecsysCloseRecommender(&graph);
	return (Datum) 0;
}
