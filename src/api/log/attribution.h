/*
 * attribution.h
 *	  Which request a purchase is of.
 *
 * A purchase of an item by a user is of a request of that user whose list had the item, if it came
 * at the time of the request or later, and less than a window later.  If that holds of several
 * requests, its touches, the credit is all the first's or the last's, or shared by the places that
 * the item had: weights 1 / log2(1 + position), as in DCG.
 */
#ifndef RECSYS_ATTRIBUTION_H
#define RECSYS_ATTRIBUTION_H

#include "postgres.h"

#include "lib/stringinfo.h"

typedef struct RecsysAttribution
{
	const char *requests;		/* a relation or a query in parentheses: request_id, time, user_id, item_ids, … */
	const char *columns;		/* further columns of it to hand on, "r.segment, r.variant"; NULL: none */
	const char *purchases;		/* see RecsysRegisterPurchases */
	const char *window;			/* SQL for an interval, as "$3" */
	const char *credit;			/* "first", "last", "position" */
} RecsysAttribution;

/*
 * Appends a query, to be put in parentheses: columns purchase (number), item_id, time, amount of the
 * purchase, request_id, request_time, position (from 1), credit numeric (the credits of a purchase
 * sum up to 1 exactly), and the further ones.  A purchase without a touch has no row.  It runs as
 * the keeper; which requests are looked at, and up to when, is for the caller to say.
 */
extern void RecsysAppendAttribution(StringInfo out, const RecsysAttribution *attribution);

#endif							/* RECSYS_ATTRIBUTION_H */
