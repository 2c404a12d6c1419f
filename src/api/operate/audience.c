/*
 * audience.c
 *	  recsys.audience(): who most likely wants an item, the newest of a seller or a category.
 *
 * A user's score is that which recommend() would give the targets by the first signal, all of
 * those added up that the user does not have: the sum over the user's items of weight times
 * similarity.  One pass over the users' rows does it, as the caller's snapshot sees them.
 * Behind the users with a score come those who have something else of the seller or the
 * category, by how much of their weights that is: a seller's newest items have no neighbors yet.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "am/graph/itemorder.h"
#include "am/parts/leaves.h"
#include "am/read/userreader.h"
#include "am/store/options.h"
#include "api/call/arguments.h"
#include "api/declare/customersquery.h"
#include "api/declare/eventsquery.h"
#include "api/operate/audienceitems.h"
#include "api/operate/audiencepairs.h"
#include "api/operate/audienceusers.h"
#include "api/operate/queryanswer.h"
#include "api/order/reasons.h"
#include "api/profile/evidence.h"
#include "api/scoring/serving.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "source/input/clock.h"
#include "source/input/keytext.h"
#include "source/input/query.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(recsys_audience);

/* Someone of the audience */
typedef struct Member
{
	RecsysKey	key;
	float		score;
	double		nearness;		/* weight of what the user has of the seller or category */
	uint32		because;		/* item that contributes most, or RECSYS_NONE */
} Member;

typedef struct Search
{
	RecsysShop *shop;
	RecsysRecommender events;
	RecsysTargets targets;
	RecsysAudiencePairs pairs;
	RecsysAudienceUsers *users;
	uint8	   *near;			/* by item: is it of the seller or category? */
	uint32	   *target_of;		/* by item: place of the target that it is, or RECSYS_NONE */
	bool	   *has;			/* by target: has the user at hand got it? */
	int64		half_life;
	int64		now;
	RecsysFolding folding;
	int			k;
	Member	   *members;
	uint64		count;
	uint64		size;
	MemoryContext context;
	MemoryContext user_context;
} Search;

/* The best first */
static int
compare_members(const void *a, const void *b, void *arg)
{
	const Member *left = a;
	const Member *right = b;

	CHECK_FOR_INTERRUPTS();
	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	if (left->nearness != right->nearness)
		return left->nearness > right->nearness ? -1 : 1;
	return RecsysKeyCompare(((Search *) arg)->events.columns.user_kind, &left->key, &right->key);
}

/* The best k of all so far */
static void
keep_best(Search *search)
{
	qsort_arg(search->members, search->count, sizeof(Member), compare_members, search);
	for (uint64 i = search->k; i < search->count; i++)
		if (search->members[i].key.data != NULL)
			pfree((char *) search->members[i].key.data);
	search->count = Min(search->count, (uint64) search->k);
}

static void
add_member(Search *search, const RecsysKey *key, float score, double nearness, uint32 because)
{
	MemoryContext old = MemoryContextSwitchTo(search->context);
	Member	   *member;

	if (search->count == search->size && search->count >= 2 * (uint64) search->k + 1024)
		keep_best(search);
	if (search->count == search->size)
	{
		search->size = Max(1024, search->size * 2);
		search->members = search->members == NULL ?
			palloc_extended(sizeof(Member) * search->size, MCXT_ALLOC_HUGE) :
			repalloc_huge(search->members, sizeof(Member) * search->size);
	}
	member = &search->members[search->count++];
	member->key = *key;
	if (search->events.columns.user_kind == RECSYS_KEY_INT)
		member->key.data = NULL;
	else
	{
		char	   *copy = palloc(Max(key->len, 1));

		memcpy(copy, key->data, key->len);
		member->key.data = copy;
	}
	member->score = score;
	member->nearness = nearness;
	member->because = because;
	MemoryContextSwitchTo(old);
}

/* Marks a target and the others of its product; returns how many had no mark yet. */
static int
mark_product(Search *search, int place)
{
	int			marked = 0;
	int			t = place;

	do
	{
		const RecsysTarget *target = &search->targets.targets[t];

		if (!search->has[t] && !target->repeatable)
		{
			search->has[t] = true;
			marked++;
		}
		t = target->next;
	} while (t != place);
	return marked;
}

/* Marks the targets that the user has; false if there is none left to recommend. */
static bool
mark_targets(Search *search, const RecsysInteraction *rows, int nrows)
{
	int			left = search->targets.count;

	memset(search->has, 0, sizeof(bool) * search->targets.count);
	for (int i = 0; i < nrows; i++)
	{
		uint32		place = rows[i].item < search->pairs.nitems ?
			search->target_of[rows[i].item] : RECSYS_NONE;

		if (place != RECSYS_NONE)
			left -= mark_product(search, (int) place);
	}
	return left > 0;
}

/* What one item of the user's says for the targets that the user does not have */
static double
likeness_to_targets(const Search *search, uint32 item)
{
	double		sum = 0;

	for (uint64 x = search->pairs.offsets[item]; x < search->pairs.offsets[item + 1]; x++)
		if (!search->has[search->pairs.places[x]])
			sum += search->pairs.scores[x];
	return sum;
}

/* What the rows of a user are evidence of, as for a list */
static void
weigh_rows(Search *search, RecsysUserView *user, RecsysEvidence *evidence)
{
	RecsysHistoryItem *history;
	int64		latest = RECSYS_NO_TIME;

	evidence->signal = &search->shop->definition->signals[0];
	evidence->events = search->events;
	if (evidence->signal->is_centered)
	{
		RecsysWeighRatings(evidence, user->interactions, user->ninteractions, search->half_life);
		return;
	}
	history = palloc_extended(sizeof(RecsysHistoryItem) * (Size) user->ninteractions,
							  MCXT_ALLOC_HUGE);
	evidence->count = RecsysHistoryFold(user->interactions, user->ninteractions, &search->folding,
										history, NULL);
	evidence->items = palloc_extended(sizeof(uint32) * (Size) Max(evidence->count, 1),
									  MCXT_ALLOC_HUGE);
	evidence->weights = palloc_extended(sizeof(double) * (Size) Max(evidence->count, 1),
										MCXT_ALLOC_HUGE);
	for (int i = 0; i < evidence->count; i++)
		latest = Max(latest, Min(history[i].time, search->now));
	for (int i = 0; i < evidence->count; i++)
	{
		evidence->items[i] = history[i].item;
		evidence->weights[i] = history[i].weight *
			RecsysDecay(history[i].time, latest, search->half_life);
	}
}

/* Items that have come since the pairs were read are none of the user's. */
static void
drop_new_items(const Search *search, RecsysEvidence *evidence)
{
	int			kept = 0;

	for (int i = 0; i < evidence->count; i++)
	{
		if (evidence->items[i] >= search->pairs.nitems)
			continue;
		evidence->items[kept] = evidence->items[i];
		evidence->weights[kept++] = evidence->weights[i];
	}
	evidence->count = kept;
}

static double
score_by_pairs(const Search *search, const RecsysEvidence *evidence, uint32 *because)
{
	double		score = 0;
	double		most = 0;

	for (int t = 0; t < search->targets.count; t++)
		if (!search->has[t])
			score += search->pairs.prior[t];
	for (int i = 0; i < evidence->count; i++)
	{
		double		part = evidence->weights[i] * likeness_to_targets(search, evidence->items[i]);

		score += part;
		if (part > most)
		{
			most = part;
			*because = evidence->items[i];
		}
	}
	return score;
}

static void
score_user(Search *search, const RecsysKey *key, RecsysUserView *user)
{
	RecsysEvidence evidence = {0};
	uint32		because = RECSYS_NONE;
	double		nearness = 0;
	double		score;

	weigh_rows(search, user, &evidence);
	drop_new_items(search, &evidence);
	if (search->pairs.factors != NULL)
		score = RecsysScoreAudienceByFactors(search->pairs.factors, &search->targets, search->has,
											 evidence.items, evidence.weights, evidence.count, &because);
	else
		score = score_by_pairs(search, &evidence, &because);
	for (int i = 0; i < evidence.count; i++)
		if (search->near[evidence.items[i]])
			nearness += evidence.weights[i];
	score *= evidence.signal->weight;
	if ((float) score > 0 || nearness > 0)
		add_member(search, key, Max((float) score, 0), nearness, because);
}

static void
visit_user(void *arg, RecsysUserView *user)
{
	Search	   *search = arg;
	MemoryContext old = MemoryContextSwitchTo(search->user_context);
	RecsysKey	key;

	CHECK_FOR_INTERRUPTS();
	RecsysKeyLoad(search->events.columns.user_kind, user->key, user->keylen, &key);
	if (user->ninteractions > 0 && mark_targets(search, user->interactions, user->ninteractions) &&
		RecsysIsInAudience(search->users, &key, user->interactions, user->ninteractions))
		score_user(search, &key, user);
	MemoryContextSwitchTo(old);
	MemoryContextReset(search->user_context);
}

static void
visit_all_users(Search *search)
{
	Snapshot	snapshot = RegisterSnapshot(GetActiveSnapshot());
	RecsysUserReader *reader = RecsysUserReaderCreate(search->events.heap, search->events.index,
													  snapshot);
	RecsysItemOrder *items = RecsysItemOrderCreate(search->events.index, search->pairs.nitems);
	RecsysKeyOrder order = RecsysItemOrderForCore(items);
	uint64		next = 0;

	RecsysPredicateLockTable(search->events.heap, snapshot);
	RecsysMetaFolding(&RecsysGetCache(search->events.index)->meta, &order, &search->folding);
	while (next <= PG_UINT32_MAX)
	{
		CHECK_FOR_INTERRUPTS();
		next = RecsysUserReaderReadBucket(reader, (uint32) next, visit_user, search);
	}
	RecsysItemOrderFree(items);
	RecsysUserReaderFree(reader);
	UnregisterSnapshot(snapshot);
}

/* Where the targets stand among the items of the index */
static void
place_targets(Search *search)
{
	uint32		nitems = search->pairs.nitems;

	search->target_of = palloc_extended(sizeof(uint32) * (Size) Max(nitems, 1), MCXT_ALLOC_HUGE);
	memset(search->target_of, 0xFF, sizeof(uint32) * (Size) nitems);
	for (int x = 0; x < search->targets.noffers; x++)
		if (search->targets.offers[x].number < nitems)
			search->target_of[search->targets.offers[x].number] = search->targets.offers[x].target;
	for (int t = 0; t < search->targets.count; t++)
		if (search->targets.targets[t].number < nitems)
			search->target_of[search->targets.targets[t].number] = t;
	search->has = palloc0(sizeof(bool) * Max(search->targets.count, 1));
}

static void
start_titles(void *arg, TupleDesc desc)
{
}

/* Titles of items by their numbers, where there are any */
typedef struct Titles
{
	Search	   *search;
	char	  **titles;			/* by number of the events' index */
	MemoryContext context;
} Titles;

static void
add_title(void *arg, HeapTuple tuple, TupleDesc desc)
{
	Titles	   *titles = arg;
	Datum		values[2];
	bool		nulls[2];
	RecsysKey	key;
	uint32		number;

	heap_deform_tuple(tuple, desc, values, nulls);
	RecsysKeyFromDatum(TupleDescAttr(desc, 0)->atttypid, values[0], &key);
	if (nulls[1] || !RecsysFindItem(&titles->search->events, &key, &number) ||
		number >= titles->search->pairs.nitems)
		return;
	titles->titles[number] = MemoryContextStrdup(titles->context, TextDatumGetCString(values[1]));
}

/* Of the items that reasons name */
static void
read_titles(Search *search, char **keys, Titles *titles)
{
	const RecsysDefinition *definition = search->shop->definition;
	RecsysKeyKind kind = search->events.columns.item_kind;
	StringInfoData out;
	int			n = 0;

	titles->search = search;
	titles->context = CurrentMemoryContext;
	titles->titles = palloc_extended(sizeof(char *) * (Size) Max(search->pairs.nitems, 1),
									 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (definition->title == NULL)
		return;
	initStringInfo(&out);
	appendStringInfo(&out, "SELECT DISTINCT ON (i) i, (title)::pg_catalog.text FROM (SELECT %s AS i, %s AS title FROM %s AS %s) AS t WHERE i IN (",
					 RecsysKeyInSql(definition->item_key, kind), definition->title,
					 definition->items, definition->items_alias);
	for (uint32 item = 0; item < search->pairs.nitems; item++)
		if (keys[item] != NULL)
			appendStringInfo(&out, "%s%s", n++ > 0 ? ", " : "",
							 RecsysKeyInSql(quote_literal_cstr(keys[item]), kind));
	appendStringInfoString(&out, ")");
	if (n > 0)
		RecsysRunShopQuery(search->shop, out.data, start_titles, add_title, titles);
}

/* The keys of the items that contribute most, as text, by their numbers */
static char **
keys_of_reasons(Search *search)
{
	char	  **keys = palloc_extended(sizeof(char *) * (Size) Max(search->pairs.nitems, 1),
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	RecsysGraphReader reader;

	RecsysGraphReaderInit(&reader, search->events.index);
	for (uint64 i = 0; i < search->count; i++)
	{
		uint32		item = search->members[i].because;
		RecsysKey	key;

		if (item == RECSYS_NONE || keys[item] != NULL)
			continue;
		RecsysGraphNeedKey(&reader, item, &key);
		keys[item] = TextDatumGetCString(RecsysKeyToValue(TEXTOID,
														  search->events.columns.item_kind, &key));
	}
	RecsysGraphReaderDone(&reader);
	return keys;
}

static char *
reason_for(const Search *search, const RecsysAudienceRequest *request, const Member *member,
		   char **keys, const Titles *titles)
{
	const RecsysDefinition *definition = search->shop->definition;
	const char *label = definition->signals[0].label;

	if (member->because != RECSYS_NONE)
		return RecsysReasonText(definition, "history", &definition->signals[0],
								titles->titles[member->because] != NULL ?
								titles->titles[member->because] : keys[member->because], label);
	if (member->nearness > 0 && request->seller != NULL)
		return psprintf("buys from %s", request->seller);
	if (member->nearness > 0 && request->category != NULL)
		return psprintf("buys %s", request->category);
	if (member->nearness > 0)
		return pstrdup("buys the like of it");
	return RecsysReasonText(definition, "popularity", NULL, NULL, label);
}

static void
put_members(Search *search, const RecsysAudienceRequest *request, ReturnSetInfo *result)
{
	char	  **keys = keys_of_reasons(search);
	Titles		titles;

	read_titles(search, keys, &titles);
	for (uint64 i = 0; i < search->count; i++)
	{
		const Member *member = &search->members[i];
		Datum		values[5];
		bool		nulls[5] = {false, false, false, false, false};

		CHECK_FOR_INTERRUPTS();
		values[0] = RecsysKeyToValue(TEXTOID, search->events.columns.user_kind, &member->key);
		values[1] = Float4GetDatum(member->score);
		nulls[2] = member->because == RECSYS_NONE;
		values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(keys[member->because]);
		values[3] = CStringGetTextDatum(reason_for(search, request, member, keys, &titles));
		values[4] = Int32GetDatum((int32) i + 1);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

static void
search_audience(Search *search, const RecsysAudienceRequest *request)
{
	const RecsysSignal *signal = &search->shop->definition->signals[0];

	search->context = CurrentMemoryContext;
	search->user_context = AllocSetContextCreate(CurrentMemoryContext, "recsys audience user", ALLOCSET_DEFAULT_SIZES);
	search->now = RecsysNow(search->events.columns.time_type);
	search->half_life = signal->half_life != RECSYS_OWN_HALF_LIFE ? signal->half_life :
		RecsysServingHalfLife(search->events.index);
	/* items that come while this runs are left out */
	search->pairs.nitems = RecsysItemCount(search->events.index);
	RecsysFindAudienceItems(search->shop, &search->events, request, search->pairs.nitems,
							&search->targets, &search->near);
	place_targets(search);
	if (search->targets.count == 0 || search->k == 0)
		return;
	search->users = RecsysReadAudienceUsers(search->shop, &search->events, request->segment);
	RecsysReadAudiencePairs(search->shop, &search->events, &search->targets, &search->pairs);
	visit_all_users(search);
	keep_best(search);
}

/* Arguments: recommender, item_id, k, segment, seller, category */
Datum
recsys_audience(PG_FUNCTION_ARGS)
{
	Search		search = {0};
	RecsysAudienceRequest request;

	InitMaterializedSRF(fcinfo, 0);
	search.shop = RecsysNeedShop(RecsysArgText(fcinfo, 0));
	request.item = RecsysArgText(fcinfo, 1);
	search.k = RecsysArgK(fcinfo, 2);
	request.segment = RecsysArgText(fcinfo, 3);
	request.seller = RecsysArgText(fcinfo, 4);
	request.category = RecsysArgText(fcinfo, 5);
	RecsysCheckAudienceRequest(search.shop->definition, &request);

	RecsysUseShop(search.shop);
	RecsysOpenRecommender(search.shop->definition->signals[0].events, &search.events);
	search_audience(&search, &request);
	if (search.count > 0)
		put_members(&search, &request, (ReturnSetInfo *) fcinfo->resultinfo);
	RecsysCloseRecommender(&search.events);
	RecsysReleaseShop(search.shop);
	return (Datum) 0;
}
