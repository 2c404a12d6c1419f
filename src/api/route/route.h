/*
 * route.h
 *	  From a name that functions are called with to the recommender that answers.
 *
 * A name may be an experiment's: then the user's or session's hash decides on the variant; or a
 * bandit's: then its policy decides on the arm.  A variant may be a bandit.
 */
#ifndef RECSYS_ROUTE_H
#define RECSYS_ROUTE_H

#include "postgres.h"

#include "utils/jsonb.h"

struct RecsysBanditSlots;

typedef struct RecsysRoute
{
	const char *recommender;	/* what makes the list: declared recommender or index */
	const char *experiment;		/* NULL: none, or the unit takes no part in it */
	const char *variant;
	const char *segment;		/* NULL: none declared, or not known */
	const char *bandit;
	const char *arm;
	const char *policy;			/* NULL: nothing was decided */
	double		propensity;		/* of the list as a whole: share of the variant times probability of the arm */

	/* Interleaving: the second list, and what the two are called; NULL: there is one list */
	const char *other;
	const char *teams[2];
	uint64		draft_seed;		/* of who chooses first, round by round */

	/* A bandit that fills single places of the list; NULL: none */
	struct RecsysBanditSlots *slots;

	int			nfeatures;		/* what the policy has seen of the context */
	double	   *features;
} RecsysRoute;

/*
 * False if the name is that of neither.  user and session are keys as text, or NULL; context is
 * that of the call, or NULL.  The result is of the current memory context.  Nothing is written.
 * name may be NULL: false.
 */
extern bool RecsysRouteRequest(const char *name, const char *user, const char *session,
							   Jsonb *context, RecsysRoute *route);

#endif							/* RECSYS_ROUTE_H */
