/*
 * prior.c
 *	  What speaks for an item before anything is known of the user: its popularity.
 *
 * Of an item i that has nothing to do with j the expected c_ij is n_i n_j / N, and an
 * average item has n_i = M / I.  With these the formulas of the model give what such an
 * item would say for j, where a is alpha and g = alpha + user_damping the exponent of the
 * lengths of histories, which are M / N on average:
 *
 *	  rp3beta	s_j = (M / I)^(1 - a) / N * (M / N)^-g * r_j * n_j^-beta
 *	  cosine	s_j = sqrt(M / I * r_j) / N * n_j^-alpha
 *
 * so that the prior, popularity * s_j, weighs as much as popularity items of the user
 * without a connection to j.  r_j is n_j, or the users who have j lately: q_j, in which
 * each counts half after every half-life (core/rows/recency.h), scaled so that all r_j add
 * up to M as the n_j do.
 *
 * Popularity that decays as a baseline: Ji, Sun, Zhang, Li: A re-visit of the popularity
 * baseline in recommender systems, SIGIR 2020.
 */
#include "core/pairs/prior.h"

#include <float.h>
#include <math.h>

bool
RecsysModelHasPrior(const RecsysModelOptions *options)
{
	return options->popularity > 0 &&
		(options->similarity == RECSYS_RP3BETA || options->similarity == RECSYS_COSINE);
}

/* r_j */
static double
recent_users(const RecsysModelOptions *options, const RecsysPriorTotals *totals, uint32 users,
			 const RecsysRecency *recent)
{
	double		all;

	if (options->popularity_half_life <= 0)
		return users;
	all = RecsysRecencyTotalGet(&totals->recent);
	return all > 0 ?
		totals->interactions * (RecsysRecencyAt(recent, totals->recent.at) / all) : 0;
}

float
RecsysPriorScore(const RecsysModelOptions *options, const RecsysPriorTotals *totals,
				 uint32 users, const RecsysRecency *recent)
{
	double		length;			/* of a history */
	double		size;			/* users of an item */
	double		share;
	double		score;

	if (!RecsysModelHasPrior(options) || users == 0 ||
		!(totals->users > 0 && totals->items > 0 && totals->interactions > 0))
		return 0.0f;
	length = totals->interactions / totals->users;
	size = totals->interactions / totals->items;
	share = recent_users(options, totals, users, recent);
	if (options->similarity == RECSYS_RP3BETA)
		score = pow(size, 1 - options->alpha) / totals->users *
			pow(length, -(options->alpha + options->user_damping)) *
			share * pow(users, -options->beta);
	else
		score = sqrt(size * share) / totals->users * pow(users, -options->alpha);
	score *= options->popularity;

	/* what hardly anybody has bought for ages has none, whatever a float makes of it */
	if (!(score >= FLT_MIN))
		return 0.0f;
	return (float) Min(score, FLT_MAX);
}

int
RecsysPriorSelect(const RecsysModelOptions *options, const RecsysPriorTotals *totals,
				  const RecsysPriorItem *items, uint32 nitems, int most,
				  const RecsysKeyOrder *order, RecsysNeighborList *list)
{
	static const RecsysKeyOrder by_number = {0};
	RecsysNeighbor *candidates = recsys_alloc_huge(sizeof(RecsysNeighbor) * (Size) Max(nitems, 1));
	int			n = 0;

	for (uint32 x = 0; x < nitems; x++)
	{
		float		score = RecsysPriorScore(options, totals, items[x].users, &items[x].recent);

		if (score == 0.0f)
			continue;
		candidates[n].item = items[x].item;
		candidates[n].support = x;
		candidates[n++].score = score;
	}
	RecsysNeighborListSelect(list, candidates, n, most, order != NULL ? order : &by_number);
	return list->count;
}
