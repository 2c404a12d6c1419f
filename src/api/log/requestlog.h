/*
 * requestlog.h
 *	  Writing requests and what follows them to the log.
 */
#ifndef RECSYS_REQUESTLOG_H
#define RECSYS_REQUESTLOG_H

#include "postgres.h"

#include "api/keep/request.h"

/* Most items of a logged list, and features; bytes of a key, of a name */
#define RECSYS_MAX_LOGGED_ITEMS 10000
#define RECSYS_MAX_LOGGED_FEATURES 1000
#define RECSYS_MAX_LOGGED_KEY 1000
#define RECSYS_MAX_LOGGED_NAME 255

/*
 * One row, whoever calls; trials of a bandit count, and rewards that have come before the request.
 * False if the request is there already.  user and session are given as they are in the shop.  Errors
 * out when something is too long.
 */
extern bool RecsysLogRequest(const RecsysRequest *request);

/* The same of a request with a new id, that nobody else has yet. */
extern void RecsysLogNewRequest(const RecsysRequest *request);

/*
 * Something has happened to an item of a request: see recsys.log_event.  value NaN: not given.  key
 * tells events of one kind apart, NULL: there is one.  False if it is there already.  Errors out if
 * the request is there and the item was not in it.
 */
extern bool RecsysLogEvent(const pg_uuid_t *request, const char *kind, const char *item,
						   double value, const char *key, TimestampTz time);

#endif							/* RECSYS_REQUESTLOG_H */
