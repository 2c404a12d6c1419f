/*
 * definition.h
 *	  What a shop has declared of a recommender.
 *
 * Names of relations and columns are quoted as they are needed in a query, relations with
 * their schema.  Expressions are SQL that means the same under every search path: functions
 * and operators with their schemas where they need them, columns by their names, with the
 * alias of their relation where there could be two.  NULL stands for what is not declared.
 */
#ifndef RECSYS_DEFINITION_H
#define RECSYS_DEFINITION_H

#include "postgres.h"

#include "utils/jsonb.h"

/* The half-life that the index serves with */
#define RECSYS_OWN_HALF_LIFE (-1)

/* What holds where nothing is declared */
#define RECSYS_MIN_USERS 5
#define RECSYS_SELLER_PRIOR 20
#define RECSYS_PROMOTION_LIMIT 2
#define RECSYS_PRICE_WINDOW "30 days"
#define RECSYS_FATIGUE_WINDOW "7 days"

/* Something users do: an index over it, and what it says of them */
typedef struct RecsysSignal
{
	char	   *events;			/* name of a recsys index, with its schema */
	char	   *label;			/* how reasons and details call it: "name", else the index's name */
	double		weight;			/* not 0; below it, what it touches is pushed down */
	int64		half_life;		/* microseconds; 0: no decay; RECSYS_OWN_HALF_LIFE */
	char	   *graph;			/* index or relation that scores come from; NULL: the events' own */

	/* the graph is a view that recsys has made of these events and those of another index: */
	char	   *predicts;		/* that index; NULL: it is not, and none of the options is set */
	char	   *similarity;		/* NULL, 0 and NaN: as cross_similarity has it */
	char	   *options;
	int			neighbors;
	int			min_support;
	double		min_likelihood;
	bool		self_pairs;		/* an item speaks for itself: who has viewed it may buy it */

	bool		other_items;	/* the events' items are not those that are recommended */
	bool		exclude;		/* what users have by this signal is not recommended to them */
	bool		is_centered;	/* weights are ratings: what counts is how far they are from the mean */
	double		neutral;		/* the rating that says nothing, if is_centered */
	char	   *price;			/* expression over the events' table, a row of which it calls events */
	char	   *reason;			/* format of reasons that are its items; NULL: that of all signals */
} RecsysSignal;

/* At most so many rows of an answer share the value of an expression over the items. */
typedef struct RecsysCap
{
	char	   *label;
	char	   *expression;
	int			most;
} RecsysCap;

/* How a shop says why: a format for each kind of reason, see reasons.h */
typedef struct RecsysReasonFormat
{
	char	   *kind;
	char	   *format;
} RecsysReasonFormat;

typedef struct RecsysDefinition
{
	char	   *name;
	char	   *owner;			/* name of a role */

	RecsysSignal *signals;		/* the first one has a positive weight */
	int			nsignals;

	/* Items.  Without a table of them none of what is below can be declared. */
	char	   *items;
	char	   *items_alias;	/* what expressions call a row of it */
	char	   *item_key;
	char	   *item_filter;	/* boolean */
	char	   *title;			/* the other expressions: of any type, read as text */
	char	   *category;
	char	   *price;			/* a number */
	char	   *group_by;		/* of the items with one value, one is shown: */
	char	   *offer_order;	/* that with the least of this */
	char	   *repeatable;		/* boolean: these may be recommended to those who have them */
	RecsysCap  *caps;			/* that of the seller is among them, with label "seller" */
	int			ncaps;

	char	   *seller;			/* expression over the items */
	char	   *sellers;		/* relation; may be NULL though there is a seller */
	char	   *sellers_alias;
	char	   *seller_key;
	char	   *seller_rating_sum;	/* expressions over the sellers: sum and number of ratings, */
	char	   *seller_ratings;
	double		seller_prior;	/* so many ratings at the mean are added to each seller's own */
	int			max_per_seller; /* 0: no limit */

	char	   *profiles;
	char	   *profiles_alias;
	char	   *profile_key;
	char	  **segments;		/* expressions over the profiles, the smallest segment first; */
	int			nsegments;		/* "persona" by itself is the life cycle, see personas */
	char	   *exclude_users;	/* boolean: neither count nor get personal lists */
	char	   *consent;		/* boolean: may be written to */
	int			min_users;		/* what fewer users of a segment have is not said of it */

	double		diversity;		/* 0: none, 1: nothing but */
	double		category_mix;	/* likewise: how far the categories are those of the history */
	double		price_affinity;	/* likewise: how far the price level of the history counts */
	double		new_item_share; /* of the places of an answer */
	char	   *new_item_since; /* boolean, over the items */
	double		new_seller_share;
	char	   *new_seller_since;	/* boolean, over the sellers */

	char	   *promotions;		/* relation */
	char	   *promotions_alias;
	char	   *promotion_item; /* its columns, */
	char	   *promotion_boost;	/* an expression over it */
	char	   *promotion_when; /* and a boolean one, or NULL */
	double		promotion_limit;	/* no boost is more than this, or less than 1 / this */

	char	   *price_history;	/* relation: what items cost since when */
	char	   *price_history_alias;
	char	   *history_item;	/* its columns, */
	char	   *history_price;	/* expressions over it */
	char	   *history_time;
	char	   *history_window; /* an interval: that far back prices say what is usual */

	double		fatigue;		/* share of a score that an impression in vain takes, at place 1 */
	char	   *fatigue_window; /* an interval: that far back the log is read */

	char	   *complements;	/* name of the index that goes_with reads; NULL: the first signal's */
	RecsysReasonFormat *formats;
	int			nformats;
	char	   *content;		/* name of an items index over the items; may be NULL */
	int64		seed;			/* of what is drawn at random */
} RecsysDefinition;

/*
 * From the row of recsys.recommender, in the current memory context.  It has been checked
 * when it was made: errors out on what no version of recsys has written.
 *
 * Aliases are those of parameters.h, whatever the relations are called: no two are the same.
 */
extern RecsysDefinition *RecsysDefinitionRead(const char *name, const char *owner, Jsonb *json);

#endif							/* RECSYS_DEFINITION_H */
