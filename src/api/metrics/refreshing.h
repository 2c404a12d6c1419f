/*
 * refreshing.h
 *	  Metrics of the business: from the log to the tables that the views of recsys.metrics_… read.
 */
#ifndef RECSYS_REFRESHING_H
#define RECSYS_REFRESHING_H

#include "postgres.h"

#include "utils/timestamp.h"

typedef enum RecsysRefreshScope
{
	RECSYS_REFRESH_DUE,			/* the open day, and closed ones whose window is open once a day */
	RECSYS_REFRESH_OPEN			/* all whose window was open when they were computed last */
} RecsysRefreshScope;

/*
 * Computes days of the log, in UTC, in the current transaction; since: these days on as well,
 * whatever their state, DT_NOBEGIN: none.  Returns how many days it has computed; -1, and nothing
 * is done, if another session is at it.  Rights are for the caller to check.
 */
extern int	RecsysRefreshMetrics(RecsysRefreshScope scope, TimestampTz since);

#endif							/* RECSYS_REFRESHING_H */
