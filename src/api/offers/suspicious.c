/*
 * suspicious.c
 *	  recsys.suspicious_items(): near copies of another seller's well-known product at an
 *	  unusual price.
 *
 * The usual price of a thing is the median of what is asked for it and for other near copies
 * of it, by numbers of users.  How much prices of one thing differ is learned from all near
 * copies in the catalogue.  An item's score is its likeness to what it copies, times 1 - 1 / deviation^2: of
 * prices of any distribution at most 1 / deviation^2 are that far out (Chebyshev 1867).
 */
#include "postgres.h"

#include <math.h>

#include "api/call/arguments.h"
#include "api/serve/contentsource.h"
#include "api/offers/copies.h"
#include "compat.h"
#include "core/arrange/usualprice.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(recsys_suspicious_items);

#define LEAST_THRESHOLD 0.5

/* What is copied has so many times the users of the copy. */
#define BETTER_KNOWN 5

/* Nobody sells the same for so much less or more as a rule, whatever a catalogue of few copies says. */
#define MOST_SPREAD 0.25

typedef struct Suspect
{
	uint32		item;
	uint32		copied;
	float		likeness;
	float		score;
	double		surprise;		/* of the price, in standard deviations */
	double		price;			/* logarithms */
	double		usual;
	double		spread;			/* of the prices that tell the usual one */
	int			prices;			/* their number */
} Suspect;

typedef struct Search
{
	RecsysOffers offers;
	RecsysItemFacts facts;
	RecsysCopies copies;
	uint32	   *users;
	int			min_users;
	double		deviation;

	Suspect    *suspects;		/* all copies with a price, then what is left of them */
	uint64		count;
	uint64		room;
} Search;

/* Adds the price of an item to n others, if it has one; returns how many there are then. */
static int
add_price(const Search *search, uint32 item, RecsysPrice *prices, int n)
{
	double		price = search->facts.items[item].price;

	if (isnan(price))
		return n;
	prices[n].price = log(price);
	prices[n].weight = 1.0 + search->users[item];
	return n + 1;
}

/* How prices vary about the usual one */
static double
spread_about(const RecsysPrice *prices, int n, double usual)
{
	double	   *deviations = palloc(sizeof(double) * n);
	double		spread;

	for (int x = 0; x < n; x++)
		deviations[x] = prices[x].price - usual;
	spread = RecsysSpreadOfPrices(deviations, n);
	pfree(deviations);
	return spread;
}

static Suspect *
new_suspect(Search *search)
{
	if (search->count == search->room)
	{
		search->room = Max(64, 2 * search->room);
		search->suspects = search->suspects == NULL ?
			palloc(sizeof(Suspect) * search->room) :
			repalloc_huge(search->suspects, sizeof(Suspect) * search->room);
	}
	return &search->suspects[search->count++];
}

/* An item that copies, and what the others ask: all but itself of first up to end, and what they copy */
static void
take_copy(Search *search, uint64 first, uint64 end, uint64 at, RecsysPrice *prices)
{
	const RecsysCopy *copy = &search->copies.pairs[at];
	double		price = search->facts.items[copy->item].price;
	Suspect    *suspect;
	int			n = add_price(search, copy->known, prices, 0);

	for (uint64 x = first; x < end; x++)
		if (x != at)
			n = add_price(search, search->copies.pairs[x].item, prices, n);
	if (n == 0 || isnan(price))
		return;
	suspect = new_suspect(search);
	suspect->item = copy->item;
	suspect->copied = copy->known;
	suspect->likeness = copy->likeness;
	suspect->price = log(price);
	suspect->usual = RecsysMedianPrice(prices, n);
	suspect->spread = spread_about(prices, n, suspect->usual);
	suspect->prices = n;
}

static void
take_copies(Search *search)
{
	for (uint64 first = 0, end; first < search->copies.count; first = end)
	{
		RecsysPrice *prices;

		for (end = first; end < search->copies.count &&
			 search->copies.pairs[end].known == search->copies.pairs[first].known; end++)
			;
		prices = palloc(sizeof(RecsysPrice) * (end - first + 1));
		CHECK_FOR_INTERRUPTS();
		for (uint64 at = first; at < end; at++)
			take_copy(search, first, end, at, prices);
		pfree(prices);
	}
}

/* How much prices of one thing vary in this catalogue */
static double
common_spread(const Search *search)
{
	double	   *deviations;
	double		spread;

	if (search->count == 0)
		return MOST_SPREAD;
	deviations = palloc_extended(sizeof(double) * search->count, MCXT_ALLOC_HUGE);
	for (uint64 x = 0; x < search->count; x++)
		deviations[x] = search->suspects[x].price - search->suspects[x].usual;
	spread = RecsysSpreadOfPrices(deviations, search->count);
	pfree(deviations);
	return Min(spread, MOST_SPREAD);
}

static bool
is_suspicious(const Search *search, const Suspect *suspect)
{
	return search->facts.items[suspect->item].offered &&
		search->users[suspect->copied] >= BETTER_KNOWN * (uint64) search->users[suspect->item] &&
		fabs(suspect->surprise) >= search->deviation;
}

/* By item; what it copies most likely first */
static int
compare_copies(const void *a, const void *b, void *arg)
{
	const Search *search = arg;
	const Suspect *x = a;
	const Suspect *y = b;

	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	if (x->likeness != y->likeness)
		return x->likeness > y->likeness ? -1 : 1;
	if (search->users[x->copied] != search->users[y->copied])
		return search->users[x->copied] > search->users[y->copied] ? -1 : 1;
	return x->copied < y->copied ? -1 : x->copied > y->copied;
}

static int
compare_suspects(const void *a, const void *b, void *arg)
{
	Search	   *search = arg;
	const Suspect *x = a;
	const Suspect *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return RecsysOffersCompareKeys(&search->offers, x->item, y->item);
}

/* Leaves the suspicious ones of the copies, each item once, in order. */
static void
find_suspects(Search *search)
{
	double		spread = common_spread(search);
	uint64		kept = 0;

	if (search->count > 0)
		qsort_arg(search->suspects, search->count, sizeof(Suspect), compare_copies, search);
	for (uint64 x = 0; x < search->count; x++)
	{
		Suspect    *suspect = &search->suspects[x];

		suspect->surprise = RecsysPriceSurprise(suspect->price, suspect->usual, suspect->spread,
												suspect->prices, spread);
		suspect->score = (float) (suspect->likeness * (1 - 1 / (suspect->surprise * suspect->surprise)));
		if (is_suspicious(search, suspect) &&
			(kept == 0 || search->suspects[kept - 1].item != suspect->item))
			search->suspects[kept++] = *suspect;
	}
	search->count = kept;
	if (kept > 0)
		qsort_arg(search->suspects, kept, sizeof(Suspect), compare_suspects, search);
}

static Datum
evidence_of(Search *search, const Suspect *suspect)
{
	const RecsysItemFact *fact = &search->facts.items[suspect->item];
	RecsysSameness sameness;
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoString(&json, "{\"likeness\": ");
	if (!RecsysOffersCompare(&search->offers, suspect->item, suspect->copied, &sameness))
		elog(ERROR, "item %u has gone", suspect->item);
	RecsysAppendLikeness(&json, &search->offers, &sameness);
	appendStringInfo(&json, ", \"price\": %s, \"usual_price\": %.6g, \"prices\": %d, \"deviation\": %.1f",
					 DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(fact->price))),
					 exp(suspect->usual), suspect->prices, suspect->surprise);
	appendStringInfo(&json, ", \"users\": %u, \"users_of_copied\": %u", search->users[suspect->item],
					 search->users[suspect->copied]);
	if (search->facts.knows_new_sellers)
		appendStringInfo(&json, ", \"new_seller\": %s", fact->of_new_seller ? "true" : "false");
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

static void
put_suspects(Search *search, ReturnSetInfo *result)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "recsys suspect",
													  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(row_context);

	for (uint64 x = 0; x < search->count; x++)
	{
		const Suspect *suspect = &search->suspects[x];
		Datum		values[7];
		bool		nulls[7] = {false};

		values[0] = RecsysOffersKey(&search->offers, suspect->item);
		values[1] = RecsysSellerName(&search->facts, search->facts.items[suspect->item].seller);
		values[2] = RecsysOffersKey(&search->offers, suspect->copied);
		values[3] = RecsysSellerName(&search->facts, search->facts.items[suspect->copied].seller);
		values[4] = Float4GetDatum(suspect->score);
		values[5] = evidence_of(search, suspect);
		values[6] = Int32GetDatum((int32) x + 1);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(row_context);
}

/* Does the recommender say whose items are whose and what they cost; or do the arguments? */
static void
check_source(const RecsysContentSource *source, const char *seller, const char *price)
{
	if (source->shop == NULL && (source->events == NULL || seller == NULL || price == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an index does not say who sells an item at what price, and who has bought it"),
				 errhint("Name a declared recommender, or all three, as in recsys.suspicious_items(%s, events => 'purchases_recsys', seller => 'seller_id', price => 'price').",
						 source->index != NULL ? quote_literal_cstr(source->index) : "'products_recsys'")));
	if (source->shop == NULL)
		return;
	if (seller != NULL || price != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recommender \"%s\" says itself who sells an item at what price",
						source->shop->definition->name),
				 errhint("Leave seller and price out.")));
	if (source->shop->definition->seller == NULL || source->shop->definition->price == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommender \"%s\" does not know who sells an item at what price",
						source->shop->definition->name),
				 errhint("Declare both, as in SELECT recsys.alter_recommender(%s, seller => 'seller_id', price => 'price');",
						 quote_literal_cstr(source->shop->definition->name))));
}

/* Arguments: recommender, threshold, deviation, min_users, events, seller, price, identifying */
Datum
recsys_suspicious_items(PG_FUNCTION_ARGS)
{
	Search		search = {0};
	float		threshold = (float) RecsysArgDouble(fcinfo, 1, "threshold", LEAST_THRESHOLD, 1);
	char	   *seller = RecsysArgText(fcinfo, 5);
	char	   *price = RecsysArgText(fcinfo, 6);
	RecsysContentSource source;

	InitMaterializedSRF(fcinfo, 0);
	search.deviation = RecsysArgDouble(fcinfo, 2, "deviation", 1, 1000);
	search.min_users = RecsysArgInteger(fcinfo, 3, "min_users", 1, PG_INT32_MAX);
	RecsysFindContentSource(RecsysArgText(fcinfo, 0), RecsysArgText(fcinfo, 4), &source);
	check_source(&source, seller, price);
	if (source.shop != NULL)
		RecsysUseShop(source.shop);
	RecsysOffersOpen(&search.offers, &source,
					 PG_ARGISNULL(7) ? NULL : PG_GETARG_ARRAYTYPE_P(7), NULL);
	search.users = RecsysOffersUsers(&search.offers, source.events);
	RecsysReadItemFacts(&search.offers, source.shop, seller, price, &search.facts);
	RecsysFindCopies(&search.offers, &search.facts, search.users, search.min_users, threshold,
					 &search.copies);
	take_copies(&search);
	find_suspects(&search);
	put_suspects(&search, (ReturnSetInfo *) fcinfo->resultinfo);
	RecsysOffersClose(&search.offers);
	if (source.shop != NULL)
		RecsysReleaseShop(source.shop);
	return (Datum) 0;
}
