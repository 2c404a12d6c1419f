/*
 * weighting.c
 *	  Weights that training sees in place of those that were given.
 *
 * Three steps, each of which may be left out:
 *
 * 1. weighting.  An item is a document whose terms are its users, for it is items
 *	  that are compared; a user of few items tells more about each of them.  With
 *	  d_u = items of user u, I = items with users, W_i = sum of i's weights, L =
 *	  mean of W_i over the items:
 *
 *	  tfidf		w * idf,  idf = ln(1 + I / d_u)
 *				(Salton, Buckley 1988, "Term-weighting approaches in automatic
 *				text retrieval"; one is added so that nothing gets weight 0)
 *	  bm25		w * (k1 + 1) / (w + k1 * (1 - b + b * W_i / L)) * idf
 *				(Robertson, Zaragoza 2009, "The probabilistic relevance
 *				framework: BM25 and beyond")
 *
 * 2. user_damping.  Times d_u ^ (-user_damping / 2): in the product of two of the
 *	  user's weights, and so in every sum over users, d_u ^ -user_damping.
 *
 * 3. rp3beta.  v = w^alpha / W_u^(alpha / 2), where w and W_u = sum of the user's
 *	  weights are those after the first step.  The dot product of two items is the
 *	  sum over users of (w_ui * w_uj / W_u)^alpha; what is missing to the
 *	  probabilities of the walk, W_i^-alpha, depends on the row alone.  So the mass
 *	  of an item stays the sum of w, while its squared norm is that of v.
 */
#include "core/pairs/weighting.h"

#include <float.h>
#include <math.h>

#include "core/pairs/modeloptions.h"

struct RecsysWeigher
{
	const RecsysModelOptions *options;
	const RecsysItemTotals *given;
	RecsysItemTotals totals;
	double		nitems;			/* I */
	double		mean_mass;		/* L */
};

bool
RecsysWeighsAnew(const RecsysModelOptions *options)
{
	return options->similarity == RECSYS_RP3BETA ||
		(RecsysModelUsesWeights(options) &&
		 (options->weighting != RECSYS_WEIGHTING_NONE || options->user_damping != 0.0));
}

static inline double
given_mass(const RecsysWeigher *weigher, uint32 item)
{
	return weigher->given->mass != NULL ? weigher->given->mass[item] : weigher->given->users[item];
}

RecsysWeigher *
RecsysWeigherCreate(const RecsysItemTotals *totals, const RecsysModelOptions *options)
{
	RecsysWeigher *weigher = palloc0(sizeof(RecsysWeigher));
	Size		slots = Max((Size) totals->nitems, 1);
	double		mass = 0;

	weigher->options = options;
	weigher->given = totals;
	weigher->totals = *totals;
	weigher->totals.norm2 = recsys_alloc_huge_zero(slots * sizeof(double));
	weigher->totals.mass = recsys_alloc_huge_zero(slots * sizeof(double));
	for (uint32 item = 0; item < totals->nitems; item++)
	{
		weigher->nitems += totals->users[item] > 0;
		mass += given_mass(weigher, item);
	}
	weigher->mean_mass = mass / Max(weigher->nitems, 1);
	return weigher;
}

/* First step */
static double
weigh_one(const RecsysWeigher *weigher, uint32 item, double weight, double idf)
{
	const RecsysModelOptions *options = weigher->options;

	switch (options->weighting)
	{
		case RECSYS_WEIGHTING_NONE:
			break;
		case RECSYS_WEIGHTING_TFIDF:
			return weight * idf;
		case RECSYS_WEIGHTING_BM25:
			return weight * (options->k1 + 1) * idf /
				(weight + options->k1 * (1 - options->b +
										 options->b * given_mass(weigher, item) / weigher->mean_mass));
	}
	return weight;
}

void
RecsysWeigh(RecsysWeigher *weigher, const uint32 *items, const float *weights, int count,
			float *out)
{
	const RecsysModelOptions *options = weigher->options;
	double		idf = log1p(weigher->nitems / Max(count, 1));
	double		damping = pow(Max(count, 1), -options->user_damping / 2);
	double		mass = 0;

	for (int x = 0; x < count; x++)
	{
		double		weight = weigh_one(weigher, items[x], weights != NULL ? weights[x] : 1.0, idf);

		/* neither zero nor infinite as a float */
		weight = Min(Max(weight, FLT_MIN), FLT_MAX);
		out[x] = (float) weight;
		weigher->totals.mass[items[x]] += out[x];
		mass += out[x];
	}
	for (int x = 0; x < count; x++)
	{
		double		weight = out[x];

		if (options->similarity == RECSYS_RP3BETA)
			weight = pow(weight, options->alpha) * pow(mass, -options->alpha / 2);
		weight *= damping;
		out[x] = (float) Min(Max(weight, FLT_MIN), FLT_MAX);
		weigher->totals.norm2[items[x]] += (double) out[x] * out[x];
	}
}

const RecsysItemTotals *
RecsysWeigherTotals(const RecsysWeigher *weigher)
{
	return &weigher->totals;
}
