/*
 * similarity.h
 *	  Models of the item graph and their options; the similarity family: pure
 *	  functions of what is counted for a pair of items.
 *
 * similarity.c gives each formula and where it comes from, modeloptions.h what
 * each option is called and may be.
 */
#ifndef RECSYS_SIMILARITY_H
#define RECSYS_SIMILARITY_H

#include "core/base/platform.h"
#include "core/rows/history.h"

/* stored on disk: never renumber */
typedef enum RecsysSimilarity
{
	RECSYS_COSINE = 1,			/* weighted when weights are given */
	RECSYS_JACCARD = 2,
	RECSYS_DICE = 3,
	RECSYS_CONFIDENCE = 4,		/* P(j | i), the row item i being the condition */
	RECSYS_LIFT = 5,
	RECSYS_PMI = 6,				/* pointwise mutual information, natural logarithm */
	RECSYS_LOG_LIKELIHOOD = 7,	/* Dunning's G2, natural logarithm; 0 for negative association */

	RECSYS_RP3BETA = 8,			/* random walk of three steps */

	/* not functions of what is counted for the pair: see RecsysModelIsCounted */
	RECSYS_SLIM = 9,			/* sparse linear method: elastic net for each item */
	RECSYS_EASE = 10,			/* linear model in closed form */
	RECSYS_SPECTRAL = 11,		/* graph filter */
	RECSYS_ITEMKNN = 12,		/* cosine to each item's own neighbors, as shares */
	RECSYS_ALS = 13,			/* factors of users and items */

	RECSYS_POPULAR = 14,		/* no pairs at all: everybody gets the bestsellers */

	/* not a model: the one that a sample of the data speaks for, see core/choice */
	RECSYS_AUTO = 15,

	/* what comes after an item in the order of time, see succession.c */
	RECSYS_SESSION = 16
} RecsysSimilarity;

#define RECSYS_LAST_SIMILARITY RECSYS_SESSION

/* Are scores no function of what is counted for a pair, whatever the options? */
#define RecsysSimilarityIsLearned(similarity) \
	((similarity) >= RECSYS_SLIM && (similarity) <= RECSYS_ALS)

/* How interactions are weighted before training; stored on disk: never renumber */
typedef enum RecsysWeighting
{
	RECSYS_WEIGHTING_NONE = 0,
	RECSYS_WEIGHTING_TFIDF = 1,
	RECSYS_WEIGHTING_BM25 = 2
} RecsysWeighting;

/*
 * Of an option that another model has, or that is left to the model, the value
 * does not matter: RecsysModelOptionsResolve puts the default.
 */
#define RECSYS_MODEL_DEFAULT (-1.0)

typedef struct RecsysModelOptions
{
	RecsysSimilarity similarity;
	int			neighbors;		/* most neighbors kept for an item, >= 1 */
	uint32		min_support;	/* fewest distinct users behind a pair, >= 1 */
	int			max_history;	/* most recent items of a user that count */
	double		shrinkage;		/* >= 0: score times c / (c + shrinkage) */
	double		alpha;			/* score times n_j ^ -alpha; rp3beta: exponent of
								 * the transition probabilities */
	double		beta;			/* rp3beta: score times n_j ^ -beta */
	RecsysWeighting weighting;
	double		k1;				/* bm25: how soon weights saturate */
	double		b;				/* bm25: how much the length of a history matters */
	double		user_damping;	/* a user counts (items of the user) ^ -user_damping */
	int64		training_half_life; /* microseconds, 0: none */
	double		l1;				/* slim: L1 and L2 regularization */
	double		l2;
	int			candidates;		/* slim, itemknn: most items that predict an item */
	double		lambda;			/* ease, als: L2 regularization, > 0 */
	int			rank;			/* spectral: directions that are filtered; als: length
								 * of a factor */
	double		power;			/* spectral: exponent of their eigenvalues */
	double		tail;			/* spectral: how much of the rest remains */
	double		unobserved;		/* als: weight of a pair that was not observed */
	int			iterations;		/* als: rounds over users and items */
	RecsysWeightTransform weight_transform; /* what a user's sum of weights of an item means */
	double		popularity;		/* cosine, rp3beta: weight of the prior, see prior.h */
	int64		popularity_half_life;	/* microseconds, 0: none */
	int64		item_max_age;	/* items unsold for longer are not offered; microseconds, 0: off */
	double		gap_decay;		/* session: a pair counts that much less a step further apart */
	double		backward;		/* session: what counts that the neighbor came earlier */
} RecsysModelOptions;

/* What is known apart from the pair itself: of each item, and of all users. */
typedef struct RecsysPairTotals
{
	double		n_i;			/* distinct users of the row item */
	double		n_j;			/* distinct users of the neighbor */
	double		n_users;		/* N: users with any interaction */
	double		norm2_i;		/* sum of squared weights; equals n_i when unweighted */
	double		norm2_j;
	double		mass_i;			/* W_i: sum of weights; equals n_i when unweighted */
} RecsysPairTotals;

/* "cosine", "jaccard", …; false when the name is none of them (case-insensitive) */
extern bool RecsysSimilarityParse(const char *name, RecsysSimilarity *similarity);
extern const char *RecsysSimilarityName(RecsysSimilarity similarity);

/* Equal but for the case of ASCII letters, whatever the locale. */
extern bool RecsysNamesEqual(const char *a, const char *b);

/* Dunning's G2 of the pair; 0 where the items meet no more often than by chance. */
extern double RecsysLogLikelihood(double c, const RecsysPairTotals *totals);

/*
 * Score of the pair (i, j) with count c = c_ij and weighted dot product dot
 * (= c when unweighted), shrinkage and alpha applied.  The result is exact to
 * double precision; callers store (float) of it.  Not positive means: no pair.
 */
extern double RecsysSimilarityScore(const RecsysModelOptions *options, double c, double dot,
									const RecsysPairTotals *totals);

#endif							/* RECSYS_SIMILARITY_H */
