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
 * does not rule out, another eighth gives closer bounds.  Whatever cannot reach the k-th best
 * lower bound is not among the best k, nor is anything behind a page whose factors are too short
 * for that.  What remains is scored in full, those with the highest upper bounds first, unless k
 * scores are above its bound by then.  So the answer is the same as without sketches.
 *
 * Items that came after the build have no factors.  They say nothing about the user and
 * get no score.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "am/graph/sketchpage.h"
#include "api/scoring/factorserving.h"
#include "core/base/topk.h"
#include "miscadmin.h"
#include "utils/memutils.h"

typedef struct FactorServing
{
	RecsysFactorReader reader;
	RecsysFoldIn *foldin;
	const float *user;			/* NULL: nothing to fold in */
} FactorServing;

/*
 * What a user is folded in with is kept between calls, as getting so much memory from the system
 * and giving it back takes longer than to read what goes there; nothing that is in it is.
 */
#define KEPT_BYTES (1 << 20)

static RecsysFoldIn *kept_foldin = NULL;
static int	kept_rank = 0;

static bool
is_kept(int rank)
{
	return RecsysFoldInMemory(rank) <= KEPT_BYTES;
}

static void
begin_foldin(FactorServing *serving)
{
	const RecsysFactorShape *shape = &serving->reader.shape;
	float		diagonal[RECSYS_MAX_RANK];
	MemoryContext old;

	RecsysFactorReadDiagonal(&serving->reader, diagonal);
	if (!is_kept(shape->rank))
	{
		serving->foldin = RecsysFoldInCreateDiagonal(shape, diagonal);
		return;
	}
	if (kept_rank == shape->rank)
		RecsysFoldInRenew(kept_foldin, shape, diagonal);
	else
	{
		if (kept_rank > 0)
			RecsysFoldInFree(kept_foldin);
		kept_rank = 0;
		old = MemoryContextSwitchTo(TopMemoryContext);
		kept_foldin = RecsysFoldInCreateDiagonal(shape, diagonal);
		MemoryContextSwitchTo(old);
		kept_rank = shape->rank;
	}
	serving->foldin = kept_foldin;
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
	uint32		most;			/* rather than list more, all items are scored */
	RecsysCandidate *items;		/* what may be among the best k, by an upper bound of its score */
	uint32		nitems;
	uint32		items_size;

	/* of a page's places: by their sketches, and what is not ruled out by them */
	int32	   *sums;
	float	   *uppers;
	uint16	   *places;
	float	   *lowers;
	float	   *closer;			/* upper bounds */
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

/* As many as there is room for at first */
#define FIRST_LISTED 512

static void
make_room(Shortlist *list, uint64 needed)
{
	if (needed <= list->items_size)
		return;
	list->items_size = (uint32) Max(needed, 2 * (uint64) list->items_size);
	list->items = repalloc_huge(list->items, sizeof(RecsysCandidate) * (Size) list->items_size);
}

/* What the sketches do not rule out is looked at closely at once, which raises the threshold. */
static bool
list_page(void *arg, uint32 first, const void *block, uint32 n, double longest)
{
	Shortlist  *list = arg;
	RecsysFactorReader *reader = &list->serving->reader;
	const void *rests;
	int			left;

	if (longest * list->user.highest + FLT_MIN < list->threshold)
		return false;
	if (list->nitems >= list->most)
		return false;
	left = RecsysSketchSelect(&reader->layout, &list->user, block, n, longest, list->threshold,
							  list->sums, list->uppers, list->places);
	if (left < 0)
		RecsysFactorsAreDamaged(reader->index);
	if (left == 0)
		return true;
	rests = RecsysFactorRests(reader, first);
	RecsysSketchBounds(&reader->layout, &list->user, block, rests, list->places, left, longest, list->sums,
					   list->lowers, list->closer);
	make_room(list, (uint64) list->nitems + left);
	for (int x = 0; x < left; x++)
	{
		uint32		item;

		if (!may_be_best(list, list->closer[x]))
			continue;
		item = RecsysFactorSketched(reader, rests, list->places[x]);
		if (RecsysScorerIsExcluded(list->scorer, item))
			continue;
		list->items[list->nitems].order = RecsysCandidateOrder(list->closer[x], item);
		list->items[list->nitems++].support = 0;
		add_lower(list, list->lowers[x], item);
	}
	RecsysFactorRestsDone(reader);
	raise_threshold(list);
	return true;
}

/* Of n listed items those that may still be best, moved to the front; returns how many. */
static uint32
keep_best(const Shortlist *list, RecsysCandidate *items, uint32 n)
{
	uint32		kept = 0;

	for (uint32 x = 0; x < n; x++)
		if (may_be_best(list, RecsysCandidateScore(items[x].order)))
			items[kept++] = items[x];
	return kept;
}

/* Says that the first of n listed items will be scored. */
static void
expect_listed(Shortlist *list, const RecsysCandidate *items, uint32 n)
{
	uint32		numbers[RECSYS_FACTORS_EXPECTED];
	int			count = (int) Min(n, RECSYS_FACTORS_EXPECTED);

	for (int x = 0; x < count; x++)
		numbers[x] = RecsysCandidateItem(items[x].order);
	RecsysFactorExpect(&list->serving->reader, numbers, count);
}

/* Scores n listed items in full, but for those that are known by then to be worse than k others. */
static void
score_items(Shortlist *list, const RecsysCandidate *items, uint32 n)
{
	RecsysFactorReader *reader = &list->serving->reader;

	for (uint32 x = 0; x < n; x++)
	{
		uint32		item = RecsysCandidateItem(items[x].order);
		const float *factor;
		float		score;

		if (x % RECSYS_FACTORS_EXPECTED == 0)
		{
			CHECK_FOR_INTERRUPTS();
			expect_listed(list, items + x, n - x);
		}
		if (!may_be_best(list, RecsysCandidateScore(items[x].order)))
			continue;
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

/* The most promising first: most of the others are known to be worse than k of them then. */
static void
score_listed(Shortlist *list)
{
	uint32		count = keep_best(list, list->items, list->nitems);
	uint32		first = Min(count, (uint32) list->k + 1);

	if (count > first)
		(void) RecsysSelectBest(list->items, (int) count, (int) first);
	list->npool = 0;
	score_items(list, list->items, first);
	count = keep_best(list, list->items + first, count - first);
	score_items(list, list->items + first, count);
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
	list->items_size = FIRST_LISTED;
	list->items = palloc(sizeof(RecsysCandidate) * list->items_size);
	list->nitems = 0;
	list->sums = palloc(sizeof(int32) * reader->layout.room);
	list->uppers = palloc(sizeof(float) * reader->layout.room);
	list->places = palloc(sizeof(uint16) * reader->layout.room);
	list->lowers = palloc(sizeof(float) * reader->layout.room);
	list->closer = palloc(sizeof(float) * reader->layout.room);

	RecsysFactorVisitSketches(&serving->reader, list_page, list);
	done = list->npool >= k && list->nitems < list->most;
	if (done)
		score_listed(list);
	pfree(list->pool);
	pfree(list->items);
	pfree(list->sums);
	pfree(list->uppers);
	pfree(list->places);
	pfree(list->lowers);
	pfree(list->closer);
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
