/*
 * duplicates.c
 *	  recsys.duplicate_items(): offers that are likely the same product.
 *
 * Items are taken in turn, those with the most users first, then by key.  Each is compared with
 * the leaders that its neighbors before it have led to, and becomes a duplicate of the one
 * that it is most alike to; or a leader, if it is like none.  So every duplicate has been
 * compared with what it is said to be a duplicate of, and nothing is chained.  Titles are
 * compared with all that the leader has already: a white one and a black one are not
 * both duplicates of one that says no colour.
 *
 * Neighbors are not always mutual: an item among a hundred that are alike may have no room for
 * one that has.  So an item also tells its leader to neighbors whose turn comes later.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/serve/contentsource.h"
#include "api/offers/offers.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(recsys_duplicate_items);

#define LEAST_THRESHOLD 0.5

typedef struct Search
{
	RecsysOffers offers;
	float		threshold;
	uint32	   *users;			/* by item; NULL: nobody has been counted */
	uint32	   *turn;			/* by item: when its turn is */

	/* by item, once it has had its turn; RECSYS_NONE before, and if nothing is known of it */
	uint32	   *leader;
	float	   *score;			/* how much it is the same as its leader */
	uint32	   *next;			/* the duplicate of the same leader that came before, or RECSYS_NONE */
	uint32	   *last;			/* by leader: its last duplicate, or RECSYS_NONE */

	/* by item, before its turn: the best leader that it has been told of, or RECSYS_NONE */
	uint32	   *told;
	float	   *told_score;

	uint32	   *compared;		/* by leader: 1 + the turn in which it was last compared */
} Search;

static int
compare_turns(const void *a, const void *b, void *arg)
{
	Search	   *search = arg;
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	if (search->users != NULL && search->users[x] != search->users[y])
		return search->users[x] > search->users[y] ? -1 : 1;
	return RecsysOffersCompareKeys(&search->offers, x, y);
}

static void *
allocate(Size size, uint32 n)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, size * Max(n, 1));
}

/* Items in the order of their turns */
static uint32 *
take_turns(Search *search)
{
	uint32		n = search->offers.nitems;
	uint32	   *order = allocate(sizeof(uint32), n);

	for (uint32 item = 0; item < n; item++)
		order[item] = item;
	qsort_arg(order, n, sizeof(uint32), compare_turns, search);
	search->turn = allocate(sizeof(uint32), n);
	for (uint32 x = 0; x < n; x++)
		search->turn[order[x]] = x;
	return order;
}

/* How much an item is the same as a leader, 0 if it is not */
static float
same_as(Search *search, uint32 item, uint32 leader)
{
	RecsysSameness sameness;

	if (!RecsysOffersCompare(&search->offers, item, leader, &sameness) ||
		sameness.score < search->threshold || sameness.least < search->threshold)
		return 0;
	return sameness.score;
}

/* Is it a variant of the leader, or of one of those that are duplicates of it? */
static bool
is_variant_among(Search *search, uint32 item, uint32 leader)
{
	if (RecsysOffersAreVariants(&search->offers, item, leader))
		return true;
	for (uint32 x = search->last[leader]; x != RECSYS_NONE; x = search->next[x])
		if (RecsysOffersAreVariants(&search->offers, item, x))
			return true;
	return false;
}

/* In an item's turn: could that leader be its, rather than the one that it has? */
static void
consider(Search *search, uint32 item, uint32 leader, uint32 *best)
{
	float		score;

	if (search->compared[leader] == search->turn[item] + 1)
		return;
	search->compared[leader] = search->turn[item] + 1;
	score = same_as(search, item, leader);
	if (score == 0 || (*best != RECSYS_NONE && score <= search->score[item]) ||
		is_variant_among(search, item, leader))
		return;
	*best = leader;
	search->score[item] = score;
}

/* Before an item's turn */
static void
tell(Search *search, uint32 item, uint32 leader)
{
	float		score;

	if (search->told[item] == leader)
		return;
	score = same_as(search, item, leader);
	if (score == 0 || (search->told[item] != RECSYS_NONE && score <= search->told_score[item]) ||
		RecsysOffersAreVariants(&search->offers, item, leader))
		return;
	search->told[item] = leader;
	search->told_score[item] = score;
}

static void
take(Search *search, uint32 item)
{
	const RecsysLike *likes;
	int			count = RecsysOffersNear(&search->offers, item, &likes);
	uint32		best = RECSYS_NONE;

	if (search->told[item] != RECSYS_NONE)
		consider(search, item, search->told[item], &best);
	for (int x = 0; x < count; x++)
		if (likes[x].item < search->offers.nitems && search->leader[likes[x].item] != RECSYS_NONE)
			consider(search, item, search->leader[likes[x].item], &best);
	search->leader[item] = best != RECSYS_NONE ? best : item;
	if (best != RECSYS_NONE)
	{
		search->next[item] = search->last[best];
		search->last[best] = item;
	}
	for (int x = 0; x < count; x++)
		if (likes[x].item < search->offers.nitems &&
			search->turn[likes[x].item] > search->turn[item])
			tell(search, likes[x].item, search->leader[item]);
}

/* Numbers of items by item, none yet */
static uint32 *
no_items(uint32 n)
{
	uint32	   *items = allocate(sizeof(uint32), n);

	memset(items, 0xFF, sizeof(uint32) * (Size) n);
	return items;
}

static void
find_duplicates(Search *search)
{
	uint32		n = search->offers.nitems;
	uint32	   *order = take_turns(search);

	search->leader = no_items(n);
	search->next = no_items(n);
	search->last = no_items(n);
	search->told = no_items(n);
	search->score = allocate(sizeof(float), n);
	search->told_score = allocate(sizeof(float), n);
	search->compared = allocate(sizeof(uint32), n);
	memset(search->compared, 0, sizeof(uint32) * (Size) n);
	for (uint32 x = 0; x < n; x++)
		if (RecsysOffersKnows(&search->offers, order[x]))
			take(search, order[x]);
	pfree(order);
}

static Datum
evidence_of(Search *search, uint32 item)
{
	RecsysSameness sameness;
	StringInfoData json;

	initStringInfo(&json);
	if (!RecsysOffersCompare(&search->offers, item, search->leader[item], &sameness))
		elog(ERROR, "item %u has gone", item);
	RecsysAppendLikeness(&json, &search->offers, &sameness);
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

static void
put_duplicates(Search *search, ReturnSetInfo *result)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "recsys duplicate",
													  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(row_context);

	for (uint32 item = 0; item < search->offers.nitems; item++)
	{
		Datum		values[4];
		bool		nulls[4] = {false, false, false, false};

		if (search->leader[item] == RECSYS_NONE || search->leader[item] == item)
			continue;
		values[0] = RecsysOffersKey(&search->offers, item);
		values[1] = RecsysOffersKey(&search->offers, search->leader[item]);
		values[2] = Float4GetDatum(search->score[item]);
		values[3] = evidence_of(search, item);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(row_context);
}

/* Arguments: recommender, threshold, events, identifying, must_agree */
Datum
recsys_duplicate_items(PG_FUNCTION_ARGS)
{
	Search		search = {0};
	RecsysContentSource source;

	InitMaterializedSRF(fcinfo, 0);
	search.threshold = (float) RecsysArgDouble(fcinfo, 1, "threshold", LEAST_THRESHOLD, 1);
	RecsysFindContentSource(RecsysArgText(fcinfo, 0), RecsysArgText(fcinfo, 2), &source);
	RecsysOffersOpen(&search.offers, &source,
					 PG_ARGISNULL(3) ? NULL : PG_GETARG_ARRAYTYPE_P(3),
					 PG_ARGISNULL(4) ? NULL : PG_GETARG_ARRAYTYPE_P(4));
	if (source.events != NULL)
		search.users = RecsysOffersUsers(&search.offers, source.events);
	find_duplicates(&search);
	put_duplicates(&search, (ReturnSetInfo *) fcinfo->resultinfo);
	RecsysOffersClose(&search.offers);
	return (Datum) 0;
}
