/*
 * pool.c
 *	  The items that a list is chosen from: the best candidates that may be shown.
 *
 * Which way is taken is a question of cost alone.  A batch asks for as many candidates as are
 * expected to hold what is missing, by the share that has passed so far.
 */
#include "postgres.h"

#include "am/graph/itemorder.h"
#include "api/eligible/fallback.h"
#include "api/serve/poolstate.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* A batch has at least, and at most, so many candidates. */
#define MIN_BATCH 8
#define MAX_BATCH 4096

/* What has less than that left of it stands in only when all others do. */
#define TIRED 0.5

static bool
contains(const uint32 *slots, int n, uint32 slot)
{
	return n > 0 && bsearch(&slot, slots, n, sizeof(uint32), RecsysCompareItemNumbers) != NULL;
}

RecsysPool *
RecsysPoolCreate(const RecsysShopProfile *profile, RecsysItems *items, RecsysCandidateSource source,
				 void *arg, const RecsysScores *scores, RecsysStandIns stand_ins)
{
	RecsysPool *pool = palloc0(sizeof(RecsysPool));
	RecsysPoolState *state = palloc0(sizeof(RecsysPoolState));

	pool->profile = profile;
	pool->items = items;
	pool->stand_ins = stand_ins;
	pool->state = state;
	state->context = CurrentMemoryContext;
	state->source = source;
	state->arg = arg;
	state->scores = scores;
	state->taken = places_create(CurrentMemoryContext, 256, NULL);
	state->shown = places_create(CurrentMemoryContext, 256, NULL);

	state->nbarred = profile->nseen + profile->nexcluded;
	state->barred = palloc(sizeof(uint32) * Max(state->nbarred, 1));
	for (int i = 0; i < profile->nseen; i++)
		state->barred[i] = profile->seen[i];
	for (int i = 0; i < profile->nexcluded; i++)
		state->barred[profile->nseen + i] = profile->excluded[i];
	qsort(state->barred, state->nbarred, sizeof(uint32), RecsysCompareItemNumbers);
	state->nexcluded = profile->nexcluded;
	state->excluded = palloc(sizeof(uint32) * Max(state->nexcluded, 1));
	if (state->nexcluded > 0)
		memcpy(state->excluded, profile->excluded, sizeof(uint32) * state->nexcluded);
	qsort(state->excluded, state->nexcluded, sizeof(uint32), RecsysCompareItemNumbers);
	return pool;
}

/* Is one of n slots, ascending, the item or of its group? */
static bool
is_of_those(RecsysPool *pool, const RecsysItemRow *row, const uint32 *slots, int n)
{
	if (n == 0)
		return false;
	return contains(slots, n, row->slot) ||
		(row->group != 0 && RecsysItemsHasGroup(pool->items, row, slots, n));
}

/* What the call excludes is never shown, what the user has only if it may come again. */
static bool
is_barred(RecsysPool *pool, const RecsysItemRow *row)
{
	RecsysPoolState *state = pool->state;

	if (pool->barred_category != 0 && row->category == pool->barred_category)
		return true;
	if (row->is_repeatable)
		return is_of_those(pool, row, state->excluded, state->nexcluded);
	return is_of_those(pool, row, state->barred, state->nbarred);
}

/* Has the item come up before?  It has from now on. */
bool
RecsysPoolHasComeUp(RecsysPoolState *state, uint32 slot)
{
	bool		found;

	(void) places_insert(state->taken, slot, &found);
	return found;
}

static void
make_room(RecsysPool *pool)
{
	if (pool->count < pool->room)
		return;
	if (pool->room == 0)
	{
		pool->room = 128;
		pool->rows = palloc(sizeof(RecsysItemRow) * pool->room);
		pool->scores = palloc(sizeof(double) * pool->room);
		pool->scored = palloc(sizeof(uint32) * pool->room);
		pool->sources = palloc(sizeof(char *) * pool->room);
		pool->details = palloc(sizeof(char *) * pool->room);
		return;
	}
	pool->room *= 2;
	pool->rows = repalloc_huge(pool->rows, sizeof(RecsysItemRow) * pool->room);
	pool->scores = repalloc_huge(pool->scores, sizeof(double) * pool->room);
	pool->scored = repalloc_huge(pool->scored, sizeof(uint32) * pool->room);
	pool->sources = repalloc_huge(pool->sources, sizeof(char *) * pool->room);
	pool->details = repalloc_huge(pool->details, sizeof(char *) * pool->room);
}

static void
put(RecsysPool *pool, const RecsysItemRow *row, double score, uint32 scored, const char *source,
	const char *detail)
{
	make_room(pool);
	pool->rows[pool->count] = *row;
	pool->scores[pool->count] = score;
	pool->scored[pool->count] = scored;
	pool->sources[pool->count] = source;
	pool->details[pool->count] = detail;
	pool->count++;
}

/* A candidate or stand-in on its way into the pool */
typedef struct Arrival
{
	uint32		slot;
	double		score;
	const char *source;
	const char *detail;
} Arrival;

/*
 * Takes those of n arrivals that pass.  Where an item is replaced by another offer of its
 * group the score stays.
 */
static void
take(RecsysPool *pool, const Arrival *arrivals, int n)
{
	RecsysPoolState *state = pool->state;
	RecsysItemRow *rows = palloc(sizeof(RecsysItemRow) * Max(n, 1));
	const Arrival **kept = palloc(sizeof(Arrival *) * Max(n, 1));
	uint32	   *slots = palloc(sizeof(uint32) * Max(n, 1));
	int			npassed;
	int			next = 0;
	int			count = 0;

	for (int i = 0; i < n; i++)
		slots[i] = arrivals[i].slot;
	npassed = n > 0 ? RecsysPoolThatPass(pool, slots, n, rows) : 0;

	/* rows are in the order of the slots */
	for (int i = 0; i < npassed; i++)
	{
		while (next < n && slots[next] != rows[i].slot)
			next++;
		Assert(next < n);
		if (is_barred(pool, &rows[i]))
			continue;
		kept[count] = &arrivals[next];
		rows[count++] = rows[i];
	}
	RecsysItemsOffers(pool->items, rows, count);
	for (int i = 0; i < count; i++)
	{
		bool		found;

		/* an offer that came up for itself comes again for another one of its group */
		(void) places_insert(state->shown, rows[i].slot, &found);
		if (!found)
			put(pool, &rows[i], kept[i]->score, kept[i]->slot, kept[i]->source, kept[i]->detail);
	}
	pfree(rows);
	pfree(kept);
	pfree(slots);
}

/* The same for slots that have no scores and come from one place */
void
RecsysPoolTakeSlots(RecsysPool *pool, const uint32 *slots, int n, const char *source)
{
	Arrival    *arrivals = palloc(sizeof(Arrival) * Max(n, 1));

	for (int i = 0; i < n; i++)
		arrivals[i] = (Arrival) {slots[i], 0.0, source, NULL};
	take(pool, arrivals, n);
	pfree(arrivals);
}

static int
batch_size(const RecsysPool *pool, int want, bool about)
{
	RecsysPoolState *state = pool->state;
	double		missing = want - pool->count;
	double		share;

	if (state->offered == 0)
		share = pool->profile->shop->definition->items == NULL ? 1.0 :
			Min(RecsysItemsShare(pool->items), 1.0);
	else
		share = (state->passed + 1.0) / (state->offered + 1.0);

	/* a few more than needed cost less than another batch */
	missing = (about ? missing : missing * 1.1 + 2) / Max(share, 0.001);
	return (int) Max(MIN_BATCH, Min(missing, MAX_BATCH));
}

/* One more batch of candidates; none with an empty source. */
static void
take_candidates(RecsysPool *pool, int want, bool about)
{
	RecsysPoolState *state = pool->state;
	int			size = batch_size(pool, want, about);
	const RecsysScored *best;
	int			there = state->source(state->arg, state->offered + size, &best);
	Arrival    *arrivals = palloc(sizeof(Arrival) * Max(size, 1));
	int			before = pool->count;
	int			n = 0;

	/* without a history it is but popularity that speaks for them */
	const char *source = pool->profile->has_history ? "history" : "popular";

	state->source_done = there < state->offered + size;
	for (int i = state->offered; i < Min(there, state->offered + size); i++)
		if (!RecsysPoolHasComeUp(state, best[i].item))
			arrivals[n++] = (Arrival) {best[i].item, best[i].score,
				state->scores != NULL && RecsysScoresByContent(state->scores, best[i].item) ?
			"content" : source, NULL};
	take(pool, arrivals, n);
	state->offered = there;
	state->passed += pool->count - before;
	pfree(arrivals);
}

RecsysReserve
RecsysPoolReserve(const RecsysPool *pool, uint32 slot)
{
	const RecsysScores *scores = pool->state->scores;

	if (scores != NULL && RecsysScoresOf(scores, slot) < 0)
		return RECSYS_PUSHED_DOWN;

	/* without a table of items there is no last step that would bring it back */
	if (pool->tired != NULL && pool->profile->shop->definition->items != NULL &&
		RecsysTiredFactor(pool->tired, slot) < TIRED)
		return RECSYS_SHOWN_IN_VAIN;
	return RECSYS_NO_RESERVE;
}

/* May what comes from there stand in? */
static bool
is_near_enough(const RecsysPool *pool, const char *source)
{
	return pool->stand_ins == RECSYS_STAND_IN_ANYTHING || strcmp(source, "category") == 0 ||
		strcmp(source, "seller") == 0;
}

/*
 * Some more stand-ins, of several lists if these are short, since each look into the shop's
 * table has its price.  Those that something speaks against come last, with all the rest.
 */
static void
take_stand_ins(RecsysPool *pool, int want)
{
	RecsysPoolState *state = pool->state;
	int			size = Max(MIN_BATCH, Min(2 * (want - pool->count), MAX_BATCH));
	uint32	   *slots = palloc(sizeof(uint32) * size);
	Arrival    *arrivals = palloc(sizeof(Arrival) * size);
	int			n = 0;

	if (state->fallback == NULL)
	{
		state->fallback = RecsysFallbackBegin(pool->profile);
		if (state->all_places != NULL)
			RecsysFallbackListsOnly(state->fallback);
	}
	while (n < size)
	{
		const char *source;
		const char *detail;
		int			there = RecsysFallbackNext(state->fallback, size - n, slots, &source, &detail);

		CHECK_FOR_INTERRUPTS();
		state->fallback_done = there == 0 || !is_near_enough(pool, source);
		if (state->fallback_done)
			break;
		for (int i = 0; i < there; i++)
			if (RecsysPoolReserve(pool, slots[i]) == RECSYS_NO_RESERVE && !RecsysItemIsTooOld(pool->profile, slots[i]) &&
				!RecsysPoolHasComeUp(state, slots[i]))
				arrivals[n++] = (Arrival) {slots[i], 0.0, source, detail};
	}
	take(pool, arrivals, n);
	pfree(slots);
	pfree(arrivals);
}

/* What passes and has not come up, in the order of keys; what is held back last. */
static void
take_anything(RecsysPool *pool, int want)
{
	RecsysPoolState *state = pool->state;
	RecsysItemRow *rows;
	uint32	   *slots;
	int			count;

	if (pool->profile->shop->definition->items == NULL)
	{
		state->all_done = true;
		return;
	}
	if (state->all_places != NULL)
	{
		RecsysPoolTakeFew(pool);
		rows = state->all;
		count = state->nall;
		state->all_done = true;
	}
	else
	{
		state->all_limit = Max(state->all_limit * 4, want + (int) state->taken->members + MIN_BATCH);
		count = RecsysItemsAll(pool->items, state->all_limit, RECSYS_ITEMS_ALL, &rows);
		state->all_done = count < state->all_limit;
	}

	slots = palloc(sizeof(uint32) * Max(count, 1));
	for (int pass = RECSYS_NO_RESERVE; pass <= RECSYS_PUSHED_DOWN; pass++)
	{
		int			n = 0;

		for (int i = 0; i < count; i++)
			if (places_lookup(state->taken, rows[i].slot) == NULL &&
				(int) RecsysPoolReserve(pool, rows[i].slot) == pass &&
				!RecsysItemIsTooOld(pool->profile, rows[i].slot))
				slots[n++] = rows[i].slot;
		/* when there are more to come, what is held back waits for them */
		if (pass > RECSYS_NO_RESERVE && !state->all_done)
			break;
		for (int i = 0; i < n; i += MAX_BATCH)
			RecsysPoolTakeSlots(pool, slots + i, Min(n - i, MAX_BATCH), "any");
		for (int i = 0; i < n; i++)
			(void) RecsysPoolHasComeUp(state, slots[i]);
	}
	pfree(slots);
}

bool
RecsysPoolGrow(RecsysPool *pool, int want, int least)
{
	RecsysPoolState *state = pool->state;
	MemoryContext old = MemoryContextSwitchTo(state->context);
	bool		with_lists = pool->stand_ins != RECSYS_STAND_IN_NOTHING;
	bool		with_all = pool->stand_ins == RECSYS_STAND_IN_ANYTHING;
	int			enough = Max(least, want - want / 8);

	while (pool->count < enough && !state->source_done)
	{
		CHECK_FOR_INTERRUPTS();
		RecsysPoolReadFew(pool);
		take_candidates(pool, want, want > enough);
	}
	while (pool->count < enough && with_lists && !state->fallback_done)
	{
		CHECK_FOR_INTERRUPTS();
		take_stand_ins(pool, want);
	}
	while (pool->count < enough && with_all && !state->all_done)
	{
		CHECK_FOR_INTERRUPTS();
		take_anything(pool, want);
	}
	MemoryContextSwitchTo(old);
	return !state->source_done || (with_lists && !state->fallback_done) ||
		(with_all && !state->all_done);
}

void
RecsysPoolFree(RecsysPool *pool)
{
	if (pool->state->fallback != NULL)
		RecsysFallbackEnd(pool->state->fallback);
}
