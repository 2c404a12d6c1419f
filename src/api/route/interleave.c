/*
 * interleave.c
 *	  Two lists in one, by team draft.
 */
#include "postgres.h"

#include "api/route/interleave.h"
#include "core/decide/teamdraft.h"

static double
propensity_of(const RecsysRoutedList *list, int place)
{
	return list->propensities == NULL ? 1.0 : list->propensities[place];
}

void
RecsysTeamDraft(const RecsysRoutedList *first, const RecsysRoutedList *second,
				const char *const teams[2], uint64 seed, int k, RecsysRoutedList *draft)
{
	const RecsysRoutedList *lists[2] = {first, second};
	const char *const *items[2] = {first->items, second->items};
	int			counts[2] = {first->count, second->count};
	int			most = Min(k, first->count + second->count);
	RecsysDrafted *drafted = palloc(sizeof(RecsysDrafted) * Max(most, 1));
	RecsysRoutedList result;

	memset(&result, 0, sizeof(result));
	result.count = RecsysDraft(items, counts, seed, most, drafted);
	result.items = palloc(sizeof(char *) * Max(most, 1));
	result.arms = palloc(sizeof(char *) * Max(most, 1));
	if (first->scores != NULL && second->scores != NULL)
		result.scores = palloc(sizeof(float) * Max(most, 1));
	if (first->sources != NULL && second->sources != NULL)
		result.sources = palloc(sizeof(char *) * Max(most, 1));
	if (first->propensities != NULL || second->propensities != NULL)
		result.propensities = palloc(sizeof(double) * Max(most, 1));
	for (int i = 0; i < result.count; i++)
	{
		const RecsysRoutedList *list = lists[drafted[i].list];
		int			place = drafted[i].place;

		result.items[i] = list->items[place];
		result.arms[i] = drafted[i].team == RECSYS_NO_TEAM ? NULL : teams[drafted[i].team];
		if (result.scores != NULL)
			result.scores[i] = list->scores[place];
		if (result.sources != NULL)
			result.sources[i] = list->sources[place];
		if (result.propensities != NULL)
			result.propensities[i] = propensity_of(list, place);
	}
	pfree(drafted);
	*draft = result;
}
