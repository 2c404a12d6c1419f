/*
 * factorserving.c
 *	  Scores, and what they come from, of an index with factors.
 *
 * The user's factor is computed from those of the items in the profile (folded in,
 * core/dense/factors.c) and then multiplied by those of all items, straight from their pages.
 * Nothing is kept between calls: what a user has just done counts in the next one.
 *
 * A call reads few of those factors.  Sketches (core/dense/factorsketch.c), the longest factors
 * first, give an upper bound of each score by an eighth of what a factor takes; of items that it
 * does not rule out, codes give closer bounds by three eighths.  Whatever cannot reach the k-th best
 * lower bound is not among the best k, nor is anything behind a page whose factors are too short
 * for that.  What remains is scored in full, in descending order of the upper bounds, until k
 * scores are above the next of them.  So the answer is the same as without sketches.
 *
 * Items that came after the build have no factors.  They say nothing about the user and
 * get no score.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "am/graph/factor.h"
#include "api/scoring/factorserving.h"
#include "core/base/topk.h"
#include "miscadmin.h"
#include "utils/memutils.h"

typedef struct FactorServing
{
	RecsysFactorReader reader;
	float	   *gram;
	RecsysFoldIn *foldin;
	const float *user;			/* NULL: nothing to fold in */
} FactorServing;

/*
 * What a user is folded in with is kept between calls, as getting so much memory from the system
 * and giving it back takes longer than to read what goes there; nothing that is in it is.
 */
#define KEPT_BYTES (1 << 20)

static RecsysFoldIn *kept_foldin = NULL;
static float *kept_gram = NULL;
static int	kept_rank = 0;

static bool
is_kept(int rank)
{
	return RecsysFoldInMemory(rank) + RECSYS_FACTOR_SIZE(rank) * rank <= KEPT_BYTES;
}

static void
keep(const RecsysFactorShape *shape)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	kept_rank = 0;
	if (kept_foldin != NULL)
		RecsysFoldInFree(kept_foldin);
	kept_foldin = NULL;
	if (kept_gram != NULL)
		pfree(kept_gram);
	kept_gram = NULL;
	kept_gram = palloc0(RECSYS_FACTOR_SIZE(shape->rank) * shape->rank);
	kept_foldin = RecsysFoldInCreate(shape, kept_gram);
	kept_rank = shape->rank;
	MemoryContextSwitchTo(old);
}

static void
begin_foldin(FactorServing *serving)
{
	RecsysFactorReader *reader = &serving->reader;

	if (!is_kept(reader->shape.rank))
	{
		serving->gram = RecsysFactorReadGram(reader);
		serving->foldin = RecsysFoldInCreate(&reader->shape, serving->gram);
		return;
	}
	if (kept_rank != reader->shape.rank)
		keep(&reader->shape);
	serving->gram = kept_gram;
	serving->foldin = kept_foldin;
	RecsysFactorLoadGram(reader, serving->gram);
	RecsysFoldInRenew(serving->foldin, &reader->shape, serving->gram);
}

/* False when the index has no factors. */
static bool
begin(FactorServing *serving, RecsysRecommender *recommender, const RecsysProfile *profile)
{
	RecsysFactorReader *reader = &serving->reader;
	int			added = 0;

	if (!RecsysFactorReaderInit(reader, recommender->index))
		return false;
	serving->user = NULL;
	if (profile->nevidence == 0)
		return true;
	begin_foldin(serving);
	RecsysFoldInStart(serving->foldin);
	for (int x = 0; x < profile->nevidence; x++)
	{
		const float *factor;

		CHECK_FOR_INTERRUPTS();
		if (x % RECSYS_FACTORS_EXPECTED == 0)
			RecsysFactorExpect(reader, profile->items + x,
							   Min(profile->nevidence - x, RECSYS_FACTORS_EXPECTED));
		factor = RecsysFactorRead(reader, profile->items[x]);
		if (factor == NULL)
			continue;
		RecsysFoldInAdd(serving->foldin, factor, profile->weights[x]);
		RecsysFactorRelease(reader);
		added++;
	}
	if (added > 0)
		serving->user = RecsysFoldInSolve(serving->foldin);
	return true;
}

static void
end(FactorServing *serving, const RecsysProfile *profile)
{
	if (profile->nevidence == 0 || is_kept(serving->reader.shape.rank))
		return;
	RecsysFoldInFree(serving->foldin);
	pfree(serving->gram);
}

typedef struct PageScores
{
	FactorServing *serving;
	RecsysScorer *scorer;
	float		scores[RECSYS_PAGE_VECTORS(RECSYS_FACTOR_SIZE(1))];
} PageScores;

static void
score_page(void *arg, uint32 first, const void *factors, uint32 n)
{
	PageScores *page = arg;
	RecsysFactorReader *reader = &page->serving->reader;
	float		sum = 0;

	RecsysFactorScores(page->serving->user, factors, (int) n, reader->shape.rank, page->scores);

	/* a sum is finite if all that is added is, or nearly so large as to overflow */
	for (uint32 x = 0; x < n; x++)
		sum += page->scores[x];
	if (!isfinite(sum))
		RecsysFactorsAreDamaged(reader->index);
	RecsysScorerAddRange(page->scorer, first, page->scores, (int) n);
}

/* What may be among the best k */
typedef struct Listed
{
	float		upper;			/* a bound of its score */
	uint32		item;
	uint32		place;			/* among the sketches */
	float		step;			/* of its sketch */
} Listed;

typedef struct Shortlist
{
	FactorServing *serving;
	RecsysScorer *scorer;
	RecsysUserSketch user;
	int			k;
	RecsysCandidate *pool;		/* the best lower bounds, and some that came later */
	int			npool;
	int			pool_size;
	float		threshold;		/* the k-th best of an earlier pool, or 0 */
	uint32		most;			/* rather than more of either list, all items are scored */
	double		longest;		/* no factor is longer */
	Listed	   *off;			/* those put off, in the order of sketches */
	uint32		noff;
	uint32		off_size;
	Listed	   *items;
	uint32		nitems;
	uint32		items_size;
	float	   *scores;			/* of a page */
	float	   *uppers;
	Listed	   *closely;		/* those to look at closely */
} Shortlist;

/* Raises the threshold to the k-th best of the pool. */
static void
raise_threshold(Shortlist *list)
{
	if (list->npool <= list->k)
		return;
	list->threshold = RecsysCandidateScore(RecsysSelectBest(list->pool, list->npool, list->k));
	list->npool = list->k;
}

/* A score that an item has at least */
static void
add_lower(Shortlist *list, float lower, uint32 item)
{
	if (!(lower > 0.0f) || lower < list->threshold)
		return;
	if (list->npool == list->pool_size)
		raise_threshold(list);
	list->pool[list->npool].order = RecsysCandidateOrder(lower, item);
	list->pool[list->npool++].support = 0;
}

/* Can an item with this upper bound be listed? */
static bool
may_be_best(const Shortlist *list, float upper)
{
	return upper > 0.0f && upper >= list->threshold;
}

/* As many of either list as there is room for at first */
#define FIRST_LISTED 2048

static void
make_room(Listed **listed, uint32 *size, uint64 needed)
{
	if (needed <= *size)
		return;
	*size = (uint32) Max(needed, 2 * (uint64) *size);
	*listed = repalloc_huge(*listed, sizeof(Listed) * (Size) *size);
}

/* Says that some of those from the first on will be looked at. */
static void
expect_codes(Shortlist *list, const Listed *those, uint32 n)
{
	uint32		places[RECSYS_FACTORS_EXPECTED];
	int			count = (int) Min(n, RECSYS_FACTORS_EXPECTED);

	for (int x = 0; x < count; x++)
		places[x] = those[x].place;
	RecsysFactorExpectCodes(&list->serving->reader, places, count);
}

/* By their codes: may they be listed? */
static void
look_closely(Shortlist *list, const Listed *those, uint32 n)
{
	RecsysFactorReader *reader = &list->serving->reader;

	make_room(&list->items, &list->items_size, (uint64) list->nitems + n);
	for (uint32 x = 0; x < n && list->nitems < list->most; x++)
	{
		Listed	   *listed = &list->items[list->nitems];
		float		lower;

		if (x % RECSYS_FACTORS_EXPECTED == 0)
		{
			CHECK_FOR_INTERRUPTS();
			expect_codes(list, those + x, n - x);
		}
		if (!may_be_best(list, those[x].upper))
			continue;
		*listed = those[x];
		RecsysSketchBounds(&reader->layout, &list->user, listed->step,
						   RecsysFactorCodes(reader, listed->place), list->longest, &lower, &listed->upper);
		if (!may_be_best(list, listed->upper))
			continue;
		list->nitems++;
		add_lower(list, lower, listed->item);
	}
	raise_threshold(list);
}

/*
 * What seems to be among the best is looked at closely at once, which raises the threshold.  What
 * may be, although it does not seem so, is put off: in the end, there will be little of it.
 */
static bool
list_page(void *arg, uint32 first, const void *block, uint32 n, double longest)
{
	Shortlist  *list = arg;
	const RecsysFactorReader *reader = &list->serving->reader;
	const uint32 *items = RecsysSketchItems(&reader->layout, block);
	const float *steps = RecsysSketchSteps(&reader->layout, block);
	float		reached = list->threshold;
	uint32		nclosely = 0;
	int			left;

	if (first == 0)
		list->longest = longest;
	if (longest * list->user.highest + FLT_MIN < list->threshold)
		return false;
	if (Max(list->noff, list->nitems) >= list->most)
		return false;
	left = RecsysSketchScores(&reader->layout, &list->user, block, n, longest, list->threshold,
							  list->scores, list->uppers);
	if (left < 0)
		RecsysFactorsAreDamaged(reader->index);
	make_room(&list->off, &list->off_size, (uint64) list->noff + n);
	for (uint32 x = 0; x < n && left > 0; x++)
	{
		Listed		listed;

		if (!(list->uppers[x] >= reached))
			continue;
		left--;
		listed.upper = list->uppers[x];
		listed.item = items[x];
		listed.place = first + x;
		listed.step = steps[x];
		if (!(listed.upper > 0.0f) ||
			RecsysScorerIsExcluded(list->scorer, RecsysFactorSketched(reader, block, x)))
			continue;
		if (may_be_best(list, list->scores[x]))
			list->closely[nclosely++] = listed;
		else
			list->off[list->noff++] = listed;
	}
	look_closely(list, list->closely, nclosely);
	return true;
}

static void
list_put_off(Shortlist *list)
{
	uint32		left = 0;

	for (uint32 x = 0; x < list->noff; x++)
		if (may_be_best(list, list->off[x].upper))
			list->off[left++] = list->off[x];
	list->noff = left;
	look_closely(list, list->off, left);
}

static int
compare_listed(const void *a, const void *b)
{
	float		left = ((const Listed *) a)->upper;
	float		right = ((const Listed *) b)->upper;

	return left > right ? -1 : left < right ? 1 : 0;
}

static void
expect_listed(Shortlist *list, uint32 first, uint32 count)
{
	uint32		items[RECSYS_FACTORS_EXPECTED];
	int			n = (int) Min(count - first, RECSYS_FACTORS_EXPECTED);

	for (int x = 0; x < n; x++)
		items[x] = list->items[first + x].item;
	RecsysFactorExpect(&list->serving->reader, items, n);
}

/* The most promising first, until the others are known to be worse than k of them. */
static void
score_listed(Shortlist *list)
{
	RecsysFactorReader *reader = &list->serving->reader;
	uint32		count = 0;

	for (uint32 x = 0; x < list->nitems; x++)
		if (may_be_best(list, list->items[x].upper))
			list->items[count++] = list->items[x];
	qsort(list->items, count, sizeof(Listed), compare_listed);
	list->npool = 0;
	for (uint32 x = 0; x < count && may_be_best(list, list->items[x].upper); x++)
	{
		uint32		item = list->items[x].item;
		const float *factor;
		float		score;

		if (x % RECSYS_FACTORS_EXPECTED == 0)
			expect_listed(list, x, count);
		CHECK_FOR_INTERRUPTS();
		factor = RecsysFactorRead(reader, item);
		if (factor == NULL)
			continue;
		RecsysFactorScores(list->serving->user, factor, 1, reader->shape.rank, &score);
		RecsysFactorRelease(reader);
		if (!isfinite(score))
			RecsysFactorsAreDamaged(reader->index);
		RecsysScorerAddRange(list->scorer, item, &score, 1);
		add_lower(list, score, item);
		if (list->npool > list->k)
			raise_threshold(list);
	}
}

/*
 * Scores at least the best k.  Returns false when it is better to score all items: when
 * fewer than k have a score that is certain to be positive, or too many may be among the
 * best.
 */
static bool
score_shortlist(FactorServing *serving, RecsysScorer *scorer, int k)
{
	const RecsysFactorReader *reader = &serving->reader;
	uint32		nitems = reader->shape.nitems;
	Shortlist  *list;
	bool		done;

	if (k > nitems / 16)
		return false;
	list = palloc(sizeof(Shortlist));
	list->serving = serving;
	list->scorer = scorer;
	RecsysSketchUser(&reader->layout, serving->user, &list->user);
	list->k = k;
	list->pool_size = 2 * k + 16;
	list->pool = palloc_extended(sizeof(RecsysCandidate) * (Size) list->pool_size, MCXT_ALLOC_HUGE);
	list->npool = 0;
	list->threshold = 0;
	list->most = nitems / 4;
	list->off_size = list->items_size = FIRST_LISTED;
	list->off = palloc(sizeof(Listed) * list->off_size);
	list->noff = 0;
	list->items = palloc(sizeof(Listed) * list->items_size);
	list->nitems = 0;
	list->scores = palloc(sizeof(float) * reader->layout.room);
	list->uppers = palloc(sizeof(float) * reader->layout.room);
	list->closely = palloc(sizeof(Listed) * reader->layout.room);

	RecsysFactorVisitSketches(&serving->reader, list_page, list);
	if (Max(list->noff, list->nitems) < list->most)
		list_put_off(list);
	RecsysFactorCodesDone(&serving->reader);
	done = list->npool >= k && Max(list->noff, list->nitems) < list->most;
	if (done)
		score_listed(list);
	pfree(list->pool);
	pfree(list->off);
	pfree(list->items);
	pfree(list->scores);
	pfree(list->uppers);
	pfree(list->closely);
	pfree(list);
	return done;
}

bool
RecsysScoreByFactors(RecsysRecommender *recommender, const RecsysProfile *profile, int k,
					 RecsysScorer *scorer)
{
	FactorServing serving;
	PageScores	page;

	if (!begin(&serving, recommender, profile))
		return false;
	if (serving.user != NULL && !score_shortlist(&serving, scorer, k))
	{
		page.serving = &serving;
		page.scorer = scorer;
		RecsysFactorVisit(&serving.reader, score_page, &page);
	}
	end(&serving, profile);
	return true;
}

bool
RecsysExplainByFactors(RecsysRecommender *recommender, const RecsysProfile *profile,
					   uint32 item, double *similarities)
{
	FactorServing serving;
	RecsysFactorReader *reader = &serving.reader;
	const float *factor;
	float	   *target = NULL;

	if (!begin(&serving, recommender, profile))
		return false;
	if (serving.user != NULL && (factor = RecsysFactorRead(reader, item)) != NULL)
	{
		/* a page is locked once at a time, and this one may be needed again */
		target = palloc(sizeof(float) * reader->shape.rank);
		memcpy(target, factor, sizeof(float) * reader->shape.rank);
		RecsysFactorRelease(reader);
	}
	for (int x = 0; x < profile->nevidence; x++)
	{
		CHECK_FOR_INTERRUPTS();
		similarities[x] = NAN;
		if (target == NULL || (factor = RecsysFactorRead(reader, profile->items[x])) == NULL)
			continue;
		similarities[x] = RecsysFoldInShare(serving.foldin, target, factor, 1.0);
		RecsysFactorRelease(reader);
		if (!isfinite(similarities[x]))
			RecsysFactorsAreDamaged(reader->index);
	}
	end(&serving, profile);
	return true;
}
