/*
 * experimentrow.h
 *	  An experiment as it is declared: the rows of recsys.experiment.
 *
 * Which variant a unit gets depends on where its hash, from 0 to 1, lies among the ranges.  They are
 * kept, and not computed from the shares, because no function of shares alone moves as few units as
 * can be: with three variants, from (1/2, 1/2, 0) to (1/2, 0, 1/2) to (0, 1/2, 1/2) and back to the
 * first, each step moving half of all, those of the first variant are now those of the second.
 */
#ifndef RECSYS_EXPERIMENTROW_H
#define RECSYS_EXPERIMENTROW_H

#include "postgres.h"

#include "core/decide/shareranges.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"
#include "utils/snapshot.h"
#include "utils/timestamp.h"

typedef struct RecsysVariant
{
	char	   *name;
	char	   *recommender;	/* declared recommender, index as RecsysKeptName has it, or bandit */
	double		share;			/* of those who take part; all sum up to 1 */
} RecsysVariant;

typedef struct RecsysExperiment
{
	char	   *name;
	char	   *owner;			/* name of a role */
	RecsysVariant *variants;	/* the first one is the control */
	int			nvariants;
	RecsysVariantRange *ranges; /* in ascending order */
	int			nranges;
	TimestampTz shares_since;	/* when shares were changed last; DT_NOBEGIN: never */
	char	   *salt;			/* of the hash; that of the name unless declared */
	bool		by_session;		/* the unit is a session, not a user */
	bool		interleaved;	/* both variants' lists in one, by team draft */
	char	   *layer;			/* NULL: its own */
	double		layer_low;		/* part of the layer that takes part, 0 to 1 */
	double		layer_high;
	double		holdout;		/* share of all units of the layer that take part in nothing */
	char	   *segment;		/* expressions over the profiles of the first variant's recommender, */
	char	   *eligible;		/* as RecsysKeptExpression makes them; NULL: none */

	char	  **metrics;		/* names, see api/verdict */
	int			nmetrics;
	char	   *primary_metric;
	char	  **guardrails;		/* metrics that must not get worse */
	int			nguardrails;
	Jsonb	   *purchases;		/* see api/log/purchases.h; NULL: that of the log's settings */
	int64		window;			/* microseconds after a request in which a purchase is of it */
	char	   *attribution;	/* "first", "last", "position" */
	double		alpha;
	char	   *method;			/* "sequential", "fixed" */
	char	   *correction;		/* "holm", "benjamini_hochberg", "none" */
	double		winsorise;		/* quantile at which values are capped; 1: not at all */
	int64		pre_period;		/* microseconds before the first request that CUPED looks at; 0: no CUPED */
	int64		expected_users;	/* for which the sequential intervals are narrowest */

	TimestampTz started_at;		/* DT_NOEND: not yet */
	TimestampTz stopped_at;		/* DT_NOEND: not yet */
	char	   *winner;			/* variant that all get once it has stopped; NULL: the first one */
} RecsysExperiment;

/*
 * What the active snapshot sees of that name, in the current memory context; NULL if there is none,
 * or the extension is of an older version.  Rights are for the caller to check.
 */
extern RecsysExperiment *RecsysFindExperiment(const char *name);

/* All that a snapshot sees, by their names. */
extern List *RecsysAllExperiments(Snapshot snapshot);

/* The number of a variant, -1 if there is none of that name. */
extern int	RecsysVariantNumber(const RecsysExperiment *experiment, const char *name);

/* It has been started and not been stopped. */
extern bool RecsysExperimentRuns(const RecsysExperiment *experiment);

/* Its owner; errors out unless the current user may act as that one, or is the keeper. */
extern Oid	RecsysNeedExperimentOwner(const RecsysExperiment *experiment);

#endif							/* RECSYS_EXPERIMENTROW_H */
