/*
 * signalsample.c
 *	  Users of a declared recommender, of each an item held out and what the signals say without it.
 *
 * A user's time is turned back to just before the item: later rows of any signal that has times are not
 * looked at, so nothing that followed from having it speaks for it.  Of the item itself the
 * first signal knows nothing, whatever it had of it before.  Views and the like of it
 * that came before stay, as they would be there when the list is shown.  Without times that cannot be
 * known, so a signal that has all of the first one's rows (whoever buys has viewed, too) knows nothing
 * of the item, either.
 */
#include "postgres.h"

#include "am/graph/graph.h"
#include "am/graph/itemorder.h"
#include "am/read/userreader.h"
#include "am/store/options.h"
#include "api/weigh/signalsample.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "source/input/clock.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* A user that has been drawn */
typedef struct DrawnUser
{
	RecsysKey	key;
	uint32		item;			/* held out */
	int64		time;			/* of it */
} DrawnUser;

typedef struct Drawing
{
	RecsysRecommender *events;
	RecsysFolding folding;
	MemoryContext context;
	uint64		seed;
	DrawnUser  *users;
	int			count;
	int			room;
} Drawing;

/* The latest item; of several of that time, and without times, the one that the seed draws. */
static int
draw_item(const RecsysHistoryItem *history, int n, uint64 seed)
{
	int			drawn = 0;
	uint64		least = PG_UINT64_MAX;

	for (int x = 0; x < n; x++)
	{
		uint64		lot = hash_bytes_uint32_extended(history[x].item, seed);

		if (history[x].time < history[drawn].time ||
			(history[x].time == history[drawn].time && x > 0 && lot >= least))
			continue;
		drawn = x;
		least = lot;
	}
	return drawn;
}

static RecsysKey
copy_key(RecsysKeyKind kind, const char *stored, uint32 len)
{
	char	   *copy = palloc(Max(len, 1));
	RecsysKey	key;

	memcpy(copy, stored, len);
	RecsysKeyLoad(kind, copy, len, &key);
	return key;
}

static void
take_user(void *arg, RecsysUserView *user)
{
	Drawing    *drawing = arg;
	RecsysHistoryItem *history;
	MemoryContext old;
	int			n;
	int			drawn;

	CHECK_FOR_INTERRUPTS();
	if (user->ninteractions == 0 || drawing->count == drawing->room)
		return;
	history = palloc_extended(sizeof(RecsysHistoryItem) * (Size) user->ninteractions, MCXT_ALLOC_HUGE);
	n = RecsysHistoryFold(user->interactions, user->ninteractions, &drawing->folding, history, NULL);
	if (n > 0)
	{
		drawn = draw_item(history, n, hash_bytes_uint32_extended(user->hash, drawing->seed));
		old = MemoryContextSwitchTo(drawing->context);
		drawing->users[drawing->count++] = (DrawnUser)
		{
			copy_key(drawing->events->columns.user_kind, user->key, user->keylen),
			history[drawn].item, history[drawn].time
		};
		MemoryContextSwitchTo(old);
	}
	pfree(history);
}

/* From a hash on that the seed draws, and on from the first one after the last */
static void
draw_users(Drawing *drawing, int users)
{
	RecsysRecommender *events = drawing->events;
	RecsysItemOrder *items = RecsysItemOrderCreate(events->index, RecsysItemCount(events->index));
	RecsysKeyOrder order = RecsysItemOrderForCore(items);
	uint32		start = drawing->seed == 0 ? 0 : hash_bytes_uint32((uint32) drawing->seed ^ (uint32) (drawing->seed >> 32));
	RecsysUserReader *reader = RecsysUserReaderCreate(events->heap, events->index, GetActiveSnapshot());
	uint64		next = start;

	RecsysMetaFolding(&RecsysGetCache(events->index)->meta, &order, &drawing->folding);
	drawing->context = CurrentMemoryContext;
	drawing->room = users;
	drawing->users = palloc_extended(sizeof(DrawnUser) * (Size) users, MCXT_ALLOC_HUGE);
	while (next <= PG_UINT32_MAX && drawing->count < users)
		next = RecsysUserReaderReadBucket(reader, (uint32) next, take_user, drawing);
	for (next = 0; next < start && drawing->count < users;)
		next = RecsysUserReaderReadBucket(reader, (uint32) next, take_user, drawing);
	RecsysUserReaderFree(reader);
	RecsysItemOrderFree(items);
}

static bool
has_evidence(const RecsysShopProfile *profile)
{
	for (int x = 0; x < profile->nevidence; x++)
		if (profile->evidence[x].count > 0)
			return true;
	return false;
}

static Size
size_of(const RecsysSignalScores *scores)
{
	return sizeof(RecsysSignalScores) + sizeof(double) * scores->nsignals +
		(Size) scores->count * (sizeof(float) * scores->nsignals + 1);
}

/* In the sample's context, no larger than they are */
static void
keep_scores(const RecsysSignalScores *scores, RecsysSignalScores *kept)
{
	Size		rows = (Size) scores->count * scores->nsignals;

	*kept = *scores;
	kept->target = palloc(sizeof(double) * scores->nsignals);
	memcpy(kept->target, scores->target, sizeof(double) * scores->nsignals);
	kept->scores = palloc_extended(sizeof(float) * Max(rows, 1), MCXT_ALLOC_HUGE);
	kept->comes_first = palloc_extended(Max(scores->count, 1), MCXT_ALLOC_HUGE);
	if (rows == 0)
		return;
	memcpy(kept->scores, scores->scores, sizeof(float) * rows);
	memcpy(kept->comes_first, scores->comes_first, scores->count);
}

/* So many users tell whether a signal has all that the first one has, up to so few */
#define ASKED_USERS 200
#define ALL_BUT 0.05

/* How many of a user's items of the first signal another one has, too */
static int
count_shared(const RecsysEvidence *first, const RecsysEvidence *other)
{
	uint32	   *slots = palloc_extended(sizeof(uint32) * (Size) Max(other->count, 1), MCXT_ALLOC_HUGE);
	int			shared = 0;

	memcpy(slots, other->slots, sizeof(uint32) * (Size) other->count);
	qsort(slots, other->count, sizeof(uint32), RecsysCompareItemNumbers);
	for (int x = 0; x < first->count; x++)
		shared += bsearch(&first->slots[x], slots, other->count, sizeof(uint32),
						  RecsysCompareItemNumbers) != NULL;
	pfree(slots);
	return shared;
}

/* Which signals have the first one's rows among theirs, by some of the users */
static bool *
find_containing(RecsysShop *shop, const Drawing *drawing, MemoryContext scratch)
{
	int			n = shop->definition->nsignals;
	bool	   *contains = palloc0(sizeof(bool) * n);
	int64	   *shared = palloc0(sizeof(int64) * n);
	int64		all = 0;
	RecsysContext context = {0};

	for (int x = 0; x < Min(drawing->count, ASKED_USERS); x++)
	{
		MemoryContext old = MemoryContextSwitchTo(scratch);
		RecsysShopProfile *profile = RecsysShopProfileRead(shop, &drawing->users[x].key, &context,
														   false, NULL, scratch);

		CHECK_FOR_INTERRUPTS();
		all += profile->evidence[0].count;
		for (int s = 1; s < n; s++)
			if (!profile->evidence[s].signal->other_items)
				shared[s] += count_shared(&profile->evidence[0], &profile->evidence[s]);
		RecsysShopProfileClose(profile);
		MemoryContextSwitchTo(old);
		MemoryContextReset(scratch);
	}
	for (int s = 1; s < n; s++)
		contains[s] = all > 0 && shared[s] >= (1 - ALL_BUT) * all;
	return contains;
}

/* What the signals say of one user; false if there is nobody to be shown a list. */
static bool
score_user(RecsysShop *shop, RecsysRecommender *events, RecsysGraphReader *reader,
		   const DrawnUser *user, const bool *containing, int k, RecsysSignalScores *scores,
		   bool *reachable)
{
	RecsysKey	item;
	RecsysContext context = {.held_out = &item,.held_out_of = containing};
	TimestampTz until;
	RecsysShopProfile *profile;
	bool		counts;

	if (!RecsysGraphReadKey(reader, user->item, &item))
		return false;
	if (user->time != RECSYS_NO_TIME && events->columns.time_column > 0)
	{
		until = RecsysColumnTime(events->columns.time_type, user->time) - 1;
		context.until = &until;
	}
	profile = RecsysShopProfileRead(shop, &user->key, &context, true, NULL, CurrentMemoryContext);
	counts = !profile->is_excluded && has_evidence(profile);
	*reachable = counts &&
		RecsysScoreSignals(profile, RecsysCatalogueSlot(profile->catalogue, &item), k, scores);
	RecsysShopProfileClose(profile);
	return counts;
}

static void
score_users(RecsysShop *shop, const Drawing *drawing, int k, RecsysSignalSample *sample)
{
	MemoryContext context = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(context, "recsys signals of a user", ALLOCSET_DEFAULT_SIZES);
	Size		room = (Size) maintenance_work_mem * 1024;
	bool	   *containing = find_containing(shop, drawing, scratch);
	RecsysGraphReader reader;

	RecsysGraphReaderInit(&reader, drawing->events->index);
	sample->scores = palloc_extended(sizeof(RecsysSignalScores) * (Size) Max(drawing->count, 1), MCXT_ALLOC_HUGE);
	for (int x = 0; x < drawing->count && !sample->is_cut; x++)
	{
		RecsysSignalScores scores;
		bool		reachable;

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(scratch);
		if (score_user(shop, drawing->events, &reader, &drawing->users[x], containing, k, &scores,
					   &reachable))
		{
			sample->is_cut = reachable && size_of(&scores) > room;
			MemoryContextSwitchTo(context);
			if (reachable && !sample->is_cut)
			{
				room -= size_of(&scores);
				keep_scores(&scores, &sample->scores[sample->count++]);
			}
			sample->nusers += sample->is_cut ? 0 : 1;
		}
		MemoryContextSwitchTo(context);
		MemoryContextReset(scratch);
	}
	RecsysGraphReaderDone(&reader);
	MemoryContextDelete(scratch);
}

void
RecsysReadSignalSample(RecsysShop *shop, int users, int k, uint64 seed, RecsysSignalSample *sample)
{
	RecsysRecommender events;
	Drawing		drawing = {.events = &events,.seed = seed};
	MemoryContext context = CurrentMemoryContext;

	memset(sample, 0, sizeof(*sample));
	sample->nsignals = shop->definition->nsignals;
	RecsysOpenRecommender(shop->definition->signals[0].events, &events);
	draw_users(&drawing, users);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(context);
	score_users(shop, &drawing, k, sample);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	MemoryContextSwitchTo(context);
	RecsysCloseRecommender(&events);
}
