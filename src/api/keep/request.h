/*
 * request.h
 *	  A request: who was shown which list, by what, and how likely that was.
 *
 * Its id is a UUID of version 7 (RFC 9562): the first 48 bits are the milliseconds since 1970, so
 * the time of a request, and with it the partition of the log, is known by the id alone.
 */
#ifndef RECSYS_REQUEST_H
#define RECSYS_REQUEST_H

#include "postgres.h"

#include "utils/timestamp.h"
#include "utils/uuid.h"

typedef struct RecsysRequest
{
	pg_uuid_t	id;
	TimestampTz time;			/* that of the id */
	const char *user;			/* key as text, as it is in the shop; NULL: not known */
	const char *session;		/* NULL: none */
	const char *recommender;	/* what has made the list: declared recommender or index */
	const char *experiment;		/* these: NULL where the request is part of none */
	const char *variant;
	const char *bandit;
	const char *arm;
	const char *policy;			/* "hash", "interleaving", "epsilon_greedy", "thompson", … */
	const char *segment;
	double		latency_ms;		/* NaN: not measured */

	/* the list, in its order */
	int			count;
	const char **items;			/* keys as text */
	float	   *scores;			/* NULL: not known */
	const char **sources;		/* NULL: not known */
	double	   *propensities;	/* of each item at its place; NULL: nothing was left to chance */
	const char **arms;			/* whose each place is, where a list has several; NULL: it has one */

	/* what a policy with features has seen of the context, for the reward that comes later */
	int			nfeatures;
	double	   *features;
} RecsysRequest;

/* A new id, and the time that is in it. */
extern void RecsysNewRequestId(pg_uuid_t *id, TimestampTz *time);

/* The same of another time, as it is in the id: in whole milliseconds.  Errors out before 1970. */
extern void RecsysRequestIdOf(TimestampTz asked, pg_uuid_t *id, TimestampTz *time);

/* The time in an id; errors out, with what to do, unless it is of version 7. */
extern TimestampTz RecsysRequestIdTime(const pg_uuid_t *id);

#endif							/* RECSYS_REQUEST_H */
