/*
 * normalsignals.c
 *	  The signals of a definition.
 */
#include "postgres.h"

#include <math.h>

#include "api/declare/definition.h"
#include "api/declare/jsonfields.h"
#include "api/declare/names.h"
#include "api/declare/nearest.h"
#include "api/define/normaliser.h"
#include "catalog/index.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/*
 * Scores are single precision.  Beyond this they would all be infinite, or zero, and have no order
 * any more.
 */
#define RECSYS_WEIGHT_MAX	1e6
#define RECSYS_NEUTRAL_MAX	1e9

static void
check_users(RecsysNormaliser *n, Oid index, const RecsysColumns *columns)
{
	if (columns->user_kind != n->keys.user_kind)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("\"%s\" has %s user keys, but the first signal has %s ones",
						get_rel_name(index), RecsysKeyKindName(columns->user_kind),
						RecsysKeyKindName(n->keys.user_kind))));
}

/*
 * All signals speak of the same users.  Their items are those that are recommended, unless a graph
 * leads from them to those.
 */
static void
check_kinds(RecsysNormaliser *n, Oid index, const RecsysColumns *columns, bool has_graph)
{
	if (!n->has_keys)
	{
		n->keys = *columns;
		n->has_keys = true;
	}
	if (!has_graph)
		RecsysCheckItemKind(index, columns->item_kind, n->keys.item_kind);
	check_users(n, index, columns);
}

static void
put_weight(RecsysNormaliser *n, JsonbContainer *signal, bool is_first)
{
	JsonbValue	value;
	double		weight;

	if (!RecsysJsonGet(signal, "weight", &value))
		return;
	weight = RecsysJsonValueNumber(&value, "weight");
	if (weight == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the weight of a signal must not be 0"),
				 errhint("Leave out a signal that says nothing.")));
	if (fabs(weight) > RECSYS_WEIGHT_MAX || fabs(weight) < 1 / RECSYS_WEIGHT_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the weight of a signal must be between %g and %g, or the negative of that",
						1 / RECSYS_WEIGHT_MAX, RECSYS_WEIGHT_MAX)));
	if (is_first && weight < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the weight of the first signal must be positive"),
				 errdetail("Scores of the others are brought to its scale."),
				 errhint("Put a signal first that says what users like.")));
	RecsysJsonPutNumber(&n->state, "weight", weight);
}

static void
put_half_life(RecsysNormaliser *n, JsonbContainer *signal, Oid index, const RecsysColumns *columns)
{
	double		microseconds = RecsysPutInterval(n, signal, "half_life",
												 "Leave it out for the index's own setting, \"0\" is no decay.");

	if (microseconds > 0 && columns->time_column == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" has no time column to apply half_life to", get_rel_name(index))));
}

static void
put_neutral(RecsysNormaliser *n, JsonbContainer *signal, Oid index, const RecsysColumns *columns)
{
	JsonbValue	value;
	double		neutral;

	if (!RecsysJsonGet(signal, "neutral", &value))
		return;
	if (columns->weight_column == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" has no weights that \"neutral\" could be one of", get_rel_name(index)),
				 errdetail("Ratings are the third column of an index.")));
	neutral = RecsysJsonValueNumber(&value, "neutral");
	if (fabs(neutral) > RECSYS_NEUTRAL_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" must be between %g and %g", "neutral", -RECSYS_NEUTRAL_MAX,
						RECSYS_NEUTRAL_MAX)));
	RecsysJsonPutNumber(&n->state, "neutral", neutral);
}

static void
put_graph(RecsysNormaliser *n, JsonbContainer *signal, const RecsysColumns *columns)
{
	char	   *graph = RecsysJsonText(signal, "graph");

	if (graph != NULL)
		RecsysJsonPutText(&n->state, "graph",
						  RecsysKeptName(RecsysFindGraph(graph, columns->item_kind,
														 n->keys.item_kind)));
}

/* The options of a prediction, which mean nothing without one */
static const char *const prediction_options[] = {
	"similarity", "neighbors", "min_support", "min_likelihood", "options", "self_pairs"
};

static void
check_no_options(JsonbContainer *signal)
{
	for (int x = 0; x < lengthof(prediction_options); x++)
	{
		JsonbValue	value;

		if (RecsysJsonGet(signal, prediction_options[x], &value))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" of a signal needs \"predicts\"", prediction_options[x]),
					 errdetail("An index has its own options, which ALTER INDEX changes."),
					 errhint("Name the index whose items the events are to predict, as in \"predicts\": \"purchases_recsys\".")));
	}
}

static void
put_count(RecsysNormaliser *n, JsonbContainer *signal, const char *key)
{
	JsonbValue	value;
	int64		count;

	if (!RecsysJsonGet(signal, key, &value))
		return;
	count = RecsysJsonValueInteger(&value, key);
	if (count < 1 || count > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between %d and %d", key, 1, PG_INT32_MAX)));
	RecsysJsonPutInteger(&n->state, key, count);
}

static void
put_likelihood(RecsysNormaliser *n, JsonbContainer *signal)
{
	JsonbValue	value;
	double		least;

	if (!RecsysJsonGet(signal, "min_likelihood", &value))
		return;
	least = RecsysJsonValueNumber(&value, "min_likelihood");
	if (!(least >= 0 && isfinite(least)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_likelihood must not be negative")));
	RecsysJsonPutNumber(&n->state, "min_likelihood", least);
}

/*
 * The index whose items the events predict.  The view is made of it when all has been checked
 * (predictions.c).
 */
static void
put_predicts(RecsysNormaliser *n, JsonbContainer *signal)
{
	char	   *predicts = RecsysJsonText(signal, "predicts");
	RecsysColumns columns;
	Oid			index;

	if (predicts == NULL)
	{
		check_no_options(signal);
		return;
	}
	index = RecsysFindIndex(predicts, &columns);
	RecsysCheckItemKind(index, columns.item_kind, n->keys.item_kind);
	check_users(n, index, &columns);
	RecsysJsonPutText(&n->state, "predicts", RecsysKeptName(index));
	RecsysJsonPutText(&n->state, "similarity", RecsysJsonText(signal, "similarity"));
	put_count(n, signal, "neighbors");
	put_count(n, signal, "min_support");
	put_likelihood(n, signal);
	RecsysJsonPutText(&n->state, "options", RecsysJsonText(signal, "options"));
	if (!RecsysJsonFlag(signal, "self_pairs", true))
		RecsysJsonPutFlag(&n->state, "self_pairs", false);
}

/* Are the events' items others than those that are recommended?  They are where their keys are. */
static void
put_other_items(RecsysNormaliser *n, JsonbContainer *signal, Oid index,
				const RecsysColumns *columns, bool has_graph, bool is_first)
{
	bool		other = RecsysJsonFlag(signal, "other_items", columns->item_kind != n->keys.item_kind);

	if (!other)
	{
		RecsysCheckItemKind(index, columns->item_kind, n->keys.item_kind);
		return;
	}
	if (is_first)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the items of the first signal are those that are recommended"),
				 errhint("Put a signal first whose items are.")));
	if (!has_graph)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a signal with \"other_items\" needs \"predicts\" or \"graph\""),
				 errdetail("Nothing else leads from them to the items that are recommended.")));
	if (RecsysJsonFlag(signal, "exclude", false))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a signal with \"other_items\" has none to \"exclude\"")));
	RecsysJsonPutFlag(&n->state, "other_items", true);
}

static void
put_signal(RecsysNormaliser *n, JsonbContainer *signal, int place)
{
	char	   *events;
	Oid			index;
	RecsysColumns columns;
	JsonbValue	value;
	bool		has_graph = RecsysJsonText(signal, "graph") != NULL ||
		RecsysJsonText(signal, "predicts") != NULL;

	RecsysJsonCheckKeys(signal, RecsysSignalKeys, RecsysSignalKeyCount);
	events = RecsysJsonText(signal, "events");
	if (events == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a signal needs \"events\", the name of a recsys index")));
	index = RecsysFindIndex(events, &columns);
	check_kinds(n, index, &columns, has_graph);
	n->relations[RECSYS_EVENTS] = IndexGetRelation(index, false);

	pushJsonbValue(&n->state, WJB_BEGIN_OBJECT, NULL);
	RecsysJsonPutText(&n->state, "events", RecsysKeptName(index));
	RecsysJsonPutText(&n->state, "name", RecsysJsonText(signal, "name"));
	put_weight(n, signal, place == 0);
	put_half_life(n, signal, index, &columns);
	put_graph(n, signal, &columns);
	put_predicts(n, signal);
	put_other_items(n, signal, index, &columns, has_graph, place == 0);
	if (RecsysJsonGet(signal, "exclude", &value))
		RecsysJsonPutFlag(&n->state, "exclude", RecsysJsonFlag(signal, "exclude", true));
	put_neutral(n, signal, index, &columns);
	(void) RecsysPutExpression(n, "price", RecsysJsonText(signal, "price"), RECSYS_EVENTS,
							   RECSYS_NUMBER_RESULT);
	RecsysJsonPutText(&n->state, "reason", RecsysJsonText(signal, "reason"));
	pushJsonbValue(&n->state, WJB_END_OBJECT, NULL);
}

void
RecsysPutSignals(RecsysNormaliser *n, JsonbValue *value)
{
	JsonbContainer *array = RecsysJsonArray(value, "signals");

	if (JsonContainerSize(array) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a recommender needs a signal"),
				 errhint("Name a recsys index, as in signals => '[{\"events\": \"purchases_recsys\"}]'.")));
	RecsysJsonPutKey(&n->state, "signals");
	pushJsonbValue(&n->state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < JsonContainerSize(array); i++)
		put_signal(n, RecsysJsonObject(getIthJsonbValueFromContainer(array, i),
										psprintf("signals[%d]", i)), i);
	pushJsonbValue(&n->state, WJB_END_ARRAY, NULL);
}
