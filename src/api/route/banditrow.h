/*
 * banditrow.h
 *	  A bandit as it is declared: the rows of recsys.bandit.
 */
#ifndef RECSYS_BANDITROW_H
#define RECSYS_BANDITROW_H

#include "postgres.h"

#include "core/policy/policy.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/* An event that pays: a fixed value, or the one that comes with it */
typedef struct RecsysBanditReward
{
	char	   *kind;
	double		value;
	bool		by_value;
} RecsysBanditReward;

/* What a policy looks at: an expression over the profiles, or a field of the context's features */
typedef struct RecsysBanditFeature
{
	char	   *name;
	char	   *expression;		/* NULL: a field of the context, of the feature's name */
	char	   *type;			/* "number", "boolean", "label" */
	int			buckets;		/* of labels: each is hashed into one of them; else 1 */
	int			first;			/* place in the vector */
} RecsysBanditFeature;

typedef struct RecsysBandit
{
	char	   *name;
	char	   *owner;			/* name of a role */
	pg_uuid_t	generation;		/* another one when it is created again, or reset */
	TimestampTz counted_since;	/* requests before that are of another generation */
	TimestampTz features_since; /* requests before that have other features */

	RecsysPolicyOptions options;
	double		minimum_share;	/* of each arm; of places: of the base list's item */
	double		half_life;		/* seconds; 0: nothing decays */
	RecsysBanditReward *rewards;
	int			nrewards;
	bool		has_seed;
	int64		seed;

	/* Arms that are lists: declared recommenders, or indexes as RecsysKeptName has them */
	char	  **arms;
	int			narms;			/* 0: it fills places */

	/* Places of the list of a declared recommender, ascending, first one 1 */
	char	   *recommender;
	int		   *places;
	int			nplaces;
	char	   *candidates;		/* boolean expression over its items, as RecsysKeptExpression makes them */
	double		tolerance;

	RecsysBanditFeature *features;	/* over the profiles of the first arm, or of that recommender */
	int			nfeatures;
	char	   *features_of;	/* its name */

	/* of this session */
	uint64		serial;			/* another one whenever the row has been read anew */
	uint64		draws;			/* so many choices have been made by the seed */
} RecsysBandit;

/* What a place that the policy fills is logged as, where it is not the base list's */
#define RECSYS_CANDIDATE_ARM "candidate"

/* The state of the base list at a place has this name */
#define RECSYS_BASE_ARM ""

/* Buckets of a label that are not declared */
#define RECSYS_FEATURE_BUCKETS 8

/*
 * What the active snapshot sees of that name; NULL if there is none, or the extension is of an older
 * version.  It is kept from call to call, and good until it is found to have changed by the next call.
 * Rights are for the caller to check.
 */
extern RecsysBandit *RecsysFindBandit(const char *name);

/* The same from the columns of its row, in the current memory context. */
extern RecsysBandit *RecsysReadBandit(const char *name, const char *owner, Jsonb *definition);

/* Its owner; errors out unless the current user may act as that one, or is the keeper. */
extern void RecsysNeedBanditOwner(const RecsysBandit *bandit);

/* May the current user see what it has learned? */
extern bool RecsysMaySeeBandit(const char *owner);

#endif							/* RECSYS_BANDITROW_H */
