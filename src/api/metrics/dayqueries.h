/*
 * dayqueries.h
 *	  The statements that compute a day of metrics.
 *
 * All have the parameters below.  They run as the keeper, with the relations attributes (see
 * itemattributes.h), attributed and results.
 */
#ifndef RECSYS_DAYQUERIES_H
#define RECSYS_DAYQUERIES_H

#include "postgres.h"

#include "lib/stringinfo.h"

/* Parameters of all statements: SQL types, by position */
typedef enum RecsysDayParameter
{
	RECSYS_DAY_FROM,			/* $1 timestamptz: the day begins, */
	RECSYS_DAY_UNTIL,			/* $2 timestamptz: and ends */
	RECSYS_DAY_KEEPS,			/* $3 boolean: what was known of items when it closed still holds */
	RECSYS_DAY_WITH_ORDERS,		/* $4 text[]: experiments of which it is known what was bought, */
	RECSYS_DAY_WITH_AMOUNTS,	/* $5 text[]: and for how much; NULL: of all requests */
	RECSYS_DAY_PARAMETERS
} RecsysDayParameter;

extern Oid	RecsysDayTypes[RECSYS_DAY_PARAMETERS];

/*
 * Appends the query for "attributed": what has been bought because of requests since $1, one row
 * for each item of a request.  $2 is the time of now, $3 the window, an interval; purchases are in a
 * relation of that name.  of_experiment: only requests of the experiment $4 count, a text.
 */
extern void RecsysAppendAttributed(StringInfo out, const char *purchases, const char *credit,
								   bool of_experiment);

/* For "results": what came of the day's requests, one row for each item of a request, or two */
extern const char *const RecsysDayResults;

/* In this order: each reads tables that those before it have filled. */
extern const char *const RecsysDayStatements[];
extern const int RecsysDayStatementCount;

#endif							/* RECSYS_DAYQUERIES_H */
