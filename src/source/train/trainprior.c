/*
 * trainprior.c
 *	  From a model's totals to the prior (core/pairs/prior.h).
 */
#include "postgres.h"

#include "source/train/trainprior.h"
#include "utils/memutils.h"

RecsysPriorItem *
RecsysModelPriorItems(const RecsysModel *model, RecsysPriorTotals *totals, uint32 *count)
{
	const RecsysItemTotals *items = RecsysModelTotals(model);
	const RecsysModelStatistics *statistics = RecsysModelGetStatistics(model);
	RecsysPriorItem *found = MemoryContextAllocHuge(CurrentMemoryContext,
													sizeof(RecsysPriorItem) * (Size) Max(statistics->items, 1));

	memset(totals, 0, sizeof(*totals));
	totals->users = (double) statistics->users;
	totals->items = (double) statistics->items;
	totals->interactions = (double) statistics->interactions;
	*count = 0;
	for (uint32 item = 0; item < items->nitems; item++)
	{
		RecsysPriorItem *place = &found[*count];

		if (items->users[item] == 0)
			continue;
		place->item = item;
		place->users = items->users[item];
		memset(&place->recent, 0, sizeof(place->recent));
		if (items->recent != NULL)
		{
			place->recent = items->recent[item];
			RecsysRecencyTotalAdd(&totals->recent, &place->recent);
		}
		(*count)++;
	}
	return found;
}

int64
RecsysTotalsLatest(const RecsysItemTotals *totals)
{
	int64		latest = RECSYS_NO_TIME;

	for (uint32 item = 0; item < totals->nitems; item++)
		latest = Max(latest, totals->latest[item]);
	return latest;
}
