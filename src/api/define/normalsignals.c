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

/* All signals speak of the same users and items. */
static void
check_kinds(RecsysNormaliser *n, Oid index, const RecsysColumns *columns)
{
	if (!n->has_keys)
	{
		n->keys = *columns;
		n->has_keys = true;
	}
	RecsysCheckItemKind(index, columns->item_kind, n->keys.item_kind);
	if (columns->user_kind != n->keys.user_kind)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("\"%s\" has %s user keys, but the first signal has %s ones",
						get_rel_name(index), RecsysKeyKindName(columns->user_kind),
						RecsysKeyKindName(n->keys.user_kind))));
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

/* As text that every session reads as the same interval */
static void
put_half_life(RecsysNormaliser *n, JsonbContainer *signal, Oid index, const RecsysColumns *columns)
{
	char	   *text = RecsysJsonText(signal, "half_life");
	Interval   *interval;
	double		microseconds;
	int			nestlevel;

	if (text == NULL)
		return;
	interval = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(text),
													 ObjectIdGetDatum(InvalidOid),
													 Int32GetDatum(-1)));
	microseconds = RecsysIntervalMicroseconds(interval);
	if (!(microseconds >= 0 && microseconds < 9e18))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("half_life must be a positive interval"),
				 errhint("Leave it out for the index's own setting, \"0\" is no decay.")));
	if (microseconds > 0 && columns->time_column == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" has no time column to apply half_life to", get_rel_name(index))));
	nestlevel = RecsysBeginPlainNames();
	RecsysJsonPutText(&n->state, "half_life",
					  DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(interval))));
	RecsysEndPlainNames(nestlevel);
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
put_graph(RecsysNormaliser *n, JsonbContainer *signal)
{
	char	   *graph = RecsysJsonText(signal, "graph");

	if (graph != NULL)
		RecsysJsonPutText(&n->state, "graph",
						  RecsysKeptName(RecsysFindGraph(graph, n->keys.item_kind)));
}

static void
put_signal(RecsysNormaliser *n, JsonbContainer *signal, int place)
{
	char	   *events;
	Oid			index;
	RecsysColumns columns;
	JsonbValue	value;

	RecsysJsonCheckKeys(signal, RecsysSignalKeys, RecsysSignalKeyCount);
	events = RecsysJsonText(signal, "events");
	if (events == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a signal needs \"events\", the name of a recsys index")));
	index = RecsysFindIndex(events, &columns);
	check_kinds(n, index, &columns);
	n->relations[RECSYS_EVENTS] = IndexGetRelation(index, false);

	pushJsonbValue(&n->state, WJB_BEGIN_OBJECT, NULL);
	RecsysJsonPutText(&n->state, "events", RecsysKeptName(index));
	RecsysJsonPutText(&n->state, "name", RecsysJsonText(signal, "name"));
	put_weight(n, signal, place == 0);
	put_half_life(n, signal, index, &columns);
	put_graph(n, signal);
	if (RecsysJsonGet(signal, "exclude", &value))
		RecsysJsonPutFlag(&n->state, "exclude", RecsysJsonFlag(signal, "exclude", true));
	put_neutral(n, signal, index, &columns);
	(void) RecsysPutExpression(n, "price", RecsysJsonText(signal, "price"), RECSYS_EVENTS,
							   RECSYS_NUMBER_RESULT);
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
