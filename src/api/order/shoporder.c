/*
 * shoporder.c
 *	  The fourth stage: a declared recommender's rules applied to items that may be shown.
 *
 * Rows come best first.  What the factors of sellers and prices make of their scores decides
 * anew, and where that is the same the order in which they came.
 */
#include "postgres.h"

#include <math.h>

#include "api/order/categorytarget.h"
#include "api/order/itemlikeness.h"
#include "api/order/rowfactors.h"
#include "api/order/shoporder.h"
#include "core/arrange/arrange.h"
#include "core/base/random.h"
#include "utils/memutils.h"

typedef struct ScoredRow
{
	double		score;
	int			row;
} ScoredRow;

/* Rows in the order of their scores, and what they are compared by */
typedef struct Ordered
{
	const ScoredRow *order;
	RecsysItemLikeness *likeness;
} Ordered;

static int
compare_scores(const void *a, const void *b)
{
	const ScoredRow *left = a;
	const ScoredRow *right = b;

	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	return left->row < right->row ? -1 : left->row > right->row;
}

static ScoredRow *
sort_rows(const double *scores, int n)
{
	ScoredRow  *order = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(ScoredRow) * (Size) n);
	bool		sorted = true;

	for (int i = 0; i < n; i++)
	{
		order[i] = (ScoredRow) {scores[i], i};
		sorted = sorted && (i == 0 || scores[i - 1] >= scores[i]);
	}
	if (!sorted)
		qsort(order, n, sizeof(ScoredRow), compare_scores);
	return order;
}

/* Is there anything declared that a place depends on beside the score? */
static bool
has_rules(const RecsysDefinition *definition)
{
	return definition->ncaps > 0 || definition->group_by != NULL || definition->diversity > 0 ||
		definition->category_mix > 0 || definition->new_item_share > 0 || definition->new_seller_share > 0;
}

static double
likeness_of(void *arg, int item, int listed)
{
	Ordered    *ordered = arg;

	return RecsysItemLikenessOf(ordered->likeness, ordered->order[item].row, ordered->order[listed].row);
}

/*
 * The places behind the last 1/share in a list of k are a part of the next ones: for that part
 * of the users the last place is kept.  Who they are is drawn by user and seed; who is not
 * known is told apart by what the context has.
 */
static bool
draws_last(const RecsysShopProfile *profile, double share, int k, uint64 kind)
{
	double		part = share * k - floor(share * k + 1e-9);
	uint64		drawn = profile->user_hash;

	if (!(share > 0) || share > 1 || !(part > 1e-9))
		return false;
	for (int i = 0; i < profile->ncontext_items && profile->user_hash == 0; i++)
	{
		RecsysKey	key;

		RecsysCatalogueKey(profile->catalogue, profile->context_items[i], &key);
		drawn += RecsysKeyHash(RecsysCatalogueKind(profile->catalogue), &key, 0);
	}
	drawn = RecsysRandomMix(drawn ^ RecsysRandomMix((uint64) profile->shop->definition->seed + kind));
	return (double) (drawn >> 11) / 9007199254740992.0 < part;
}

static RecsysArrangeItem *
make_items(const RecsysItemRow *rows, const ScoredRow *order, int n)
{
	RecsysArrangeItem *items = MemoryContextAllocHuge(CurrentMemoryContext,
													  sizeof(RecsysArrangeItem) * (Size) n);

	for (int i = 0; i < n; i++)
	{
		const RecsysItemRow *row = &rows[order[i].row];

		items[i].score = Max(order[i].score, 0);
		items[i].category = row->category;
		items[i].group = row->group;
		items[i].labels = row->caps;
		items[i].is_new = row->is_new;
		items[i].is_new_seller = row->is_new_seller;
	}
	return items;
}

static int
arrange(const RecsysShopProfile *profile, RecsysItems *items, RecsysItemRow *rows,
		const ScoredRow *order, int n, int k, bool is_all, int *chosen)
{
	const RecsysDefinition *definition = profile->shop->definition;
	RecsysArrangeRules rules = {
		.ncaps = definition->ncaps,
		.diversity = definition->diversity,
		.mix = definition->category_mix,
		.new_item_share = definition->new_item_share,
		.new_seller_share = definition->new_seller_share,
		.exchange = is_all
	};
	RecsysArrangeItem *arranged = make_items(rows, order, n);
	Ordered		ordered = {.order = order};
	int		   *caps = palloc(sizeof(int) * Max(definition->ncaps, 1));
	double	   *target = NULL;
	int			count;

	for (int c = 0; c < definition->ncaps; c++)
		caps[c] = definition->caps[c].most;
	rules.caps = caps;
	if (definition->diversity > 0)
	{
		ordered.likeness = RecsysItemLikenessCreate(profile, rows, n);
		rules.likeness = likeness_of;
		rules.likeness_arg = &ordered;
	}
	if (definition->category_mix > 0)
	{
		rules.ntarget = RecsysCategoryTarget(profile, items, &target);
		rules.target = target;
	}
	rules.last_is_new_item = draws_last(profile, definition->new_item_share, k, 1);
	rules.last_is_new_seller = draws_last(profile, definition->new_seller_share, k, 2);

	count = RecsysArrange(&rules, arranged, n, k, chosen);
	for (int i = 0; i < count; i++)
		chosen[i] = order[chosen[i]].row;
	if (ordered.likeness != NULL)
		RecsysItemLikenessFree(ordered.likeness);
	if (target != NULL)
		pfree(target);
	pfree(caps);
	pfree(arranged);
	return count;
}

int
RecsysOrderRows(const RecsysShopProfile *profile, RecsysItems *items, RecsysItemRow *rows,
				double *scores, int n, int k, bool is_all, int *chosen)
{
	const RecsysDefinition *definition = profile->shop->definition;
	ScoredRow  *order;
	int			count = Min(n, k);

	if (count <= 0)
		return 0;
	if (RecsysHasRowFactors(definition))
		RecsysApplyRowFactors(profile, rows, scores, n);
	order = sort_rows(scores, n);
	if (n > 1 && has_rules(definition))
		count = arrange(profile, items, rows, order, n, k, is_all, chosen);
	else
		for (int i = 0; i < count; i++)
			chosen[i] = order[i].row;
	pfree(order);
	return count;
}
