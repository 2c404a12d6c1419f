/*
 * spread.c
 *	  Over how much of the catalogue the lists of all users spread.
 *
 * Places in lists are counted by group (an item by itself, or its seller), then the
 * counts are looked at as a whole.
 */
#include "core/measure/spread.h"

#include <math.h>

RecsysSpread
RecsysEvaluationSpread(const RecsysEvaluation *evaluation, const RecsysListChoice *choice)
{
	const uint32 *groups = choice->groups;
	uint32		n = groups != NULL ? choice->ngroups : evaluation->ncatalogue;
	uint32		size = groups != NULL ? choice->ngroups : evaluation->nitems;
	uint64	   *counts = recsys_alloc_huge_zero(sizeof(uint64) * (Size) Max(size, 1));
	int			length = RecsysEvaluationLength(evaluation);
	uint32		covered = 0;
	uint32		kept = 0;
	RecsysSpread spread;

	for (uint32 user = 0; user < evaluation->nusers; user++)
	{
		const uint32 *list = choice->lists + (Size) user * length;

		if (choice->segments != NULL && choice->segments[user] != choice->segment)
			continue;
		for (int x = 0; x < choice->k && list[x] != RECSYS_NONE; x++)
		{
			uint32		group = groups != NULL ? groups[list[x]] : list[x];

			if (group < size)
				counts[group]++;
		}
	}

	/* what is not in the catalogue has no count either */
	for (uint32 x = 0; x < size; x++)
	{
		if (groups == NULL && !RecsysEvaluationRanks(evaluation, x))
			continue;
		covered += counts[x] > 0;
		counts[kept++] = counts[x];
	}
	spread.coverage = n > 0 ? (double) covered / n : NAN;
	spread.gini = n > 0 ? RecsysGini(counts, kept) : NAN;
	pfree(counts);
	return spread;
}
