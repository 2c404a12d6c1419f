/*
 * factorserving.c
 *	  Scores, and what they come from, of an index with factors.
 *
 * The user's factor is computed from those of the items in the profile (folded in,
 * core/dense/factors.c) and then multiplied by those of all items, straight from their pages.
 * Nothing is kept between calls: what a user has just done counts in the next one.
 *
 * A call reads few of those factors.  Sketches (core/dense/factorsketch.c) give a lower
 * and an upper bound of each score; whatever cannot reach the k-th best lower bound is
 * not among the best k.  The others are scored in full, so the answer is the same as
 * without sketches.
 *
 * Items that came after the build have no factors.  They say nothing about the user and
 * get no score.
 */
#include "postgres.h"

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

/* Items that may be among the best k */
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
	uint32	   *items;			/* ascending */
	float	   *uppers;
	uint32		count;
	uint32		most;			/* rather than more of them, all are scored */
	float		scores[RECSYS_PAGE_VECTORS(RECSYS_SKETCH_SIZE(1))];
} Shortlist;

/* Raises the threshold to the k-th best lower bound. */
static void
raise_threshold(Shortlist *list)
{
	if (list->npool <= list->k)
		return;
	list->threshold = RecsysCandidateScore(RecsysSelectBest(list->pool, list->npool, list->k));
	list->npool = list->k;
}

static void
list_page(void *arg, uint32 first, const void *sketches, uint32 n)
{
	Shortlist  *list = arg;
	int			rank = list->serving->reader.shape.rank;

	RecsysSketchScores(&list->user, sketches, (int) n, rank, list->scores);
	for (uint32 x = 0; x < n; x++)
	{
		float		width = list->user.spread * RecsysSketchAt(sketches, x, rank)->step;
		float		upper = list->scores[x] + width;
		float		lower = list->scores[x] - width;

		if (!isfinite(upper) || !isfinite(lower))
			RecsysFactorsAreDamaged(list->serving->reader.index);
		if (!(upper > list->threshold || (upper > 0.0f && upper == list->threshold)) ||
			list->count == list->most || RecsysScorerIsExcluded(list->scorer, first + x))
			continue;
		list->items[list->count] = first + x;
		list->uppers[list->count++] = upper;
		if (!(lower > 0.0f) || lower < list->threshold)
			continue;
		if (list->npool == list->pool_size)
			raise_threshold(list);
		list->pool[list->npool].order = RecsysCandidateOrder(lower, first + x);
		list->pool[list->npool++].support = 0;
	}
}

static void
score_listed(Shortlist *list)
{
	RecsysFactorReader *reader = &list->serving->reader;

	for (uint32 x = 0; x < list->count; x++)
	{
		const float *factor;
		float		score;

		CHECK_FOR_INTERRUPTS();
		if (list->uppers[x] < list->threshold)
			continue;
		factor = RecsysFactorRead(reader, list->items[x]);
		if (factor == NULL)
			continue;
		RecsysFactorScores(list->serving->user, factor, 1, reader->shape.rank, &score);
		RecsysFactorRelease(reader);
		if (!isfinite(score))
			RecsysFactorsAreDamaged(reader->index);
		RecsysScorerAddRange(list->scorer, list->items[x], &score, 1);
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
	uint32		nitems = serving->reader.shape.nitems;
	Shortlist  *list;
	bool		done;

	if (k > nitems / 16)
		return false;
	list = palloc(sizeof(Shortlist));
	list->serving = serving;
	list->scorer = scorer;
	RecsysSketchUser(serving->user, serving->reader.shape.rank, &list->user);
	list->k = k;
	list->pool_size = 2 * k + 16;
	list->pool = palloc_extended(sizeof(RecsysCandidate) * (Size) list->pool_size, MCXT_ALLOC_HUGE);
	list->npool = 0;
	list->threshold = 0;
	list->most = nitems / 4;
	list->items = palloc_extended(sizeof(uint32) * (Size) list->most, MCXT_ALLOC_HUGE);
	list->uppers = palloc_extended(sizeof(float) * (Size) list->most, MCXT_ALLOC_HUGE);
	list->count = 0;

	RecsysFactorVisitSketches(&serving->reader, list_page, list);
	raise_threshold(list);
	done = list->npool >= k && list->count < list->most;
	if (done)
		score_listed(list);
	pfree(list->pool);
	pfree(list->items);
	pfree(list->uppers);
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
