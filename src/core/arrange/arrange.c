/*
 * arrange.c
 *	  From scored items to a list that keeps a shop's rules.
 *
 * Items are looked at in the order of their scores.  An item's likeness to the list only
 * grows, and nobody is better than its score with no likeness and the largest gain: so the
 * rest need not be looked at once that is no better than the best so far, and likeness is
 * asked for only where what is known of it does not suffice.
 */
#include "core/arrange/arrange.h"

#include <math.h>

#include "core/arrange/categorymix.h"
#include "core/arrange/exchange.h"
#include "core/arrange/placelimits.h"

/* Values that differ by less are equal: sums of the same terms may differ in their last digits. */
#define EQUAL 1e-12

/* Which items a place is for */
typedef enum PlaceKind
{
	FOR_ANY,
	FOR_NEW_ITEM,
	FOR_NEW_SELLER,
	FOR_BOTH
} PlaceKind;

#define PLACE_KINDS 4

/* A share of the places that is kept */
typedef struct KeptShare
{
	double		share;
	bool		last;			/* the last place of the list, too */
	bool		is_met;			/* since the last place that was kept */
} KeptShare;

typedef struct Arrangement
{
	const RecsysArrangeRules *rules;
	const RecsysArrangeItem *items;
	int			n;
	int			k;
	int		   *chosen;
	int			count;

	RecsysLimits limits;
	bool	   *gone;			/* in the list, or breaks a rule */
	int			first[PLACE_KINDS]; /* all before it that are of the kind are gone */
	KeptShare	items_share;
	KeptShare	sellers_share;

	double		highest;
	double		diversity;
	double		mixing;
	RecsysMix	mix;
	double	   *likeness;		/* to the first `compared` items of the list; NULL without diversity */
	int		   *compared;
} Arrangement;

static bool
is_of_kind(const RecsysArrangeItem *item, PlaceKind kind)
{
	switch (kind)
	{
		case FOR_NEW_ITEM:
			return item->is_new;
		case FOR_NEW_SELLER:
			return item->is_new_seller;
		case FOR_BOTH:
			return item->is_new && item->is_new_seller;
		case FOR_ANY:
			break;
	}
	return true;
}

/* Is the item left for a place of the kind?  Notes when it never will be again. */
static bool
is_candidate(Arrangement *a, int i, PlaceKind kind)
{
	if (a->gone[i] || !is_of_kind(&a->items[i], kind))
		return false;
	if (RecsysLimitsAllow(&a->limits, &a->items[i]))
		return true;
	a->gone[i] = true;
	return false;
}

static double
likeness_of(const Arrangement *a, int i, int other)
{
	double		likeness;

	if (a->rules->likeness == NULL)
		return a->items[i].category != 0 && a->items[i].category == a->items[other].category ? 1 : 0;
	likeness = a->rules->likeness(a->rules->likeness_arg, i, other);
	return likeness > 0 ? Min(likeness, 1) : 0;
}

/* Score and gain, which need no comparing */
static double
own_value(const Arrangement *a, int i)
{
	double		value = 0;

	if (a->highest > 0)
		value = (1 - a->diversity - a->mixing) * (a->items[i].score / a->highest);
	if (a->mixing > 0)
		value += a->mixing * RecsysMixGain(&a->mix, a->items[i].category);
	return value;
}

/* The value of an item if it is more than that of the best so far, else anything not above. */
static double
value_above(Arrangement *a, int i, double best)
{
	double		own = own_value(a, i);

	if (a->diversity == 0)
		return own;
	while (a->compared[i] < a->count && own + a->diversity * (1 - a->likeness[i]) > best)
	{
		double		likeness = likeness_of(a, i, a->chosen[a->compared[i]++]);

		a->likeness[i] = Max(a->likeness[i], likeness);
	}
	return own + a->diversity * (1 - a->likeness[i]);
}

/* The best of those with a score no better than the given one cannot be above this. */
static double
bound(const Arrangement *a, int i)
{
	double		value = a->diversity + a->mixing;

	if (a->highest > 0)
		value += (1 - a->diversity - a->mixing) * (a->items[i].score / a->highest);
	return value;
}

/* The best item for a place of the kind, or -1 */
static int
find_best(Arrangement *a, PlaceKind kind)
{
	bool		by_score = (a->diversity == 0 && a->mixing == 0) ||
		a->count >= RECSYS_WEIGHED_PLACES;
	int			best = -1;
	double		best_value = -1;

	while (a->first[kind] < a->n && !is_candidate(a, a->first[kind], kind))
	{
		if ((++a->first[kind] & 0x3FF) == 0)
			CHECK_FOR_INTERRUPTS();
	}
	if (by_score)
		return a->first[kind] < a->n ? a->first[kind] : -1;

	for (int i = a->first[kind]; i < a->n && bound(a, i) > best_value; i++)
	{
		double		value;

		if ((i & 0x3FF) == 0)
			CHECK_FOR_INTERRUPTS();
		/* those without a score come last */
		if (best >= 0 && a->items[best].score > 0 && !(a->items[i].score > 0))
			break;
		if (!is_candidate(a, i, kind))
			continue;
		value = value_above(a, i, best_value);
		if (value > best_value + EQUAL)
		{
			best = i;
			best_value = value;
		}
	}
	return best;
}

static void
put(Arrangement *a, int i)
{
	a->chosen[a->count++] = i;
	a->gone[i] = true;
	RecsysLimitsAdd(&a->limits, &a->items[i]);
	if (a->mixing > 0)
		RecsysMixAdd(&a->mix, a->items[i].category);
}

/* Whole numbers of places are to be whole in spite of rounding: 100 * 0.29 is less than 29. */
static double
ends_before(double share, int place)
{
	return floor(share * place + 1e-9);
}

/* Is a place, counted from 1, one that is kept? */
static bool
is_kept(const Arrangement *a, const KeptShare *kept, int place)
{
	if (!(kept->share > 0) || place > a->k)
		return false;
	return ends_before(kept->share, place) > ends_before(kept->share, place - 1) ||
		(kept->last && place == a->k);
}

/* What for the next place is, in the order of what to look for */
static int
kinds_of_place(const Arrangement *a, PlaceKind *kinds)
{
	int			place = a->count + 1;
	bool		item = !a->items_share.is_met && is_kept(a, &a->items_share, place);
	bool		seller = !a->sellers_share.is_met && is_kept(a, &a->sellers_share, place);
	bool		both_next = !a->items_share.is_met && !a->sellers_share.is_met &&
		is_kept(a, &a->items_share, place + 1) && is_kept(a, &a->sellers_share, place + 1);
	int			n = 0;

	if (item && seller)
		kinds[n++] = FOR_BOTH;
	if (item)
		kinds[n++] = FOR_NEW_ITEM;
	if (seller || (both_next && !item))
		kinds[n++] = FOR_NEW_SELLER;
	kinds[n++] = FOR_ANY;
	return n;
}

static void
note_share(const Arrangement *a, KeptShare *kept, bool is_new)
{
	/* after a kept place, the next ones are looked at anew */
	kept->is_met = !is_kept(a, kept, a->count) && (kept->is_met || is_new);
}

/* Fills places until there are k or nothing is left. */
static void
fill(Arrangement *a)
{
	while (a->count < a->k)
	{
		PlaceKind	kinds[PLACE_KINDS];
		int			nkinds = kinds_of_place(a, kinds);
		int			best = -1;

		for (int x = 0; x < nkinds && best < 0; x++)
			best = find_best(a, kinds[x]);
		if (best < 0)
			break;
		put(a, best);
		note_share(a, &a->items_share, a->items[best].is_new);
		note_share(a, &a->sellers_share, a->items[best].is_new_seller);
	}
}

/* Between 0 and 1; NaN is 0 */
static double
as_share(double value)
{
	return value > 0 ? Min(value, 1) : 0;
}

static void
begin(Arrangement *a)
{
	const RecsysArrangeRules *rules = a->rules;

	a->gone = recsys_alloc_huge_zero(sizeof(bool) * (Size) a->n);
	a->highest = isfinite(a->items[0].score) ? a->items[0].score : 0;
	a->diversity = as_share(rules->diversity);
	a->mixing = as_share(rules->mix);
	if (a->mixing > 0 && !RecsysMixInit(&a->mix, rules->target, rules->ntarget))
		a->mixing = 0;
	if (a->diversity + a->mixing > 1)
	{
		double		sum = a->diversity + a->mixing;

		a->diversity /= sum;
		a->mixing = 1 - a->diversity;
	}
	if (a->diversity > 0)
	{
		a->likeness = recsys_alloc_huge_zero(sizeof(double) * (Size) a->n);
		a->compared = recsys_alloc_huge_zero(sizeof(int) * (Size) a->n);
	}
	a->items_share.share = as_share(rules->new_item_share);
	a->items_share.last = rules->last_is_new_item;
	a->sellers_share.share = as_share(rules->new_seller_share);
	a->sellers_share.last = rules->last_is_new_seller;
	RecsysLimitsInit(&a->limits, rules->ncaps, rules->caps);
}

static void
end(Arrangement *a)
{
	RecsysLimitsFree(&a->limits);
	if (a->mixing > 0)
		RecsysMixFree(&a->mix);
	if (a->likeness != NULL)
	{
		pfree(a->likeness);
		pfree(a->compared);
	}
	pfree(a->gone);
}

/* The list anew, of those items only that are in. */
static void
fill_again(Arrangement *a, const bool *in)
{
	RecsysLimitsFree(&a->limits);
	RecsysLimitsInit(&a->limits, a->rules->ncaps, a->rules->caps);
	if (a->mixing > 0)
		RecsysMixReset(&a->mix);
	for (int i = 0; i < a->n; i++)
	{
		a->gone[i] = !in[i];
		if (a->diversity > 0)
			a->likeness[i] = a->compared[i] = 0;
	}
	memset(a->first, 0, sizeof(a->first));
	a->items_share.is_met = a->sellers_share.is_met = false;
	a->count = 0;
	fill(a);
}

int
RecsysArrange(const RecsysArrangeRules *rules, const RecsysArrangeItem *items, int n, int k, int *chosen)
{
	Arrangement a = {.rules = rules, .items = items, .n = n, .k = Min(k, n), .chosen = chosen};

	if (n <= 0 || k <= 0)
		return 0;
	begin(&a);
	a.k = k;
	fill(&a);
	if (rules->exchange && a.count < Min(k, n))
	{
		bool	   *in = recsys_alloc_huge_zero(sizeof(bool) * (Size) n);

		for (int x = 0; x < a.count; x++)
			in[chosen[x]] = true;
		if (RecsysExchange(rules->ncaps, rules->caps, items, n, k, in) > a.count)
			fill_again(&a, in);
		pfree(in);
	}
	end(&a);
	return a.count;
}
