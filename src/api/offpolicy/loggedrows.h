/*
 * loggedrows.h
 *	  What the log has of lists whose makers were left to chance.
 */
#ifndef RECSYS_LOGGEDROWS_H
#define RECSYS_LOGGEDROWS_H

#include "postgres.h"

#include "api/offpolicy/policytable.h"
#include "utils/timestamp.h"

typedef struct RecsysLoggedAsk
{
	const char *target;			/* as the log calls it */
	TimestampTz since;
	TimestampTz until;
	const char *kind;			/* of events that are rewards */
	bool		valued;			/* a reward is the sum of their values; else 1 */
	int			k;				/* places that are looked at */
	const char *logged_by;		/* experiment, bandit or recommender; NULL: any */
	int			max_requests;	/* whose items are looked at one by one */
	uint64		seed;
} RecsysLoggedAsk;

/* A place of a list */
typedef struct RecsysLoggedPlace
{
	const char *request;
	const char *user;
	int32		position;
	const char *item;
	double		propensity;
	double		reward;
} RecsysLoggedPlace;

/*
 * Lists of experiments and bandits that the target was an arm of, and that the current user may
 * see, in a new table; NULL if there are none.
 */
extern RecsysPolicyTable *RecsysReadLoggedArms(const RecsysLoggedAsk *ask);

/*
 * Places with items that were chosen one by one, of a sample of requests of known users, together by
 * user and request.  *places is palloc'd; returns how many there are.
 */
extern uint32 RecsysReadLoggedPlaces(const RecsysLoggedAsk *ask, RecsysLoggedPlace **places);

#endif							/* RECSYS_LOGGEDROWS_H */
