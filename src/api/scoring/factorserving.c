/*
 * factorserving.c
 *	  Scores, and what they come from, of an index with factors.
 *
 * The user's factor is computed from those of the items in the profile (folded in,
 * core/dense/factors.c) and then multiplied by those of all items, straight from their pages.
 * Nothing is kept between calls: what a user has just done counts in the next one.
 *
 * A call reads few of those factors.  Sketches (core/dense/factorsketch.c), the longest factors first,
 * give an upper bound of each score by a sixteenth of what a factor takes; of items that it does not
 * rule out, closer bounds by three times as much.  Whatever cannot reach the k-th best lower bound is not
 * among the best k, nor is anything behind a page whose factors are too short for that.  What
 * remains is scored in full, in descending order of the upper bounds, until k scores are above the
 * next of them.  So the answer is the same as without sketches.
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
	serving->gram = RecsysFactorReadGram(reader);
	serving->foldin = RecsysFoldInCreate(&reader->shape, serving->gram);
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
	if (profile->nevidence == 0)
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

/* An item that may be among the best k */
typedef struct Listed
{
	float		upper;
	uint32		item;
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
	Listed	   *items;
	uint32		count;
	uint32		most;			/* rather than more of them, all are scored */
	float	   *uppers;			/* of a page */
	uint32	   *places;			/* of a page, whose items may be listed; one more has room */
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

static bool
list_page(void *arg, const void *block, uint32 n, double longest)
{
	Shortlist  *list = arg;
	const RecsysSketchLayout *layout = &list->serving->reader.layout;
	const uint32 *items = RecsysSketchItems(layout, block);
	uint32		left = 0;

	if (longest * list->user.highest + FLT_MIN < list->threshold || list->count == list->most)
		return false;
	if (!RecsysSketchUppers(layout, &list->user, block, longest, list->uppers))
		RecsysFactorsAreDamaged(list->serving->reader.index);

	/* without a branch, which would be taken at random */
	for (uint32 x = 0; x < n; x++)
	{
		list->places[left] = x;
		left += may_be_best(list, list->uppers[x]);
	}
	for (uint32 x = 0; x < left; x++)
		RecsysSketchExpect(layout, block, list->places[x]);
	for (uint32 x = 0; x < left; x++)
	{
		uint32		item = items[list->places[x]];
		float		lower;
		float		upper;

		RecsysSketchBounds(layout, &list->user, block, list->places[x], longest, &lower, &upper);
		if (!may_be_best(list, upper) || RecsysScorerIsExcluded(list->scorer, item))
			continue;
		if (list->count == list->most)
			return false;
		list->items[list->count].upper = upper;
		list->items[list->count++].item = item;
		add_lower(list, lower, item);
	}
	raise_threshold(list);
	return true;
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

	for (uint32 x = 0; x < list->count; x++)
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
	list->items = palloc_extended(sizeof(Listed) * (Size) list->most, MCXT_ALLOC_HUGE);
	list->uppers = palloc(sizeof(float) * reader->layout.room);
	list->places = palloc(sizeof(uint32) * (reader->layout.room + 1));
	list->count = 0;

	RecsysFactorVisitSketches(&serving->reader, list_page, list);
	done = list->npool >= k && list->count < list->most;
	if (done)
		score_listed(list);
	pfree(list->pool);
	pfree(list->items);
	pfree(list->uppers);
	pfree(list->places);
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
