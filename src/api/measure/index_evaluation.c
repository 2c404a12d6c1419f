/*
 * index_evaluation.c
 *	  What a recsys index recommends to the users of a test query.
 *
 * The item graph and the factors, if there are any, are copied into memory.  Histories
 * are read as recommend() reads them, so the lists are those that recommend() gives.
 * The caller has to make sure that the index does not know the test interactions.
 */
#include "postgres.h"

#include "am/graph/factor.h"
#include "am/graph/itemorder.h"
#include "am/graph/popular_page.h"
#include "am/graph/prior_page.h"
#include "am/store/options.h"
#include "api/call/recommender.h"
#include "api/measure/index_evaluation.h"
#include "api/scoring/serving.h"
#include "miscadmin.h"
#include "source/input/query.h"
#include "source/train/split_train.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* What an item of the index is called here */
static inline uint32
rank_of(const RecsysIndexEvaluation *result, uint32 item)
{
	return result->ranks == NULL ? item : result->ranks[item];
}

static int
compare_keys(const void *a, const void *b, void *order)
{
	return RecsysItemOrderCompare(order, *(const uint32 *) a, *(const uint32 *) b);
}

/*
 * Ties are broken by number, so items must be numbered by key.  The index numbers only
 * those items so that were there when it was built.  Returns the index's numbers in key
 * order, or NULL if they are in that order already.
 */
static uint32 *
number_items(Relation index, uint32 nitems, RecsysIndexEvaluation *result)
{
	RecsysItemOrder *order;
	uint32	   *numbers;

	if (RecsysGetCache(index)->meta.nsorted >= nitems)
		return NULL;
	numbers = recsys_alloc_huge(sizeof(uint32) * (Size) nitems);
	for (uint32 item = 0; item < nitems; item++)
		numbers[item] = item;
	order = RecsysItemOrderCreate(index, nitems);
	qsort_arg(numbers, nitems, sizeof(uint32), compare_keys, order);
	RecsysItemOrderFree(order);
	result->ranks = recsys_alloc_huge(sizeof(uint32) * (Size) nitems);
	for (uint32 rank = 0; rank < nitems; rank++)
		result->ranks[numbers[rank]] = rank;
	return numbers;
}

/* What recommend() adds to all lists, and whether it offers only some items */
static bool
read_prior(Relation index, RecsysIndexEvaluation *result, RecsysPrior *prior)
{
	RecsysEvaluation *evaluation = &result->evaluation;

	if (!RecsysReadPrior(index, prior))
		return false;
	evaluation->prior_items = palloc(sizeof(uint32) * RECSYS_PRIOR_ITEMS);
	evaluation->prior_scores = palloc(sizeof(float) * RECSYS_PRIOR_ITEMS);
	for (int x = 0; x < prior->count; x++)
	{
		if (prior->items[x] >= evaluation->nitems)
			continue;
		evaluation->prior_items[evaluation->nprior] = rank_of(result, prior->items[x]);
		evaluation->prior_scores[evaluation->nprior++] = prior->scores[x];
	}
	if (RecsysGetCache(index)->meta.options.item_max_age <= 0)
		return false;
	evaluation->offered = recsys_alloc_huge_zero(Max(evaluation->nitems, 1));
	return true;
}

/* Item graph, keys and popularity */
static void
read_items(RecsysRecommender *recommender, Size memory_limit, RecsysIndexEvaluation *result)
{
	RecsysEvaluation *evaluation = &result->evaluation;
	Relation	index = recommender->index;
	uint32		nitems = RecsysItemCount(index);
	RecsysGraphCollector collector;
	RecsysGraphReader reader;
	RecsysPopularity *popular;
	uint32		npopular;
	uint32	   *numbers = number_items(index, nitems, result);
	uint32		peers[RECSYS_MAX_STORED];
	RecsysPrior *prior = palloc(sizeof(RecsysPrior));
	int64		max_age = RecsysGetCache(index)->meta.options.item_max_age;
	bool		ages;

	evaluation->nitems = nitems;
	ages = read_prior(index, result, prior);
	RecsysGraphCollectorInit(&collector, evaluation, memory_limit);
	RecsysGraphReaderInit(&reader, index);
	for (uint32 item = 0; item < nitems; item++)
	{
		RecsysGraphRow row = RecsysGraphNeedRow(&reader, numbers == NULL ? item : numbers[item]);
		RecsysKey	key;

		CHECK_FOR_INTERRUPTS();
		RecsysKeyLoad(result->item_kind, RecsysRowKey(row), row->keylen, &key);
		(void) RecsysDictionaryIntern(result->items, &key);
		for (int x = 0; x < row->nneighbors; x++)
			peers[x] = row->peers[x] < nitems ? rank_of(result, row->peers[x]) : row->peers[x];
		RecsysGraphCollectorAdd(&collector, item, peers, RecsysRowScores(row), row->nneighbors);
		if (ages)
			evaluation->offered[item] = RecsysIsWithinAge(row->latest, prior->latest, max_age);
		RecsysGraphReleaseRow(&reader);
	}
	RecsysGraphReaderDone(&reader);
	RecsysGraphCollectorFinish(&collector);

	evaluation->item_users = recsys_alloc_huge_zero(sizeof(uint32) * (Size) Max(nitems, 1));
	evaluation->popular = recsys_alloc_huge(sizeof(uint32) * (Size) Max(nitems, 1));
	popular = RecsysReadAllPopular(index, &npopular);
	for (uint32 x = 0; x < npopular; x++)
	{
		if (popular[x].item >= nitems)
			continue;
		evaluation->item_users[rank_of(result, popular[x].item)] = popular[x].users;
		if (RecsysEvaluationRanks(evaluation, rank_of(result, popular[x].item)))
			evaluation->popular[evaluation->ncatalogue++] = rank_of(result, popular[x].item);
	}
	pfree(popular);
	if (numbers != NULL)
		pfree(numbers);
	evaluation->nusers_trained = RecsysGetCache(index)->meta.users;
}

/* Factors by the numbers that items have here; those that came since the build have none: zeros. */
static void
renumber_factors(RecsysIndexEvaluation *result)
{
	RecsysFactors *factors = &result->evaluation.factors;
	uint32		nitems = result->evaluation.nitems;
	Size		rank = factors->shape.rank;
	float	   *items = recsys_alloc_huge_zero(sizeof(float) * rank * (Size) nitems);

	for (uint32 item = 0; item < factors->shape.nitems; item++)
		memcpy(items + rank_of(result, item) * rank, factors->items + item * rank,
			   sizeof(float) * rank);
	pfree(factors->items);
	factors->items = items;
	result->evaluation.nfactors = nitems;
}

/* Items that have come since the build have no factors: there are fewer of these. */
static void
read_factors(RecsysRecommender *recommender, Size memory_limit, RecsysIndexEvaluation *result)
{
	RecsysFactorReader reader;
	RecsysFactors *factors;

	if (!RecsysFactorReaderInit(&reader, recommender->index))
		return;
	RecsysCheckEvaluationMemory(MemoryContextMemAllocated(CurrentMemoryContext, true) +
								RecsysFactorMemory(&reader), memory_limit);
	factors = RecsysFactorReadAll(&reader);
	result->evaluation.factors = *factors;
	if (result->ranks != NULL)
		renumber_factors(result);
	pfree(factors);
}

/* What users are read from, and room in the arrays of their rows */
typedef struct UserReader
{
	RecsysRecommender *recommender;
	int64		half_life;
	RecsysIndexEvaluation *result;
	MemoryContext context;		/* of the result */
	uint32		maxusers;
	uint64		maxhistory;
	uint64		maxseen;
	uint64		maxtest;
} UserReader;

static void
grow(void **array, Size size, uint64 *room, uint64 needed)
{
	if (needed <= *room)
		return;
	*room = Max(needed, *room + *room / 2);
	*array = repalloc_huge(*array, size * *room);
}

static void
init_reader(UserReader *reader, RecsysRecommender *recommender, bool exclude_seen,
			RecsysIndexEvaluation *result)
{
	RecsysEvaluation *evaluation = &result->evaluation;

	reader->recommender = recommender;
	reader->half_life = RecsysServingHalfLife(recommender->index);
	reader->result = result;
	reader->context = CurrentMemoryContext;
	reader->maxusers = 1024;
	reader->maxhistory = reader->maxseen = reader->maxtest = 16384;
	evaluation->histories.offsets = palloc0(sizeof(uint64) * (reader->maxusers + 1));
	evaluation->histories.items = palloc(sizeof(uint32) * reader->maxhistory);
	evaluation->weights = palloc(sizeof(double) * reader->maxhistory);
	evaluation->test.offsets = palloc0(sizeof(uint64) * (reader->maxusers + 1));
	evaluation->test.items = palloc(sizeof(uint32) * reader->maxtest);
	if (exclude_seen)
		evaluation->seen.offsets = palloc0(sizeof(uint64) * (reader->maxusers + 1));
	evaluation->seen.items = palloc(sizeof(uint32) * reader->maxseen);
}

static void
grow_users(UserReader *reader)
{
	RecsysEvaluation *evaluation = &reader->result->evaluation;
	Size		size;

	if (evaluation->nusers < reader->maxusers)
		return;
	if (reader->maxusers >= RECSYS_NONE / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many users for an evaluation")));
	reader->maxusers *= 2;
	size = sizeof(uint64) * ((Size) reader->maxusers + 1);
	evaluation->histories.offsets = repalloc_huge(evaluation->histories.offsets, size);
	evaluation->test.offsets = repalloc_huge(evaluation->test.offsets, size);
	if (evaluation->seen.offsets != NULL)
		evaluation->seen.offsets = repalloc_huge(evaluation->seen.offsets, size);
}

static int
compare_numbers(const void *a, const void *b)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;

	CHECK_FOR_INTERRUPTS();
	return (left > right) - (left < right);
}

/* What the user has seen: numbers in ascending order */
static uint32 *
seen_items(const RecsysIndexEvaluation *result, const RecsysProfile *profile)
{
	uint32	   *seen = palloc_extended(sizeof(uint32) * (Size) Max(profile->nseen, 1), MCXT_ALLOC_HUGE);

	for (int x = 0; x < profile->nseen; x++)
		seen[x] = profile->seen[x].item < result->evaluation.nitems ?
			rank_of(result, profile->seen[x].item) : profile->seen[x].item;
	qsort(seen, profile->nseen, sizeof(uint32), compare_numbers);
	return seen;
}

/* Adds those of the next user's held-out items that count; returns where they end. */
static uint64
add_test(UserReader *reader, uint32 *test, int ntest, const uint32 *seen, int nseen)
{
	RecsysEvaluation *evaluation = &reader->result->evaluation;
	uint64		next = evaluation->test.offsets[evaluation->nusers];

	qsort(test, ntest, sizeof(uint32), compare_numbers);
	grow((void **) &evaluation->test.items, sizeof(uint32), &reader->maxtest, next + ntest);
	for (int x = 0; x < ntest; x++)
		if (evaluation->seen.offsets == NULL ||
			bsearch(&test[x], seen, nseen, sizeof(uint32), compare_numbers) == NULL)
			evaluation->test.items[next++] = test[x];
	return next;
}

static void
add_seen(UserReader *reader, const uint32 *seen, int nseen)
{
	RecsysEvaluation *evaluation = &reader->result->evaluation;
	uint64		at;

	if (evaluation->seen.offsets == NULL)
		return;
	at = evaluation->seen.offsets[evaluation->nusers];
	grow((void **) &evaluation->seen.items, sizeof(uint32), &reader->maxseen, at + nseen);
	memcpy(evaluation->seen.items + at, seen, sizeof(uint32) * nseen);
	evaluation->seen.offsets[evaluation->nusers + 1] = at + nseen;
}

static void
add_history(UserReader *reader, const RecsysProfile *profile)
{
	RecsysEvaluation *evaluation = &reader->result->evaluation;
	uint64		at = evaluation->histories.offsets[evaluation->nusers];
	uint64		room = reader->maxhistory;

	grow((void **) &evaluation->weights, sizeof(double), &room, at + profile->nevidence);
	grow((void **) &evaluation->histories.items, sizeof(uint32), &reader->maxhistory,
		 at + profile->nevidence);
	for (int x = 0; x < profile->nevidence; x++)
	{
		if (profile->items[x] >= evaluation->nitems)
			continue;
		evaluation->histories.items[at] = rank_of(reader->result, profile->items[x]);
		evaluation->weights[at++] = profile->weights[x];
	}
	evaluation->histories.offsets[evaluation->nusers + 1] = at;
}

/* Adds a user, whose held-out items are numbers in any order, if any of them is left. */
static void
add_user(UserReader *reader, const RecsysKey *user, uint32 *test, int ntest)
{
	RecsysEvaluation *evaluation = &reader->result->evaluation;
	RecsysProfile profile;
	uint32	   *seen;
	uint64		end;
	MemoryContext old;

	RecsysReadProfile(reader->recommender, user, reader->half_life, &profile);
	seen = seen_items(reader->result, &profile);
	end = add_test(reader, test, ntest, seen, profile.nseen);
	if (end == evaluation->test.offsets[evaluation->nusers])
		return;

	grow_users(reader);
	evaluation->test.offsets[evaluation->nusers + 1] = end;
	add_seen(reader, seen, profile.nseen);
	add_history(reader, &profile);

	/* the current context is one user's */
	old = MemoryContextSwitchTo(reader->context);
	(void) RecsysDictionaryIntern(reader->result->users, user);
	MemoryContextSwitchTo(old);
	evaluation->nusers++;
}

/* The collector's user at hand: the items held out, folded; returns how many. */
static int
read_test(RecsysCollector *collector, const uint32 *numbers, uint32 **test)
{
	int			size = 64;
	int			count = 0;
	RecsysInteraction *interactions = palloc(sizeof(RecsysInteraction) * size);
	RecsysFolding folding = {.max_history = PG_INT32_MAX, .transform = RECSYS_TRANSFORM_NONE};
	RecsysHistoryItem *folded;
	RecsysUserRow row;

	while (RecsysCollectorNextOfUser(collector, &row))
	{
		if (count == size)
		{
			size *= 2;
			interactions = repalloc_huge(interactions, sizeof(RecsysInteraction) * (Size) size);
		}
		interactions[count] = row.interaction;
		interactions[count++].item = numbers[row.interaction.item];
	}
	folded = palloc_extended(sizeof(RecsysHistoryItem) * (Size) size, MCXT_ALLOC_HUGE);
	count = RecsysHistoryFold(interactions, count, &folding, folded, NULL);
	*test = palloc_extended(sizeof(uint32) * (Size) size, MCXT_ALLOC_HUGE);
	for (int x = 0; x < count; x++)
		(*test)[x] = folded[x].item;
	return count;
}

static void
read_users(UserReader *reader, RecsysCollector *collector, Size memory_limit)
{
	RecsysIndexEvaluation *result = reader->result;
	MemoryContext user_context = AllocSetContextCreate(reader->context, "recsys user",
													   ALLOCSET_DEFAULT_SIZES);
	uint32	   *numbers = recsys_alloc_huge(sizeof(uint32) * (Size) Max(RecsysCollectorItems(collector), 1));
	RecsysKey	key;
	uint32		hash;

	for (uint32 item = 0; item < RecsysCollectorItems(collector); item++)
	{
		RecsysCollectorItemKey(collector, item, &key);
		numbers[item] = RecsysDictionaryIntern(result->items, &key);
	}

	while (RecsysCollectorNextUser(collector, &key, &hash))
	{
		MemoryContext old = MemoryContextSwitchTo(user_context);
		uint32	   *test;
		int			count;

		CHECK_FOR_INTERRUPTS();
		count = read_test(collector, numbers, &test);
		if (count > 0)
			add_user(reader, &key, test, count);
		MemoryContextSwitchTo(old);
		MemoryContextReset(user_context);
		if (result->evaluation.nusers % 1024 == 0)
			RecsysCheckEvaluationMemory(MemoryContextMemAllocated(reader->context, true), memory_limit);
	}
	MemoryContextDelete(user_context);
	pfree(numbers);
}

void
RecsysReadIndexEvaluation(const char *name, const char *test, bool exclude_seen, uint64 seed,
						  Size memory_limit, RecsysIndexEvaluation *result)
{
	RecsysRecommender recommender;
	RecsysCollector *collector;
	RecsysCollectorOptions shape;
	UserReader	reader;

	/* users in the same order as elsewhere, so that resamples are the same */
	seed = RecsysSplitHashSeed(seed);
	memset(result, 0, sizeof(*result));
	RecsysOpenRecommender(name, &recommender);
	collector = RecsysCollectSeeded(test, InvalidOid, memory_limit, seed, &shape);
	if (shape.user_kind != recommender.columns.user_kind || shape.item_kind != recommender.columns.item_kind)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the test query's keys are of other types than those of recommender \"%s\"",
						RelationGetRelationName(recommender.definition)),
				 errhint("Cast user and item to the types of the indexed columns.")));
	result->name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(recommender.definition)),
											  RelationGetRelationName(recommender.definition));
	result->similarity = RecsysGetCache(recommender.index)->meta.similarity;
	result->user_kind = shape.user_kind;
	result->item_kind = shape.item_kind;
	result->items = RecsysDictionaryCreate(shape.item_kind, seed);
	result->users = RecsysDictionaryCreate(shape.user_kind, seed);
	read_items(&recommender, memory_limit, result);
	read_factors(&recommender, memory_limit, result);
	init_reader(&reader, &recommender, exclude_seen, result);
	read_users(&reader, collector, memory_limit);
	RecsysCollectorFree(collector);
	RecsysCloseRecommender(&recommender);
	if (result->evaluation.nusers == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is nothing to evaluate on"),
				 exclude_seen ?
				 errdetail("No user of the test query has an item that the index does not show the user to have.") :
				 errdetail("No user of the test query has an item."),
				 errhint("The test interactions must not be in the index: build it on those before them.")));
}
