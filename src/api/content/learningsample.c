/*
 * learningsample.c
 *	  A sample of users, each with items held out.
 */
#include "postgres.h"

#include "am/graph/itemorder.h"
#include "am/read/visible.h"
#include "am/store/options.h"
#include "api/content/learningsample.h"
#include "core/base/random.h"
#include "core/rows/history.h"
#include "miscadmin.h"
#include "source/input/clock.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* More items of one user say no more. */
#define MOST_ITEMS 100

typedef struct SampleReader
{
	RecsysRecommender *events;
	RecsysFolding folding;
	int64		half_life;
	int64		now;
	RecsysLearningSample *sample;
	int			room;
} SampleReader;

/*
 * The latest one of those that are not treated as new; of several, and without times, one that is
 * drawn.  -1: there is none.
 */
static int
draw_target(const RecsysHistoryItem *history, int n)
{
	RecsysRandom random;
	int			target = -1;
	int			latest = 0;

	RecsysRandomStart(&random, 0, ((uint64) history[0].item << 32) ^ history[n - 1].item ^ (uint64) n);
	for (int x = 0; x < n; x++)
	{
		if (RecsysIsTreatedAsNew(history[x].item) ||
			(target >= 0 && history[x].time < history[target].time))
			continue;
		if (target >= 0 && history[x].time > history[target].time)
			latest = 0;
		if (RecsysRandomBelow(&random, ++latest) == 0)
			target = x;
	}
	return target;
}

static void
divide(SampleReader *reader, const RecsysHistoryItem *history, int n, int target,
	   RecsysHeldOut *user)
{
	int64		latest = RECSYS_NO_TIME;

	memset(user, 0, sizeof(*user));
	user->held = palloc(sizeof(uint32) * Min(n, MOST_ITEMS + 1));
	user->items = palloc(sizeof(uint32) * Min(n, MOST_ITEMS));
	user->weights = palloc(sizeof(double) * Min(n, MOST_ITEMS));
	user->has_target = target >= 0;
	if (user->has_target)
		user->held[user->nheld++] = history[target].item;
	for (int x = 0; x < n; x++)
		if (x != target && !RecsysIsTreatedAsNew(history[x].item))
			latest = Max(latest, Min(history[x].time, reader->now));
	for (int x = 0; x < n; x++)
	{
		if (x == target)
			continue;
		if (RecsysIsTreatedAsNew(history[x].item))
		{
			if (user->nheld < MOST_ITEMS)
				user->held[user->nheld++] = history[x].item;
		}
		else if (user->count < MOST_ITEMS)
		{
			user->items[user->count] = history[x].item;
			user->weights[user->count++] = history[x].weight *
				RecsysDecay(history[x].time, latest, reader->half_life);
		}
	}
}

static void
add_user(void *arg, RecsysInteraction *interactions, int count)
{
	SampleReader *reader = arg;
	RecsysLearningSample *sample = reader->sample;
	RecsysHistoryItem *history = palloc_extended(sizeof(RecsysHistoryItem) * (Size) Max(count, 1),
												 MCXT_ALLOC_HUGE);
	int			n = RecsysHistoryFold(interactions, count, &reader->folding, history, NULL);
	RecsysHeldOut user;

	CHECK_FOR_INTERRUPTS();
	if (n >= 2)
	{
		divide(reader, history, n, draw_target(history, n), &user);
		if (sample->count == reader->room)
		{
			reader->room *= 2;
			sample->users = repalloc_huge(sample->users,
										  sizeof(RecsysHeldOut) * (Size) reader->room);
		}
		if (user.count > 0 && user.nheld > 0)
			sample->users[sample->count++] = user;
	}
	pfree(history);
}

void
RecsysReadLearningSample(RecsysRecommender *events, int users, RecsysLearningSample *sample)
{
	const RecsysMetaData *meta = &RecsysGetCache(events->index)->meta;
	SampleReader reader = {.events = events, .sample = sample, .room = 256};
	RecsysItemOrder *items = RecsysItemOrderCreate(events->index, RecsysItemCount(events->index));
	RecsysKeyOrder order = RecsysItemOrderForCore(items);
	double		share = meta->users > 0 ? Min((double) users / meta->users, 1) : 1;
	RecsysVisibleScan *scan;

	RecsysMetaFolding(meta, &order, &reader.folding);
	reader.half_life = RecsysServingHalfLife(events->index);
	reader.now = reader.half_life > 0 ? RecsysNow(events->columns.time_type) : PG_INT64_MAX;
	sample->count = 0;
	sample->users = palloc(sizeof(RecsysHeldOut) * reader.room);
	scan = RecsysVisibleScanCreate(events->heap, events->index, GetActiveSnapshot());
	RecsysVisibleScanRange(scan, 0, (uint32) (share * PG_UINT32_MAX), add_user, &reader);
	RecsysVisibleScanFree(scan);
	RecsysItemOrderFree(items);
}
