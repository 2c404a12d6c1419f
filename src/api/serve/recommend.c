/*
 * recommend.c
 *	  recommend(), recommend_for_items() and explain_recommendation().
 */
#include "postgres.h"

#include <math.h>

#include "am/graph/itemorder.h"
#include "am/graph/prior_page.h"
#include "am/store/options.h"
#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/recommender.h"
#include "api/scoring/factorserving.h"
#include "api/scoring/serving.h"
#include "catalog/pg_type.h"

PG_FUNCTION_INFO_V1(recsys_recommend);
PG_FUNCTION_INFO_V1(recsys_recommend_typed);
PG_FUNCTION_INFO_V1(recsys_recommend_text);
PG_FUNCTION_INFO_V1(recsys_recommend_for_items);
PG_FUNCTION_INFO_V1(recsys_explain_recommendation);

#define RECOMMENDER_NAME(recommender) RelationGetRelationName((recommender).index)

/* The user, unless NULL, is the first argument, and the recommender the third. */
static void
open_for_user(FunctionCallInfo fcinfo, RecsysAnswer *answer, RecsysRecommender *recommender,
			  RecsysKey *user)
{
	const char *name;

	RecsysAnswerInit(answer, fcinfo);
	RecsysOpenRecommender(RecsysArgText(fcinfo, 2), recommender);
	name = RECOMMENDER_NAME(*recommender);

	/* the user first: the hint about items repeats it */
	if (!PG_ARGISNULL(0))
		RecsysArgKey(fcinfo, 0, recommender->columns.user_type, "user", name, user);
	RecsysAnswerCheckKind(answer, recommender->columns.item_kind, name);
}

/* Arguments: user, k, recommender, then exclude_seen and half_life at the given places */
static void
recommend(FunctionCallInfo fcinfo, int exclude_seen, int half_life)
{
	RecsysAnswer answer;
	RecsysRecommender recommender;
	RecsysProfile profile = {0};
	RecsysKey	user;
	int			k = RecsysArgK(fcinfo, 1);
	bool		exclude = PG_ARGISNULL(exclude_seen) || PG_GETARG_BOOL(exclude_seen);
	int64		decay;

	open_for_user(fcinfo, &answer, &recommender, &user);
	decay = RecsysArgHalfLife(fcinfo, half_life, recommender.columns.time_column > 0,
							  RECOMMENDER_NAME(recommender), RecsysServingHalfLife(recommender.index));

	if (!PG_ARGISNULL(0) && k > 0)
		RecsysReadProfile(&recommender, &user, decay, &profile);
	if (k > 0)
		RecsysPutRecommendations(&recommender, &answer, &profile, k, exclude);
	RecsysCloseRecommender(&recommender);
}

Datum
recsys_recommend(PG_FUNCTION_ARGS)
{
	recommend(fcinfo, 3, 4);
	return (Datum) 0;
}

/* The fourth argument only gives the type of the answer. */
Datum
recsys_recommend_typed(PG_FUNCTION_ARGS)
{
	recommend(fcinfo, 4, 5);
	return (Datum) 0;
}

/*
 * The variant for arguments without types: exclude_seen and half_life are text, and so
 * are the item keys.  Before there was this variant, NULL::text as the fourth argument
 * asked for text keys; here it still does.
 */
Datum
recsys_recommend_text(PG_FUNCTION_ARGS)
{
	LOCAL_FCINFO(read, 5);

	InitFunctionCallInfoData(*read, fcinfo->flinfo, 5, fcinfo->fncollation, fcinfo->context,
							 fcinfo->resultinfo);
	memcpy(read->args, fcinfo->args, sizeof(NullableDatum) * 5);
	RecsysReadArgument(read, 3, BOOLOID);
	RecsysReadArgument(read, 4, INTERVALOID);
	recommend(read, 3, 4);
	return (Datum) 0;
}

static int
compare_items(const void *a, const void *b)
{
	uint32		left = ((const RecsysInteraction *) a)->item;
	uint32		right = ((const RecsysInteraction *) b)->item;

	return left < right ? -1 : left > right ? 1 : 0;
}

/* The given items as a profile: each known one once, with weight 1. */
static void
profile_of_items(RecsysRecommender *recommender, const RecsysKey *keys, int count,
				 RecsysProfile *profile)
{
	profile->seen = palloc0(sizeof(RecsysInteraction) * Max(count, 1));
	profile->items = palloc(sizeof(uint32) * Max(count, 1));
	profile->weights = palloc(sizeof(double) * Max(count, 1));

	for (int i = 0; i < count; i++)
		if (RecsysFindItem(recommender, &keys[i], &profile->seen[profile->nseen].item))
			profile->nseen++;
	qsort(profile->seen, profile->nseen, sizeof(RecsysInteraction), compare_items);
	for (int i = 0; i < profile->nseen; i++)
	{
		if (i > 0 && profile->seen[i].item == profile->seen[i - 1].item)
			continue;
		profile->items[profile->nevidence] = profile->seen[i].item;
		profile->weights[profile->nevidence++] = 1;
	}
}

/* Arguments: items, k, recommender, exclude_given */
Datum
recsys_recommend_for_items(PG_FUNCTION_ARGS)
{
	RecsysAnswer answer;
	RecsysRecommender recommender;
	RecsysProfile profile = {0};
	int			k = RecsysArgK(fcinfo, 1);
	bool		exclude = PG_ARGISNULL(3) || PG_GETARG_BOOL(3);

	RecsysAnswerInit(&answer, fcinfo);
	RecsysOpenRecommender(RecsysArgText(fcinfo, 2), &recommender);
	RecsysAnswerCheckKind(&answer, recommender.columns.item_kind, RECOMMENDER_NAME(recommender));

	if (!PG_ARGISNULL(0))
	{
		RecsysKey  *keys;
		int			count = RecsysArgKeyArray(fcinfo, 0, recommender.columns.item_type,
											  RECOMMENDER_NAME(recommender), &keys);

		if (k > 0)
			profile_of_items(&recommender, keys, count, &profile);
	}
	if (k > 0)
		RecsysPutRecommendations(&recommender, &answer, &profile, k, exclude);
	RecsysCloseRecommender(&recommender);
	return (Datum) 0;
}

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
put_reason(RecsysAnswer *answer, RecsysGraphReader *reader, const Reason *reason, int rank)
{
	Datum		values[6];
	bool		isnull[6] = {false, false, false, false, false, false};

	isnull[0] = reason->item == RECSYS_NONE;
	values[0] = isnull[0] ? (Datum) 0 : RecsysAnswerItem(answer, reader, reason->item);
	values[1] = Float8GetDatum(reason->contribution);
	values[2] = Float8GetDatum(reason->weight);
	values[3] = Float4GetDatum(reason->similarity);
	values[4] = Int64GetDatum(reason->support);
	isnull[4] = reason->support < 0;
	values[5] = Int32GetDatum(rank);
	RecsysAnswerPut(answer, values, isnull);
}

static void
put_reasons(RecsysRecommender *recommender, RecsysAnswer *answer, const RecsysProfile *profile,
			uint32 item)
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
		put_reason(answer, &reader, &search.reasons[i], i + 1);
	RecsysGraphReaderDone(&reader);
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

	open_for_user(fcinfo, &answer, &recommender, &user);
	half_life = RecsysArgHalfLife(fcinfo, 3, recommender.columns.time_column > 0,
								  RECOMMENDER_NAME(recommender),
								  RecsysServingHalfLife(recommender.index));

	if (!PG_ARGISNULL(0) && !PG_ARGISNULL(1))
	{
		RecsysArgKey(fcinfo, 1, recommender.columns.item_type, "item",
					 RECOMMENDER_NAME(recommender), &item);
		if (RecsysFindItem(&recommender, &item, &number))
		{
			RecsysReadProfile(&recommender, &user, half_life, &profile);
			put_reasons(&recommender, &answer, &profile, number);
		}
	}
	RecsysCloseRecommender(&recommender);
	return (Datum) 0;
}
