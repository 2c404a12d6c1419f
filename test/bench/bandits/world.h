/*
 * world.h
 *	  What bandits are tried in: arms whose means are known, and a policy that learns them.
 */
#ifndef RECSYS_BENCH_WORLD_H
#define RECSYS_BENCH_WORLD_H

#include "core/policy/policy.h"

#define MOST_WORLD_ARMS 100

typedef enum WorldKind
{
	WORLD_BERNOULLI,
	WORLD_LINEAR,				/* all arms see one context, each has a function of its own */
	WORLD_LINEAR_SHARED			/* arms have features of their own, new ones each time; one function */
} WorldKind;

typedef struct World
{
	WorldKind	kind;
	int			narms;
	double		means[MOST_WORLD_ARMS]; /* Bernoulli; the first one is the best */
	int			period;			/* Bernoulli: trials after which they move on by one arm; 0: never */
	int			dimension;		/* linear */
	double		noise;			/* linear: deviation of rewards */
} World;

typedef struct Learner
{
	const char *name;
	RecsysPolicyOptions options;
	int			batch;			/* trials after which what has come in is known */
	double		half_life;		/* of counts, in trials; 0: none */
} Learner;

/* Sets the regret at trial 10^(point / POINTS_OF_TEN) of so many points. */
extern void world_run(const World *world, const Learner *learner, int run, int points, double *regret);

/* Factor of ln(trials) below which no policy's regret stays that is good in each world */
extern double world_lai_robbins(const World *world);

/* Auer, Cesa-Bianchi, Fischer, theorem 1, after the trials of so many points */
extern double world_ucb1_bound(const World *world, int points);

#endif							/* RECSYS_BENCH_WORLD_H */
