/*
 * loggingrights.h
 *	  Who may log what.
 */
#ifndef RECSYS_LOGGINGRIGHTS_H
#define RECSYS_LOGGINGRIGHTS_H

#include "postgres.h"

#include "api/keep/request.h"
#include "utils/timestamp.h"

/* Errors out where nothing can be written now: on a standby, in a read-only transaction, in parallel. */
extern void RecsysCheckLogWritable(const char *function);

/*
 * The name under which lists of a recommender are logged, palloc'd.  Errors out unless the current
 * user would be served by it, or may INSERT into the log, who may use any name.
 */
extern char *RecsysLoggedName(const char *recommender);

/*
 * The same of the experiment and the bandit that a request is said to be of: they must lead to its
 * recommender, or anybody could count as shown, or paid, what belongs to others.
 */
extern void RecsysCheckLoggedRoute(const RecsysRequest *request);

/* Errors out unless a request of that time may be logged: old ones only by who may INSERT into the log. */
extern void RecsysCheckLoggedTime(TimestampTz time);

#endif							/* RECSYS_LOGGINGRIGHTS_H */
