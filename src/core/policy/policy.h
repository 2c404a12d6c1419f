/*
 * policy.h
 *	  Bandits: which of some arms to show next, and how likely each was to be chosen.
 *
 * Policies are given as the probabilities with which they choose each arm ("shares").  An arm is
 * then drawn by them.  So the propensity that is logged is the probability with which the arm was
 * really drawn, whatever a policy's formula is, and shares may be kept as long as nothing new is
 * known: a draw costs next to nothing.
 *
 * Sources: epsilon-greedy and UCB1: Auer, Cesa-Bianchi, Fischer: Finite-time analysis of the
 * multiarmed bandit problem, Machine Learning 47 (2002).  Thompson sampling: Chapelle, Li: An
 * empirical evaluation of Thompson sampling, NIPS 2011; for normal rewards Honda, Takemura:
 * Optimality of Thompson sampling for Gaussian bandits depends on priors, AISTATS 2014.  LinUCB: Li,
 * Chu, Langford, Schapire: A contextual-bandit approach to personalized news article
 * recommendation, WWW 2010, algorithm 1.  Linear Thompson sampling: Agrawal, Goyal: Thompson
 * sampling for contextual bandits with linear payoffs, ICML 2013.
 */
#ifndef RECSYS_POLICY_H
#define RECSYS_POLICY_H

#include "core/base/random.h"
#include "core/policy/armcounts.h"
#include "core/policy/linearreward.h"

#define RECSYS_MOST_ARMS 1000

typedef enum RecsysPolicyKind
{
	RECSYS_POLICY_EPSILON_GREEDY,
	RECSYS_POLICY_UCB1,			/* rewards between 0 and 1 */
	RECSYS_POLICY_THOMPSON,		/* rewards between 0 and 1, usually one of both: Beta-Bernoulli */
	RECSYS_POLICY_THOMPSON_NORMAL,	/* any rewards: normal, mean and variance unknown */
	RECSYS_POLICY_LINUCB,
	RECSYS_POLICY_LINEAR_THOMPSON,
	RECSYS_POLICY_UNIFORM		/* all alike, to compare with */
} RecsysPolicyKind;

typedef struct RecsysPolicyOptions
{
	RecsysPolicyKind kind;

	/* epsilon-greedy: how often any arm is chosen */
	double		epsilon;		/* 0 to 1 */
	double		epsilon_trials; /* > 0: min(epsilon, epsilon_trials * arms / trials), Auer's epsilon_n */

	/*
	 * UCB1: factor of the radius sqrt(2 ln(trials) / trials of the arm), 1 for rewards from 0 to 1;
	 * LinUCB: alpha; linear Thompson: v, the deviation of rewards from their mean
	 */
	double		exploration;

	/* Thompson: Beta(prior_successes, prior_failures), both 0.1 or more */
	double		prior_successes;
	double		prior_failures;

	/*
	 * Thompson for normal rewards: the normal-inverse-gamma prior, as if prior_trials trials of mean
	 * prior_mean had been made, and their variance were prior_variance by 2 prior_shape of them
	 */
	double		prior_mean;
	double		prior_trials;	/* > 0 */
	double		prior_shape;	/* 0.5 or more */
	double		prior_variance; /* > 0 */

	/* linear policies */
	int			dimension;		/* features, 1 to RECSYS_MOST_FEATURES */
	double		ridge;			/* > 0 */
	bool		shared;			/* one function for all arms, whose features differ */
	int			draws;			/* linear Thompson, shared: of coefficients, to find shares by */
	uint64		seed;			/* of these draws: change it whenever what is known changes */
} RecsysPolicyOptions;

/* What is known when a choice is made */
typedef struct RecsysPolicyInput
{
	int			narms;			/* 1 to RECSYS_MOST_ARMS */
	const RecsysArmCounts *arms;	/* not of linear policies */
	const RecsysLinearFit *const *fits; /* of linear policies: of each arm, or one if shared */
	const double *features;		/* of linear policies */
	int			stride;			/* from an arm's features to those of the next; 0: all see the same */
} RecsysPolicyInput;

/* "epsilon_greedy", "ucb1", "thompson", "thompson_normal", "linucb", "linear_thompson", "uniform" */
extern const char *RecsysPolicyName(RecsysPolicyKind kind);
extern bool RecsysPolicyByName(const char *name, RecsysPolicyKind *kind);
extern bool RecsysPolicyIsLinear(RecsysPolicyKind kind);

/* Sets everything; exploration is that of the policy. */
extern void RecsysPolicyDefaults(RecsysPolicyKind kind, RecsysPolicyOptions *options);

/* NULL if the options make sense, else what is wrong with them, as the end of a sentence. */
extern const char *RecsysPolicyFault(const RecsysPolicyOptions *options);

/* The probability of each arm; they sum up to 1. */
extern void RecsysPolicyShares(const RecsysPolicyOptions *options, const RecsysPolicyInput *input,
							   double *shares);

/* An arm by its share. */
extern int	RecsysDrawArm(const double *shares, int narms, RecsysRandom *random);

/*
 * Several places, each with another arm: places <= narms.
 *
 * The second draws them; the first says how likely each arm is at each place: shares has narms rows
 * of `places`, whose columns sum up to 1, and first column is RecsysPolicyShares.  Both at the same
 * options and input.  Thompson: the arms in the order of one draw of all.  Epsilon-greedy: place by
 * place, the best or any of those left.  UCB1, LinUCB: in the order of their bounds.
 */
extern void RecsysPolicyPlaceShares(const RecsysPolicyOptions *options,
									const RecsysPolicyInput *input, int places, double *shares);
extern void RecsysPolicyDrawPlaces(const RecsysPolicyOptions *options,
								   const RecsysPolicyInput *input, int places,
								   RecsysRandom *random, int *chosen);

#endif							/* RECSYS_POLICY_H */
