/*
 * metricnames.h
 *	  The metrics by which experiments are decided: their names, and what is made of the sums.
 */
#ifndef RECSYS_METRICNAMES_H
#define RECSYS_METRICNAMES_H

#include "postgres.h"

#include "core/decide/armtest.h"

typedef struct RecsysMetricName
{
	const char *name;
	RecsysMetricKind kind;
	bool		lower_is_better;
	bool		needs_purchases;	/* the shop's table of purchases has to be known, */
	bool		needs_amount;	/* and what each of them has cost */
	const char *what;			/* in a few words */
} RecsysMetricName;

extern const RecsysMetricName RecsysMetricNames[];
extern const int RecsysMetricNameCount;

/* That of a name; errors out, with the one that may have been meant, if there is none. */
extern const RecsysMetricName *RecsysFindMetric(const char *name);

#endif							/* RECSYS_METRICNAMES_H */
