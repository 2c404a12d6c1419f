/*
 * explain.c
 *	  explain_recommendation(): what an item's score is made of.
 */
#include "postgres.h"

#include <math.h>

#include "am/graph/itemorder.h"
#include "am/graph/prior_page.h"
#include "am/store/options.h"
#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/recommender.h"
#include "api/declare/servedname.h"
#include "api/order/reasons.h"
#include "api/scoring/factorserving.h"
#include "api/scoring/serving.h"
#include "api/serve/shopreasons.h"
#include "api/shards/dispatch.h"
#include "api/shards/shardprofile.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(recsys_explain_recommendation);

typedef struct Reason
{
	uint32		item;			/* RECSYS_NONE: popularity, whoever the user is */
	double		contribution;
	double		weight;
	float		similarity;
	int64		support;		/* -1: the item graph does not have the pair */
} Reason;

static int
compare_reasons(const void *a, const void *b, void *order)
{
	const Reason *left = a;
	const Reason *right = b;

	if (left->contribution != right->contribution)
		return left->contribution > right->contribution ? -1 : 1;
	if (left->item == RECSYS_NONE || right->item == RECSYS_NONE)
		return left->item == RECSYS_NONE ? 1 : -1;
	return RecsysItemOrderCompare(order, left->item, right->item);
}

typedef struct ReasonSearch
{
	uint32		item;			/* whose score is explained */
	const RecsysProfile *profile;
	Reason	   *reasons;
	int			count;
} ReasonSearch;

/* Does the row of one of the user's items list the item? */
static void
search_row(void *arg, int position, RecsysGraphRow row)
{
	ReasonSearch *search = arg;

	for (int n = 0; n < row->nneighbors; n++)
	{
		Reason	   *reason;

		if (row->peers[n] != search->item)
			continue;
		reason = &search->reasons[search->count++];
		reason->item = row->item;
		reason->weight = search->profile->weights[position];
		reason->similarity = RecsysRowScores(row)[n];
		reason->support = RecsysRowSupports(row)[n];
		reason->contribution = reason->weight * reason->similarity;
		break;					/* an item stands in a row once */
	}
}

/* The same where all items have a part in the score: only the support is looked for. */
static void
search_support(void *arg, int position, RecsysGraphRow row)
{
	ReasonSearch *search = arg;

	for (int n = 0; n < row->nneighbors; n++)
		if (row->peers[n] == search->item)
			search->reasons[position].support = RecsysRowSupports(row)[n];
}

/* From factors, all items that have one: Hu, Koren, Volinsky 2008, section 5. */
static void
find_factor_reasons(RecsysGraphReader *reader, const double *similarities, ReasonSearch *search)
{
	const RecsysProfile *profile = search->profile;

	for (int x = 0; x < profile->nevidence; x++)
		search->reasons[x].support = -1;
	RecsysGraphVisitRows(reader, profile->items, profile->nevidence, search_support, search);
	for (int x = 0; x < profile->nevidence; x++)
	{
		Reason	   *reason = &search->reasons[search->count];

		if (isnan(similarities[x]))
			continue;
		reason->item = profile->items[x];
		reason->weight = profile->weights[x];
		reason->similarity = (float) similarities[x];
		reason->contribution = profile->weights[x] * similarities[x];
		reason->support = search->reasons[x].support;
		search->count++;
	}
}

/* What the prior has to say for the item. */
static void
add_prior(RecsysRecommender *recommender, ReasonSearch *search)
{
	RecsysPrior *prior = palloc(sizeof(RecsysPrior));
	bool		has_prior = RecsysReadPrior(recommender->index, prior);

	for (int x = 0; has_prior && x < prior->count; x++)
	{
		Reason	   *reason = &search->reasons[search->count];

		if (prior->items[x] != search->item)
			continue;
		reason->item = RECSYS_NONE;
		reason->weight = 1;
		reason->similarity = prior->scores[x];
		reason->contribution = prior->scores[x];
		reason->support = -1;
		search->count++;
		break;
	}
	pfree(prior);
}

static void
put_reason(RecsysAnswer *answer, RecsysGraphReader *reader, const char *signal, const Reason *reason, int rank)
{
	Datum		values[9];
	bool		isnull[9] = {false, false, false, false, false, false, false, false, false};
	const char *part = reason->item == RECSYS_NONE ? "popularity" : "history";
	RecsysDefinition nothing = {0};

	isnull[0] = reason->item == RECSYS_NONE;
	values[0] = isnull[0] ? (Datum) 0 : RecsysAnswerItem(answer, reader, reason->item);
	values[1] = Float8GetDatum(reason->contribution);
	values[2] = Float8GetDatum(reason->weight);
	values[3] = Float4GetDatum(reason->similarity);
	values[4] = Int64GetDatum(reason->support);
	isnull[4] = reason->support < 0;
	values[5] = Int32GetDatum(rank);
	values[6] = CStringGetTextDatum(part);
	values[7] = CStringGetTextDatum(signal);
	values[8] = CStringGetTextDatum(RecsysReasonText(&nothing, part, NULL,
													 isnull[0] ? NULL : RecsysItemAsText(answer, values[0]),
													 signal));
	RecsysAnswerPut(answer, values, isnull);
}

/* name: of the recommender, for who reads it */
static void
put_reasons(RecsysRecommender *recommender, const char *name, RecsysAnswer *answer,
			const RecsysProfile *profile, uint32 item)
{
	RecsysGraphReader reader;
	RecsysItemOrder *order;
	ReasonSearch search = {item, profile, NULL, 0};
	double	   *similarities = palloc(sizeof(double) * Max(profile->nevidence, 1));

	search.reasons = palloc(sizeof(Reason) * ((Size) profile->nevidence + 1));
	RecsysGraphReaderInit(&reader, recommender->index);
	if (RecsysExplainByFactors(recommender, profile, item, similarities))
		find_factor_reasons(&reader, similarities, &search);
	else
	{
		RecsysGraphVisitRows(&reader, profile->items, profile->nevidence, search_row, &search);
		add_prior(recommender, &search);
	}
	order = RecsysItemOrderCreate(recommender->index, RecsysItemCount(recommender->index));
	qsort_arg(search.reasons, search.count, sizeof(Reason), compare_reasons, order);
	RecsysItemOrderFree(order);

	for (int i = 0; i < search.count; i++)
		put_reason(answer, &reader, name, &search.reasons[i], i + 1);
	RecsysGraphReaderDone(&reader);
}

/* Of a recommender whose rows are on several nodes: here, or on the node that has the user */
static void
explain_distributed(FunctionCallInfo fcinfo, RecsysAnswer *answer, const RecsysDistributed *distributed,
					RecsysRecommender *shell, const RecsysKey *user, const RecsysKey *item, int64 half_life)
{
	RecsysKeyKind kind = shell->columns.item_kind;
	Oid			types[] = {shell->columns.user_type, RecsysKeyKindType(kind), INTERVALOID};
	RecsysUserPlace place;
	RecsysRecommender graph;
	RecsysProfile profile;
	uint32		number;

	RecsysFindUserPlace(distributed, shell, user, &place);
	if (!place.here)
	{
		Datum		values[] = {place.value, RecsysKeyToValue(types[1], kind, item),
			PG_ARGISNULL(3) ? (Datum) 0 : PG_GETARG_DATUM(3)};

		RecsysAskNodeOf(distributed, &place, "explain", RecsysReasonColumns(types[1]), lengthof(types), types, values,
						PG_ARGISNULL(3) ? "  n" : "   ", answer);
		return;
	}
	RecsysOpenGraphOf(distributed, &graph);
	RecsysReadProfileHere(distributed, &place, &graph, half_life, &profile);
	if (RecsysFindItem(&graph, item, &number))
		put_reasons(&graph, RelationGetRelationName(shell->definition), answer, &profile, number);
	RecsysCloseRecommender(&graph);
}

/* Arguments: user, item, recommender, half_life */
Datum
recsys_explain_recommendation(PG_FUNCTION_ARGS)
{
	RecsysAnswer answer;
	RecsysRecommender recommender;
	RecsysProfile profile = {0};
	RecsysKey	user;
	RecsysKey	item;
	uint32		number;
	int64		half_life;
	const char *name;
	RecsysDistributed distributed;
	bool		is_distributed;
	RecsysShop *shop = RecsysServedShop(RecsysArgText(fcinfo, 2));

	RecsysAnswerInit(&answer, fcinfo);
	if (shop != NULL)
	{
		RecsysShopExplain(fcinfo, &answer, shop);
		return (Datum) 0;
	}
	is_distributed = RecsysOpenDistributed(RecsysArgText(fcinfo, 2), &recommender, &distributed);
	if (!is_distributed)
		RecsysOpenRecommender(RecsysArgText(fcinfo, 2), &recommender);
	name = RelationGetRelationName(recommender.definition);

	/* the user first: the hint about items repeats it */
	if (!PG_ARGISNULL(0))
		RecsysArgKey(fcinfo, 0, recommender.columns.user_type, "user", name, &user);
	RecsysAnswerCheckKind(&answer, recommender.columns.item_kind, name);
	half_life = RecsysArgHalfLife(fcinfo, 3, recommender.columns.time_column > 0, name,
								  RecsysServingHalfLife(recommender.index));

	if (!PG_ARGISNULL(0) && !PG_ARGISNULL(1))
	{
		RecsysArgKey(fcinfo, 1, recommender.columns.item_type, "item", name, &item);
		if (is_distributed)
			explain_distributed(fcinfo, &answer, &distributed, &recommender, &user, &item, half_life);
		else if (RecsysFindItem(&recommender, &item, &number))
		{
			RecsysReadProfileByIndex(&recommender, &user, half_life, &profile);
			put_reasons(&recommender, name, &answer, &profile, number);
		}
	}
	RecsysCloseRecommender(&recommender);
	return (Datum) 0;
}
