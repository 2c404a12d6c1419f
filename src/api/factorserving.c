/*
 * factorserving.c
 *	  Scores, and what they come from, of an index with factors.
 *
 * The user's factor is computed from those of the items in the profile (folded in,
 * core/factors.c) and then multiplied by those of all items, straight from their pages.
 * Nothing is kept between calls: what a user has just done counts in the next one.
 *
 * Items that came after the build have no factors.  They say nothing about the user and
 * get no score.
 */
#include "postgres.h"

#include <math.h>

#include "am/factor.h"
#include "api/factorserving.h"
#include "utils/memutils.h"

typedef struct FactorServing
{
	RecsysFactorReader reader;
	float	   *gram;
	RecsysFoldIn *foldin;
	const float *user;			/* NULL: nothing to fold in */
} FactorServing;

/* False when the index has no factors. */
static bool
begin(FactorServing *serving, RecsysRecommender *recommender, const RecsysProfile *profile)
{
	RecsysFactorReader *reader = &serving->reader;
	int			added = 0;

	if (!RecsysFactorReaderInit(reader, recommender->index))
		return false;
	serving->user = NULL;
	if (profile->nevidence == 0)
		return true;
	serving->gram = RecsysFactorReadGram(reader);
	serving->foldin = RecsysFoldInCreate(&reader->shape, serving->gram);
	RecsysFoldInStart(serving->foldin);
	for (int x = 0; x < profile->nevidence; x++)
	{
		const float *factor = RecsysFactorRead(reader, profile->items[x]);

		if (factor == NULL)
			continue;
		RecsysFoldInAdd(serving->foldin, factor, profile->weights[x]);
		RecsysFactorRelease(reader);
		added++;
	}
	if (added > 0)
		serving->user = RecsysFoldInSolve(serving->foldin);
	return true;
}

static void
end(FactorServing *serving, const RecsysProfile *profile)
{
	if (profile->nevidence == 0)
		return;
	RecsysFoldInFree(serving->foldin);
	pfree(serving->gram);
}

typedef struct PageScores
{
	FactorServing *serving;
	RecsysScorer *scorer;
	float		scores[RECSYS_PAGE_VECTORS(1)];
} PageScores;

static void
score_page(void *arg, uint32 first, const float *factors, uint32 n)
{
	PageScores *page = arg;
	RecsysFactorReader *reader = &page->serving->reader;
	float		sum = 0;

	RecsysFactorScores(page->serving->user, factors, (int) n, reader->shape.rank, page->scores);

	/* a sum is finite if all that is added is, or nearly so large as to overflow */
	for (uint32 x = 0; x < n; x++)
		sum += page->scores[x];
	if (!isfinite(sum))
		RecsysFactorsAreDamaged(reader->index);
	RecsysScorerAddRange(page->scorer, first, page->scores, (int) n);
}

bool
RecsysScoreByFactors(RecsysRecommender *recommender, const RecsysProfile *profile,
					 RecsysScorer *scorer)
{
	FactorServing serving;
	PageScores	page;

	if (!begin(&serving, recommender, profile))
		return false;
	if (serving.user != NULL)
	{
		page.serving = &serving;
		page.scorer = scorer;
		RecsysFactorVisit(&serving.reader, score_page, &page);
	}
	end(&serving, profile);
	return true;
}

bool
RecsysExplainByFactors(RecsysRecommender *recommender, const RecsysProfile *profile,
					   uint32 item, double *similarities)
{
	FactorServing serving;
	RecsysFactorReader *reader = &serving.reader;
	const float *factor;
	float	   *target = NULL;

	if (!begin(&serving, recommender, profile))
		return false;
	if (serving.user != NULL && (factor = RecsysFactorRead(reader, item)) != NULL)
	{
		/* a page is locked once at a time, and this one may be needed again */
		target = palloc(sizeof(float) * reader->shape.rank);
		memcpy(target, factor, sizeof(float) * reader->shape.rank);
		RecsysFactorRelease(reader);
	}
	for (int x = 0; x < profile->nevidence; x++)
	{
		similarities[x] = NAN;
		if (target == NULL || (factor = RecsysFactorRead(reader, profile->items[x])) == NULL)
			continue;
		similarities[x] = RecsysFoldInShare(serving.foldin, target, factor, 1.0);
		RecsysFactorRelease(reader);
		if (!isfinite(similarities[x]))
			RecsysFactorsAreDamaged(reader->index);
	}
	end(&serving, profile);
	return true;
}
