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
 *
 * Apart from bm25 a user's weights are a function of the user's own history, and of I
 * with tfidf: so merges can weigh a user as a build does.
 */
#include "core/pairs/weighting.h"

#include <float.h>
#include <math.h>

#include "core/pairs/modeloptions.h"
#include "core/base/product.h"

struct RecsysWeigher
{
	const RecsysModelOptions *options;
	const RecsysItemTotals *given;
	RecsysItemTotals totals;
	double		nitems;			/* I */
	double		mean_mass;		/* L */
	float	   *masses;			/* of the user at hand, after the first step */
	int			room;			/* for so many */
};

bool
RecsysWeighsAnew(const RecsysModelOptions *options)
{
	/* the order of a session makes weights of ones */
	return options->similarity == RECSYS_RP3BETA || options->similarity == RECSYS_SESSION ||
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

/* Neither zero nor infinite as a float */
static inline float
as_weight(double weight)
{
	return (float) Min(Max(weight, FLT_MIN), FLT_MAX);
}

/* ln(1 + I / d_u) */
static double
inverse_frequency(double nitems, int count)
{
	return log1p(nitems / Max(count, 1));
}

/* The first step of bm25 */
static double
saturated(const RecsysWeigher *weigher, uint32 item, double weight, double idf)
{
	const RecsysModelOptions *options = weigher->options;

	return weight * (options->k1 + 1) * idf /
		(weight + options->k1 * (1 - options->b +
								 options->b * given_mass(weigher, item) / weigher->mean_mass));
}

/* Second and third step: from what the first has made of a user's weights. */
static void
dampen(const RecsysModelOptions *options, const float *masses, int count, float *out)
{
	double		damping = pow(Max(count, 1), -options->user_damping / 2);
	double		mass = 0;
	double		share;
	float		known = 1.0f;	/* many weights are the same */
	double		power = 1.0;

	for (int x = 0; x < count; x++)
		mass += masses[x];
	share = pow(mass, -options->alpha / 2);
	for (int x = 0; x < count; x++)
	{
		double		weight = masses[x];

		if (options->similarity == RECSYS_RP3BETA)
		{
			if (masses[x] != known)
			{
				known = masses[x];
				power = pow(weight, options->alpha);
			}
			weight = power * share;
		}
		out[x] = as_weight(weight * damping);
	}
}

void
RecsysWeighHistory(const RecsysModelOptions *options, double nitems, const float *weights,
				   int count, float *masses, float *out)
{
	bool		scaled = options->weighting == RECSYS_WEIGHTING_TFIDF;
	double		idf = scaled ? inverse_frequency(nitems, count) : 1.0;

	Assert(options->weighting != RECSYS_WEIGHTING_BM25);
	for (int x = 0; x < count; x++)
	{
		double		weight = weights != NULL ? weights[x] : 1.0;

		masses[x] = as_weight(scaled ? weight * idf : weight);
	}
	dampen(options, masses, count, out);
}

void
RecsysWeigh(RecsysWeigher *weigher, const uint32 *items, const float *weights, int count,
			float *out)
{
	if (count > weigher->room)
	{
		if (weigher->masses != NULL)
			pfree(weigher->masses);
		weigher->room = Max(count, 1024);
		weigher->masses = palloc(sizeof(float) * weigher->room);
	}
	if (weigher->options->weighting == RECSYS_WEIGHTING_BM25)
	{
		double		idf = inverse_frequency(weigher->nitems, count);

		for (int x = 0; x < count; x++)
			weigher->masses[x] = as_weight(saturated(weigher, items[x],
													 weights != NULL ? weights[x] : 1.0, idf));
		dampen(weigher->options, weigher->masses, count, out);
	}
	else
		RecsysWeighHistory(weigher->options, weigher->nitems, weights, count, weigher->masses, out);
	for (int x = 0; x < count; x++)
	{
		weigher->totals.mass[items[x]] += weigher->masses[x];
		weigher->totals.norm2[items[x]] += RecsysProduct(out[x], out[x]);
	}
}

const RecsysItemTotals *
RecsysWeigherTotals(const RecsysWeigher *weigher)
{
	return &weigher->totals;
}

void
RecsysWeigherFree(RecsysWeigher *weigher)
{
	if (weigher->masses != NULL)
		pfree(weigher->masses);
	pfree(weigher->totals.norm2);
	pfree(weigher->totals.mass);
	pfree(weigher);
}
