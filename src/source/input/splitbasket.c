/*
 * splitbasket.c
 *	  Each user's last basket held out, and what is known of those before it.
 *
 * A basket is all of a user's rows that follow one another within RECSYS_OCCASION_GAP
 * (core/sequence/rhythm.h); returns open none.  What is left of the users is folded for the model
 * as in any split.  Lists of next baskets need more: the rows of the users who are asked, one by
 * one, and the rhythms of all items by all users.
 */
#include "postgres.h"

#include "core/base/platform.h"
#include "miscadmin.h"
#include "source/input/splitbasket.h"
#include "utils/memutils.h"

#define FIRST_USERS 1024
#define FIRST_ROWS 16384

RecsysSplitBaskets *
RecsysSplitBasketsCreate(const RecsysSplit *split)
{
	RecsysSplitBaskets *baskets = palloc0(sizeof(RecsysSplitBaskets));

	baskets->maxusers = FIRST_USERS;
	baskets->offsets = palloc0(sizeof(uint64) * (FIRST_USERS + 1));
	baskets->at = palloc(sizeof(int64) * FIRST_USERS);
	baskets->maxrows = FIRST_ROWS;
	baskets->items = palloc(sizeof(uint32) * FIRST_ROWS);
	if (split->weighted)
		baskets->weights = palloc(sizeof(double) * FIRST_ROWS);
	baskets->times = palloc(sizeof(int64) * FIRST_ROWS);
	baskets->rhythms = recsys_alloc_huge_zero(sizeof(RecsysRhythm) * (Size) Max(split->nitems, 1));
	baskets->user = RecsysUserRhythmsCreate();
	return baskets;
}

/* When the last basket begins; RECSYS_NO_TIME for users with too few of them. */
static int64
last_basket(const RecsysInteractionList *rows)
{
	int64	   *times = recsys_alloc_huge(sizeof(int64) * (Size) Max(rows->count, 1));
	int			ntimes = 0;
	int			nbaskets = 0;
	int64		begin = RECSYS_NO_TIME;

	for (int x = 0; x < rows->count; x++)
		if (RecsysIsOnOccasion(&rows->all[x]))
			times[ntimes++] = rows->all[x].time;
	qsort_interruptible(times, ntimes, sizeof(int64), RecsysCompareTimes, NULL);
	for (int x = 0; x < ntimes; x++)
	{
		if (x > 0 && !RecsysIsNextOccasion(times[x - 1], times[x]))
			continue;
		nbaskets++;
		begin = times[x];
	}
	pfree(times);
	return nbaskets >= RECSYS_LEAST_BASKETS ? begin : RECSYS_NO_TIME;
}

void
RecsysSplitBasket(RecsysSplitter *splitter, RecsysFolding *folding)
{
	RecsysSplitBaskets *baskets = splitter->split->baskets;
	int			kept = 0;

	baskets->begin = last_basket(&splitter->train);
	for (int x = 0; x < splitter->train.count && baskets->begin != RECSYS_NO_TIME; x++)
	{
		RecsysInteraction *one = &splitter->train.all[x];

		if (one->time >= baskets->begin && one->time != PG_INT64_MAX)
			RecsysSplitAdd(&splitter->test, one);
		else
			splitter->train.all[kept++] = *one;
	}
	if (baskets->begin != RECSYS_NO_TIME)
		splitter->train.count = kept;
	RecsysUserRhythmsStart(baskets->user, folding, NULL, 0);
}

void
RecsysSplitBasketRhythms(RecsysSplitter *splitter, int nfolded)
{
	RecsysSplitBaskets *baskets = splitter->split->baskets;

	for (int x = 0; x < nfolded; x++)
	{
		uint32		item = splitter->folded[x].item;
		const RecsysRhythm *rhythm = RecsysUserRhythmsOf(baskets->user, item);

		if (rhythm != NULL)
			RecsysRhythmAddAll(&baskets->rhythms[item], rhythm);
	}
}

void
RecsysSplitBasketKeep(RecsysSplitter *splitter, uint32 place)
{
	RecsysSplitBaskets *baskets = splitter->split->baskets;
	uint64		next = baskets->offsets[place];
	int			n = splitter->train.count;

	if (place == baskets->maxusers)
	{
		baskets->maxusers *= 2;
		baskets->offsets = repalloc_huge(baskets->offsets, sizeof(uint64) * ((Size) baskets->maxusers + 1));
		baskets->at = repalloc_huge(baskets->at, sizeof(int64) * (Size) baskets->maxusers);
	}
	if (next + n > baskets->maxrows)
	{
		baskets->maxrows = Max(next + n, baskets->maxrows + baskets->maxrows / 2);
		baskets->items = repalloc_huge(baskets->items, sizeof(uint32) * baskets->maxrows);
		if (baskets->weights != NULL)
			baskets->weights = repalloc_huge(baskets->weights, sizeof(double) * baskets->maxrows);
		baskets->times = repalloc_huge(baskets->times, sizeof(int64) * baskets->maxrows);
	}
	for (int x = 0; x < n; x++)
	{
		baskets->items[next + x] = splitter->train.all[x].item;
		if (baskets->weights != NULL)
			baskets->weights[next + x] = splitter->train.all[x].weight;
		baskets->times[next + x] = splitter->train.all[x].time;
	}
	baskets->offsets[place + 1] = next + n;
	baskets->at[place] = baskets->begin;
}
