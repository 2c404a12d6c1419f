/*
 * shopprofile.c
 *	  The first stage: what is known of a user, signal by signal.
 *
 * Times of different signals may be of different types and are compared by their ages.  A
 * signal whose latest act is older than that of another one says less by its own
 * half-life; within the signal decay is counted from its latest act, as by the index.  A
 * context is of now.
 */
#include "postgres.h"

#include <math.h>

#include "am/graph/itemorder.h"
#include "api/declare/popularity.h"
#include "api/profile/evidence.h"
#include "api/profile/signalcontext.h"
#include "api/profile/personas.h"
#include "api/profile/profilequery.h"
#include "api/profile/shardhistory.h"
#include "api/scoring/listing.h"
#include "miscadmin.h"
#include "source/input/clock.h"
#include "source/input/values.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/*
 * The view of a signal that predicts is read with its owner's rights, so who asks has to have the right to
 * read what it is made of.  Of the events it is known.
 */
static void
check_predicted(const RecsysShopProfile *profile, const RecsysSignal *signal)
{
	RecsysRecommender predicted;

	if (signal->predicts == NULL ||
		strcmp(signal->predicts, profile->shop->definition->signals[0].events) == 0)
		return;
	RecsysOpenRecommender(signal->predicts, &predicted);
	RecsysCloseRecommender(&predicted);
}

static void
open_events(RecsysEvidence *evidence)
{
	RecsysDistributed distributed;

	if (!RecsysOpenEvents(evidence->signal->events, &evidence->events, &distributed, &evidence->options))
		return;
	evidence->distributed = palloc(sizeof(RecsysDistributed));
	*evidence->distributed = distributed;
}

static void
open_signals(RecsysShopProfile *profile)
{
	const RecsysDefinition *definition = profile->shop->definition;

	for (int x = 0; x < definition->nsignals; x++)
	{
		RecsysEvidence *evidence = &profile->evidence[x];
		RecsysSignalContext context;

		RecsysBeginSignal(&context, profile->shop, &definition->signals[x], definition->signals[x].events);
		evidence->signal = &definition->signals[x];
		evidence->weight = evidence->signal->weight;
		open_events(evidence);
		profile->nevidence = x + 1;
		if (evidence->events.columns.user_kind != profile->evidence[0].events.columns.user_kind)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("the user keys of index \"%s\" are %s, those of index \"%s\" are %s",
							RelationGetRelationName(evidence->events.definition),
							RecsysKeyKindName(evidence->events.columns.user_kind),
							RelationGetRelationName(profile->evidence[0].events.definition),
							RecsysKeyKindName(profile->evidence[0].events.columns.user_kind)),
					 errdetail("All signals of a recommender are about the same users.")));
		if (x == 0)
			profile->catalogue = RecsysGetCatalogue(profile->shop, evidence->events.columns.item_kind);
		evidence->catalogue = !evidence->signal->other_items ? profile->catalogue :
			RecsysGetOtherCatalogue(profile->shop, evidence->events.columns.item_kind);
		evidence->map = RecsysCatalogueMap(evidence->catalogue, evidence->events.index);
		check_predicted(profile, evidence->signal);
		RecsysEndSignal(&context);
	}
}

bool
RecsysItemIsTooOld(const RecsysShopProfile *profile, uint32 slot)
{
	const RecsysEvidence *first = &profile->evidence[0];
	RecsysGraphReader reader;
	uint32		item;
	bool		within;

	if (profile->item_max_age == 0)
		return false;
	item = RecsysMapNumber(first->map, first->events.index, slot);
	if (item == RECSYS_NONE)
		return false;
	RecsysGraphReaderInit(&reader, first->events.index);
	within = RecsysIsWithinAge(RecsysGraphNeedRow(&reader, item)->latest, profile->items_latest,
							   profile->item_max_age);
	RecsysGraphReleaseRow(&reader);
	RecsysGraphReaderDone(&reader);
	return !within;
}

static void
find_slots(RecsysEvidence *evidence)
{
	evidence->slots = MemoryContextAllocHuge(CurrentMemoryContext,
											 sizeof(uint32) * (Size) Max(evidence->count, 1));
	RecsysHistorySlots(evidence, evidence->items, evidence->count, evidence->slots);
}

/* Room for n more slots behind those that are there */
static void
make_room_for_seen(RecsysShopProfile *profile, int n)
{
	Size		size = sizeof(uint32) * ((Size) profile->nseen + n);

	profile->seen = profile->seen == NULL ? MemoryContextAllocHuge(CurrentMemoryContext, size) :
		repalloc_huge(profile->seen, size);
}

/* The items of a signal's rows, each once, as slots behind those that are there. */
static void
add_seen(RecsysShopProfile *profile, const RecsysEvidence *evidence, const RecsysSignalRows *rows)
{
	uint32	   *items;
	int			nitems = 0;

	if (rows->nrows == 0)
		return;

	/* mostly each row is an item that counts */
	if (rows->nrows == evidence->count)
	{
		make_room_for_seen(profile, evidence->count);
		memcpy(profile->seen + profile->nseen, evidence->slots, sizeof(uint32) * evidence->count);
		profile->nseen += evidence->count;
		return;
	}
	items = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (Size) rows->nrows);
	for (int x = 0; x < rows->nrows; x++)
		items[x] = rows->rows[x].item;
	qsort(items, rows->nrows, sizeof(uint32), RecsysCompareItemNumbers);
	for (int x = 0; x < rows->nrows; x++)
		if (nitems == 0 || items[nitems - 1] != items[x])
			items[nitems++] = items[x];

	make_room_for_seen(profile, nitems);
	RecsysHistorySlots(evidence, items, nitems, profile->seen + profile->nseen);
	profile->nseen += nitems;
	pfree(items);
}

static void
sort_seen(RecsysShopProfile *profile)
{
	int			count = 0;

	if (profile->nseen == 0)
		return;
	qsort(profile->seen, profile->nseen, sizeof(uint32), RecsysCompareItemNumbers);
	for (int x = 0; x < profile->nseen; x++)
		if (count == 0 || profile->seen[count - 1] != profile->seen[x])
			profile->seen[count++] = profile->seen[x];
	profile->nseen = count;
}

/* Latest first */
static int
compare_times(const void *a, const void *b)
{
	const RecsysInteraction *left = a;
	const RecsysInteraction *right = b;

	CHECK_FOR_INTERRUPTS();
	if (left->time != right->time)
		return left->time > right->time ? -1 : 1;
	return (left->item > right->item) - (left->item < right->item);
}

/* The items that a user has had by a signal lately, each once, latest first, as slots. */
static int
latest_items(const RecsysEvidence *evidence, const RecsysSignalRows *rows, uint32 *slots)
{
	int			n = 0;

	for (int x = 0; x < rows->nrows && n < RECSYS_PRICES; x++)
	{
		int			place = RecsysFindEvidence(evidence, rows->rows[x].item);
		bool		known = place < 0 || evidence->weights[place] <= 0;

		for (int y = 0; y < n && !known; y++)
			known = slots[y] == evidence->slots[place];
		if (!known)
			slots[n++] = evidence->slots[place];
	}
	return n;
}

/* By the first signal's rows; "new" for who has none. */
static const char *
find_persona(const RecsysShopProfile *profile, const RecsysSignalRows *rows)
{
	int64		now = RecsysNow(profile->evidence[0].events.columns.time_type);
	double		gap = 0;
	int64		first;
	int64		latest;
	int64		count = RecsysCountActs(rows->rows, rows->nrows, now, &first, &latest);

	(void) RecsysReadFigure(profile->shop->definition->name, "typical_gap", &gap, 1);
	return RecsysPersonaOf(first, latest, count, now, (int64) (gap * USECS_PER_SEC));
}

/* Is it to be known when the user did what? */
static bool
needs_times(const RecsysDefinition *definition)
{
	for (int x = 0; x < definition->nsegments; x++)
		if (strcmp(definition->segments[x], "persona") == 0)
			return true;
	return definition->price != NULL;
}

static void
set_persona(RecsysShopProfile *profile, const RecsysSignalRows *rows)
{
	const RecsysDefinition *definition = profile->shop->definition;

	for (int x = 0; x < definition->nsegments; x++)
	{
		const char *persona;

		if (strcmp(definition->segments[x], "persona") != 0)
			continue;
		persona = find_persona(profile, rows);
		profile->segments[x] = persona != NULL ? pstrdup(persona) : NULL;
	}
}

/* What time has left of each signal since the user's latest act. */
static void
decay_signals(RecsysShopProfile *profile, const RecsysSignalRows *rows, const int64 *half_life)
{
	int64		least = PG_INT64_MAX;

	for (int x = 0; x < profile->nevidence; x++)
		if (rows[x].has_age)
			least = Min(least, rows[x].age);
	if (profile->ncontext_items > 0)
		least = 0;
	for (int x = 0; x < profile->nevidence; x++)
	{
		RecsysEvidence *evidence = &profile->evidence[x];

		if (rows[x].has_age)
			evidence->weight *= RecsysDecay(-rows[x].age, -least,
											RecsysSignalHalfLife(evidence, half_life));
	}
}

/* Is the signal to know nothing of the item that is held out? */
static bool
is_held_out(const RecsysShopProfile *profile, int signal)
{
	const RecsysContext *context = profile->context;

	return context->held_out != NULL &&
		(RelationGetRelid(profile->evidence[signal].events.heap) ==
		 RelationGetRelid(profile->evidence[0].events.heap) ||
		 (context->held_out_of != NULL && context->held_out_of[signal]));
}

static void
read_signals(RecsysShopProfile *profile, const RecsysKey *user, bool exclude_seen,
			 const int64 *half_life, RecsysSignalRows *rows)
{
	for (int x = 0; x < profile->nevidence; x++)
	{
		RecsysEvidence *evidence = &profile->evidence[x];

		CHECK_FOR_INTERRUPTS();
		RecsysReadEvidence(evidence, user, half_life, profile->context->until, &rows[x]);
		if (is_held_out(profile, x))
			RecsysHoldOutEvidence(evidence, profile->context->held_out, &rows[x]);
		find_slots(evidence);
		if (exclude_seen && evidence->signal->exclude)
			add_seen(profile, evidence, &rows[x]);
		if (profile->is_excluded)
			evidence->count = 0;
		profile->has_history |= evidence->count > 0;
	}
	sort_seen(profile);
}

static void
read_user(RecsysShopProfile *profile, const RecsysKey *user, bool exclude_seen,
		  const int64 *half_life)
{
	uint32		latest[RECSYS_PRICES];
	RecsysSignalRows *rows = palloc0(sizeof(RecsysSignalRows) * profile->nevidence);
	int			nlatest;

	if (RecsysIsSomebody(&profile->evidence[0], user))
		RecsysReadProfileRow(profile, user);
	if (profile->is_excluded)
		profile->ncontext_items = 0;
	read_signals(profile, user, exclude_seen, half_life, rows);
	decay_signals(profile, rows, half_life);
	if (needs_times(profile->shop->definition))
	{
		if (rows[0].nrows > 0)
			qsort(rows[0].rows, rows[0].nrows, sizeof(RecsysInteraction), compare_times);
		set_persona(profile, &rows[0]);
		nlatest = latest_items(&profile->evidence[0], &rows[0], latest);
		RecsysReadPriceLevel(profile, user, latest, nlatest);
	}
	for (int x = 0; x < profile->nevidence; x++)
		if (rows[x].rows != NULL)
			pfree(rows[x].rows);
	pfree(rows);
}

static void
set_segment(RecsysShopProfile *profile)
{
	const RecsysDefinition *definition = profile->shop->definition;

	if (profile->context->segment == NULL)
		return;
	if (definition->nsegments == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the context names a segment, but recommender \"%s\" has none",
						definition->name),
				 errhint("Leave \"segment\" out, or declare segments by recsys.alter_recommender.")));
	RecsysCheckSegmentRights(profile);
	profile->segments[0] = profile->context->segment;
}

RecsysShopProfile *
RecsysShopProfileRead(RecsysShop *shop, const RecsysKey *user, const RecsysContext *context,
					  bool exclude_seen, const int64 *half_life, MemoryContext in)
{
	const RecsysDefinition *definition = shop->definition;
	MemoryContext old = MemoryContextSwitchTo(in);
	RecsysShopProfile *profile = palloc0(sizeof(RecsysShopProfile));

	profile->shop = shop;
	profile->context = context;
	profile->evidence = palloc0(sizeof(RecsysEvidence) * definition->nsignals);
	profile->segments = palloc0(sizeof(char *) * Max(definition->nsegments, 1));
	profile->price_level = NAN;
	profile->price_spread = RECSYS_LEAST_SPREAD;
	open_signals(profile);
	profile->item_max_age = RecsysItemMaxAge(profile->evidence[0].events.index, &profile->items_latest);
	RecsysReadContextItems(profile);
	if (user != NULL)
	{
		RecsysKeyKind kind = profile->evidence[0].events.columns.user_kind;

		profile->user_hash = Max(RecsysKeyHash(kind, user, 0), 1);
		read_user(profile, user, exclude_seen, half_life);
	}
	profile->has_history |= profile->ncontext_items > 0;
	set_segment(profile);
	MemoryContextSwitchTo(old);
	return profile;
}

void
RecsysShopProfileClose(RecsysShopProfile *profile)
{
	for (int x = 0; x < profile->nevidence; x++)
	{
		RecsysEndHistory(&profile->evidence[x]);
		RecsysCloseRecommender(&profile->evidence[x].events);
	}
	profile->nevidence = 0;
}
