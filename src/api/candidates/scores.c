/*
 * scores.c
 *	  The second stage: scores of all items that a user's signals speak for, by slot.
 *
 * The sums of the first signal that has something to say go straight into the total; each
 * further one is added up by itself, so that its highest score is known, and then added to
 * the total on the scale of the first.  Where a single signal scores by factors,
 * which takes a pass over all items, no more than the best that are asked for are scored.
 *
 * The prior of an index, what its popular items get from everybody, is part of its sums
 * where the signal is positive and has evidence; if no positive one has any, and there is
 * no list of a segment either, the first signal's prior speaks alone.  Items that are too old by the first signal's
 * item_max_age are passed over.
 */
#include "postgres.h"

#include <math.h>

#include "api/candidates/contentscores.h"
#include "api/candidates/profilepieces.h"
#include "miscadmin.h"
#include "utils/memutils.h"

struct RecsysScores
{
	RecsysCatalogue *catalogue;
	MemoryContext context;
	RecsysScorePiece *pieces;
	int			npieces;
	RecsysLease *total;
	double		base;			/* highest score of the first piece that has any */

	/* not to be recommended */
	const RecsysContext *request;	/* what it has may have become a slot on the way */
	const uint32 *excluded;
	int			nexcluded;
	const uint32 *seen;
	int			nseen;
	bool		is_marked;		/* in the total, */
	bool		with_seen;		/* as told here */

	/* a single piece by factors: how many of its best have been scored */
	bool		is_partial;
	int			scored;
	bool		scored_with_seen;

	const RecsysShopProfile *dated; /* tells which items are too old; NULL: none */

	RecsysContentScores *content;	/* NULL: interactions alone count */
	RecsysLease *bounds;		/* of blended scores; NULL: not known yet */
	RecsysScored *bounded;		/* the best by their bounds, as far as these have been asked for, */
	RecsysScored *blended;		/* and what their scores are */
	int			nblended;

	RecsysScored *best;			/* as they have been asked for */
	int			nbest;
	bool		is_complete;	/* there are no more */
};

/* The highest of the positive sums; of all by their amounts if none is, or none counts. */
static double
highest_sum(const RecsysScorer *scorer, bool positive)
{
	double		amount;
	double		highest = RecsysScorerHighest(scorer, &amount);

	return positive && highest > 0 ? highest : amount;
}

static void
add_further(RecsysScores *scores, RecsysScorePiece *piece)
{
	RecsysLease *part = RecsysScorerLease(RecsysCatalogueCount(scores->catalogue));
	double		highest;

	RecsysAddPiece(piece, scores->catalogue, part, 1, PG_INT32_MAX, NULL, 0);
	RecsysScorerExtend(RecsysLeased(scores->total), RecsysCatalogueCount(scores->catalogue));
	highest = highest_sum(RecsysLeased(part), piece->weight > 0);
	piece->scale = highest > 0 ? piece->weight * scores->base / highest : 0;
	if (piece->scale != 0)
		RecsysScorerMoveScaled(RecsysLeased(scores->total), RecsysLeased(part), piece->scale);
	RecsysScorerReturn(part);
}

static void
add_all(RecsysScores *scores)
{
	for (int x = 0; x < scores->npieces; x++)
	{
		RecsysScorePiece *piece = &scores->pieces[x];

		CHECK_FOR_INTERRUPTS();
		if (scores->base > 0)
		{
			add_further(scores, piece);
			continue;
		}
		piece->scale = piece->weight;
		RecsysAddPiece(piece, scores->catalogue, scores->total, piece->weight, PG_INT32_MAX, NULL, 0);
		if (x + 1 < scores->npieces)
			scores->base = highest_sum(RecsysLeased(scores->total), piece->weight > 0) / fabs(piece->weight);
	}
}

/* A single piece by factors, its best k scored anew. */
static void
score_partly(RecsysScores *scores, int k, bool with_seen)
{
	RecsysScorePiece *piece = &scores->pieces[0];
	int			n = scores->nexcluded + (with_seen ? 0 : scores->nseen);
	uint32	   *left_out = palloc_extended(sizeof(uint32) * (Size) Max(n, 1), MCXT_ALLOC_HUGE);

	if (scores->nexcluded > 0)
		memcpy(left_out, scores->excluded, sizeof(uint32) * scores->nexcluded);
	if (!with_seen && scores->nseen > 0)
		memcpy(left_out + scores->nexcluded, scores->seen, sizeof(uint32) * scores->nseen);
	RecsysLeasedReset(scores->total, RecsysCatalogueCount(scores->catalogue));
	scores->is_marked = false;
	piece->scale = piece->weight;
	RecsysAddPiece(piece, scores->catalogue, scores->total, piece->weight, k, left_out, n);
	scores->scored = k;
	scores->scored_with_seen = with_seen;
	pfree(left_out);
}

/* Sees to it that all items are scored. */
static void
need_all(RecsysScores *scores)
{
	MemoryContext old;

	if (!scores->is_partial)
		return;
	old = MemoryContextSwitchTo(scores->context);
	score_partly(scores, PG_INT32_MAX, true);
	scores->is_partial = false;
	MemoryContextSwitchTo(old);
}

static RecsysScores *
create(RecsysShop *shop)
{
	RecsysScores *scores = palloc0(sizeof(RecsysScores));

	scores->catalogue = shop->catalogue;
	scores->context = CurrentMemoryContext;
	scores->total = RecsysScorerLease(RecsysCatalogueCount(scores->catalogue));
	return scores;
}

RecsysScores *
RecsysScoreProfile(const RecsysShopProfile *profile)
{
	RecsysScores *scores = create(profile->shop);

	scores->request = profile->context;
	scores->excluded = profile->excluded;
	scores->nexcluded = profile->nexcluded;
	scores->seen = profile->seen;
	scores->nseen = profile->nseen;
	scores->dated = profile->item_max_age > 0 ? profile : NULL;
	scores->npieces = RecsysMakePieces(profile, &scores->pieces);
	scores->is_partial = scores->npieces == 1 && scores->pieces[0].by_factors &&
		scores->pieces[0].weight > 0 && profile->shop->definition->content == NULL;
	if (!scores->is_partial)
		add_all(scores);
	scores->content = RecsysScoreContent(profile->shop, scores->pieces, scores->npieces, scores->total);
	return scores;
}

RecsysScores *
RecsysScoreNeighbors(RecsysShop *shop, const RecsysContext *context, const char *graph,
					 uint32 slot, bool with_content)
{
	RecsysScores *scores = create(shop);
	RecsysScorePiece *piece = palloc0(sizeof(RecsysScorePiece));
	uint32	   *excluded = palloc(sizeof(uint32));

	if (graph == NULL)
		graph = shop->definition->signals[0].graph != NULL ? shop->definition->signals[0].graph :
			shop->definition->signals[0].events;
	*excluded = slot;
	scores->request = context;
	scores->excluded = excluded;
	scores->nexcluded = 1;
	scores->pieces = piece;
	scores->npieces = 1;
	piece->signal = -1;
	piece->weight = 1;
	piece->count = 1;
	piece->items = palloc(sizeof(RecsysPieceItem));
	piece->items[0] = (RecsysPieceItem)
	{
		slot, RECSYS_NONE, 1, false
	};
	RecsysOpenPieceGraph(piece, shop, graph, NULL);

	/* an index's rows are what is similar, whatever it scores users by */
	piece->by_factors = false;
	add_all(scores);
	if (with_content)
		scores->content = RecsysScoreContent(shop, piece, 1, scores->total);
	return scores;
}

static void
exclude_keys(RecsysScores *scores, const RecsysKey *keys, int n)
{
	for (int x = 0; x < n; x++)
		RecsysScorerExclude(RecsysLeased(scores->total), RecsysCatalogueFind(scores->catalogue, &keys[x]));
}

/* Who may be among the best has changed. */
static void
forget_blended(RecsysScores *scores)
{
	if (scores->bounds != NULL)
		RecsysScorerReturn(scores->bounds);
	scores->bounds = NULL;
	scores->nblended = 0;
}

static void
mark(RecsysScores *scores, bool with_seen)
{
	RecsysScorer *total = RecsysLeased(scores->total);

	if (scores->is_marked && scores->with_seen == with_seen)
		return;
	for (int x = 0; x < scores->nseen; x++)
	{
		if (with_seen)
			RecsysScorerInclude(total, scores->seen[x]);
		else
			RecsysScorerExclude(total, scores->seen[x]);
	}
	for (int x = 0; x < scores->nexcluded; x++)
		RecsysScorerExclude(total, scores->excluded[x]);
	if (scores->request != NULL)
	{
		exclude_keys(scores, scores->request->cart, scores->request->ncart);
		exclude_keys(scores, scores->request->exclude, scores->request->nexclude);
	}
	scores->is_marked = true;
	scores->with_seen = with_seen;
	scores->nbest = 0;
	scores->is_complete = false;
	forget_blended(scores);
}

void
RecsysScoresBoost(RecsysScores *scores, uint32 slot, double factor)
{
	need_all(scores);
	RecsysScorerMultiply(RecsysLeased(scores->total), slot, factor);
	if (scores->content != NULL)
		RecsysContentBoost(scores->content, slot, factor);
}

/* Those of n that are not too old, moved to the front. */
static int
keep_offered(const RecsysScores *scores, RecsysScored *best, int n)
{
	int			kept = 0;

	if (scores->dated == NULL)
		return n;
	for (int x = 0; x < n; x++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!RecsysItemIsTooOld(scores->dated, best[x].item))
			best[kept++] = best[x];
	}
	return kept;
}

/* At least the best n, if there are so many; is_complete tells that there are no more. */
static void
find_best(RecsysScores *scores, int n, bool with_seen)
{
	RecsysKeyOrder order = RecsysCatalogueOrder(scores->catalogue);

	for (int most = n;; most = most > PG_INT32_MAX / 4 ? PG_INT32_MAX : most * 4)
	{
		int			count;

		if (scores->is_partial && (most > scores->scored || with_seen != scores->scored_with_seen))
			score_partly(scores, most, with_seen);
		mark(scores, with_seen);
		count = Min(most, RecsysScorerCandidates(RecsysLeased(scores->total)));
		if (scores->best != NULL)
			pfree(scores->best);
		scores->best = palloc_extended(sizeof(RecsysScored) * (Size) Max(count, 1), MCXT_ALLOC_HUGE);
		count = RecsysLeasedTop(scores->total, count, &order, scores->best);
		scores->nbest = keep_offered(scores, scores->best, count);
		scores->is_complete = count < most;
		if (scores->nbest >= n || scores->is_complete)
			return;
	}
}

static void
add_bounds(RecsysScores *scores, const uint32 *slots, uint32 n)
{
	const RecsysScorer *total = RecsysLeased(scores->total);
	RecsysScorer *bounds = RecsysLeased(scores->bounds);

	for (uint32 x = 0; x < n; x++)
	{
		uint32		slot = slots[x];

		/* an item that both speak for comes twice */
		if (!RecsysScorerIsExcluded(total, slot) && !RecsysScorerIsCandidate(bounds, slot))
			RecsysScorerAddScore(bounds, slot,
								 RecsysContentBound(scores->content, slot, RecsysScorerScore(total, slot)));
	}
}

static void
find_bounds(RecsysScores *scores)
{
	const uint32 *slots;
	uint32		n;

	scores->bounds = RecsysScorerLease(RecsysCatalogueCount(scores->catalogue));
	RecsysScorerExtend(RecsysLeased(scores->total), RecsysCatalogueCount(scores->catalogue));
	n = RecsysScorerTouched(RecsysLeased(scores->total), &slots);
	add_bounds(scores, slots, n);
	n = RecsysContentTouched(scores->content, &slots);
	add_bounds(scores, slots, n);
	scores->nblended = 0;
}

/* The scores of the first `count` by their bounds; those that have been computed are there. */
static void
blend(RecsysScores *scores, int count)
{
	const RecsysScorer *total = RecsysLeased(scores->total);

	for (; scores->nblended < count; scores->nblended++)
	{
		uint32		slot = scores->bounded[scores->nblended].item;

		CHECK_FOR_INTERRUPTS();
		scores->blended[scores->nblended] = (RecsysScored)
		{
			slot, (float) RecsysContentBlend(scores->content, slot, RecsysScorerScore(total, slot))
		};
	}
}

/* What is kept may be more than what is asked for: a list may be wanted again that is shorter. */
static RecsysScored *
room_for(RecsysScored *array, int kept, int count)
{
	Size		size = sizeof(RecsysScored) * (Size) Max(Max(kept, count), 1);
	RecsysScored *larger = palloc_extended(size, MCXT_ALLOC_HUGE);

	if (kept > 0)
		memcpy(larger, array, sizeof(RecsysScored) * (Size) kept);
	if (array != NULL)
		pfree(array);
	return larger;
}

/*
 * The same where content counts.  Scores are known of the first ones by their bounds; what is
 * better than the next bound is better than all the rest.
 */
static void
find_best_blended(RecsysScores *scores, int n)
{
	RecsysKeyOrder order = RecsysCatalogueOrder(scores->catalogue);

	if (scores->bounds == NULL)
		find_bounds(scores);
	/* no fewer than have been blended before */
	for (int most = Max(Max(n, 8) + 8, scores->nblended);; most = most > PG_INT32_MAX / 4 ? PG_INT32_MAX : most * 4)
	{
		int			count = Min(most, RecsysScorerCandidates(RecsysLeased(scores->bounds)));
		double		next;
		int			found = 0;

		scores->bounded = room_for(scores->bounded, 0, count);
		scores->blended = room_for(scores->blended, scores->nblended, count);
		count = RecsysLeasedTop(scores->bounds, count, &order, scores->bounded);
		blend(scores, count);
		scores->is_complete = count < most;
		next = scores->is_complete ? 0 : scores->bounded[count - 1].score;
		scores->best = room_for(scores->best, 0, count);
		for (int x = 0; x < count; x++)
			if (scores->blended[x].score > next)
				scores->best[found++] = scores->blended[x];
		qsort_arg(scores->best, found, sizeof(RecsysScored), RecsysCompareScored, &order);
		scores->nbest = keep_offered(scores, scores->best, found);
		if (scores->nbest >= n || scores->is_complete)
			return;
	}
}

int
RecsysScoresBest(RecsysScores *scores, int n, bool with_seen, const RecsysScored **best)
{
	MemoryContext old = MemoryContextSwitchTo(scores->context);

	mark(scores, with_seen);
	if (n > scores->nbest && !scores->is_complete)
	{
		if (scores->content != NULL)
			find_best_blended(scores, n);
		else
			find_best(scores, n, with_seen);
	}
	MemoryContextSwitchTo(old);
	*best = scores->best;
	return Min(n, scores->nbest);
}

double
RecsysScoresOf(const RecsysScores *scores, uint32 slot)
{
	RecsysScored scored = {slot, 0};

	need_all(unconstify(RecsysScores *, scores));
	scored.score = RecsysScorerScore(RecsysLeased(scores->total), slot);
	if (scores->content != NULL)
		scored.score = (float) RecsysContentBlend(scores->content, slot, scored.score);
	return keep_offered(scores, &scored, 1) > 0 ? scored.score : 0;
}

bool
RecsysScoresByContent(const RecsysScores *scores, uint32 slot)
{
	return scores->content != NULL &&
		RecsysContentAlone(scores->content, slot, RecsysScorerScore(RecsysLeased(scores->total), slot));
}

static int
compare_parts(const void *a, const void *b, void *arg)
{
	const RecsysPart *left = a;
	const RecsysPart *right = b;
	RecsysKeyOrder order = RecsysCatalogueOrder(left->other != NULL ? left->other : arg);

	if (fabs(left->contribution) != fabs(right->contribution))
		return fabs(left->contribution) > fabs(right->contribution) ? -1 : 1;
	if (left->is_content != right->is_content)
		return left->is_content ? 1 : -1;
	if (left->signal != right->signal)
		return left->signal < right->signal ? -1 : 1;
	if (left->because == right->because)
		return 0;
	if (left->because == RECSYS_NONE || right->because == RECSYS_NONE)
		return left->because == RECSYS_NONE ? 1 : -1;
	return RecsysKeyOrderCompare(&order, left->because, right->because);
}

/* What the pieces say; parts has room for what content says, too. */
static int
explain_pieces(RecsysScores *scores, uint32 slot, RecsysPart **parts)
{
	Size		most = 0;
	int			n = 0;

	need_all(scores);
	for (int x = 0; x < scores->npieces; x++)
		most += 2 * (Size) scores->pieces[x].count + 1;
	if (scores->content != NULL)
		most += RecsysContentParts(scores->content);
	*parts = palloc_extended(sizeof(RecsysPart) * Max(most, 1), MCXT_ALLOC_HUGE);
	for (int x = 0; x < scores->npieces; x++)
		n += RecsysExplainPiece(&scores->pieces[x], scores->catalogue, slot, *parts + n);
	return n;
}

int64
RecsysScoresSupport(RecsysScores *scores, uint32 slot)
{
	RecsysPart *parts;
	int			n = explain_pieces(scores, slot, &parts);
	int64		support = 0;

	if (n > 0)
	{
		qsort_arg(parts, n, sizeof(RecsysPart), compare_parts, scores->catalogue);
		support = Max(parts[0].support, 0);
	}
	pfree(parts);
	return support;
}

int
RecsysScoresExplain(RecsysScores *scores, uint32 slot, RecsysPart **parts)
{
	MemoryContext old = MemoryContextSwitchTo(scores->context);
	int			n = explain_pieces(scores, slot, parts);

	if (scores->content != NULL)
	{
		double		known = RecsysContentKnown(scores->content, slot);

		for (int x = 0; x < n; x++)
			(*parts)[x].contribution *= known;
		n += RecsysContentExplain(scores->content, slot, *parts + n);
	}
	qsort_arg(*parts, n, sizeof(RecsysPart), compare_parts, scores->catalogue);
	MemoryContextSwitchTo(old);
	return n;
}

void
RecsysScoresFree(RecsysScores *scores)
{
	forget_blended(scores);
	if (scores->content != NULL)
		RecsysContentScoresFree(scores->content);
	for (int x = 0; x < scores->npieces; x++)
		RecsysClosePieceGraph(&scores->pieces[x]);
	RecsysScorerReturn(scores->total);
	if (scores->best != NULL)
		pfree(scores->best);
}
