/*
 * variantchoice.h
 *	  Which variant of an experiment a user or a session gets.
 */
#ifndef RECSYS_VARIANTCHOICE_H
#define RECSYS_VARIANTCHOICE_H

#include "api/keep/experimentrow.h"
#include "api/route/route.h"

/*
 * Sets recommender, experiment, variant, segment, policy, propensity and what interleaving needs.
 * A unit that takes no part gets the first variant's recommender and experiment NULL.  False, and
 * nothing set, if there is no experiment of that name.
 *
 * Who tests a variant names it in the context: {"variant": "diverse"}.  That one is served and does
 * not count: experiment NULL, policy "forced".
 */
extern bool RecsysChooseVariant(const char *name, const char *user, const char *session,
								Jsonb *context, RecsysRoute *route);

/* The context without the word "variant", which those that make lists do not know; NULL for NULL. */
extern Jsonb *RecsysContextOfList(Jsonb *context);

/* Why a unit gets what it gets */
typedef enum RecsysPartaking
{
	RECSYS_TAKES_PART,
	RECSYS_NOT_STARTED,
	RECSYS_IS_STOPPED,
	RECSYS_NO_UNIT,				/* no user, or no session where these are the units */
	RECSYS_HELD_OUT,
	RECSYS_OTHER_PART,			/* of the layer */
	RECSYS_NOT_ELIGIBLE
} RecsysPartaking;

typedef struct RecsysAssignment
{
	RecsysPartaking	part;
	int			variant;		/* number of the one that is served */
	const char *segment;		/* NULL: not known, or not looked at since the unit takes no part */
} RecsysAssignment;

/* In the current memory context */
extern void RecsysAssignUnit(const RecsysExperiment *experiment, const char *user,
							 const char *session, RecsysAssignment *assignment);

#endif							/* RECSYS_VARIANTCHOICE_H */
