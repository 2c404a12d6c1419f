/*
 * poolfew.c
 *	  A pool of which few items pass: these are read, and looked up from then on.
 *
 * Looking for one in 10,000 among the candidates would ask the table for all of them.  The few
 * are ranked by their own scores instead, and what is left of them by its users.
 */
#include "postgres.h"

#include "api/serve/poolstate.h"
#include "miscadmin.h"

/*
 * Below this share all that pass are read, if they are not more than so many: at once if the
 * planner expects it, else when so many candidates have been looked at.
 */
#define FEW_SHARE 0.02
#define FEW_ROWS 20000
#define FEW_SEEN 500

static int
next_ranked(void *arg, int n, const RecsysScored **best)
{
	RecsysPoolState *state = arg;

	*best = state->ranked;
	return Min(n, state->nranked);
}

static int
compare_ranked(const void *a, const void *b, void *arg)
{
	const RecsysScored *left = a;
	const RecsysScored *right = b;

	CHECK_FOR_INTERRUPTS();
	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	return RecsysKeyOrderCompare(arg, left->item, right->item);
}

/* All that pass and have a score are ranked by that, instead of looking for them among all candidates. */
static void
rank_all(RecsysPool *pool)
{
	RecsysPoolState *state = pool->state;
	RecsysKeyOrder order = RecsysCatalogueOrder(pool->profile->catalogue);

	if (state->scores == NULL)
		return;
	state->ranked = palloc(sizeof(RecsysScored) * Max(state->nall, 1));
	for (int i = 0; i < state->nall; i++)
	{
		double		score = RecsysScoresOf(state->scores, state->all[i].slot);

		if (score > 0)
			state->ranked[state->nranked++] = (RecsysScored)
		{
			state->all[i].slot, (float) score
		};
	}
	qsort_arg(state->ranked, state->nranked, sizeof(RecsysScored), compare_ranked, &order);
	state->source = next_ranked;
	state->arg = state;
	state->offered = 0;
}

void
RecsysPoolReadFew(RecsysPool *pool)
{
	RecsysPoolState *state = pool->state;

	if (pool->profile->shop->definition->items == NULL || state->asked_all)
		return;
	if (state->offered == 0 ? RecsysItemsShare(pool->items) > FEW_SHARE :
		state->offered < FEW_SEEN || state->passed > FEW_SHARE * state->offered)
		return;
	state->asked_all = true;
	state->nall = RecsysItemsAll(pool->items, FEW_ROWS, RECSYS_ITEMS_ALL, &state->all);
	if (state->nall >= FEW_ROWS)
	{
		state->all = NULL;
		state->nall = 0;
		return;
	}
	state->all_places = places_create(state->context, Max(state->nall, 16), NULL);
	for (int i = 0; i < state->nall; i++)
	{
		bool		found;

		places_insert(state->all_places, state->all[i].slot, &found)->place = i;
	}
	rank_all(pool);
}

int
RecsysPoolThatPass(RecsysPool *pool, const uint32 *slots, int n, RecsysItemRow *rows)
{
	RecsysPoolState *state = pool->state;
	int			count = 0;

	if (state->all_places == NULL)
		return RecsysItemsAmong(pool->items, slots, n, rows);
	for (int i = 0; i < n; i++)
	{
		PlaceEntry *entry = places_lookup(state->all_places, slots[i]);

		if (entry != NULL)
			rows[count++] = state->all[entry->place];
	}
	return count;
}

void
RecsysPoolTakeFew(RecsysPool *pool)
{
	RecsysPoolState *state = pool->state;
	RecsysKeyOrder order = RecsysCatalogueOrder(pool->profile->catalogue);
	RecsysScored *left = palloc(sizeof(RecsysScored) * Max(state->nall, 1));
	uint32	   *slots = palloc(sizeof(uint32) * Max(state->nall, 1));
	int			n = 0;

	for (int i = 0; i < state->nall; i++)
	{
		uint32		slot = state->all[i].slot;

		if (places_lookup(state->taken, slot) == NULL && RecsysPoolReserve(pool, slot) == RECSYS_NO_RESERVE)
			left[n++] = (RecsysScored)
		{
			slot, (float) RecsysUsersOf(pool->profile, slot)
		};
	}
	qsort_arg(left, n, sizeof(RecsysScored), compare_ranked, &order);
	while (n > 0 && left[n - 1].score == 0)
		n--;
	for (int i = 0; i < n; i++)
	{
		slots[i] = left[i].item;
		(void) RecsysPoolHasComeUp(state, slots[i]);
	}
	RecsysPoolTakeSlots(pool, slots, n, "popular");
	pfree(left);
	pfree(slots);
}
