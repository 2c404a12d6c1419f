/*
 * banditview.c
 *	  A bandit's state as choices see it, and how likely each arm is by that.
 *
 * A session keeps the state of each bandit for a second: what others count meanwhile is not seen,
 * which costs a choice next to nothing, and what is logged is the share that was drawn by.
 */
#include "postgres.h"

#include <math.h>

#include "api/keep/keeper.h"
#include "api/route/banditfold.h"
#include "api/route/banditview.h"
#include "common/hashfn.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define KEPT_MS 1000

/* Shares of a place, for those who may be shown the same candidates */
#define MOST_KEPT 16

typedef struct KeptShares
{
	uint64		items;			/* hash of the place and the candidates */
	int			n;
	double	   *shares;
} KeptShares;

typedef struct View
{
	MemoryContext context;
	uint64		serial;			/* of the bandit */
	RecsysBanditState *state;
	double	   *shares;			/* of a policy without features; NULL: not computed */
	const RecsysLinearFit **fits;	/* of one with features; NULL: not solved */
	KeptShares	kept[MOST_KEPT];
	int			nkept;
} View;

static List *views = NIL;

static View *
find_view(const RecsysBandit *bandit)
{
	ListCell   *cell;

	foreach(cell, views)
	{
		View	   *view = lfirst(cell);

		if (view->serial == bandit->serial)
			return view;
	}
	return NULL;
}

static bool
is_fresh(const View *view)
{
	return !view->state->bandit->has_seed &&
		!TimestampDifferenceExceeds(view->state->as_of, GetCurrentTimestamp(), KEPT_MS);
}

/* Views of bandits that have changed go when they are old: a call may be using one. */
static void
forget_old(void)
{
	ListCell   *cell;

	foreach(cell, views)
	{
		View	   *view = lfirst(cell);

		if (TimestampDifferenceExceeds(view->state->as_of, GetCurrentTimestamp(), 60 * KEPT_MS))
		{
			views = foreach_delete_current(views, cell);
			MemoryContextDelete(view->context);
		}
	}
}

static View *
read_view(const RecsysBandit *bandit)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys bandit view",
												  ALLOCSET_SMALL_SIZES);
	View	   *view = MemoryContextAllocZero(context, sizeof(View));
	RecsysBandit *copy = MemoryContextAlloc(context, sizeof(RecsysBandit));
	RecsysRights before;
	MemoryContext old;

	RecsysBeginAsKeeper(&before);
	view->state = RecsysReadBanditRows(bandit, true, context);
	RecsysAddBanditDeltas(view->state);
	RecsysEndAsKeeper(&before);
	RecsysNoteBanditBacklog(bandit, view->state->deltas);

	/* the bandit itself may be gone when the view still is there: only its numbers are looked at */
	*copy = *bandit;
	view->state->bandit = copy;
	view->context = context;
	view->serial = bandit->serial;
	MemoryContextSetParent(context, CacheMemoryContext);
	old = MemoryContextSwitchTo(CacheMemoryContext);
	views = lappend(views, view);
	MemoryContextSwitchTo(old);
	return view;
}

void
RecsysForgetBanditView(const RecsysBandit *bandit)
{
	View	   *view = find_view(bandit);

	if (view != NULL)
	{
		views = list_delete_ptr(views, view);
		MemoryContextDelete(view->context);
	}
}

static View *
view_of(const RecsysBandit *bandit)
{
	View	   *view = find_view(bandit);

	if (view != NULL && is_fresh(view))
		return view;
	RecsysForgetBanditView(bandit);
	forget_old();
	return read_view(bandit);
}

RecsysBanditState *
RecsysBanditNow(const RecsysBandit *bandit)
{
	return view_of(bandit)->state;
}

/* What comes in late, or is decayed, may be off by a rounding. */
static RecsysArmCounts
counts_of(RecsysBanditState *state, const char *name, int place)
{
	RecsysArmCounts counts = {0, 0, 0};
	const RecsysBanditArm *arm = RecsysFindBanditArm(state, name, place, false);

	if (arm == NULL)
		return counts;
	counts = arm->counts;
	counts.trials = Max(counts.trials, 0);
	if (RecsysBanditIsCapped(state->bandit))
		counts.sum = Max(0, Min(counts.sum, counts.trials));
	counts.squares = Max(counts.squares, 0);
	return counts;
}

/* Each gets at least the minimum; what is above it shares the rest. */
static void
raise_shares(double *shares, int n, double minimum)
{
	double		rest = 1 - n * minimum;

	if (minimum > 0)
		for (int i = 0; i < n; i++)
			shares[i] = minimum + Max(rest, 0) * shares[i];
}

static void
solve(const RecsysBandit *bandit, View *view)
{
	const RecsysLinearFit **fits = MemoryContextAlloc(view->context,
													  sizeof(RecsysLinearFit *) * bandit->narms);

	for (int i = 0; i < bandit->narms; i++)
	{
		const RecsysBanditArm *arm = RecsysFindBanditArm(view->state, bandit->arms[i], 0, false);
		RecsysLinearFit *fit = MemoryContextAlloc(view->context, sizeof(RecsysLinearFit));

		RecsysLinearSolve(arm != NULL ? arm->sums : NULL, bandit->options.dimension,
						  bandit->options.ridge, fit);
		fits[i] = fit;
	}
	view->fits = fits;
}

static void
compute_shares(const RecsysBandit *bandit, View *view, const double *features, double *shares)
{
	RecsysPolicyInput input = {.narms = bandit->narms};
	RecsysArmCounts *counts;

	if (RecsysPolicyIsLinear(bandit->options.kind))
	{
		if (view->fits == NULL)
			solve(bandit, view);
		input.fits = view->fits;
		input.features = features;
		RecsysPolicyShares(&bandit->options, &input, shares);
	}
	else
	{
		counts = palloc(sizeof(RecsysArmCounts) * bandit->narms);
		for (int i = 0; i < bandit->narms; i++)
			counts[i] = counts_of(view->state, bandit->arms[i], 0);
		input.arms = counts;
		RecsysPolicyShares(&bandit->options, &input, shares);
		pfree(counts);
	}
	raise_shares(shares, bandit->narms, bandit->minimum_share);
}

void
RecsysBanditShares(const RecsysBandit *bandit, const double *features, double *shares)
{
	View	   *view = view_of(bandit);

	if (view->shares == NULL)
	{
		compute_shares(bandit, view, features, shares);
		if (RecsysPolicyIsLinear(bandit->options.kind))
			return;
		view->shares = MemoryContextAlloc(view->context, sizeof(double) * bandit->narms);
		memcpy(view->shares, shares, sizeof(double) * bandit->narms);
	}
	else
		memcpy(shares, view->shares, sizeof(double) * bandit->narms);
}

/* The base list's item has at least the minimum; candidates share what is left as they did. */
static void
raise_base(double *shares, int n, double minimum)
{
	double		factor;

	if (shares[0] >= minimum)
		return;
	factor = (1 - minimum) / (1 - shares[0]);
	shares[0] = minimum;
	for (int i = 1; i < n; i++)
		shares[i] *= factor;
}

/* By the policy, for those of n items that are not retired */
static void
compute_place_shares(const RecsysBandit *bandit, RecsysBanditState *state, int place,
					 const char *const *items, int n, double *shares)
{
	RecsysArmCounts *counts = palloc(sizeof(RecsysArmCounts) * (n + 1));
	double	   *of_them = palloc(sizeof(double) * (n + 1));
	int		   *which = palloc(sizeof(int) * (n + 1));
	RecsysPolicyInput input = {.arms = counts};

	counts[input.narms++] = counts_of(state, RECSYS_BASE_ARM, place);
	which[0] = 0;
	memset(shares, 0, sizeof(double) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		const RecsysBanditArm *arm = RecsysFindBanditArm(state, items[i], place, false);

		if (arm != NULL && arm->retired_at != 0)
			continue;
		counts[input.narms] = counts_of(state, items[i], place);
		which[input.narms++] = i + 1;
	}
	RecsysPolicyShares(&bandit->options, &input, of_them);
	raise_base(of_them, input.narms, bandit->minimum_share);
	for (int i = 0; i < input.narms; i++)
		shares[which[i]] = of_them[i];
	pfree(counts);
	pfree(of_them);
	pfree(which);
}

static uint64
hash_items(int place, const char *const *items, int n)
{
	uint64		hash = (uint64) place;

	for (int i = 0; i < n; i++)
		hash = hash_bytes_extended((const unsigned char *) items[i], strlen(items[i]), hash);
	return hash;
}

void
RecsysBanditPlaceShares(const RecsysBandit *bandit, int place, const char *const *items, int n,
						double *shares)
{
	View	   *view = view_of(bandit);
	uint64		hash = hash_items(place, items, n);
	KeptShares *kept;

	for (int i = 0; i < view->nkept; i++)
		if (view->kept[i].items == hash && view->kept[i].n == n)
		{
			memcpy(shares, view->kept[i].shares, sizeof(double) * (n + 1));
			return;
		}
	compute_place_shares(bandit, view->state, place, items, n, shares);
	if (view->nkept == MOST_KEPT)
		return;
	kept = &view->kept[view->nkept++];
	kept->items = hash;
	kept->n = n;
	kept->shares = MemoryContextAlloc(view->context, sizeof(double) * (n + 1));
	memcpy(kept->shares, shares, sizeof(double) * (n + 1));
}

/* Of a policy's share at least so much has to be of what may be shown. */
#define LEAST_SHARE 0.5

void
RecsysBanditPlaceSharesAmong(const RecsysBandit *bandit, int place, const char *const *items,
							 const bool *eligible, int n, double *shares)
{
	const char **those = palloc(sizeof(char *) * Max(n, 1));
	double	   *of_those;
	double		sum;
	int			count = 0;

	RecsysBanditPlaceShares(bandit, place, items, n, shares);
	sum = shares[0];
	for (int i = 0; i < n; i++)
	{
		if (eligible[i])
		{
			those[count++] = items[i];
			sum += shares[i + 1];
		}
		else
			shares[i + 1] = 0;
	}
	if (sum >= LEAST_SHARE)
	{
		for (int i = 0; i <= n; i++)
			shares[i] /= sum;
		pfree(those);
		return;
	}
	of_those = palloc(sizeof(double) * (count + 1));
	RecsysBanditPlaceShares(bandit, place, those, count, of_those);
	shares[0] = of_those[0];
	for (int i = 0, next = 1; i < n; i++)
		shares[i + 1] = eligible[i] ? of_those[next++] : 0;
	pfree(of_those);
	pfree(those);
}

void
RecsysBanditRandom(RecsysBandit *bandit, RecsysRandom *random)
{
	static bool started = false;
	static RecsysRandom own;

	if (bandit->has_seed)
	{
		RecsysRandomStart(random, (uint64) bandit->seed, bandit->draws++);
		return;
	}
	if (!started)
	{
		if (!pg_strong_random(&own, sizeof(own)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random values")));
		started = true;
	}
	RecsysRandomStart(random, RecsysRandomNext(&own), 0);
}
